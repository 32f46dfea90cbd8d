/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The CPU model in windows: against the wave of utilisation that /proc/stat shows, a square one, whose power is known in
 * closed form: 15 % and 103 % of the thermal design power at 0 and 100 %. */
#include "metering.h"

#include "rig/random.h"

#include <math.h>
#include <string.h>

#define TDP_W 100.0

enum { SHORT_WINDOWS = 1000 };

static const double low_w = 0.15 * TDP_W, high_w = 1.03 * TDP_W;

static wave load;

/* A machine with one socket and no counter; utilisation 1 and 0, a step every 0.3 to 0.7 s. */
static void begin_modelled(int cpus, uint64_t interval_ns)
{
    machine = rig_host_create(1000 * S);
    rig_host_put_cpus(machine, "GenuineIntel", "Rig CPU", 1, cpus);
    load = wave_square(0, 1, rig_random_between(0.6, 1.4), 0.5, rig_random_between(0, 1));
    rig_host_put_stat(machine, &load, cpus);
    em_options options = default_options();
    options.cpu_tdp_w = TDP_W;
    options.sample_interval_ns = interval_ns;
    begin_meter(&options);
}

static double true_j(uint64_t from_ns, uint64_t to_ns)
{
    return low_w * (double)(to_ns - from_ns) / 1e9 + (high_w - low_w) * wave_energy_j(&load, from_ns, to_ns);
}

/* No step of the load lies this near. */
static int is_steady(uint64_t from_ns, uint64_t to_ns, uint64_t margin_ns)
{
    double busy_s = wave_energy_j(&load, from_ns - margin_ns, to_ns + margin_ns);
    double all_s = (double)(to_ns - from_ns + 2 * margin_ns) / 1e9;
    return busy_s < 1e-9 || busy_s > all_s - 1e-9;
}

static int64_t uj_of(em_result result)
{
    return llround(result.total.energy_j * 1e6);
}

static int is_possible(em_result result)
{
    double w = result.total.energy_j / ((double)result.duration_ns / 1e9);
    double rounding_w = 1e-6 / ((double)result.duration_ns / 1e9);
    return w >= low_w - rounding_w && w <= high_w + rounding_w;
}

/* Errors allowed: a stretch of 20 ticks is told to one tick, 5 % of utilisation, where the curve is at most 1.8 and on top
 * 0.82 steep; a stretch that holds a step shows f of its mean, at most 0.092 of the TDP above the mean of f. */
static void check_short_windows(int cpus, uint64_t interval_ns)
{
    static em_window windows[SHORT_WINDOWS];
    uint64_t stretch_ns = 200 * MS / (uint64_t)cpus + interval_ns;
    begin_modelled(cpus, interval_ns);
    em_window first = begin_window(EM_WINDOW_OTHER, "first");
    for (int i = 0; i < 50; i++) {
        rig_host_advance(machine, 10 * MS);
        em__meter_step(meter);
    }
    end_window(first);
    em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_OTHER};
    em_window whole = begin_window(EM_WINDOW_EPOCH, NULL), window = begin_window(EM_WINDOW_OTHER, NULL);
    for (int i = 0; i < SHORT_WINDOWS; i++) {
        rig_host_advance(machine, 10 * MS);
        if (((uint64_t)i + 1) * 10 * MS % interval_ns == 0) {
            em__meter_step(meter);
        }
        windows[i] = window;
        CHECK_INT(i + 1 < SHORT_WINDOWS ? em_window_lap(meter, window, &spec, NULL, &window)
                                        : em_window_end(meter, window, NULL),
                  EM_OK);
    }
    end_window(whole);
    pass(S);
    int64_t sum_uj = 0;
    double worst_steady_w = 0;
    for (int i = 0; i < SHORT_WINDOWS; i++) {
        em_result result = result_of(windows[i]);
        CHECK_INT(result.is_final, 1);
        if (!CHECK(is_possible(result))) {
            printf("#   window %d: %g W\n", i, result.total.energy_j * 100);
        }
        sum_uj += uj_of(result);
        uint64_t end_ns = result.begin_ns + result.duration_ns;
        double error_w = (result.total.energy_j - true_j(result.begin_ns, end_ns)) * 1e9 / (double)result.duration_ns;
        if (is_steady(result.begin_ns, end_ns, stretch_ns)) {
            worst_steady_w = fmax(worst_steady_w, fabs(error_w));
        }
    }
    em_result all = result_of(whole);
    CHECK_INT(sum_uj, uj_of(all));
    double steps = 2 * 10 / load.period_s + 2, truth_j = true_j(all.begin_ns, all.begin_ns + all.duration_ns);
    double allowed_j = steps * 0.092 * TDP_W * (double)stretch_ns / 1e9 + 0.09 * TDP_W * 10 * 0.1;
    CHECK_NEAR(all.total.energy_j, truth_j, allowed_j);
    CHECK(worst_steady_w <= 0.09 * TDP_W + 1e-3);
    printf("# %d CPUs, read every %llu ms: whole %+.2f %%, windows away from steps within %.1f %% of TDP\n", cpus,
           (unsigned long long)(interval_ns / MS), (all.total.energy_j / truth_j - 1) * 100, worst_steady_w);
    end_all();
}

