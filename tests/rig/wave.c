/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Each shape has a power and an antiderivative. */
#include "rig/wave.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

wave wave_constant(double power_w)
{
    return (wave){.shape = WAVE_CONSTANT, .low_w = power_w, .high_w = power_w};
}

wave wave_square(double low_w, double high_w, double period_s, double duty, double begin_s)
{
    return (wave){
        .shape = WAVE_SQUARE, .low_w = low_w, .high_w = high_w, .period_s = period_s, .duty = duty, .begin_s = begin_s};
}

wave wave_ramp(double from_w, double to_w, double begin_s, double end_s)
{
    return (wave){.shape = WAVE_RAMP, .low_w = from_w, .high_w = to_w, .begin_s = begin_s, .end_s = end_s};
}

wave wave_sine(double mean_w, double amplitude_w, double period_s, double begin_s)
{
    return (wave){.shape = WAVE_SINE,
                  .low_w = mean_w - amplitude_w,
                  .high_w = mean_w + amplitude_w,
                  .period_s = period_s,
                  .begin_s = begin_s};
}

wave wave_burst(double base_w, double burst_w, double begin_s, double end_s)
{
    return (wave){.shape = WAVE_BURST, .low_w = base_w, .high_w = burst_w, .begin_s = begin_s, .end_s = end_s};
}

wave wave_sum(const wave *parts, size_t part_count)
{
    return (wave){.shape = WAVE_SUM, .parts = parts, .part_count = part_count};
}

static double held(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* Where in its period a time is, 0 to below 1, and how many whole periods lie before it. */
static double phase_of(const wave *w, double t_s, double *ret_periods)
{
    double turns = (t_s - w->begin_s) / w->period_s;
    *ret_periods = floor(turns);
    return turns - *ret_periods;
}

static double power_at(const wave *w, double t_s)
{
    double periods, from_begin_s = held(t_s, w->begin_s, w->end_s) - w->begin_s, power_w = 0;
    switch (w->shape) {
    case WAVE_CONSTANT:
        return w->high_w;
    case WAVE_SQUARE:
        return phase_of(w, t_s, &periods) < w->duty ? w->high_w : w->low_w;
    case WAVE_RAMP:
        return w->low_w + (w->high_w - w->low_w) * from_begin_s / (w->end_s - w->begin_s);
    case WAVE_SINE:
        return (w->low_w + w->high_w) / 2 + (w->high_w - w->low_w) / 2 * sin(2 * pi * phase_of(w, t_s, &periods));
    case WAVE_BURST:
        return t_s >= w->begin_s && t_s < w->end_s ? w->high_w : w->low_w;
    case WAVE_SUM:
        break;
    }
    for (size_t i = 0; i < w->part_count; i++) {
        power_w += power_at(&w->parts[i], t_s);
    }
    return power_w;
}

/* Energy up to a time, from wherever: only differences mean something. */
static double energy_until(const wave *w, double t_s)
{
    double step_w = w->high_w - w->low_w, periods, phase;
    double inside_s = held(t_s, w->begin_s, w->end_s) - w->begin_s;
    double after_s = t_s > w->end_s ? t_s - w->end_s : 0;
    switch (w->shape) {
    case WAVE_CONSTANT:
        return w->high_w * t_s;
    case WAVE_SQUARE:
        phase = phase_of(w, t_s, &periods);
        return w->low_w * t_s + step_w * w->period_s * (periods * w->duty + (phase < w->duty ? phase : w->duty));
    case WAVE_RAMP:
        return w->low_w * t_s + step_w * (inside_s * inside_s / 2 / (w->end_s - w->begin_s) + after_s);
    case WAVE_SINE:
        phase = phase_of(w, t_s, &periods);
        return (w->low_w + w->high_w) / 2 * t_s - step_w / 2 * w->period_s / (2 * pi) * cos(2 * pi * phase);
    case WAVE_BURST:
        return w->low_w * t_s + step_w * inside_s;
    case WAVE_SUM:
        break;
    }
    return 0;
}

double wave_power_w(const wave *w, uint64_t t_ns)
{
    return power_at(w, (double)t_ns / 1e9);
}

double wave_energy_j(const wave *w, uint64_t from_ns, uint64_t to_ns)
{
    double energy_j = 0;
    if (w->shape != WAVE_SUM) {
        return energy_until(w, (double)to_ns / 1e9) - energy_until(w, (double)from_ns / 1e9);
    }
    for (size_t i = 0; i < w->part_count; i++) {
        energy_j += wave_energy_j(&w->parts[i], from_ns, to_ns);
    }
    return energy_j;
}
