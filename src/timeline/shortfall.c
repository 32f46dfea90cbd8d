/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Alternating stretches, and their ratios. */
#include "timeline/shortfall.h"

#include "core/units.h"
#include "energy_meter.h"

enum {
    STRETCH_S = 10,
    LOAD_PERCENT = 30, /* of the limit: idle boards show anything */
    SHORT_PERCENT = 5,
    TIMES = 2,          /* running */
    LEAST_PER_S = 2,    /* a counter that is read no more often than this is not read often */
    FIRST_REST_S = 60,  /* runs that are shorter are not disturbed */
    LATER_REST_S = 600, /* doubled after each comparison in which nothing was missing */
    LONGEST_REST_S = 3600,
    RETRY_S = 300,          /* after one that told nothing; doubled as well */
    LONGEST_PAIR_MS = 2500, /* between two readings of the gauge, else its integral is no truth */
    QUIET_S = 2,            /* since an edge */
    FIRST_PAUSE_S = 20,     /* after an edge that came too soon; doubled each time */
    LEAST_RESTS = 3,        /* so many in a row, or which update a reading shows is too much of what it tells */
    WAIT_S = 600            /* for edges that leave it the time */
};

void em__shortfall_init(em__shortfall *shortfall, const em__channel *counter, const em__channel *gauge)
{
    int can_test = gauge && counter->kind == EM_KIND_COUNTER && counter->interval_ns == 0 &&
                   counter->sparing_interval_ns > 0 && counter->limit_mw > 0;
    *shortfall = (em__shortfall){.rest_ns = LATER_REST_S * EM__NS_PER_S,
                                 .retry_ns = RETRY_S * EM__NS_PER_S,
                                 .pause_ns = FIRST_PAUSE_S * EM__NS_PER_S};
    if (can_test) {
        shortfall->counter = counter;
        shortfall->gauge = gauge;
    }
}

/* A stretch begins at the readings that were the last. */
static void begin_stretch(em__shortfall *shortfall, int is_sparing, uint64_t t_ns)
{
    shortfall->is_sparing = is_sparing;
    shortfall->begin_ns = shortfall->paired_ns = t_ns;
    shortfall->now = shortfall->rested = (em__stretch){0};
    shortfall->counts = 0;
}

/* The next comparison is between stretches that are yet to come. */
static void begin_anew(em__shortfall *shortfall, uint64_t t_ns)
{
    shortfall->often = shortfall->rests = (em__stretch){0};
    shortfall->is_forced = 0;
    begin_stretch(shortfall, 0, t_ns);
}

void em__shortfall_interrupt(em__shortfall *shortfall)
{
    shortfall->count.has_baseline = 0;
    shortfall->power_ns = 0;
    begin_anew(shortfall, 0);
}

/* What the power was before the update that follows is not known either. */
static void note_unseen(em__shortfall *shortfall, uint64_t t_ns)
{
    const em__channel *counter = shortfall->counter;
    if (!shortfall->is_sparing || t_ns < shortfall->counted_ns + counter->sparing_interval_ns / 2) {
        return;
    }
    int goes_on = shortfall->unseen_until_ns == shortfall->counted_ns + counter->refresh_ns;
    shortfall->unseen_from_ns = goes_on ? shortfall->unseen_from_ns : shortfall->counted_ns;
    shortfall->unseen_until_ns = t_ns + counter->refresh_ns;
}

void em__shortfall_count(em__shortfall *shortfall, uint64_t t_ns, const em__reading *reading)
{
    uint64_t uj = 0;
    if (!shortfall->counter || shortfall->has_fallen) {
        return;
    }
    if (reading->outcome != EM__READ_OK ||
        em__counter_step(&shortfall->count, shortfall->counter, t_ns, reading->value, &uj) == EM__STEP_RESET) {
        em__shortfall_interrupt(shortfall);
        return;
    }
    note_unseen(shortfall, t_ns);
    shortfall->counted_ns = t_ns;
    shortfall->now.counted_uj += (double)uj;
    shortfall->counts++;
}

static double ratio_of(const em__stretch *stretch)
{
    return stretch->counted_uj / stretch->gauge_uj;
}

static int is_lower(double value, double than)
{
    return 100 * value < (100 - SHORT_PERCENT) * than;
}

