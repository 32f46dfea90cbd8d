/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which parts of a machine a recording holds: what sensors read, and what explains that one finds nothing. */
#include "platform/recorder.h"

#include "platform/parse.h"

#include <string.h>

enum { MOUNT_BYTES = 1 << 16 };

static int has_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static int has_suffix(const char *name, const char *suffix)
{
    size_t length = strlen(name), tail = strlen(suffix);
    return length >= tail && strcmp(name + length - tail, suffix) == 0;
}

static int is_numbered(const char *name, const char *prefix)
{
    size_t length = strlen(prefix), digits = has_prefix(name, prefix) ? strspn(name + length, "0123456789") : 0;
    return digits > 0 && name[length + digits] == '\0';
}

static int is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(name, *names) != 0) {
        names++;
    }
    return *names != NULL;
}

static int any_file(const char *name)
{
    return strcmp(name, "uevent") != 0 && !has_prefix(name, "wakeup");
}

static int any_attribute(const char *name)
{
    return !has_prefix(name, "wakeup");
}

static int any_folder(const char *name)
{
    return strcmp(name, "power") != 0 && !has_prefix(name, "hwmon") && !has_prefix(name, "wakeup");
}

static int name_link(const char *name)
{
    static const char *const names[] = {"device", "driver", "subsystem", NULL};
    return is_one_of(name, names);
}

/* Reading an alarm clears it on some chips, and temperatures and fans measure no energy. */
static int hwmon_file(const char *name)
{
    static const char *const quantities[] = {"power", "energy", "in", "curr", NULL};
    static const char *const plain[] = {"name", "label", "update_interval", NULL};
    for (size_t i = 0; quantities[i]; i++) {
        size_t length = strlen(quantities[i]), digits;
        digits = has_prefix(name, quantities[i]) ? strspn(name + length, "0123456789") : 0;
        if (digits > 0 && name[length + digits] == '_') {
            return !has_suffix(name, "_alarm") && !has_suffix(name, "_fault") && !has_suffix(name, "_beep") &&
                   !has_suffix(name, "_reset_history");
        }
    }
    return is_one_of(name, plain);
}

static int device_file(const char *name)
{
    static const char *const names[] = {"vendor",
                                        "device",
                                        "class",
                                        "revision",
                                        "subsystem_vendor",
                                        "product_name",
                                        "runtime_status",
                                        "control",
                                        "mem_info_vram_total",
                                        "subsystem_device",
                                        "unique_id",
                                        "gpu_metrics",
                                        "numa_node",
                                        "boot_vga",
                                        "uevent",
                                        "hid",
                                        "path",
                                        "type",
                                        "local_cpus",
                                        "local_cpulist",
                                        NULL};
    return hwmon_file(name) || is_one_of(name, names);
}

static int power_folder(const char *name)
{
    return strcmp(name, "power") == 0;
}

static int unit_folder(const char *name)
{
    return strcmp(name, "events") == 0 || strcmp(name, "format") == 0;
}

static int cpu_file(const char *name)
{
    static const char *const names[] = {"possible", "present", "online", "physical_package_id",
                                        "die_id",   "core_id", NULL};
    return is_one_of(name, names);
}

static int cpu_folder(const char *name)
{
    return is_numbered(name, "cpu") || strcmp(name, "topology") == 0;
}

static int dmi_file(const char *name)
{
    static const char *const names[] = {"chassis_type", "sys_vendor",   "product_name",
                                        "board_name",   "bios_version", NULL};
    return is_one_of(name, names);
}

static int no_file(const char *name)
{
    (void)name;
    return 0;
}

static const em__record_rule zone_rule = {any_file, any_folder, name_link, 5},
                             hwmon_rule = {hwmon_file, NULL, name_link, 0},
                             device_rule = {device_file, power_folder, name_link, 1},
                             supply_rule = {any_attribute, NULL, name_link, 0},
                             unit_rule = {any_file, unit_folder, NULL, 1}, cpu_rule = {cpu_file, cpu_folder, NULL, 2},
                             dmi_rule = {dmi_file, NULL, NULL, 0}, empty_rule = {no_file, NULL, NULL, 0};

static const char kfd_nodes[] = "/sys/devices/virtual/kfd/kfd/topology/nodes";

/* A class: each entry that is wanted, and for some the device behind it. */
typedef struct {
    const char *path;
    int (*entry)(em__recorder *recorder, const char *path, const char *name);
    const em__record_rule *rule;
    int has_device;
} class;

