/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Wrap or reset: counters of known power, with the ranges of real zones. */
#include "timeline/counter.h"

#include "check.h"
#include "rig/source.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static em__channel zone(uint64_t range, uint64_t ceiling_mw)
{
    return (em__channel){.scale_num = 1,
                         .scale_den = 1,
                         .range = range,
                         .unit = (range + UINT32_MAX / 2) / UINT32_MAX,
                         .refresh_ns = MS,
                         .ceiling_mw = ceiling_mw};
}

static em__step step(em__counter *counter, const em__channel *facts, uint64_t t_ns, uint64_t raw, uint64_t *ret_uj)
{
    *ret_uj = 12345;
    return em__counter_step(counter, facts, t_ns, raw, ret_uj);
}

/* The sum over an hour at a constant power, read every so often; -1: a step was refused. The hardware counts steps in 32
 * bits, which are no whole µJ (61.035, 15.3), and the kernel cuts what it shows. */
static int64_t hour_uj(const em__channel *facts, double power_w, uint64_t every_ns, uint64_t start)
{
    wave constant = wave_constant(power_w);
    double unit = (double)facts->range / UINT32_MAX;
    rig_source source = {.wave = &constant, .range = facts->range, .unit = unit, .start = start};
    em__counter counter = {0};
    int64_t total_uj = 0;
    uint64_t uj;
    CHECK_INT(step(&counter, facts, 0, rig_source_counter(&source, 0), &uj), EM__STEP_BASELINE);
    CHECK_INT(uj, 0);
    for (uint64_t t_ns = every_ns; t_ns <= 3600 * S; t_ns += every_ns) {
        if (step(&counter, facts, t_ns, rig_source_counter(&source, t_ns), &uj) != EM__STEP_ENERGY) {
            return -1;
        }
        total_uj += (int64_t)uj;
    }
    return total_uj;
}

/* 200 W for an hour are 720,000 J, which goes round the smaller ranges up to eleven times. The range of 4.29 GJ never
 * wraps here, so it also starts just below its end. */
static void test_an_hour_with_real_ranges(void)
{
    static const uint64_t ranges[] = {UINT64_C(262143328850), UINT64_C(262143999938),     UINT64_C(65712999613),
                                      UINT64_C(65532610987),  UINT64_C(4294967295000000), UINT64_C(262144000000)};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        em__channel facts = zone(ranges[i], 500000);
        for (uint64_t every_s = 1; every_s <= 120; every_s = every_s * 5 - 1) {
            uint64_t start = facts.range - 3 * facts.unit;
            uint64_t seconds = 3600 / every_s * every_s;
            double wraps = 720000e6 / (double)facts.range + 1; /* each of them cut to a µJ */
            int64_t total_uj = hour_uj(&facts, 200, every_s * S, start);
            CHECK_NEAR((double)total_uj, (double)seconds * 200e6, (double)facts.unit + wraps);
        }
    }
}

static void test_a1_readings_up_to_500_s_apart(void)
{
    em__channel facts = zone(UINT64_C(262144000000), 500000);
    CHECK_NEAR((double)hour_uj(&facts, 200, 450 * S, 0), 720000e6, (double)facts.unit);
    CHECK_NEAR((double)hour_uj(&facts, 200, 300 * S, 200000000000), 720000e6, (double)facts.unit);
    CHECK_NEAR((double)hour_uj(&facts, 200, 500 * S, 0), 700000e6, (double)facts.unit);
}

/* range / P_max = 262,144 J / 500 W = 524.3 s: in more time the counter may have gone round once more than it shows. */
static void test_a1_a_longer_gap_is_refused(void)
{
    em__channel facts = zone(UINT64_C(262144000000), 500000);
    CHECK(hour_uj(&facts, 200, 524 * S, 0) > 0);
    CHECK_INT(hour_uj(&facts, 200, 525 * S, 0), -1);
    CHECK_INT(hour_uj(&facts, 200, 1800 * S, 0), -1);
    em__counter counter = {0};
    uint64_t uj;
    step(&counter, &facts, 0, 1000, &uj);
    CHECK_INT(step(&counter, &facts, 525 * S, 2000, &uj), EM__STEP_RESET);
    CHECK_INT(uj, 0);
    CHECK_INT(step(&counter, &facts, 526 * S, 2500, &uj), EM__STEP_ENERGY); /* from the new baseline */
    CHECK_INT(uj, 500);
}

