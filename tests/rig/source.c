/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Truth in, shown number out. */
#include "rig/source.h"

#include <math.h>
#include <stdlib.h>

/* Doubles carry a day's energy to this many µJ: what lies so close below a whole step is that step. */
static const double rounding = 1e-3;

void rig_source_fault(rig_source *source, rig_fault fault)
{
    if (source->fault_count == RIG_FAULTS) {
        abort();
    }
    source->faults[source->fault_count++] = fault;
}

static int is_during(const rig_fault *fault, uint64_t t_ns)
{
    return t_ns >= fault->from_ns && t_ns < fault->to_ns;
}

/* The sum of twelve uniform numbers has a standard deviation of 1; they come from the number of the update alone. */
static int64_t jitter_of(const rig_source *source, uint64_t number)
{
    double sum = -6;
    uint64_t state = number * UINT64_C(0x9E3779B97F4A7C15) + source->phase_ns;
    for (int i = 0; i < 12; i++) {
        state = (state ^ (state >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        state = (state ^ (state >> 27)) * UINT64_C(0x94D049BB133111EB) + 1;
        sum += (double)(state >> 11) / 9007199254740992.0;
    }
    return (int64_t)(sum * (double)source->jitter_ns);
}

static uint64_t jittered_update_before(const rig_source *source, uint64_t first_ns, uint64_t t_ns)
{
    uint64_t number = (t_ns - first_ns) / source->period_ns + 1;
    for (;; number--) {
        uint64_t update_ns = first_ns + number * source->period_ns + (uint64_t)jitter_of(source, number);
        if (update_ns <= t_ns || number == 0) {
            return update_ns;
        }
    }
}

uint64_t rig_source_update_ns(const rig_source *source, uint64_t t_ns)
{
    if (source->period_ns == 0) {
        return t_ns;
    }
    uint64_t first_ns = source->phase_ns % source->period_ns;
    if (source->jitter_ns && t_ns >= first_ns + source->period_ns) {
        return jittered_update_before(source, first_ns, t_ns);
    }
    return t_ns < first_ns ? 0 : t_ns - (t_ns - first_ns) % source->period_ns;
}

static uint64_t last_update(const rig_source *source, uint64_t now_ns)
{
    uint64_t t_ns = rig_source_update_ns(source, now_ns);
    for (size_t i = 0; i < source->fault_count; i++) {
        const rig_fault *fault = &source->faults[i];
        if (fault->kind == RIG_FREEZE && is_during(fault, t_ns)) {
            t_ns = rig_source_update_ns(source, fault->from_ns);
        }
    }
    return t_ns;
}

static double unit_of(const rig_source *source)
{
    return source->unit > 0 ? source->unit : 1;
}

uint64_t rig_source_counter(const rig_source *source, uint64_t now_ns)
{
    uint64_t t_ns = last_update(source, now_ns), since_ns = 0;
    double total_uj = (double)source->start;
    for (size_t i = 0; i < source->fault_count; i++) {
        const rig_fault *fault = &source->faults[i];
        if (fault->kind == RIG_RESET && fault->from_ns <= t_ns && fault->from_ns >= since_ns) {
            since_ns = fault->from_ns;
            total_uj = 0;
        }
    }
    for (size_t i = 0; i < source->fault_count; i++) {
        const rig_fault *fault = &source->faults[i];
        if (fault->kind == RIG_JUMP && fault->from_ns <= t_ns && fault->from_ns >= since_ns) {
            total_uj += (double)fault->amount;
        }
    }
    double kept = source->polled_ns ? 1 / (1 + (double)source->lost_ns / (double)source->polled_ns) : 1;
    t_ns -= t_ns > since_ns + source->lag_ns ? source->lag_ns : t_ns - since_ns;
    total_uj += kept * (1 + source->gain_error) * wave_energy_j(source->wave, since_ns, t_ns) * 1e6;
    double unit = unit_of(source), steps = floor((total_uj + rounding) / unit);
    if (source->range > 0) {
        steps = fmod(steps, floor((double)source->range / unit + 0.5) + 1);
    }
    return (uint64_t)(steps * unit + rounding);
}

uint64_t rig_source_gauge(const rig_source *source, uint64_t now_ns)
{
    uint64_t t_ns = last_update(source, now_ns);
    t_ns -= t_ns > source->lag_ns ? source->lag_ns : t_ns;
    double power_w = wave_power_w(source->wave, t_ns);
    if (source->average_ns > 0 && t_ns >= source->average_ns) {
        power_w = wave_energy_j(source->wave, t_ns - source->average_ns, t_ns) / ((double)source->average_ns / 1e9);
    }
    double unit = unit_of(source), steps = floor((1 + source->gain_error) * power_w * 1e3 / unit + 0.5);
    return (uint64_t)(steps * unit + rounding);
}

uint64_t rig_source_stamp(const rig_source *source, uint64_t now_ns)
{
    uint64_t stamp_ns = UINT64_C(1700000000000000000) + last_update(source, now_ns);
    for (size_t i = 0; i < source->fault_count; i++) {
        const rig_fault *fault = &source->faults[i];
        stamp_ns -= fault->kind == RIG_STAMP && fault->from_ns <= now_ns ? fault->amount : 0;
    }
    return source->has_stamps ? stamp_ns / 1000 : 0;
}

const rig_fault *rig_source_failure(const rig_source *source, uint64_t opened_ns, uint64_t now_ns)
{
    for (size_t i = 0; i < source->fault_count; i++) {
        const rig_fault *fault = &source->faults[i];
        int fails = (fault->kind == RIG_FAIL || fault->kind == RIG_GARBAGE) && is_during(fault, now_ns);
        int has_left = fault->kind == RIG_VANISH && opened_ns < fault->to_ns && now_ns >= fault->from_ns;
        if (fails || has_left) {
            return fault;
        }
    }
    return NULL;
}
