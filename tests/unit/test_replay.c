/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A replay gives what the meter gave, byte for byte: random runs with every fault of the rig, and what happens to a
 * trace that its file does not take. */
#include "metering.h"
#include "replaying.h"

#include "meter/tracer.h"
#include "rig/random.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { RUNS = 30, STEPS = 300, ZONES = 6, OPEN = 12, SUMMARIES = 64 };

/* ---------------------------------------------------------------------------------------------------------- random runs */

typedef struct {
    em_window open[OPEN], last;
    size_t count, summary_count;
    em_summary *summaries[SUMMARIES];
} random_run;

static wave waves[ZONES];

static void put_random_fault(size_t zone)
{
    uint64_t from_ns = now() + rig_random_below(120 * S);
    rig_fault fault = {.kind = (rig_fault_kind)rig_random_below(RIG_JUMP + 1),
                       .from_ns = from_ns,
                       .to_ns = from_ns + 1 + rig_random_below(rig_random_below(3) ? S : 20 * S),
                       .error = EIO,
                       .amount = rig_random_below(2) ? 5000000 : UINT64_C(5000000000000)};
    rig_source_fault(rig_host_source(machine, zone), fault);
}

/* Two sockets, one with memory, parts, a mirror and the platform: some are counted, some only shown. */
static void begin_random(int descriptor)
{
    static const char *const folders[ZONES] = {"intel-rapl:0", "intel-rapl:0:0", "intel-rapl:0:1",
                                               "intel-rapl:1", "intel-rapl:2",   "intel-rapl-mmio:0"};
    static const char *const names[ZONES] = {"package-0", "core", "dram", "package-1", "psys", "package-0"};
    static const uint64_t periods_ns[] = {0, MS, MS, 20 * MS, 100 * MS};
    em_options options = default_options();
    begin_machine("GenuineIntel");
    for (size_t i = 0; i < ZONES; i++) {
        double low_w = rig_random_between(5, 60), period_s = rig_random_between(0.05, 3);
        waves[i] = rig_random_below(3) ? wave_square(low_w, 2 * low_w, period_s, rig_random_between(0.2, 0.8), 0)
                                       : wave_sine(2 * low_w, low_w, period_s, 0);
        put_zone(folders[i], names[i],
                 (rig_source){.wave = &waves[i],
                              .period_ns = periods_ns[rig_random_below(5)],
                              .range = rig_random_below(2) ? 262143999938 : 2000000000,
                              .start = rig_random_below(2000000000)});
        for (uint64_t n = rig_random_below(4); n > 0; n--) {
            put_random_fault(i);
        }
    }
    options.trace_fd = descriptor;
    begin_meter(&options);
}

static void take_window(random_run *r)
{
    static const char *const window_names[] = {NULL, NULL, "validation", "caf\xC3\xA9", "\"\\\n\xFF"};
    em_spec spec = {.size = sizeof spec,
                    .kind = (int32_t)rig_random_below(EM_WINDOW_RUN + 1),
                    .keep = rig_random_below(4) == 0,
                    .name = window_names[rig_random_below(5)]};
    if (r->count < OPEN && CHECK_INT(em_window_begin(meter, &spec, &r->last), EM_OK)) {
        r->open[r->count++] = r->last;
    }
}

static void change_window(random_run *r, uint64_t what)
{
    em_result result = {.size = sizeof result};
    size_t place = r->count ? (size_t)rig_random_below(r->count) : 0;
    em_window window = r->open[place];
    if (r->count == 0) {
        return;
    }
    if (what == 0) {
        CHECK_INT(em_window_lap(meter, window, NULL, rig_random_below(2) ? &result : NULL, &r->last), EM_OK);
        r->open[place] = r->last;
        return;
    }
    if (what == 1) {
        CHECK_INT(em_window_set_items(meter, window, rig_random_below(1000)), EM_OK);
        CHECK_INT(em_window_set_wait(meter, window, rig_random_below(S)), EM_OK);
        return;
    }
    CHECK_INT(what == 2 ? em_window_cancel(meter, window)
                        : em_window_end(meter, window, rig_random_below(2) ? &result : NULL),
              EM_OK);
    r->open[place] = r->open[--r->count];
    if (what == 3) {
        em_window_settle(meter, rig_random_below(2) ? window : 0, rig_random_below(2) * S);
        em_window_release(meter, window);
    }
}

