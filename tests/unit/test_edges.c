/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whole meters that read at the edges of windows: case A11b, what the budget buys, what a pause costs, and that sums hold
 * whatever is read when. */
#include "metering.h"
#include "metrics/summary.h"
#include "rig/random.h"

#define US UINT64_C(1000)

enum { ZONES = 12 };

static size_t zones[ZONES];
static wave waves[ZONES];

/* Twelve sockets whose powers step at different times; reading the first costs 1 µs, and each further one 0.1 µs more. */
static void begin_twelve(double limit, uint32_t flags, uint64_t clock_cost_ns)
{
    em_options options = default_options();
    options.overhead_limit = limit;
    options.flags = flags;
    machine = rig_host_create(1000 * S);
    rig_host_put_cpus(machine, "GenuineIntel", "Rig CPU", ZONES, 2 * ZONES);
    for (int i = 0; i < ZONES; i++) {
        char folder[32], name[32];
        snprintf(folder, sizeof folder, "intel-rapl:%x", i);
        snprintf(name, sizeof name, "package-%d", i);
        waves[i] = wave_square(20 + i, 100 + i, 0.011 + 0.0037 * i, 0.4, 0.1 * i);
        zones[i] = rig_host_put_zone(machine, &(rig_zone){.folder = folder,
                                                          .name = name,
                                                          .limit_w = 125,
                                                          .cost_ns = US + US / 10 * (uint64_t)i,
                                                          .source = {.wave = &waves[i], .range = 262143999938}});
    }
    rig_host_set_clock_cost(machine, clock_cost_ns);
    begin_meter(&options);
}

static double truth_j(uint64_t from_ns, uint64_t to_ns)
{
    double sum_j = 0;
    for (int i = 0; i < ZONES; i++) {
        sum_j += wave_energy_j(&waves[i], from_ns, to_ns);
    }
    return sum_j;
}

static em_overhead overhead(void)
{
    em_summary *summary = NULL;
    em_overhead answer = {.size = sizeof answer};
    CHECK_INT(em_summary_create(meter, 0, &summary), EM_OK);
    CHECK_INT(em_summary_overhead(summary, &answer), EM_OK);
    em_summary_destroy(summary);
    return answer;
}

/* --------------------------------------------------------------------------------------------------------------- A11b */

typedef struct {
    uint64_t caller_ns, elapsed_ns, first_ns, last_ns, laps;
    double sum_j;
} row;

/* Laps of one length, back to back. Outside clocks say what the calls took. */
static row make_row(uint64_t length_ns, uint64_t duration_ns)
{
    em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_BATCH};
    row made = {.first_ns = 0};
    uint64_t start_ns = now();
    em_window window = 0, next;
    CHECK_INT(em_window_begin(meter, &spec, &window), EM_OK);
    made.caller_ns = now() - start_ns;
    made.first_ns = result_of(window).begin_ns;
    while (now() - start_ns < duration_ns) {
        run_until(now() + length_ns);
        uint64_t enter_ns = now();
        CHECK_INT(em_window_lap(meter, window, &spec, NULL, &next), EM_OK);
        made.caller_ns += now() - enter_ns;
        made.laps++;
        window = next;
    }
    made.last_ns = result_of(window).begin_ns;
    CHECK_INT(em_window_cancel(meter, window), EM_OK);
    made.elapsed_ns = now() - start_ns;
    return made;
}

static double total_j(void)
{
    em_summary *summary = NULL;
    size_t index = 0;
    CHECK_INT(em_summary_create(meter, S, &summary), EM_OK);
    CHECK_INT(em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index), EM_OK);
    double energy_j = summary->groups[index].total.energy_j;
    em_summary_destroy(summary);
    return energy_j;
}

/* A look at the clock costs 50 ns, so a call of its own needs 0.15 µs and is charged 0.7: at 5 ms the seventh of what the
 * limit allows. The rest buys the cheapest. */
