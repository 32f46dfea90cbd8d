/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The value at any time within the newest brackets, and what it may be off (docs/measurement.md §7). */
#include "core/units.h"
#include "energy_meter.h"
#include "timeline/gauge.h"
#include "timeline/shape.h"

#include <math.h>

enum {
    SHORT_BRACKET_NS = 2000000, /* a straight line across it is good enough */
    SPARED_NS = 500000000       /* between two readings of a board's counter that is read once a second for a while */
};

#define FADING (31.0 / 32.0) /* of what was learned, at each point */
#define BELIEF 2.0           /* how many points the rule of §7 is worth before anything is learned */
#define RULE (1.0 / 3.0)     /* a step anywhere in the bracket errs by this part of (ΔP·T·u·(1 - u))², on average */
#define EVEN 0.02            /* of that, where power stood still in the two brackets before */
#define LIKELY 2.0 /* times what is not known of an update's time: powers that differ by less may be the same */
#define MOST 4.0
/* What alternates faster than points come, as a part of a bracket's energy: at least, and at most; most of it is believed
 * where left-out points are off by more than a HINT of it. */
#define HIDDEN_LEAST 0.035 /* in a bracket of a second or more; in shorter ones less */
#define HIDDEN_MOST 0.12
#define HINT 0.007
#define VEIL 0.025   /* of what late updates put the edge off by: so much of what alternates stays unseen behind it */
#define USUAL_NS 8e7 /* bracket in which most alternation is hidden: loads do it each 0.05 to 2 s */
#define FAVOUR 0.5   /* loads step where nothing says otherwise */
#define CAUTION 1.15 /* the errors have longer tails than a normal distribution */
#define VAGUE 0.1    /* points whose time is not known any better, in brackets, teach nothing */
#define NOISE 3.0    /* times what late updates alone put a left-out point off by, on average: what only that may be */
#define HALF 0.1     /* of the swing: what power may be off in a bracket, */
#define HALF_ON_LINE 0.7 /* and where nothing tells when in it power changed */
#define ALTERNATING 0.7  /* of the power, where it alternates faster than points come */

/* A bracket with what lies before and after it; NULL: unknown. */
typedef struct {
    const em__point *earliest, *before, *from, *to, *after;
} bracket;

/* In µJ per ns; negative: unknown. */
static double power_between(const em__point *from, const em__point *to)
{
    if (!from || !to || to->t_ns <= from->t_ns || to->gap_ns != from->gap_ns) {
        return -1.0;
    }
    return (double)(to->energy_uj - from->energy_uj) / (double)(to->t_ns - from->t_ns);
}

/* ------------------------------------------------------------------------------------------------------------ courses */

/* Over two brackets where what is not known of the updates between them explains by how much their powers differ. */
static double joined_power(const em__point *from, const em__point *middle, const em__point *to)
{
    double first = power_between(from, middle), second = power_between(middle, to);
    if (first < 0 || second < 0) {
        return -1.0;
    }
    double widths = 1 / (double)(middle->t_ns - from->t_ns) + 1 / (double)(to->t_ns - middle->t_ns);
    double noise = fmax(first, second) * (double)middle->blur_ns * widths;
    return fabs(first - second) < LIKELY * noise ? power_between(from, to) : -1.0;
}

static double power_before(const bracket *in)
{
    double joined = joined_power(in->earliest, in->before, in->from);
    return joined < 0 ? power_between(in->before, in->from) : joined;
}

/* A point on a straight stretch as its neighbours see it, too: what is not known of all three updates averages out. */
static em__point smoothed(const em__point *from, const em__point *point, const em__point *to)
{
    em__point better = *point;
    if (joined_power(from, point, to) < 0) {
        return better;
    }
    double u = (double)(point->t_ns - from->t_ns) / (double)(to->t_ns - from->t_ns);
    double own = point->blur_ns, before = from->blur_ns * (1 - u), after = to->blur_ns * u;
    double others2 = before * before + after * after;
    double off = (double)from->energy_uj + u * (double)(to->energy_uj - from->energy_uj) - (double)point->energy_uj;
    better.energy_uj += own > 0 ? (int64_t)(off * own * own / (own * own + others2)) : 0;
    return better;
}

