/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The counter anchors, the samples shape: a consumer board, whose counter may be read once a second and whose gauge at
 * every sample (docs/measurement.md §3 rules 4 and 5). */
#include "check.h"
#include "rig/channel.h"
#include "rig/random.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { COUNTER, GAUGE, BOARDS = 20, WINDOWS = 200, INTERVAL_MS = 50 };

static rig_ledger rig;
static uint64_t now_ns, counter_ns;

static void begin(const wave *power, int is_shaped, double gauge_gain, uint64_t lost_from_ns, uint64_t lost_to_ns)
{
    rig_source counts = {.wave = power, .period_ns = 100 * MS, .phase_ns = rig_random_below(100 * MS), .unit = 1000};
    rig_source powers = {
        .wave = power, .period_ns = 100 * MS, .phase_ns = rig_random_below(100 * MS), .gain_error = gauge_gain};
    rig_channel channels[2] = {rig_channel_make("gpu-0/board", EM__COVERS_BOARD, 0, EM_KIND_COUNTER, counts),
                               rig_channel_make("gpu-0/board", EM__COVERS_BOARD, 0, EM_KIND_GAUGE, powers)};
    channels[COUNTER].facts.notes = EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER);
    channels[COUNTER].facts.shaped_by = is_shaped ? GAUGE - COUNTER : 0;
    if (lost_to_ns) {
        rig_source_fault(&channels[COUNTER].source,
                         (rig_fault){.kind = RIG_VANISH, .from_ns = lost_from_ns, .to_ns = lost_to_ns});
    }
    rig_ledger_init(&rig, channels, 2, NULL);
    now_ns = counter_ns = S;
}

/* The counter first where both are read, as in one call. */
static void sample_until(uint64_t until_ns)
{
    for (; now_ns <= until_ns; now_ns += INTERVAL_MS * MS) {
        if (now_ns >= counter_ns) {
            rig_ledger_read(&rig, COUNTER, now_ns);
            counter_ns += S;
        }
        rig_ledger_read(&rig, GAUGE, now_ns);
    }
}

static em_result settled(em_window window)
{
    em_result result;
    do {
        sample_until(now_ns + INTERVAL_MS * MS);
        result = rig_ledger_result(&rig, window, now_ns, NULL);
    } while (!result.is_final && now_ns < 100000 * S);
    return result;
}

/* Mean absolute error of windows of one length at random times, on boards whose updates come at random times: how late
 * steps are seen depends on those. */
static double mean_error(int is_shaped, uint64_t length_ns, double *ret_covered)
{
    double error = 0;
    int covered = 0;
    wave square;
    for (int i = 0; i < WINDOWS; i++) {
        if (i % (WINDOWS / BOARDS) == 0) {
            square = wave_square(90, 380, 0.9, 0.55, rig_random_between(0, 0.9));
            begin(&square, is_shaped, 0.03, 0, 0);
            rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
        }
        uint64_t from_ns = now_ns + 3 * S + rig_random_below(S), to_ns = from_ns + length_ns;
        sample_until(from_ns);
        em_window window = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, from_ns);
        sample_until(to_ns);
        rig_ledger_end(&rig, window, to_ns);
        em_result result = settled(window);
        double truth_j = wave_energy_j(&square, from_ns, to_ns), off_j = fabs(result.total.energy_j - truth_j);
        error += off_j / truth_j / (double)WINDOWS;
        covered += off_j <= result.total.edge_j;
        if ((i + 1) % (WINDOWS / BOARDS) == 0) {
            rig_ledger_free(&rig);
        }
    }
    *ret_covered = (double)covered / (double)WINDOWS;
    return error;
}

/* The gauge shows 3 % too much, and each of its steps up to a period and an interval late; its samples only divide what
 * the counter says. */
static void test_samples_shape_the_counter(void)
{
    double covered;
    double line_short = mean_error(0, 50 * MS, &covered), line_long = mean_error(0, 500 * MS, &covered);
    double shaped_long = mean_error(1, 500 * MS, &covered);
    CHECK(covered >= 0.9);
    double shaped_short = mean_error(1, 50 * MS, &covered);
    CHECK(covered >= 0.9);
    printf("# 50 ms: straight %.1f %%, shaped %.1f %%; 0.5 s: straight %.1f %%, shaped %.1f %%\n", 100 * line_short,
           100 * shaped_short, 100 * line_long, 100 * shaped_long);
    CHECK(shaped_short <= line_short / 3);
    CHECK(shaped_long <= line_long / 2);
}

