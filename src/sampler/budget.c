/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A leaky bucket of nanoseconds. */
#include "sampler/budget.h"

#include <string.h>

enum { MOST_ROUNDS = 10 };

void em__budget_init(em__budget *budget, double limit)
{
    memset(budget, 0, sizeof *budget);
    budget->limit = limit;
}

void em__budget_set_round(em__budget *budget, uint64_t round_ns)
{
    if (budget->round_ns == 0) {
        budget->bucket_ns += (double)round_ns;
    }
    budget->round_ns = (double)round_ns;
}

void em__budget_fill(em__budget *budget, uint64_t now_ns)
{
    if (budget->filled_ns && now_ns > budget->filled_ns) {
        budget->bucket_ns += (double)(now_ns - budget->filled_ns) * budget->limit;
        double most_ns = MOST_ROUNDS * budget->round_ns;
        budget->bucket_ns = budget->bucket_ns > most_ns ? most_ns : budget->bucket_ns;
    }
    budget->filled_ns = now_ns;
}

void em__budget_spend(em__budget *budget, uint64_t spent_ns)
{
    budget->bucket_ns -= (double)spent_ns;
    budget->spent_ns += spent_ns;
}

int em__budget_covers(const em__budget *budget, uint64_t cost_ns)
{
    return budget->bucket_ns >= (double)cost_ns;
}
