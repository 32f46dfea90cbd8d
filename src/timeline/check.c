/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Thresholds that a healthy sensor stays away from, where the load may do what it likes. */
#include "timeline/check.h"

#include "core/units.h"
#include "energy_meter.h"

#include <math.h>
#include <string.h>

enum {
    UNMOVING_S = 10,       /* and 100 periods: every counter known moves at idle */
    UNMOVING_BESIDE_S = 3, /* beside a gauge that shows power */
    BESIDE_MW = 10000,     /* more than what counters of a joule or gauges of 5 W may miss */
    FROZEN_S = 60,         /* constant power is legitimate, the last digit of it for a minute is not */
    FROZEN_READINGS = 100,
    FROZEN_PARTS = 100, /* a gauge that has no finer steps than a hundredth of what it shows may stand still */
    PAIR_S = 5,         /* docs/measurement.md §3 rule 7 */
    PAIR_PERCENT = 15,
    EDGES_LEAST = 16,
    LOOPS_MOST = 4 /* so many turns of a loop in a whole number of periods are a lock */
};
#define LOCKED 0.03  /* of a period: as far from a whole number as this, a loop slides through the gauge in 30 turns */
#define REGULAR 0.1  /* of a period */
#define TOGETHER 0.1 /* of a period: edges that are so close are one turn's */

static void set_note(em__check *check, int note, int holds)
{
    int bit = note - EM_NOTE_UNMOVING, mask = 1 << bit, held = check->findings.held;
    if (holds && !(held & mask)) {
        check->findings.rises[bit]++;
    }
    check->findings.held = (uint8_t)(holds ? held | mask : held & ~mask);
}

uint64_t em__check_notes(const em__findings *begin, const em__findings *end)
{
    uint64_t notes = begin->held;
    for (int i = 0; i < EM__CHECKS; i++) {
        notes |= begin->rises[i] != end->rises[i] ? EM_NOTE_BIT(i) : 0;
    }
    return notes << EM_NOTE_UNMOVING;
}

void em__check_restart(em__check *check)
{
    em__findings findings = check->findings;
    findings.held = 0;
    memset(check, 0, sizeof *check);
    check->findings = findings;
}

static int is_unmoving(const em__channel *facts, uint64_t same_ns, uint64_t power_mw)
{
    uint64_t unit_uj = em__scale(facts->unit ? facts->unit : 1, facts->scale_num, facts->scale_den);
    if (facts->refresh_ns == 0) {
        uint64_t step_ns = em__scale(unit_uj, EM__MW_NS_PER_UJ, BESIDE_MW);
        return same_ns >= FROZEN_S * EM__NS_PER_S && same_ns >= step_ns;
    }
    uint64_t least_s = power_mw > BESIDE_MW ? UNMOVING_BESIDE_S : UNMOVING_S;
    uint64_t periods = power_mw > BESIDE_MW ? 10 : 100;
    return same_ns >= least_s * EM__NS_PER_S && same_ns / periods >= facts->refresh_ns;
}

static int is_frozen(const em__check *check, const em__channel *facts, uint64_t same_ns)
{
    uint64_t unit = facts->unit ? facts->unit : 1;
    return same_ns >= FROZEN_S * EM__NS_PER_S && check->same_count >= FROZEN_READINGS &&
           check->raw / FROZEN_PARTS >= unit;
}

void em__check_reading(em__check *check, const em__channel *facts, uint64_t t_ns, const em__reading *reading,
                       uint64_t power_mw)
{
    if (reading->stamp && check->stamp) {
        set_note(check, EM_NOTE_STAMP, reading->stamp < check->stamp);
    }
    check->stamp = reading->stamp;
    if (check->same_count == 0 || reading->value != check->raw) {
        check->raw = reading->value;
        check->same_since_ns = t_ns;
        check->same_count = 0;
    }
    check->same_count += check->same_count < UINT32_MAX;
    uint64_t same_ns = t_ns - check->same_since_ns;
    if (facts->kind == EM_KIND_COUNTER) {
        set_note(check, EM_NOTE_UNMOVING, is_unmoving(facts, same_ns, power_mw));
    } else if (facts->kind == EM_KIND_GAUGE) {
        set_note(check, EM_NOTE_FROZEN, is_frozen(check, facts, same_ns));
    }
}

void em__check_pair(em__check *check, const em__series *counter, const em__series *gauge)
{
    em__doubt doubt;
    const em__point *last = &counter->last;
    em__point seen = em__series_estimate(gauge, last->t_ns, &doubt);
    uint64_t gap_ns = last->gap_ns + seen.gap_ns;
    int is_whole = check->pair_ns > 0 && gap_ns == check->pair_gap_ns && !gauge->is_gap;
    if (is_whole && last->t_ns < check->pair_ns + PAIR_S * EM__NS_PER_S) {
        return;
    }
    if (is_whole) {
        double counted = (double)(last->energy_uj - check->pair_counter_uj);
        double integrated = (double)(seen.energy_uj - check->pair_gauge_uj);
        set_note(check, EM_NOTE_DISAGREES, fabs(counted - integrated) * 100 > PAIR_PERCENT * fmax(counted, integrated));
    }
    check->pair_ns = last->t_ns;
    check->pair_gap_ns = gap_ns;
    check->pair_counter_uj = last->energy_uj;
    check->pair_gauge_uj = seen.energy_uj;
}

static int is_locked(const em__check *check, double period_ns)
{
    if (check->edge_count < EDGES_LEAST || check->off_ns > REGULAR * period_ns) {
        return 0;
    }
    for (int loops = 1; loops <= LOOPS_MOST; loops++) {
        double periods = loops * check->every_ns / period_ns;
        if (periods >= 1 - LOCKED && fabs(periods - round(periods)) <= LOCKED) {
            return 1;
        }
    }
    return 0;
}

void em__check_edge(em__check *check, const em__channel *facts, uint64_t t_ns)
{
    double period_ns = (double)facts->refresh_ns, apart_ns = (double)(t_ns - check->edge_ns);
    if (check->edge_ns > 0 && apart_ns < TOGETHER * period_ns) {
        return;
    }
    if (check->edge_ns > 0) {
        double weight = check->edge_count < EDGES_LEAST ? 1.0 / (check->edge_count + 1) : 1.0 / EDGES_LEAST;
        check->every_ns += (apart_ns - check->every_ns) * weight;
        check->off_ns += (fabs(apart_ns - check->every_ns) - check->off_ns) * weight;
        check->edge_count++;
        set_note(check, EM_NOTE_ALIASED, is_locked(check, period_ns));
    }
    check->edge_ns = t_ns;
}
