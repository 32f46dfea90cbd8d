/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Short windows on an A100 of the stand-in through whole meters: final values against closed-form truth with the figures
 * of docs/measurement.md §3, and what it costs them that the meter compares the counter at two rates. */
#include "meter/meter.h"
#include "nvml_rig.h"
#include "rig/random.h"
#include "rig/wave.h"
#include "sensors/nvml_api.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { WINDOWS = 200, RUNS = 3, CALL_NS = 30000, LATE_NS = 80000 };

static em__host *host;
static em_meter *meter;
static uint64_t now_ns;
static int (*ask_fields)(nvml_handle handle, int count, nvml_field *fields);

static void set_time(uint64_t t_ns)
{
    now_ns = t_ns;
    em__machine_set_clock(host, t_ns, t_ns, t_ns);
    rig.set_clock(t_ns);
}

/* What is read is as of the middle of the call. */
static int ask_slowly(nvml_handle handle, int count, nvml_field *fields)
{
    set_time(now_ns + CALL_NS / 2);
    int code = ask_fields(handle, count, fields);
    set_time(now_ns + CALL_NS - CALL_NS / 2);
    return code;
}

static void *find_slow_symbol(em__host *from, void *library, const char *name)
{
    void *symbol = rig_symbol(from, library, name);
    int (*slow)(nvml_handle, int, nvml_field *) = ask_slowly;
    if (strcmp(name, "nvmlDeviceGetFieldValues") == 0) {
        memcpy(&ask_fields, &symbol, sizeof symbol);
        memcpy(&symbol, &slow, sizeof symbol);
    }
    return symbol;
}

/* Until then; each round when it is due, or a little later. */
static void run_until(uint64_t end_ns)
{
    for (uint64_t next_ns; (next_ns = em__sampler_next_ns(meter->sampler)) <= end_ns;) {
        set_time((next_ns > now_ns ? next_ns : now_ns) + rig_random_below(LATE_NS));
        em__sampler_tick(meter->sampler, now_ns, 0, 0);
        em__meter_calls.step(meter, now_ns);
    }
    set_time(end_ns > now_ns ? end_ns : now_ns);
}

typedef struct {
    const char *name;   /* NULL: an A100 */
    uint32_t update_ms; /* 0: 20 */
    wave power;
    uint32_t flags, jitter_ms;
    double loss_percent; /* of a counter that falls short */
} board;

static em_window begin_board(const board *of)
{
    char text[320];
    em_options options;
    em_window run = 0;
    snprintf(text, sizeof text,
             "board name=\"%s\" cc=8.0 limit=400 most=400 wave=square:%.0f:%.0f:%.0f:%.0f "
             "update_ms=%u phase_ms=%.6f jitter_ms=%u gauge_ms=100 average_ms=25 short=%g:2\n",
             of->name ? of->name : "NVIDIA A100-SXM4-80GB", of->power.low_w, of->power.high_w, of->power.period_s * 1e3,
             of->power.duty * 1e2, of->update_ms ? (unsigned)of->update_ms : 20U, rig_random_between(0, 20),
             (unsigned)of->jitter_ms, of->loss_percent);
    script(text);
    host = rig_host(NULL);
    rig.ops.library_symbol = find_slow_symbol;
    set_time(1000 * S);
    em_options_init(&options, sizeof options);
    options.sample_interval_ns = 50 * MS;
    options.measure = 1u << EM_DOMAIN_GPU;
    options.flags = of->flags;
    if (!CHECK_INT(em__meter_create_on(host, &options, NULL, &meter), EM_OK)) {
        exit(1);
    }
    CHECK_INT(em_window_begin(meter, &(em_spec){.size = sizeof(em_spec), .kind = EM_WINDOW_RUN}, &run), EM_OK);
    run_until(now_ns + 4 * S);
    return run;
}

static void end_board(void)
{
    em_meter_destroy(meter);
    em__host_unref(host);
}

static em_window take_window(uint64_t length_ns)
{
    em_window window = 0;
    em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_BATCH, .keep = 1};
    CHECK_INT(em_window_begin(meter, &spec, &window), EM_OK);
    run_until(now_ns + length_ns);
    CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
    return window;
}