/* Adjoining windows are the whole to the last µJ, and the whole is what the counter says, not the gauge. */
static void test_sums_are_the_counters(void)
{
    wave square = wave_square(90, 380, 0.9, 0.55, 0);
    begin(&square, 1, 0.2, 0, 0);
    rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
    sample_until(3 * S);
    em_window whole = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, now_ns), windows[WINDOWS];
    uint64_t from_ns = now_ns, t_ns = now_ns;
    double sum_j = 0;
    for (int i = 0; i < WINDOWS; i++) {
        windows[i] = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, t_ns);
        t_ns += MS + rig_random_below(300 * MS);
        sample_until(t_ns);
        rig_ledger_end(&rig, windows[i], t_ns);
    }
    rig_ledger_end(&rig, whole, t_ns);
    double whole_j = settled(whole).total.energy_j;
    for (int i = 0; i < WINDOWS; i++) {
        em_result result = rig_ledger_result(&rig, windows[i], now_ns, NULL);
        CHECK_INT(result.is_final, 1);
        CHECK(result.total.energy_j >= 0);
        sum_j += result.total.energy_j;
    }
    CHECK_NEAR(sum_j, whole_j, 1e-9 * whole_j);
    double truth_j = wave_energy_j(&square, from_ns, t_ns);
    CHECK_NEAR(whole_j, truth_j, 60); /* two edges, each late by up to half a period at 380 W, and misplaced steps */
    rig_ledger_free(&rig);
}

static int32_t role_of(size_t channel)
{
    em_channel described;
    em__ledger_channel(&rig.ledger, channel, &described);
    return described.role;
}

/* The gauge mirrors the counter and never counts beside it; when the counter dies, it stands in. */
static void test_the_gauge_stands_in(void)
{
    wave constant = wave_constant(200);
    begin(&constant, 1, 0.1, 5500 * MS, 1000 * S);
    CHECK_INT(role_of(COUNTER), EM_ROLE_COUNTED);
    CHECK_INT(role_of(GAUGE), EM_ROLE_MIRROR);
    CHECK_INT(em__ledger_is_read(&rig.ledger, GAUGE), 1);
    sample_until(2 * S);
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 2 * S);
    sample_until(4 * S);
    em_window inside = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 4 * S);
    sample_until(8 * S);
    CHECK_INT(role_of(COUNTER), EM_ROLE_UNREADABLE);
    CHECK_INT(role_of(GAUGE), EM_ROLE_COUNTED);
    rig_ledger_end(&rig, inside, 8 * S);
    rig_ledger_end(&rig, window, 8 * S);
    sample_until(9 * S);
    em_result result = rig_ledger_result(&rig, window, now_ns, NULL);
    CHECK_INT(result.is_final, 1);
    /* The counter up to its last reading at 5 s, a second that nobody saw, then the gauge with its 10 % too much. */
    CHECK_NEAR(result.total.energy_j, 3 * 200 + 2 * 220, 25);
    CHECK_INT(result.is_complete, 0);
    CHECK_INT((result.total.notes & EM_NOTE_BIT(EM_NOTE_GAP)) != 0, 1);
    rig_ledger_free(&rig);
}

/* What is shown before the next reading of the counter follows the samples too. */
static void test_an_estimate_follows_the_samples(void)
{
    wave burst = wave_burst(90, 380, 5.2, 100);
    begin(&burst, 1, 0, 0, 0);
    sample_until(5 * S);
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 5 * S);
    sample_until(5900 * MS);
    rig_ledger_end(&rig, window, 5900 * MS);
    em_result result = rig_ledger_result(&rig, window, 5900 * MS, NULL);
    CHECK_INT(result.is_final, 0);
    CHECK_NEAR(result.total.energy_j, wave_energy_j(&burst, 5 * S, 5900 * MS), 40);
    rig_ledger_free(&rig);
}

