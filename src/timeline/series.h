/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A channel's growing energy over time: the points between which edges are looked up. Integers only. */
#ifndef EM_TIMELINE_SERIES_H
#define EM_TIMELINE_SERIES_H

#include "timeline/counter.h"
#include "timeline/phase.h"

typedef struct {
    uint64_t t_ns;
    int64_t energy_uj;
    uint64_t gap_ns;   /* unmeasured time so far */
    uint64_t power_mw; /* of a gauge: as read here */
    double spread_uj2; /* variance so far of what was integrated: of a gauge, what may have been between its readings */
    uint32_t updates;  /* changes of the raw value so far */
    uint32_t blur_ns;  /* one standard deviation of t_ns: of a counter, when it updated */
} em__point;

/* How a counter's power runs within a bracket, when only the energies of brackets are known. */
typedef enum { EM__COURSE_STEP, EM__COURSE_SLOPE, EM__COURSE_LINE, EM__COURSES } em__course;

/* What is learned of the errors of interpolation, by leaving points out: sums that fade. */
typedef struct {
    double squares[EM__COURSES]; /* of what each course was off, µJ² */
    double expected;             /* of what the rule says with a factor of 1 */
    double whole;                /* of the energies of the brackets */
    /* Of a gauge, over readings at least an update apart: */
    double count;              /* how many there were */
    double mean_mw, variance;  /* of its power, mW, mW² */
    double change2, swing2;    /* mean squares of how far it moves from one to the next, and while it averages, mW² */
    uint64_t seen_ns, seen_mw; /* the last one */
} em__lessons;

/* One standard deviation of what an edge's energy may be off, and of the power there: two edges that are close to each
 * other are off alike, by no more than that power times the time between them. 0 mW: unknown, they are not alike. */
typedef struct {
    double energy_uj, power_mw;
} em__doubt;

struct em__shape;

typedef struct {
    const em__channel *facts;
    const struct em__shape *shape; /* of a counter whose board has a gauge too; NULL: none */
    em__counter counter;
    em__phase phase;                                 /* of a counter that documents its period */
    em__point oldest, older, before, previous, last; /* the newest five points: brackets in which edges settle */
    em__lessons lessons;
    int64_t given_uj;         /* the energy of the latest edge: what is learned later takes nothing back */
    int64_t known_uj;         /* what was measured in all; behind last.energy_uj while a pinned point overshoots */
    uint64_t known_ns;        /* up to when: estimates start there, so that pinning often loses no fraction */
    uint64_t remainder;       /* of a gauge: mW × ns × 2 that has not made a whole µJ yet */
    uint64_t power_mw;        /* mean over the last update that was measured, or as a gauge reads */
    uint64_t power_before_mw; /* over the one before */
    uint64_t raw;
    int64_t update_uj; /* known_uj and known_ns when raw changed last */
    uint64_t update_ns;
    uint64_t moved_ns,
        seen_ns;       /* where no period is documented: the last update, and how often they were seen to come */
    uint64_t stamp_ns; /* of a model: its last evaluation */
    int has_power;     /* power_mw is known */
    int is_gap;        /* nothing good since last: why is in status */
    int is_spared;     /* a counter: it is read once a second for a while, whatever its phase would like */
    int is_paused;     /* nobody asks: time until the next reading is no gap and has no energy */
    int has_ended;
    uint64_t failing_since_ns; /* 0: not failing */
    int32_t status;            /* of the latest gap */
} em__series;

typedef enum { EM__ADDED_NOTHING, EM__ADDED_POINT, EM__ADDED_END } em__added;

void em__series_init(em__series *series, const em__channel *facts);

/* Nobody asks from now on. */
void em__series_pause(em__series *series);

/* A pause is over: what the counter did meanwhile is nobody's. The next reading is the baseline; the time until then is
 * a gap as soon as somebody asks (em__timeline_expect). */
void em__series_resume(em__series *series, uint64_t t_ns);

/* The next reading must not be joined with the last one (suspend). */
void em__series_interrupt(em__series *series, int32_t status);

/* patience_ns: how long readings may fail before the channel counts as ended. A good reading revives an ended one. */
em__added em__series_add(em__series *series, uint64_t t_ns, const em__reading *reading, uint64_t patience_ns);

/* It gives nothing any more, for this reason. */
void em__series_end(em__series *series, int32_t status);

/* After a point was added: what the one that now has two on each side tells of the errors of interpolation. */
void em__series_learn(em__series *series);

/* Up to when values are as good as they get: a counter whose updates are known waits for the bracket after an edge's,
 * since the power on each side tells where in between it stepped. */
uint64_t em__series_settled_ns(const em__series *series);

/* Between two updates: as documented, else as seen so far; 0: neither. */
uint64_t em__series_period_ns(const em__series *series);

/* The value at a time inside the last brackets: exact for constant power and, where the power on both sides is known,
 * for one step of it; for a gauge by the trapezoid rule.
 * ret_doubt: docs/measurement.md §7. */
em__point em__series_at(const em__series *series, uint64_t t_ns, em__doubt *ret_doubt);

/* The value at a time after the last point, carried on with the last power. */
em__point em__series_estimate(const em__series *series, uint64_t t_ns, em__doubt *ret_doubt);

/* Makes the estimate a point. An overshoot is worked off: the energy stands until the counter has caught up. */
void em__series_pin(em__series *series, uint64_t t_ns);

#endif
