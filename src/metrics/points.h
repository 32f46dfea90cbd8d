/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* At most 64 points of one channel's energy over the run, thinned as it grows, so that runs can be merged later. */
#ifndef EM_METRICS_POINTS_H
#define EM_METRICS_POINTS_H

#include <stddef.h>
#include <stdint.h>

enum { EM__POINTS = 62 }; /* and both ends */

typedef struct {
    uint64_t t_ns;
    int64_t energy_uj;
} em__track_point;

typedef struct {
    size_t count;
    uint64_t stride_ns, next_ns;
    em__track_point points[EM__POINTS];
} em__track;

void em__track_clear(em__track *track, uint64_t stride_ns);
void em__track_add(em__track *track, uint64_t t_ns, int64_t energy_uj);

#endif
