/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Readings become points, and times between points become energy. */
#include "timeline/series.h"

#include "core/units.h"
#include "energy_meter.h"
#include "timeline/gauge.h"

#include <math.h>
#include <string.h>

#define SEEN_MOST_NS UINT64_C(600000000000)
#define MISPLACED 0.003 /* of a bracket's energy: less than half an update of 100 */
enum {
    BRISK_NS = 2000000,    /* a counter that updates as often is placed to half a period rather than not at all, */
    FAR_PERIODS = 8,       /* where it ends a stretch as long as this */
    SPARED_NS = 500000000, /* so long without a point, a reading is placed to half a period, whatever it updates */
    STALLED_PERIODS = 4,
    STALLED_NS = 50000000,
    LEAST_MW = 100,
    DENSE_NS = 20000000, /* boards are said to update every 20 to 100 ms: looking closely finds both */
    FINE_NS = 8000000    /* a bracket of many updates is long enough for its power */
};

void em__series_init(em__series *series, const em__channel *facts)
{
    memset(series, 0, sizeof *series);
    series->facts = facts;
    uint64_t documented_ns = facts->refresh_ns < DENSE_NS ? facts->refresh_ns : DENSE_NS;
    int is_slow = (facts->notes & EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER)) != 0;
    em__phase_init(&series->phase, facts->kind == EM_KIND_COUNTER && !is_slow ? documented_ns : 0);
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
    series->moved_ns = 0;
    if (!series->has_ended) {
        series->status = EM_ERR_READ;
    }
}

/* Beside samples of power, the mean of what a reading may be late is worth knowing. */
static uint64_t without_lateness(const em__series *series, uint64_t t_ns)
{
    uint64_t late_ns = series->facts->shaped_by ? series->facts->refresh_ns / 2 : 0;
    return t_ns - (late_ns < t_ns ? late_ns : 0);
}

