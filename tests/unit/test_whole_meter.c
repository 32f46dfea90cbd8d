/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Short windows on RAPL through whole meters, whose sampler and edge reads are those of programs: the errors of final
 * results against closed-form truth, and that what breaks the counter's course is a gap with a name. */
#include "metering.h"
#include "rig/random.h"

enum { WINDOWS = 2000, FLUSH = 20 };

#define ZONE "intel-rapl:0"
#define RANGE UINT64_C(262143999938)
#define UNIT 61.035

typedef struct {
    double sorted[WINDOWS];
    int64_t energies_uj[WINDOWS];
} errors;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static wave square;

static void begin_socket(uint32_t flags, rig_source source)
{
    em_options options = default_options();
    options.sample_interval_ns = 50 * MS;
    options.flags = flags;
    source.wave = &square;
    source.period_ns = MS;
    source.unit = source.unit > 0 ? source.unit : UNIT;
    begin_machine("GenuineIntel");
    rig_host_put_zone(
        machine, &(rig_zone){.folder = ZONE, .name = "package-0", .limit_w = 125, .cost_ns = 1000, .source = source});
    begin_meter(&options);
}

static double truth_of(const em_result *result)
{
    return wave_energy_j(&square, result->begin_ns, result->begin_ns + result->duration_ns);
}

/* A result is final two sample intervals after its end. */
static void take(const em_window *windows, int count, int first, errors *ret_errors)
{
    for (int i = 0; i < count; i++) {
        em_result result = result_of(windows[i]);
        CHECK_INT(result.is_final, 1);
        CHECK_INT(result.is_complete, 1);
        double truth_j = truth_of(&result);
        ret_errors->sorted[first + i] = fabs(result.total.energy_j - truth_j) / truth_j;
        ret_errors->energies_uj[first + i] = llround(result.total.energy_j * 1e6);
    }
}

static void measure(uint32_t flags, rig_source source, uint64_t length_ns, errors *ret_errors)
{
    em_window windows[FLUSH];
    begin_socket(flags, source);
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    run_until(1003 * S + rig_random_below(S));
    for (int i = 0; i < WINDOWS; i++) {
        run_until(now() + 50 * MS + rig_random_below(700 * MS));
        windows[i % FLUSH] = begin_window(EM_WINDOW_BATCH, NULL);
        run_until(now() + length_ns);
        end_window(windows[i % FLUSH]);
        if (i % FLUSH == FLUSH - 1) {
            run_until(now() + S);
            take(windows, FLUSH, i - FLUSH + 1, ret_errors);
        }
    }
    end_window(run);
    end_all();
    qsort(ret_errors->sorted, WINDOWS, sizeof ret_errors->sorted[0], by_size);
}

static void test_rapl(void)
{
    static const uint32_t flags[] = {0, EM_EDGES_NEVER, EM_EDGES_ALWAYS};
    static const char *const names[] = {"by budget", "never", "always"};
    static errors long_ones, short_ones;
    square = wave_square(40, 120, 0.7, 0.5, rig_random_between(0, 0.7));
    for (size_t f = 0; f < 3; f++) {
        rig_source source = {.phase_ns = rig_random_below(MS), .range = RANGE};
        measure(flags[f], source, 500 * MS, &long_ones);
        measure(flags[f], source, 50 * MS, &short_ones);
        int most = WINDOWS * 99 / 100 - 1;
        printf("# edges read %s: 0.5 s: 99 %% within %.3f %%, worst %.3f %%; 50 ms: %.3f %%, %.3f %%\n", names[f],
               100 * long_ones.sorted[most], 100 * long_ones.sorted[WINDOWS - 1], 100 * short_ones.sorted[most],
               100 * short_ones.sorted[WINDOWS - 1]);
        CHECK(long_ones.sorted[most] <= 0.002 && long_ones.sorted[WINDOWS - 1] <= 0.003);
        CHECK(short_ones.sorted[most] <= 0.015 && short_ones.sorted[WINDOWS - 1] <= 0.045);
    }
}

/* The same windows on a counter that wraps every 1.4 s, and so in a third of them. With a smaller range it would be read
 * more often. */
