/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Meters with real threads and clocks on machines of known power: parking, drivers that hang, callers on all sides. What
 * takes time is waited for with a limit far above what it takes. */
#include "check.h"
#include "meter/meter.h"
#include "metrics/summary.h"
#include "rig/fake_host.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

/* A reading is as late as the machine is busy: with a truth of power × time, this much of it and of a joule. Exact
 * figures are the business of the tests whose clock is driven. */
static const double late = 0.2, late_j = 3;

static rig_host *machine;
static em_meter *meter;
static size_t package, memory;
static wave hundred, twenty;

static uint64_t now(void)
{
    return rig_host_now(machine);
}

static void pause_for(uint64_t duration_ns)
{
    struct timespec duration = {.tv_sec = (time_t)(duration_ns / S), .tv_nsec = (long)(duration_ns % S)};
    nanosleep(&duration, NULL);
}

/* 1: it came true within the limit. */
static int wait_for(int (*condition)(void), uint64_t limit_ns)
{
    uint64_t end_ns = now() + limit_ns;
    while (!condition() && now() < end_ns) {
        pause_for(MS);
    }
    return condition();
}

static void begin_with(uint64_t interval_ns, uint32_t flags)
{
    em_options options;
    em_options_init(&options, sizeof options);
    options.flags = flags;
    options.sample_interval_ns = interval_ns;
    hundred = wave_constant(100);
    twenty = wave_constant(20);
    machine = rig_host_create_live();
    rig_host_put_cpus(machine, "GenuineIntel", "Rig CPU", 1, 4);
    package = rig_host_put_zone(machine, &(rig_zone){.folder = "intel-rapl:0",
                                                     .name = "package-0",
                                                     .limit_w = 125,
                                                     .source = {.wave = &hundred, .range = 262143999938}});
    memory = rig_host_put_zone(
        machine,
        &(rig_zone){.folder = "intel-rapl:0:0", .name = "dram", .source = {.wave = &twenty, .range = 65712999613}});
    if (!CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, NULL, &meter), EM_OK)) {
        abort();
    }
}

static void begin(uint64_t interval_ns)
{
    begin_with(interval_ns, 0);
}

static int has_no_threads(void)
{
    return rig_host_threads(machine) == 0;
}

static void end(void)
{
    em_meter_destroy(meter);
    CHECK(wait_for(has_no_threads, 10 * S));
    rig_host_destroy(machine);
}

static int32_t status_of(size_t channel)
{
    em_channel described = {.size = sizeof described};
    CHECK_INT(em_meter_channel(meter, channel, &described), EM_OK);
    return described.status;
}

static void check_energy(double energy_j, double power_w, uint64_t duration_ns)
{
    double truth_j = power_w * (double)duration_ns / 1e9;
    CHECK_NEAR(energy_j, truth_j, late * truth_j + late_j);
}

static em_window begin_window(int32_t kind, const char *name)
{
    em_spec spec = {.size = sizeof spec, .kind = kind, .name = name};
    em_window window = 0;
    CHECK_INT(em_window_begin(meter, &spec, &window), EM_OK);
    return window;
}

/* ------------------------------------------------------------------------------------------------ measuring, parking */

static int is_parked(void)
{
    pthread_mutex_lock(&meter->door);
    int answer = meter->is_parked;
    pthread_mutex_unlock(&meter->door);
    return answer;
}

static void test_a_window_in_real_time(void)
{
    begin(10 * MS);
    for (int i = 0; i < 3; i++) {
        em_window window = begin_window(EM_WINDOW_OTHER, NULL);
        pause_for(100 * MS);
        CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
        CHECK_INT(em_window_settle(meter, window, 10 * S), EM_OK);
        em_result result = {.size = sizeof result};
        CHECK_INT(em_window_result(meter, window, &result), EM_OK);
        CHECK_INT(result.is_final, 1);
        check_energy(result.total.energy_j, 120, result.duration_ns);
        CHECK_INT(result.is_complete, 1);
    }
    CHECK_INT(rig_host_threads(machine), 2);
    end();
}

