/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* All channels' series and the edges that wait for them. An edge is one end of a window: a time, and each channel's
 * growing numbers at it. It settles when every counted channel has a point after it. Edges settle in the order of time. */
#ifndef EM_TIMELINE_TIMELINE_H
#define EM_TIMELINE_TIMELINE_H

#include "timeline/check.h"
#include "timeline/shape.h"

#include <stddef.h>

enum {
    EM__VALUE_AWAITED = 1, /* the edge does not settle without it */
    EM__VALUE_PINNED = 2,  /* an estimate that was kept */
    EM__VALUE_FILLED = 4,
    EM__VALUE_PERIOD_SEEN = 8, /* period_ns is measured, not documented */
    EM__VALUE_COUNTED = 16,    /* the channel entered the totals when the edge settled */
    EM__VALUE_SPARED = 64,     /* its counter was read once a second then, though it need not be */
    EM__VALUE_SHORT = 128      /* and was found to fall short */
};

typedef struct {
    uint64_t t_ns;
    int64_t energy_uj;
    int64_t counted_uj; /* what of it entered the total so far; set when the edge settles */
    uint64_t gap_ns;
    uint64_t missing_ns; /* what of it should have been measured; set when the edge settles */
    double spread_uj2;   /* variance so far: what the energy up to here may be off beside the edge itself */
    float error_uj;      /* one standard deviation of the edge itself: too much before it is too little after */
    float error_mw;      /* of the power there: edges that are close are off alike; 0: unknown */
    float distance_ns;   /* to the nearest point */
    float period_ns;     /* between updates, as known when the edge settled; 0: unknown */
    uint32_t updates;
    int16_t status; /* of the latest gap */
    uint8_t flags;
    em__findings findings;
} em__value;

typedef struct em__edge {
    uint64_t t_ns;
    struct em__edge *next;                             /* in the queue, or in the pool */
    struct em__edge *older;                            /* the one that was allocated before it */
    void *ended, *begun;                               /* the ledger's: what ends and what begins here */
    int (*task)(void *context, struct em__edge *edge); /* the ledger's: what else happens when it settles */
    uint32_t references, awaited;
    int is_settled;
    em__value values[];
} em__edge;

typedef struct {
    size_t channel_count;
    em__series *series;
    em__check *checks;
    em__shape **shapes; /* by gauge: of the counter that it shapes; NULL: none */
    unsigned char *is_counted;
    unsigned char *is_needed; /* a gap in it leaves the total incomplete */
    unsigned char *is_active; /* its device is read */
    em__edge **unfilled;      /* per channel: the first edge in the queue that lacks its value */
    em__edge *head, *tail;    /* unsettled edges */
    em__edge *latest;         /* the last that settled */
    em__edge *pool;
    em__edge *youngest; /* of all edges that were allocated */
    uint64_t patience_ns;
} em__timeline;

/* facts: channel_count pointers that outlive the timeline. EM_ERR_NO_MEMORY. */
int em__timeline_init(em__timeline *timeline, const em__channel *const *facts, size_t channel_count);
void em__timeline_free(em__timeline *timeline); /* with all its edges, whoever still holds them */

/* From now on somebody asks for every channel: a window begins. */
void em__timeline_expect(em__timeline *timeline);

/* A new edge at the end of the queue, later than all before it or at the same time; one reference for the caller.
 * NULL: no memory. */
em__edge *em__timeline_mark(em__timeline *timeline, uint64_t t_ns);
em__edge *em__edge_hold(em__edge *edge);
uint64_t em__timeline_edge_ns(const em__timeline *timeline);       /* of the newest edge; 0: there was none */
void em__timeline_release(em__timeline *timeline, em__edge *edge); /* NULL is ignored */

em__added em__timeline_add(em__timeline *timeline, size_t channel, uint64_t t_ns, const em__reading *reading);
/* Between two updates of a channel: as seen, or else as documented; 0: unknown. */
uint64_t em__timeline_period_ns(const em__timeline *timeline, size_t channel, int *ret_is_seen);
/* When this channel is best read next, instead of when it is due. */
uint64_t em__timeline_plan(const em__timeline *timeline, size_t channel, uint64_t now_ns, uint64_t due_ns);
void em__timeline_end(em__timeline *timeline, size_t channel, int32_t status);

/* The next edge of the queue if it has settled, taken out; the caller gets a reference. NULL: none has. */
em__edge *em__timeline_settle(em__timeline *timeline);

/* Every edge up to and with this one gets what it lacks from estimates, and so can be settled now. */
void em__timeline_pin(em__timeline *timeline, const em__edge *edge);

/* One channel's numbers at an edge: final if it is settled, else as far as is known. */
em__value em__timeline_value(const em__timeline *timeline, const em__edge *edge, size_t channel);
/* The same for a time that is not before the last edge of the queue. */
em__value em__timeline_now(const em__timeline *timeline, uint64_t t_ns, size_t channel);

#endif
