/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Defence by value where names lie: counters of several sockets or dies that are one counter, shown again. Pure, and the
 * same readings give the same answer. */
#ifndef EM_METRICS_TWINS_H
#define EM_METRICS_TWINS_H

#include "core/channel.h"

#include <stddef.h>

enum { EM__TWINS_MOST = 64 };

typedef struct {
    int32_t channel;
    uint64_t t_ns, raw;           /* the latest reading; t_ns 0: none yet */
    uint64_t from_ns, from_raw;   /* as the present stretch began; 0: not known */
    uint64_t power_mw, before_mw; /* over the last two stretches */
} em__twin;

/* All zeros: nothing to compare. */
typedef struct {
    const em__channel *const *facts;
    em__twin *twins;
    size_t count;
    uint8_t *stretches, *moves; /* by pair: in a row, how many agreed, and in how many of them power changed */
    uint8_t *is_told_apart;     /* by pair */
    uint64_t began_ns;
} em__twins;

/* sensors: by channel, compared by their text. EM_OK, EM_ERR_NO_MEMORY. Facts are not copied. */
int em__twins_init(em__twins *twins, const em__channel *const *facts, const char *const *sensors, size_t count);
void em__twins_free(em__twins *twins);

/* A good reading of any channel. 1: what em__twins_of answers may have changed. */
int em__twins_read(em__twins *twins, size_t channel, uint64_t t_ns, uint64_t raw);

/* The first channel that this one is the same counter as; -1: none known. */
int32_t em__twins_of(const em__twins *twins, size_t channel);

#endif
