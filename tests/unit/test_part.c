/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Parts of a trace against the integral of the power that the rig played: 100 W, from 3 s on 300 W, and 20 W of memory. */
#include "metering.h"
#include "replaying.h"

#include "rig/wave.h"

#include <math.h>
#include <unistd.h>

enum { LENGTH_S = 6 };
static const double begin_s = 1000;
static wave package, memory;

/* Power from the begin on, a window around all, and batches of half a second that touch each other. */
static int record(int is_whole)
{
    em_options options = default_options();
    int descriptor = options.trace_fd = new_file();
    em_spec batch = {.size = sizeof batch, .kind = EM_WINDOW_BATCH};
    package = wave_ramp(100, 300, begin_s + 2.999999, begin_s + 3);
    memory = wave_constant(20);
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &package, .period_ns = MS, .range = 262143999938});
    put_zone("intel-rapl:0:0", "dram", (rig_source){.wave = &memory, .period_ns = MS, .range = 65712999613});
    begin_meter(&options);
    em_window whole = begin_window(EM_WINDOW_RUN, NULL), window;
    CHECK_INT(em_window_begin(meter, &batch, &window), EM_OK);
    for (int i = 0; i < 2 * LENGTH_S - 1; i++) {
        pass(500 * MS);
        CHECK_INT(em_window_lap(meter, window, &batch, NULL, &window), EM_OK);
    }
    pass(500 * MS);
    end_window(window);
    end_window(whole);
    pass(300 * MS);
    if (is_whole) {
        em_summary *summary = NULL;
        em_meter_close(meter, S);
        CHECK_INT(em_summary_create(meter, S, &summary), EM_OK);
        em_summary_destroy(summary);
    }
    end_all();
    return descriptor;
}

static em_error error;

static em_summary *part(int descriptor, uint64_t from_ns, uint64_t to_ns, const em_options *carbon, int expected)
{
    em_trace *trace = NULL;
    em_summary *summary = NULL;
    error = (em_error){.size = sizeof error};
    lseek(descriptor, 0, SEEK_SET);
    if (CHECK_INT(em_trace_open(descriptor, &error, &trace), EM_OK)) {
        CHECK_INT(em_trace_part(trace, from_ns, to_ns, carbon, &error, &summary), expected);
    }
    em_trace_destroy(trace);
    return summary;
}

static em_group run_of(const em_summary *summary)
{
    em_group run = {.size = sizeof run};
    CHECK_INT(em_summary_group(summary, 0, &run), EM_OK);
    return run;
}

static em_group batches_of(const em_summary *summary)
{
    size_t index = 0;
    em_group group = {.size = sizeof group};
    if (em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index) == EM_OK) {
        em_summary_group(summary, index, &group);
    }
    return group;
}

static double truth_j(double from_s, double to_s)
{
    uint64_t from_ns = (uint64_t)((begin_s + from_s) * 1e9), to_ns = (uint64_t)((begin_s + to_s) * 1e9);
    return wave_energy_j(&package, from_ns, to_ns) + wave_energy_j(&memory, from_ns, to_ns);
}

static void a_part_is_a_run_of_its_own(void)
{
    static const struct {
        double from_s, to_s;
        uint64_t batches; /* that lie within it */
    } cases[] = {{1.25, 2.75, 2}, {2.25, 4.25, 3}, {3.5, 5.5, 4}, {0.1, 0.3, 0}, {0, 2, 4}, {0.5, 2, 3}};
    int descriptor = record(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double from_s = cases[i].from_s, to_s = cases[i].to_s, want_j = truth_j(from_s, to_s);
        em_summary *summary = part(descriptor, (uint64_t)(from_s * 1e9), (uint64_t)(to_s * 1e9), NULL, EM_OK);
        em_group run = run_of(summary), batches = batches_of(summary);
        CHECK_NEAR((double)run.duration_ns / 1e9, to_s - from_s, 1e-6);
        CHECK_NEAR(run.total.energy_j, want_j, 0.01 * want_j + 0.3);
        CHECK(fabs(run.total.energy_j - want_j) <= run.total.uncertainty_j);
        CHECK_INT(batches.count, cases[i].batches);
        CHECK_INT(run.total.notes & EM_NOTE_BIT(EM_NOTE_TRUNCATED), 0);
        em_summary_destroy(summary);
    }
    close(descriptor);
}

