/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Short windows on counters: what the meter makes of them, and what simpler rules would. */
#ifndef TESTS_RIG_FUSION_H
#define TESTS_RIG_FUSION_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name;
    double low_w, high_w, period_s, duty; /* the square wave; it begins anywhere, or at 0 where is_high_part */
    int is_board, is_high_part;           /* the window is the high part of a period, else it begins anywhere */
    uint32_t update_ms, jitter_ms, window_ms;
    double unit; /* µJ */
    size_t windows;
} rig_fusion;

enum { RIG_FUSIONS = 7, RIG_FUSION_WINDOWS = 2000 };
extern const rig_fusion rig_fusions[RIG_FUSIONS];

typedef struct {
    double truth_j, measured_j;
    double raw_j;  /* the counter as it stands at both edges, subtracted */
    double line_j; /* a straight line between the meter's own readings around each edge */
    int is_final;
} rig_fused;

/* One device, whose phase is drawn, and a case's windows on it. */
void rig_fusion_run(const rig_fusion *how, rig_fused ret_windows[RIG_FUSION_WINDOWS]);

#endif
