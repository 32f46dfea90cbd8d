/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Learns from a gauge's readings how far its power moves, and how much like noise they are. */
#include "timeline/gauge.h"

#include "core/units.h"

#include <math.h>

#define NEW_PART 0.75    /* of an update's time: readings closer than this may show the same one */
#define MEAN_COUNT 256.0 /* readings that are remembered */
#define SWING_COUNT 64.0
#define WHITE_FIRST 2.0 /* readings that noise is worth before anything is learned, */
#define GUESS 0.6       /* and what power may be off then, as a part of its mean */
#define GUESS_POWER 0.8 /* with which that falls in brackets shorter than */
#define GUESS_NS 4e8
#define SEEN_LEAST 0.02
#define STEP 10.0 /* a step anywhere between two readings errs by a twelfth of (ΔP·T)², on average; some have more */
#define SAME_MOST_NS 1e11
#define CAUTION 1.15 /* the errors have longer tails than a normal distribution */
#define MISSED 0.7   /* of an update's time */
#define LATELY 1.3   /* of how far a gauge is from its mean, and moves: what it may be off */

void em__gauge_begin(em__lessons *lessons, uint64_t t_ns, uint64_t power_mw)
{
    lessons->mean_mw = lessons->count > 0 ? lessons->mean_mw : (double)power_mw;
    lessons->seen_ns = t_ns;
    lessons->seen_mw = power_mw;
}

static void approach(double *mean, double value, double count, double most)
{
    *mean += (value - *mean) / fmin(count, most);
}

void em__gauge_learn(em__lessons *lessons, const em__channel *facts, uint64_t t_ns, uint64_t power_mw)
{
    double apart_ns = (double)(t_ns - lessons->seen_ns);
    if (apart_ns < NEW_PART * (double)facts->refresh_ns) {
        return;
    }
    double power = (double)power_mw, change = power - (double)lessons->seen_mw, off = power - lessons->mean_mw;
    double swing = change * (1 + (double)facts->average_ns / apart_ns);
    lessons->count++;
    approach(&lessons->mean_mw, power, lessons->count + 1, MEAN_COUNT);
    approach(&lessons->variance, off * off, lessons->count, SWING_COUNT);
    approach(&lessons->change2, change * change, lessons->count, SWING_COUNT);
    approach(&lessons->swing2, swing * swing, lessons->count, SWING_COUNT);
    lessons->seen_ns = t_ns;
    lessons->seen_mw = power_mw;
}

/* 0: readings follow the power. 1: each is as far from the one before as from any other, as if power were noise: it
 * alternates about as fast as they come, or faster. */
static double whiteness(const em__lessons *lessons)
{
    double spread = 2 * lessons->variance, white = spread > 0 ? fmin(1.0, lessons->change2 / spread) : 0;
    return (white * lessons->count + WHITE_FIRST) / (lessons->count + WHITE_FIRST);
}

/* The fewer readings there were, the more may have stayed hidden behind them: a load in step with them looks constant. */
static double guess_mw(const em__lessons *lessons)
{
    return GUESS * lessons->mean_mw / sqrt(1 + lessons->count);
}

/* Where readings follow the power, a change between two of them happened once, anywhere; where they are like noise, each
 * says as little of the time around it as any other. A mean over all the time between two updates misses hardly anything.
 * While a gauge shows the same number, what it rounds away is the same. */
double em__gauge_spread_uj2(const em__series *series, const em__point *from, const em__point *to)
{
    const em__lessons *lessons = &series->lessons;
    const em__channel *facts = series->facts;
    double apart_ns = (double)(to->t_ns - from->t_ns), step_ns = fmax(apart_ns, (double)facts->refresh_ns);
    double unseen = 1 - fmin((double)facts->average_ns / step_ns, 1.0), white = whiteness(lessons);
    double change_mw = (double)to->power_mw - (double)from->power_mw, guess = guess_mw(lessons);
    double followed = change_mw * change_mw / STEP * step_ns * step_ns;
    double noise = lessons->change2 / 2 * apart_ns * step_ns;
    double hidden = guess * guess * apart_ns * step_ns * pow(fmin(1.0, step_ns / GUESS_NS), GUESS_POWER);
    double unit_mw = (double)(facts->unit ? facts->unit : 1) * (double)facts->scale_num / (double)facts->scale_den;
    double same_ns = fmin((double)(from->t_ns - series->update_ns), SAME_MOST_NS);
    double square =
        fmax(SEEN_LEAST, unseen * unseen * unseen) * ((1 - white * white) * followed + white * white * noise + hidden) +
        unit_mw * unit_mw * apart_ns * (apart_ns + 2 * same_ns) / 8.0;
    return square / ((double)EM__MW_NS_PER_UJ * (double)EM__MW_NS_PER_UJ);
}

/* It shows a power that is older than its reading, which at constant power does not matter; and a mean hides what power
 * does within, by as much as the mean itself moves. */
em__doubt em__gauge_doubt(const em__lessons *lessons, const em__channel *facts, double power_mw)
{
    double refresh_ns = (double)facts->refresh_ns, average_ns = (double)facts->average_ns;
    double late_ns = (refresh_ns + average_ns) / 2, blur_ns = refresh_ns / sqrt(12.0);
    double off_mw = power_mw - lessons->mean_mw, guess = guess_mw(lessons);
    double lag2 = (late_ns * late_ns + blur_ns * blur_ns) * off_mw * off_mw;
    double hidden2 = average_ns * average_ns / 4 * lessons->variance;
    double missed_ns = MISSED * refresh_ns * fmin(1.0, refresh_ns / fmax(average_ns, 1.0));
    double variance = lag2 + hidden2 + missed_ns * missed_ns * lessons->swing2;
    return (em__doubt){.energy_uj = CAUTION * sqrt(variance) / (double)EM__MW_NS_PER_UJ,
                       .power_mw = LATELY * sqrt(off_mw * off_mw + lessons->swing2 + guess * guess)};
}
