/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter watch: power now, its last minutes, energy and carbon since the start, on a terminal or line by line. */
#include "args.h"
#include "cmd.h"
#include "energy_meter.h"
#include "measure.h"
#include "screen.h"
#include "view.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { HELP, JSON, INTERVAL, FOR, REPLAY, OPTIONS };
enum { GO_ON = -1, SIGNALLED = 128 };
static const double finest_s = 0.1; /* of the sensors, between looks that are further apart */

static const args_option options[OPTIONS] = {
    [HELP] = {"--help", NULL, "show this"},
    [JSON] = {"--json", NULL, "print one line of JSON a sample instead"},
    [INTERVAL] = {"--interval", "SECONDS", "between samples, 0.05 to 60; default 1"},
    [FOR] = {"--for", "SECONDS", "end by itself, as after 90, 500ms or 2m"},
    [REPLAY] = CMD_REPLAY,
};

typedef struct {
    em_options options;
    double interval_s, seconds; /* seconds 0: until it is ended */
    int is_json;
} plan;

typedef struct {
    em_meter *meter;
    const plan *of;
    em_window window;
    history seen;
    screen on;
    int signals;
    int is_deaf;      /* nobody types: stdin ended */
    uint64_t next_ns; /* of the next sample */
    uint64_t end_ns;  /* 0: none */
} watch;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int say_lost(void)
{
    args_say("watch", "stdout: %s; give a reader that stays until the end", strerror(errno));
    return EXIT_FAILED;
}

/* GO_ON, or the exit status. */
static int show(watch *w)
{
    char *text = NULL;
    size_t length = 0;
    FILE *page = open_memstream(&text, &length);
    if (!page) {
        return GO_ON;
    }
    if (w->of->is_json) {
        view_json(page, &w->seen);
    } else {
        screen_measure(&w->on);
        view_draw(page, &w->on, &w->seen, w->of->interval_s);
    }
    int status = fclose(page) == 0 && screen_write(text, length) < 0 ? say_lost() : GO_ON;
    free(text);
    return status;
}

static int take_sample(watch *w)
{
    uint64_t interval_ns = (uint64_t)(w->of->interval_s * 1e9);
    int failure = history_take(&w->seen, w->meter, w->window);
    if (failure != EM_OK) {
        screen_leave(&w->on);
        args_say("watch", "nothing can be measured any more: %s", em_status_text(failure));
        return EXIT_FAILED;
    }
    uint64_t now = now_ns();
    while (w->next_ns <= now) { /* What was missed is not caught up. */
        w->next_ns += interval_ns;
    }
    int status = show(w);
    return status == GO_ON && w->end_ns && now >= w->end_ns ? 0 : status;
}

static int take_signal(watch *w)
{
    struct signalfd_siginfo info;
    if (read(w->signals, &info, sizeof info) != sizeof info) {
        return GO_ON;
    }
    switch ((int)info.ssi_signo) {
    case SIGWINCH:
        return w->of->is_json ? GO_ON : show(w);
    case SIGTSTP: {
        int was_entered = w->on.is_entered;
        screen_leave(&w->on);
        kill(getpid(), SIGSTOP);
        if (was_entered) {
            screen_enter(&w->on);
            return show(w);
        }
        return GO_ON;
    }
    case SIGINT:
        return 0;
    default:
        return SIGNALLED + (int)info.ssi_signo;
    }
}

static int take_key(watch *w)
{
    char keys[64];
    ssize_t got = read(STDIN_FILENO, keys, sizeof keys);
    w->is_deaf = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
    for (ssize_t i = 0; i < got; i++) {
        if (keys[i] == 'q' || keys[i] == 'Q') {
            return 0;
        }
    }
    return GO_ON;
}

