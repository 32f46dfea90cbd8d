/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The rig's truth checked against numeric integration, and what its sources show against figures worked out by hand. */
#include "rig/source.h"

#include "check.h"

#include <errno.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

/* The midpoint rule with 100,000 steps: steps of the waves below lie on the borders of its cells. */
static double integrate(const wave *w, uint64_t from_ns, uint64_t to_ns)
{
    double sum = 0;
    uint64_t cells = 100000, cell_ns = (to_ns - from_ns) / cells;
    for (uint64_t i = 0; i < cells; i++) {
        sum += wave_power_w(w, from_ns + i * cell_ns + cell_ns / 2);
    }
    return sum * (double)cell_ns / 1e9;
}

static void check_wave(const wave *w)
{
    static const uint64_t stretches[][2] = {{0, 10 * S}, {S / 2, 3 * S}, {7 * S, 8 * S}, {1 * S, 3 * S}, {0, S / 10}};
    for (size_t i = 0; i < sizeof stretches / sizeof stretches[0]; i++) {
        uint64_t from_ns = stretches[i][0], to_ns = stretches[i][1];
        double expected_j = integrate(w, from_ns, to_ns);
        CHECK_NEAR(wave_energy_j(w, from_ns, to_ns), expected_j, 1e-6 * expected_j + 1e-9);
    }
}

static void test_energy_is_the_integral_of_power(void)
{
    wave waves[] = {wave_constant(66.13),     wave_square(40, 120, 0.5, 0.5, 0.25), wave_square(90, 380, 1, 0.3, 0),
                    wave_ramp(10, 300, 1, 5), wave_sine(150, 50, 0.7, 0.2),         wave_burst(20, 500, 2, 7.5)};
    size_t count = sizeof waves / sizeof waves[0];
    for (size_t i = 0; i < count; i++) {
        check_wave(&waves[i]);
    }
    wave sum = wave_sum(waves, count);
    check_wave(&sum);
}

static void test_known_energies(void)
{
    wave constant = wave_constant(200);
    CHECK_NEAR(wave_energy_j(&constant, 0, 3600 * S), 720000, 1e-9);
    wave square = wave_square(90, 380, 0.9, 0.55, 0);
    CHECK_NEAR(wave_energy_j(&square, 0, 9 * S), 10 * (0.495 * 380 + 0.405 * 90), 1e-9);
    CHECK_NEAR(wave_energy_j(&square, 0, 495 * MS), 0.495 * 380, 1e-9);
    wave ramp = wave_ramp(0, 100, 0, 10);
    CHECK_NEAR(wave_energy_j(&ramp, 0, 10 * S), 500, 1e-9);
    CHECK_NEAR(wave_energy_j(&ramp, 5 * S, 20 * S), 375 + 1000, 1e-9);
    wave sine = wave_sine(100, 30, 2, 0);
    CHECK_NEAR(wave_energy_j(&sine, 0, 4 * S), 400, 1e-9);
    CHECK_NEAR(wave_energy_j(&sine, 0, S), 100 + 30 * 2 / 3.14159265358979323846, 1e-9);
}

static void test_a_counter_shows_its_last_update(void)
{
    wave constant = wave_constant(300);
    rig_source source = {.wave = &constant, .period_ns = 100 * MS, .phase_ns = 30 * MS};
    CHECK_INT(rig_source_counter(&source, 20 * MS), 0);
    CHECK_INT(rig_source_counter(&source, 30 * MS), 9000000);
    CHECK_INT(rig_source_counter(&source, 129 * MS), 9000000);
    CHECK_INT(rig_source_counter(&source, 130 * MS), 39000000);
    source.phase_ns = 230 * MS; /* the same instants */
    CHECK_INT(rig_source_counter(&source, 130 * MS), 39000000);
    source.gain_error = -0.05;
    CHECK_INT(rig_source_counter(&source, 130 * MS), 37050000);
}

static void test_a_counter_wraps_and_has_a_unit(void)
{
    wave constant = wave_constant(1);
    rig_source source = {.wave = &constant, .range = 999999, .start = 999990};
    CHECK_INT(rig_source_counter(&source, 9000), 999999);
    CHECK_INT(rig_source_counter(&source, 10000), 0);
    CHECK_INT(rig_source_counter(&source, S), 999990);
    rig_source coarse = {.wave = &constant, .unit = 61.03515625};
    CHECK_INT(rig_source_counter(&coarse, 61 * 1000), 0);
    CHECK_INT(rig_source_counter(&coarse, 62 * 1000), 61);
    CHECK_INT(rig_source_counter(&coarse, S), 1000000); /* 2^14 steps make a joule */
}

