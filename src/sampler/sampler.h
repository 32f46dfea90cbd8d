/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One thread reads what is due, a second watches it and takes its place when a driver's call hangs. */
#ifndef EM_SAMPLER_SAMPLER_H
#define EM_SAMPLER_SAMPLER_H

#include "sampler/slot.h"

/* What goes back from the sampler, as arguments. Called by the sampling thread, never with the sampler's lock held. */
typedef struct {
    em__deliver deliver;
    void (*interrupt)(void *context, uint64_t t_ns, int32_t status); /* before a round: readings must not be joined */
    void (*retire)(void *context, em__slot *slot, uint64_t t_ns);    /* its call hung */
    uint64_t (*plan)(void *context, em__slot *slot, uint64_t now_ns,
                     uint64_t due_ns); /* when to read its fast channels next; may be NULL */
    /* Before a read: channels to read at their sparing interval, and those of them that an edge wants read; may be NULL */
    uint64_t (*spare)(void *context, em__slot *slot, uint64_t *ret_until_edge);
    int (*step)(void *context, uint64_t now_ns); /* after a round; 1: nothing to sample, park */
} em__sampler_calls;

typedef struct em__sampler em__sampler;

/* Parked at first. Holds the host and the slots. Without thread_start in the host's ops there are no threads, and the
 * owner calls em__sampler_tick. EM_ERR_NO_MEMORY, EM_ERR_SYSTEM. */
int em__sampler_create(em__host *host, em__slot *const *slots, size_t slot_count, uint64_t interval_ns,
                       const em__sampler_calls *calls, void *context, em__sampler **ret_sampler);

/* Stops the threads. A call that does not return within patience_ns is left to itself: its thread keeps its slot and
 * ends when it returns, and never calls back. Every other call on the sampler stays allowed. */
void em__sampler_stop(em__sampler *sampler, uint64_t patience_ns);
void em__sampler_destroy(em__sampler *sampler); /* stops too; NULL is ignored */

int em__sampler_has_thread(const em__sampler *sampler);
/* Leaves the pause: the first round is an interval after now_ns. */
void em__sampler_wake(em__sampler *sampler, uint64_t now_ns);
/* Asks for a round at once, of every channel that may be read at any time. */
void em__sampler_kick(em__sampler *sampler);
/* Asks for calls.step alone, soon. Not in a pause. */
void em__sampler_nudge(em__sampler *sampler);

/* One round: reads what is due at now_ns (is_forced: everything that may be read at any time). ticket: of the calling
 * thread, 0 for a caller that nobody watches. 0: the round was made; 1: a call hung so long that the thread was
 * replaced meanwhile: it must end at once, touching nothing. */
int em__sampler_tick(em__sampler *sampler, uint64_t now_ns, int is_forced, uint64_t ticket);
/* When the next device is due. */
uint64_t em__sampler_next_ns(const em__sampler *sampler);

#endif
