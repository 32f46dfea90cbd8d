/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Readings of waves become energy between any two instants: cases A5, A6 and A12, and what happens where readings fail,
 * jump, stop, come back, or come after a value had to be final. */
#include "timeline/series.h"

#include "check.h"
#include "rig/channel.h"

#include <errno.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { PATIENCE_NS = 1000000000 };

static rig_channel channel;
static em__series series;

static void begin(int32_t kind, rig_source source)
{
    channel = rig_channel_make("x", EM__COVERS_PACKAGE, 0, kind, source);
    em__series_init(&series, &channel.facts);
}

static em__added read_at(uint64_t t_ns)
{
    em__reading reading = rig_channel_read(&channel, t_ns);
    return em__series_add(&series, t_ns, &reading, PATIENCE_NS);
}

static em__added add(uint64_t t_ns, uint64_t value)
{
    em__reading reading = {.value = value};
    return em__series_add(&series, t_ns, &reading, PATIENCE_NS);
}

static em__added fail(uint64_t t_ns, em__outcome outcome, int32_t status)
{
    em__reading reading = {.outcome = outcome, .status = status, .value = 777};
    return em__series_add(&series, t_ns, &reading, PATIENCE_NS);
}

static em__point at(uint64_t t_ns)
{
    em__doubt doubt;
    return em__series_at(&series, t_ns, &doubt);
}

static em__point estimate(uint64_t t_ns)
{
    em__doubt doubt;
    return em__series_estimate(&series, t_ns, &doubt);
}

/* Energy at an instant, with readings every so often from first_ns to the first after it. */
static int64_t energy_at(uint64_t first_ns, uint64_t every_ns, uint64_t t_ns)
{
    em__series_init(&series, &channel.facts);
    for (uint64_t now_ns = first_ns; series.last.t_ns < t_ns || series.last.t_ns == 0; now_ns += every_ns) {
        read_at(now_ns);
    }
    return at(t_ns).energy_uj;
}

static double between(uint64_t first_ns, uint64_t every_ns, uint64_t from_ns, uint64_t to_ns)
{
    int64_t from_uj = energy_at(first_ns, every_ns, from_ns), to_uj = energy_at(first_ns, every_ns, to_ns);
    return (double)(to_uj - from_uj) / 1e6;
}

static void test_a5_sampled_power_reaches_to_the_edges(void)
{
    wave constant = wave_constant(66.13);
    begin(EM_KIND_GAUGE, (rig_source){.wave = &constant});
    for (uint64_t shift_ns = 0; shift_ns < S; shift_ns += 37 * MS) {
        uint64_t from_ns = 10 * S + shift_ns, to_ns = from_ns + 4421500000;
        CHECK_NEAR(between(9 * S, S, from_ns, to_ns), 292.4, 0.001 * 292.4);
        CHECK_NEAR(between(9 * S, S, from_ns, to_ns), 66.13 * 4.4215, 2e-6);
    }
}

static void test_a6_a_reading_that_never_changes_is_power(void)
{
    wave constant = wave_constant(300);
    begin(EM_KIND_GAUGE, (rig_source){.wave = &constant, .period_ns = 100 * MS});
    CHECK_NEAR(between(S, 50 * MS, 2 * S, 22 * S), 6000, 2e-6);
    em__point point = at(22 * S);
    CHECK_INT(point.updates, 0);
    CHECK_INT(point.gap_ns, S); /* before the first reading */
}

/* The trapezoid rule is exact for power in straight lines, also inside a bracket. */
static void test_a_ramp_is_exact(void)
{
    wave ramp = wave_ramp(50, 350, 1, 11);
    begin(EM_KIND_GAUGE, (rig_source){.wave = &ramp});
    for (uint64_t from_ns = 1100 * MS; from_ns < 6 * S; from_ns += 333 * MS) {
        uint64_t to_ns = from_ns + 4567 * MS;
        CHECK_NEAR(between(S, 100 * MS, from_ns, to_ns), wave_energy_j(&ramp, from_ns, to_ns), 3e-6);
        CHECK_NEAR(between(S, 700 * MS, from_ns, to_ns), wave_energy_j(&ramp, from_ns, to_ns), 3e-6);
    }
}

