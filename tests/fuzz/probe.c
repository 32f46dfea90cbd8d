/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The whole of a meter over mutated machines: whatever a tree holds, sensors find facts that roles can decide about, all can
 * be read, and windows, summaries and reports come of it. An input is a machine's key, options, a variable, and edits of
 * files. */
#include "core/text.h"
#include "energy_meter.h"
#include "meter/meter.h"
#include "metrics/roles.h"
#include "platform/machine.h"
#include "sensors/sensor.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MACHINES = 256, MOST_PATHS = 1024, MOST_EDITS = 64, MOST_DEPTH = 24, HEAD = 5, VALUE = 40 };
#define TICK UINT64_C(100000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int holds)
{
    if (!holds) {
        abort();
    }
}

typedef struct {
    em__host *host;
    char *paths[MOST_PATHS];
    size_t count;
    char here[4096];
    int depth;
} tree;

static int visit(void *context, const char *name)
{
    tree *all = context;
    char target[4096];
    size_t length = strlen(all->here);
    if (all->count == MOST_PATHS || length + strlen(name) + 2 > sizeof all->here || all->depth == MOST_DEPTH) {
        return 0;
    }
    snprintf(all->here + length, sizeof all->here - length, "/%s", name);
    int is_link = all->host->ops->link(all->host, all->here, target, sizeof target) > 0;
    all->depth++;
    if (is_link || all->host->ops->list(all->host, all->here, visit, all) != 0) {
        all->paths[all->count++] = strdup(all->here);
    }
    all->depth--;
    all->here[length] = '\0';
    return 0;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The names of the recordings, so that a number means the same everywhere. */
static size_t list_machines(char *names[])
{
    size_t count = 0;
    DIR *folder = opendir(EM_TEST_MACHINES);
    insist(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) && count < MOST_MACHINES;) {
        size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0) {
            names[count++] = strdup(entry->d_name);
        }
    }
    closedir(folder);
    insist(count > 0);
    qsort(names, count, sizeof *names, by_name);
    return count;
}

/* A key says a machine whatever others are added: the one whose name's hash is nearest. */
static uint16_t hash_of(const char *name)
{
    uint32_t hash = 2166136261U;
    for (; *name; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619U;
    }
    return (uint16_t)(hash ^ hash >> 16);
}

static const char *find_machine(uint16_t key)
{
    static char *names[MOST_MACHINES];
    static size_t count;
    size_t nearest = 0;
    count = count ? count : list_machines(names);
    for (size_t i = 1; i < count; i++) {
        if ((hash_of(names[i]) ^ key) < (hash_of(names[nearest]) ^ key)) {
            nearest = i;
        }
    }
    return names[nearest];
}

/* One variable, or the option gpus, is what the input says. */
typedef struct {
    char value[VALUE + 1], variable[VALUE + 64];
    const char *environment[6], *gpus;
    int as_user;
} surroundings;

static size_t surround(const uint8_t *data, size_t size, surroundings *around)
{
    static const char *const names[] = {"ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",       "CUDA_VISIBLE_DEVICES",
                                        "ZE_AFFINITY_MASK",     "SLURM_STEP_TASKS_PER_NODE", "LOCAL_RANK"};
    static const char *const given[] = {"ZE_ENABLE_PCI_ID_DEVICE_ORDER=1", "ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE",
                                        "LOCAL_RANK=1", "ROCR_VISIBLE_DEVICES=1,0"};
    static const char *const gpus[] = {"visible", "visible", "all", "local_rank", "0", "1,0"};
    size_t length = data[4] % VALUE, used = 0;
    length = length > size - HEAD ? size - HEAD : length;
    memcpy(around->value, data + HEAD, length);
    around->value[length] = '\0';
    around->as_user = data[2] & 1;
    around->gpus = (data[2] >> 1) % 8 < 6 ? gpus[(data[2] >> 1) % 8] : around->value;
    snprintf(around->variable, sizeof around->variable, "%s=%s", names[data[3] % 6], around->value);
    around->environment[used++] = around->variable;
    for (size_t i = 0; i < 4; i++) {
        if (data[2] >> (4 + i) & 1) {
            around->environment[used++] = given[i];
        }
    }
    around->environment[used] = NULL;
    return HEAD + length;
}

