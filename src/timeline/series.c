/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Readings become points, and times between points become energy. */
#include "timeline/series.h"

#include "core/units.h"
#include "energy_meter.h"

#include <math.h>
#include <string.h>

enum {
    FAR_PERIODS = 8,            /* a reading at an update tells more than nothing about as long a time */
    SHORT_BRACKET_NS = 2000000, /* a straight line across it is good enough */
    DENSE_NS = 20000000         /* boards are said to update every 20 to 100 ms: looking closely finds both */
};

void em__series_init(em__series *series, const em__channel *facts)
{
    memset(series, 0, sizeof *series);
    series->facts = facts;
    uint64_t documented_ns = facts->refresh_ns < DENSE_NS ? facts->refresh_ns : DENSE_NS;
    em__phase_init(&series->phase, facts->kind == EM_KIND_COUNTER ? documented_ns : 0);
}

void em__series_pause(em__series *series)
{
    series->counter.has_baseline = 0;
    series->counter.remainder = 0;
    series->remainder = 0;
    series->has_power = 0;
    series->is_gap = 1;
    series->is_paused = 1;
    series->failing_since_ns = 0;
    if (!series->has_ended) {
        series->status = EM_ERR_READ;
    }
}

void em__series_resume(em__series *series, uint64_t t_ns)
{
    em__series_pause(series);
    series->last.t_ns = t_ns;
    series->older = series->before = series->previous = series->last;
    series->known_uj = series->last.energy_uj;
    series->known_ns = t_ns;
}

void em__series_interrupt(em__series *series, int32_t status)
{
    if (series->has_ended) {
        return;
    }
    series->counter.has_baseline = 0;
    series->is_gap = 1;
    series->status = status;
}

void em__series_end(em__series *series, int32_t status)
{
    series->has_ended = 1;
    series->is_gap = 1;
    series->status = status;
    series->counter.has_baseline = 0;
}

static void push(em__series *series, em__point point)
{
    series->older = series->before;
    series->before = series->previous;
    series->previous = series->last;
    series->last = point;
}

static void set_power(em__series *series, uint64_t power_mw)
{
    series->power_before_mw = series->has_power ? series->power_mw : power_mw;
    series->power_mw = power_mw;
    series->has_power = 1;
}

/* A new point after time that was not measured: no energy, but the gap is there for every window across it. */
static em__added push_gap(em__series *series, uint64_t t_ns, uint64_t power_mw)
{
    em__point point = series->last;
    point.t_ns = t_ns;
    point.gap_ns += series->is_paused ? 0 : t_ns - series->last.t_ns;
    point.power_mw = power_mw;
    series->known_uj = series->update_uj = point.energy_uj;
    series->known_ns = series->update_ns = t_ns;
    series->remainder = 0;
    series->is_gap = series->is_paused = 0;
    series->has_power = 0;
    push(series, point);
    return EM__ADDED_POINT;
}

/* A counter that is read more often than it moves stands still for several readings: its power is that of its updates. */
static void measure_power(em__series *series, uint64_t t_ns, int has_moved)
{
    uint64_t elapsed_ns = t_ns - series->update_ns;
    if (elapsed_ns == 0 || (!has_moved && elapsed_ns <= 2 * series->facts->refresh_ns)) {
        return;
    }
    set_power(series, em__scale((uint64_t)(series->known_uj - series->update_uj), EM__MW_NS_PER_UJ, elapsed_ns));
    if (has_moved) {
        series->update_uj = series->known_uj;
        series->update_ns = t_ns;
    }
}

/* The energy between this count and the last one is none of anybody's: a new baseline. */
static em__added add_baseline(em__series *series, uint64_t t_ns)
{
    series->known_uj = series->update_uj = series->last.energy_uj;
    series->known_ns = series->update_ns = series->last.t_ns;
    if (t_ns > series->last.t_ns) {
        return push_gap(series, t_ns, 0);
    }
    series->is_gap = series->is_paused ? 0 : series->is_gap; /* Read while the pause ended: measured from there on. */
    series->is_paused = 0;
    return EM__ADDED_NOTHING;
}