static em_result final_result(em_window window)
{
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.is_final, 1);
    return result;
}

static int is_noted(const em_result *result, int note)
{
    return (result->total.notes & EM_NOTE_BIT(note)) != 0;
}

/* ------------------------------------------------------------------------------------------------------ short windows */

typedef struct {
    double mean_error, sum_error;
    int noted;
} errors;

static errors measure(const board *of, uint64_t length_ns, int is_high_part)
{
    static em_window windows[WINDOWS];
    double truth_j = 0, sum_j = 0;
    errors e = {0};
    begin_board(of);
    for (int i = 0; i < WINDOWS; i++) {
        double period_s = of->power.period_s, next_s = ceil((double)now_ns / 1e9 / period_s + 1e-6) * period_s;
        run_until(is_high_part ? (uint64_t)llround(next_s * 1e9) : now_ns + 200 * MS + rig_random_below(900 * MS));
        windows[i] = take_window(length_ns);
    }
    run_until(now_ns + S);
    for (int i = 0; i < WINDOWS; i++) {
        em_result result = final_result(windows[i]);
        double true_j = wave_energy_j(&of->power, result.begin_ns, result.begin_ns + result.duration_ns);
        e.mean_error += fabs(result.total.energy_j - true_j) / true_j / (double)WINDOWS;
        e.noted += is_noted(&result, EM_NOTE_SLOW_COUNTER);
        truth_j += true_j;
        sum_j += result.total.energy_j;
    }
    e.sum_error = sum_j / truth_j - 1;
    end_board();
    return e;
}

static const struct {
    const char *name;
    uint32_t length_ms, jitter_ms;
    int is_high_part;
    double period_s, duty, mean_most, sum_most;
} cases[] = {
    {"0.5 s", 500, 0, 0, 0.9, 0.55, 0.004, 0.002},           {"50 ms", 50, 0, 0, 0.9, 0.55, 0.02, 0.002},
    {"0.5 s, jitter", 500, 2, 0, 0.9, 0.55, 0.01, INFINITY}, {"50 ms, jitter", 50, 2, 0, 0.9, 0.55, 0.06, INFINITY},
    {"the high part", 300, 0, 1, 0.5, 0.6, 0.01, 0.01},
};

/* The figures hold for the mean of the runs; of a single one in 1500 the sum of 50 ms windows was 0.217 %. */
static void test_short_windows(void)
{
    static const uint32_t flags[] = {0, EM_EDGES_NEVER};
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
        size_t c = i / 2;
        double mean = 0, sum = 0, worst = 0;
        for (int run = 0; run < RUNS; run++) {
            board of = {.power = wave_square(90, 380, cases[c].period_s, cases[c].duty, 0),
                        .flags = flags[i % 2],
                        .jitter_ms = cases[c].jitter_ms};
            errors e = measure(&of, cases[c].length_ms * MS, cases[c].is_high_part);
            mean += e.mean_error / (double)RUNS;
            sum += fabs(e.sum_error) / (double)RUNS;
            worst = fmax(worst, e.mean_error);
            CHECK_INT(e.noted, 0);
        }
        printf("# %s, edges %s: mean error %.3f %%, in the worst run %.3f %%, sums %.3f %%\n", cases[c].name,
               flags[i % 2] ? "not read" : "by budget", 100 * mean, 100 * worst, 100 * sum);
        CHECK(mean <= cases[c].mean_most);
        CHECK(worst <= 1.2 * cases[c].mean_most);
        CHECK(sum <= cases[c].sum_most);
    }
}

/* --------------------------------------------------------------------------------------------------- the comparison */

/* Half an hour of windows that leave no rest: a hundredth of them at most pay for the comparison, and say so; their
 * uncertainty holds. */
