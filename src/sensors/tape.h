/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the channels of a trace read, in memory: what the sensor replay plays. Nothing in it changes once it is played. */
#ifndef EM_SENSORS_TAPE_H
#define EM_SENSORS_TAPE_H

#include "core/channel.h"

#include <stddef.h>

enum { EM__TAPE_READINGS = 1 << 22 /* of all channels: 100 MiB */ };

typedef struct {
    uint64_t t_ns, value;
    em__outcome outcome;
    int32_t status;
} em__tape_reading;

typedef struct {
    em__channel facts;
    char sensor[EM__NAME_SIZE]; /* that read it */
    int rank;
    em__tape_reading *readings; /* in the order of time */
    size_t count, capacity;
    uint64_t apart_ns; /* the median time between two of them; 0: there are not two */
} em__tape_channel;

typedef struct em__tape {
    int references; /* atomic */
    em__tape_channel *channels;
    size_t channel_count, reading_count;
    uint64_t begin_ns, end_ns; /* of its first and last reading */
    char *host;                /* where it was recorded; NULL: unknown */
} em__tape;

em__tape *em__tape_create(size_t channel_count); /* NULL: no memory */
em__tape *em__tape_ref(em__tape *tape);
void em__tape_unref(em__tape *tape); /* NULL is ignored */

/* EM_OK, EM_ERR_NO_MEMORY, EM_ERR_INVALID: there are EM__TAPE_READINGS. Time never falls. */
int em__tape_add(em__tape *tape, size_t channel, uint64_t t_ns, const em__reading *reading);
/* All was added. EM_ERR_NO_MEMORY. */
int em__tape_finish(em__tape *tape);

/* What the channel answers at a time of the recording: a gauge what it read last, a counter a line between what it read
 * before and after. */
em__reading em__tape_at(const em__tape *tape, size_t channel, uint64_t t_ns);

#endif
