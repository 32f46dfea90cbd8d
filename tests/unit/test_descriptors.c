/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* File descriptors run out, under the kernel's own limit: a meter is whole or refused with the remedy, nothing leaks, and one
 * that runs goes on. */
#include "check.h"
#include "meter/meter.h"
#include "tree.h"

#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#define S UINT64_C(1000000000)

enum { ENOUGH = 64 };

static rlim_t limit_before;

static void limit(rlim_t most)
{
    struct rlimit limits;
    getrlimit(RLIMIT_NOFILE, &limits);
    limits.rlim_cur = most;
    setrlimit(RLIMIT_NOFILE, &limits);
}

/* The lowest descriptor that is free: every one below it is in use. */
static int lowest_free(void)
{
    int descriptor = open("/", O_PATH | O_CLOEXEC);
    close(descriptor);
    return descriptor;
}

/* A thread that has ended may be about to let go of the root. */
static void check_nothing_leaked(int first)
{
    time_t end = time(NULL) + 20;
    while (lowest_free() != first && time(NULL) < end) {
        sched_yield();
    }
    CHECK_INT(lowest_free(), first);
}

static int put_counter(const char *value)
{
    return tree_file("/sys/class/powercap/intel-rapl:0/energy_uj", value, 0444);
}

static void make_tree(void)
{
    if (tree_begin() < 0 || tree_file("/sys/class/powercap/intel-rapl/enabled", "1\n", 0444) < 0 ||
        tree_file("/sys/class/powercap/intel-rapl:0/name", "package-0\n", 0444) < 0 || put_counter("1000000\n") < 0 ||
        tree_file("/sys/class/powercap/intel-rapl:0:0/name", "dram\n", 0444) < 0 ||
        tree_file("/sys/class/powercap/intel-rapl:0:0/energy_uj", "100\n", 0444) < 0 ||
        tree_file("/sys/class/hwmon/hwmon0/name", "amdgpu\n", 0444) < 0 ||
        tree_file("/sys/class/hwmon/hwmon0/power1_average", "30000000\n", 0444) < 0 ||
        tree_file("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\n\n", 0444) < 0 ||
        tree_file("/proc/stat", "cpu  100 0 0 100 0 0 0 0 0 0\n", 0444) < 0 ||
        tree_file("/run/wall", "100\n", 0444) < 0) {
        abort();
    }
}

static em_options options_of_tree(void)
{
    static const em_file wall = {.path = "/run/wall", .unit = "W", .domain = "other"};
    em_options options;
    em_options_init(&options, sizeof options);
    options.root = tree_top;
    options.files = &wall;
    options.file_count = 1;
    return options;
}

static int is_told(const em_error *error)
{
    return strstr(error->text, "descriptor") && strstr(error->remedy, "ulimit -n");
}

static void test_a_meter_is_whole_or_refused(void)
{
    em_options options = options_of_tree();
    em_meter *meter = NULL;
    int first = lowest_free(), refusals = 0;
    CHECK_INT(em_meter_create(&options, NULL, &meter), EM_OK);
    size_t channels = em_meter_channel_count(meter);
    CHECK(channels >= 4);
    em_meter_destroy(meter);
    check_nothing_leaked(first);
    for (int more = 0; more < ENOUGH; more++) {
        em_error error = {.size = sizeof error};
        limit((rlim_t)first + (rlim_t)more);
        int status = em_meter_create(&options, &error, &meter);
        if (status == EM_OK) {
            CHECK_INT(em_meter_channel_count(meter), channels);
            CHECK_INT(em_meter_close(meter, 0), EM_OK);
            em_meter_destroy(meter);
        } else {
            CHECK_INT(status, EM_ERR_SYSTEM);
            CHECK(is_told(&error));
            CHECK_INT(refusals, more); /* What was enough is enough from then on. */
            refusals++;
        }
        limit(limit_before);
        check_nothing_leaked(first);
    }
    printf("# refused with up to %d free descriptors\n", refusals - 1);
    CHECK(refusals >= 4 && refusals < ENOUGH);
}

static void test_a_machine_is_recorded_whole_or_not(void)
{
    size_t whole = 0, length = 0;
    char *text = NULL;
    CHECK_INT(em_machine_record(tree_top, NULL, &text, &whole), EM_OK);
    em_text_destroy(text);
    int first = lowest_free();
    for (int more = 0; more < ENOUGH; more++) {
        em_error error = {.size = sizeof error};
        limit((rlim_t)first + (rlim_t)more);
        int status = em_machine_record(tree_top, &error, &text, &length);
        limit(limit_before);
        CHECK(status == EM_OK ? length == whole : status == EM_ERR_SYSTEM && is_told(&error));
        if (status == EM_OK) {
            em_text_destroy(text);
        }
        check_nothing_leaked(first);
    }
}

/* What is open stays so. A file that is opened anew for each reading has a gap. */
static void test_a_meter_that_runs_goes_on(void)
{
    em_options options = options_of_tree();
    static em__host_ops ops;
    em__host *host = NULL;
    em_meter *meter = NULL;
    em_window window = 0;
    em_energy channels[8];
    CHECK_INT(em__host_open(tree_top, 0, NULL, NULL, 0, &host), 0);
    ops = *host->ops;
    ops.thread_start = NULL; /* Its rounds are the test's. */
    host->ops = &ops;
    CHECK_INT(em__meter_create_on(host, &options, NULL, &meter), EM_OK);
    limit(3);
    CHECK_INT(em_window_begin(meter, NULL, &window), EM_OK);
    limit(limit_before);
    CHECK_INT(put_counter("1000007\n"), 0);
    limit(3);
    em__meter_step(meter);
    CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
    CHECK_INT(em_window_settle(meter, window, S), EM_OK);
    limit(limit_before);
    em_result result = {.size = sizeof result, .channels = channels, .channels_capacity = 8};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.is_final, 1);
    CHECK_INT(result.is_complete, 0);
    for (size_t i = 0; i < result.channels_count; i++) {
        em_channel channel = {.size = sizeof channel};
        CHECK_INT(em_meter_channel(meter, i, &channel), EM_OK);
        if (strcmp(channel.name, "cpu-0/package") == 0) {
            CHECK_INT(channels[i].status, EM_OK);
        } else if (strcmp(channel.name, "other/wall") == 0) {
            CHECK(channels[i].gap_ns > 0);
        }
    }
    em__meter_step(meter);
    CHECK_INT(em_window_begin(meter, NULL, &window), EM_OK);
    em__meter_step(meter);
    CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
    CHECK_INT(em_window_settle(meter, window, S), EM_OK);
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.is_complete, 1);
    em_meter_destroy(meter);
    em__host_unref(host);
}

int main(void)
{
    struct rlimit limits;
    getrlimit(RLIMIT_NOFILE, &limits);
    limit_before = limits.rlim_cur;
    make_tree();
    RUN(test_a_meter_is_whole_or_refused);
    RUN(test_a_machine_is_recorded_whole_or_not);
    RUN(test_a_meter_that_runs_goes_on);
    tree_end();
    return CHECK_DONE();
}
