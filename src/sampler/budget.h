/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The caller's time: a bucket that fills with a fraction of the time that passes, and from which begin and end pay
 * first for themselves and then for reads at their edges (docs/measurement.md §6 rule 2). Pure, and whole numbers. */
#ifndef EM_SAMPLER_BUDGET_H
#define EM_SAMPLER_BUDGET_H

#include <stdint.h>

enum {
    EM__BUDGET_ROUNDS = 10, /* the bucket never holds more readings of every sensor than this */
    EM__BUDGET_DEBT_S = 60  /* nor owes more than it gets in this time: an hour of windows that are too short to pay for
                               themselves is forgotten after a minute of longer ones, not after days */
};

typedef struct {
    uint64_t limit_ppb; /* of the time that passes; 0: nothing is ever paid */
    uint64_t remainder; /* what has flowed in beyond bucket_ns, in ns / 10⁹ */
    int64_t bucket_ns;  /* below 0: begin and end alone took more than their share */
    uint64_t round_ns;  /* what one reading of every sensor costs; 0: not known yet */
    uint64_t filled_ns; /* up to when */
} em__budget;

/* limit: 0 … 1, as a fraction. */
void em__budget_init(em__budget *budget, double limit, uint64_t now_ns);
/* One reading of every sensor costs this much; the first time, the bucket gets as much to begin with. */
void em__budget_set_round(em__budget *budget, uint64_t round_ns);
void em__budget_fill(em__budget *budget, uint64_t now_ns);
void em__budget_spend(em__budget *budget, int64_t spent_ns); /* below 0: less than was spent before */
int em__budget_covers(const em__budget *budget, uint64_t cost_ns);

#endif