static void test_a_sine_is_near(void)
{
    wave sine = wave_sine(200, 100, 2, 0);
    begin(EM_KIND_GAUGE, (rig_source){.wave = &sine});
    /* The trapezoid rule errs by T² × the difference of slopes / 12: here at most 0.5 J. */
    CHECK_NEAR(between(S, 100 * MS, 1250 * MS, 8250 * MS), wave_energy_j(&sine, 1250 * MS, 8250 * MS), 0.55);
}

static void test_a_counter_is_interpolated(void)
{
    wave constant = wave_constant(123.456);
    begin(EM_KIND_COUNTER, (rig_source){.wave = &constant});
    CHECK_NEAR(between(S, 100 * MS, 1234567890, 7654321098), 123.456 * 6.419753208, 2e-6);
    /* One step of 100 W in the middle of a bracket of 100 ms: at most a quarter of ΔP × T goes to the other side. */
    wave burst = wave_burst(100, 200, 5.05, 100);
    begin(EM_KIND_COUNTER, (rig_source){.wave = &burst});
    CHECK_NEAR(between(S, 100 * MS, 2 * S, 5050 * MS), wave_energy_j(&burst, 2 * S, 5050 * MS), 2.5 + 1e-5);
    CHECK_NEAR(between(S, 100 * MS, 2 * S, 5100 * MS), wave_energy_j(&burst, 2 * S, 5100 * MS), 2e-6);
}

/* A12: one failed read of a counter is a gap that its next reading makes up for, never a zero. */
static void test_a_counter_makes_up_for_a_failed_reading(void)
{
    wave constant = wave_constant(100);
    begin(EM_KIND_COUNTER, (rig_source){.wave = &constant});
    rig_source_fault(&channel.source, (rig_fault){.kind = RIG_FAIL, .from_ns = 2 * S, .to_ns = 3 * S, .error = EIO});
    CHECK_INT(read_at(1000 * MS), EM__ADDED_POINT);
    CHECK_INT(read_at(1500 * MS), EM__ADDED_POINT);
    em__point before = at(1500 * MS);
    CHECK_INT(read_at(2000 * MS), EM__ADDED_NOTHING);
    CHECK_INT(estimate(2100 * MS).gap_ns - before.gap_ns, 600 * MS);
    CHECK_INT(estimate(2100 * MS).energy_uj, before.energy_uj);
    CHECK_INT(read_at(3000 * MS), EM__ADDED_POINT);
    CHECK_INT(at(3000 * MS).energy_uj - before.energy_uj, 150000000);
    CHECK_INT(at(3000 * MS).gap_ns - before.gap_ns, 1500 * MS);
    CHECK_INT(at(2250 * MS).energy_uj - before.energy_uj, 75000000);
    CHECK_INT(series.status, EM_ERR_READ);
    CHECK_INT(read_at(3500 * MS), EM__ADDED_POINT);
    CHECK_INT(at(3500 * MS).gap_ns - before.gap_ns, 1500 * MS);
}

/* Of a gauge nobody can say what was between: no energy, not even where it reads again. */
static void test_a_gauge_has_a_hole_where_readings_fail(void)
{
    wave constant = wave_constant(100);
    begin(EM_KIND_GAUGE, (rig_source){.wave = &constant});
    rig_source_fault(&channel.source,
                     (rig_fault){.kind = RIG_FAIL, .from_ns = 3 * S, .to_ns = 3500 * MS, .error = EIO});
    for (uint64_t t_ns = S; t_ns <= 5 * S; t_ns += 500 * MS) {
        read_at(t_ns);
    }
    CHECK_INT(at(5 * S).energy_uj, 300000000); /* 1 … 2.5 s and 3.5 … 5 s */
    CHECK_INT(at(5 * S).gap_ns - S, S);        /* one second before the first reading, one from 2.5 s to 3.5 s */
}

static void test_an_unbelievable_power_is_a_failed_reading(void)
{
    begin(EM_KIND_GAUGE, (rig_source){0});
    add(S, 1000);
    CHECK_INT(add(2 * S, 2000001), EM__ADDED_NOTHING);
    CHECK_INT(add(3 * S, UINT64_MAX), EM__ADDED_END);
    CHECK_INT(series.status, EM_ERR_BROKEN);
    CHECK_INT(at(3 * S).energy_uj, 0);
}

