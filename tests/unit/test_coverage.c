/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* How often the truth lies within the uncertainty, and how wide that is, per sensor and window length (docs/measurement.md
 * §7), with readings 100 ms apart, the default, and 50. Every draw is another device under another load, from
 * tests/rig/ranges.h. Arguments: seed, draws, interval in ms, anything for the second table of loads. */
#include "check.h"
#include "rig/random.h"
#include "rig/trial.h"

enum { DRAWS_MOST = 50000 };

static size_t draws = 5000;
static uint32_t interval_ms;
static const rig_load_range *loads = &rig_loads;
static double errors_j[DRAWS_MOST];

typedef struct {
    size_t covered, covered_in_all;
    double sum_u_j;
} cell;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Where most errors are exactly zero, of the rest. */
static double most_errors_j(double *sorted, size_t count)
{
    size_t zeros = 0;
    qsort(sorted, count, sizeof *sorted, by_size);
    while (zeros < count && sorted[zeros] <= 0) {
        zeros++;
    }
    size_t from = zeros > count / 2 ? zeros : 0;
    return count > from ? sorted[from + (count - from) * 95 / 100] : 0;
}

static void run_sensor(const rig_sensor_range *sensor)
{
    cell cells[RIG_LENGTHS] = {{0}};
    for (size_t i = 0; i < draws; i++) {
        rig_trial trials[RIG_LENGTHS];
        rig_trial_run(sensor, loads, interval_ms, trials);
        for (size_t j = 0; j < RIG_LENGTHS; j++) {
            CHECK_INT(trials[j].is_final, 1);
            errors_j[j * draws + i] = fabs(trials[j].measured_j - trials[j].truth_j);
            cells[j].covered += (size_t)rig_trial_is_within_edge(&trials[j]);
            cells[j].covered_in_all += (size_t)rig_trial_is_within_all(&trials[j]);
            cells[j].sum_u_j += trials[j].edge_j;
        }
    }
    for (size_t j = 0; j < RIG_LENGTHS; j++) {
        double share = (double)cells[j].covered / (double)draws,
               in_all = (double)cells[j].covered_in_all / (double)draws;
        double mean_u_j = cells[j].sum_u_j / (double)draws, most_j = most_errors_j(errors_j + j * draws, draws);
        printf("# %s,%u,%u,%zu,%.4f,%.4f,%.5g,%.5g,%.2f\n", sensor->name, interval_ms, rig_window_lengths_ms[j], draws,
               in_all, share, mean_u_j, most_j, mean_u_j / most_j);
        CHECK(share >= 0.94 && in_all >= 0.94);
        CHECK(mean_u_j <= 2 * most_j);
    }
}

static void the_truth_is_within_the_uncertainty(void)
{
    printf("# sensor,interval_ms,window_ms,draws,coverage,edge_coverage,mean_edge_u_j,error_p95_j,ratio\n");
    for (size_t i = 0; i < RIG_SENSORS; i++) {
        run_sensor(&rig_sensors[i]);
    }
}

static void test_the_truth_is_within_the_uncertainty_at_100_ms(void)
{
    interval_ms = 100;
    the_truth_is_within_the_uncertainty();
}

static void test_the_truth_is_within_the_uncertainty_at_50_ms(void)
{
    interval_ms = 50;
    the_truth_is_within_the_uncertainty();
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    rig_random_seed(seed);
    printf("# seed %llu\n", (unsigned long long)seed);
    draws = argc > 2 ? strtoull(argv[2], NULL, 10) : draws;
    if (draws * RIG_LENGTHS > DRAWS_MOST) {
        printf("# at most %d draws\n", DRAWS_MOST / (int)RIG_LENGTHS);
        return 2;
    }
    loads = argc > 4 ? &rig_other_loads : loads;
    if (argc > 3) {
        interval_ms = (uint32_t)strtoul(argv[3], NULL, 10);
        RUN(the_truth_is_within_the_uncertainty);
        return CHECK_DONE();
    }
    RUN(test_the_truth_is_within_the_uncertainty_at_100_ms);
    RUN(test_the_truth_is_within_the_uncertainty_at_50_ms);
    return CHECK_DONE();
}
