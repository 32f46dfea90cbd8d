/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Short windows on counters that update slowly: the errors of final values against closed-form truth, with the A100's
 * figures (docs/measurement.md §3) and with RAPL's, the readings placed as the sampler places them. */
#include "check.h"
#include "rig/channel.h"
#include "rig/random.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define US UINT64_C(1000)

enum { WINDOWS = 200, WARM_S = 3 };

typedef struct {
    double mean_error, worst_error, sum_error, bias;
    double sorted[2000];
    int count;
} errors;

static rig_ledger rig;

/* Reads when the sampler would: at the sample interval, or when the series asks for it. A thread wakes up late. */
static void sample_until(uint64_t *now_ns, uint64_t until_ns, uint64_t interval_ns)
{
    static uint64_t due_ns, next_ns;
    if (*now_ns == 0) {
        *now_ns = due_ns = next_ns = S;
    }
    while (next_ns <= until_ns) {
        uint64_t read_ns = next_ns + rig_random_below(80 * US);
        rig_ledger_read(&rig, 0, read_ns);
        if (read_ns + interval_ns / 4 >= due_ns) {
            due_ns += ((read_ns > due_ns ? read_ns - due_ns : 0) / interval_ns + 1) * interval_ns;
        }
        next_ns = em__timeline_plan(&rig.ledger.timeline, 0, read_ns, due_ns);
        *now_ns = read_ns;
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Windows of one length at random times, or from begin_s on in each period of a wave. */
static errors measure(rig_channel channel, uint64_t length_ns, int count, double begin_s)
{
    errors result = {.count = count};
    double truth_sum_j = 0, sum_j = 0, bias_j = 0;
    uint64_t now_ns = 0;
    rig_ledger_init(&rig, &channel, 1, NULL);
    em_window run = rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
    (void)run;
    uint64_t t_ns = (S * WARM_S) + S;
    for (int i = 0; i < count; i++) {
        if (begin_s < 0) {
            t_ns += 200 * MS + rig_random_below(900 * MS);
        } else {
            double period_s = channel.source.wave->period_s;
            t_ns = (uint64_t)((ceil((double)t_ns / 1e9 / period_s) * period_s + begin_s) * 1e9);
        }
        uint64_t end_ns = t_ns + length_ns;
        sample_until(&now_ns, t_ns, 50 * MS);
        em_window window = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, t_ns);
        sample_until(&now_ns, end_ns, 50 * MS);
        rig_ledger_end(&rig, window, end_ns);
        /* Settling takes a bracket after the edge's: two sample intervals, and more where a reading told nothing. */
        uint64_t settle_ns = end_ns + 180 * MS;
        sample_until(&now_ns, settle_ns, 50 * MS);
        em_result measured = rig_ledger_result(&rig, window, now_ns, NULL);
        while (!measured.is_final && settle_ns < end_ns + S) {
            settle_ns += 50 * MS;
            sample_until(&now_ns, settle_ns, 50 * MS);
            measured = rig_ledger_result(&rig, window, now_ns, NULL);
        }
        CHECK_INT(measured.is_final, 1);
        double truth_j = wave_energy_j(channel.source.wave, t_ns, end_ns);
        double error = fabs(measured.total.energy_j - truth_j) / truth_j;
        result.sorted[i] = error;
        result.mean_error += error / count;
        bias_j += measured.total.energy_j - truth_j;
        sum_j += measured.total.energy_j;
        truth_sum_j += truth_j;
        t_ns = end_ns;
    }
    qsort(result.sorted, (size_t)count, sizeof result.sorted[0], by_size);
    result.worst_error = result.sorted[count - 1];
    result.sum_error = fabs(sum_j / truth_sum_j - 1);
    result.bias = bias_j / truth_sum_j;
    rig_ledger_free(&rig);
    return result;
}

static rig_channel a100(const wave *power, uint64_t jitter_ns)
{
    rig_source source = {.wave = power,
                         .period_ns = 20 * MS,
                         .phase_ns = rig_random_below(20 * MS),
                         .unit = 1000,
                         .jitter_ns = jitter_ns};
    return rig_channel_make("gpu-0/board", EM__COVERS_BOARD, 0, EM_KIND_COUNTER, source);
}

static void show(const char *what, const errors *e)
{
    printf("# %s: mean %.3f %%, 99 %% within %.3f %%, worst %.3f %%, sum %.3f %%\n", what, 100 * e->mean_error,
           100 * e->sorted[e->count * 99 / 100 - 1], 100 * e->worst_error, 100 * e->sum_error);
}

static void test_a100_steady_updates(void)
{
    wave square = wave_square(90, 380, 0.9, 0.55, rig_random_between(0, 0.9));
    errors e = measure(a100(&square, 0), 500 * MS, WINDOWS, -1);
    show("A100, 0.5 s", &e);
    CHECK(e.mean_error <= 0.004 && e.sum_error <= 0.002);
    e = measure(a100(&square, 0), 50 * MS, WINDOWS, -1);
    show("A100, 50 ms", &e);
    CHECK(e.mean_error <= 0.02 && e.sum_error <= 0.002);
}

static void test_a100_jittering_updates(void)
{
    wave square = wave_square(90, 380, 0.9, 0.55, rig_random_between(0, 0.9));
    errors e = measure(a100(&square, 2 * MS), 500 * MS, WINDOWS, -1);
    show("A100, jitter 2 ms, 0.5 s", &e);
    CHECK(e.mean_error <= 0.01 && e.sum_error <= 0.002);
    e = measure(a100(&square, 2 * MS), 50 * MS, WINDOWS, -1);
    show("A100, jitter 2 ms, 50 ms", &e);
    CHECK(e.mean_error <= 0.06);
}

static void test_a_window_that_is_the_high_part(void)
{
    wave square = wave_square(90, 380, 0.5, 0.6, 0);
    errors e = measure(a100(&square, 0), 300 * MS, WINDOWS, 0);
    printf("# bias %.3f %%\n", 100 * e.bias);
    CHECK(fabs(e.bias) <= 0.01);
}

static void test_rapl(void)
{
    wave square = wave_square(40, 120, 0.7, 0.5, rig_random_between(0, 0.7));
    rig_source source = {.wave = &square, .period_ns = MS, .phase_ns = rig_random_below(MS), .unit = 61.035};
    rig_channel package = rig_channel_make("cpu-0/package", EM__COVERS_PACKAGE, 0, EM_KIND_COUNTER, source);
    errors e = measure(package, 500 * MS, 2000, -1);
    show("RAPL, 0.5 s", &e);
    CHECK(e.sorted[2000 * 99 / 100 - 1] <= 0.002 && e.worst_error <= 0.003);
    e = measure(package, 50 * MS, 2000, -1);
    show("RAPL, 50 ms", &e);
    CHECK(e.sorted[2000 * 99 / 100 - 1] <= 0.015 && e.worst_error <= 0.045);
}

/* Of 1,000 seeds, 4 exceed a bound (50 ms with jitter, by a tenth at most): ten that are always the same do not. */
int main(int argc, char **argv)
{
    uint64_t given = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    for (uint64_t seed = given ? given : 1; seed <= (given ? given : 10); seed++) {
        printf("# seed %llu\n", (unsigned long long)seed);
        rig_random_seed(seed);
        RUN(test_a100_steady_updates);
        RUN(test_a100_jittering_updates);
        RUN(test_a_window_that_is_the_high_part);
        RUN(test_rapl);
    }
    return CHECK_DONE();
}