static void test_a11b(void)
{
    begin_twelve(0.001, EM_EDGES_NEVER, 50);
    make_row(5 * MS, 20 * S);
    uint64_t sampled = rig_host_reads(machine, zones[0]);
    end_all();
    begin_twelve(0.001, 0, 50);
    row made = make_row(5 * MS, 20 * S);
    em_overhead spent = overhead();
    double cheapest = (double)(rig_host_reads(machine, zones[0]) - sampled) / (double)made.laps;
    double dearest = (double)(rig_host_reads(machine, zones[ZONES - 1]) - sampled) / (double)made.laps;
    printf(
        "# %.4f %% of the time, as told %.4f %%; the cheapest was read at %.1f %% of the edges, the dearest at %.1f %%\n",
        100 * (double)made.caller_ns / (double)made.elapsed_ns, 100 * spent.fraction, 100 * cheapest, 100 * dearest);
    CHECK((double)made.caller_ns <= 0.001 * (double)made.elapsed_ns);
    CHECK((double)made.caller_ns >= 0.0008 * (double)made.elapsed_ns); /* what is allowed is made use of */
    CHECK(spent.caller_s * 1e9 >= (double)made.caller_ns);
    CHECK(spent.fraction <= 0.001 * 1.002); /* the round that the bucket begins with is beside the limit */
    CHECK_NEAR(spent.limit, 0.001, 0);
    CHECK(cheapest > 0.9);
    CHECK(fabs(dearest) < 0.01);
    pass(100 * MS);
    CHECK_NEAR(total_j(), truth_j(made.first_ns, made.last_ns), 0.1); /* of 14 kJ: two edges lie between points */
    end_all();
}

/* 0.5 ms cannot pay for a call of a microsecond, charged with four: nothing is read but by the first begin. */
static void test_windows_too_short_to_pay_for_themselves(void)
{
    uint64_t reads[2][ZONES];
    for (int is_never = 0; is_never < 2; is_never++) {
        begin_twelve(0.001, is_never ? EM_EDGES_NEVER : 0, 300);
        row made = make_row(500 * US, 10 * S);
        CHECK(made.laps > 19000);
        for (int i = 0; i < ZONES; i++) {
            reads[is_never][i] = rig_host_reads(machine, zones[i]);
        }
        pass(100 * MS);
        CHECK_NEAR(total_j(), truth_j(made.first_ns, made.last_ns), 0.1);
        end_all();
    }
    for (int i = 0; i < ZONES; i++) {
        CHECK_INT(reads[0][i], reads[1][i]);
    }
}

static void test_always_and_never(void)
{
    const uint64_t round_ns = ZONES * 1000 + 66 * 100;
    begin_twelve(0.0, EM_EDGES_ALWAYS, 0);
    row made = make_row(5 * MS, S);
    for (int i = 0; i < ZONES; i++) {
        CHECK(rig_host_reads(machine, zones[i]) >= made.laps);
    }
    CHECK_INT(made.caller_ns, (made.laps + 1) * round_ns);
    CHECK_NEAR(overhead().caller_s * 1e9, (double)made.caller_ns, 1);
    end_all();
    for (int i = 0; i < 2; i++) {
        begin_twelve(i ? 0.0 : 1.0, i ? 0 : EM_EDGES_NEVER, 0);
        made = make_row(5 * MS, S);
        CHECK_INT(made.caller_ns, round_ns); /* the first begin reads in any case */
        end_all();
    }
}

/* --------------------------------------------------------------------------------------------------------- pauses */

/* Budget or not, the first begin after creation and after each pause reads each device once, and not twice. */
static void test_the_first_begin_reads_everything_once(void)
{
    static const uint32_t flags[] = {0, EM_EDGES_NEVER, EM_EDGES_ALWAYS};
    for (size_t f = 0; f < 3; f++) {
        begin_twelve(0.000001, flags[f], 0);
        for (int n = 0; n < 3; n++) {
            uint64_t reads[ZONES];
            for (int i = 0; i < ZONES; i++) {
                reads[i] = rig_host_reads(machine, zones[i]);
            }
            em_window window = begin_window(EM_WINDOW_OTHER, NULL);
            for (int i = 0; i < ZONES; i++) {
                CHECK_INT(rig_host_reads(machine, zones[i]), reads[i] + 1);
            }
            pass(S);
            end_window(window);
            pass(3 * S);
            CHECK_INT(meter->is_parked, 1);
            pass(3600 * S);
        }
        end_all();
    }
}

