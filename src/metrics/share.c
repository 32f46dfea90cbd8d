/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One division, where it means something. */
#include "metrics/share.h"

#include <math.h>

enum { LEAST_NS = 200000000, LEAST_BUSY_US = 200000, EDGES_PART = 10 };

/* CPU time is read rarely: far from any reading it is not known how much of it lies on which side of an edge. */
static int is_known(const em__sum *sum, uint64_t duration_ns)
{
    return sum->gap_ns == 0 && (double)sum->edges_ns * EDGES_PART <= (double)duration_ns;
}

double em__share_of(const em__sum *process, const em__sum *busy, uint64_t duration_ns)
{
    if (!is_known(process, duration_ns) || !is_known(busy, duration_ns) || duration_ns < LEAST_NS ||
        busy->energy_uj < LEAST_BUSY_US || process->energy_uj < 0) {
        return NAN;
    }
    return process->energy_uj < busy->energy_uj ? (double)process->energy_uj / (double)busy->energy_uj : 1.0;
}
