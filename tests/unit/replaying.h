/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What must be equal, byte for byte, between a meter and the replay of its trace. */
#ifndef TESTS_UNIT_REPLAYING_H
#define TESTS_UNIT_REPLAYING_H

#include "check.h"
#include "meter/meter.h"
#include "meter/replay.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static inline int new_file(void)
{
    int descriptor = memfd_create("trace", MFD_CLOEXEC);
    if (descriptor < 0) {
        abort();
    }
    return descriptor;
}

static inline char *json_of(em_summary *summary)
{
    char *text = NULL;
    CHECK_INT(em_summary_format(summary, EM_FORMAT_JSON, &text, NULL), EM_OK);
    return text;
}

static inline int is_same_text(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

static inline void expect_same_result(em_result live, em_result again)
{
    CHECK(is_same_text(live.name, again.name));
    CHECK_INT(live.channels_count, again.channels_count);
    CHECK(memcmp(live.channels, again.channels, live.channels_count * sizeof *live.channels) == 0);
    live.name = again.name = NULL;
    live.channels = again.channels = NULL;
    CHECK(memcmp(&live, &again, sizeof live) == 0);
}

static inline void expect_same_windows(em_meter *live_meter, em_trace *trace, em_window last)
{
    em_energy channels[2][16];
    for (em_window window = 1; window <= last && !check_failed; window++) {
        em_result live = {.size = sizeof live, .channels = channels[0], .channels_capacity = 16}, again = live;
        again.channels = channels[1];
        int status = em_window_result(live_meter, window, &live);
        CHECK_INT(em__ledger_result(&trace->ledger, window, trace->last_ns, &again), status);
        if (status == EM_OK) {
            CHECK_INT(live.is_final, 1);
            expect_same_result(live, again);
        }
    }
}

static inline void expect_same_groups(em_summary *live, em_summary *again)
{
    CHECK_INT(em_summary_group_count(live), em_summary_group_count(again));
    for (size_t i = 0; i < em_summary_group_count(live); i++) {
        em_group one = {.size = sizeof one}, other = one;
        CHECK_INT(em_summary_group(live, i, &one), em_summary_group(again, i, &other));
        CHECK(is_same_text(one.name, other.name));
        one.name = other.name = NULL;
        CHECK(memcmp(&one, &other, sizeof one) == 0);
        for (size_t c = 0; c < em_summary_channel_count(live); c++) {
            em_energy energies[2];
            CHECK_INT(em_summary_energy(live, i, c, &energies[0]), em_summary_energy(again, i, c, &energies[1]));
            CHECK(memcmp(&energies[0], &energies[1], sizeof energies[0]) == 0);
        }
    }
}

#endif