static void take_summary(random_run *r)
{
    if (r->summary_count < SUMMARIES) {
        CHECK_INT(em_summary_create(meter, rig_random_below(2) * S, &r->summaries[r->summary_count]), EM_OK);
        r->summary_count++;
    }
}

static void take_step(random_run *r)
{
    uint64_t what = rig_random_below(24);
    if (what < 7) {
        take_window(r);
    } else if (what < 14) {
        change_window(r, what - 7);
    } else if (what < 20) {
        pass(rig_random_below(what == 14 ? 5 * S : 300 * MS));
    } else if (what == 20) {
        rig_host_suspend(machine, rig_random_below(1000 * S));
    } else if (what == 21 && rig_random_below(8) == 0) {
        CHECK_INT(em_meter_reset(meter), EM_OK);
    } else if (what == 22) {
        take_summary(r);
    } else if (what == 23 && rig_random_below(3) == 0) {
        while (r->count > 0) {
            change_window(r, 4);
        }
        pass(3 * S); /* the meter pauses */
    }
}

static void expect_same_run(random_run *r, int descriptor)
{
    em_trace *trace = NULL;
    size_t seen = 0;
    lseek(descriptor, 0, SEEK_SET);
    if (!CHECK_INT(em_trace_open(descriptor, NULL, &trace), EM_OK)) {
        return;
    }
    em__replay_step step;
    while ((step = em__replay_next(trace)) == EM__REPLAY_WENT_ON || step == EM__REPLAY_SUMMARY) {
        em_summary *again = NULL;
        size_t which = seen < r->summary_count ? seen : r->summary_count - 1; /* The last is as close left it. */
        if (step == EM__REPLAY_SUMMARY && CHECK(seen <= r->summary_count) &&
            CHECK_INT(em__replay_snapshot(trace, &again), EM_OK)) {
            char *live = json_of(r->summaries[which]), *replayed = json_of(again);
            CHECK_TEXT(replayed, live);
            expect_same_groups(r->summaries[which], again);
            seen++;
            em_text_destroy(live);
            em_text_destroy(replayed);
            em_summary_destroy(again);
        }
    }
    CHECK_INT(step, EM__REPLAY_END);
    CHECK_INT(trace->is_whole, 1);
    CHECK_INT(seen, r->summary_count + 1);
    expect_same_windows(meter, trace, r->last);
    em_trace_destroy(trace);
}

static void test_random_runs(void)
{
    for (int i = 0; i < RUNS && !check_failed; i++) {
        random_run r = {.count = 0};
        int descriptor = new_file();
        begin_random(descriptor);
        for (int n = 0; n < STEPS; n++) {
            take_step(&r);
        }
        CHECK_INT(em_meter_close(meter, rig_random_below(2) * S), EM_OK);
        r.summary_count -= r.summary_count == SUMMARIES;
        take_summary(&r);
        CHECK_INT(em_meter_trace_status(meter, NULL), EM_OK);
        expect_same_run(&r, descriptor);
        for (size_t n = 0; n < r.summary_count; n++) {
            em_summary_destroy(r.summaries[n]);
        }
        end_all();
        close(descriptor);
    }
}

/* More windows than are kept end, and more are open at the close: what expired is the same. */
static void test_windows_that_expire(void)
{
    enum { MANY = EM_KEPT_WINDOWS + 500 };
    static wave package;
    random_run r = {.count = 0};
    em_spec spec = {.size = sizeof spec};
    em_options options = default_options();
    options.trace_fd = new_file();
    package = wave_constant(100);
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &package, .range = 262143999938});
    begin_meter(&options);
    for (int i = 0; i < 2 * MANY; i++) {
        spec.keep = i % 7 == 0;
        CHECK_INT(em_window_begin(meter, &spec, &r.last), EM_OK);
        pass(i % 50 == 0 ? 110 * MS : MS);
        if (i < MANY) {
            end_window(r.last);
        }
    }
    CHECK_INT(em_meter_close(meter, S), EM_OK);
    take_summary(&r);
    expect_same_run(&r, options.trace_fd);
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_result(meter, 1, &result), EM_OK);
    CHECK_INT(em_window_result(meter, 2, &result), EM_ERR_EXPIRED);
    CHECK_INT(em_window_result(meter, MANY + 1, &result), EM_OK);
    em_summary_destroy(r.summaries[0]);
    end_all();
    close(options.trace_fd);
}

