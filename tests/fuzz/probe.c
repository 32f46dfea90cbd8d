/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The whole probe over mutated machines: whatever a tree holds, sensors find facts that roles can decide about, and all can
 * be read. An input is a machine's number, and edits of its files. */
#include "core/text.h"
#include "energy_meter.h"
#include "metrics/roles.h"
#include "platform/machine.h"
#include "sensors/sensor.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MACHINES = 256, MOST_PATHS = 1024, MOST_EDITS = 64, MOST_DEPTH = 24 };

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

static em__host *open_machine(uint8_t number, int as_user)
{
    static char *names[MOST_MACHINES];
    static size_t count;
    char path[4096];
    em__host *host = NULL;
    count = count ? count : list_machines(names);
    snprintf(path, sizeof path, "%s/%s", EM_TEST_MACHINES, names[number % count]);
    insist(em__host_open(path, as_user, NULL, NULL, 0, &host) == 0);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    em__host *host = open_machine(data[0], size % 2);
    tree *all = calloc(1, sizeof *all);
    insist(all != NULL);
    all->host = host;
    host->ops->list(host, "/", visit, all);
    size_t at = 1;
    for (int i = 0; i < MOST_EDITS && at < size; i++) {
        at += edit(host, all, data + at, size - at);
    }
    em_error error = {.size = sizeof error};
    em__selection selection = {
        .measure = UINT32_MAX, .cpu_tdp_w = NAN, .gpu_tdp_w = NAN, .gpus = "visible", .error = &error};
    em__probe probe = {0};
    insist(em__sensors_probe(host, &selection, &probe) == EM_OK);
    resolve(&probe);
    read_all(&probe);
    for (size_t i = 0; i < all->count; i += 2) {
        em__machine_remove(host, all->paths[i]);
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