/* Parts that touch add up to the whole. */
static void parts_add_up(void)
{
    int descriptor = record(1);
    em_summary *whole = part(descriptor, 0, UINT64_MAX, NULL, EM_OK);
    em_summary *first = part(descriptor, 0, 2500 * MS, NULL, EM_OK);
    em_summary *second = part(descriptor, 2500 * MS, UINT64_MAX, NULL, EM_OK);
    CHECK_NEAR(run_of(first).total.energy_j + run_of(second).total.energy_j, run_of(whole).total.energy_j, 1e-3);
    CHECK_INT(run_of(first).duration_ns + run_of(second).duration_ns, run_of(whole).duration_ns);
    CHECK_INT(batches_of(whole).count, 12);
    CHECK(batches_of(second).count == 7);
    em_summary_destroy(whole);
    em_summary_destroy(first);
    em_summary_destroy(second);
    close(descriptor);
}

static void all_of_it_is_the_replay(void)
{
    int descriptor = record(1);
    em_trace *trace = NULL;
    em_summary *replayed = NULL, *whole = part(descriptor, 0, UINT64_MAX, NULL, EM_OK);
    lseek(descriptor, 0, SEEK_SET);
    CHECK_INT(em_trace_open(descriptor, NULL, &trace), EM_OK);
    CHECK_INT(em_trace_summary(trace, NULL, &replayed), EM_OK);
    char *one = json_of(whole), *other = json_of(replayed);
    CHECK_TEXT(one, other);
    em_text_destroy(one);
    em_text_destroy(other);
    em_summary_destroy(whole);
    em_summary_destroy(replayed);
    em_trace_destroy(trace);
    close(descriptor);
}

static void another_intensity(void)
{
    int descriptor = record(1);
    em_options options;
    em_options_init(&options, sizeof options);
    options.carbon_g_per_kwh = 36;
    options.pue = 2;
    options.price_per_kwh = 0.36;
    em_summary *summary = part(descriptor, 0, 2 * S, &options, EM_OK);
    em_group run = run_of(summary);
    CHECK_NEAR(run.carbon_g, run.total.energy_j * 2 * 1e-5, 1e-9);
    CHECK_NEAR(run.cost, run.total.energy_j * 2 * 1e-7, 1e-12);
    em_summary_destroy(summary);
    em_options_init(&options, sizeof options);
    options.pue = 1.5;
    summary = part(descriptor, 0, 2 * S, &options, EM_OK);
    run = run_of(summary);
    CHECK_NEAR(run.carbon_g, run.total.energy_j / 3.6e6 * 450 * 1.5, 1e-9); /* The trace's own 450 g stay. */
    em_summary_destroy(summary);
    options.location = "nowhere at all";
    CHECK(part(descriptor, 0, 2 * S, &options, EM_ERR_INVALID) == NULL);
    CHECK_TEXT(error.argument, "location");
    close(descriptor);
}

static void what_is_no_part_is_refused(void)
{
    int descriptor = record(1);
    CHECK(part(descriptor, 100 * S, UINT64_MAX, NULL, EM_ERR_INVALID) == NULL);
    CHECK(strstr(error.text, " s long") != NULL);
    CHECK(part(descriptor, 2 * S, 2 * S, NULL, EM_ERR_INVALID) == NULL);
    CHECK_TEXT(error.argument, "from_ns");
    close(descriptor);
}

/* Cut anywhere: what lies before the cut is a part like any other, and a part that reaches beyond says so. */
static void of_a_trace_that_was_cut_off(void)
{
    int descriptor = record(0);
    off_t length = lseek(descriptor, 0, SEEK_END);
    CHECK_INT(ftruncate(descriptor, length * 2 / 3), 0);
    em_summary *before = part(descriptor, 500 * MS, 1500 * MS, NULL, EM_OK);
    em_summary *beyond = part(descriptor, 500 * MS, UINT64_MAX, NULL, EM_OK);
    CHECK_NEAR(run_of(before).total.energy_j, 120, 1.5);
    CHECK_INT(run_of(before).total.notes & EM_NOTE_BIT(EM_NOTE_TRUNCATED), 0);
    CHECK(run_of(beyond).total.notes & EM_NOTE_BIT(EM_NOTE_TRUNCATED));
    CHECK(run_of(beyond).duration_ns > 2 * S && run_of(beyond).duration_ns < 5 * S);
    em_summary_destroy(before);
    em_summary_destroy(beyond);
    close(descriptor);
}

int main(void)
{
    RUN(a_part_is_a_run_of_its_own);
    RUN(parts_add_up);
    RUN(all_of_it_is_the_replay);
    RUN(another_intensity);
    RUN(what_is_no_part_is_refused);
    RUN(of_a_trace_that_was_cut_off);
    return CHECK_DONE();
}
