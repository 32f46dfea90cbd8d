/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* How much of the machine's busy CPU time was this process's. */
#ifndef EM_METRICS_SHARE_H
#define EM_METRICS_SHARE_H

#include "windows/groups.h"

/* 0 … 1, of CPU times in µs, told to 10 ms. NAN where they cannot tell it: less than 0.2 s of time or of busy CPU time,
 * where one tick is 5 %; no reading in it, or a part of it without any; less than 20 s where an edge had to be guessed from
 * a reading that may be a second old. */
double em__share_of(const em__sum *process, const em__sum *busy, uint64_t duration_ns);
/* Why not; NULL: it is known. Static. */
const char *em__share_unknown(const em__sum *process, const em__sum *busy, uint64_t duration_ns);

#endif
