/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Draws and measures. */
#include "rig/trial.h"

#include "rig/random.h"
#include "rig/sampler.h"

#include <math.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { WARM_S = 3 };

typedef struct {
    wave whole, parts[2]; /* parts: of a sum */
    int is_sum;
    double step_s; /* a step happens here and every period_s; 0: none */
    double period_s;
} load;

static double even(rig_range range)
{
    return rig_random_between(range.low, range.high);
}

static double even_log(rig_range range)
{
    return exp(rig_random_between(log(range.low), log(range.high)));
}

/* The sum of twelve uniform numbers has a standard deviation of 1. */
static double normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        sum += rig_random_between(0, 1);
    }
    return sum;
}

static load draw_load(const rig_load_range *loads, int is_board)
{
    rig_range power = is_board ? loads->board_w : loads->package_w, begin = {0, 2};
    double a_w = even(power), b_w = even(power), low_w = fmin(a_w, b_w), high_w = fmax(a_w, b_w);
    double kind = rig_random_between(0, 1), period_s = even_log(loads->period_s), begin_s = even(begin);
    double duty = even(loads->duty), ramp_s = even_log(loads->ramp_s);
    load drawn = {.whole = wave_constant(a_w)};
    if ((kind -= loads->constant) < 0) {
        return drawn;
    }
    if ((kind -= loads->square) < 0) {
        drawn.whole = wave_square(low_w, high_w, period_s, duty, begin_s);
        drawn.step_s = begin_s;
        drawn.period_s = period_s;
    } else if ((kind -= loads->ramp) < 0) {
        drawn.whole = wave_ramp(a_w, b_w, begin_s, begin_s + ramp_s);
    } else if ((kind -= loads->sine) < 0) {
        drawn.whole = wave_sine((low_w + high_w) / 2, (high_w - low_w) / 2, period_s, begin_s);
    } else {
        double sine_begin_s = even(begin), sine_period_s = even_log(loads->period_s);
        drawn.parts[0] = wave_square(low_w / 2, high_w / 2, period_s, duty, begin_s);
        drawn.parts[1] = wave_sine((low_w + high_w) / 4, (high_w - low_w) / 4, sine_period_s, sine_begin_s);
        drawn.is_sum = 1;
        drawn.step_s = begin_s;
        drawn.period_s = period_s;
    }
    return drawn;
}

static rig_channel draw_channel(const rig_sensor_range *sensor, const wave *power)
{
    rig_source source = {.wave = power,
                         .period_ns = sensor->period_ms * MS,
                         .phase_ns = rig_random_below(sensor->period_ms * MS),
                         .jitter_ns = sensor->jitter_ms * MS,
                         .average_ns = sensor->average_ms * MS,
                         .unit = sensor->unit};
    rig_channel channel =
        rig_channel_make("x", sensor->is_board ? EM__COVERS_BOARD : EM__COVERS_PACKAGE, 0, sensor->kind, source);
    channel.facts.gain = sensor->gain;
    channel.facts.average_ns = source.average_ns;
    channel.facts.unit = sensor->kind == EM_KIND_COUNTER ? (uint64_t)sensor->unit : 1;
    return channel;
}

static rig_trial draw_window(rig_sampler *at, const load *under, const wave *power, uint64_t length_ns)
{
    uint64_t begin_ns = at->now_ns + rig_random_below(S);
    if (under->period_s > 0 && rig_random_below(2)) {
        double turns = ceil(((double)begin_ns / 1e9 - under->step_s) / under->period_s);
        begin_ns = (uint64_t)((under->step_s + turns * under->period_s) * 1e9);
    }
    uint64_t end_ns = begin_ns + length_ns;
    rig_sampler_until(at, begin_ns);
    em_window window = rig_ledger_begin(at->rig, EM_WINDOW_BATCH, NULL, begin_ns);
    rig_sampler_until(at, end_ns);
    rig_ledger_end(at->rig, window, end_ns);
    em_result result = rig_sampler_settle(at, window, end_ns, 20 * S);
    return (rig_trial){.truth_j = wave_energy_j(power, begin_ns, end_ns),
                       .measured_j = result.total.energy_j,
                       .edge_j = result.total.edge_j,
                       .all_j = result.total.uncertainty_j,
                       .is_final = result.is_final};
}

void rig_trial_run(const rig_sensor_range *sensor, const rig_load_range *loads, uint32_t interval_ms,
                   rig_trial ret_trials[RIG_LENGTHS])
{
    static rig_ledger rig;
    load under = draw_load(loads, sensor->is_board);
    wave sum = wave_sum(under.parts, 2);
    const wave *power = under.is_sum ? &sum : &under.whole;
    rig_sensor_range gauge = {.kind = EM_KIND_GAUGE, .is_board = 1, .period_ms = sensor->shape_ms, .unit = 1};
    rig_channel channels[2] = {draw_channel(sensor, power)};
    int is_shaped = sensor->shape_ms > 0;
    if (is_shaped) {
        channels[1] = draw_channel(&gauge, power);
        channels[0].facts.shaped_by = 1;
    }
    channels[0].facts.notes = sensor->every_ms ? EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER) : 0;
    double gain_error = sensor->gain * normal();
    rig_sampler at = rig_sampler_make(&rig, S, (sensor->every_ms && !is_shaped ? sensor->every_ms : interval_ms) * MS);
    at.is_planned = !sensor->every_ms;
    at.is_shaped = is_shaped;
    rig_ledger_init(&rig, channels, is_shaped ? 2 : 1, NULL);
    rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
    rig_sampler_until(&at, S + WARM_S * S);
    for (size_t i = 0; i < RIG_LENGTHS; i++) {
        ret_trials[i] = draw_window(&at, &under, power, rig_window_lengths_ms[i] * MS);
        ret_trials[i].gain_error = gain_error;
    }
    rig_ledger_free(&rig);
}

int rig_trial_is_within_edge(const rig_trial *trial)
{
    return fabs(trial->measured_j - trial->truth_j) <= trial->edge_j;
}

/* §7 takes the gain of what is shown: the same reading on a device whose truth is 1 + gain_error times as much. */
int rig_trial_is_within_all(const rig_trial *trial)
{
    return fabs(trial->measured_j - trial->truth_j * (1 + trial->gain_error)) <= trial->all_j;
}