/* Across a shorter one than this, what is not known of the updates' time would make the power wrong. */
static uint64_t shortest_bracket_ns(const em__phase *phase)
{
    uint64_t most_ns = 2 * (uint64_t)phase->period_ns;
    return 20 * phase->error_ns < most_ns ? 20 * phase->error_ns : most_ns;
}

/* The time that a count belongs to: that of its update where it is known. 0: it tells nothing that can be placed. */
static uint64_t place(em__series *series, uint64_t t_ns, int has_moved)
{
    uint64_t instant_ns = em__phase_read(&series->phase, t_ns, has_moved);
    int is_timed = series->phase.is_known || series->phase.search_until_ns;
    if (is_timed && !has_moved && t_ns < series->last.t_ns + 3 * series->facts->refresh_ns) {
        return 0; /* The same update as before. */
    }
    if (series->phase.is_known) {
        uint64_t period_ns = (uint64_t)series->phase.period_ns;
        if (!instant_ns && t_ns >= series->last.t_ns + FAR_PERIODS * period_ns) {
            instant_ns = t_ns - period_ns / 2; /* Of the update just now or of the one before it. */
        }
        return instant_ns >= series->last.t_ns + shortest_bracket_ns(&series->phase) ? instant_ns : 0;
    }
    return instant_ns ? instant_ns : t_ns;
}

static em__added add_count(em__series *series, uint64_t t_ns, uint64_t raw)
{
    uint64_t uj;
    em__step step = em__counter_step(&series->counter, series->facts, t_ns, raw, &uj);
    uint32_t has_moved = raw != series->raw;
    series->raw = raw;
    if (step != EM__STEP_ENERGY) {
        series->status = step == EM__STEP_RESET ? EM_ERR_RESET : series->status;
        em__phase_read(&series->phase, t_ns, 0);
        return add_baseline(series, t_ns);
    }
    series->known_uj += (int64_t)uj;
    uint64_t placed_ns = place(series, t_ns, has_moved != 0);
    series->known_ns = placed_ns > series->known_ns ? placed_ns : series->known_ns;
    measure_power(series, placed_ns ? placed_ns : t_ns, has_moved != 0);
    if (placed_ns <= series->last.t_ns) {
        return EM__ADDED_NOTHING; /* Of an update that is known already, or before an edge that was pinned meanwhile. */
    }
    em__point point = series->last;
    uint64_t elapsed_ns = placed_ns - point.t_ns;
    if (series->known_uj > point.energy_uj) {
        point.energy_uj = series->known_uj;
    }
    point.t_ns = placed_ns;
    point.gap_ns += series->is_gap ? elapsed_ns : 0;
    point.updates += has_moved;
    series->is_gap = 0;
    push(series, point);
    return EM__ADDED_POINT;
}

/* A model's energy up to its last evaluation, whose time is the stamp: a reading without a new one is no point. Of a
 * stretch that began before the last point (a pause ended, an edge was pinned) only the part behind it counts, so that no
 * time shows more power than the model gave the stretch. */
static em__added add_evaluation(em__series *series, uint64_t t_ns, const em__reading *reading)
{
    uint64_t uj, from_ns = series->stamp_ns, at_ns = reading->stamp < t_ns ? reading->stamp : t_ns;
    if (reading->stamp == from_ns && series->counter.has_baseline) {
        return EM__ADDED_NOTHING;
    }
    em__step step = em__counter_step(&series->counter, series->facts, t_ns, reading->value, &uj);
    series->stamp_ns = reading->stamp;
    if (step != EM__STEP_ENERGY || at_ns <= from_ns) {
        series->status = step == EM__STEP_RESET ? EM_ERR_RESET : series->status;
        return add_baseline(series, t_ns);
    }
    set_power(series, em__scale(uj, EM__MW_NS_PER_UJ, at_ns - from_ns));
    if (at_ns <= series->last.t_ns) {
        return EM__ADDED_NOTHING;
    }
    em__point point = series->last;
    uint64_t fresh_ns = at_ns - (point.t_ns > from_ns ? point.t_ns : from_ns);
    point.energy_uj += (int64_t)em__scale(uj, fresh_ns, at_ns - from_ns);
    point.gap_ns += series->is_gap ? at_ns - point.t_ns : 0;
    point.t_ns = at_ns;
    point.updates++;
    series->known_uj = series->update_uj = point.energy_uj;
    series->known_ns = series->update_ns = at_ns;
    series->is_gap = 0;
    push(series, point);
    return EM__ADDED_POINT;
}

