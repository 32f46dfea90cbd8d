/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A host around another one that counts what is opened, closed and listed, and offers a few perf events. */
#ifndef TESTS_SENSORS_COUNTING_HOST_H
#define TESTS_SENSORS_COUNTING_HOST_H

#include "platform/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    em__host base;
    em__host *inner;
    int opened, closed, listed, linked;
    char *chip_paths[4096]; /* what was opened or listed below the hwmon chips */
    size_t chip_count;
    int perf_error; /* negative: what a read of perf events answers */
} counting_host;

typedef struct {
    em__file base;
    em__file *inner;
} counting_file;

typedef struct {
    em__perf base;
    size_t count;
    uint64_t reads;
} counting_perf;

static inline em__host *inner_of(em__host *host)
{
    return ((counting_host *)host)->inner;
}

static inline void counting_destroy(em__host *host)
{
    em__host_unref(inner_of(host));
    em__host_free_environment(host);
    for (size_t i = 0; i < ((counting_host *)host)->chip_count; i++) {
        free(((counting_host *)host)->chip_paths[i]);
    }
    free(host);
}

static inline void note_chip_path(em__host *host, const char *path)
{
    counting_host *counting = (counting_host *)host;
    if (strncmp(path, "/sys/class/hwmon", 16) == 0 && counting->chip_count < 4096) {
        counting->chip_paths[counting->chip_count++] = strdup(path);
    }
}

static inline int counting_open(em__host *host, const char *path, em__file **ret_file)
{
    em__file *inner;
    note_chip_path(host, path);
    int error = inner_of(host)->ops->open(inner_of(host), path, &inner);
    if (error < 0) {
        return error;
    }
    counting_file *file = malloc(sizeof *file);
    if (!file) {
        abort();
    }
    *file = (counting_file){{host}, inner};
    ((counting_host *)host)->opened++;
    *ret_file = &file->base;
    return 0;
}

static inline int counting_read(em__file *file, char *buffer, size_t capacity)
{
    em__file *inner = ((counting_file *)file)->inner;
    return inner->host->ops->read(inner, buffer, capacity);
}

static inline void counting_close(em__file *file)
{
    em__file *inner = ((counting_file *)file)->inner;
    inner->host->ops->close(inner);
    ((counting_host *)file->host)->closed++;
    free(file);
}

static inline int counting_list(em__host *host, const char *path, int (*entry)(void *, const char *), void *context)
{
    ((counting_host *)host)->listed++;
    note_chip_path(host, path);
    return inner_of(host)->ops->list(inner_of(host), path, entry, context);
}

static inline int counting_link(em__host *host, const char *path, char *buffer, size_t capacity)
{
    ((counting_host *)host)->linked++;
    return inner_of(host)->ops->link(inner_of(host), path, buffer, capacity);
}

static inline uint64_t counting_monotonic(em__host *host)
{
    return inner_of(host)->ops->monotonic_ns(inner_of(host));
}

static inline int counting_perf_open(em__host *host, const em__perf_event *event, em__perf **ret_group)
{
    if (event->type != 31 || event->config > 5) {
        return -ENOENT;
    }
    counting_perf *group = malloc(sizeof *group);
    if (!group) {
        abort();
    }
    *group = (counting_perf){{host}, 1, 0};
    ((counting_host *)host)->opened++;
    *ret_group = &group->base;
    return 0;
}

static inline int counting_perf_join(em__perf *group, const em__perf_event *event)
{
    int is_known = event->type == 31 && event->config <= 5;
    ((counting_perf *)group)->count += is_known ? 1 : 0;
    return is_known ? 0 : -EINVAL;
}

static inline int counting_perf_read(em__perf *group, em__perf_counts *ret_counts)
{
    counting_perf *counted = (counting_perf *)group;
    em__perf_counts counts = {.running_ns = ++counted->reads};
    for (size_t i = 0; i < counted->count; i++) {
        counts.values[i] = counted->reads << (32 + i);
    }
    *ret_counts = counts;
    return ((counting_host *)group->host)->perf_error;
}

static inline void counting_perf_close(em__perf *group)
{
    ((counting_host *)group->host)->closed++;
    free(group);
}

static const em__host_ops counting_ops = {
    .destroy = counting_destroy,
    .open = counting_open,
    .read = counting_read,
    .close = counting_close,
    .list = counting_list,
    .link = counting_link,
    .monotonic_ns = counting_monotonic,
    .boottime_ns = counting_monotonic,
    .wall_ns = counting_monotonic,
    .perf_open = counting_perf_open,
    .perf_join = counting_perf_join,
    .perf_read = counting_perf_read,
    .perf_close = counting_perf_close,
};

/* Takes over the inner host's reference. */
static inline counting_host *count_on(em__host *inner)
{
    counting_host *host = calloc(1, sizeof *host);
    if (!host || em__host_init(&host->base, &counting_ops, NULL) < 0) {
        abort();
    }
    host->inner = inner;
    return host;
}

#endif
