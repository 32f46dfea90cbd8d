/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Power over time, with the energy of every stretch in closed form: the truth that the rig's sensors show a part of. */
#ifndef TESTS_RIG_WAVE_H
#define TESTS_RIG_WAVE_H

#include <stddef.h>
#include <stdint.h>

typedef enum { WAVE_CONSTANT, WAVE_SQUARE, WAVE_RAMP, WAVE_SINE, WAVE_BURST, WAVE_SUM } wave_shape;

/* Constant for those who read it; make one with the functions below. Watts may as well be anything else per second. */
typedef struct wave {
    wave_shape shape;
    double low_w, high_w;  /* square, ramp, burst; constant: both; sine: lowest and highest */
    double period_s, duty; /* square, sine */
    double begin_s, end_s; /* of the ramp or burst; begin_s: where a period of square or sine begins */
    const struct wave *parts;
    size_t part_count;
} wave;

wave wave_constant(double power_w);
/* high_w in the first duty (0 … 1) of each period, then low_w; a period begins at begin_s, and had before it. */
wave wave_square(double low_w, double high_w, double period_s, double duty, double begin_s);
/* from_w until begin_s, to_w from end_s on, a straight line between. */
wave wave_ramp(double from_w, double to_w, double begin_s, double end_s);
/* mean_w + amplitude_w × sin(2π (t - begin_s) / period_s) */
wave wave_sine(double mean_w, double amplitude_w, double period_s, double begin_s);
/* burst_w from begin_s to end_s, else base_w. */
wave wave_burst(double base_w, double burst_w, double begin_s, double end_s);
/* parts stay the caller's and must outlive the sum. */
wave wave_sum(const wave *parts, size_t part_count);

/* Power at an instant; at a step, of the time after it. */
double wave_power_w(const wave *w, uint64_t t_ns);
/* Energy from one instant to a later one. */
double wave_energy_j(const wave *w, uint64_t from_ns, uint64_t to_ns);

#endif