static void test_it_parks_and_is_woken(void)
{
    begin(10 * MS);
    CHECK_INT(rig_host_reads(machine, package), 1); /* the probe's */
    CHECK(is_parked());
    for (int i = 0; i < 2; i++) {
        em_window window = begin_window(EM_WINDOW_OTHER, NULL);
        CHECK(!is_parked());
        CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
        CHECK_INT(em_window_settle(meter, window, 10 * S), EM_OK);
        uint64_t end_ns = now();
        CHECK(wait_for(is_parked, 20 * S));
        CHECK(now() >= end_ns + 800 * MS);
        pause_for(30 * MS); /* a round that was under way */
        uint64_t reads = rig_host_reads(machine, package);
        pause_for(200 * MS);
        CHECK_INT(rig_host_reads(machine, package), reads);
    }
    end();
}

/* A summary waits for the next round, not for its time to run out. */
static void test_settling_asks_for_a_round(void)
{
    begin(60 * S);
    begin_window(EM_WINDOW_RUN, NULL);
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pause_for(20 * MS);
    CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
    uint64_t start_ns = now();
    em_summary *summary = NULL;
    CHECK_INT(em_summary_create(meter, 60 * S, &summary), EM_OK);
    CHECK(now() - start_ns < 30 * S);
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.is_final, 1);
    CHECK_INT(result.total.notes & EM_NOTE_BIT(EM_NOTE_PINNED), 0);
    em_summary_destroy(summary);
    start_ns = now();
    CHECK_INT(em_meter_close(meter, 0), EM_OK); /* and an interval of a minute delays no end */
    CHECK(now() - start_ns < 30 * S);
    end();
}

/* ------------------------------------------------------------------------------------------------------------ hanging */

static int is_blocked(void)
{
    return rig_host_blocked(machine) > 0;
}

static int is_unblocked(void)
{
    return rig_host_blocked(machine) == 0;
}

static int package_has_hung(void)
{
    return status_of(0) == EM_ERR_HUNG;
}

static int has_two_threads(void)
{
    return rig_host_threads(machine) == 2;
}

static void test_a_driver_that_hangs_is_given_up(void)
{
    begin(10 * MS);
    em_window window = begin_window(EM_WINDOW_OTHER, NULL), later;
    pause_for(50 * MS);
    uint64_t start_ns = now();
    rig_host_block(machine, package);
    CHECK(wait_for(is_blocked, 10 * S));
    CHECK(wait_for(package_has_hung, 20 * S));
    CHECK(now() - start_ns >= 900 * MS);
    CHECK_INT(rig_host_threads(machine), 3); /* the stuck one, its successor, and who watches that */
    uint64_t reads = rig_host_reads(machine, memory);
    later = begin_window(EM_WINDOW_OTHER, "later");
    pause_for(200 * MS);
    CHECK(rig_host_reads(machine, memory) > reads + 3); /* the others go on */
    CHECK_INT(em_window_end(meter, later, NULL), EM_OK);
    CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
    CHECK_INT(em_window_settle(meter, window, 10 * S), EM_OK);
    em_energy channels[2];
    em_result result = {.size = sizeof result, .channels = channels, .channels_capacity = 2};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.is_complete, 0);
    CHECK_INT(channels[0].status, EM_ERR_HUNG);
    check_energy(channels[1].energy_j, 20, result.duration_ns);
    check_energy(channels[0].energy_j, 100, result.duration_ns - channels[0].gap_ns);
    CHECK(channels[0].gap_ns >= 900 * MS);
    CHECK_INT(em_window_result(meter, later, &result), EM_OK);
    check_energy(result.total.energy_j, 20, result.duration_ns);
    rig_host_let_go(machine, package);
    CHECK(wait_for(is_unblocked, 10 * S));
    CHECK(wait_for(has_two_threads, 10 * S));
    reads = rig_host_reads(machine, package);
    pause_for(100 * MS);
    CHECK_INT(rig_host_reads(machine, package), reads); /* nobody asks it again, nor hears its late answer */
    CHECK_INT(status_of(0), EM_ERR_HUNG);
    end();
}

