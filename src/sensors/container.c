/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Tells containers by what their makers leave in them, and knows their flags. */
#include "sensors/container.h"

#include "core/text.h"
#include "energy_meter.h"
#include "platform/parse.h"
#include "sensors/gpu_bus.h"
#include "sensors/sensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOUNT_BYTES = 1 << 16, WORD_BYTES = 64 };

typedef enum { NONE = -1, DOCKER, PODMAN, KUBERNETES, LXC, NSPAWN, APPTAINER, OTHER } kind;

/* How each is given what: after how, the flag. */
static const struct {
    const char *word, *how, *powercap, *perf, *nvidia, *sysfs;
} kinds[] = {
    [DOCKER] = {"docker", "docker run", "--security-opt systempaths=unconfined", "--cap-add PERFMON", "--gpus all",
                "-v /sys:/sys:ro"},
    [PODMAN] = {"podman", "podman run", "--security-opt unmask=/sys/devices/virtual/powercap", "--cap-add PERFMON",
                "--device nvidia.com/gpu=all", "-v /sys:/sys:ro"},
    [KUBERNETES] = {"kubernetes", "in the container's spec,", "securityContext: {procMount: Unmasked}",
                    "securityContext: {capabilities: {add: [PERFMON]}}", "resources: {limits: {nvidia.com/gpu: 1}}",
                    "a hostPath volume of /sys, mounted read-only"},
    [LXC] = {"lxc", "in the container's configuration,",
             "lxc.mount.entry = /sys/devices/virtual/powercap sys/devices/virtual/powercap none bind,ro 0 0",
             "an lxc.seccomp.profile that allows perf_event_open",
             "lxc config device add NAME gpu gpu; nvidia.runtime=true", "lxc.mount.auto = sys:ro"},
    [NSPAWN] = {"systemd-nspawn", "systemd-nspawn", "--bind-ro=/sys/devices/virtual/powercap",
                "--capability=CAP_PERFMON --system-call-filter=perf_event_open",
                "--bind=/dev/nvidiactl --bind=/dev/nvidia0", "--bind-ro=/sys"},
    [APPTAINER] = {"apptainer", "apptainer run", "--bind /sys/devices/virtual/powercap", "--add-caps CAP_PERFMON",
                   "--nv", "--bind /sys"},
    [OTHER] = {"other", "with what starts the container,", "unmask /sys/devices/virtual/powercap",
               "add the capability PERFMON, and let seccomp allow perf_event_open", "pass the GPU in",
               "mount the host's /sys read-only"},
};

/* ---------------------------------------------------------------------------------------------------------- looking */

static kind kind_of_word(const char *word)
{
    for (int i = 0; i < OTHER; i++) {
        if (strncmp(word, kinds[i].word, strlen(kinds[i].word)) == 0) {
            return (kind)i;
        }
    }
    return OTHER;
}

/* The folders of a control group bear the name of what made them. */
static kind kind_of_group(const char *groups)
{
    static const struct {
        const char *word;
        kind kind;
    } words[] = {{"kubepods", KUBERNETES}, {"/docker", DOCKER},   {"/libpod", PODMAN},
                 {"libpod-", PODMAN},      {"/lxc.payload", LXC}, {"/lxc/", LXC},
                 {"docker-", DOCKER},      {"crio-", OTHER},      {"containerd-", OTHER}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strstr(groups, words[i].word)) {
            return words[i].kind;
        }
    }
    return NONE;
}

static kind kind_of_mounts(em__host *host, char *buffer)
{
    em__file *file;
    em__root_image root;
    int length = host->ops->open(host, "/proc/self/mountinfo", &file);
    if (length == 0) {
        length = host->ops->read(file, buffer, MOUNT_BYTES);
        host->ops->close(file);
    }
    if (length < 0 || em__parse_mounts(buffer, (size_t)length, &root) < 0) {
        return NONE;
    }
    return root == EM__ROOT_DOCKER       ? DOCKER
           : root == EM__ROOT_PODMAN     ? PODMAN
           : root == EM__ROOT_CONTAINERD ? OTHER
                                         : NONE;
}

/* What is surest comes first: a pod may hold what its runtime's images leave. */
static kind find_kind(em__host *host, char *buffer, const char **ret_evidence)
{
    static const struct {
        const char *path;
        kind kind;
    } marks[] = {{"/.singularity.d", APPTAINER},
                 {"/run/secrets/kubernetes.io", KUBERNETES},
                 {"/var/run/secrets/kubernetes.io", KUBERNETES},
                 {"/run/.containerenv", PODMAN},
                 {"/.dockerenv", DOCKER}};
    *ret_evidence = "KUBERNETES_SERVICE_HOST";
    int is_pod = em__host_variable(host, *ret_evidence) != NULL;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (em__host_exists(host, marks[i].path) == 0) {
            *ret_evidence = is_pod ? *ret_evidence : marks[i].path;
            return is_pod ? KUBERNETES : marks[i].kind;
        }
    }
    *ret_evidence = "/run/systemd/container";
    if (em__host_text(host, *ret_evidence, buffer, WORD_BYTES) > 0) {
        return kind_of_word(buffer);
    }
    *ret_evidence = "/proc/self/cgroup";
    if (em__host_text(host, *ret_evidence, buffer, MOUNT_BYTES) > 0 && kind_of_group(buffer) != NONE) {
        return kind_of_group(buffer);
    }
    *ret_evidence = "/proc/self/mountinfo";
    return kind_of_mounts(host, buffer);
}

