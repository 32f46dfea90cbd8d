/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Sensors that answer and yet tell nothing, or not the truth: each is a note of the results that it weakens, no more. */
#ifndef EM_TIMELINE_CHECK_H
#define EM_TIMELINE_CHECK_H

#include "timeline/series.h"

enum { EM__CHECKS = 6 }; /* notes from EM_NOTE_UNMOVING on */

/* Which notes hold, and how often each began to: what held between two such states is in one or differs between them. */
typedef struct {
    uint8_t held; /* bit 0: EM_NOTE_UNMOVING */
    uint8_t rises[EM__CHECKS];
} em__findings;

typedef struct {
    em__findings findings;
    uint64_t raw, same_since_ns, stamp;
    uint32_t same_count; /* readings of this raw value; 0: none yet */
    /* Of a counter beside a gauge: where the comparison of the two began. */
    uint64_t pair_ns, pair_gap_ns;
    int64_t pair_counter_uj, pair_gauge_uj;
    /* Of a gauge that looks part of the time: how regularly edges come. */
    uint64_t edge_ns;
    double every_ns, off_ns; /* mean, and mean deviation from it */
    uint32_t edge_count;
} em__check;

/* EM_NOTE_BIT(…) of what held at a time or since. */
uint64_t em__check_notes(const em__findings *begin, const em__findings *end);

/* Its readings were interrupted: what was the same before proves nothing. */
void em__check_restart(em__check *check);

/* A good reading. power_mw: of another channel of the same silicon; 0: unknown. */
void em__check_reading(em__check *check, const em__channel *facts, uint64_t t_ns, const em__reading *reading,
                       uint64_t power_mw);

/* A counter has a new point, with the gauge of its board beside it. */
void em__check_pair(em__check *check, const em__series *counter, const em__series *gauge);

/* Somebody's loop made an edge, while this gauge looks part of the time only. */
void em__check_edge(em__check *check, const em__channel *facts, uint64_t t_ns);

#endif
