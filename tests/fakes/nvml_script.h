/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the stand-in for NVML plays: boards from a script, and their counters and gauges as closed forms of time. */
#ifndef TESTS_FAKES_NVML_SCRIPT_H
#define TESTS_FAKES_NVML_SCRIPT_H

#include <stdint.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_LOADED = 9, LOST = 15, UNKNOWN = 999 };
enum { BOARDS = 64, SLICES = 7, TEXT = 96, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

struct slice {
    char uuid[TEXT];
};

struct board {
    char name[TEXT], uuid[TEXT];
    unsigned domain, bus, device, low_mw, high_mw, duty, base_mj, limit_mw, most_mw, percent, slow_us, reads;
    uint64_t period_ns, update_ns, lost_ns, back_ns, fail_ns, mend_ns, restart_ns, hang_ns, hang_for_ns;
    int energy, power, limit, util, fields, handle, fail, major, minor, slice_count;
    struct slice slices[SLICES];
};

struct script {
    struct board boards[BOARDS];
    int count, init, claimed, is_null, is_garbage; /* claimed -1: what is listed */
};

/* Reads what EM_FAKE_NVML names. The code that nvmlInit answers. */
int script_read(struct script *ret_script);

uint64_t board_update_ns(const struct board *board, uint64_t t_ns); /* when counter and gauge moved last */
unsigned board_power_mw(const struct board *board, uint64_t t_ns);
uint64_t board_counter_mj(const struct board *board, uint64_t t_ns);

#endif
