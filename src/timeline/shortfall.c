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
    LONGEST_PAIR_MS = 2500 /* between two readings of the gauge, else its integral is no truth */
};

void em__shortfall_init(em__shortfall *shortfall, const em__channel *counter, const em__channel *gauge)
{
    int can_test = gauge && counter->kind == EM_KIND_COUNTER && counter->interval_ns == 0 &&
                   counter->sparing_interval_ns > 0 && counter->limit_mw > 0;
    *shortfall = (em__shortfall){.rest_ns = LATER_REST_S * EM__NS_PER_S};
    if (can_test) {
        shortfall->counter = counter;
        shortfall->gauge = gauge;
    }
}

/* A stretch begins at the readings that were the last. */
static void begin_stretch(em__shortfall *shortfall, int is_sparing, uint64_t t_ns)
{
    if (is_sparing) {
        shortfall->spared_ns = t_ns;
        shortfall->until_ns = UINT64_MAX;
    } else if (shortfall->is_sparing) {
        shortfall->until_ns = t_ns;
    }
    shortfall->is_sparing = is_sparing;
    shortfall->begin_ns = t_ns;
    shortfall->counted_uj = 0;
    shortfall->gauge_uj = 0;
    shortfall->counts = 0;
}

void em__shortfall_interrupt(em__shortfall *shortfall)
{
    shortfall->count.has_baseline = 0;
    shortfall->power_ns = 0;
    begin_stretch(shortfall, 0, shortfall->counted_ns);
    shortfall->begin_ns = 0;
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
    shortfall->counted_ns = t_ns;
    shortfall->counted_uj += uj;
    shortfall->counts++;
}

/* A stretch at the sample interval is over: is it time for one that spares the counter? */
static void end_often(em__shortfall *shortfall, uint64_t t_ns, em__stretch stretch)
{
    if (shortfall->rest_until_ns == 0) {
        shortfall->rest_until_ns = t_ns + (FIRST_REST_S - STRETCH_S) * EM__NS_PER_S;
    }
    int is_often = shortfall->counts >= LEAST_PER_S * STRETCH_S;
    shortfall->often = stretch;
    begin_stretch(shortfall, is_often && t_ns >= shortfall->rest_until_ns, t_ns);
}

static void rest(em__shortfall *shortfall, uint64_t t_ns)
{
    uint64_t doubled_ns = 2 * shortfall->rest_ns, most_ns = LONGEST_REST_S * EM__NS_PER_S;
    shortfall->rest_until_ns = t_ns + shortfall->rest_ns;
    shortfall->rest_ns = doubled_ns < most_ns ? doubled_ns : most_ns;
}

static int is_lower(double value, double than)
{
    return 100 * value < (100 - SHORT_PERCENT) * than;
}

/* A gauge that sees part of the time beats with a load that repeats, and then it is the gauge that moves: only where the
 * gauge stood and the counter itself fell does a ratio tell something of the counter. */
static void end_sparing(em__shortfall *shortfall, uint64_t t_ns, em__stretch stretch)
{
    em__stretch often = shortfall->often;
    int is_short = is_lower(often.ratio, stretch.ratio);
    int is_steady = !is_lower(often.power_mw, stretch.power_mw) && !is_lower(stretch.power_mw, often.power_mw) &&
                    is_lower(often.ratio * often.power_mw, stretch.ratio * stretch.power_mw);
    if (!is_short) {
        shortfall->short_count = 0;
    } else if (is_steady) {
        shortfall->short_count++;
    }
    shortfall->has_fallen = shortfall->short_count >= TIMES;
    if (!is_short || !is_steady) {
        rest(shortfall, t_ns);
    }
    begin_stretch(shortfall, 0, t_ns);
    shortfall->until_ns = shortfall->has_fallen ? UINT64_MAX : t_ns;
}

/* The board was read, counter and gauge. */
static void compare(em__shortfall *shortfall, uint64_t t_ns)
{
    uint64_t elapsed_ns = t_ns - shortfall->begin_ns;
    if (shortfall->begin_ns == 0) {
        begin_stretch(shortfall, 0, t_ns);
        return;
    }
    if (elapsed_ns < STRETCH_S * EM__NS_PER_S) {
        return;
    }
    double load_uj = (double)shortfall->counter->limit_mw * LOAD_PERCENT / 100 * (double)elapsed_ns / EM__MW_NS_PER_UJ;
    if (shortfall->gauge_uj <= load_uj || shortfall->counted_uj == 0) {
        begin_stretch(shortfall, 0, t_ns);
        return;
    }
    em__stretch stretch = {(double)shortfall->counted_uj / shortfall->gauge_uj,
                           shortfall->gauge_uj * (double)EM__MW_NS_PER_UJ / (double)elapsed_ns};
    if (shortfall->is_sparing) {
        end_sparing(shortfall, t_ns, stretch);
    } else {
        end_often(shortfall, t_ns, stretch);
    }
}

void em__shortfall_power(em__shortfall *shortfall, uint64_t t_ns, const em__reading *reading)
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
        shortfall->gauge_uj +=
            ((double)shortfall->power_mw + (double)mw) / 2 * (double)elapsed_ns / (double)EM__MW_NS_PER_UJ;
    }
    shortfall->power_ns = t_ns;
    shortfall->power_mw = mw;
    if (shortfall->counted_ns == t_ns && shortfall->count.has_baseline) {
        compare(shortfall, t_ns);
    }
}

int em__shortfall_is_sparing(const em__shortfall *shortfall)
{
    return shortfall->is_sparing || shortfall->has_fallen;
}

int em__shortfall_was_sparing(const em__shortfall *shortfall, uint64_t t_ns)
{
    return shortfall->spared_ns && t_ns >= shortfall->spared_ns && t_ns < shortfall->until_ns;
}