static int is_loaded(const em__shortfall *shortfall, const em__stretch *stretch)
{
    double load_mw = (double)shortfall->counter->limit_mw * LOAD_PERCENT / 100;
    return stretch->gauge_uj > load_mw * (double)stretch->elapsed_ns / EM__MW_NS_PER_UJ && stretch->counted_uj > 0;
}

static em__stretch sum_of(const em__stretch *a, const em__stretch *b)
{
    return (em__stretch){a->counted_uj + b->counted_uj, a->gauge_uj + b->gauge_uj, a->elapsed_ns + b->elapsed_ns};
}

static em__stretch until(const em__shortfall *shortfall, uint64_t t_ns)
{
    em__stretch stretch = shortfall->now;
    stretch.elapsed_ns = t_ns - shortfall->begin_ns;
    return stretch;
}

/* A stretch at the sample interval. Is it time for one that spares the counter? */
static void go_on_often(em__shortfall *shortfall, uint64_t t_ns, int is_quiet)
{
    int is_due = shortfall->rest_until_ns > 0 && t_ns >= shortfall->rest_until_ns;
    int is_starved = shortfall->waited_ns >= WAIT_S * EM__NS_PER_S;
    if (is_due && is_quiet && !is_starved && shortfall->often.elapsed_ns > 0) {
        begin_stretch(shortfall, 1, t_ns);
        return;
    }
    em__stretch stretch = until(shortfall, t_ns);
    if (stretch.elapsed_ns < STRETCH_S * EM__NS_PER_S) {
        return;
    }
    if (!is_loaded(shortfall, &stretch)) {
        begin_anew(shortfall, t_ns);
        return;
    }
    if (shortfall->rest_until_ns == 0) {
        shortfall->rest_until_ns = t_ns + (FIRST_REST_S - STRETCH_S) * EM__NS_PER_S;
    }
    int is_often = shortfall->counts >= LEAST_PER_S * STRETCH_S;
    shortfall->often = is_often ? stretch : (em__stretch){0};
    if (is_due && is_starved) {
        shortfall->rests = (em__stretch){0}; /* They are long ago. */
    }
    shortfall->is_forced = is_often && is_due && is_starved;
    begin_stretch(shortfall, is_often && is_due && (is_quiet || is_starved), t_ns);
}

static void rest(em__shortfall *shortfall, uint64_t t_ns, uint64_t *length_ns)
{
    uint64_t doubled_ns = 2 * *length_ns, most_ns = LONGEST_REST_S * EM__NS_PER_S;
    shortfall->rest_until_ns = t_ns + *length_ns;
    *length_ns = doubled_ns < most_ns ? doubled_ns : most_ns;
    shortfall->waited_ns = 0;
    shortfall->pause_ns = FIRST_PAUSE_S * EM__NS_PER_S;
}

/* A gauge that sees part of the time beats with a load that repeats, and then it is the gauge that moves: only where the
 * gauge stood and the counter itself fell does a ratio tell something of the counter. */
static void judge(em__shortfall *shortfall, uint64_t t_ns, const em__stretch *rests)
{
    const em__stretch *often = &shortfall->often;
    double often_mw = often->gauge_uj / (double)often->elapsed_ns,
           rests_mw = rests->gauge_uj / (double)rests->elapsed_ns;
    int is_short = is_lower(ratio_of(often), ratio_of(rests));
    int is_steady =
        !is_lower(often_mw, rests_mw) && !is_lower(rests_mw, often_mw) &&
        is_lower(often->counted_uj / (double)often->elapsed_ns, rests->counted_uj / (double)rests->elapsed_ns);
    if (is_short && is_steady) {
        shortfall->has_fallen = ++shortfall->short_count >= TIMES;
    } else {
        shortfall->short_count = 0;
        rest(shortfall, t_ns, is_short ? &shortfall->retry_ns : &shortfall->rest_ns);
    }
}