static void test_a_device_that_another_thread_reads(void)
{
    begin_twelve(0.0, EM_EDGES_ALWAYS, 0);
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pthread_mutex_lock(&meter->slots[3]->lock);
    uint64_t held = rig_host_reads(machine, zones[3]), other = rig_host_reads(machine, zones[4]);
    for (int i = 0; i < 5; i++) {
        rig_host_advance(machine, 10 * MS);
        em_window inner = begin_window(EM_WINDOW_OTHER, NULL);
        rig_host_advance(machine, 10 * MS);
        end_window(inner);
    }
    CHECK_INT(rig_host_reads(machine, zones[3]), held);
    CHECK_INT(rig_host_reads(machine, zones[4]), other + 10);
    pthread_mutex_unlock(&meter->slots[3]->lock);
    end_window(window);
    pass(100 * MS);
    em_result result = final_result(window);
    CHECK_INT(result.is_complete, 1);
    CHECK_NEAR(result.total.energy_j, truth_j(result.begin_ns, result.begin_ns + result.duration_ns), 4);
    end_all();
}

/* The budget pays for the package and not for its core: the core's figures wait for the sampler nevertheless. A step of
 * 80 W in 100 ms can shift 2 J between two readings. */
static void test_parts_that_nothing_is_left_for(void)
{
    wave whole = wave_constant(100), core = wave_burst(10, 90, 1001, 1002);
    begin_machine("GenuineIntel");
    rig_host_put_zone(machine, &(rig_zone){.folder = "intel-rapl:0",
                                           .name = "package-0",
                                           .limit_w = 125,
                                           .cost_ns = US,
                                           .source = {.wave = &whole, .range = 262143999938}});
    rig_host_put_zone(machine, &(rig_zone){.folder = "intel-rapl:0:0",
                                           .name = "core",
                                           .cost_ns = 300 * US,
                                           .source = {.wave = &core, .range = 262143999938}});
    em_options options = default_options();
    options.overhead_limit = 0.00005; /* 12 µs in each turn */
    begin_meter(&options);
    em_window window = begin_window(EM_WINDOW_OTHER, NULL), next;
    for (int i = 0; i < 30; i++) {
        pass(130 * MS);
        uint64_t reads = rig_host_reads(machine, 0), core_reads = rig_host_reads(machine, 1);
        CHECK_INT(em_window_lap(meter, window, NULL, NULL, &next), EM_OK);
        CHECK_INT(rig_host_reads(machine, 0), reads + 1);
        CHECK_INT(rig_host_reads(machine, 1), core_reads);
        rig_host_advance(machine, 5 * MS);
        end_window(begin_window(EM_WINDOW_OTHER, NULL)); /* which settles what may be settled */
        pass(100 * MS);
        em_energy energies[2];
        em_result result = {.size = sizeof result, .channels = energies, .channels_capacity = 2};
        CHECK_INT(em_window_result(meter, window, &result), EM_OK);
        CHECK_INT(result.is_final, 1);
        CHECK_NEAR(energies[1].energy_j, wave_energy_j(&core, result.begin_ns, result.begin_ns + result.duration_ns),
                   4.1);
        CHECK_INT(energies[1].notes & EM_NOTE_BIT(EM_NOTE_PINNED), 0);
        window = next;
    }
    end_all();
}

/* ---------------------------------------------------------------------------------------------------------- overhead */

