/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reads in a caller's thread, at the edges of windows: which devices the budget allows, and what all that begin and end
 * do costs their callers (docs/measurement.md §6 rule 2). */
#ifndef EM_SAMPLER_EDGE_READ_H
#define EM_SAMPLER_EDGE_READ_H

#include "sampler/budget.h"
#include "sampler/slot.h"

enum { EM__EDGE_SLOTS = 64 }; /* the slots that take part: a choice fits in a word, which the event keeps */

typedef enum { EM__EDGES_BY_BUDGET, EM__EDGES_ALWAYS, EM__EDGES_NEVER } em__edge_policy;

/* Under the owner's lock, but for owed_ns. */
typedef struct {
    em__host *host;
    em__slot *const *slots;
    size_t slot_count, order_count;
    unsigned char order[EM__EDGE_SLOTS]; /* cheapest first */
    em__edge_policy policy;
    em__budget budget;
    uint64_t unseen_ns;   /* of each call: what looking at the clock twice does not see of it */
    uint64_t since_ns;    /* from when on spent_ns counts */
    int64_t spent_ns;     /* by callers, in all, what is read just now included */
    atomic_llong owed_ns; /* by callers that have left since the last choice */
} em__edge_reader;

typedef struct {
    uint64_t mask;    /* bit i: slot i is to be read */
    uint64_t cost_ns; /* what the bucket has paid for it */
    size_t count;
    int is_whole; /* nothing else could be read */
    unsigned char chosen[EM__EDGE_SLOTS];
} em__edge_plan;

/* host and slots stay the caller's and outlive it. limit: 0 … 1, of the time that passes; 0 is never. */
void em__edge_init(em__edge_reader *reader, em__host *host, em__slot *const *slots, size_t slot_count, double limit,
                   em__edge_policy policy);

/* Around all that one begin, end or lap does; without the lock. enter_ns: the clock when it was called. plan may be
 * NULL. */
void em__edge_leave(em__edge_reader *reader, uint64_t enter_ns, const em__edge_plan *plan);

/* Everything has just been read: now it is known what a round costs. */
void em__edge_learn(em__edge_reader *reader);
/* is_begin: costs may have changed the order, which the end of that window then keeps. */
void em__edge_choose(em__edge_reader *reader, uint64_t now_ns, int is_begin, em__edge_plan *ret_plan);

/* Without the lock: reads what was chosen but devices that somebody else holds. The mask of what was read. */
uint64_t em__edge_read(em__edge_reader *reader, const em__edge_plan *plan, uint64_t now_ns, em__deliver deliver,
                       void *context);
/* The same for one slot and any reason; is_whole: with the channels that may not be read at any time. now_ns becomes the
 * time of the reading. 1: it was read and delivered. */
int em__edge_read_slot(em__slot *slot, int is_whole, uint64_t *now_ns, em__deliver deliver, void *context);

/* Callers' time since creation or the last restart. */
uint64_t em__edge_spent_ns(em__edge_reader *reader);
void em__edge_restart(em__edge_reader *reader, uint64_t now_ns);

#endif
