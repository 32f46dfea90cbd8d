/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Finds out whether a board's counter falls short when it is read often (docs/measurement.md §3 rule 4): over stretches
 * under load, the counter is compared with its gauge, read at the sample interval and then once a second. Pure: the same
 * readings give the same verdict. */
#ifndef EM_TIMELINE_SHORTFALL_H
#define EM_TIMELINE_SHORTFALL_H

#include "timeline/counter.h"

typedef struct {
    double ratio;    /* counter / gauge */
    double power_mw; /* the gauge's mean */
} em__stretch;

typedef struct {
    const em__channel *counter, *gauge; /* NULL: there is nothing to compare, or nothing to find out */
    em__counter count;
    uint64_t counted_ns, counted_uj; /* at the last reading; uj since the stretch began */
    uint64_t power_ns, power_mw;     /* the last of the gauge */
    double gauge_uj;                 /* since the stretch began; only ever compared */
    uint64_t begin_ns;               /* of the stretch; 0: at the next pair of readings */
    uint32_t counts;                 /* readings of the counter in it */
    uint64_t rest_until_ns, rest_ns; /* no stretch at once a second begins before */
    em__stretch often;               /* the last at the sample interval */
    uint64_t spared_ns, until_ns;    /* the last stretch at once a second; until is far off while it lasts */
    int is_sparing;                  /* this stretch is one at once a second */
    int short_count;                 /* how often running it was found short */
    int has_fallen;
} em__shortfall;

/* gauge may be NULL. Facts outlive it. */
void em__shortfall_init(em__shortfall *shortfall, const em__channel *counter, const em__channel *gauge);

/* Readings of counter and gauge in the order of time; of one look at the board, the counter's first. */
void em__shortfall_count(em__shortfall *shortfall, uint64_t t_ns, const em__reading *reading);
void em__shortfall_power(em__shortfall *shortfall, uint64_t t_ns, const em__reading *reading);

/* What came before cannot be joined with what follows: a pause, a suspend. */
void em__shortfall_interrupt(em__shortfall *shortfall);

/* 1: the counter is to be read once a second from now on, for a while or for good. */
int em__shortfall_is_sparing(const em__shortfall *shortfall);
/* 1: at this time, before now and not long ago, it was read once a second. */
int em__shortfall_was_sparing(const em__shortfall *shortfall, uint64_t t_ns);

#endif
