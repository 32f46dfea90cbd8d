/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What adds up between edges, per channel. Energy is exact; errors of edges that two intervals share cancel. */
#ifndef EM_WINDOWS_SUM_H
#define EM_WINDOWS_SUM_H

#include "timeline/timeline.h"

typedef struct {
    uint64_t t_ns; /* no edge yet: 0 */
    float error_uj, error_mw;
} em__tail;

/* Windows that follow each other closely: their inner edges cancel, but for what was between them. */
typedef struct {
    double inner_variance; /* µJ²; of all but the first and the last edge of the newest chain */
    em__tail first, last;
} em__chain;

typedef struct {
    int64_t energy_uj, counted_uj;
    uint64_t gap_ns, missing_ns;
    em__chain chain;
    double edge_variance; /* of the chain, µJ² */
    float edges_ns;       /* from all edges to the nearest points */
    float period_ns;      /* between updates, as known at the last end; 0: unknown */
    int is_period_seen;
    int is_counted; /* it entered the totals at an end of the window: what it is now does not matter */
    uint32_t updates;
    int32_t status; /* why something is missing; EM_OK: nothing is */
    uint64_t notes;
} em__sum;

/* What a channel gathers over a union of time. */
typedef struct {
    int64_t energy_uj, counted_uj;
    uint64_t gap_ns, missing_ns;
    em__chain chain;
} em__tally;

/* The sum of one window. */
void em__sum_between(const em__value *begin, const em__value *end, em__sum *ret_sum);
/* Adds a window between two settled edges, which did not begin before the one that was added last. */
void em__sum_add(em__sum *into, const em__value *begin, const em__value *end);

void em__tally_between(em__tally *into, const em__value *begin, const em__value *end);
void em__tally_add(em__tally *into, const em__tally *tally);

double em__chain_variance(const em__chain *chain);

#endif