static void test_what_the_summary_tells(void)
{
    begin_simple();
    rig_host_set_clock_cost(machine, 500);
    uint64_t created_ns = now();
    for (int i = 0; i < 10; i++) {
        em_window next, window = begin_window(EM_WINDOW_BATCH, NULL);
        CHECK_INT(em_window_set_wait(meter, window, 3 * MS), EM_OK);
        CHECK_INT(em_window_set_wait(meter, window, 2 * MS), EM_OK);
        pass(S);
        CHECK_INT(em_window_lap(meter, window, NULL, NULL, &next), EM_OK);
        CHECK_INT(em_window_set_wait(meter, next, 1 * MS), EM_OK);
        if (i % 2) {
            CHECK_INT(em_window_end(meter, next, NULL), EM_OK);
        } else {
            CHECK_INT(em_window_cancel(meter, next), EM_OK);
        }
    }
    em_overhead told = overhead();
    CHECK_NEAR(told.sync_s, 10 * 0.002 + 5 * 0.001, 1e-12);
    CHECK(told.caller_s >= 25 * 3 * 500e-9 && told.caller_s < 25 * 20e-6);
    CHECK_NEAR(told.fraction, told.caller_s / ((double)(now() - created_ns) / 1e9), 1e-9);
    em_window open = begin_window(EM_WINDOW_EPOCH, NULL);
    CHECK_INT(em_window_set_wait(meter, open, 7 * MS), EM_OK);
    CHECK_INT(em_meter_reset(meter), EM_OK);
    told = overhead();
    CHECK_NEAR(told.caller_s + told.sync_s, 0, 5e-6); /* the begin that has just left */
    end_window(open);
    pass(S);
    CHECK_NEAR(overhead().sync_s, 0.007, 1e-12);
    CHECK_INT(em_meter_close(meter, S), EM_OK);
    told = overhead();
    rig_host_advance(machine, 3600 * S);
    CHECK_NEAR(overhead().fraction, told.fraction, 0);
    CHECK_INT(em_summary_overhead(NULL, &told), EM_ERR_INVALID);
    end_all();
}

/* ----------------------------------------------------------------------------------------------------- steps at edges */

typedef struct {
    double bias, error;
} errors;

/* The high part, three fifths of each period, on RAPL; 90 and 380 W. */
static errors measure_high_parts(uint32_t flags, uint64_t interval_ns, uint64_t period_ns)
{
    enum { COUNT = 100 };
    wave square = wave_square(90, 380, (double)period_ns / 1e9, 0.6, 0);
    em_options options = default_options();
    options.flags = flags;
    options.sample_interval_ns = interval_ns;
    begin_machine("GenuineIntel");
    rig_host_put_zone(machine, &(rig_zone){.folder = "intel-rapl:0",
                                           .name = "package-0",
                                           .limit_w = 250,
                                           .cost_ns = 1000,
                                           .source = {.wave = &square,
                                                      .period_ns = MS,
                                                      .phase_ns = rig_random_below(MS),
                                                      .unit = 61.035,
                                                      .range = 262143999938}});
    begin_meter(&options);
    em_window windows[COUNT], run = begin_window(EM_WINDOW_RUN, NULL);
    run_until(1003 * S + rig_random_below(S));
    for (int i = 0; i < COUNT; i++) {
        run_until((now() / period_ns + 1) * period_ns);
        windows[i] = begin_window(EM_WINDOW_BATCH, NULL);
        run_until(now() / period_ns * period_ns + period_ns / 10 * 6);
        end_window(windows[i]);
    }
    run_until(now() + 2 * interval_ns);
    double off_j = 0, error_j = 0, sum_j = 0;
    for (int i = 0; i < COUNT; i++) {
        em_result result = final_result(windows[i]);
        double true_j = wave_energy_j(&square, result.begin_ns, result.begin_ns + result.duration_ns);
        off_j += result.total.energy_j - true_j;
        error_j += fabs(result.total.energy_j - true_j);
        sum_j += true_j;
    }
    end_window(run);
    end_all();
    return (errors){fabs(off_j / sum_j), error_j / sum_j};
}