static void test_a_channel_ends_when_patience_does(void)
{
    wave constant = wave_constant(100);
    begin(EM_KIND_COUNTER, (rig_source){.wave = &constant});
    read_at(S);
    read_at(2 * S);
    CHECK_INT(fail(2500 * MS, EM__READ_AGAIN, EM_ERR_READ), EM__ADDED_NOTHING);
    CHECK_INT(fail(3499 * MS, EM__READ_AGAIN, EM_ERR_READ), EM__ADDED_NOTHING);
    CHECK_INT(series.has_ended, 0);
    CHECK_INT(fail(3500 * MS, EM__READ_AGAIN, EM_ERR_READ), EM__ADDED_END);
    CHECK_INT(series.has_ended, 1);
    CHECK_INT(series.status, EM_ERR_BROKEN);
    CHECK_INT(fail(3600 * MS, EM__READ_AGAIN, EM_ERR_READ), EM__ADDED_NOTHING);
    CHECK_INT(estimate(5 * S).energy_uj, 100000000);
    CHECK_INT(estimate(5 * S).gap_ns - at(2 * S).gap_ns, 3 * S);
}

static void test_what_is_gone_ends_at_once_and_can_come_back(void)
{
    wave constant = wave_constant(100);
    begin(EM_KIND_COUNTER, (rig_source){.wave = &constant});
    rig_source_fault(&channel.source, (rig_fault){.kind = RIG_VANISH, .from_ns = 3 * S, .to_ns = 5 * S});
    read_at(S);
    read_at(2 * S);
    uint64_t before_ns = at(2 * S).gap_ns;
    CHECK_INT(read_at(3 * S), EM__ADDED_END);
    CHECK_INT(series.status, EM_ERR_GONE);
    CHECK_INT(read_at(4 * S), EM__ADDED_NOTHING);
    CHECK_INT(read_at(5 * S), EM__ADDED_POINT);
    CHECK_INT(series.has_ended, 0);
    CHECK_INT(read_at(6 * S), EM__ADDED_POINT);
    CHECK_INT(at(6 * S).energy_uj, 200000000); /* a new segment: what was between is nobody's */
    CHECK_INT(at(6 * S).gap_ns - before_ns, 3 * S);
}

/* A12: a reset is a gap with a new baseline, and no joule of it. */
static void test_a_reset_and_a_jump(void)
{
    wave constant = wave_constant(100);
    begin(EM_KIND_COUNTER, (rig_source){.wave = &constant, .start = 50000000000, .range = 262143999938});
    rig_source_fault(&channel.source, (rig_fault){.kind = RIG_RESET, .from_ns = 2500 * MS});
    rig_source_fault(&channel.source, (rig_fault){.kind = RIG_JUMP, .from_ns = 4500 * MS, .amount = 5000000000});
    for (uint64_t t_ns = S; t_ns <= 6 * S; t_ns += S) {
        CHECK_INT(read_at(t_ns), EM__ADDED_POINT);
    }
    CHECK_INT(at(6 * S).energy_uj, 300000000); /* 1 … 2, 3 … 4, 5 … 6 s */
    CHECK_INT(at(6 * S).gap_ns, S + 2 * S);
    CHECK_INT(series.status, EM_ERR_RESET);
}

static void test_a_suspend_joins_nothing(void)
{
    for (int32_t kind = EM_KIND_COUNTER; kind <= EM_KIND_GAUGE; kind++) {
        wave constant = wave_constant(100);
        begin(kind, (rig_source){.wave = &constant});
        read_at(S);
        read_at(2 * S);
        em__series_interrupt(&series, EM_ERR_SUSPENDED);
        CHECK_INT(read_at(3 * S), EM__ADDED_POINT);
        CHECK_INT(at(3 * S).energy_uj, 100000000);
        CHECK_INT(at(3 * S).gap_ns - S, S);
        CHECK_INT(series.status, EM_ERR_SUSPENDED);
        read_at(4 * S);
        CHECK_INT(at(4 * S).energy_uj, 200000000);
    }
}

