/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a summary knows beside its groups and channels. Constant, and owned by the summary. */
#ifndef EM_METRICS_FACTS_H
#define EM_METRICS_FACTS_H

#include "energy_meter.h"

#include <stddef.h>
#include <stdint.h>

/* A thermal design power that a model used. */
typedef struct {
    double each_w,
        count;        /* of one CPU or GPU (boards of different limits: the mean), and how many (a fraction in a VM);
                             each_w NAN: no such model */
    const char *from; /* "cpu_tdp_w", "default for a laptop" … */
} em__summary_tdp;

typedef struct {
    uint64_t t_ns;   /* CLOCK_MONOTONIC */
    double energy_j; /* since begin_ns, what of it entered the total */
} em__summary_point;

/* From … to, CLOCK_MONOTONIC. */
typedef struct {
    uint64_t from_ns, to_ns;
} em__summary_span;

/* One for each channel. */
typedef struct {
    double counted_j;                /* what of its energy entered the run's total; NAN: it never did */
    const em__summary_point *points; /* both ends included; EM__POINTS and 2 at most, but of what was read */
    size_t point_count;
    const em__summary_span
        *spans; /* of what was merged: when it was measured; NULL: from its first point to its last */
    size_t span_count;
    const char *host, *boot_id; /* of a summary of several boots: the device's; NULL: the summary's own */
} em__summary_device;

/* What measuring cost, as em_overhead. */
typedef struct {
    double fraction, limit, caller_s; /* NAN: unknown */
    double sync_s;
} em__summary_overhead;

/* What the run's total lacks. */
typedef struct {
    const char *channel, *reason;
} em__summary_missing;

/* A process whose summary was merged into this one. */
typedef struct {
    const char *host, *boot_id; /* NULL: unknown */
    int64_t pid;
    uint64_t begin_ns, end_ns;
    uint64_t begin_wall_ns; /* 0: unknown */
    uint64_t run_ns;        /* the run's length, without what it left out; 0: it measured nothing */
} em__summary_rank;

typedef struct {
    const char *host, *boot_id; /* NULL: unknown, or several */
    int64_t pid;                /* of several: -1 */
    uint64_t begin_ns, end_ns;  /* of the run, CLOCK_MONOTONIC */
    uint64_t begin_wall_ns;     /* the wall clock at begin_ns, since 1970 in UTC */
    em_carbon carbon;
    double price_per_kwh, embodied_kg, lifetime_years;   /* NAN: not given, or several */
    const char *device, *gpu_name;                       /* "cpu" or "gpu"; NULL without a GPU */
    double in_epochs_j, in_batches_j, outside_windows_j; /* over unions of time */
    em__summary_tdp tdp_cpu, tdp_gpu;
    const char *tdp_unused[2]; /* "cpu_tdp_w": given for what is measured */
    size_t tdp_unused_count;
    em__summary_overhead overhead;
    int run_is_complete, run_is_final;
    int gpu_shared; /* another process holds a counted GPU: 1, 0; -1: unknown */
    const em__summary_missing *missing;
    size_t missing_count;
    const em__summary_device *devices; /* by channel */
    const em__summary_rank *ranks;     /* whom it was merged from */
    size_t rank_count;                 /* 0: it is one process's own */
    int unions_are_unknown;            /* in_epochs_j and its like cannot be told */
} em__summary_facts;

#endif