/* Energy since the bracket's begin if its power stepped once, from that of the bracket before to that of the one after.
 * Where the bracket's own power is not between the two, it did something else: a straight line then. */
static double part_by_step(double before, double mean, double after, double width, double part)
{
    double low = fmin(before, after), high = fmax(before, after);
    if (low < 0 || high - low < 0.02 * high || mean <= low || mean >= high) {
        return mean * part;
    }
    double step = width * (mean - after) / (before - after);
    return part <= step ? before * part : before * step + after * (part - step);
}

/* If power ran straight, as steeply as from the bracket before to the one after. */
static double part_by_slope(double before, double mean, double after, double width, double part)
{
    double slope = (after - before) / 2;
    slope = before < 0 || after < 0 ? 0 : fmax(-2 * mean, fmin(2 * mean, slope));
    return part * (mean - slope * (1 - part / width) / 2);
}

static double part_of(em__course course, const bracket *in, double part)
{
    double before = power_before(in), after = power_between(in->to, in->after);
    double width = (double)(in->to->t_ns - in->from->t_ns);
    double mean = (double)(in->to->energy_uj - in->from->energy_uj) / width;
    switch (course) {
    case EM__COURSE_STEP:
        return part_by_step(before, mean, after, width, part);
    case EM__COURSE_SLOPE:
        return part_by_slope(before, mean, after, width, part);
    default:
        return mean * part;
    }
}

/* How far apart powers are around here. */
static double swing_of(const bracket *in)
{
    double powers[3] = {power_between(in->before, in->from), power_between(in->from, in->to),
                        in->after ? power_between(in->to, in->after) : power_between(in->earliest, in->before)};
    double low = INFINITY, high = 0;
    for (int i = 0; i < 3; i++) {
        low = powers[i] >= 0 ? fmin(low, powers[i]) : low;
        high = fmax(high, powers[i]);
    }
    return low < high ? high - low : 0;
}

/* The rule of §7 where the bracket's ends are known: a step of ΔP at the edge itself errs by ΔP·T·u·(1 - u). */
static double rule_of(const bracket *in, double part)
{
    double width = (double)(in->to->t_ns - in->from->t_ns), u = part / width;
    return swing_of(in) * width * u * (1 - u);
}

static int is_vague(const bracket *in)
{
    double blur = fmax((double)in->from->blur_ns, (double)in->to->blur_ns);
    return blur > VAGUE * (double)(in->to->t_ns - in->from->t_ns);
}

/* Of its points' times alone; power in µJ per ns. Readings that come about as often as updates are late alike. */
static double time_variance(const bracket *in, double power, double part)
{
    double u = is_vague(in) ? 0 : part / (double)(in->to->t_ns - in->from->t_ns);
    double from = power * in->from->blur_ns * (1 - u), to = power * in->to->blur_ns * u;
    return from * from + to * to;
}

/* Between readings that may be of one update a counter seems to stand still. */
static double power_around(const em__series *series, const bracket *in)
{
    double power = fmax(0.0, power_between(in->from, in->to));
    return is_vague(in) ? fmax(power, (double)series->power_mw / (double)EM__MW_NS_PER_UJ) : power;
}