static void *begin_and_end_one(void *argument)
{
    em_window *window = argument;
    int failures = em_window_begin(meter, NULL, window) != EM_OK;
    failures += em_window_end(meter, *window, NULL) != EM_OK;
    return failures ? argument : NULL;
}

/* A caller that hangs in a read of its own: the sampler gives the device up, everybody else goes on. */
static void test_a_driver_that_hangs_in_a_caller(void)
{
    for (int is_first = 0; is_first < 2; is_first++) {
        begin_with(10 * MS, EM_EDGES_ALWAYS);
        em_window outer = is_first ? 0 : begin_window(EM_WINDOW_OTHER, NULL), stuck = 0, window, last;
        pthread_t thread;
        rig_host_block(machine, package);
        CHECK_INT(pthread_create(&thread, NULL, begin_and_end_one, &stuck), 0);
        CHECK(wait_for(is_blocked, 10 * S));
        window = begin_window(EM_WINDOW_BATCH, NULL); /* which waits for nobody, or for a pause to end */
        CHECK_INT(package_has_hung(), is_first);
        pause_for(20 * MS);
        em_result result = {.size = sizeof result};
        CHECK_INT(em_window_end(meter, window, &result), EM_OK);
        CHECK_INT(em_window_last(meter, EM_WINDOW_BATCH, NULL, &last), EM_OK);
        CHECK_INT(last, window);
        CHECK_INT(em_window_result(meter, window, &result), EM_OK);
        CHECK_INT(em_window_settle(meter, window, 10 * S), EM_OK);
        CHECK_INT(em_window_result(meter, window, &result), EM_OK);
        CHECK_INT(result.is_final, 1);
        CHECK(wait_for(package_has_hung, 20 * S));
        uint64_t reads = rig_host_reads(machine, package);
        rig_host_let_go(machine, package);
        void *failed = NULL;
        pthread_join(thread, &failed);
        CHECK(failed == NULL);
        CHECK(stuck != 0);
        CHECK_INT(rig_host_reads(machine, package), reads);
        CHECK_INT(status_of(0), EM_ERR_HUNG); /* nor is its late answer heard */
        CHECK_INT(outer ? em_window_end(meter, outer, NULL) : EM_OK, EM_OK);
        end();
    }
}

/* What the sampler reads, and hangs in, no caller waits for. */
static void test_callers_pass_over_what_the_sampler_reads(void)
{
    begin_with(10 * MS, EM_EDGES_ALWAYS);
    em_window outer = begin_window(EM_WINDOW_OTHER, NULL), window, next, last;
    rig_host_block(machine, package);
    CHECK(wait_for(is_blocked, 10 * S));
    em_result result = {.size = sizeof result};
    window = begin_window(EM_WINDOW_BATCH, NULL);
    CHECK_INT(em_window_lap(meter, window, NULL, &result, &next), EM_OK);
    CHECK_INT(em_window_end(meter, next, &result), EM_OK);
    CHECK_INT(em_window_result(meter, next, &result), EM_OK);
    CHECK_INT(em_window_last(meter, EM_WINDOW_BATCH, NULL, &last), EM_OK);
    CHECK_INT(em_window_end(meter, outer, &result), EM_OK);
    CHECK_INT(result.is_final, 0);
    CHECK_INT(package_has_hung(), 0); /* so nothing of this took the second after which it is given up */
    rig_host_let_go(machine, package);
    CHECK_INT(em_window_settle(meter, outer, 10 * S), EM_OK);
    end();
}