static em__added add_power(em__series *series, uint64_t t_ns, uint64_t power_mw)
{
    if (t_ns <= series->last.t_ns) {
        return EM__ADDED_NOTHING;
    }
    uint32_t changed = power_mw != series->raw;
    series->raw = power_mw;
    if (series->is_gap || !series->has_power) {
        push_gap(series, t_ns, power_mw);
        set_power(series, power_mw);
        return EM__ADDED_POINT;
    }
    em__u128 twice = (em__u128)(series->power_mw + power_mw) * (t_ns - series->known_ns) + series->remainder;
    series->known_uj += (int64_t)(twice / (2 * EM__MW_NS_PER_UJ));
    series->remainder = (uint64_t)(twice % (2 * EM__MW_NS_PER_UJ));
    series->known_ns = t_ns;
    em__point point = series->last;
    point.energy_uj = series->known_uj > point.energy_uj ? series->known_uj : point.energy_uj;
    point.t_ns = t_ns;
    point.power_mw = power_mw;
    point.updates += changed;
    set_power(series, power_mw);
    push(series, point);
    return EM__ADDED_POINT;
}

static em__added add_failure(em__series *series, uint64_t t_ns, const em__reading *reading, uint64_t patience_ns)
{
    int32_t status = reading->status == EM_OK ? EM_ERR_READ : reading->status;
    if (series->has_ended) {
        return EM__ADDED_NOTHING;
    }
    if (reading->outcome == EM__READ_GONE) {
        em__series_end(series, status == EM_ERR_READ ? EM_ERR_GONE : status);
        return EM__ADDED_END;
    }
    if (series->failing_since_ns == 0) {
        series->failing_since_ns = t_ns;
    }
    series->is_gap = 1;
    series->status = EM_ERR_READ;
    if (t_ns - series->failing_since_ns < patience_ns) {
        return EM__ADDED_NOTHING;
    }
    em__series_end(series, status == EM_ERR_READ ? EM_ERR_BROKEN : status);
    return EM__ADDED_END;
}

em__added em__series_add(em__series *series, uint64_t t_ns, const em__reading *reading, uint64_t patience_ns)
{
    uint64_t power_mw = 0;
    em__reading checked = *reading;
    if (reading->outcome == EM__READ_OK && series->facts->kind == EM_KIND_GAUGE) {
        power_mw = em__scale(reading->value, series->facts->scale_num, series->facts->scale_den);
        if (power_mw > (series->facts->ceiling_mw ? series->facts->ceiling_mw : UINT32_MAX)) {
            checked.outcome = EM__READ_AGAIN;
            checked.status = EM_ERR_BROKEN;
        }
    }
    if (checked.outcome != EM__READ_OK) {
        return add_failure(series, t_ns, &checked, patience_ns);
    }
    series->failing_since_ns = 0;
    series->has_ended = 0;
    if (series->facts->kind == EM_KIND_MODEL && reading->stamp) {
        return add_evaluation(series, t_ns, reading);
    }
    return series->facts->kind == EM_KIND_GAUGE ? add_power(series, t_ns, power_mw)
                                                : add_count(series, t_ns, reading->value);
}

/* §7: e = T·P/√12 for the update instant that is not known, e = T·|ΔP|/√30 for interpolating across a step. */
static double edge_error_uj(const em__series *series, uint64_t bracket_ns)
{
    double power = (double)series->power_mw, before = (double)series->power_before_mw;
    double raw = (double)series->facts->refresh_ns * power / sqrt(12.0);
    double step = (double)bracket_ns * fabs(power - before) / sqrt(30.0);
    return sqrt(raw * raw + step * step) / (double)EM__MW_NS_PER_UJ;
}

static double power_between(const em__point *from, const em__point *to)
{
    return to->t_ns > from->t_ns ? (double)(to->energy_uj - from->energy_uj) / (double)(to->t_ns - from->t_ns) : -1.0;
}

/* Energy since the bracket's begin if its power stepped once, from that of the bracket before to that of the one after.
 * Where the bracket's own power is not between the two, it did something else: a straight line then. */