/* What is missing, and why, is in the trace too. */
static void test_nothing_to_measure(void)
{
    random_run r = {.count = 0};
    em_options options = default_options();
    options.trace_fd = new_file();
    options.carbon_g_per_kwh = NAN;
    options.gpu_tdp_w = 300;
    machine = rig_host_create(1000 * S);
    rig_host_put(machine, "/proc/sys/kernel/hostname", "rig\n");
    rig_host_put(machine, "/proc/sys/kernel/random/boot_id", "7e2b2c3a\n");
    begin_meter(&options);
    r.last = begin_window(EM_WINDOW_EPOCH, NULL);
    pass(S);
    end_window(r.last);
    CHECK_INT(em_meter_close(meter, S), EM_OK);
    take_summary(&r);
    char *json = json_of(r.summaries[0]);
    CHECK(strstr(json, "\"complete\":false") && strstr(json, "\"host\":\"rig\"") && strstr(json, "7e2b2c3a"));
    CHECK(strstr(json, "gpu_tdp_w") && strstr(json, "\"is_default\":true"));
    expect_same_run(&r, options.trace_fd);
    em_text_destroy(json);
    em_summary_destroy(r.summaries[0]);
    end_all();
    close(options.trace_fd);
}

/* -------------------------------------------------------------------------------------------------- what a user calls */

/* 120 W for 10 s; the meter is destroyed, or just forgotten. */
static char *traced_run(int descriptor, em_window *ret_window)
{
    static wave package, memory;
    em_options options = default_options();
    package = wave_constant(100);
    memory = wave_constant(20);
    options.trace_fd = descriptor;
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &package, .range = 262143999938});
    put_zone("intel-rapl:0:0", "dram", (rig_source){.wave = &memory, .range = 65712999613});
    begin_meter(&options);
    em_window window = begin_window(EM_WINDOW_EPOCH, "training");
    pass(10 * S);
    end_window(window);
    pass(200 * MS);
    CHECK_NEAR(final_result(window).total.energy_j, 1200, 1e-4);
    CHECK_INT(em_meter_close(meter, 0), EM_OK);
    em_summary *summary = NULL;
    CHECK_INT(em_summary_create(meter, 0, &summary), EM_OK);
    char *json = json_of(summary);
    em_summary_destroy(summary);
    if (ret_window) {
        *ret_window = window;
    }
    return json;
}

static em_summary *replayed_summary(int descriptor)
{
    em_trace *trace = NULL;
    em_summary *summary = NULL;
    lseek(descriptor, 0, SEEK_SET);
    CHECK_INT(em_trace_open(descriptor, NULL, &trace), EM_OK);
    CHECK_INT(em_trace_summary(trace, NULL, &summary), EM_OK);
    em_trace_destroy(trace);
    return summary;
}

static int is_truncated(em_summary *summary)
{
    em_group run = {.size = sizeof run};
    CHECK_INT(em_summary_group(summary, 0, &run), EM_OK);
    return (run.total.notes & EM_NOTE_BIT(EM_NOTE_TRUNCATED)) != 0;
}

static void test_a_whole_trace(void)
{
    int descriptor = new_file();
    char *live = traced_run(descriptor, NULL);
    end_all();
    em_summary *summary = replayed_summary(descriptor);
    char *again = json_of(summary);
    CHECK_TEXT(again, live);
    CHECK_INT(is_truncated(summary), 0);
    em_text_destroy(live);
    em_text_destroy(again);
    em_summary_destroy(summary);
    close(descriptor);
}