/* --------------------------------------------------------------------------------------------------------- advising */

static void advise(em__container *made, const char *what, kind where, const char *flag)
{
    em__print(made->advice[made->advice_count++], EM__TEXT_SIZE, "%s: %s %s", what, kinds[where].how, flag);
}

static int is_readable(const em__probe *probe, const char *sensor)
{
    for (size_t i = 0; i < probe->device_count; i++) {
        const em__device *device = probe->devices[i];
        for (size_t j = 0; j < device->channel_count && strncmp(device->sensor, sensor, strlen(sensor)) == 0; j++) {
            if (device->channels[j].status == EM_OK) {
                return 1;
            }
        }
    }
    return 0;
}

static em__absence *find_absence(const em__probe *probe, const char *sensor, int status)
{
    for (size_t i = 0; i < probe->absence_count; i++) {
        if (strcmp(probe->absences[i].sensor, sensor) == 0 && probe->absences[i].status == status) {
            return &probe->absences[i];
        }
    }
    return NULL;
}

static void put_hint(em__absence *absence, kind where, const char *flag)
{
    em__print(absence->hint, sizeof absence->hint,
              "start the container with it: %s %s; the counters are those of the whole host", kinds[where].how, flag);
}

static int has_board(const em__gpu_bus *bus, int is_nvidia)
{
    for (size_t i = 0; bus && i < bus->count; i++) {
        if ((bus->gpus[i].maker == EM__MAKER_NVIDIA) == is_nvidia && !bus->gpus[i].is_integrated) {
            return 1;
        }
    }
    return 0;
}

static void advise_on_cpus(em__probe *probe, kind where, em__container *made)
{
    em__absence *powercap = find_absence(probe, "rapl-powercap", EM_ERR_MASKED);
    em__absence *perf = find_absence(probe, "rapl-perf", EM_ERR_MASKED);
    int is_denied = find_absence(probe, "rapl-perf", EM_ERR_PERMISSION) != NULL;
    if (powercap) {
        put_hint(powercap, where, kinds[where].powercap);
    }
    if (perf) {
        put_hint(perf, where, kinds[where].perf);
    }
    if (!is_readable(probe, "rapl") && (perf || is_denied)) {
        advise(made, "CPUs by perf events", where, kinds[where].perf);
    }
    if (!is_readable(probe, "rapl") && powercap) {
        advise(made, "CPUs by powercap", where, kinds[where].powercap);
    }
}

static void advise_on_gpus(em__host *host, em__probe *probe, kind where, em__container *made)
{
    static const int statuses[] = {EM_ERR_NO_LIBRARY, EM_ERR_NO_DRIVER, EM_ERR_MASKED, EM_ERR_NO_ZONES,
                                   EM_ERR_NOT_SUPPORTED};
    int is_told = is_readable(probe, "nvml") || !has_board(probe->bus, 1);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses && !is_told; i++) {
        em__absence *absence = find_absence(probe, "nvml", statuses[i]);
        if (absence) {
            put_hint(absence, where, kinds[where].nvidia);
            advise(made, "NVIDIA GPUs", where, kinds[where].nvidia);
            is_told = 1;
        }
    }
    /* Where there is a /sys, it shows the chips of the host, and if it shows none, there are none. */
    if (em__host_exists(host, "/sys/class") < 0 || find_absence(probe, "hwmon", EM_ERR_MASKED)) {
        advise(made, has_board(probe->bus, 0) ? "AMD and Intel GPUs, and other chips" : "chips that hwmon shows", where,
               kinds[where].sysfs);
    }
}

void em__container_look(em__host *host, em__probe *probe, em__container *ret_container)
{
    em__container made = {.kind = NULL};
    const char *evidence = "";
    char *buffer = malloc(MOUNT_BYTES);
    kind where = buffer ? find_kind(host, buffer, &evidence) : NONE;
    free(buffer);
    if (where != NONE) {
        made.kind = kinds[where].word;
        em__copy(made.evidence, sizeof made.evidence, evidence);
        advise_on_cpus(probe, where, &made);
        advise_on_gpus(host, probe, where, &made);
    }
    *ret_container = made;
}
