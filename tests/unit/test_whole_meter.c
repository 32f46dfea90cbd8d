/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* RAPL through the whole meter: its sampler, its readings at edges and its windows, against the wave's closed form. */
#include "metering.h"
#include "rig/random.h"

enum { WINDOWS = 2000, KEPT = 500 };

static double sorted[WINDOWS];

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* 40 and 120 W, 0.7 s, an update each ms, sampled every 50 ms; a range that lasts a few minutes, so that it wraps. */
static void measure(uint32_t flags, uint64_t length_ns)
{
    static em_window windows[KEPT];
    wave square = wave_square(40, 120, 0.7, 0.5, rig_random_between(0, 0.7));
    em_options options = default_options();
    options.flags = flags;
    options.sample_interval_ns = 50 * MS;
    begin_machine("GenuineIntel");
    rig_host_put_zone(machine, &(rig_zone){.folder = "intel-rapl:0",
                                           .name = "package-0",
                                           .limit_w = 125,
                                           .cost_ns = 1000,
                                           .source = {.wave = &square,
                                                      .period_ns = MS,
                                                      .phase_ns = rig_random_below(MS),
                                                      .unit = 61.03515625,
                                                      .range = 262143999938,
                                                      .start = 262143000000 - 80160000000}});
    begin_meter(&options);
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    run_until(now() + 3 * S);
    for (int i = 0; i < WINDOWS; i += KEPT) {
        for (int n = 0; n < KEPT; n++) {
            run_until(now() + 20 * MS + rig_random_below(900 * MS));
            windows[n] = begin_window(EM_WINDOW_BATCH, NULL);
            run_until(now() + length_ns);
            end_window(windows[n]);
        }
        run_until(now() + 200 * MS);
        for (int n = 0; n < KEPT; n++) {
            em_result result = final_result(windows[n]);
            double true_j = wave_energy_j(&square, result.begin_ns, result.begin_ns + result.duration_ns);
            sorted[i + n] = fabs(result.total.energy_j - true_j) / true_j;
            CHECK_INT(result.is_complete, 1);
        }
    }
    end_window(run);
    end_all();
    qsort(sorted, WINDOWS, sizeof sorted[0], by_size);
}

static void check(const char *edges, uint32_t flags)
{
    double most[2], worst[2];
    for (int i = 0; i < 2; i++) {
        measure(flags, i ? 50 * MS : 500 * MS);
        most[i] = sorted[WINDOWS * 99 / 100 - 1];
        worst[i] = sorted[WINDOWS - 1];
    }
    printf("# edges read %s: 0.5 s: 99 %% within %.3f %%, worst %.3f %%; 50 ms: 99 %% within %.3f %%, worst %.3f %%\n",
           edges, 100 * most[0], 100 * worst[0], 100 * most[1], 100 * worst[1]);
    CHECK(most[0] <= 0.002 && worst[0] <= 0.003);
    CHECK(most[1] <= 0.015 && worst[1] <= 0.045);
}

static void test_rapl(void)
{
    check("by budget", 0);
    check("always", EM_EDGES_ALWAYS);
    check("never", EM_EDGES_NEVER);
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_rapl);
    return CHECK_DONE();
}
