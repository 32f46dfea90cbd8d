/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A leaky bucket of nanoseconds. */
#include "sampler/budget.h"

#include "core/units.h"

#include <math.h>
#include <string.h>

enum { PPB = 1000000000 };

void em__budget_init(em__budget *budget, double limit, uint64_t now_ns)
{
    memset(budget, 0, sizeof *budget);
    budget->limit_ppb = (uint64_t)llround(limit * PPB);
    budget->filled_ns = now_ns;
}

void em__budget_set_round(em__budget *budget, uint64_t round_ns)
{
    if (budget->round_ns == 0) {
        budget->bucket_ns += (int64_t)round_ns;
    }
    budget->round_ns = round_ns ? round_ns : budget->round_ns;
}

void em__budget_fill(em__budget *budget, uint64_t now_ns)
{
    if (now_ns <= budget->filled_ns) {
        return; /* Another thread has come first. */
    }
    em__u128 inflow = (em__u128)(now_ns - budget->filled_ns) * budget->limit_ppb + budget->remainder;
    int64_t most_ns = (int64_t)(EM__BUDGET_ROUNDS * budget->round_ns);
    em__u128 room = budget->bucket_ns < most_ns ? (em__u128)(most_ns - budget->bucket_ns) : 0;
    budget->filled_ns = now_ns;
    if (inflow / PPB >= room) {
        budget->bucket_ns = most_ns;
        budget->remainder = 0;
        return;
    }
    budget->bucket_ns += (int64_t)(inflow / PPB);
    budget->remainder = (uint64_t)(inflow % PPB);
}

void em__budget_spend(em__budget *budget, int64_t spent_ns)
{
    int64_t least_ns = -(int64_t)(EM__BUDGET_DEBT_S * budget->limit_ppb); /* ppb of a second are ns */
    budget->bucket_ns -= spent_ns;
    budget->bucket_ns = budget->bucket_ns < least_ns ? least_ns : budget->bucket_ns;
}

int em__budget_covers(const em__budget *budget, uint64_t cost_ns)
{
    return budget->limit_ppb > 0 && budget->bucket_ns >= 0 && (uint64_t)budget->bucket_ns >= cost_ns;
}
