/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The one place where a raw count becomes energy: wrap and reset told apart (docs/measurement.md §2 rules 8 and 9). */
#ifndef EM_TIMELINE_COUNTER_H
#define EM_TIMELINE_COUNTER_H

#include "core/channel.h"

typedef struct {
    uint64_t raw, t_ns;
    uint64_t remainder; /* raw × scale_num that has not made a whole µJ yet, in 1 / scale_den µJ */
    int has_baseline;
} em__counter;

typedef enum {
    EM__STEP_BASELINE, /* the first count: no energy */
    EM__STEP_ENERGY,
    EM__STEP_RESET /* a jump that no power explains: a new baseline, no energy */
} em__step;

/* t_ns never falls. ret_uj is the energy since the last count; 0 unless EM__STEP_ENERGY. */
em__step em__counter_step(em__counter *counter, const em__channel *facts, uint64_t t_ns, uint64_t raw,
                          uint64_t *ret_uj);

#endif
