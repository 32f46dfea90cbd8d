/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A full track drops every second point and doubles its stride. */
#include "metrics/points.h"

void em__track_clear(em__track *track, uint64_t stride_ns)
{
    track->count = 0;
    track->stride_ns = stride_ns;
    track->next_ns = 0;
}

void em__track_add(em__track *track, uint64_t t_ns, int64_t energy_uj)
{
    if (t_ns < track->next_ns) {
        return;
    }
    if (track->count == EM__POINTS) {
        for (size_t i = 0; i < EM__POINTS / 2; i++) {
            track->points[i] = track->points[2 * i];
        }
        track->count = EM__POINTS / 2;
        track->stride_ns *= 2;
    }
    track->points[track->count++] = (em__track_point){t_ns, energy_uj};
    track->next_ns = t_ns + track->stride_ns;
}