/* Nobody waits for a call that hangs, and when it comes back at last, it finds what it needs. */
static void test_destroying_while_a_driver_hangs(void)
{
    begin(10 * MS);
    begin_window(EM_WINDOW_OTHER, NULL);
    pause_for(30 * MS);
    rig_host_block(machine, memory);
    CHECK(wait_for(is_blocked, 10 * S));
    uint64_t start_ns = now();
    em_meter_destroy(meter);
    CHECK(now() - start_ns < 10 * S);
    meter = NULL;
    CHECK(!has_no_threads());
    pause_for(50 * MS);
    rig_host_let_go(machine, memory);
    end();
}

static void test_closing_after_one_was_given_up(void)
{
    begin(10 * MS);
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pause_for(30 * MS);
    rig_host_block(machine, package);
    CHECK(wait_for(package_has_hung, 20 * S));
    CHECK_INT(em_meter_close(meter, S), EM_OK);
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.is_final, 1);
    CHECK_INT(result.is_complete, 0);
    em_meter_destroy(meter);
    meter = NULL;
    rig_host_let_go(machine, package);
    end();
}

/* ---------------------------------------------------------------------------------------------------- many callers */

enum { CALLERS = 8, WINDOWS = 3000 };

typedef struct {
    uint64_t duration_ns;
    int failures;
} caller_result;

/* Batches end to end, now and then a named window around some, a cancelled one, one that is asked for at once. */
static void *call(void *argument)
{
    caller_result *made = argument;
    em_window batch, outer = 0, cancelled;
    em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_BATCH}, named = {.size = sizeof named, .name = "outer"};
    em_result result = {.size = sizeof result};
    made->failures += em_window_begin(meter, &spec, &batch) != EM_OK;
    for (int i = 0; i < WINDOWS; i++) {
        if (i % 100 == 0) {
            made->failures += outer != 0 && em_window_end(meter, outer, NULL) != EM_OK;
            made->failures += em_window_begin(meter, &named, &outer) != EM_OK;
            made->failures += em_window_begin(meter, NULL, &cancelled) != EM_OK;
            made->failures += em_window_cancel(meter, cancelled) != EM_OK;
        }
        if (i % 500 == 0) {
            pause_for(2 * MS);
        }
        em_window next;
        made->failures += em_window_lap(meter, batch, &spec, &result, &next) != EM_OK;
        made->failures += result.total.energy_j < 0 || result.is_open;
        made->duration_ns += result.duration_ns;
        batch = next;
    }
    made->failures += em_window_cancel(meter, batch) != EM_OK;
    made->failures += em_window_end(meter, outer, NULL) != EM_OK;
    return NULL;
}

static void *ask(void *argument)
{
    caller_result *made = argument;
    for (int i = 0; i < 60; i++) {
        em_summary *summary = NULL;
        char *text = NULL;
        em_window last;
        em_channel channel = {.size = sizeof channel};
        made->failures += em_summary_create(meter, i % 3 ? 0 : 20 * MS, &summary) != EM_OK;
        made->failures += em_summary_format(summary, EM_FORMAT_JSON, &text, NULL) != EM_OK;
        made->failures += em_meter_channel(meter, 0, &channel) != EM_OK;
        int status = em_window_last(meter, EM_WINDOW_BATCH, NULL, &last);
        made->failures += status != EM_OK && status != EM_ERR_UNKNOWN;
        em_text_destroy(text);
        em_summary_destroy(summary);
    }
    return NULL;
}