/* A gauge that falls silent takes its shape with it; the counter goes on in straight lines, and edges still settle. */
static void test_a_silent_gauge(void)
{
    wave constant = wave_constant(200);
    begin(&constant, 1, 0, 0, 0);
    sample_until(3 * S);
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 3 * S);
    for (uint64_t t_ns = 4 * S; t_ns <= 9 * S; t_ns += S) {
        rig_ledger_read(&rig, COUNTER, t_ns);
        if (t_ns == 6 * S) {
            rig_ledger_end(&rig, window, 6 * S);
        }
    }
    em_result result = rig_ledger_result(&rig, window, 9 * S, NULL);
    CHECK_INT(result.is_final, 1);
    CHECK_NEAR(result.total.energy_j, 600, 20 + 1e-6);
    rig_ledger_free(&rig);
}

/* Memory is bounded: however many samples come between two readings of the counter, 128 stand for them. */
static void test_samples_are_thinned(void)
{
    static em__shape shape;
    em__channel facts = {.kind = EM_KIND_GAUGE};
    shape = (em__shape){.facts = &facts};
    for (uint64_t i = 1; i <= 100000; i++) {
        em__point sample = {.t_ns = i * MS, .energy_uj = (int64_t)(500 * i * i), .power_mw = 1000 * i};
        em__shape_add(&shape, &sample, 0);
    }
    CHECK(shape.count > EM__SHAPE_SAMPLES / 4 && shape.count <= EM__SHAPE_SAMPLES);
    CHECK_INT(shape.samples[shape.count - 1].t_ns, 100000 * MS);
    em__doubt doubt;
    int64_t part_uj;
    em__point from = {.t_ns = 10000 * MS}, to = {.t_ns = 90000 * MS, .energy_uj = 1000000};
    CHECK_INT(em__shape_part(&shape, &from, &to, 50000 * MS, &part_uj, &doubt), 1);
    CHECK_NEAR((double)part_uj, 1e6 * (25.0 - 1) / (81 - 1), 1e3); /* of a ramp from 0 */
}

/* Between two samples that were kept there is the energy of those that were not: no instant gets what their two powers do
 * not explain. A square of 90 and 380 W, looked at each 7 ms; in a tenth of a millisecond no more than twice 380 W. */
static void test_no_energy_at_an_instant(void)
{
    static em__shape shape;
    em__channel facts = {.kind = EM_KIND_GAUGE};
    wave square = wave_square(90, 380, 0.9, 0.55, 0);
    em__point sample = {.t_ns = 0};
    shape = (em__shape){.facts = &facts};
    for (uint64_t t_ns = 7 * MS; t_ns < 4 * S; t_ns += 7 * MS) {
        uint64_t power_mw = (uint64_t)(wave_power_w(&square, t_ns) * 1e3);
        sample.energy_uj += (int64_t)((sample.power_mw + power_mw) * 7 / 2);
        sample.power_mw = power_mw;
        sample.t_ns = t_ns;
        em__shape_add(&shape, &sample, 0);
    }
    CHECK(shape.stride_ns > 7 * MS);
    int64_t most_uj = 0;
    for (uint64_t t_ns = 10 * MS; t_ns < 3900 * MS; t_ns += MS / 10) {
        int64_t step_uj = em__shape_energy_uj(&shape, t_ns, t_ns + MS / 10);
        CHECK(step_uj >= 0);
        most_uj = step_uj > most_uj ? step_uj : most_uj;
    }
    CHECK(most_uj <= 2 * 38000);
    CHECK_NEAR((double)em__shape_energy_uj(&shape, 900 * MS, 2700 * MS) / 1e6,
               wave_energy_j(&square, 900 * MS, 2700 * MS), 10);
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_samples_shape_the_counter);
    RUN(test_sums_are_the_counters);
    RUN(test_the_gauge_stands_in);
    RUN(test_an_estimate_follows_the_samples);
    RUN(test_a_silent_gauge);
    RUN(test_samples_are_thinned);
    RUN(test_no_energy_at_an_instant);
    return CHECK_DONE();
}