static void test_faults(void)
{
    wave constant = wave_constant(1);
    rig_source source = {.wave = &constant};
    rig_source_fault(&source, (rig_fault){.kind = RIG_RESET, .from_ns = 10 * S});
    rig_source_fault(&source, (rig_fault){.kind = RIG_FREEZE, .from_ns = 20 * S, .to_ns = 30 * S});
    rig_source_fault(&source, (rig_fault){.kind = RIG_JUMP, .from_ns = 40 * S, .amount = 7});
    rig_source_fault(&source, (rig_fault){.kind = RIG_FAIL, .from_ns = 50 * S, .to_ns = 51 * S, .error = EIO});
    rig_source_fault(&source, (rig_fault){.kind = RIG_VANISH, .from_ns = 60 * S, .to_ns = 70 * S});
    CHECK_INT(rig_source_counter(&source, 10 * S - 1000), 9999999);
    CHECK_INT(rig_source_counter(&source, 10 * S), 0);
    CHECK_INT(rig_source_counter(&source, 25 * S), 10000000);
    CHECK_INT(rig_source_counter(&source, 30 * S), 20000000);
    CHECK_INT(rig_source_counter(&source, 40 * S), 30000007);
    CHECK(rig_source_failure(&source, 0, 49 * S) == NULL);
    CHECK_INT(rig_source_failure(&source, 0, 50 * S)->error, EIO);
    CHECK(rig_source_failure(&source, 0, 51 * S) == NULL);
    CHECK(rig_source_failure(&source, 0, 65 * S) != NULL);
    CHECK(rig_source_failure(&source, 0, 75 * S) != NULL);
    CHECK(rig_source_failure(&source, 70 * S, 75 * S) == NULL);
}

static void test_a_gauge_shows_an_instant_or_a_mean(void)
{
    wave square = wave_square(100, 300, 1, 0.5, 0);
    rig_source source = {.wave = &square};
    CHECK_INT(rig_source_gauge(&source, 1400 * MS), 300000);
    CHECK_INT(rig_source_gauge(&source, 1500 * MS), 100000);
    source.average_ns = S;
    CHECK_INT(rig_source_gauge(&source, 1400 * MS), 200000);
    source.average_ns = 200 * MS;
    CHECK_INT(rig_source_gauge(&source, 1550 * MS), 250000);
    source.unit = 1000;
    source.gain_error = 0.01;
    CHECK_INT(rig_source_gauge(&source, 1550 * MS), 253000);
}

/* The first 25 of each 100 ms: a lag of the other 75 behind the update that ends them. */
static void test_a_gauge_looks_part_of_the_time(void)
{
    wave square = wave_square(100, 300, 0.1, 0.25, 0);
    rig_source source = {.wave = &square, .period_ns = 100 * MS, .average_ns = 25 * MS, .lag_ns = 75 * MS};
    CHECK_INT(rig_source_gauge(&source, 1234 * MS), 300000); /* though the mean is 150 W */
    source.lag_ns = 50 * MS;
    CHECK_INT(rig_source_gauge(&source, 1234 * MS), 100000);
    source = (rig_source){.wave = &square, .lag_ns = 10 * MS};
    CHECK_INT(rig_source_gauge(&source, 1034 * MS), 300000);
    CHECK_INT(rig_source_counter(&source, 110 * MS), 15000000);
}

static void test_a_source_shows_its_own_time(void)
{
    wave constant = wave_constant(1);
    rig_source source = {.wave = &constant, .period_ns = 100 * MS};
    CHECK_INT(rig_source_stamp(&source, 1234 * MS), 0);
    source.has_stamps = 1;
    uint64_t first = rig_source_stamp(&source, 1234 * MS);
    CHECK_INT(rig_source_stamp(&source, 1299 * MS), first);
    CHECK_INT(rig_source_stamp(&source, 1300 * MS), first + 100000);
    rig_source_fault(&source, (rig_fault){.kind = RIG_STAMP, .from_ns = 2 * S, .amount = 3600 * S});
    CHECK(rig_source_stamp(&source, 2 * S) < first);
}

/* Each reading costs a counter some of its time: none where nobody polls it. */
static void test_a_counter_falls_short(void)
{
    wave constant = wave_constant(100);
    rig_source source = {.wave = &constant, .lost_ns = 15 * MS};
    CHECK_INT(rig_source_counter(&source, 10 * S), 1000000000);
    source.polled_ns = 15 * MS;
    CHECK_INT(rig_source_counter(&source, 10 * S), 500000000);
}

int main(void)
{
    RUN(test_energy_is_the_integral_of_power);
    RUN(test_known_energies);
    RUN(test_a_counter_shows_its_last_update);
    RUN(test_a_counter_wraps_and_has_a_unit);
    RUN(test_faults);
    RUN(test_a_gauge_shows_an_instant_or_a_mean);
    RUN(test_a_gauge_looks_part_of_the_time);
    RUN(test_a_source_shows_its_own_time);
    RUN(test_a_counter_falls_short);
    return CHECK_DONE();
}
