/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One device under the sampler: its lock, schedule, cost, and who still holds it. */
#ifndef EM_SAMPLER_SLOT_H
#define EM_SAMPLER_SLOT_H

#include "sensors/sensor.h"

#include <pthread.h>
#include <stdatomic.h>

enum { EM__REVIVE_S = 60 };

/* Channels that are read together, as bits, and when. */
typedef struct {
    uint64_t channels;
    uint64_t due_ns;  /* on the grid of their interval */
    uint64_t next_ns; /* near due_ns or before it */
} em__turn;

typedef struct {
    atomic_int references; /* the meter's, and a stuck thread's */
    em__host *host;
    em__device *device;                  /* NULL once closed */
    size_t first_channel, channel_count; /* its channels follow each other */
    uint64_t slow_interval_ns;           /* of its slow channels: never read more often */
    uint64_t spared;                     /* channels that are slow for now, though they may be read at any time, */
    uint64_t until_edge;                 /* and those of them that callers read at edges */
    uint64_t slow_key;                   /* what meters of one process know it by; 0: they share no turns */
    int has_turn;                        /* slow.next_ns is a turn that it got and has not used */
    uint64_t longest_ns;                 /* read at least as often, or a counter may go round unseen */
    pthread_mutex_t lock;                /* of the device; callers only try it */
    em__reading *readings;               /* under the lock */
    atomic_int is_wanted;                /* its channels' roles need it */
    atomic_int is_retired;               /* a call of it hung: nobody reads it any more */
    atomic_uint_fast64_t cost_ns;        /* of one read, smoothed; 0: none yet */
    em__turn fast, slow;                 /* channels that may be read at any time, and the others; under the lock */
    atomic_int is_quick;                 /* there are some of the first kind */
    uint64_t gone;                       /* channels that were gone when they were read last; under the lock */
    atomic_int is_gone;                  /* all were: not to be read before it is revived */
    atomic_uint_fast64_t caller_ns;      /* since when a caller, not the sampler, reads it; 0: none does */
    uint64_t gone_ns;                    /* the sampler's: when it was found gone; 0: it is there */
} em__slot;

/* Takes the device over, also on failure (then it is destroyed and the answer is NULL). */
em__slot *em__slot_create(em__host *host, em__device *device, size_t first_channel);
em__slot *em__slot_hold(em__slot *slot);
void em__slot_release(em__slot *slot); /* destroys the device with the last one; NULL is ignored */
void em__slot_close(em__slot *slot);   /* destroys the device now, unless a call of it hangs */

/* What the device gave, with the midpoint of the call: EM__READ_NONE for channels that were not asked for. Called with the
 * device's lock held. */
typedef void (*em__deliver)(void *context, em__slot *slot, uint64_t t_ns, const em__reading *readings);

/* Reads these channels of the device, whose lock the caller holds. ret_t_ns: the midpoint of the call. */
void em__slot_read(em__slot *slot, uint64_t wanted, uint64_t *ret_t_ns);

/* The channels that are due at now_ns; 0: none. is_forced: also those that may be read at any time. The slow ones join a
 * read of the others that is about as late. */
uint64_t em__slot_due(const em__slot *slot, uint64_t now_ns, uint64_t interval_ns, int is_forced);
uint64_t em__slot_next_ns(const em__slot *slot);

/* When channels that were read at now_ns are due next: on a fixed grid, missed turns left out. */
void em__slot_schedule(em__slot *slot, uint64_t read, uint64_t now_ns, uint64_t interval_ns);
/* Reads these, and those that must be, at their sparing interval; the others at any time. until_edge: some of them, which
 * callers read at edges all the same. With the device's lock held, by the sampler. */
void em__slot_spare(em__slot *slot, uint64_t channels, uint64_t until_edge);
/* All of them were read at now_ns, whether it was their turn or not. */
void em__slot_restart(em__slot *slot, uint64_t now_ns, uint64_t interval_ns);

#endif
