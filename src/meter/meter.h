/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A meter: the host, its devices, the door to the ledger, and the sampler. */
#ifndef EM_METER_METER_H
#define EM_METER_METER_H

#include "ledger/snapshot.h"
#include "meter/share.h"
#include "meter/sharing.h"
#include "sampler/edge_read.h"
#include "sampler/sampler.h"

struct em__tape;
struct em__tracer;
struct em__lister;

struct em_meter {
    uint64_t generation; /* of the process that made it */
    em__host *host;
    struct em__tape
        *tape; /* the trace that is played in the place of a machine; NULL: none. Names of sensors lie there */
    em__absence *absences;
    size_t absence_count;
    em__container container;
    em__slot **slots;
    size_t slot_count;
    em__channel *facts; /* copies, so that they outlive the devices */
    const em__channel **fact_pointers;
    const char **sensors; /* by channel */
    int *ranks;
    size_t *slot_of; /* by channel */
    size_t channel_count;
    char *host_name, *boot_id, *gpu_name; /* NULL: unknown */
    uint64_t wall_offset_ns;              /* CLOCK_REALTIME - CLOCK_MONOTONIC at creation */
    em_carbon carbon;
    char *location; /* the copy that carbon has; NULL: none */
    int has_cpu_tdp, has_gpu_tdp;
    uint64_t interval_ns;
    em__sampler *sampler;
    struct em__tracer *tracer; /* NULL: no trace is written */
    struct em__lister *lister; /* NULL: windows are not listed */
    em__share share;
    em__sharing *sharing;

    pthread_mutex_t door;   /* of what follows; after devices; no read and no wait for a thread under it */
    pthread_cond_t settled; /* edges settled, a pause ended, or the meter was closed */
    em__ledger ledger;
    em__edge_reader edges;
    int is_parked, is_closed;
    int is_resuming; /* a caller reads everything, since a pause is over; others wait for it */
    int is_partial;  /* some were read and others not: what that made ready settles when all have been */
    double overhead_limit;
    uint64_t closed_ns; /* 0: it is open */
};

/* create.c: as em_meter_create, on a host that is there already; it takes a reference. NULL: opens options->root. */
int em__meter_create_on(em__host *host, const em_options *options, em_error *ret_error, em_meter **ret_meter);

/* door.c: the one way to the numbers. */
uint64_t em__meter_now(const em_meter *meter);
int em__door_check(const em_meter *meter); /* EM_OK, EM_ERR_INVALID (NULL), EM_ERR_FORKED */
void em__door_lock(em_meter *meter);
void em__door_unlock(em_meter *meter);
/* With the door locked: every event goes this way, into the trace too. What became ready settles, a little of it now,
 * but not after a reading. */
int em__door_apply(em_meter *meter, em__event *event);
/* The end of one window and the begin of the next at one edge, as one event: begin's time, kind, name and amount. */
int em__door_lap(em_meter *meter, const em__event *end, em__event *begin);
/* With the door unlocked: settles all that is ready, a little with each hold. */
void em__door_settle(em_meter *meter);

/* step.c: what the sampler gives back, and rounds without a thread. */
extern const em__sampler_calls em__meter_calls;
void em__meter_want(em_meter *meter); /* under the door: tells the slots which of them are read */
void em__meter_step(em_meter *meter); /* a round now, for meters without threads */
/* Both with the door locked, which they leave for a while. */
/* Ends a pause, if there is one: a new baseline of everything. 1: there was one. ret_mask: the slots that this call
 * has read. */
int em__meter_resume(em_meter *meter, uint64_t *ret_mask);
/* Reads what was chosen. The mask of what was read. */
uint64_t em__meter_read_edge(em_meter *meter, const em__edge_plan *plan, uint64_t now_ns);
/* Waits until the window (0: all that have ended) is final, at most timeout_ns; then pins. */
int em__meter_settle(em_meter *meter, em_window window, uint64_t timeout_ns);

/* list.c, with the door locked: what a summary says beside the numbers. */
em__surroundings em__meter_surroundings(em_meter *meter, const uint64_t *costs_ns, int gpu_shared);

/* close.c: all but the threads, which must have stopped or never begun. */
void em__meter_free(em_meter *meter);

/* overrule.c: what the option channels says of the channels found. EM_ERR_INVALID, EM_ERR_NO_MEMORY. */
int em__meter_overrule(em_meter *meter, const char *channels, em_error *error);

/* carbon.c: what the options say of the electricity; error is filled in. EM_ERR_INVALID. */
int em__carbon_choose(const em_options *options, em_error *error, em_carbon *ret_carbon);

/* options.c */
int em__options_check(const em_options *options, em_error *error);
__attribute__((format(printf, 4, 5))) int em__options_refuse(em_error *error, int status, const char *argument,
                                                             const char *text, ...);

/* A larger struct of the library's is cut to the caller's size, which stays in its first field. */
int em__answer(void *to, size_t size, const void *from, size_t full);

#endif