static void test_a_wrap_changes_nothing(void)
{
    static errors whole, wrapped;
    uint64_t seed = rig_random();
    rig_source source = {.phase_ns = rig_random_below(MS), .unit = 1, .range = RANGE};
    square = wave_square(40, 120, 0.7, 0.5, rig_random_between(0, 0.7));
    rig_random_seed(seed);
    measure(0, source, 500 * MS, &whole);
    source.range = 109999999;
    rig_random_seed(seed);
    measure(0, source, 500 * MS, &wrapped);
    int64_t most_uj = 0;
    for (int i = 0; i < WINDOWS; i++) {
        int64_t off_uj = llabs(whole.energies_uj[i] - wrapped.energies_uj[i]);
        most_uj = off_uj > most_uj ? off_uj : most_uj;
    }
    printf("# at most %lld uJ apart, of 40 J; worst %.3f %%\n", (long long)most_uj, 100 * wrapped.sorted[WINDOWS - 1]);
    CHECK_INT(most_uj, 0);
    CHECK(wrapped.sorted[WINDOWS - 1] <= 0.003);
}

static void test_after_an_hour_without_windows(void)
{
    for (int n = 0; n < 20; n++) {
        square = wave_square(40, 120, 0.7, 0.5, rig_random_between(0, 0.7));
        begin_socket(0, (rig_source){.phase_ns = rig_random_below(MS), .range = RANGE});
        em_window window = begin_window(EM_WINDOW_OTHER, NULL);
        run_until(now() + S);
        end_window(window);
        run_until(now() + 3600 * S);
        window = begin_window(EM_WINDOW_OTHER, NULL);
        run_until(now() + S);
        end_window(window);
        em_window next = begin_window(EM_WINDOW_OTHER, NULL);
        run_until(now() + S);
        em_result result = result_of(window);
        CHECK_INT(result.is_final, 1);
        CHECK_INT(result.is_complete, 1);
        CHECK(fabs(result.total.energy_j / truth_of(&result) - 1) <= 0.003);
        end_window(next);
        end_all();
    }
}

/* Each in the middle of a window of 4 s: it is not complete, its status says why, and it holds no more than was used. */
static void test_gaps_have_names(void)
{
    static const int32_t statuses[] = {EM_ERR_RESET, EM_ERR_SUSPENDED, EM_ERR_GONE};
    for (int i = 0; i < 3; i++) {
        square = wave_square(40, 120, 0.7, 0.5, rig_random_between(0, 0.7));
        rig_source source = {.phase_ns = rig_random_below(MS), .range = RANGE, .start = 200000000000};
        uint64_t at_ns = 1005 * S + rig_random_below(S);
        if (i != 1) {
            rig_source_fault(&source,
                             (rig_fault){.kind = i ? RIG_VANISH : RIG_RESET, .from_ns = at_ns, .to_ns = at_ns + S / 2});
        }
        begin_socket(0, source);
        run_until(1003 * S);
        em_window window = begin_window(EM_WINDOW_OTHER, NULL);
        run_until(at_ns);
        if (i == 1) {
            rig_host_suspend(machine, 100 * S);
        }
        run_until(at_ns + 90 * S);
        end_window(window);
        run_until(now() + S);
        em_energy energy;
        em_result result = {.size = sizeof result, .channels = &energy, .channels_capacity = 1};
        CHECK_INT(em_window_result(meter, window, &result), EM_OK);
        CHECK_INT(result.is_final, 1);
        CHECK_INT(result.is_complete, 0);
        CHECK_INT(energy.status, statuses[i]);
        double truth_j = truth_of(&result);
        printf("# %s: %.3f J of %.3f J\n",
               i == 0   ? "reset"
               : i == 1 ? "suspend"
                        : "vanish",
               result.total.energy_j, truth_j);
        CHECK(result.total.energy_j <= truth_j * 1.001);
        CHECK(result.total.energy_j >= truth_j - 120 * (i == 2 ? 61 : 0.2));
        end_all();
    }
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_rapl);
    RUN(test_a_wrap_changes_nothing);
    RUN(test_after_an_hour_without_windows);
    RUN(test_gaps_have_names);
    return CHECK_DONE();
}
