/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* How much of the machine's busy CPU time was this process's. */
#ifndef EM_METRICS_SHARE_H
#define EM_METRICS_SHARE_H

#include <stdint.h>

/* 0 … 1, of CPU times in µs told to 10 ms; NAN where they cannot tell it: less than 0.2 s of time or of busy CPU time, where
 * one tick is 5 %, or gap_ns of the time without them. */
double em__share_of(int64_t process_us, int64_t busy_us, uint64_t gap_ns, uint64_t duration_ns);

#endif