void em__series_learn(em__series *series)
{
    bracket in = {NULL, &series->oldest, &series->older, &series->previous, &series->last};
    const em__point *left_out = &series->before;
    if (series->facts->kind == EM_KIND_GAUGE || series->last.gap_ns != series->oldest.gap_ns ||
        series->oldest.t_ns >= series->older.t_ns || series->older.t_ns >= left_out->t_ns ||
        left_out->t_ns >= series->previous.t_ns) {
        return;
    }
    double part = (double)(left_out->t_ns - in.from->t_ns);
    if (is_vague(&in) || (double)left_out->blur_ns > VAGUE * (double)(in.to->t_ns - in.from->t_ns)) {
        return;
    }
    double truth = (double)(left_out->energy_uj - in.from->energy_uj);
    double whole = (double)(in.to->energy_uj - in.from->energy_uj), rule = rule_of(&in, part);
    double power = power_around(series, &in), own = power * left_out->blur_ns;
    double timing = time_variance(&in, power, part) + own * own;
    em__lessons *lessons = &series->lessons;
    for (em__course course = 0; course < EM__COURSES; course++) {
        double off = part_of(course, &in, part) - truth;
        double square = lessons->squares[course] * FADING + off * off - NOISE * timing;
        lessons->squares[course] = square > 0 ? square : 0;
    }
    lessons->expected = lessons->expected * FADING + rule * rule;
    lessons->whole = lessons->whole * FADING + whole * whole;
}

static em__course best_course(const em__series *series, const bracket *in)
{
    const double *squares = series->lessons.squares;
    if (!in->before || !in->after) {
        return EM__COURSE_LINE;
    }
    em__course other = squares[EM__COURSE_SLOPE] < squares[EM__COURSE_LINE] ? EM__COURSE_SLOPE : EM__COURSE_LINE;
    return squares[other] < FAVOUR * squares[EM__COURSE_STEP] ? other : EM__COURSE_STEP;
}

/* Where power stood still before the bracket, that it stepped once within is more than a guess. */
static double unevenness_of(em__course course, const bracket *in)
{
    double earlier = power_between(in->earliest, in->before), before = power_between(in->before, in->from);
    double swing = swing_of(in), change = fabs(before - earlier);
    return course != EM__COURSE_STEP || earlier < 0 || before < 0 || swing <= 0
               ? 1
               : fmin(1.0, fmax(EVEN, change * change / (swing * swing)));
}

/* What the course may be off, and what lies behind it: changes that come faster than points. */
static em__doubt doubt_of(const em__series *series, em__course course, const bracket *in, double part)
{
    const em__lessons *lessons = &series->lessons;
    double width = (double)(in->to->t_ns - in->from->t_ns), u = part / width, rule = rule_of(in, part);
    double whole = (double)(in->to->energy_uj - in->from->energy_uj), square = rule * rule;
    if (square > 0) {
        double belief = BELIEF * RULE * square * unevenness_of(course, in);
        double factor = (lessons->squares[course] + belief) / (lessons->expected + BELIEF * square);
        square *= fmin(factor, MOST);
    }
    double mean = power_around(series, in), late = time_variance(in, mean, part);
    double hint = lessons->whole > 0 ? sqrt(lessons->squares[course] / lessons->whole) : 0;
    hint += whole > 0 ? VEIL * sqrt(late) / whole : 0;
    double usual = fmin(1.0, 3 * width / USUAL_NS) * 2 / (width / USUAL_NS + USUAL_NS / width);
    double least = HIDDEN_LEAST * pow(fmin(1.0, width / (double)EM__NS_PER_S), 0.75);
    double part_hidden = least + HIDDEN_MOST * usual * hint / (hint + HINT);
    double alternating = ALTERNATING * (least / HIDDEN_MOST + sqrt(usual) * hint / (hint + HINT));
    double hidden = part_hidden * whole;
    double variance = square + hidden * hidden * 4 * u * (1 - u) + late;
    double blur = sqrt((double)in->from->blur_ns * in->from->blur_ns + (double)in->to->blur_ns * in->to->blur_ns);
    double power =
        (course == EM__COURSE_LINE ? HALF_ON_LINE : HALF) * swing_of(in) + (alternating + blur / width) * mean;
    power = is_vague(in) ? mean : power; /* Readings of one update are late alike. */
    return (em__doubt){.energy_uj = CAUTION * sqrt(variance), .power_mw = power * (double)EM__MW_NS_PER_UJ};
}

/* ------------------------------------------------------------------------------------------------------------- gauges */