/* Every beginning of it is refused, or opens and gives what was known: never more than the whole. */
static void test_cut_at_every_byte(void)
{
    int whole = new_file(), part = new_file();
    char *live = traced_run(whole, NULL);
    end_all();
    off_t size = lseek(whole, 0, SEEK_END);
    char *bytes = malloc((size_t)size);
    CHECK_INT(pread(whole, bytes, (size_t)size, 0), size);
    off_t opened = 0;
    int whole_at = 0;
    double before_j = 0;
    for (off_t length = 0; length <= size && !check_failed; length++) {
        em_trace *trace = NULL;
        em_error error = {.size = sizeof error};
        CHECK_INT(ftruncate(part, 0), 0);
        CHECK_INT(pwrite(part, bytes, (size_t)length, 0), length);
        lseek(part, 0, SEEK_SET);
        int status = em_trace_open(part, &error, &trace);
        if (status != EM_OK) {
            CHECK_INT(status, EM_ERR_INVALID);
            CHECK(error.text[0] && error.remedy[0]);
            CHECK_INT(opened, 0);
            continue;
        }
        opened = opened ? opened : length;
        em_summary *summary = NULL;
        em_group run = {.size = sizeof run};
        CHECK_INT(em_trace_summary(trace, &error, &summary), EM_OK);
        CHECK_INT(em_summary_group(summary, 0, &run), EM_OK);
        whole_at += !is_truncated(summary);
        CHECK(run.total.energy_j >= before_j - 1e-6 && run.total.energy_j < 1200.001);
        before_j = run.total.energy_j;
        em_summary_destroy(summary);
        em_trace_destroy(trace);
    }
    CHECK(opened > 100 && opened < size / 2);
    CHECK_INT(whole_at, 2); /* as close left it, and with the summary that came after */
    CHECK_NEAR(before_j, 1200, 1e-4);
    em_text_destroy(live);
    free(bytes);
    close(whole);
    close(part);
}

static void test_what_is_no_trace(void)
{
    em_trace *trace = NULL;
    em_error error = {.size = sizeof error};
    int descriptor = new_file();
    CHECK_INT(em_trace_open(descriptor, &error, &trace), EM_ERR_INVALID);
    CHECK(strstr(error.text, "shows no trace") && error.remedy[0]);
    CHECK_INT(pwrite(descriptor, "EMTRACE\x63", 8, 0), 8);
    CHECK_INT(em_trace_open(descriptor, &error, &trace), EM_ERR_INVALID);
    CHECK(strstr(error.text, "format 99") && strstr(error.remedy, "version"));
    CHECK_INT(em_trace_open(-1, &error, &trace), EM_ERR_SYSTEM);
    CHECK(strstr(error.text, "Bad file descriptor") && error.remedy[0]);
    CHECK_INT(em_trace_open(descriptor, NULL, NULL), EM_ERR_INVALID);
    CHECK(trace == NULL);
    em_trace_destroy(NULL);
    close(descriptor);
}

static void expect_refused(int descriptor)
{
    em_error error = {.size = sizeof error};
    em_options options = default_options();
    em_meter *none = NULL;
    options.trace_fd = descriptor;
    begin_machine("GenuineIntel");
    CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, &error, &none), EM_ERR_INVALID);
    CHECK_TEXT(error.argument, "trace_fd");
    CHECK(error.text[0] && error.remedy[0] && !none);
    rig_host_destroy(machine);
}

static void test_what_cannot_be_written(void)
{
    int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);
    expect_refused(read_only);
    close(read_only);
    expect_refused(read_only);
    expect_refused(-2);
}

/* --------------------------------------------------------------------------------------------- a file that takes nothing */

/* What the meter of traced_run measured is whole; only the trace is not, and it says so. */
static void expect_end(int descriptor, const char *words)
{
    em_error error = {.size = sizeof error};
    em_text_destroy(traced_run(descriptor, NULL));
    CHECK_INT(em_meter_trace_status(meter, &error), EM_ERR_SYSTEM);
    CHECK(strstr(error.text, words) && error.remedy[0]);
    end_all();
}

static void test_a_full_disk(void)
{
    int descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (CHECK(descriptor >= 0)) {
        expect_end(descriptor, "No space left on device");
        close(descriptor);
    }
}