static void test_short_windows(void)
{
    for (int cpus = 1; cpus <= 64; cpus *= 4) {
        check_short_windows(cpus, 10 * MS);
        check_short_windows(cpus, 100 * MS);
    }
}

/* Windows that have to be final before the next evaluation keep an estimate at the last power, and nothing of what it
 * missed is put upon the next one. */
static void test_pinned(void)
{
    begin_modelled(1, 10 * MS);
    for (int i = 0; i < 400; i++) {
        em_window window = begin_window(EM_WINDOW_OTHER, NULL);
        uint64_t length_ns = MS * (3 + rig_random_below(40));
        for (uint64_t ns = 0; ns < length_ns; ns += MS) {
            rig_host_advance(machine, MS);
            em__meter_step(meter);
        }
        end_window(window);
        em_result provisional = result_of(window), kept = final_result(window);
        CHECK_NEAR(provisional.total.energy_j, kept.total.energy_j, 1e-6);
        /* What lies before the first evaluation of all has no power yet. */
        CHECK(now() < 1000 * S + 300 * MS || is_possible(kept));
    }
    end_all();
}

/* A pause ends in the middle of a stretch: what was before is not put upon the window behind it. */
static void test_after_a_pause(void)
{
    begin_modelled(1, 10 * MS);
    for (int i = 0; i < 50; i++) {
        end_window(begin_window(EM_WINDOW_OTHER, NULL));
        for (uint64_t ns = 0, end = S + MS * (20 + rig_random_below(60)); ns < end; ns += 10 * MS) {
            rig_host_advance(machine, 10 * MS);
            em__meter_step(meter);
        }
        CHECK(meter->is_parked);
        rig_host_advance(machine, MS * rig_random_below(60));
        em_window window = begin_window(EM_WINDOW_OTHER, NULL);
        for (int ms = 0; ms < 400; ms += 10) {
            rig_host_advance(machine, 10 * MS);
            em__meter_step(meter);
        }
        end_window(window);
        pass(300 * MS);
        em_result result = result_of(window);
        CHECK(result.is_final && result.is_complete && is_possible(result));
    }
    end_all();
}

/* The provisional value of an open window goes on with the last power. */
static void test_provisional(void)
{
    begin_modelled(1, 10 * MS);
    load = wave_constant(1);
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pass(S);
    em_result before = result_of(window);
    rig_host_advance(machine, 150 * MS);
    em_result after = result_of(window);
    CHECK_INT(after.is_final, 0);
    CHECK_NEAR(after.total.energy_j - before.total.energy_j, high_w * 0.15, 0.05 * high_w * 0.15);
    end_all();
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_short_windows);
    RUN(test_pinned);
    RUN(test_after_a_pause);
    RUN(test_provisional);
    return CHECK_DONE();
}