/* An estimate that had to be kept and was too high is worked off: nothing falls, and nothing is lost in the end. */
static void test_an_overshoot_is_worked_off(void)
{
    for (int32_t kind = EM_KIND_COUNTER; kind <= EM_KIND_GAUGE; kind++) {
        wave burst = wave_burst(1, 100, 0, 2);
        begin(kind, (rig_source){.wave = &burst});
        read_at(1000 * MS);
        read_at(1900 * MS);
        int64_t known_uj = at(1900 * MS).energy_uj;
        CHECK_INT(known_uj, 90000000);
        em__series_pin(&series, 2900 * MS);
        int64_t pinned_uj = series.last.energy_uj;
        CHECK_INT(pinned_uj, 190000000);
        int64_t last_uj = pinned_uj;
        for (uint64_t t_ns = 3000 * MS; t_ns <= 120 * S; t_ns += 100 * MS) {
            CHECK_INT(read_at(t_ns), EM__ADDED_POINT);
            for (uint64_t part_ns = 0; part_ns <= 100 * MS; part_ns += 25 * MS) {
                int64_t now_uj = at(t_ns - 100 * MS + part_ns).energy_uj;
                CHECK(now_uj >= last_uj);
                last_uj = now_uj;
            }
        }
        /* A counter knows the step at 2 s; a gauge spreads it over the bracket in which it lies. */
        double truth_uj = wave_energy_j(&burst, S, 120 * S) * 1e6;
        double spread_uj = kind == EM_KIND_GAUGE ? 0.5 * 99e6 * 1.1 : 0;
        CHECK_NEAR((double)series.last.energy_uj, truth_uj + spread_uj, spread_uj + 2);
        if (kind == EM_KIND_COUNTER) {
            CHECK_INT(at(120 * S).gap_ns, S);
        }
    }
}

static void test_an_undershoot_is_caught_up_with(void)
{
    wave burst = wave_burst(10, 100, 2, 100);
    begin(EM_KIND_COUNTER, (rig_source){.wave = &burst});
    read_at(1000 * MS);
    read_at(2000 * MS);
    em__series_pin(&series, 3000 * MS);
    CHECK_INT(series.last.energy_uj, 20000000);
    read_at(4000 * MS);
    CHECK_INT(series.last.energy_uj, 210000000);
    CHECK_INT(at(3500 * MS).energy_uj, 115000000);
}

/* Pinning a thousand times between two readings adds up to the same as once. */
static void test_pinning_often_loses_nothing(void)
{
    for (int32_t kind = EM_KIND_COUNTER; kind <= EM_KIND_GAUGE; kind++) {
        wave constant = wave_constant(33.333);
        begin(kind, (rig_source){.wave = &constant});
        read_at(1000 * MS);
        read_at(2000 * MS);
        for (uint64_t t_ns = 2000 * MS; t_ns < 3000 * MS; t_ns += 1000003) {
            em__series_pin(&series, t_ns);
        }
        CHECK_NEAR((double)series.last.energy_uj, (double)(series.last.t_ns - S) * 33333 / 1e6, 2);
        read_at(3000 * MS);
        CHECK_NEAR((double)series.last.energy_uj, 66666000, 2);
    }
}

/* 7 mW in steps of 100 µs are 0.7 µJ each: what is no whole one is carried. */
static void test_small_powers_add_up(void)
{
    wave constant = wave_constant(0.007);
    begin(EM_KIND_GAUGE, (rig_source){.wave = &constant});
    for (uint64_t t_ns = S; t_ns <= 2 * S; t_ns += MS / 10) {
        read_at(t_ns);
    }
    CHECK_INT(series.last.energy_uj, 7000);
}

static void test_a_reading_from_before_a_pinned_point(void)
{
    wave constant = wave_constant(100);
    begin(EM_KIND_COUNTER, (rig_source){.wave = &constant});
    read_at(1000 * MS);
    read_at(2000 * MS);
    em__series_pin(&series, 2500 * MS);
    CHECK_INT(read_at(2499 * MS), EM__ADDED_NOTHING);
    CHECK_INT(series.last.energy_uj, 150000000);
    read_at(3000 * MS);
    CHECK_INT(series.last.energy_uj, 200000000);
}

/* What a counter does in a pause is nobody's, however long it was, and the pause itself is no gap. */
static void test_a_pause_is_nobodys(void)
{
    for (int32_t kind = EM_KIND_COUNTER; kind <= EM_KIND_GAUGE; kind++) {
        wave constant = wave_constant(100);
        begin(kind, (rig_source){.wave = &constant});
        read_at(S);
        read_at(2 * S);
        uint64_t gap_ns = at(2 * S).gap_ns;
        em__series_pause(&series);
        CHECK_INT(estimate(3000 * S).energy_uj, 100000000);
        CHECK_INT(estimate(3000 * S).gap_ns, gap_ns);
        em__series_resume(&series, 3600 * S);
        CHECK_INT(read_at(3600 * S + 5), EM__ADDED_POINT);
        CHECK_INT(at(3600 * S + 5).energy_uj, 100000000);
        CHECK_INT(at(3600 * S + 5).gap_ns, gap_ns);
        read_at(3601 * S + 5);
        CHECK_INT(at(3601 * S + 5).energy_uj, 200000000);
        CHECK_INT(at(3601 * S + 5).gap_ns, gap_ns);
    }
}