static void test_windows_without_rest(void)
{
    enum { LAPS = 3600 };
    static em_window windows[LAPS];
    board of = {.power = wave_square(90, 380, 0.9, 0.55, 0)};
    begin_board(&of);
    em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_BATCH, .keep = 1};
    CHECK_INT(em_window_begin(meter, &spec, &windows[0]), EM_OK);
    for (int i = 1; i < LAPS; i++) {
        run_until(now_ns + 500 * MS);
        CHECK_INT(em_window_lap(meter, windows[i - 1], &spec, NULL, &windows[i]), EM_OK);
    }
    run_until(now_ns + 500 * MS);
    CHECK_INT(em_window_end(meter, windows[LAPS - 1], NULL), EM_OK);
    run_until(now_ns + 3 * S);
    int noted = 0, inside = 0, others_off = 0;
    double sum_j = 0, true_j = 0, noted_error_j = 0;
    for (int i = 0; i < LAPS; i++) {
        em_result result = final_result(windows[i]);
        double truth_j = wave_energy_j(&of.power, result.begin_ns, result.begin_ns + result.duration_ns);
        double error_j = fabs(result.total.energy_j - truth_j);
        int is_slow = is_noted(&result, EM_NOTE_SLOW_COUNTER);
        noted += is_slow;
        inside += is_slow && error_j <= result.total.edge_j;
        others_off += !is_slow && error_j > 0.02 * truth_j;
        noted_error_j += is_slow ? error_j : 0;
        sum_j += result.total.energy_j;
        true_j += truth_j;
    }
    printf("# %d of %d windows beside a comparison, %.1f J off on average, %d inside; %d of the others off by 2 %%\n",
           noted, LAPS, noted_error_j / noted, inside, others_off);
    CHECK(noted >= 18 && noted <= LAPS / 100);
    CHECK(inside >= noted * 9 / 10);
    CHECK(others_off <= LAPS / 1000);
    CHECK_NEAR(sum_j / true_j, 1, 0.0005);
    end_board();
}

/* After a minute the counter rests, until a window begins: then it is read at that edge, or in the sampler's next round. */
static void test_an_edge_ends_a_rest(void)
{
    static const uint32_t flags[] = {0, EM_EDGES_NEVER};
    for (int i = 0; i < 2; i++) {
        board of = {.power = wave_square(200, 380, 0.9, 0.55, 0), .flags = flags[i]};
        begin_board(&of);
        run_until(now_ns + 50 * S);
        int reads = rig.read_count(0);
        run_until(now_ns + S);
        CHECK(rig.read_count(0) - reads >= 20);
        run_until(now_ns + 9 * S);
        reads = rig.read_count(0);
        run_until(now_ns + S);
        CHECK(rig.read_count(0) - reads <= 2);
        reads = rig.read_count(0);
        em_window window = 0;
        CHECK_INT(em_window_begin(meter, &(em_spec){.size = sizeof(em_spec)}, &window), EM_OK);
        CHECK_INT(rig.read_count(0) - reads, 1 - i);
        run_until(now_ns + 110 * MS);
        CHECK(rig.read_count(0) - reads >= 2);
        end_board();
    }
}

/* Windows of 50 ms with seconds between them: the counter rests there, a few times, and is read again when one begins.
 * Counters that lose an eighth are found out. */
static void test_rests_between_windows(void)
{
    static em_window windows[WINDOWS];
    static const uint32_t flags[] = {0, EM_EDGES_NEVER};
    for (int i = 0; i < 4; i++) {
        board of = {.power = wave_square(i < 2 ? 90 : 300, 380, 0.9, 0.55, 0),
                    .flags = flags[i % 2],
                    .loss_percent = i < 2 ? 0 : 12.5};
        double mean = 0;
        int short_count = 0;
        begin_board(&of);
        int reads = rig.read_count(0);
        for (int w = 0; w < WINDOWS; w++) {
            run_until(now_ns + 5 * S + rig_random_below(4 * S));
            windows[w] = take_window(50 * MS);
        }
        reads = rig.read_count(0) - reads;
        run_until(now_ns + 2 * S);
        for (int w = 0; w < WINDOWS; w++) {
            em_result result = final_result(windows[w]);
            double true_j = wave_energy_j(&of.power, result.begin_ns, result.begin_ns + result.duration_ns);
            mean += fabs(result.total.energy_j - true_j) / true_j / (double)WINDOWS;
            short_count += is_noted(&result, EM_NOTE_FALLS_SHORT);
        }
        printf("# edges %s, %.1f %% lost: mean error %.2f %%, %d reads, %d windows of %d after the verdict\n",
               i % 2 ? "not read" : "by budget", of.loss_percent, 100 * mean, reads, short_count, WINDOWS);
        if (i < 2) {
            CHECK(mean <= 0.03);
            CHECK_INT(short_count, 0);
        } else {
            CHECK(short_count >= WINDOWS * 8 / 10);
        }
        end_board();
    }
}

