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

enum {
    RIG_SENSORS = sizeof rig_sensors / sizeof rig_sensors[0],
    RIG_LENGTHS = sizeof rig_window_lengths_ms / sizeof rig_window_lengths_ms[0]
};

/* Low and high of each. Times are drawn evenly in their logarithm, the rest evenly. */
typedef struct {
    double low, high;
} rig_range;

typedef struct {
    const char *name;
    rig_range package_w, board_w; /* each of a load's two levels */
    rig_range period_s, duty, ramp_s;
    double constant, square, ramp, sine; /* how often each load comes; the rest are sums of a square and a sine */
} rig_load_range;

/* Half of the windows on loads with steps begin at a step, as training's do. */
static const rig_load_range rig_loads = {"usual", {15, 150}, {50, 400}, {0.05, 2}, {0.2, 0.8},
                                         {2, 20}, 0.15,      0.45,      0.1,       0.15};

/* Loads that no constant of the meter was chosen on. */
static const rig_load_range rig_other_loads = {"other",   {5, 250}, {20, 700}, {0.01, 10}, {0.05, 0.95},
                                               {0.5, 60}, 0.1,      0.3,       0.15,       0.15};

/* Loads that alternate about as often as a counter of 100 ms updates: the meter's known blind spot. */
static const rig_load_range rig_loads_near_100ms = {
    "near-100ms", {15, 150}, {50, 400}, {0.07, 0.13}, {0.2, 0.8}, {2, 20}, 0, 1, 0, 0};

#endif