static double part_by_trapezoid(const bracket *in, double part)
{
    double start = (double)in->from->power_mw, width = (double)(in->to->t_ns - in->from->t_ns);
    double slope = ((double)in->to->power_mw - start) / width;
    return (start + 0.5 * slope * part) * part / (double)EM__MW_NS_PER_UJ;
}

/* ------------------------------------------------------------------------------------------------------------- values */

static bracket bracket_around(const em__series *series, uint64_t t_ns)
{
    const em__series *s = series;
    int is_last = t_ns > s->previous.t_ns || s->previous.t_ns == s->before.t_ns;
    return is_last ? (bracket){&s->older, &s->before, &s->previous, &s->last, NULL}
                   : (bracket){&s->oldest, &s->older, &s->before, &s->previous, &s->last};
}

static em__doubt doubt_at_point(const em__series *series, const bracket *in, const em__point *at)
{
    if (power_between(in->from, in->to) < 0) {
        return (em__doubt){0};
    }
    if (series->facts->kind == EM_KIND_GAUGE) {
        return em__gauge_doubt(&series->lessons, series->facts, (double)at->power_mw);
    }
    em__doubt inside = doubt_of(series, best_course(series, in), in, (double)(in->to->t_ns - in->from->t_ns) / 2);
    return (em__doubt){.energy_uj = power_around(series, in) * at->blur_ns, .power_mw = inside.power_mw};
}

/* A counter that is read often tells its own course, but for the times when it is spared. */
static int is_shaped(const em__series *series, uint64_t width_ns)
{
    return series->shape && (series->facts->shaped_by || width_ns >= SPARED_NS);
}

/* Shaped by the samples of its gauge, an edge shares what its points may be off. */
static int shape_bracket(const em__series *series, const bracket *in, uint64_t t_ns, int64_t *ret_part_uj,
                         em__doubt *ret_doubt)
{
    em__doubt doubt;
    if (!is_shaped(series, in->to->t_ns - in->from->t_ns) ||
        !em__shape_part(series->shape, in->from, in->to, t_ns, ret_part_uj, &doubt)) {
        return 0;
    }
    double part = (double)(t_ns - in->from->t_ns), width = (double)(in->to->t_ns - in->from->t_ns);
    double power = power_around(series, in), blur = fmax((double)in->from->blur_ns, (double)in->to->blur_ns) / width;
    double late = time_variance(in, power, part);
    double power_mw = doubt.power_mw + blur * power * (double)EM__MW_NS_PER_UJ;
    *ret_doubt = (em__doubt){.energy_uj = sqrt(doubt.energy_uj * doubt.energy_uj + late), .power_mw = power_mw};
    return 1;
}

em__point em__series_at(const em__series *series, uint64_t t_ns, em__doubt *ret_doubt)
{
    bracket in = bracket_around(series, t_ns);
    em__point smooth[2];
    if (series->phase.is_known) {
        smooth[0] = smoothed(in.before, in.from, in.to);
        smooth[1] = smoothed(in.from, in.to, in.after);
        in.from = &smooth[0];
        in.to = &smooth[1];
    }
    const em__point *from = in.from, *to = in.to;
    if (t_ns <= from->t_ns || t_ns >= to->t_ns) {
        const em__point *at = t_ns <= from->t_ns ? from : to;
        *ret_doubt = doubt_at_point(series, &in, at);
        return *at;
    }
    uint64_t part_ns = t_ns - from->t_ns, bracket_ns = to->t_ns - from->t_ns;
    int64_t whole_uj = to->energy_uj - from->energy_uj;
    int64_t part_uj = (int64_t)em__scale((uint64_t)whole_uj, part_ns, bracket_ns);
    double part = (double)part_ns, u = part / (double)bracket_ns;
    if (to->gap_ns != from->gap_ns) {
        *ret_doubt = (em__doubt){.energy_uj = (double)whole_uj * sqrt(u * (1 - u) / 3)};
    } else if (series->facts->kind == EM_KIND_GAUGE) {
        part_uj = (int64_t)part_by_trapezoid(&in, part);
        *ret_doubt = em__gauge_doubt(&series->lessons, series->facts,
                                     (double)from->power_mw * (1 - u) + (double)to->power_mw * u);
    } else if (!shape_bracket(series, &in, t_ns, &part_uj, ret_doubt)) {
        em__course course = series->phase.is_known ? best_course(series, &in) : EM__COURSE_LINE;
        part_uj = course == EM__COURSE_LINE ? part_uj : (int64_t)part_of(course, &in, part);
        *ret_doubt = doubt_of(series, course, &in, part);
    }
    part_uj = part_uj < 0 ? 0 : part_uj > whole_uj ? whole_uj : part_uj;
    em__point point = *from;
    point.t_ns = t_ns;
    point.energy_uj += part_uj;
    point.gap_ns += em__scale(to->gap_ns - from->gap_ns, part_ns, bracket_ns);
    point.spread_uj2 += (to->spread_uj2 - from->spread_uj2) * u;
    point.updates += (uint32_t)em__scale(to->updates - from->updates, 2 * part_ns + bracket_ns, 2 * bracket_ns);
    return point;
}

