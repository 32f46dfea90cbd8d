/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One device under the sampler: its lock, schedule, cost, and who still holds it. */
#ifndef EM_SAMPLER_SLOT_H
#define EM_SAMPLER_SLOT_H

#include "sensors/sensor.h"

#include <pthread.h>
#include <stdatomic.h>

enum { EM__REVIVE_S = 60 };
#define EM__SLOT_GONE UINT64_MAX

typedef struct {
    atomic_int references; /* the meter's, and a stuck thread's */
    em__host *host;
    em__device *device;                  /* NULL once closed */
    size_t first_channel, channel_count; /* its channels follow each other */
    uint64_t interval_ns;                /* the device's: never read more often */
    uint64_t longest_ns;                 /* read at least as often, or a counter may go round unseen */
    pthread_mutex_t lock;                /* of the device; callers only try it */
    em__reading *readings;               /* under the lock */
    atomic_int is_wanted;                /* its channels' roles need it */
    atomic_int is_retired;               /* a call of it hung: nobody reads it any more */
    atomic_uint_fast64_t cost_ns;        /* of one read, smoothed; 0: none yet */
    atomic_uint_fast64_t ready_ns;       /* not to be read before, by whom ever; EM__SLOT_GONE: until it is revived */
    atomic_uint_fast64_t caller_ns;      /* since when a caller, not the sampler, reads it; 0: none does */
    uint64_t due_ns;                     /* the sampler's: on the grid of the sample interval */
    uint64_t next_ns;                    /* the sampler's: when it is read, near due_ns or before it */
    uint64_t gone_ns;                    /* the sampler's: when it was found gone; 0: it is there */
} em__slot;

/* Takes the device over, also on failure (then it is destroyed and the answer is NULL). */
em__slot *em__slot_create(em__host *host, em__device *device, size_t first_channel);
em__slot *em__slot_hold(em__slot *slot);
void em__slot_release(em__slot *slot); /* destroys the device with the last one; NULL is ignored */
void em__slot_close(em__slot *slot);   /* destroys the device now, unless a call of it hangs */

/* Every reading that the device gave, with the midpoint of the call. Called with the device's lock held. */
typedef void (*em__deliver)(void *context, em__slot *slot, uint64_t t_ns, const em__reading *readings);

/* Reads the device, whose lock the caller holds. ret_t_ns: the midpoint of the call. */
void em__slot_read(em__slot *slot, uint64_t *ret_t_ns);

/* When it is due next after a read at now_ns: on a fixed grid, missed turns left out. */
void em__slot_schedule(em__slot *slot, uint64_t now_ns, uint64_t interval_ns);

#endif
