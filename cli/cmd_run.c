/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter run: measures while a command runs, once or several times. Its status is ours once it has started. */
#include "args.h"
#include "child.h"
#include "cmd.h"
#include "energy_meter.h"
#include "measure.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HELP, OUTPUT, JSON, CSV, FORMAT, TRACE, REPEAT, QUIET, OPTIONS };
enum { NOT_MEASURED = 125, MOST_RUNS = 1000 };
static const uint64_t patience_ns = 2000000000;

static const args_option options[OPTIONS] = {
    [HELP] = {"--help", NULL, "show this"},
    [OUTPUT] = {"-o, --output", "FILE", "write the result there instead of to stderr; -: stdout"},
    [JSON] = {"--json", NULL, "print JSON (schema 1) or CSV"},
    [CSV] = {"--csv", NULL, NULL},
    [FORMAT] = {"--format", "FORMAT", "text, json, csv, model-card or boamps"},
    [TRACE] = {"--trace", "FILE", "keep all readings in a new file, for report"},
    [REPEAT] = {"-r, --repeat", "N", "run it N times; mean, deviation, 95 % interval"},
    [QUIET] = {"-q, --quiet", NULL, "print no result on stderr"},
};

typedef struct {
    em_options options;
    int32_t format;
    const char *output_path, *trace_path;
    size_t count;
    int is_quiet;
    char **command;
} plan;

static int read_line(args_line *args, plan *ret_plan)
{
    const char *value = NULL;
    double number = 1;
    int wrong = 0;
    while (!wrong && args->next < args->argc) {
        const char *word = args_word(args);
        if (word) {
            ret_plan->command = &args->argv[args->next - 1];
            break;
        }
        int option = args->has_only_words ? ARGS_END : args_next(args, &value);
        switch (option) {
        case ARGS_END:
            return 0;
        case HELP:
            return HELP - 1;
        case OUTPUT:
            ret_plan->output_path = value;
            break;
        case JSON:
            ret_plan->format = EM_FORMAT_JSON;
            break;
        case CSV:
            ret_plan->format = EM_FORMAT_CSV;
            break;
        case FORMAT:
            wrong = measure_format("run", value, &ret_plan->format);
            break;
        case TRACE:
            ret_plan->trace_path = value;
            break;
        case REPEAT:
            wrong = args_number("run", "--repeat", value, 1, MOST_RUNS, &number);
            if (!wrong && number != (double)(size_t)number) {
                args_say("run", "--repeat '%s': give a whole number", value);
                wrong = EXIT_USAGE;
            }
            ret_plan->count = (size_t)number;
            break;
        case QUIET:
            ret_plan->is_quiet = 1;
            break;
        default:
            wrong = measure_take(&ret_plan->options, "run", option - OPTIONS, value);
        }
    }
    return wrong;
}

static int check(const plan *of)
{
    if (!of->command) {
        args_say("run", "no command is given; put it at the end: energy-meter run -- COMMAND");
        return EXIT_USAGE;
    }
    if (of->count > 1 && of->trace_path) {
        args_say("run", "--trace keeps one run and --repeat makes several; give one of the two");
        return EXIT_USAGE;
    }
    if (of->count > 1 && of->format > EM_FORMAT_CSV) {
        args_say("run", "a card or a draft is of one run, and --repeat makes several; give text, json or csv");
        return EXIT_USAGE;
    }
    return cmd_check_root("run", &of->options);
}

static int say_failure(int status)
{
    args_say("run", "the result could not be made: %s", em_status_text(status));
    return EXIT_FAILED;
}

