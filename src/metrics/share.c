/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One division, where it means something. */
#include "metrics/share.h"

#include <math.h>

enum { LEAST_NS = 200000000, LEAST_BUSY_US = 200000 };

double em__share_of(int64_t process_us, int64_t busy_us, uint64_t gap_ns, uint64_t duration_ns)
{
    if (gap_ns > 0 || duration_ns < LEAST_NS || busy_us < LEAST_BUSY_US || process_us < 0) {
        return NAN;
    }
    return process_us < busy_us ? (double)process_us / (double)busy_us : 1.0;
}
