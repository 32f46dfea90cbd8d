/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* 64 threads begin and end windows while others read summaries: not one window, nanosecond or microjoule is lost or
 * counted twice. */
#include "check.h"
#include "meter/meter.h"
#include "metrics/summary.h"
#include "rig/fake_host.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { CALLERS = 64, READERS = 4, LAPS = 64 };

typedef struct {
    em_window laps[LAPS], outer;
    char name[32];
    int failures;
} caller;

static em_meter *meter;
static atomic_int callers_left;
static pthread_barrier_t start;

static void pause_for(uint64_t duration_ns)
{
    struct timespec duration = {.tv_nsec = (long)duration_ns};
    nanosleep(&duration, NULL);
}

/* One named window of its own around batches end to end. */
static void *measure(void *argument)
{
    caller *self = argument;
    em_spec named = {.size = sizeof named, .name = self->name, .keep = 1};
    em_spec batch = {.size = sizeof batch, .kind = EM_WINDOW_BATCH, .keep = 1};
    pthread_barrier_wait(&start);
    self->failures += em_window_begin(meter, &named, &self->outer) != EM_OK;
    self->failures += em_window_begin(meter, &batch, &self->laps[0]) != EM_OK;
    for (int i = 1; i < LAPS; i++) {
        if (i % 8 == 0) {
            pause_for(MS);
        }
        self->failures += em_window_lap(meter, self->laps[i - 1], &batch, NULL, &self->laps[i]) != EM_OK;
    }
    self->failures += em_window_end(meter, self->laps[LAPS - 1], NULL) != EM_OK;
    self->failures += em_window_end(meter, self->outer, NULL) != EM_OK;
    atomic_fetch_sub(&callers_left, 1);
    return NULL;
}

/* What is read on the way never shrinks. */
static void *read_summaries(void *argument)
{
    int *failures = argument;
    uint64_t count = 0;
    double energy_j = 0;
    pthread_barrier_wait(&start);
    do {
        em_summary *summary = NULL;
        char *text = NULL;
        size_t index = 0;
        *failures += em_summary_create(meter, 0, &summary) != EM_OK;
        if (em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index) == EM_OK) {
            const em_group *batches = &summary->groups[index];
            *failures += batches->count < count || batches->total.energy_j < energy_j;
            count = batches->count;
            energy_j = batches->total.energy_j;
        }
        *failures += em_summary_format(summary, EM_FORMAT_JSON, &text, NULL) != EM_OK;
        em_text_destroy(text);
        em_summary_destroy(summary);
    } while (atomic_load(&callers_left) > 0);
    return NULL;
}

static long long micro(double joules)
{
    return llround(joules * 1e6);
}

typedef struct {
    uint64_t duration_ns;
    long long energy_uj;
} total;

static void add(total *into, em_window window)
{
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.is_final, 1);
    CHECK_INT(result.is_complete, 1);
    into->duration_ns += result.duration_ns;
    into->energy_uj += micro(result.total.energy_j);
}

static void check_group(const em_summary *summary, int32_t kind, const char *name, uint64_t count, total expected)
{
    size_t index = 0; /* of the run, the union of all windows, which is that of the widest one */
    CHECK_INT(kind == EM_WINDOW_RUN ? EM_OK : em_summary_find(summary, kind, name, &index), EM_OK);
    const em_group *group = &summary->groups[index];
    CHECK(kind == EM_WINDOW_RUN || group->count == count);
    CHECK_INT(group->duration_ns, expected.duration_ns);
    CHECK_INT(micro(group->total.energy_j), expected.energy_uj);
}

static void check_totals(uint32_t flags)
{
    static caller callers[CALLERS];
    pthread_t threads[CALLERS + READERS];
    int failures[READERS] = {0};
    wave hundred = wave_constant(100), twenty = wave_constant(20);
    rig_host *machine = rig_host_create_live();
    rig_host_put_cpus(machine, "GenuineIntel", "Rig CPU", 1, 4);
    rig_host_put_zone(machine, &(rig_zone){.folder = "intel-rapl:0",
                                           .name = "package-0",
                                           .source = {.wave = &hundred, .range = 262143999938}});
    rig_host_put_zone(
        machine,
        &(rig_zone){.folder = "intel-rapl:0:0", .name = "dram", .source = {.wave = &twenty, .range = 65712999613}});
    em_options options;
    em_options_init(&options, sizeof options);
    options.flags = flags;
    options.sample_interval_ns = 2 * MS;
    if (!CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, NULL, &meter), EM_OK)) {
        abort();
    }
    em_spec run_spec = {.size = sizeof run_spec, .kind = EM_WINDOW_RUN, .keep = 1};
    em_window run = 0;
    CHECK_INT(em_window_begin(meter, &run_spec, &run), EM_OK);
    atomic_store(&callers_left, CALLERS);
    CHECK_INT(pthread_barrier_init(&start, NULL, CALLERS + READERS), 0);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller){0};
        snprintf(callers[i].name, sizeof callers[i].name, "thread %d", i);
        CHECK_INT(pthread_create(&threads[i], NULL, measure, &callers[i]), 0);
    }
    for (int i = 0; i < READERS; i++) {
        CHECK_INT(pthread_create(&threads[CALLERS + i], NULL, read_summaries, &failures[i]), 0);
    }
    for (int i = 0; i < CALLERS + READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(em_window_end(meter, run, NULL), EM_OK);
    em_summary *summary = NULL;
    CHECK_INT(em_summary_create(meter, 10 * S, &summary), EM_OK);
    total batches = {0}, whole = {0};
    for (int i = 0; i < CALLERS; i++) {
        CHECK_INT(callers[i].failures, 0);
        total named = {0}, laps = {0};
        add(&named, callers[i].outer);
        for (int j = 0; j < LAPS; j++) {
            add(&laps, callers[i].laps[j]);
        }
        check_group(summary, EM_WINDOW_OTHER, callers[i].name, 1, named);
        CHECK(laps.duration_ns <= named.duration_ns);
        CHECK(laps.energy_uj <= named.energy_uj);
        batches.duration_ns += laps.duration_ns;
        batches.energy_uj += laps.energy_uj;
    }
    check_group(summary, EM_WINDOW_BATCH, NULL, (uint64_t)CALLERS * LAPS, batches);
    add(&whole, run);
    check_group(summary, EM_WINDOW_RUN, NULL, 1, whole);
    CHECK_NEAR((double)whole.energy_uj / 1e6, 120 * (double)whole.duration_ns / 1e9, 3);
    for (int i = 0; i < READERS; i++) {
        CHECK_INT(failures[i], 0);
    }
    em_summary_destroy(summary);
    pthread_barrier_destroy(&start);
    em_meter_destroy(meter);
    rig_host_destroy(machine);
}

static void test_totals_are_exact(void)
{
    check_totals(0);
}

static void test_totals_are_exact_where_callers_read(void)
{
    check_totals(EM_EDGES_ALWAYS);
}

int main(void)
{
    RUN(test_totals_are_exact);
    RUN(test_totals_are_exact_where_callers_read);
    return CHECK_DONE();
}