/* One run of the command; its status. *ret_summary stays NULL where it did not run or nothing could be made of it. */
static int measure(em_meter *meter, child *process, const plan *of, em_summary **ret_summary)
{
    const em_spec spec = {sizeof spec, EM_WINDOW_RUN, 1, NULL};
    em_window window;
    int failure = em_window_begin(meter, &spec, &window);
    if (failure != EM_OK) {
        say_failure(failure);
        return NOT_MEASURED;
    }
    int status = child_start(process, of->command);
    if (process->pid < 0) {
        em_window_cancel(meter, window);
        return status;
    }
    status = child_wait(process);
    em_window_end(meter, window, NULL);
    char *left = child_left();
    if (left) {
        args_say("run", "still running after the command, and not measured any more: %s", left);
        free(left);
    }
    failure = em_summary_create(meter, patience_ns, ret_summary);
    if (failure != EM_OK) {
        say_failure(failure);
    }
    return status;
}

static void show(const em_summary *const *runs, size_t count, const plan *of, output *to)
{
    char *text = NULL;
    size_t length = 0;
    if (to->descriptor == STDERR_FILENO && of->is_quiet) {
        return;
    }
    const em_runs all = {runs, count, NULL};
    int failure = of->count > 1 ? em_summary_repeat_format(&all, of->format, &text, &length)
                                : em_summary_format(runs[0], of->format, &text, &length);
    if (failure == EM_OK) {
        output_write(to, text, length);
    } else {
        say_failure(failure);
    }
    em_text_destroy(text);
}

static void close_trace(em_meter *meter, const plan *of)
{
    em_error error = {.size = sizeof error};
    em_meter_close(meter, patience_ns);
    if (of->trace_path && em_meter_trace_status(meter, &error) != EM_OK) {
        args_say("run", "--trace %s: %s; %s", of->trace_path, error.text, error.remedy);
    }
}

/* Until one fails, or somebody wants an end. */
static int repeat(em_meter *meter, child *process, const plan *of, output *to)
{
    em_summary **runs = calloc(of->count, sizeof *runs);
    size_t done = 0;
    int status = 0, goes_on = 1;
    if (!runs) {
        say_failure(EM_ERR_NO_MEMORY);
        return NOT_MEASURED;
    }
    while (goes_on) {
        if (done > 0) {
            em_meter_reset(meter);
        }
        status = measure(meter, process, of, &runs[done]);
        goes_on = runs[done] != NULL && done + 1 < of->count && status == 0 && !process->is_interrupted;
        done += runs[done] != NULL;
    }
    close_trace(meter, of);
    if (done > 0) {
        show((const em_summary *const *)runs, done, of, to);
    }
    for (size_t i = 0; i < of->count; i++) {
        em_summary_destroy(runs[i]);
    }
    free((void *)runs);
    return status;
}

static int run(plan *of)
{
    em_error error = {.size = sizeof error};
    em_meter *meter = NULL;
    output to;
    child process;
    if (output_open(&to, "run", of->output_path, STDERR_FILENO) != 0) {
        return NOT_MEASURED;
    }
    if (of->trace_path && (of->options.trace_fd = output_create_trace("run", "--trace", of->trace_path)) < 0) {
        output_close(&to);
        return NOT_MEASURED;
    }
    child_prepare(&process);
    int status = em_meter_create(&of->options, &error, &meter);
    if (status != EM_OK) {
        measure_say("run", status, &error);
        status = NOT_MEASURED;
    } else {
        status = repeat(meter, &process, of, &to);
    }
    em_meter_destroy(meter);
    if (of->trace_path && process.pid < 0) {
        output_discard_trace(of->trace_path, of->options.trace_fd);
    }
    output_close(&to);
    return status;
}

int cmd_run(int argc, char **argv)
{
    args_line args = {"run", argc, argv, 1, options, OPTIONS, measure_options, MEASURE_COUNT, 0};
    plan of = {.format = EM_FORMAT_TEXT, .count = 1};
    cmd_options(&of.options);
    int wrong = read_line(&args, &of);
    if (wrong == HELP - 1) {
        cmd_free_options(&of.options);
        return args_help(&args, "energy-meter run [OPTION]... [--] COMMAND [ARGUMENT]...",
                         "Measures while COMMAND runs. Its status is returned; 125: it was not started.");
    }
    wrong = wrong ? wrong : check(&of);
    int status = wrong ? NOT_MEASURED : run(&of);
    cmd_free_options(&of.options);
    return status;
}