/* Without a reading at its begin, a window's first stretch was not measured. */
static void test_what_is_asked_for_before_the_first_reading_is_a_gap(void)
{
    wave constant = wave_constant(100);
    begin(EM_KIND_COUNTER, (rig_source){.wave = &constant});
    em__series_resume(&series, 5 * S);
    series.is_paused = 0;
    CHECK_INT(estimate(6 * S).gap_ns, S);
    read_at(7 * S);
    CHECK_INT(at(7 * S).gap_ns, 2 * S);
    CHECK_INT(at(7 * S).energy_uj, 0);
}

/* measurement.md §7, edges that are readings of a counter whose updates are not known: 300 W, T 0.1 s: 12.247 J for both
 * edges of a window, 8.660 J each; RAPL 150 W, 1 ms: 0.0612 J. */
static void test_the_error_of_a_raw_edge(void)
{
    static const struct {
        double power_w, both_j;
        uint64_t period_ns;
    } worked[] = {{300, 12.247, 100 * MS}, {150, 0.0612, MS}};
    for (size_t i = 0; i < 2; i++) {
        em__doubt doubt;
        wave constant = wave_constant(worked[i].power_w);
        begin(EM_KIND_COUNTER, (rig_source){.wave = &constant, .period_ns = worked[i].period_ns});
        for (uint64_t t_ns = S; t_ns <= 4 * S; t_ns += S) {
            read_at(t_ns);
        }
        em__series_at(&series, 3 * S, &doubt);
        CHECK_NEAR(sqrt(2) * doubt.energy_uj / 1e6, worked[i].both_j, 0.001 * worked[i].both_j);
        /* Between two readings, whose lags are independent of each other, it is less, and never more. */
        em__series_at(&series, 3500 * MS, &doubt);
        CHECK(doubt.energy_uj / 1e6 > 0.5 * worked[i].both_j);
    }
}

/* Interpolated across a step of ΔP in a bracket T without anything learned: ΔP·T·u·(1 - u), of which T·|ΔP|/√30 is the
 * mean over the bracket, times what a step at any place in it errs by. */
static void test_the_error_across_a_step(void)
{
    em__doubt doubt;
    double square = 0;
    wave burst = wave_burst(90, 380, 2, 100);
    begin(EM_KIND_COUNTER, (rig_source){.wave = &burst});
    read_at(1000 * MS);
    read_at(2000 * MS);
    read_at(3000 * MS);
    for (uint64_t t_ns = 2005 * MS; t_ns < 3 * S; t_ns += 10 * MS) {
        em__series_at(&series, t_ns, &doubt);
        square += doubt.energy_uj * doubt.energy_uj / 1e12 / 100;
    }
    CHECK(sqrt(square) > 0.5 * 290 / sqrt(30) && sqrt(square) < 290 / sqrt(30));
}

int main(void)
{
    RUN(test_a5_sampled_power_reaches_to_the_edges);
    RUN(test_a6_a_reading_that_never_changes_is_power);
    RUN(test_a_ramp_is_exact);
    RUN(test_a_sine_is_near);
    RUN(test_a_counter_is_interpolated);
    RUN(test_a_counter_makes_up_for_a_failed_reading);
    RUN(test_a_gauge_has_a_hole_where_readings_fail);
    RUN(test_an_unbelievable_power_is_a_failed_reading);
    RUN(test_a_channel_ends_when_patience_does);
    RUN(test_what_is_gone_ends_at_once_and_can_come_back);
    RUN(test_a_reset_and_a_jump);
    RUN(test_a_suspend_joins_nothing);
    RUN(test_an_overshoot_is_worked_off);
    RUN(test_an_undershoot_is_caught_up_with);
    RUN(test_pinning_often_loses_nothing);
    RUN(test_small_powers_add_up);
    RUN(test_a_reading_from_before_a_pinned_point);
    RUN(test_a_pause_is_nobodys);
    RUN(test_what_is_asked_for_before_the_first_reading_is_a_gap);
    RUN(test_the_error_of_a_raw_edge);
    RUN(test_the_error_across_a_step);
    return CHECK_DONE();
}
