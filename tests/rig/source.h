/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a sensor shows of a wave: a count or a power as of its last update, with every imperfection as a parameter.
 * Pure: the same time gives the same answer. Files, devices and vendor stand-ins of the rig all show such sources. */
#ifndef TESTS_RIG_SOURCE_H
#define TESTS_RIG_SOURCE_H

#include "rig/wave.h"

typedef enum {
    RIG_FAIL,    /* reading it answers error, from … to */
    RIG_GARBAGE, /* what it answers is no number, from … to */
    RIG_VANISH,  /* it is not there, from … to; what was open before stays dead */
    RIG_FREEZE,  /* no updates, from … to; then it shows all that it missed */
    RIG_RESET,   /* a counter begins anew at 0, at from */
    RIG_JUMP,    /* a counter goes on by amount µJ that nobody used, at from */
    RIG_STAMP    /* the device's own time goes back by amount ns, at from */
} rig_fault_kind;

typedef struct {
    rig_fault_kind kind;
    uint64_t from_ns, to_ns; /* to is no longer part of it */
    int error;               /* positive errno */
    uint64_t amount;
} rig_fault;

enum { RIG_FAULTS = 8 };

typedef struct {
    const wave *wave;   /* outlives the source */
    double gain_error;  /* it shows 1 + this of the truth */
    uint64_t period_ns; /* between updates; 0: always up to date */
    uint64_t jitter_ns; /* standard deviation of each update's distance from its place; less than period / 6 */
    uint64_t phase_ns;  /* an update happens at this time, and every period before and after it */
    uint64_t
        average_ns;     /* of a gauge: it shows the mean over this time before the update; 0: the instant. With a lag of
                            the rest of the period, the mean over the first part of each */
    uint64_t lag_ns;    /* it shows what was this long before the update; of an average: its end */
    uint64_t polled_ns; /* of a counter: it is read this often, by whomever; 0: it does not care */
    uint64_t lost_ns;   /* of a counter that falls short: what each reading costs it, as time */
    int has_stamps;     /* it shows when it updated, by its own clock */
    double unit;        /* the smallest step, µJ or mW; 0: 1 */
    uint64_t range;     /* of a counter: the largest number shown before 0 follows; 0: never */
    uint64_t start;     /* of a counter: what it shows at time 0 */
    rig_fault faults[RIG_FAULTS];
    size_t fault_count;
} rig_source;

/* Adds a fault; at most RIG_FAULTS. */
void rig_source_fault(rig_source *source, rig_fault fault);

uint64_t rig_source_counter(const rig_source *source, uint64_t now_ns); /* µJ */
uint64_t rig_source_gauge(const rig_source *source, uint64_t now_ns);   /* mW */

/* Its last update at or before now, by period, phase and jitter alone. */
uint64_t rig_source_update_ns(const rig_source *source, uint64_t now_ns);

/* Its own time of its last update, in µs from an epoch of its own; 0: it shows none. */
uint64_t rig_source_stamp(const rig_source *source, uint64_t now_ns);

/* The failure that a reading meets now: RIG_FAIL, RIG_GARBAGE or RIG_VANISH; NULL: none. opened_ns: since when the reader
 * has held it open. */
const rig_fault *rig_source_failure(const rig_source *source, uint64_t opened_ns, uint64_t now_ns);

#endif
