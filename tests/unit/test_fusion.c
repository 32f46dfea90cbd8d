/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Short windows on counters that update slowly: the errors of final values against closed-form truth, with the A100's
 * figures (docs/measurement.md §3) and with RAPL's, the readings placed as the sampler places them. */
#include "check.h"
#include "rig/fusion.h"
#include "rig/random.h"

typedef struct {
    double mean_error, worst_error, within, sum_error, bias; /* within: 99 in 100 */
} errors;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static errors measure(size_t which)
{
    static rig_fused windows[RIG_FUSION_WINDOWS];
    static double sorted[RIG_FUSION_WINDOWS];
    const rig_fusion *how = &rig_fusions[which];
    double truth_j = 0, sum_j = 0, mean = 0;
    rig_fusion_run(how, windows);
    for (size_t i = 0; i < how->windows; i++) {
        CHECK_INT(windows[i].is_final, 1);
        sorted[i] = fabs(windows[i].measured_j - windows[i].truth_j) / windows[i].truth_j;
        mean += sorted[i] / (double)how->windows;
        truth_j += windows[i].truth_j;
        sum_j += windows[i].measured_j;
    }
    qsort(sorted, how->windows, sizeof sorted[0], by_size);
    errors e = {.mean_error = mean,
                .worst_error = sorted[how->windows - 1],
                .within = sorted[how->windows * 99 / 100 - 1],
                .bias = sum_j / truth_j - 1};
    e.sum_error = fabs(e.bias);
    printf("# %s, %u ms: mean %.3f %%, 99 %% within %.3f %%, worst %.3f %%, sum %+.3f %%\n", how->name, how->window_ms,
           100 * e.mean_error, 100 * e.within, 100 * e.worst_error, 100 * e.bias);
    return e;
}

static void test_a100_steady_updates(void)
{
    errors e = measure(0);
    CHECK(e.mean_error <= 0.004 && e.sum_error <= 0.002);
    e = measure(1);
    CHECK(e.mean_error <= 0.02 && e.sum_error <= 0.002);
}

static void test_a100_jittering_updates(void)
{
    errors e = measure(2);
    CHECK(e.mean_error <= 0.01 && e.sum_error <= 0.002);
    e = measure(3);
    CHECK(e.mean_error <= 0.06);
}

static void test_a_window_that_is_the_high_part(void)
{
    CHECK(measure(4).sum_error <= 0.01);
}

static void test_rapl(void)
{
    errors e = measure(5);
    CHECK(e.within <= 0.002 && e.worst_error <= 0.003);
    e = measure(6);
    CHECK(e.within <= 0.015 && e.worst_error <= 0.045);
}

/* Arguments: the first seed, and how many. None of the first 1,000 exceeds a bound. */
int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? 1 : 30;
    for (uint64_t seed = first; seed < first + count; seed++) {
        printf("# seed %llu\n", (unsigned long long)seed);
        rig_random_seed(seed);
        RUN(test_a100_steady_updates);
        RUN(test_a100_jittering_updates);
        RUN(test_a_window_that_is_the_high_part);
        RUN(test_rapl);
    }
    return CHECK_DONE();
}