static em__host *open_machine(uint16_t key, const surroundings *around)
{
    static em__host_ops ops;
    char path[4096];
    em__host *host = NULL;
    snprintf(path, sizeof path, "%s/%s", EM_TEST_MACHINES, find_machine(key));
    insist(em__host_open(path, around->as_user, around->environment, NULL, 0, &host) == 0);
    ops = *host->ops;
    ops.thread_start = NULL; /* rounds by hand */
    host->ops = &ops;
    em__machine_set_clock(host, TICK, TICK, TICK);
    return host;
}

/* One edit: how, which path (2 bytes), how many bytes follow, the bytes. */
static size_t edit(em__host *host, const tree *all, const uint8_t *data, size_t size)
{
    static const int errors[] = {EACCES, EPERM, EIO, ENODATA, EINVAL, ENODEV, EBUSY, EOPNOTSUPP};
    static const char *const words[] = {"0\n",
                                        "-1\n",
                                        "18446744073709551615\n",
                                        "9223372036854775807\n",
                                        "card\n",
                                        "pkg\n",
                                        "vddnb\n",
                                        "amdgpu\n",
                                        "ina3221\n",
                                        "package-0\n",
                                        "dtpm:0\n",
                                        "VDD_IN\n",
                                        "Discharging\n",
                                        "suspended\n",
                                        "Battery\n",
                                        "System\n"};
    size_t length = size > 3 ? data[3] % 64 : 0;
    if (size < 4 || all->count == 0) {
        return size;
    }
    length = length > size - 4 ? size - 4 : length;
    const char *path = all->paths[(data[1] + 256U * data[2]) % all->count];
    const char *other = all->paths[(data[2] + 256U * data[1]) % all->count];
    const char *word = words[data[3] % (sizeof words / sizeof *words)];
    switch (data[0] % 6) {
    case 0:
        em__machine_set_file(host, path, (const char *)data + 4, length, 0444, 0);
        break;
    case 1:
        em__machine_set_file(host, path, word, strlen(word), 0444, 0);
        break;
    case 2:
        em__machine_set_file(host, path, "", 0, 0444, errors[data[3] % (sizeof errors / sizeof *errors)]);
        break;
    case 3:
        em__machine_remove(host, path);
        break;
    case 4:
        em__machine_set_link(host, path, other);
        break;
    default: {
        char beside[4096], name[65];
        const char *slash = strrchr(path, '/');
        memcpy(name, data + 4, length);
        name[length] = '\0';
        snprintf(beside, sizeof beside, "%.*s/%s", (int)(slash - path), path, name);
        em__machine_set_file(host, beside, word, strlen(word), 0444, 0);
    }
    }
    return 4 + (data[0] % 6 == 0 || data[0] % 6 == 5 ? length : 0);
}

static void check_text(const char *text, size_t size)
{
    insist(memchr(text, '\0', size) != NULL);
}

static void read_all(const em__probe *probe)
{
    for (size_t i = 0; i < probe->device_count; i++) {
        em__device *device = probe->devices[i];
        em__reading out[EM__DEVICE_CHANNELS];
        insist(device->channel_count <= EM__DEVICE_CHANNELS);
        memset(out, 0xAA, sizeof out);
        device->ops->read(device, EM__EVERY_CHANNEL, out);
        for (size_t j = 0; j < device->channel_count; j++) {
            insist(out[j].outcome == EM__READ_OK || out[j].outcome == EM__READ_AGAIN ||
                   out[j].outcome == EM__READ_GONE);
        }
        if (device->ops->revive) {
            device->ops->revive(device);
        }
    }
}

