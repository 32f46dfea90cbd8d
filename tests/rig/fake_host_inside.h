/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The inside of the rig's machine, shared by its files (fake_host.c) and its perf events (fake_perf.c). */
#ifndef TESTS_RIG_FAKE_HOST_INSIDE_H
#define TESTS_RIG_FAKE_HOST_INSIDE_H

#include "rig/fake_host.h"

#include <pthread.h>
#include <stdlib.h>

enum { MOST_ZONES = 16, PATH_BYTES = 128 };

typedef struct {
    char path[PATH_BYTES]; /* of what moves */
    rig_source source;
    uint64_t cost_ns, reads;
    int cpus; /* of /proc/stat: the source's wave is a utilisation; 0: a counter */
    int is_blocked;
    int is_event; /* a perf event: its path is no file's */
    em__perf_event event;
    int counts_64; /* in 2^-32 J, as the kernel does */
} rig_moving;

struct rig_host {
    em__host base;
    em__host *still;
    int is_live;
    pthread_mutex_t lock; /* of what follows; never held in a call of still */
    pthread_cond_t changed;
    uint64_t now_ns, asleep_ns, clock_cost_ns;
    rig_moving zones[MOST_ZONES];
    size_t zone_count;
    int blocked, threads;
    int perf_error;
};

static inline void must(int holds)
{
    if (!holds) {
        abort();
    }
}

/* The negative errno that a fault means. */
int rig_inside_error(const rig_fault *fault);
/* Counts a read of what moves, lets the driven clock go on by its cost, and waits as long as it is blocked. */
void rig_inside_pay(rig_host *rig, rig_moving *zone);
/* From now on the host offers perf events. */
void rig_inside_offer_events(rig_host *rig);

int rig_perf_open(em__host *host, const em__perf_event *event, em__perf **ret_group);
int rig_perf_join(em__perf *group, const em__perf_event *event);
int rig_perf_read(em__perf *group, em__perf_counts *ret_counts);
void rig_perf_close(em__perf *group);

#endif