/* A stretch at once a second: what it has seen counts up to the last reading that came in its turn. */
static void go_on_sparing(em__shortfall *shortfall, uint64_t t_ns, uint64_t edge_ns)
{
    uint64_t interval_ns = shortfall->counter->sparing_interval_ns;
    if (t_ns - shortfall->paired_ns >= interval_ns - interval_ns / 8) {
        shortfall->rested = until(shortfall, t_ns);
    }
    shortfall->paired_ns = t_ns;
    em__stretch rests = sum_of(&shortfall->rests, &shortfall->rested);
    if (rests.elapsed_ns >= STRETCH_S * EM__NS_PER_S) {
        if (is_loaded(shortfall, &rests)) {
            judge(shortfall, t_ns, &rests);
        } else {
            shortfall->rest_until_ns = t_ns + FIRST_REST_S * EM__NS_PER_S;
        }
        begin_anew(shortfall, t_ns);
    } else if (em__shortfall_spared(shortfall, edge_ns) == EM__SPARED_NEVER) {
        int is_worth_it = shortfall->rested.elapsed_ns >= LEAST_RESTS * interval_ns - interval_ns / 8;
        if (is_worth_it) {
            shortfall->rests = rests;
        } else {
            shortfall->again_ns = t_ns + shortfall->pause_ns;
            shortfall->pause_ns *= 2;
        }
        begin_stretch(shortfall, 0, t_ns);
    }
}

/* Nor in the middle between two edges, where the next one is near. */
static int is_quiet(const em__shortfall *shortfall, uint64_t t_ns, uint64_t edge_ns)
{
    uint64_t since_ns = t_ns - edge_ns;
    int is_fresh = edge_ns >= shortfall->rest_until_ns && edge_ns >= shortfall->again_ns;
    return since_ns >= (is_fresh ? QUIET_S : QUIET_S + STRETCH_S) * EM__NS_PER_S;
}

/* The board was read, counter and gauge. */
static void compare(em__shortfall *shortfall, uint64_t t_ns, uint64_t edge_ns)
{
    if (shortfall->begin_ns == 0) {
        begin_stretch(shortfall, 0, t_ns);
    } else if (shortfall->is_sparing) {
        go_on_sparing(shortfall, t_ns, edge_ns);
    } else {
        go_on_often(shortfall, t_ns, is_quiet(shortfall, t_ns, edge_ns));
    }
}

void em__shortfall_power(em__shortfall *shortfall, uint64_t t_ns, const em__reading *reading, uint64_t edge_ns)
{
    if (!shortfall->counter || shortfall->has_fallen) {
        return;
    }
    uint64_t elapsed_ns = shortfall->power_ns ? t_ns - shortfall->power_ns : 0;
    if (reading->outcome != EM__READ_OK || elapsed_ns > LONGEST_PAIR_MS * (EM__NS_PER_S / 1000)) {
        em__shortfall_interrupt(shortfall);
    }
    if (reading->outcome != EM__READ_OK) {
        return;
    }
    uint64_t mw = em__scale(reading->value, shortfall->gauge->scale_num, shortfall->gauge->scale_den);
    if (shortfall->power_ns) {
        em__stretch step = {0, ((double)shortfall->power_mw + (double)mw) / 2 * (double)elapsed_ns / EM__MW_NS_PER_UJ,
                            elapsed_ns};
        int is_due = shortfall->rest_until_ns > 0 && t_ns >= shortfall->rest_until_ns;
        shortfall->now.gauge_uj += step.gauge_uj;
        step.counted_uj = step.gauge_uj;
        shortfall->waited_ns += is_due && is_loaded(shortfall, &step) ? elapsed_ns : 0;
    }
    shortfall->power_ns = t_ns;
    shortfall->power_mw = mw;
    if (shortfall->counted_ns == t_ns && shortfall->count.has_baseline) {
        compare(shortfall, t_ns, edge_ns);
    }
}

em__spared em__shortfall_spared(const em__shortfall *shortfall, uint64_t edge_ns)
{
    if (shortfall->has_fallen || (shortfall->is_sparing && shortfall->is_forced)) {
        return EM__SPARED_ALWAYS;
    }
    return shortfall->is_sparing && edge_ns < shortfall->begin_ns ? EM__SPARED_UNTIL_EDGE : EM__SPARED_NEVER;
}

int em__shortfall_was_sparing(const em__shortfall *shortfall, uint64_t t_ns)
{
    int is_unseen = t_ns >= shortfall->unseen_from_ns && t_ns < shortfall->unseen_until_ns;
    return is_unseen || ((shortfall->is_sparing || shortfall->has_fallen) && t_ns >= shortfall->counted_ns);
}
