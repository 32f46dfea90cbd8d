/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reads a ledger's channels as the meter's own thread does: at the interval, or when the timeline asks for a reading, and
 * up to 80 µs late, since a thread wakes up late. */
#ifndef TESTS_RIG_SAMPLER_H
#define TESTS_RIG_SAMPLER_H

#include "rig/channel.h"

enum { RIG_READS = 1024 };

typedef struct {
    rig_ledger *rig;
    uint64_t now_ns; /* of the last reading */
    uint64_t due_ns, next_ns, every_ns;
    uint64_t counter_ns; /* when a counter beside a gauge is read next: once a second */
    int is_planned;      /* readings come when the timeline asks */
    int is_shaped;       /* the second channel is the gauge of the first */
    size_t read_count;
    uint64_t reads_ns[RIG_READS]; /* the newest, by number modulo RIG_READS */
} rig_sampler;

/* The first reading is due at begin_ns. */
rig_sampler rig_sampler_make(rig_ledger *rig, uint64_t begin_ns, uint64_t every_ns);
void rig_sampler_until(rig_sampler *sampler, uint64_t until_ns);

/* Reads on until the window, which has ended, is final, or for most_ns after its end. */
em_result rig_sampler_settle(rig_sampler *sampler, em_window window, uint64_t end_ns, uint64_t most_ns);

/* The readings around an instant, from and to; 0: they are no longer or not yet known. */
int rig_sampler_around(const rig_sampler *sampler, uint64_t t_ns, uint64_t *ret_from_ns, uint64_t *ret_to_ns);

#endif
