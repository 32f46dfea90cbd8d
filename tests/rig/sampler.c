/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* When to read, and reading. */
#include "rig/sampler.h"

#include "rig/random.h"

#define S UINT64_C(1000000000)

enum { LATE_NS = 80000 };

rig_sampler rig_sampler_make(rig_ledger *rig, uint64_t begin_ns, uint64_t every_ns)
{
    return (rig_sampler){.rig = rig, .due_ns = begin_ns, .next_ns = begin_ns, .every_ns = every_ns, .is_planned = 1};
}

static void read_device(rig_sampler *at, uint64_t read_ns)
{
    if (!at->is_shaped || read_ns >= at->counter_ns) {
        rig_ledger_read(at->rig, 0, read_ns);
        at->counter_ns += at->is_shaped ? S : 0;
    }
    if (at->is_shaped) {
        rig_ledger_read(at->rig, 1, read_ns);
    }
    at->reads_ns[at->read_count++ % RIG_READS] = read_ns;
    at->now_ns = read_ns;
}

void rig_sampler_until(rig_sampler *at, uint64_t until_ns)
{
    while (at->next_ns <= until_ns) {
        uint64_t read_ns = at->next_ns + rig_random_below(LATE_NS);
        read_device(at, read_ns);
        if (read_ns + at->every_ns / 4 >= at->due_ns) {
            at->due_ns += ((read_ns > at->due_ns ? read_ns - at->due_ns : 0) / at->every_ns + 1) * at->every_ns;
        }
        at->next_ns =
            at->is_planned ? em__timeline_plan(&at->rig->ledger.timeline, 0, read_ns, at->due_ns) : at->due_ns;
    }
}

em_result rig_sampler_settle(rig_sampler *at, em_window window, uint64_t end_ns, uint64_t most_ns)
{
    em_result result;
    uint64_t settle_ns = end_ns;
    do {
        settle_ns += at->every_ns;
        rig_sampler_until(at, settle_ns);
        result = rig_ledger_result(at->rig, window, at->now_ns, NULL);
    } while (!result.is_final && settle_ns < end_ns + most_ns);
    return result;
}

int rig_sampler_around(const rig_sampler *at, uint64_t t_ns, uint64_t *ret_from_ns, uint64_t *ret_to_ns)
{
    size_t oldest = at->read_count > RIG_READS ? at->read_count - RIG_READS : 0;
    for (size_t i = at->read_count; i > oldest + 1; i--) {
        uint64_t from_ns = at->reads_ns[(i - 2) % RIG_READS], to_ns = at->reads_ns[(i - 1) % RIG_READS];
        if (from_ns <= t_ns && t_ns < to_ns) {
            *ret_from_ns = from_ns;
            *ret_to_ns = to_ns;
            return 1;
        }
    }
    return 0;
}
