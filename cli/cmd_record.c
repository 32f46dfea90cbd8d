/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter record: all readings of this machine into a trace, until it is stopped. */
#include "args.h"
#include "cmd.h"
#include "energy_meter.h"
#include "measure.h"
#include "output.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HELP, OUTPUT, FOR, QUIET, OPTIONS };
static const uint64_t patience_ns = 2000000000;

static const args_option options[OPTIONS] = {
    [HELP] = {"--help", NULL, "show this"},
    [OUTPUT] = {"-o, --output", "FILE", "the trace, a new file or a pipe"},
    [FOR] = {"--for", "SECONDS", "stop by itself, as after 90, 500ms or 2m"},
    [QUIET] = {"-q, --quiet", NULL, "say nothing at the end"},
};

typedef struct {
    em_options options;
    const char *path;
    double seconds; /* 0: until a signal */
    int is_quiet;
} plan;

/* Until a signal that means an end, or the time is over. */
static void wait_for_end(const sigset_t *ends, double seconds)
{
    struct timespec until, now, left;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)seconds;
    until.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    for (;;) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        long long left_ns = (until.tv_sec - now.tv_sec) * 1000000000LL + until.tv_nsec - now.tv_nsec;
        left = (struct timespec){.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
        int number = seconds <= 0 ? sigwaitinfo(ends, NULL) : left_ns > 0 ? sigtimedwait(ends, NULL, &left) : 0;
        if (number >= 0 || errno != EINTR) {
            return;
        }
    }
}

static int say_trace(em_meter *meter, const plan *of)
{
    em_error error = {.size = sizeof error};
    if (em_meter_trace_status(meter, &error) != EM_OK) {
        args_say("record", "-o %s: %s; %s", of->path, error.text, error.remedy);
        return EXIT_FAILED;
    }
    return 0;
}

static int record(em_meter *meter, const sigset_t *ends, const plan *of)
{
    const em_spec spec = {sizeof spec, EM_WINDOW_RUN, 1, NULL};
    em_group run = {.size = sizeof run};
    em_summary *summary = NULL;
    em_window window;
    int status = em_window_begin(meter, &spec, &window);
    if (status == EM_OK) {
        wait_for_end(ends, of->seconds);
        em_window_end(meter, window, NULL);
        em_meter_close(meter, patience_ns);
        status = em_summary_create(meter, patience_ns, &summary);
    }
    if (status != EM_OK) {
        args_say("record", "nothing could be measured: %s", em_status_text(status));
        return EXIT_FAILED;
    }
    int result = say_trace(meter, of);
    if (result == 0 && !of->is_quiet && em_summary_group(summary, 0, &run) == EM_OK) {
        args_say("record", "%s: %.1f s, %.4g J; see energy-meter report %s", of->path, (double)run.duration_ns / 1e9,
                 run.total.energy_j, of->path);
    }
    em_summary_destroy(summary);
    return result;
}

static int read_line(args_line *args, plan *of)
{
    const char *value = NULL;
    int wrong = 0, option;
    while (!wrong && (option = args_next(args, &value)) != ARGS_END) {
        switch (option) {
        case HELP:
            return HELP - 1;
        case OUTPUT:
            of->path = value;
            break;
        case FOR:
            wrong = args_seconds("record", "--for", value, 0.001, 1e8, &of->seconds);
            break;
        case QUIET:
            of->is_quiet = 1;
            break;
        default:
            wrong = option < 0 ? EXIT_USAGE : measure_take(&of->options, "record", option - OPTIONS, value);
        }
    }
    if (!wrong && !of->path) {
        args_say("record", "no file is given; say where the trace goes: -o FILE");
        wrong = EXIT_USAGE;
    }
    return wrong ? wrong : cmd_check_root("record", &of->options);
}

static int run(plan *of)
{
    em_error error = {.size = sizeof error};
    em_meter *meter = NULL;
    sigset_t ends;
    int result;
    of->options.trace_fd = output_create_trace("record", "-o", of->path);
    if (of->options.trace_fd < 0) {
        return EXIT_FAILED;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    sigaddset(&ends, SIGQUIT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    int status = em_meter_create(&of->options, &error, &meter);
    if (status == EM_OK) {
        result = record(meter, &ends, of);
    } else {
        result = measure_say("record", status, &error);
        output_discard_trace(of->path, of->options.trace_fd);
        of->options.trace_fd = -1;
    }
    em_meter_destroy(meter);
    if (of->options.trace_fd >= 0 && close(of->options.trace_fd) < 0 && result == 0) {
        args_say("record", "-o %s: %s", of->path, strerror(errno));
        result = EXIT_FAILED;
    }
    return result;
}

int cmd_record(int argc, char **argv)
{
    args_line args = {"record", argc, argv, 1, options, OPTIONS, measure_options, MEASURE_COUNT, 0};
    plan of = {0};
    cmd_options(&of.options);
    int result = read_line(&args, &of);
    if (result == HELP - 1) {
        cmd_free_options(&of.options);
        return args_help(&args, "energy-meter record -o FILE [OPTION]...",
                         "Measures until it is stopped (Ctrl-C), and keeps all readings for report.");
    }
    result = result ? result : run(&of);
    cmd_free_options(&of.options);
    return result;
}
