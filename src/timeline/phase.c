/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A search by dense readings, then sweeps around expected updates at growing distances, and a line through all seen. */
#include "timeline/phase.h"

#include <math.h>
#include <string.h>

enum {
    SEARCH_STEPS = 16,   /* readings in one documented period */
    SEARCH_SEEN = 4,     /* updates that end a search */
    SEARCH_PERIODS = 10, /* a counter that does not move is left alone after this */
    MISSES_ALLOWED = 3,
    FIRST_PAUSE_PERIODS = 3,
    MIN_STEP_NS = 60000, /* a sleeping thread cannot do better */
    FINEST_NS = 10000
};
#define LOST 0.45 /* a line that is no better, in periods, tells nothing */
#define JITTERY 0.05
#define MAX_PAUSE_NS UINT64_C(16000000000)

void em__phase_init(em__phase *phase, uint64_t documented_ns)
{
    memset(phase, 0, sizeof *phase);
    phase->documented_ns = documented_ns;
    phase->period_ns = (double)documented_ns;
}

static uint64_t at_least(uint64_t value, uint64_t least)
{
    return value > least ? value : least;
}

static void search(em__phase *phase, uint64_t now_ns)
{
    phase->seen_count = 0;
    phase->is_known = 0;
    phase->misses = 0;
    phase->center_ns = 0;
    phase->period_ns = (double)phase->documented_ns;
    phase->search_until_ns = now_ns + SEARCH_PERIODS * phase->documented_ns;
    phase->next_ns = now_ns + at_least(phase->documented_ns / SEARCH_STEPS, MIN_STEP_NS);
}

/* Least squares of time over index, each update weighted by how closely it was seen; the residuals are the jitter. */
static void fit(em__phase *phase)
{
    uint32_t count = phase->seen_count < EM__PHASE_SEEN ? phase->seen_count : EM__PHASE_SEEN;
    double base = (double)phase->seen_ns[0], weights[EM__PHASE_SEEN];
    double sum = 0, n = 0, y = 0, nn = 0, ny = 0, square = 0;
    for (uint32_t i = 0; i < count; i++) {
        double blur = (double)phase->blur_ns[i] + FINEST_NS;
        weights[i] = 1.0 / (blur * blur);
        sum += weights[i];
        n += weights[i] * phase->seen_index[i];
        y += weights[i] * ((double)phase->seen_ns[i] - base);
    }
    n /= sum;
    y /= sum;
    for (uint32_t i = 0; i < count; i++) {
        double dn = phase->seen_index[i] - n, dy = (double)phase->seen_ns[i] - base - y;
        nn += weights[i] * dn * dn;
        ny += weights[i] * dn * dy;
    }
    if (count < 2 || nn <= 0) {
        return;
    }
    phase->period_ns = ny / nn;
    phase->origin_ns = base + y - n * phase->period_ns;
    for (uint32_t i = 0; i < count; i++) {
        double off = (double)phase->seen_ns[i] - phase->origin_ns - phase->seen_index[i] * phase->period_ns;
        square += weights[i] * off * off;
    }
    double sigma = sqrt(square / sum) + FINEST_NS;
    double scatter2 = square / sum * (double)count / (count > 3 ? count - 2.5 : 1);
    double looks2 = 0; /* what of it the distance between readings explains; the rest is jitter */
    for (uint32_t i = 0; i < count; i++) {
        looks2 += weights[i] * (double)phase->blur_ns[i] * (double)phase->blur_ns[i] / 3 / sum;
    }
    phase->middle_ns = phase->origin_ns + n * phase->period_ns;
    phase->middle_blur_ns = sqrt(fmax(0, scatter2 - looks2) + fmax(scatter2, looks2) / count);
    phase->error_ns = at_least((uint64_t)(3.0 * sigma + sqrt(count / sum)), MIN_STEP_NS);
    phase->drift = sqrt(square / (count > 2 ? count - 2 : 1) / nn) + FINEST_NS * sqrt(1.0 / (nn / sum * count));
}

