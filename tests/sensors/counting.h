/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A host that counts what is opened, listed and closed on the one inside it. */
#ifndef TESTS_SENSORS_COUNTING_H
#define TESTS_SENSORS_COUNTING_H

#include "probing.h"

typedef struct {
    em__host base;
    em__host *inner;
    int opened, closed, listed, linked;
    char *chip_paths[4096]; /* what was opened or listed below the chips */
    size_t chip_count;
} counting_host;

typedef struct {
    em__file base;
    em__file *inner;
} counting_file;

static inline em__host *inner_of(em__host *host)
{
    return ((counting_host *)host)->inner;
}

static void counting_destroy(em__host *host)
{
    em__host_unref(inner_of(host));
    em__host_free_environment(host);
    for (size_t i = 0; i < ((counting_host *)host)->chip_count; i++) {
        free(((counting_host *)host)->chip_paths[i]);
    }
    free(host);
}

static void note_chip_path(em__host *host, const char *path)
{
    counting_host *counting = (counting_host *)host;
    if (strncmp(path, "/sys/class/hwmon", 16) == 0 && counting->chip_count < 4096) {
        counting->chip_paths[counting->chip_count++] = strdup(path);
    }
}

static int counting_open(em__host *host, const char *path, em__file **ret_file)
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

static int counting_read(em__file *file, char *buffer, size_t capacity)
{
    em__file *inner = ((counting_file *)file)->inner;
    return inner->host->ops->read(inner, buffer, capacity);
}

static void counting_close(em__file *file)
{
    em__file *inner = ((counting_file *)file)->inner;
    inner->host->ops->close(inner);
    ((counting_host *)file->host)->closed++;
    free(file);
}

static int counting_list(em__host *host, const char *path, int (*entry)(void *, const char *), void *context)
{
    ((counting_host *)host)->listed++;
    note_chip_path(host, path);
    return inner_of(host)->ops->list(inner_of(host), path, entry, context);
}

static int counting_link(em__host *host, const char *path, char *buffer, size_t capacity)
{
    ((counting_host *)host)->linked++;
    return inner_of(host)->ops->link(inner_of(host), path, buffer, capacity);
}

static uint64_t counting_monotonic(em__host *host)
{
    return inner_of(host)->ops->monotonic_ns(inner_of(host));
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