/* Half a minute of training, a window each 0.4 s, never a rest: found out all the same. */
static void test_one_that_falls_short_without_rest(void)
{
    board of = {.power = wave_square(90, 380, 0.9, 0.55, 0), .loss_percent = 12.5};
    begin_board(&of);
    uint64_t begin_ns = now_ns;
    int has_fallen = 0;
    while (!has_fallen && now_ns < begin_ns + 1800 * S) {
        em_window window = 0;
        em_result result = {.size = sizeof result};
        em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_BATCH};
        CHECK_INT(em_window_begin(meter, &spec, &window), EM_OK);
        run_until(now_ns + 400 * MS);
        CHECK_INT(em_window_end(meter, window, &result), EM_OK);
        run_until(now_ns + 200 * MS);
        CHECK_INT(em_window_result(meter, window, &result), EM_OK);
        has_fallen = is_noted(&result, EM_NOTE_FALLS_SHORT);
    }
    printf("# found out after %.0f s\n", (double)(now_ns - begin_ns) / 1e9);
    CHECK_INT(has_fallen, 1);
    end_board();
}

/* More than 1,024 windows a second with gaps between them, on a board that is read once a second: each is final half a
 * second before the counter is read again. What is then found to be too much or too little falls to windows and gaps by
 * their time, so that the sum is as good as that of windows without gaps, and within its uncertainty. */
static void test_more_windows_than_are_kept(void)
{
    static const uint32_t gaps_us[] = {10, 100, 500};
    static const uint32_t lengths_s[] = {3, 10};
    static const double parts[] = {0.05, 0.015};
    for (int i = 0; i < 6; i++) {
        uint64_t gap_ns = gaps_us[i % 3] * UINT64_C(1000), length_ns = lengths_s[i / 3] * S;
        board of = {.name = "NVIDIA GeForce RTX 4090", .update_ms = 100, .power = wave_square(90, 380, 0.9, 0.55, 0)};
        double truth_j = 0;
        begin_board(&of);
        run_until(now_ns + rig_random_below(S));
        for (uint64_t end_ns = now_ns + length_ns; now_ns < end_ns; run_until(now_ns + gap_ns)) {
            em_window window = 0;
            em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_BATCH};
            CHECK_INT(em_window_begin(meter, &spec, &window), EM_OK);
            uint64_t begin_ns = now_ns;
            run_until(now_ns + MS / 2);
            truth_j += wave_energy_j(&of.power, begin_ns, now_ns); /* A read at an end follows it. */
            CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
        }
        run_until(now_ns + 3 * S);
        em_summary *summary = NULL;
        em_group group = {.size = sizeof group};
        size_t index = 0;
        CHECK_INT(em_summary_create(meter, 0, &summary), EM_OK);
        CHECK_INT(em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index), EM_OK);
        CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
        double error_j = group.total.energy_j - truth_j;
        printf("# %d windows with %u us between them: %+.2f J of %.0f, U of the edges %.1f J\n", (int)group.count,
               (unsigned)gaps_us[i % 3], error_j, truth_j, group.total.edge_j);
        CHECK(group.total.notes & EM_NOTE_BIT(EM_NOTE_PINNED));
        CHECK(fabs(error_j) <= group.total.edge_j);
        CHECK(fabs(error_j) <= parts[i / 3] * truth_j);
        em_summary_destroy(summary);
        end_board();
    }
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    rig_start();
    RUN(test_short_windows);
    RUN(test_windows_without_rest);
    RUN(test_an_edge_ends_a_rest);
    RUN(test_rests_between_windows);
    RUN(test_one_that_falls_short_without_rest);
    RUN(test_more_windows_than_are_kept);
    rig_end();
    return CHECK_DONE();
}