void em__series_resume(em__series *series, uint64_t t_ns)
{
    uint64_t from_ns = without_lateness(series, t_ns);
    em__series_pause(series);
    series->last.t_ns = from_ns > series->last.t_ns ? from_ns : series->last.t_ns;
    t_ns = series->last.t_ns;
    series->oldest = series->older = series->before = series->previous = series->last;
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
    series->oldest = series->older;
    series->older = series->before;
    series->before = series->previous;
    series->previous = series->last;
    series->last = point;
    em__series_learn(series);
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

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t em__series_period_ns(const em__series *series)
{
    return series->facts->refresh_ns ? series->facts->refresh_ns : series->seen_ns;
}

/* How often a file of an outside meter changes is nowhere said. A counter changes with every update; a gauge may show the
 * same again, so the shortest time between changes is its period. */
static void learn_period(em__series *series, uint64_t t_ns)
{
    uint64_t apart_ns = t_ns - series->moved_ns, seen_ns = series->seen_ns;
    if (series->facts->refresh_ns > 0) {
        return;
    }
    int is_counter = series->facts->kind == EM_KIND_COUNTER;
    uint64_t faded_ns = is_counter ? seen_ns - seen_ns / 8 : seen_ns + seen_ns / 8;
    if (series->moved_ns > 0) {
        series->seen_ns = seen_ns == 0 || (apart_ns > faded_ns) == is_counter ? apart_ns : faded_ns;
        series->seen_ns = lesser(series->seen_ns, SEEN_MOST_NS);
    }
    series->moved_ns = t_ns;
}

/* A counter that is read more often than it moves stands still for several readings: its power is that of its updates. */
static void measure_power(em__series *series, uint64_t t_ns, int has_moved)
{
    uint64_t elapsed_ns = t_ns - series->update_ns;
    if (elapsed_ns == 0 || (!has_moved && elapsed_ns <= 2 * em__series_period_ns(series))) {
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

/* Across a shorter one than this, what is not known of the updates' time would make the power wrong: by a twelfth at most
 * where brackets are periods, by less where they can be many. */
static uint64_t shortest_bracket_ns(const em__phase *phase)
{
    uint64_t periods_ns = lesser(12 * phase->error_ns, 2 * (uint64_t)phase->period_ns);
    uint64_t fine_ns = lesser(40 * phase->error_ns, FINE_NS);
    return periods_ns > fine_ns ? periods_ns : fine_ns;
}

/* A reading that nobody has planned may lie so close to an update that the line does not say for sure whether it shows it.
 * But for the last quarter of what the line may be off it is right; there, if power is what it was, the energy says which
 * update it is; else the reading belongs to the middle of the period before it, to half a period. */
static uint64_t place_roughly(const em__series *series, uint64_t t_ns)
{
    const em__phase *phase = &series->phase;
    double period_ns = phase->period_ns, near_ns = (double)phase->error_ns / 4, power = (double)series->power_mw;
    uint64_t instant_ns = em__phase_instant(phase, t_ns);
    double since_ns = (double)(t_ns - instant_ns);
    if (since_ns >= near_ns && period_ns - since_ns >= near_ns) {
        return instant_ns;
    }
    if (series->has_power && power > 0) {
        double used = (double)(series->known_uj - series->last.energy_uj) * (double)EM__MW_NS_PER_UJ;
        double told_ns = (double)series->last.t_ns + used / power;
        double update_ns = phase->origin_ns + round((told_ns - phase->origin_ns) / period_ns) * period_ns;
        double ago_ns = (double)t_ns - update_ns;
        if (fabs(told_ns - update_ns) < period_ns / 20 && ago_ns >= -near_ns && ago_ns <= period_ns + near_ns) {
            return ago_ns > 0 ? (uint64_t)update_ns : t_ns;
        }
    }
    return t_ns - (uint64_t)(period_ns / 2);
}

/* Of points that were left out, hardly any energy was misplaced: what lies between two sure ones is told by them. */
static int is_told_by_others(const em__series *series)
{
    const em__lessons *lessons = &series->lessons;
    return lessons->whole > 0 && lessons->squares[EM__COURSE_STEP] < MISPLACED * MISPLACED * lessons->whole;
}

/* The time that a count belongs to: that of its update where it is known. 0: it tells nothing that can be placed. */
static uint64_t place(em__series *series, uint64_t t_ns, int has_moved)
{
    uint64_t instant_ns = series->is_spared ? em__phase_glance(&series->phase, t_ns, has_moved)
                                            : em__phase_read(&series->phase, t_ns, has_moved);
    int is_timed = series->phase.is_known || series->phase.search_until_ns;
    int is_seen = series->facts->refresh_ns == 0;
    if ((is_timed || is_seen) && !has_moved && t_ns < series->last.t_ns + 3 * em__series_period_ns(series)) {
        return 0; /* The same update as before. */
    }
    if (series->phase.is_known) {
        uint64_t period_ns = (uint64_t)series->phase.period_ns;
        int is_brisk = period_ns <= BRISK_NS && t_ns >= series->last.t_ns + FAR_PERIODS * period_ns;
        int is_spared = t_ns >= series->last.t_ns + SPARED_NS;
        if (!instant_ns && (is_spared || (is_brisk && !is_told_by_others(series)))) {
            instant_ns = place_roughly(series, t_ns);
        }
        return instant_ns >= series->last.t_ns + shortest_bracket_ns(&series->phase) ? instant_ns : 0;
    }
    if (instant_ns && instant_ns < series->last.t_ns + series->phase.documented_ns / 2) {
        return 0; /* The last point was of an update long before its reading. */
    }
    return instant_ns ? instant_ns : without_lateness(series, t_ns);
}

/* An update that was not seen happened any time in a period before the reading. */
static uint32_t blur_of(const em__series *series, uint64_t placed_ns)
{
    uint64_t blur_ns = series->phase.told_ns == placed_ns ? series->phase.told_blur_ns
                                                          : (uint64_t)((double)series->facts->refresh_ns / sqrt(12.0));
    return blur_ns < UINT32_MAX ? (uint32_t)blur_ns : UINT32_MAX;
}

/* A counter at work moves with every update: at a tenth of a watt by its smallest step. */
static int has_stalled(const em__series *series, uint64_t t_ns)
{
    const em__channel *facts = series->facts;
    uint64_t step_uj = em__scale(facts->unit ? facts->unit : 1, facts->scale_num, facts->scale_den);
    uint64_t least_ns = STALLED_PERIODS * facts->refresh_ns + em__scale(step_uj, EM__MW_NS_PER_UJ, LEAST_MW);
    least_ns = least_ns > STALLED_NS ? least_ns : STALLED_NS;
    return facts->refresh_ns > 0 && !facts->may_rest && t_ns - series->update_ns >= least_ns;
}

/* A count that cannot be placed is of an update in the period before it, half a period ago on average. */
static uint64_t known_until(const em__series *series, uint64_t t_ns, int has_moved)
{
    uint64_t half_ns = (uint64_t)(series->phase.period_ns / 2);
    return has_moved && half_ns < t_ns ? t_ns - half_ns : 0;
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
        return add_baseline(series, without_lateness(series, t_ns));
    }
    series->known_uj += (int64_t)uj;
    if (has_moved) {
        learn_period(series, t_ns);
    }
    uint64_t placed_ns = place(series, t_ns, has_moved != 0);
    uint64_t known_ns = placed_ns ? placed_ns : known_until(series, t_ns, has_moved != 0);
    series->known_ns = known_ns > series->known_ns ? known_ns : series->known_ns;
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
    point.blur_ns = blur_of(series, placed_ns);
    if (!has_moved && has_stalled(series, t_ns)) {
        series->is_gap = 1;
        series->status = EM_ERR_STALLED;
    }
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
    if (t_ns == series->last.t_ns && series->is_paused) {
        /* Read while the pause ended: measured from there on. */
        series->raw = power_mw;
        series->last.power_mw = power_mw;
        series->known_ns = t_ns;
        series->is_gap = series->is_paused = 0;
        series->has_power = 0;
        set_power(series, power_mw);
        em__gauge_begin(&series->lessons, t_ns, power_mw);
        return EM__ADDED_NOTHING;
    }
    if (t_ns <= series->last.t_ns) {
        return EM__ADDED_NOTHING;
    }
    uint32_t changed = power_mw != series->raw;
    series->raw = power_mw;
    if (series->is_gap || !series->has_power) {
        push_gap(series, t_ns, power_mw);
        set_power(series, power_mw);
        em__gauge_begin(&series->lessons, t_ns, power_mw);
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
    point.spread_uj2 += em__gauge_spread_uj2(series, &series->last, &point);
    em__gauge_learn(&series->lessons, series->facts, t_ns, power_mw);
    if (changed) {
        learn_period(series, t_ns);
    }
    point.updates += changed;
    series->update_ns = changed ? t_ns : series->update_ns;
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

void em__series_pin(em__series *series, uint64_t t_ns)
{
    em__doubt doubt;
    if (t_ns > series->last.t_ns) {
        em__point point = em__series_estimate(series, t_ns, &doubt);
        /* What a model says later of the time before a pinned edge comes too late; a counter makes up for it. */
        if (series->facts->kind == EM_KIND_MODEL && !series->has_power && !series->is_gap && !series->is_paused) {
            point.gap_ns += t_ns - series->last.t_ns;
            series->status = EM_ERR_READ;
        }
        push(series, point);
        series->last.power_mw = series->facts->kind == EM_KIND_GAUGE ? series->power_mw : 0;
    }
}