static int loop(watch *w)
{
    int status = take_sample(w);
    while (status == GO_ON) {
        int hears = !w->of->is_json && w->on.is_terminal && !w->is_deaf;
        struct pollfd ready[] = {{.fd = w->signals, .events = POLLIN},
                                 {.fd = hears ? STDIN_FILENO : -1, .events = POLLIN}};
        uint64_t now = now_ns(), left_ns = w->next_ns > now ? w->next_ns - now : 0;
        int count = poll(ready, 2, (int)((left_ns + 999999) / 1000000));
        if (count > 0 && ready[0].revents) {
            status = take_signal(w);
        } else if (count > 0 && ready[1].revents) {
            status = take_key(w);
        } else if (now_ns() >= w->next_ns) {
            status = take_sample(w);
        }
    }
    return status;
}

/* Before threads are made. -1: none. */
static int catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH, SIGUSR1, SIGUSR2, SIGALRM};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaddset(&set, numbers[i]);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static int run(const plan *of)
{
    const em_spec spec = {sizeof spec, EM_WINDOW_RUN, 1, NULL};
    em_error error = {.size = sizeof error};
    watch w = {.of = of, .signals = catch_signals()};
    int failure = em_meter_create(&of->options, &error, &w.meter);
    if (failure != EM_OK) {
        return measure_say("watch", failure, &error);
    }
    screen_init(&w.on);
    failure = history_init(&w.seen, w.meter);
    failure = failure ? failure : em_window_begin(w.meter, &spec, &w.window);
    int status = EXIT_FAILED;
    if (failure != EM_OK || w.signals < 0) {
        args_say("watch", "%s", failure ? em_status_text(failure) : strerror(errno));
    } else {
        w.next_ns = now_ns();
        w.end_ns = of->seconds > 0 ? w.next_ns + (uint64_t)(of->seconds * 1e9) : 0;
        if (!of->is_json) {
            screen_enter(&w.on);
        }
        status = loop(&w);
        screen_leave(&w.on);
    }
    history_free(&w.seen);
    em_meter_destroy(w.meter);
    if (w.signals >= 0) {
        close(w.signals);
    }
    return status;
}

static int read_line(args_line *args, plan *of)
{
    const char *value = NULL;
    int wrong = 0, option, has_interval = 0;
    while (!wrong && (option = args_next(args, &value)) != ARGS_END) {
        switch (option) {
        case HELP:
            return HELP - 1;
        case JSON:
            of->is_json = 1;
            break;
        case INTERVAL:
            has_interval = 1;
            wrong = args_seconds("watch", "--interval", value, 0.05, 60, &of->interval_s);
            break;
        case FOR:
            wrong = args_seconds("watch", "--for", value, 0.001, 1e8, &of->seconds);
            break;
        case REPLAY:
            wrong = cmd_replay("watch", &of->options, value);
            break;
        default:
            wrong = option < 0 ? EXIT_USAGE : measure_take(&of->options, "watch", option - OPTIONS, value);
        }
    }
    if (has_interval && of->interval_s < finest_s) {
        of->options.sample_interval_ns = (uint64_t)(of->interval_s * 1e9);
    }
    return wrong ? wrong : cmd_check_root("watch", &of->options);
}

int cmd_watch(int argc, char **argv)
{
    args_line args = {"watch", argc, argv, 1, options, OPTIONS, measure_options, MEASURE_INTERVAL, 0};
    plan of = {.interval_s = 1};
    cmd_options(&of.options);
    int wrong = read_line(&args, &of);
    if (wrong == HELP - 1) {
        cmd_free_options(&of.options);
        return args_help(&args, "energy-meter watch [--interval SECONDS] [--json] [OPTION]...",
                         "Power now and over the last minutes, energy and carbon since the start, of all\n"
                         "that is counted. q ends it.");
    }
    const char *refusal = wrong || of.is_json ? NULL : screen_refusal();
    if (refusal) {
        args_say("watch", "%s", refusal);
        wrong = EXIT_USAGE;
    }
    wrong = wrong ? wrong : run(&of);
    cmd_free_options(&of.options);
    return wrong;
}