/* One step between two readings is found by interpolation as well as by a reading; of two steps it knows nothing. */
static void test_a_window_that_is_the_high_part(void)
{
    enum { PHASES = 8 };
    static const struct {
        uint64_t interval_ns, period_ns;
        double bias; /* an update of 1 ms leaves up to 0.29 J at each end, of 114 J or 11.4 J */
        int is_hard;
    } cases[] = {{50 * MS, 500 * MS, 0.01, 0},
                 {100 * MS, 500 * MS, 0.01, 0},
                 {250 * MS, 500 * MS, 0.01, 1},
                 {1000 * MS, 500 * MS, 0.01, 1},
                 {100 * MS, 50 * MS, 0.049, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        errors with = {0, 0}, without = {0, 0};
        for (int n = 0; n < 2 * PHASES; n++) {
            errors one = measure_high_parts(n % 2 ? EM_EDGES_NEVER : 0, cases[i].interval_ns, cases[i].period_ns);
            errors *sum = n % 2 ? &without : &with;
            sum->error += one.error / (double)PHASES;
            sum->bias = fmax(sum->bias, one.bias);
        }
        printf(
            "# period %d ms, sampled every %d ms: bias up to %.3f %%, mean error %.3f %%; without edge reads %.3f %%, "
            "%.3f %%\n",
            (int)(cases[i].period_ns / MS), (int)(cases[i].interval_ns / MS), 100 * with.bias, 100 * with.error,
            100 * without.bias, 100 * without.error);
        CHECK(with.bias <= cases[i].bias);
        CHECK(with.error < (cases[i].is_hard ? without.error / 4 : without.error + 0.001));
    }
}

/* ------------------------------------------------------------------------------------------------- sums at random */

enum { MOST = 300 };

typedef struct {
    em_window id;
    uint64_t begin_ns, end_ns;
    int64_t final_uj;
    int has_lapped; /* the one before it ended where it begins */
} track;

static track tracks[MOST];
static size_t track_count;

static int64_t uj_of(double joules)
{
    return (int64_t)llround(joules * 1e6);
}

static void look(track *seen)
{
    em_result result = result_of(seen->id);
    int64_t uj = uj_of(result.total.energy_j);
    CHECK(uj >= 0);
    CHECK(seen->final_uj < 0 || (result.is_final && uj == seen->final_uj));
    seen->final_uj = result.is_final ? uj : seen->final_uj;
    seen->begin_ns = result.begin_ns;
    seen->end_ns = result.is_open ? UINT64_MAX : result.begin_ns + result.duration_ns;
}

static void add_track(em_window window, int has_lapped)
{
    tracks[track_count] = (track){.id = window, .final_uj = -1, .has_lapped = has_lapped};
    look(&tracks[track_count++]);
}

static void random_meter(void)
{
    em_options options = default_options();
    options.flags = (uint32_t[]){0, EM_EDGES_ALWAYS, EM_EDGES_NEVER}[rig_random_below(3)];
    options.overhead_limit = rig_random_below(2) ? 0.001 : 0.03;
    begin_machine("GenuineIntel");
    static const char *const folders[] = {"intel-rapl:0", "intel-rapl:0:0", "intel-rapl:1", "intel-rapl:1:0"};
    static const char *const names[] = {"package-0", "dram", "package-1", "core"};
    for (size_t i = 0; i < 4; i++) {
        waves[i] = wave_square(20, 120, rig_random_between(0.01, 1), 0.5, 0);
        rig_zone zone = {.folder = folders[i],
                         .name = names[i],
                         .limit_w = 125,
                         .cost_ns = rig_random_below(3) * rig_random_below(20 * US),
                         .source = {.wave = &waves[i],
                                    .period_ns = rig_random_below(2) * MS,
                                    .phase_ns = rig_random_below(MS),
                                    .unit = 61,
                                    .range = 65532610987}};
        if (rig_random_below(3) == 0) {
            uint64_t from_ns = 1000 * S + rig_random_below(5 * S);
            rig_source_fault(&zone.source, (rig_fault){.kind = (rig_fault_kind)rig_random_below(6),
                                                       .from_ns = from_ns,
                                                       .to_ns = from_ns + rig_random_below(S),
                                                       .error = 5,
                                                       .amount = 50000000});
        }
        rig_host_put_zone(machine, &zone);
    }
    begin_meter(&options);
    rig_host_set_clock_cost(machine, rig_random_below(2) * 30);
}

static void random_step(size_t open[16], size_t *open_count)
{
    uint64_t choice = rig_random_below(10), which = *open_count ? rig_random_below(*open_count) : 0;
    track *chosen = *open_count ? &tracks[open[which]] : NULL;
    em_window next;
    em_result result = {.size = sizeof result};
    if (choice < 3 && *open_count < 16) {
        open[(*open_count)++] = track_count;
        add_track(begin_window(EM_WINDOW_BATCH, NULL), 0);
    } else if (choice < 5 && chosen) {
        CHECK_INT(em_window_end(meter, chosen->id, choice & 1 ? &result : NULL), EM_OK);
        look(chosen);
        open[which] = open[--*open_count];
    } else if (choice < 8 && chosen && open[which] == track_count - 1) {
        CHECK_INT(em_window_lap(meter, chosen->id, NULL, choice & 1 ? &result : NULL, &next), EM_OK);
        look(chosen);
        open[which] = track_count;
        add_track(next, 1);
    } else if (choice == 8 && rig_random_below(20) == 0) {
        CHECK_INT(em_window_settle(meter, 0, rig_random_below(2) * S), EM_OK);
    }
}

static void check_sums(void)
{
    int is_right = 1;
    for (size_t i = 0; i < track_count; i++) {
        const track *inner = &tracks[i];
        int64_t sum_uj = inner->final_uj;
        uint64_t end_ns = inner->end_ns;
        for (size_t j = 0; j < track_count; j++) {
            int is_inside = tracks[j].begin_ns <= inner->begin_ns && inner->end_ns <= tracks[j].end_ns;
            is_right &= !is_inside || inner->final_uj <= tracks[j].final_uj;
        }
        for (size_t j = i + 1; j < track_count && tracks[j].has_lapped; j++) {
            is_right &= tracks[j].begin_ns == end_ns;
            sum_uj += tracks[j].final_uj;
            end_ns = tracks[j].end_ns;
        }
        for (size_t j = 0; j < track_count; j++) {
            int is_same = tracks[j].begin_ns == inner->begin_ns && tracks[j].end_ns == end_ns;
            is_right &= !is_same || tracks[j].final_uj == sum_uj;
        }
    }
    CHECK(is_right);
}

static void test_sums_hold_whatever_is_read_when(void)
{
    for (int set = 0; set < 60; set++) {
        size_t open[16], open_count = 0;
        track_count = 0;
        random_meter();
        em_window outer = begin_window(EM_WINDOW_EPOCH, NULL), first = begin_window(EM_WINDOW_BATCH, NULL);
        (void)outer;
        open[open_count++] = track_count;
        add_track(first, 0);
        while (now() < 1006 * S && track_count < MOST) {
            uint64_t pause_ns = rig_random_below(3) ? rig_random_below(30 * MS) : rig_random_below(100 * US);
            run_until(now() + (rig_random_below(4) ? pause_ns : 0));
            random_step(open, &open_count);
            look(&tracks[rig_random_below(track_count)]);
        }
        while (open_count > 0) {
            end_window(tracks[open[--open_count]].id);
        }
        CHECK_INT(em_window_settle(meter, 0, S), EM_OK);
        for (size_t i = 0; i < track_count; i++) {
            look(&tracks[i]);
            CHECK(tracks[i].final_uj >= 0);
        }
        check_sums();
        end_all();
    }
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_a11b);
    RUN(test_windows_too_short_to_pay_for_themselves);
    RUN(test_always_and_never);
    RUN(test_the_first_begin_reads_everything_once);
    RUN(test_a_device_that_another_thread_reads);
    RUN(test_parts_that_nothing_is_left_for);
    RUN(test_what_the_summary_tells);
    RUN(test_a_window_that_is_the_high_part);
    RUN(test_sums_hold_whatever_is_read_when);
    return CHECK_DONE();
}
