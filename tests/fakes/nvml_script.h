/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the stand-in for NVML plays: boards from a script, and their counters and gauges as closed forms of time. */
#ifndef TESTS_FAKES_NVML_SCRIPT_H
#define TESTS_FAKES_NVML_SCRIPT_H

#include "rig/source.h"

#include <stdint.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_LOADED = 9, LOST = 15, UNKNOWN = 999 };
enum { BOARDS = 64, SLICES = 7, WAVES = 4, TEXT = 96, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

struct slice {
    char uuid[TEXT];
};

struct board {
    char name[TEXT], uuid[TEXT];
    unsigned domain, bus, device, base_mj, limit_mw, most_mw, percent, slow_us;
    unsigned reads, calls; /* of the counter; that read anything */
    wave waves[WAVES];
    double unit, gain, gauge_gain, loss, lost_mj;
    uint64_t update_ns, jitter_ns, phase_ns, gauge_ns, average_ns, lag_ns, cost_ns;
    uint64_t lost_ns, back_ns, fail_ns, mend_ns, restart_ns, hang_ns, hang_for_ns, freeze_ns, thaw_ns;
    uint64_t energy_until_ns, stamp_back_ns, stamp_back_by_ns;
    uint64_t loss_below_ns, read_ns, shown_ns; /* of the counter: when it was read last, and as of when */
    int energy, power, limit, util, fields, stamps, handle, fail, major, minor, slice_count, wave_count;
    int has_gauge_period;
    struct slice slices[SLICES];
};

struct script {
    struct board boards[BOARDS];
    uint64_t start_ns;                             /* 0: nvmlInit's */
    int count, init, claimed, is_null, is_garbage; /* claimed -1: what is listed */
};

/* Reads what EM_FAKE_NVML names. The code that nvmlInit answers. */
int script_read(struct script *ret_script);

uint64_t board_update_ns(const struct board *board, int is_energy, uint64_t t_ns); /* when it moved last */
long long board_stamp_us(const struct board *board, uint64_t at_ns);
/* As of an update. A counter that is read at t_ns remembers that. */
unsigned board_power_mw(const struct board *board, uint64_t at_ns);
uint64_t board_counter_mj(struct board *board, uint64_t t_ns, uint64_t at_ns);

#endif
