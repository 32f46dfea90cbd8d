/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The counter anchors, the samples shape (docs/measurement.md §3 rule 5): a board's counter that is read seldom, and its
 * gauge that is read often. Bounded memory. */
#ifndef EM_TIMELINE_SHAPE_H
#define EM_TIMELINE_SHAPE_H

#include "timeline/series.h"

#include <stddef.h>

enum { EM__SHAPE_SAMPLES = 128 };

typedef struct em__shape {
    const em__channel *facts; /* of the gauge */
    size_t counter, gauge;    /* channels: what is shaped, and by what */
    uint64_t stride_ns;       /* samples closer than this are passed over; grows when there are too many */
    size_t count;
    em__point samples[EM__SHAPE_SAMPLES];
} em__shape;

/* A point of the gauge; what is older than needed_ns is let go. */
void em__shape_add(em__shape *shape, const em__point *sample, uint64_t needed_ns);

/* Up to when it is known how power ran: a gauge shows what was. */
uint64_t em__shape_known_ns(const em__shape *shape);

/* How much of a counter's bracket lies before t_ns, in proportion to the integral of the samples. 0: they are too few,
 * or have a hole. ret_doubt: of the shape alone. */
int em__shape_part(const em__shape *shape, const em__point *from, const em__point *to, uint64_t t_ns,
                   int64_t *ret_part_uj, em__doubt *ret_doubt);

/* What the gauge has seen from one time to a later one, the last power going on. */
int64_t em__shape_energy_uj(const em__shape *shape, uint64_t from_ns, uint64_t to_ns);

#endif
