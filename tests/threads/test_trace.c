/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A trace that many threads and the sampler fill at once: what it replays is what the meter gave. Beside it a list of
 * windows: each has one line. */
#include "rig/fake_host.h"
#include "rig/random.h"
#include "unit/replaying.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { CALLERS = 3, WINDOWS = 400 };

static rig_host *machine;
static em_meter *meter;
static atomic_int running, begun;

static void pause_for(uint64_t duration_ns)
{
    struct timespec duration = {.tv_sec = (time_t)(duration_ns / S), .tv_nsec = (long)(duration_ns % S)};
    nanosleep(&duration, NULL);
}

static void *take_windows(void *argument)
{
    uint64_t state = (uint64_t)(uintptr_t)argument;
    em_spec spec = {.size = sizeof spec, .name = "caller"};
    em_window open = 0;
    for (int i = 0; i < WINDOWS; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        spec.kind = (int32_t)(state >> 60 & 3);
        if (open && state >> 58 & 1) {
            em_window_lap(meter, open, &spec, NULL, &open);
            atomic_fetch_add(&begun, 1);
        } else if (open) {
            em_window_end(meter, open, NULL);
            open = 0;
        } else {
            em_window_begin(meter, &spec, &open);
            atomic_fetch_add(&begun, 1);
        }
        pause_for(state >> 45 & 0xFFFFF); /* up to a millisecond */
    }
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static void *take_summaries(void *unused)
{
    while (atomic_load(&running) > 0) {
        em_summary *summary = NULL;
        if (em_summary_create(meter, 20 * MS, &summary) == EM_OK) {
            em_summary_destroy(summary);
        }
        pause_for(5 * MS);
    }
    return unused;
}

static void expect_same(int descriptor)
{
    em_summary *live = NULL, *again = NULL;
    em_trace *trace = NULL;
    CHECK_INT(em_summary_create(meter, 0, &live), EM_OK);
    CHECK_INT(em_meter_trace_status(meter, NULL), EM_OK);
    lseek(descriptor, 0, SEEK_SET);
    if (CHECK_INT(em_trace_open(descriptor, NULL, &trace), EM_OK) &&
        CHECK_INT(em_trace_summary(trace, NULL, &again), EM_OK)) {
        char *one = json_of(live), *other = json_of(again);
        CHECK_TEXT(other, one);
        CHECK_INT(trace->is_whole, 1);
        expect_same_groups(live, again);
        expect_same_windows(meter, trace, CALLERS * WINDOWS + 1);
        em_text_destroy(one);
        em_text_destroy(other);
    }
    em_summary_destroy(live);
    em_summary_destroy(again);
    em_trace_destroy(trace);
}

static void expect_lines(int descriptor)
{
    char part[4096];
    int lines = 0;
    ssize_t length;
    lseek(descriptor, 0, SEEK_SET);
    while ((length = read(descriptor, part, sizeof part)) > 0) {
        for (ssize_t i = 0; i < length; i++) {
            lines += part[i] == '\n';
        }
    }
    CHECK_INT(em_meter_windows_status(meter, NULL), EM_OK);
    CHECK_INT(lines, atomic_load(&begun)); /* All have ended: those that were open when the meter closed, too. */
}

static void test_many_threads(void)
{
    pthread_t threads[CALLERS + 1];
    wave package = wave_square(40, 120, 0.07, 0.5, 0), memory = wave_constant(20), core = wave_constant(30);
    int descriptor = new_file(), list = new_file();
    em_options options;
    em_options_init(&options, sizeof options);
    options.sample_interval_ns = MS;
    options.trace_fd = descriptor;
    options.windows_fd = list;
    machine = rig_host_create_live();
    rig_host_put_cpus(machine, "GenuineIntel", "Rig CPU", 1, 4);
    rig_host_put_zone(machine,
                      &(rig_zone){.folder = "intel-rapl:0", .name = "package-0", .source = {.wave = &package}});
    rig_host_put_zone(machine, &(rig_zone){.folder = "intel-rapl:0:0", .name = "core", .source = {.wave = &core}});
    rig_host_put_zone(machine, &(rig_zone){.folder = "intel-rapl:0:1", .name = "dram", .source = {.wave = &memory}});
    if (!CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, NULL, &meter), EM_OK)) {
        abort();
    }
    atomic_store(&running, CALLERS);
    for (size_t i = 0; i <= CALLERS; i++) {
        uint64_t seed = rig_random() | 1;
        pthread_create(&threads[i], NULL, i < CALLERS ? take_windows : take_summaries, (void *)(uintptr_t)seed);
    }
    for (size_t i = 0; i <= CALLERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(em_meter_close(meter, S), EM_OK);
    expect_same(descriptor);
    expect_lines(list);
    em_meter_destroy(meter);
    while (rig_host_threads(machine) > 0) {
        pause_for(MS);
    }
    rig_host_destroy(machine);
    close(descriptor);
    close(list);
}

/* Rounds are a minute apart: a queue that fills up is written in between. */
static void test_a_queue_that_fills_up(void)
{
    wave package = wave_constant(100);
    int descriptor = new_file();
    em_options options;
    em_options_init(&options, sizeof options);
    options.sample_interval_ns = 60 * S;
    options.trace_fd = descriptor;
    machine = rig_host_create_live();
    rig_host_put_zone(machine,
                      &(rig_zone){.folder = "intel-rapl:0", .name = "package-0", .source = {.wave = &package}});
    CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, NULL, &meter), EM_OK);
    em_window window = 0;
    CHECK_INT(em_window_begin(meter, NULL, &window), EM_OK);
    for (uint64_t i = 0; i < 40000; i++) {
        em_window_set_items(meter, window, 1000000 + i);
    }
    struct stat status = {.st_size = 0};
    for (int waits = 0; waits < 5000 && status.st_size < 100000; waits++) {
        pause_for(MS);
        fstat(descriptor, &status);
    }
    CHECK(status.st_size >= 100000);
    CHECK_INT(em_meter_trace_status(meter, NULL), EM_OK);
    em_meter_destroy(meter);
    while (rig_host_threads(machine) > 0) {
        pause_for(MS);
    }
    rig_host_destroy(machine);
    close(descriptor);
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_many_threads);
    RUN(test_a_queue_that_fills_up);
    return CHECK_DONE();
}
