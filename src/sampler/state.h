/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The sampler's inside, shared by its round (tick.c) and its threads (thread.c). */
#ifndef EM_SAMPLER_STATE_H
#define EM_SAMPLER_STATE_H

#include "sampler/sampler.h"

struct em__sampler {
    atomic_int references; /* the owner's and each thread's */
    em__host *host;
    em__slot **slots;
    size_t slot_count;
    uint64_t interval_ns;
    em__sampler_calls calls;
    void *context;
    uint64_t asleep_ns; /* CLOCK_BOOTTIME - CLOCK_MONOTONIC at the last round */
    int has_thread;

    pthread_mutex_t lock; /* of what follows; never held in a read or in a call back */
    pthread_cond_t changed;
    uint64_t ticket;   /* of the thread that samples now; another's is void */
    em__slot *reading; /* what that thread reads right now */
    uint64_t reading_since_ns;
    uint64_t wakes; /* grows with each wake, so that a pause decided before one does not begin after it */
    int thread_count, is_parked, is_kicked, is_nudged, is_stopped;
};

void em__sampler_release(em__sampler *sampler);
uint64_t em__sampler_asleep_ns(em__host *host);           /* time in suspend since boot */
uint64_t em__sampler_hang_ns(const em__sampler *sampler); /* a call that takes as long hangs */
int em__sampler_start_threads(em__sampler *sampler);

#endif
