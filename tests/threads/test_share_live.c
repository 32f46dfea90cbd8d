/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The share of the CPUs on this machine, as it runs: against getrusage and /proc/stat. */
#include "check.h"
#include "energy_meter.h"
#include "platform/host.h"
#include "platform/parse.h"
#include "sensors/cpu_time.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void burn(double cpu_s)
{
    double until = seconds(CLOCK_PROCESS_CPUTIME_ID) + cpu_s;
    while (seconds(CLOCK_PROCESS_CPUTIME_ID) < until) {
        continue;
    }
}

static void rest(double s)
{
    struct timespec left = {0, (long)(s * 1e9)};
    while (nanosleep(&left, &left) != 0) {
        continue;
    }
}

static double used_s(void)
{
    double s = 0;
    static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    for (int i = 0; i < 2; i++) {
        struct rusage usage;
        getrusage(whose[i], &usage);
        s += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
             (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    }
    return s;
}

static double busy_s(void)
{
    char text[4096];
    em__cpu_time time = {0};
    FILE *file = fopen("/proc/stat", "r");
    size_t length = file ? fread(text, 1, sizeof text, file) : 0;
    if (file) {
        fclose(file);
    }
    CHECK_INT(em__parse_cpu_time(text, length, &time), 0);
    return (double)time.busy / 100;
}

/* 0.5 s in this process, 0.5 s in a child that lives on beyond the window, 0.3 s in one that is waited for. */
static void test_against_getrusage(void)
{
    em_options options;
    em_meter *meter = NULL;
    em_window window;
    em_options_init(&options, sizeof options);
    options.sample_interval_ns = 20000000;
    if (!CHECK_INT(em_meter_create(&options, NULL, &meter), EM_OK)) {
        return;
    }
    em_window_begin(meter, NULL, &window);
    rest(0.4);
    double used = used_s(), busy = busy_s();
    int ready[2], done[2];
    char byte = 0;
    CHECK(pipe(ready) == 0 && pipe(done) == 0);
    pid_t living = fork();
    if (living == 0) {
        burn(0.5);
        _exit(write(ready[1], "x", 1) != 1 || read(done[0], &byte, 1) != 1);
    }
    pid_t brief = fork();
    if (brief == 0) {
        burn(0.3);
        _exit(0);
    }
    burn(0.5);
    CHECK(read(ready[0], &byte, 1) == 1);
    CHECK(waitpid(brief, NULL, 0) == brief);
    used = used_s() - used + 0.5; /* what the living one used is not in getrusage yet */
    busy = busy_s() - busy;
    rest(0.4);
    em_window_end(meter, window, NULL);
    em_window_settle(meter, window, 2000000000);
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    printf("# used %.2f s of %.2f s busy; share %.3f of %.2f s\n", used, busy, result.process_cpu_share,
           (double)result.duration_ns / 1e9);
    /* The rests belong to the window, and to others: their CPUs may be busy for all of them. */
    double rests = 1.0 * (double)sysconf(_SC_NPROCESSORS_ONLN);
    CHECK(result.process_cpu_share <= used / busy * 1.05 + 0.03);
    CHECK(result.process_cpu_share >= used / (busy + rests) * 0.95 - 0.03);
    CHECK(write(done[1], "x", 1) == 1);
    CHECK(waitpid(living, NULL, 0) == living);
    em_meter_destroy(meter);
}

/* Read directly, without windows: to a tick for each process. */
static void test_to_the_tick(void)
{
    em__host *host;
    em__cpu_time_source *source;
    uint64_t begin_us = 0, end_us = 0, busy_us;
    CHECK_INT(em__host_open(NULL, 0, NULL, NULL, 0, &host), 0);
    CHECK_INT(em__cpu_time_open(host, &source), EM_OK);
    if (CHECK(source != NULL)) {
        double used = used_s();
        CHECK_INT(em__cpu_time_read(source, 1, &begin_us, &busy_us), 0);
        pid_t child = fork();
        if (child == 0) {
            burn(0.3);
            _exit(0);
        }
        burn(0.2);
        CHECK(waitpid(child, NULL, 0) == child);
        used = used_s() - used;
        double before = seconds(CLOCK_MONOTONIC);
        CHECK_INT(em__cpu_time_read(source, 0, &end_us, &busy_us), 0);
        double looked = seconds(CLOCK_MONOTONIC);
        CHECK_INT(em__cpu_time_read(source, 0, &end_us, &busy_us), 0);
        printf("# a reading %.0f us, with a look for descendants %.0f us\n", (seconds(CLOCK_MONOTONIC) - looked) * 1e6,
               (looked - before) * 1e6);
        CHECK_NEAR((double)(end_us - begin_us) / 1e6, used, 0.045);
    }
    em__cpu_time_close(source);
    em__host_unref(host);
}

int main(void)
{
    RUN(test_against_getrusage);
    RUN(test_to_the_tick);
    return CHECK_DONE();
}