static void test_a_wrap_adds_range_and_one_unit(void)
{
    em__channel facts = zone(999, 0);
    em__counter counter = {0};
    uint64_t uj;
    facts.unit = 0; /* unknown: 1 */
    step(&counter, &facts, S, 999, &uj);
    CHECK_INT(step(&counter, &facts, 2 * S, 0, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 1);
    CHECK_INT(step(&counter, &facts, 3 * S, 0, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 0);
    facts.range = 9900;
    facts.unit = 100;
    CHECK_INT(step(&counter, &facts, 4 * S, 9900, &uj), EM__STEP_ENERGY);
    CHECK_INT(step(&counter, &facts, 5 * S, 200, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 300);
}

static void test_without_a_range_backward_is_a_reset(void)
{
    em__channel facts = zone(0, 500000);
    em__counter counter = {0};
    uint64_t uj;
    step(&counter, &facts, S, 5000, &uj);
    CHECK_INT(step(&counter, &facts, 2 * S, 4999, &uj), EM__STEP_RESET);
    CHECK_INT(uj, 0);
    CHECK_INT(step(&counter, &facts, 3 * S, 6000, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 1001);
    /* Nothing wraps, so no time is too long. */
    CHECK_INT(step(&counter, &facts, 100000 * S, 6000 + 1000000, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 1000000);
}

static void test_a_count_beyond_its_range_never_wraps(void)
{
    em__channel facts = zone(1000, 0);
    em__counter counter = {0};
    uint64_t uj;
    step(&counter, &facts, S, 5000, &uj);
    CHECK_INT(step(&counter, &facts, 2 * S, 10, &uj), EM__STEP_RESET);
    CHECK_INT(uj, 0);
}

/* A step is believed up to P_max × (time + one update period) + one unit. */
static void test_what_no_power_explains_is_a_reset(void)
{
    em__channel facts = zone(UINT64_C(262143328850), 500000);
    uint64_t most_uj = 500000000 + 500000 + facts.unit, uj;
    em__counter counter = {0};
    step(&counter, &facts, S, 1000, &uj);
    CHECK_INT(step(&counter, &facts, 2 * S, 1000 + most_uj, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, most_uj);
    counter = (em__counter){0};
    step(&counter, &facts, S, 1000, &uj);
    CHECK_INT(step(&counter, &facts, 2 * S, 1000 + most_uj + 10, &uj), EM__STEP_RESET);
    CHECK_INT(uj, 0);
    /* Suspend or driver reload: the count restarts near 0, and the wrap that it looks like would be 262 kJ. */
    counter = (em__counter){0};
    step(&counter, &facts, S, UINT64_C(124599532281), &uj);
    CHECK_INT(step(&counter, &facts, 2 * S, 1500000, &uj), EM__STEP_RESET);
    CHECK_INT(uj, 0);
    CHECK_INT(step(&counter, &facts, 3 * S, 51500000, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 50000000);
}

/* NVML counts mJ, an accumulator 15.259 µJ: what is no whole µJ is carried, so that the sum is right to one. */
static void test_the_remainder_is_carried(void)
{
    em__channel facts = {.scale_num = 15259, .scale_den = 1000};
    em__counter counter = {0};
    uint64_t uj, total_uj = 0;
    step(&counter, &facts, 0, 7, &uj);
    for (uint64_t i = 1; i <= 1000; i++) {
        CHECK_INT(step(&counter, &facts, i, 7 + i, &uj), EM__STEP_ENERGY);
        CHECK(uj == 15 || uj == 16);
        total_uj += uj;
    }
    CHECK_INT(total_uj, 15259);
    em__channel millijoules = {.scale_num = 1000, .scale_den = 1};
    counter = (em__counter){0};
    step(&counter, &millijoules, 0, 5, &uj);
    step(&counter, &millijoules, 1, 8, &uj);
    CHECK_INT(uj, 3000);
}

static void test_the_largest_numbers(void)
{
    em__channel facts = {.scale_num = 1, .scale_den = 1};
    em__counter counter = {0};
    uint64_t uj, half = UINT64_C(1) << 63;
    step(&counter, &facts, 0, 0, &uj);
    CHECK_INT(step(&counter, &facts, 1, half - 1, &uj), EM__STEP_ENERGY);
    CHECK(uj == half - 1);
    counter = (em__counter){0};
    step(&counter, &facts, 0, 0, &uj);
    CHECK_INT(step(&counter, &facts, 1, half, &uj), EM__STEP_RESET); /* more than energies can hold */
    CHECK_INT(uj, 0);
    counter = (em__counter){0};
    step(&counter, &facts, 0, half - 5, &uj);
    CHECK_INT(step(&counter, &facts, 1, half + 5, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 10);
    CHECK_INT(step(&counter, &facts, 2, UINT64_MAX, &uj), EM__STEP_ENERGY);
    em__channel wide = {.scale_num = UINT64_MAX, .scale_den = 1, .range = UINT64_MAX, .ceiling_mw = UINT64_MAX};
    counter = (em__counter){0};
    step(&counter, &wide, 0, 0, &uj);
    CHECK_INT(step(&counter, &wide, UINT64_MAX, UINT64_MAX, &uj), EM__STEP_RESET);
    CHECK_INT(uj, 0);
    /* A 64-bit counter that wraps where 64 bits end. */
    em__channel full = {.scale_num = 1, .scale_den = 1, .range = UINT64_MAX, .ceiling_mw = 1000};
    counter = (em__counter){0};
    step(&counter, &full, 0, UINT64_MAX - 4, &uj);
    CHECK_INT(step(&counter, &full, S, 5, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 10);
}

/* The kernel made 64 bits of a source that wraps: values go on beyond its range, a step back is no wrap, and in a longer
 * time than the source needs to go round at full power, 524 s here, the kernel may have missed one. */
static void test_an_endless_counter(void)
{
    em__channel facts = zone(262143328850, 500000);
    uint64_t uj, below = facts.range - 1000;
    em__counter counter = {0};
    facts.is_endless = 1;
    step(&counter, &facts, 0, below, &uj);
    CHECK_INT(step(&counter, &facts, S, below + 2000000, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 2000000);
    CHECK_INT(step(&counter, &facts, 524 * S, below + 4000000, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 2000000);
    CHECK_INT(step(&counter, &facts, 1049 * S, below + 6000000, &uj), EM__STEP_RESET);
    CHECK_INT(step(&counter, &facts, 1050 * S, below, &uj), EM__STEP_RESET);
    CHECK_INT(step(&counter, &facts, 1051 * S, 1000, &uj), EM__STEP_RESET);
    CHECK_INT(step(&counter, &facts, 1052 * S, 2000, &uj), EM__STEP_ENERGY);
    CHECK_INT(uj, 1000);
}

int main(void)
{
    RUN(test_an_hour_with_real_ranges);
    RUN(test_a1_readings_up_to_500_s_apart);
    RUN(test_a1_a_longer_gap_is_refused);
    RUN(test_a_wrap_adds_range_and_one_unit);
    RUN(test_without_a_range_backward_is_a_reset);
    RUN(test_a_count_beyond_its_range_never_wraps);
    RUN(test_what_no_power_explains_is_a_reset);
    RUN(test_an_endless_counter);
    RUN(test_the_remainder_is_carried);
    RUN(test_the_largest_numbers);
    return CHECK_DONE();
}
