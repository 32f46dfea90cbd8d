/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One device as several processes measured it: its energy over the union of their time, each joule once. Pure. */
#ifndef EM_METRICS_POOL_H
#define EM_METRICS_POOL_H

#include "metrics/points.h"

#include <stddef.h>
#include <stdint.h>

/* One process's view. Between points power is taken to be constant. */
typedef struct {
    size_t part; /* whose it is */
    uint64_t begin_ns, end_ns;
    int64_t energy_uj;
    const em__track_point *points; /* both ends included */
    size_t count;                  /* 0: how its energy ran is not known */
    int is_whole;                  /* nothing between its ends is left out */
    double gain, edge_j;           /* k = 2; gain as a fraction */
} em__curve;

/* What of a curve enters the union. */
typedef struct {
    const em__curve *curve;
    uint64_t from_ns, to_ns;
    int64_t energy_uj;
} em__piece;

typedef enum { EM__POOL_OK, EM__POOL_SHAPELESS, EM__POOL_CONTRADICTION } em__pool_outcome;

typedef struct {
    size_t piece_count;
    int64_t energy_uj;
    uint64_t covered_ns;
    double gain_j, edge_j;     /* k = 2 */
    const em__curve *clash[2]; /* whose views do not go together */
    double clash_j[2];         /* what they say of the same time */
    uint64_t clash_from_ns, clash_to_ns;
} em__pooled;

/* Cut at the largest there is, which only garbage reaches. */
static inline int64_t em__add_uj(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* Sorts curves by their begin. pieces has room for count, is_shared (by part, kept as it is where nothing is set) is set
 * for those whose time another shares. */
em__pool_outcome em__pool(em__curve *curves, size_t count, em__piece *pieces, char *is_shared, em__pooled *ret_pooled);

/* Energy since the curve's begin, by interpolation, and a standard deviation of what that may miss, in J. */
int64_t em__curve_at(const em__curve *curve, uint64_t t_ns);
double em__curve_doubt(const em__curve *curve, uint64_t t_ns);

#endif
