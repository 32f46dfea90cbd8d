/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What random runs of the rig draw from: the one table of sensors, loads and windows. */
#ifndef TESTS_RIG_RANGES_H
#define TESTS_RIG_RANGES_H

#include "energy_meter.h"

#include <stdint.h>

/* A sensor as the rig shows it, read by a sampler at 50 ms unless every_ms says otherwise (then never in between). */
typedef struct {
    const char *name;
    int32_t kind;
    int is_board;
    uint32_t period_ms, jitter_ms, average_ms, every_ms; /* of updates; of their instants (sd); of a gauge's mean */
    uint32_t shape_ms; /* updates of the gauge beside a counter, read at the interval; 0: there is none */
    double unit;       /* µJ or mW */
    double gain;       /* sd, drawn anew for each device */
} rig_sensor_range;

static const rig_sensor_range rig_sensors[] = {
    /* name, kind, board, period, jitter, average, every, shape, unit, gain */
    {"rapl", EM_KIND_COUNTER, 0, 1, 0, 0, 0, 0, 61.03515625, 0.05},
    {"counter-20ms", EM_KIND_COUNTER, 1, 20, 0, 0, 0, 0, 1000, 0.05},
    {"counter-20ms-jitter-2ms", EM_KIND_COUNTER, 1, 20, 2, 0, 0, 0, 1000, 0.05},
    {"counter-100ms", EM_KIND_COUNTER, 1, 100, 0, 0, 0, 0, 1000, 0.05},
    {"counter-100ms-jitter-2ms", EM_KIND_COUNTER, 1, 100, 2, 0, 0, 0, 1000, 0.05},
    {"counter-100ms-read-at-1hz", EM_KIND_COUNTER, 1, 100, 0, 0, 1000, 0, 1000, 0.05},
    {"counter-read-at-1hz-and-gauge", EM_KIND_COUNTER, 1, 100, 0, 0, 1000, 100, 1000, 0.05},
    {"gauge-20ms", EM_KIND_GAUGE, 1, 20, 0, 0, 0, 0, 1, 0.05},
    {"gauge-100ms", EM_KIND_GAUGE, 1, 100, 0, 0, 0, 0, 1, 0.05},
    {"gauge-25-of-100ms", EM_KIND_GAUGE, 1, 100, 0, 25, 0, 0, 1, 0.05},
    {"gauge-mean-of-1s", EM_KIND_GAUGE, 1, 100, 0, 1000, 0, 0, 1, 0.05},
    {"model", EM_KIND_MODEL, 0, 10, 0, 0, 0, 0, 1, 0.3},
};

static const uint32_t rig_window_lengths_ms[] = {20, 50, 500, 5000};

/* Low and high of each. Times are drawn evenly in their logarithm, the rest evenly. */
typedef struct {
    double low, high;
} rig_range;

static const rig_range rig_package_w = {15, 150}, rig_board_w = {50, 400}; /* each of a load's two levels */
static const rig_range rig_load_period_s = {0.05, 2}, rig_load_duty = {0.2, 0.8};
static const rig_range rig_ramp_s = {2, 20};

/* How often each load comes. Half of the windows on loads with steps begin at a step, as training's do. */
static const struct {
    double constant, square, ramp, sine, sum;
} rig_load_share = {0.15, 0.45, 0.1, 0.15, 0.15};

#endif
