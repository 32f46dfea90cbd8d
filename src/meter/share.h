/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Feeds the ledger with who used the CPUs: rarely, and never for more than 0.01 % of the time, unless somebody waits. */
#ifndef EM_METER_SHARE_H
#define EM_METER_SHARE_H

#include "energy_meter.h"
#include "sensors/cpu_time.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct {
    pthread_mutex_t lock;        /* of what follows; before the door */
    em__cpu_time_source *source; /* NULL: nothing tells */
    uint64_t read_ns, cost_ns;   /* of the last reading */
    uint64_t credit_ns;          /* what readings may still cost, as of read_ns */
    atomic_int is_asked;         /* somebody waits for what is final: read whatever it costs */
    int is_fresh;                /* a baseline was the last: descendants have not been looked for */
} em__share;

void em__share_init(em__share *share);
int em__share_open(em__share *share, em__host *host); /* EM_ERR_NO_MEMORY */
void em__share_close(em__share *share);               /* no reading from now on; twice is once */
void em__share_free(em__share *share);

/* After a round: reads if an edge waits and the readings so far leave time for it, or if a second has passed and they
 * leave some for edges too. The first
 * after a baseline looks for descendants. */
void em__share_step(em_meter *meter, uint64_t now_ns);
/* A pause ends: a new baseline. */
void em__share_begin(em_meter *meter);

#endif
