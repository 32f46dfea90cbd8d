/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The ledger's numbers, frozen into a summary. */
#ifndef EM_LEDGER_SNAPSHOT_H
#define EM_LEDGER_SNAPSHOT_H

#include "ledger/ledger.h"
#include "metrics/summary.h"

/* What the meter knows beside the ledger. Strings are copied. */
typedef struct {
    const char *host, *boot_id;
    int64_t pid;
    uint64_t wall_offset_ns;      /* CLOCK_REALTIME - CLOCK_MONOTONIC */
    em_carbon carbon;             /* its numbers are those of the ledger's setup */
    const char *gpu_name;         /* of what was counted when the meter was created; NULL: no GPU */
    int has_cpu_tdp, has_gpu_tdp; /* given in the options */
    const uint64_t *costs_ns;     /* by channel */
    int gpu_shared;               /* 1, 0, -1: unknown */
    double overhead_limit;        /* NAN: unknown, as are the next two then */
    uint64_t caller_ns, lived_ns; /* inside begin, end and lap, of the time that passed */
} em__surroundings;

/* What has settled so far, up to the last settled edge. EM_ERR_NO_MEMORY. */
int em__ledger_snapshot(const em__ledger *ledger, const em__surroundings *around, em_summary **ret_summary);

#endif
