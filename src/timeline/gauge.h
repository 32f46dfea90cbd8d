/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What sampled power may miss (docs/measurement.md §7): between two readings, and at an edge. */
#ifndef EM_TIMELINE_GAUGE_H
#define EM_TIMELINE_GAUGE_H

#include "timeline/series.h"

/* The first reading after a gap: the next one is compared with it. */
void em__gauge_begin(em__lessons *lessons, uint64_t t_ns, uint64_t power_mw);
void em__gauge_learn(em__lessons *lessons, const em__channel *facts, uint64_t t_ns, uint64_t power_mw);

/* Variance of the energy between two readings. */
double em__gauge_spread_uj2(const em__series *series, const em__point *from, const em__point *to);

/* At an edge where the gauge shows this power. */
em__doubt em__gauge_doubt(const em__lessons *lessons, const em__channel *facts, double power_mw);

#endif