/* The signals' default is to end this program: it would not get to the check. */
static void test_a_reader_that_left(void)
{
    int ends[2];
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    expect_end(ends[1], "Broken pipe");
    close(ends[1]);
    sigset_t pending;
    sigpending(&pending);
    CHECK_INT(sigismember(&pending, SIGPIPE), 0);
}

static void test_a_limit_of_size(void)
{
    struct rlimit old, small;
    int descriptor = new_file();
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 1000;
    setrlimit(RLIMIT_FSIZE, &small);
    expect_end(descriptor, "File too large");
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK_INT(lseek(descriptor, 0, SEEK_END), 1000);
    close(descriptor);
}

/* A pipe that nobody empties takes 64 KiB and then nothing; no call waits for it. */
static void test_a_reader_that_sleeps(void)
{
    int ends[2];
    em_error error = {.size = sizeof error};
    em_options options = default_options();
    static wave package;
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    package = wave_constant(100);
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &package, .range = 262143999938});
    options.trace_fd = ends[1];
    begin_meter(&options);
    em_window outer = begin_window(EM_WINDOW_OTHER, "outer");
    for (int i = 0; i < 40000; i++) {
        end_window(begin_window(EM_WINDOW_BATCH, "inner"));
        if (i % 1000 == 0) {
            pass(100 * MS);
        }
    }
    pass(S);
    end_window(outer);
    pass(200 * MS);
    CHECK_NEAR(final_result(outer).total.energy_j, 500, 1e-4);
    CHECK_INT(em_meter_trace_status(meter, &error), EM_ERR_SYSTEM);
    CHECK(strstr(error.text, "lacks") && error.remedy[0]);
    end_all();
    close(ends[0]);
    close(ends[1]);
}

/* More events than the queue holds come between two rounds: they are lost, that is told, and what follows goes on. */
static void test_an_overflow(void)
{
    int descriptor = new_file();
    em_options options = default_options();
    static wave package;
    package = wave_constant(100);
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &package, .range = 262143999938});
    options.trace_fd = descriptor;
    begin_meter(&options);
    em_window outer = begin_window(EM_WINDOW_OTHER, "outer");
    pass(S);
    for (int i = 0; i < 40000; i++) {
        end_window(begin_window(EM_WINDOW_BATCH, "inner"));
    }
    pass(4 * S);
    em_window late = begin_window(EM_WINDOW_EPOCH, NULL);
    pass(S);
    end_window(late);
    pass(200 * MS);
    end_window(outer);
    pass(200 * MS);
    CHECK_INT(em_meter_close(meter, 0), EM_OK);
    CHECK_INT(em_meter_trace_status(meter, NULL), EM_ERR_SYSTEM);
    em_summary *summary = replayed_summary(descriptor);
    em_group run = {.size = sizeof run}, epochs = run;
    size_t index = 0;
    CHECK_INT(is_truncated(summary), 1);
    CHECK_INT(em_summary_group(summary, 0, &run), EM_OK);
    /* No joule goes with the records: a counter makes up for its readings. A window whose end was lost goes on. */
    CHECK(run.total.energy_j > 620 - 1e-4 && run.total.energy_j < 640 + 1e-4);
    CHECK_INT(em_summary_find(summary, EM_WINDOW_EPOCH, NULL, &index), EM_OK);
    CHECK_INT(em_summary_group(summary, index, &epochs), EM_OK);
    CHECK_INT(epochs.count, 1);
    CHECK_NEAR(epochs.total.energy_j, 100, 1e-4);
    em_summary_destroy(summary);
    end_all();
    close(descriptor);
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_random_runs);
    RUN(test_windows_that_expire);
    RUN(test_nothing_to_measure);
    RUN(test_a_whole_trace);
    RUN(test_cut_at_every_byte);
    RUN(test_what_is_no_trace);
    RUN(test_what_cannot_be_written);
    RUN(test_a_full_disk);
    RUN(test_a_reader_that_left);
    RUN(test_a_limit_of_size);
    RUN(test_a_reader_that_sleeps);
    RUN(test_an_overflow);
    return CHECK_DONE();
}