static void check_callers(uint32_t flags)
{
    static caller_result made[CALLERS + 2];
    pthread_t threads[CALLERS + 2];
    begin_with(5 * MS, flags);
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    for (size_t i = 0; i < CALLERS + 2; i++) {
        made[i] = (caller_result){0};
        CHECK_INT(pthread_create(&threads[i], NULL, i < CALLERS ? call : ask, &made[i]), 0);
    }
    uint64_t duration_ns = 0;
    for (size_t i = 0; i < CALLERS + 2; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(made[i].failures, 0);
        duration_ns += made[i].duration_ns;
    }
    CHECK_INT(em_window_end(meter, run, NULL), EM_OK);
    em_summary *summary = NULL;
    CHECK_INT(em_summary_create(meter, 10 * S, &summary), EM_OK);
    size_t index = 0;
    CHECK_INT(em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index), EM_OK);
    const em_group *batches = &summary->groups[index], *whole = &summary->groups[0];
    CHECK_INT(batches->count, CALLERS * WINDOWS);
    CHECK_INT(batches->duration_ns, duration_ns);
    CHECK(batches->distinct_ns <= whole->duration_ns);
    CHECK(batches->distinct.energy_j <= whole->total.energy_j);
    check_energy(batches->total.energy_j, 120, duration_ns);
    check_energy(whole->total.energy_j, 120, whole->duration_ns);
    CHECK_INT(em_summary_find(summary, EM_WINDOW_OTHER, "outer", &index), EM_OK);
    CHECK_INT(summary->groups[index].count, CALLERS * WINDOWS / 100);
    CHECK_INT(em_summary_find(summary, EM_WINDOW_OTHER, NULL, &index), EM_ERR_UNKNOWN); /* cancelled ones */
    em_summary_destroy(summary);
    end();
}

static void test_callers_on_all_sides(void)
{
    check_callers(0);
}

static void test_callers_on_all_sides_that_read(void)
{
    check_callers(EM_EDGES_ALWAYS);
}

/* Many threads begin the first window after a pause at once; each sees a baseline, and nobody waits for ever. */
static void *begin_and_end(void *argument)
{
    caller_result *made = argument;
    em_window window;
    em_result result = {.size = sizeof result};
    made->failures += em_window_begin(meter, NULL, &window) != EM_OK;
    pause_for(20 * MS);
    made->failures += em_window_end(meter, window, NULL) != EM_OK;
    made->failures += em_window_settle(meter, window, 10 * S) != EM_OK;
    made->failures += em_window_result(meter, window, &result) != EM_OK;
    made->failures += !result.is_final || !result.is_complete;
    double truth_j = 120 * (double)result.duration_ns / 1e9;
    made->failures += fabs(result.total.energy_j - truth_j) > late * truth_j + late_j;
    return NULL;
}

static void test_a_pause_that_many_end_at_once(void)
{
    caller_result made[CALLERS] = {{0}};
    pthread_t threads[CALLERS];
    begin(10 * MS);
    for (size_t i = 0; i < CALLERS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, begin_and_end, &made[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(made[i].failures, 0);
    }
    end();
}

static void *begin_until_closed(void *argument)
{
    em_window window;
    while (em_window_begin(argument, NULL, &window) == EM_OK) {
        em_window_end(argument, window, NULL);
    }
    return NULL;
}

/* A begin that ends a pause while another thread closes the meter. */
static void test_closing_while_others_begin(void)
{
    for (int i = 0; i < 300; i++) {
        begin(10 * MS);
        pthread_t thread;
        CHECK_INT(pthread_create(&thread, NULL, begin_until_closed, meter), 0);
        em_meter_close(meter, 0);
        pthread_join(thread, NULL);
        end();
    }
}

static void test_creating_and_destroying(void)
{
    for (int i = 0; i < 50; i++) {
        begin(MS);
        if (i % 2) {
            begin_window(EM_WINDOW_OTHER, NULL);
        }
        if (i % 3 == 0) {
            pause_for(3 * MS);
        }
        end();
    }
}

int main(void)
{
    RUN(test_a_window_in_real_time);
    RUN(test_it_parks_and_is_woken);
    RUN(test_settling_asks_for_a_round);
    RUN(test_a_driver_that_hangs_is_given_up);
    RUN(test_a_driver_that_hangs_in_a_caller);
    RUN(test_callers_pass_over_what_the_sampler_reads);
    RUN(test_destroying_while_a_driver_hangs);
    RUN(test_closing_after_one_was_given_up);
    RUN(test_callers_on_all_sides);
    RUN(test_callers_on_all_sides_that_read);
    RUN(test_a_pause_that_many_end_at_once);
    RUN(test_closing_while_others_begin);
    RUN(test_creating_and_destroying);
    return CHECK_DONE();
}
