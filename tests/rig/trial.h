/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One draw from tests/rig/ranges.h: a device of its own under a load of its own, and a window of each length on it. */
#ifndef TESTS_RIG_TRIAL_H
#define TESTS_RIG_TRIAL_H

#include "rig/ranges.h"

typedef struct {
    double truth_j, measured_j;
    double edge_j, all_j; /* uncertainty, k = 2: of the edges, and of gain and edges */
    double gain_error;    /* the truth of this device is 1 + this times what it shows, in a test of all_j */
    int is_final;
} rig_trial;

/* Draws a sensor of this kind and a load, and measures one window of each of rig_window_lengths_ms, with readings
 * interval_ms apart. */
void rig_trial_run(const rig_sensor_range *sensor, const rig_load_range *loads, uint32_t interval_ms,
                   rig_trial ret_trials[RIG_LENGTHS]);

/* Whether the truth is inside: with the edges' part where the gain is right, with all where it is off. */
int rig_trial_is_within_edge(const rig_trial *trial);
int rig_trial_is_within_all(const rig_trial *trial);

#endif
