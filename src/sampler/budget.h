/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The caller's time: a bucket that fills with a fraction of the time that passes, and from which begin and end pay
 * first for themselves and then for reads at their edges (docs/measurement.md §6 rule 2). Pure. */
#ifndef EM_SAMPLER_BUDGET_H
#define EM_SAMPLER_BUDGET_H

#include <stdint.h>

typedef struct {
    double limit;      /* fraction of the time that passes */
    double bucket_ns;  /* may be below 0 by the meter's own time */
    double round_ns;   /* what one reading of every sensor costs */
    uint64_t filled_ns; /* up to when it was filled; 0: never */
    uint64_t spent_ns; /* in all */
} em__budget;

void em__budget_init(em__budget *budget, double limit);
/* One reading of every sensor costs this much; the bucket begins with one and holds ten at most. */
void em__budget_set_round(em__budget *budget, uint64_t round_ns);
void em__budget_fill(em__budget *budget, uint64_t now_ns);
void em__budget_spend(em__budget *budget, uint64_t spent_ns);
int em__budget_covers(const em__budget *budget, uint64_t cost_ns);

#endif