static int64_t part_by_step(const em__point points[4], uint64_t part_ns, int64_t linear_uj)
{
    double before = power_between(&points[0], &points[1]), after = power_between(&points[2], &points[3]);
    double mean = power_between(&points[1], &points[2]), bracket = (double)(points[2].t_ns - points[1].t_ns);
    double low = fmin(before, after), high = fmax(before, after);
    if (low < 0 || high - low < 0.02 * high || mean <= low || mean >= high) {
        return linear_uj;
    }
    double step = bracket * (mean - after) / (before - after), part = (double)part_ns;
    double uj = part <= step ? before * part : before * step + after * (part - step);
    return (int64_t)uj;
}

static int64_t part_by_trapezoid(const em__point *from, const em__point *to, uint64_t part_ns)
{
    double start = (double)from->power_mw, bracket = (double)(to->t_ns - from->t_ns), part = (double)part_ns;
    double slope = ((double)to->power_mw - start) / bracket;
    return (int64_t)((start + 0.5 * slope * part) * part / (double)EM__MW_NS_PER_UJ);
}

em__point em__series_at(const em__series *series, uint64_t t_ns, double *ret_error_uj)
{
    const em__point points[4] = {series->older, series->before, series->previous, series->last};
    int is_last = t_ns > series->previous.t_ns || series->previous.t_ns == series->before.t_ns;
    em__point from = points[is_last ? 2 : 1], to = points[is_last ? 3 : 2];
    uint64_t bracket_ns = to.t_ns - from.t_ns;
    *ret_error_uj = edge_error_uj(series, bracket_ns);
    if (t_ns >= to.t_ns) {
        return to;
    }
    if (t_ns <= from.t_ns) {
        return from;
    }
    uint64_t part_ns = t_ns - from.t_ns;
    int64_t whole_uj = to.energy_uj - from.energy_uj;
    int64_t part_uj = (int64_t)em__scale((uint64_t)whole_uj, part_ns, bracket_ns);
    if (to.gap_ns == from.gap_ns && series->facts->kind == EM_KIND_GAUGE) {
        part_uj = part_by_trapezoid(&from, &to, part_ns);
    } else if (to.gap_ns == from.gap_ns && !is_last && series->phase.is_known) {
        part_uj = part_by_step(points, part_ns, part_uj);
    }
    part_uj = part_uj < 0 ? 0 : part_uj > whole_uj ? whole_uj : part_uj;
    em__point point = from;
    point.t_ns = t_ns;
    point.energy_uj += part_uj;
    point.gap_ns += em__scale(to.gap_ns - from.gap_ns, part_ns, bracket_ns);
    point.updates += (uint32_t)em__scale(to.updates - from.updates, part_ns, bracket_ns);
    return point;
}

uint64_t em__series_settled_ns(const em__series *series)
{
    int is_short = series->last.t_ns - series->previous.t_ns <= SHORT_BRACKET_NS;
    return series->phase.is_known && !is_short ? series->previous.t_ns : series->last.t_ns;
}

em__point em__series_estimate(const em__series *series, uint64_t t_ns, double *ret_error_uj)
{
    em__point point = series->last;
    *ret_error_uj = 0;
    if (t_ns <= point.t_ns) {
        return em__series_at(series, t_ns, ret_error_uj);
    }
    uint64_t ahead_ns = t_ns - point.t_ns;
    point.t_ns = t_ns;
    if (series->is_gap) {
        point.gap_ns += series->is_paused ? 0 : ahead_ns;
        return point;
    }
    if (series->has_power) {
        uint64_t since_ns = t_ns - series->known_ns;
        int64_t reach_uj = series->known_uj + (int64_t)em__scale(series->power_mw, since_ns, EM__MW_NS_PER_UJ);
        point.energy_uj = reach_uj > point.energy_uj ? reach_uj : point.energy_uj;
        *ret_error_uj = edge_error_uj(series, ahead_ns);
    }
    return point;
}

void em__series_pin(em__series *series, uint64_t t_ns)
{
    double error_uj;
    if (t_ns > series->last.t_ns) {
        push(series, em__series_estimate(series, t_ns, &error_uj));
        series->last.power_mw = series->facts->kind == EM_KIND_GAUGE ? series->power_mw : 0;
    }
}