uint64_t em__series_settled_ns(const em__series *series)
{
    int is_short = series->last.t_ns - series->previous.t_ns <= SHORT_BRACKET_NS;
    uint64_t shaped_ns = series->facts->shaped_by && series->shape ? em__shape_known_ns(series->shape) : 0;
    if (!series->phase.is_known && shaped_ns > series->previous.t_ns && shaped_ns < series->last.t_ns) {
        return series->previous.t_ns; /* All edges of a bracket at once, when all of its samples are there. */
    }
    return series->phase.is_known && !is_short ? series->previous.t_ns : series->last.t_ns;
}

/* Nothing after the last point is known: power may have moved as far as it did lately, or by a tenth; before the first
 * power is known, by all that is possible. */
static em__doubt estimate_doubt(const em__series *series, uint64_t ahead_ns)
{
    double power = (double)series->power_mw, swing = fabs(power - (double)series->power_before_mw);
    double off = series->has_power ? fmax(swing, power / 10) : (double)series->facts->ceiling_mw / sqrt(12.0);
    double ahead = (double)ahead_ns * off, late = (double)series->last.blur_ns * power;
    double lag =
        series->facts->kind == EM_KIND_GAUGE ? em__gauge_doubt(&series->lessons, series->facts, power).energy_uj : 0;
    double scale = (double)EM__MW_NS_PER_UJ;
    return (em__doubt){.energy_uj = sqrt((ahead * ahead + late * late) / (scale * scale) + lag * lag), .power_mw = off};
}

em__point em__series_estimate(const em__series *series, uint64_t t_ns, em__doubt *ret_doubt)
{
    em__point point = series->last;
    if (t_ns <= point.t_ns) {
        return em__series_at(series, t_ns, ret_doubt);
    }
    *ret_doubt = (em__doubt){0};
    uint64_t ahead_ns = t_ns - point.t_ns;
    point.t_ns = t_ns;
    if (series->is_gap) {
        point.gap_ns += series->is_paused ? 0 : ahead_ns;
        return point;
    }
    *ret_doubt = estimate_doubt(series, ahead_ns);
    if (t_ns < series->known_ns) {
        int64_t whole_uj = series->known_uj > point.energy_uj ? series->known_uj - point.energy_uj : 0;
        point.energy_uj += (int64_t)em__scale((uint64_t)whole_uj, ahead_ns, series->known_ns - series->last.t_ns);
    } else if (series->has_power) {
        uint64_t since_ns = t_ns - series->known_ns;
        int64_t reach_uj = series->known_uj;
        if (is_shaped(series, since_ns) && series->shape->count > 0) {
            reach_uj += em__shape_energy_uj(series->shape, series->known_ns, t_ns);
        } else {
            reach_uj += (int64_t)em__scale(series->power_mw, since_ns, EM__MW_NS_PER_UJ);
        }
        point.energy_uj = reach_uj > point.energy_uj ? reach_uj : point.energy_uj;
    }
    return point;
}