/* What is counted names its silicon once, and what is part or mirror has a whole or an original. */
static void resolve(const em__probe *probe)
{
    static em__candidate candidates[4096];
    static em__role roles[4096];
    size_t count = 0;
    for (size_t i = 0; i < probe->device_count; i++) {
        for (size_t j = 0; j < probe->devices[i]->channel_count && count < 4096; j++) {
            const em__channel *facts = &probe->devices[i]->channels[j];
            check_text(facts->name, sizeof facts->name);
            check_text(facts->source, sizeof facts->source);
            check_text(facts->reason, sizeof facts->reason);
            insist(facts->scale_den > 0 && facts->gain > 0);
            candidates[count++] = (em__candidate){.facts = facts,
                                                  .sensor = probe->devices[i]->sensor,
                                                  .rank = probe->devices[i]->rank,
                                                  .is_readable = facts->status == EM_OK};
        }
    }
    em__roles_resolve(candidates, count, roles);
    for (size_t i = 0; i < count; i++) {
        insist(roles[i].of >= -1 && roles[i].of < (int32_t)count && roles[i].of != (int32_t)i);
        insist((roles[i].role == EM_ROLE_UNREADABLE) == !candidates[i].is_readable);
        insist(roles[i].role != EM_ROLE_MIRROR || roles[i].of >= 0);
        for (size_t j = 0; j < i && roles[i].role == EM_ROLE_COUNTED; j++) {
            insist(roles[j].role != EM_ROLE_COUNTED || roles[i].group != roles[j].group);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------------ a meter */

static void pass(em__host *host, em_meter *meter, uint64_t *now_ns)
{
    *now_ns += TICK;
    em__machine_set_clock(host, *now_ns, *now_ns, *now_ns);
    em__meter_step(meter);
}

static void check_summary(em_meter *meter)
{
    em_summary *summary = NULL, *again = NULL;
    char *text = NULL;
    size_t length = 0;
    insist(em_summary_create(meter, 0, &summary) == EM_OK);
    insist(em_summary_format(summary, EM_FORMAT_JSON, &text, &length) == EM_OK);
    insist(em_summary_parse(text, length, NULL, &again) == EM_OK);
    em_text_destroy(text);
    insist(em_summary_format(summary, EM_FORMAT_TEXT, &text, &length) == EM_OK);
    em_text_destroy(text);
    em_summary_destroy(again);
    em_summary_destroy(summary);
}

static void check_lists(em_meter *meter)
{
    for (int what = EM_SENSORS; what <= EM_DOCTOR; what++) {
        for (int format = EM_FORMAT_TEXT; format <= EM_FORMAT_JSON; format++) {
            char *text = NULL;
            insist(em_meter_format(meter, what, format, &text, NULL) == EM_OK && text[0]);
            em_text_destroy(text);
        }
    }
}

static void live(em__host *host, const tree *all, const char *gpus)
{
    em_options options;
    em_meter *meter = NULL;
    em_window window;
    em_result result = {.size = sizeof result};
    uint64_t now_ns = TICK;
    em_options_init(&options, sizeof options);
    options.gpus = gpus;
    int status = em__meter_create_on(host, &options, NULL, &meter);
    insist(status == EM_OK || status == EM_ERR_INVALID);
    if (status != EM_OK) {
        return;
    }
    insist(em_window_begin(meter, NULL, &window) == EM_OK);
    pass(host, meter, &now_ns);
    pass(host, meter, &now_ns);
    for (size_t i = 0; i < all->count; i += 2) {
        em__machine_remove(host, all->paths[i]);
    }
    pass(host, meter, &now_ns);
    insist(em_window_end(meter, window, &result) == EM_OK);
    insist(isfinite(result.total.energy_j) && result.total.energy_j >= 0 && result.duration_ns == 3 * TICK);
    check_lists(meter);
    check_summary(meter);
    em_meter_destroy(meter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    surroundings around;
    if (size < HEAD) {
        return 0;
    }
    size_t at = surround(data, size, &around);
    em__host *host = open_machine((uint16_t)(data[0] | data[1] << 8), &around);
    tree *all = calloc(1, sizeof *all);
    insist(all != NULL);
    all->host = host;
    host->ops->list(host, "/", visit, all);
    for (int i = 0; i < MOST_EDITS && at < size; i++) {
        at += edit(host, all, data + at, size - at);
    }
    em_error error = {.size = sizeof error};
    em__selection selection = {
        .measure = UINT32_MAX, .cpu_tdp_w = NAN, .gpu_tdp_w = NAN, .gpus = around.gpus, .error = &error};
    em__probe probe = {0};
    int status = em__sensors_probe(host, &selection, &probe);
    int may_refuse = strcmp(around.gpus, "visible") != 0 && strcmp(around.gpus, "all") != 0;
    insist(status == EM_OK || (status == EM_ERR_INVALID && error.text[0] && error.remedy[0] && may_refuse));
    resolve(&probe);
    read_all(&probe);
    if (data[3] < 128) {
        live(host, all, around.gpus);
    }
    read_all(&probe);
    em__sensors_free(&probe);
    for (size_t i = 0; i < all->count; i++) {
        free(all->paths[i]);
    }
    free(all);
    em__host_unref(host);
    return 0;
}