static int any_entry(em__recorder *recorder, const char *path, const char *name)
{
    (void)recorder, (void)path, (void)name;
    return 1;
}

static int card_entry(em__recorder *recorder, const char *path, const char *name)
{
    (void)recorder, (void)path;
    return is_numbered(name, "card");
}

static int unit_entry(em__recorder *recorder, const char *path, const char *name)
{
    (void)recorder, (void)path;
    return has_prefix(name, "power");
}

static int begins_with(em__recorder *recorder, const char *path, const char *file, const char *prefix)
{
    char full[EM__RECORD_PATH], text[64];
    em__print(full, sizeof full, "%s/%s", path, file);
    return em__host_text(recorder->host, full, text, sizeof text) > 0 && has_prefix(text, prefix);
}

static int gpu_entry(em__recorder *recorder, const char *path, const char *name)
{
    (void)name;
    return begins_with(recorder, path, "class", "0x03") || begins_with(recorder, path, "class", "0x12");
}

/* The batteries of mice and keyboards are no source, and tell of their owner. */
static int supply_entry(em__recorder *recorder, const char *path, const char *name)
{
    (void)name;
    return !begins_with(recorder, path, "scope", "Device");
}

static const class classes[] = {
    {"/sys/class/powercap", any_entry, &zone_rule, 0},
    {"/sys/devices/virtual/powercap", any_entry, &zone_rule, 0},
    {"/sys/bus/event_source/devices", unit_entry, &unit_rule, 0},
    {"/sys/class/hwmon", any_entry, &hwmon_rule, 1},
    {"/sys/class/drm", card_entry, &empty_rule, 1},
    {"/sys/bus/pci/devices", gpu_entry, &device_rule, 0},
    {"/sys/class/power_supply", supply_entry, &supply_rule, 0},
};

typedef struct {
    em__recorder *recorder;
    const class *class;
} look_through;

static int take_entry(void *context, const char *name)
{
    const look_through *here = context;
    char path[EM__RECORD_PATH];
    em__print(path, sizeof path, "%s/%s", here->class->path, name);
    if (strlen(name) < 256 && here->class->entry(here->recorder, path, name)) {
        em__record_folder(here->recorder, path, here->class->rule);
        if (here->class->has_device) {
            em__print(path, sizeof path, "%s/%s/device", here->class->path, name);
            em__record_folder(here->recorder, path, &device_rule);
        }
    }
    return here->recorder->error < 0;
}

/* Of the kernel's NVIDIA driver, the models alone. */
static int take_model(void *context, const char *name)
{
    static const char *const model_line[] = {"Model:", NULL};
    em__recorder *recorder = context;
    char path[EM__RECORD_PATH];
    em__print(path, sizeof path, "/sys/bus/pci/devices/%.64s/power", name);
    if (strlen(name) <= 64 && !begins_with(recorder, path, "runtime_status", "suspended")) {
        em__print(path, sizeof path, "/proc/driver/nvidia/gpus/%s/information", name);
        em__record_file(recorder, path, SIZE_MAX, model_line);
    }
    return recorder->error < 0;
}

/* Of what ROCm may compute on, which GPU it is. */
static int take_node(void *context, const char *name)
{
    static const char *const lines[] = {"simd_count ", "location_id ", "domain ", NULL};
    em__recorder *recorder = context;
    char path[EM__RECORD_PATH];
    if (is_numbered(name, "") && strlen(name) < 8) {
        em__print(path, sizeof path, "%s/%s/properties", kfd_nodes, name);
        em__record_file(recorder, path, SIZE_MAX, lines);
    }
    return recorder->error < 0;
}

/* Of what is mounted no more than whose image the root is. */
static void record_mounts(em__recorder *recorder)
{
    static const char *const images[] = {
        [EM__ROOT_DOCKER] = "docker", [EM__ROOT_PODMAN] = "containers/storage", [EM__ROOT_CONTAINERD] = "containerd"};
    static const char path[] = "/proc/self/mountinfo";
    em__file *file;
    em__root_image root;
    char line[128];
    int length = recorder->host->ops->open(recorder->host, path, &file);
    if (length == 0) {
        length = recorder->host->ops->read(file, recorder->buffer, MOUNT_BYTES);
        recorder->host->ops->close(file);
    }
    if (length > 0 && em__parse_mounts(recorder->buffer, (size_t)length, &root) == 0 && root != EM__ROOT_PLAIN) {
        em__print(line, sizeof line, "0 0 0:0 / / rw - overlay overlay lowerdir=/%s\n", images[root]);
        em__record_text(recorder, path, line);
    }
}

