/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One division, where it means something. */
#include "metrics/share.h"

#include <math.h>

enum { LEAST_NS = 200000000, LEAST_BUSY_US = 200000, EDGES_PART = 10 };

/* CPU time is read rarely: far from any reading it is not known how much of it lies on which side of an edge. */
static int is_known(const em__sum *sum, uint64_t duration_ns)
{
    return (double)sum->edges_ns * EDGES_PART <= (double)duration_ns;
}

const char *em__share_unknown(const em__sum *process, const em__sum *busy, uint64_t duration_ns)
{
    if (duration_ns < LEAST_NS) {
        return "the window is shorter than 0.2 s, and CPU time is told in ticks of 10 ms";
    }
    if (process->gap_ns > 0 || busy->gap_ns > 0 || process->energy_uj < 0) {
        return "part of the window has no reading of CPU time: a suspend, or /proc/stat or /proc/self/stat is not there";
    }
    if (!is_known(process, duration_ns) || !is_known(busy, duration_ns)) {
        return "CPU time is read a few times a second at most: the next reading is yet to come (wait for the window), or "
               "readings were too far from the edges of so short a window";
    }
    return busy->energy_uj < LEAST_BUSY_US ? "all CPUs together were busy for less than 0.2 s" : NULL;
}

double em__share_of(const em__sum *process, const em__sum *busy, uint64_t duration_ns)
{
    if (em__share_unknown(process, busy, duration_ns)) {
        return NAN;
    }
    return process->energy_uj < busy->energy_uj ? (double)process->energy_uj / (double)busy->energy_uj : 1.0;
}