static void see(em__phase *phase, uint64_t from_ns, uint64_t to_ns)
{
    uint32_t slot = phase->seen_count % EM__PHASE_SEEN;
    uint64_t t_ns = from_ns + (to_ns - from_ns) / 2;
    double index = phase->seen_count; /* In a search no update is passed over. */
    if (phase->is_known) {
        index = round(((double)t_ns - phase->origin_ns) / phase->period_ns);
    }
    phase->seen_ns[slot] = t_ns;
    phase->blur_ns[slot] = (to_ns - from_ns) / 2;
    phase->seen_index[slot] = index;
    phase->seen_count++;
    fit(phase);
}

uint64_t em__phase_instant(const em__phase *phase, uint64_t t_ns)
{
    double index = floor(((double)t_ns - phase->origin_ns) / phase->period_ns);
    double instant = phase->origin_ns + index * phase->period_ns;
    return instant > 0 ? (uint64_t)instant : 0;
}

/* Nothing to see for a while; then a look at one update, as wide as the line may be off by then. */
static void rest(em__phase *phase, uint64_t now_ns, uint64_t pause_ns)
{
    double period_ns = phase->period_ns;
    double reach_ns = period_ns * period_ns / 20 / phase->drift; /* until then the line is good to T / 20 */
    uint64_t most_ns = reach_ns < (double)MAX_PAUSE_NS ? (uint64_t)reach_ns : MAX_PAUSE_NS;
    phase->pause_ns = pause_ns < most_ns ? pause_ns : most_ns;
    phase->center_ns = em__phase_instant(phase, now_ns + phase->pause_ns) + (uint64_t)period_ns;
    phase->next_ns = phase->center_ns - (uint64_t)(period_ns / 2);
    uint64_t seen_ns = phase->seen_ns[(phase->seen_count - 1) % EM__PHASE_SEEN];
    double ahead = (double)(phase->center_ns - seen_ns) / period_ns;
    double half_ns = (2.0 * (double)phase->error_ns + 2.0 * phase->drift * ahead) * (1 + phase->misses);
    phase->half_ns = (uint64_t)fmin(half_ns, 0.4 * period_ns);
}

static int is_plausible(const em__phase *phase)
{
    double ratio = phase->period_ns / (double)phase->documented_ns;
    return ratio > 0.2 && ratio < 8.0 && (double)phase->error_ns < LOST * phase->period_ns;
}

static void end_search(em__phase *phase, uint64_t now_ns)
{
    phase->search_until_ns = 0;
    if (phase->seen_count >= SEARCH_SEEN && is_plausible(phase)) {
        phase->is_known = 1;
        rest(phase, now_ns, FIRST_PAUSE_PERIODS * (uint64_t)phase->period_ns);
        return;
    }
    phase->center_ns = 0;
    phase->pause_ns = at_least(2 * phase->pause_ns, FIRST_PAUSE_PERIODS * phase->documented_ns);
    phase->pause_ns = phase->pause_ns < MAX_PAUSE_NS ? phase->pause_ns : MAX_PAUSE_NS;
    phase->next_ns = now_ns + phase->pause_ns;
}

static void missed(em__phase *phase, uint64_t now_ns)
{
    if (++phase->misses > MISSES_ALLOWED) {
        search(phase, now_ns);
    } else {
        rest(phase, now_ns, FIRST_PAUSE_PERIODS * (uint64_t)phase->period_ns);
    }
}

static void sweep(em__phase *phase, uint64_t before_ns, uint64_t t_ns, int has_moved)
{
    uint64_t half_ns = phase->half_ns;
    uint64_t from_ns = phase->center_ns - half_ns, to_ns = phase->center_ns + half_ns;
    if (t_ns + (uint64_t)phase->period_ns < phase->center_ns) {
        return; /* A regular reading before the look begins. */
    }
    if (t_ns < from_ns) {
        phase->next_ns = from_ns;
        return;
    }
    uint64_t step_ns = at_least(2 * half_ns / EM__PHASE_SWEEP, MIN_STEP_NS);
    if (has_moved && before_ns + half_ns / 2 + 2 * step_ns >= t_ns && before_ns >= from_ns) {
        see(phase, before_ns, t_ns);
        phase->misses = 0;
        if ((double)phase->error_ns > LOST * phase->period_ns) {
            search(phase, t_ns);
        } else {
            int is_jittery = (double)phase->error_ns > JITTERY * phase->period_ns;
            rest(phase, t_ns, is_jittery ? phase->pause_ns + phase->pause_ns / 4 : 2 * phase->pause_ns);
        }
    } else if (has_moved || t_ns >= to_ns) {
        missed(phase, t_ns);
    } else {
        phase->next_ns = t_ns + step_ns;
    }
}