/* A container's maker shows in the names of its groups, and the rest of them is nobody's business. */
static void hide_group(em__recorder *recorder, char *group)
{
    static const char *const makers[] = {"kubepods", "docker", "libpod",     "lxc.payload",
                                         "lxc",      "crio",   "containerd", NULL};
    for (char *name = group; *name;) {
        size_t slash = strspn(name, "/"), kept = 0;
        name += slash;
        size_t length = strcspn(name, "/");
        for (size_t i = 0; makers[i] && kept == 0; i++) {
            kept = has_prefix(name, makers[i]) ? strlen(makers[i]) : 0;
        }
        kept += kept > 0 && (name[kept] == '-' || name[kept] == '.');
        em__redact_all(&recorder->redactor, name + kept, length - kept);
        name += length;
    }
}

/* The folders of a control group tell what is run on a machine: their names are hashed, and their quotas kept. */
static void record_group(em__recorder *recorder)
{
    char text[EM__RECORD_PATH / 2], plain[EM__RECORD_PATH], path[EM__RECORD_PATH];
    if (em__host_text(recorder->host, "/proc/self/cgroup", text, sizeof text) < 0) {
        return;
    }
    char *group = strncmp(text, "0::/", 4) == 0 ? text + 3 : strstr(text, "\n0::/");
    group = group && group[0] == '\n' ? group + 4 : group;
    if (!group) {
        return;
    }
    group[strcspn(group, "\n")] = '\0';
    em__print(plain, sizeof plain, "0::%s", group);
    hide_group(recorder, plain + 3);
    em__record_text(recorder, "/proc/self/cgroup", plain);
    for (size_t length = strlen(group);; length--) {
        char quota[64];
        if (length > 0 && group[length] != '/' && group[length] != '\0') {
            continue;
        }
        em__print(path, sizeof path, "/sys/fs/cgroup%.*s/cpu.max", (int)length, group);
        if (em__host_text(recorder->host, path, quota, sizeof quota) > 0) {
            em__print(path, sizeof path, "/sys/fs/cgroup%.*s/cpu.max", (int)length, plain + 3);
            em__record_text(recorder, path, quota);
        }
        if (length == 0) {
            return;
        }
    }
}

void em__record_places(em__recorder *recorder)
{
    static const char *const cpu_lines[] = {"cpu", NULL}, *const memory_lines[] = {"MemTotal:", NULL};
    static const char *const status_lines[] = {"CapEff:", "Seccomp:", "Cpus_allowed_list:", NULL};
    static const char *const marks[] = {"/.singularity.d", "/run/secrets/kubernetes.io"};
    static const struct {
        const char *path;
        const char *const *keep;
    } files[] = {
        {"/proc/cpuinfo", NULL},
        {"/proc/stat", cpu_lines},
        {"/proc/meminfo", memory_lines},
        {"/proc/self/status", status_lines},
        {"/proc/sys/kernel/osrelease", NULL},
        {"/proc/sys/kernel/perf_event_paranoid", NULL},
        {"/proc/driver/nvidia/version", NULL},
        {"/.dockerenv", NULL},
        {"/run/.containerenv", NULL},
        {"/run/systemd/container", NULL},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        em__record_file(recorder, files[i].path, SIZE_MAX, files[i].keep);
    }
    recorder->host->ops->list(recorder->host, "/proc/driver/nvidia/gpus", take_model, recorder);
    record_group(recorder);
    record_mounts(recorder);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        em__record_folder(recorder, marks[i], &empty_rule);
    }
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        look_through here = {recorder, &classes[i]};
        em__record_folder(recorder, classes[i].path, &empty_rule);
        recorder->host->ops->list(recorder->host, classes[i].path, take_entry, &here);
    }
    em__record_folder(recorder, kfd_nodes, &empty_rule);
    recorder->host->ops->list(recorder->host, kfd_nodes, take_node, recorder);
    em__record_folder(recorder, "/sys/devices/system/cpu", &cpu_rule);
    em__record_folder(recorder, "/sys/class/dmi/id", &dmi_rule);
}
