/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Merging summaries: what its files share. */
#ifndef EM_METRICS_MERGE_H
#define EM_METRICS_MERGE_H

#include "metrics/pool.h"
#include "metrics/summary.h"

typedef struct {
    const em_summary *summary;
    size_t boot; /* the first part of the same boot */
    uint64_t begin_ns, end_ns;
    char who[96]; /* "pid 4711 on node-7" */
} em__part;

/* One channel of one part. */
typedef struct {
    size_t part, channel, boot;
    const char *key; /* what is the same silicon on one boot: a UUID, or a name */
    size_t key_length;
} em__view_of;

/* One device: views[first] … views[first + count - 1]. */
typedef struct {
    size_t first, count, boot;
    const char *name;
    em__pooled pooled;
    double carbon_g, cost;
} em__silicon;

typedef struct {
    em__part *parts;
    size_t count;
    em__view_of *views;
    size_t view_count;
    em__silicon *silicons;
    size_t silicon_count;
    char *is_shared; /* by part: another measured a device of it at the same time */
    int has_shared;
    size_t boot_count; /* that measured anything */
    em_summary *summary;
    em_error *error;
} em__merge;

int em__merge_refuse(const em__merge *merge, size_t part, const char *remedy, const char *text, ...)
    __attribute__((format(printf, 4, 5)));

/* Energy of every silicon, its points and reasons, into the summary's channels. */
int em__merge_devices(em__merge *merge);
/* Windows of the same kind and name. */
int em__merge_groups(em__merge *merge);
size_t em__merge_group_limit(const em__merge *merge);
int em__merge_facts(em__merge *merge);
int em__merge_carbon(em__merge *merge);
/* A part that measured nothing, as a disabled meter, has no say. */
int em__merge_is_idle(const em__merge *merge, size_t part);

typedef struct {
    uint64_t begin_ns, end_ns, run_ns;
} em__stretch;
/* What all runs together lasted, which it sorts. A run that lies apart may have left out time between its windows. */
uint64_t em__merge_length(em__stretch *runs, size_t count);

#endif