/* By the line; 0: too close to an update to say. */
static uint64_t tell(em__phase *phase, uint64_t t_ns)
{
    uint64_t instant_ns = em__phase_instant(phase, t_ns);
    int is_sure =
        t_ns - instant_ns > phase->error_ns && instant_ns + (uint64_t)phase->period_ns - t_ns > phase->error_ns;
    phase->told_ns = is_sure ? instant_ns : 0;
    double drift_ns = phase->drift * ((double)instant_ns - phase->middle_ns) / phase->period_ns;
    phase->told_blur_ns =
        (uint64_t)fmin(phase->period_ns, sqrt(phase->middle_blur_ns * phase->middle_blur_ns + drift_ns * drift_ns));
    return phase->told_ns;
}

uint64_t em__phase_glance(em__phase *phase, uint64_t t_ns, int has_moved)
{
    if (!phase->is_known) {
        return em__phase_read(phase, t_ns, has_moved);
    }
    phase->read_ns = t_ns;
    if (t_ns + (uint64_t)phase->period_ns >= phase->center_ns) {
        rest(phase, t_ns, FIRST_PAUSE_PERIODS * (uint64_t)phase->period_ns);
    }
    return tell(phase, t_ns);
}

uint64_t em__phase_read(em__phase *phase, uint64_t t_ns, int has_moved)
{
    uint64_t before_ns = phase->read_ns;
    if (phase->documented_ns == 0) {
        return 0;
    }
    phase->read_ns = t_ns;
    uint64_t close_ns = at_least(phase->documented_ns / 4, 2 * MIN_STEP_NS);
    int is_close = before_ns && t_ns - before_ns <= close_ns;
    uint64_t instant_ns = has_moved && is_close ? before_ns + (t_ns - before_ns) / 2 : 0;
    if (phase->search_until_ns) {
        if (instant_ns) {
            see(phase, before_ns, t_ns);
            phase->search_until_ns = t_ns + SEARCH_PERIODS * phase->documented_ns;
        } else if (has_moved) {
            phase->seen_count = 0; /* Updates were passed over. */
        }
        if (phase->seen_count >= SEARCH_SEEN || t_ns >= phase->search_until_ns) {
            end_search(phase, t_ns);
        } else {
            phase->next_ns = t_ns + at_least(phase->documented_ns / SEARCH_STEPS, MIN_STEP_NS);
        }
    } else if (phase->center_ns) {
        sweep(phase, before_ns, t_ns, has_moved);
    } else if (t_ns >= phase->next_ns) {
        search(phase, t_ns);
    }
    phase->told_ns = instant_ns;
    phase->told_blur_ns = (uint64_t)((double)(t_ns - before_ns) / sqrt(12.0));
    return instant_ns || !phase->is_known ? instant_ns : tell(phase, t_ns);
}

uint64_t em__phase_plan(const em__phase *phase, uint64_t now_ns, uint64_t due_ns)
{
    uint64_t planned_ns = due_ns;
    if (phase->documented_ns == 0) {
        return due_ns;
    }
    if (phase->is_known) {
        uint64_t half_ns = (uint64_t)(phase->period_ns / 2);
        planned_ns = em__phase_instant(phase, due_ns) + half_ns;
        planned_ns += planned_ns <= now_ns ? (uint64_t)phase->period_ns : 0;
    }
    uint64_t wanted_ns = phase->next_ns > now_ns ? phase->next_ns : now_ns + MIN_STEP_NS;
    return wanted_ns < planned_ns ? wanted_ns : planned_ns;
}
