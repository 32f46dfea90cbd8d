/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The edges of windows on a counter that moves every 100 ms (cases A2 and A3): read where the window begins and ends,
 * and interpolated between updates whose instants are known. */
#include "check.h"
#include "rig/channel.h"
#include "rig/random.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define US UINT64_C(1000)

enum { PHASES = 10000, WINDOWS = 300 };

static rig_ledger rig;

static rig_channel board(const wave *power, uint64_t phase_ns)
{
    rig_source source = {.wave = power, .period_ns = 100 * MS, .phase_ns = phase_ns, .unit = 1000};
    rig_channel channel = rig_channel_make("gpu-0/board", EM__COVERS_BOARD, 0, EM_KIND_COUNTER, source);
    channel.facts.unit = 1000; /* 1 mJ */
    return channel;
}

/* Nothing is read but at the edges: the error of each is a uniform part of one update, that of the window triangular,
 * with a standard deviation of T / sqrt(6) = 4.08 % of a second. */
static void test_a2_raw_edges(void)
{
    wave constant = wave_constant(300);
    double mean = 0, square = 0, inside = 0;
    for (int i = 0; i < PHASES; i++) {
        rig_channel channel = board(&constant, rig_random_below(100 * MS));
        uint64_t begin_ns = 2 * S, end_ns = begin_ns + 950 * MS + rig_random_below(100 * MS);
        rig_ledger_init(&rig, &channel, 1, NULL);
        rig_ledger_read(&rig, 0, begin_ns - 999999937);
        rig_ledger_read(&rig, 0, begin_ns);
        em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, begin_ns);
        rig_ledger_end(&rig, window, end_ns);
        rig_ledger_read(&rig, 0, end_ns);
        rig_ledger_read(&rig, 0, end_ns + 100 * MS);
        em_result result = rig_ledger_result(&rig, window, end_ns + 100 * MS, NULL);
        CHECK_INT(result.is_final, 1);
        double error_j = result.total.energy_j - wave_energy_j(&constant, begin_ns, end_ns);
        mean += error_j / 300 / (double)PHASES;
        square += error_j / 300 * error_j / 300 / (double)PHASES;
        inside += (fabs(error_j) <= result.total.edge_j) / (double)PHASES;
        rig_ledger_free(&rig);
    }
    double deviation = sqrt(square - mean * mean);
    printf("# mean %.3f %%, standard deviation %.3f %%, %.2f %% inside\n", 100 * mean, 100 * deviation, 100 * inside);
    CHECK(fabs(mean) < 0.0015);
    CHECK(fabs(deviation - 0.041) <= 0.003);
    CHECK(inside >= 0.95);
}

typedef struct {
    uint64_t now_ns, due_ns, next_ns;
} sampler;

/* Reads when the sampler would, and when the timeline asks for it to find out when the counter moves. */
static void sample_until(sampler *s, uint64_t until_ns)
{
    const uint64_t interval_ns = 50 * MS;
    while (s->next_ns <= until_ns) {
        s->now_ns = s->next_ns + rig_random_below(80 * US);
        rig_ledger_read(&rig, 0, s->now_ns);
        if (s->now_ns + interval_ns / 4 >= s->due_ns) {
            s->due_ns += ((s->now_ns > s->due_ns ? s->now_ns - s->due_ns : 0) / interval_ns + 1) * interval_ns;
        }
        s->next_ns = em__timeline_plan(&rig.ledger.timeline, 0, s->now_ns, s->due_ns);
    }
}

/* Forty seconds are enough to see closely when it moves. The step lies up to T before or after the window's begin: at
 * worst interpolation across it errs by 600 W x T / 4. */
static double worst_error_j(const wave *constant)
{
    double worst_j = 0;
    for (int i = 0; i < WINDOWS; i++) {
        sampler s = {.due_ns = S, .next_ns = S};
        uint64_t begin_ns = 40 * S + rig_random_below(S), end_ns = begin_ns + 950 * MS + rig_random_below(100 * MS);
        double step_s = (double)begin_ns / 1e9 + rig_random_between(-0.1, 0.1);
        wave step = wave_burst(100, 700, step_s, 1000);
        const wave *power = constant ? constant : &step;
        rig_channel channel = board(power, rig_random_below(100 * MS));
        rig_ledger_init(&rig, &channel, 1, NULL);
        em_window run = rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
        sample_until(&s, begin_ns);
        em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, begin_ns);
        sample_until(&s, end_ns);
        rig_ledger_end(&rig, window, end_ns);
        sample_until(&s, end_ns + S);
        em_result result = rig_ledger_result(&rig, window, s.now_ns, NULL);
        CHECK_INT(result.is_final, 1);
        double error_j = fabs(result.total.energy_j - wave_energy_j(power, begin_ns, end_ns));
        worst_j = error_j > worst_j ? error_j : worst_j;
        rig_ledger_end(&rig, run, s.now_ns);
        rig_ledger_free(&rig);
    }
    return worst_j;
}

static void test_a3_interpolated_edges(void)
{
    wave constant = wave_constant(300);
    double constant_j = worst_error_j(&constant), step_j = worst_error_j(NULL);
    printf("# worst of %d: constant power %.4f %%, a step of 600 W %.2f J\n", WINDOWS, constant_j / 3, step_j);
    CHECK(constant_j < 0.001 * 300 * 0.95);
    CHECK(step_j <= 15);
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_a2_raw_edges);
    RUN(test_a3_interpolated_edges);
    return CHECK_DONE();
}
