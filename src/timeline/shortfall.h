/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Finds out whether a board's counter falls short when it is read often (docs/measurement.md §3 rule 4): over stretches
 * under load, the counter is compared with its gauge, read at the sample interval and then once a second. While it rests
 * like that an edge of a window would be told by the gauge alone, so it rests between edges, and across them only where
 * they never leave it the time. Pure: the same readings and edges give the same verdict. */
#ifndef EM_TIMELINE_SHORTFALL_H
#define EM_TIMELINE_SHORTFALL_H

#include "timeline/counter.h"

/* What counter and gauge saw of the same time. Only ever compared. */
typedef struct {
    double counted_uj, gauge_uj;
    uint64_t elapsed_ns;
} em__stretch;

typedef enum {
    EM__SPARED_NEVER,
    EM__SPARED_UNTIL_EDGE, /* the next begin or end of a window wants it read at once */
    EM__SPARED_ALWAYS
} em__spared;

typedef struct {
    const em__channel *counter, *gauge; /* NULL: there is nothing to compare, or nothing to find out */
    em__counter count;
    uint64_t counted_ns;          /* the last reading of the counter */
    uint64_t power_ns, power_mw;  /* the last of the gauge */
    uint64_t begin_ns, paired_ns; /* of this stretch, 0: at the next pair of readings; its last pair */
    em__stretch now;              /* this stretch; elapsed_ns is not kept */
    uint32_t counts;              /* readings of the counter in it */
    em__stretch often;            /* the last at the sample interval; elapsed_ns 0: none that counts */
    em__stretch rested, rests;    /* once a second: whole seconds of this stretch, those before it */
    uint64_t rest_until_ns;       /* no comparison begins before */
    uint64_t rest_ns, retry_ns;   /* after one that found nothing, that told nothing */
    uint64_t waited_ns;           /* under load, for edges to leave it the time */
    uint64_t again_ns, pause_ns;  /* it does not rest before, since edges came too soon; and after the next time */
    uint64_t unseen_from_ns, unseen_until_ns; /* the newest long stretch without a reading, and an update after it */
    int is_sparing;                           /* this stretch is one at once a second */
    int is_forced;                            /* and goes on across edges */
    int short_count;                          /* how often running it was found short */
    int has_fallen;
} em__shortfall;

/* gauge may be NULL. Facts outlive it. */
void em__shortfall_init(em__shortfall *shortfall, const em__channel *counter, const em__channel *gauge);

/* Readings of counter and gauge in the order of time; of one look at the board, the counter's first. edge_ns: the last
 * begin or end of a window; 0: none. */
void em__shortfall_count(em__shortfall *shortfall, uint64_t t_ns, const em__reading *reading);
void em__shortfall_power(em__shortfall *shortfall, uint64_t t_ns, const em__reading *reading, uint64_t edge_ns);

/* What came before cannot be joined with what follows: a pause, a suspend. */
void em__shortfall_interrupt(em__shortfall *shortfall);

/* Whether the counter is to be read once a second from now on. */
em__spared em__shortfall_spared(const em__shortfall *shortfall, uint64_t edge_ns);
/* 1: at this time, before now and not long ago, it was read once a second. */
int em__shortfall_was_sparing(const em__shortfall *shortfall, uint64_t t_ns);

#endif
