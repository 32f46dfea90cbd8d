/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter report: what a trace or a kept summary holds, in any format. */
#include "args.h"
#include "cmd.h"
#include "energy_meter.h"
#include "file.h"
#include "measure.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { HELP, OUTPUT, JSON, CSV, FORMAT, FROM, TO, OPTIONS };

static const args_option options[OPTIONS] = {
    [HELP] = {"--help", NULL, "show this"},
    [OUTPUT] = {"-o, --output", "FILE", "write the report there instead of to stdout"},
    [JSON] = {"--json", NULL, "print JSON (schema 1)"},
    [CSV] = {"--csv", NULL, "print CSV"},
    [FORMAT] = {"--format", "FORMAT", "text, json, csv, model-card or boamps"},
    [FROM] = {"--from", "SECONDS", "of a trace: since its begin, as 90, 500ms or 2m"},
    [TO] = {"--to", "SECONDS", "of a trace: up to there"},
};

typedef struct {
    em_options options; /* of carbon alone */
    const char *path, *output_path;
    int32_t format;
    double from_s, to_s; /* NAN: not given */
    int has_carbon;
} plan;

static uint64_t ns_of(double seconds, uint64_t otherwise)
{
    return isnan(seconds) ? otherwise : (uint64_t)(seconds * 1e9 + 0.5);
}

/* The library knows the descriptor, a person the path. */
static int say_trace(const plan *of, int status, const em_error *error)
{
    const char *text = error->text[0] ? error->text : em_status_text(status);
    const char *colon = strncmp(text, "descriptor", 10) == 0 ? strchr(text, ' ') : NULL;
    colon = colon ? strpbrk(colon + 1, " :") : NULL;
    const char *what = colon ? colon + 1 + strspn(colon + 1, " :") : text;
    const char *remedy = status == EM_ERR_SYSTEM          ? "give a file that you may read"
                         : !strcmp(error->argument, "fd") ? "give a whole file of energy-meter record or run --trace"
                                                          : error->remedy;
    if (strcmp(error->argument, "from_ns") == 0) {
        args_say("report", "--from: %s: %s; %s", of->path, what, remedy);
    } else {
        args_say("report", "%s: %s; %s", of->path, what, remedy);
    }
    return EXIT_FAILED;
}

static int read_trace(const plan *of, int descriptor, em_summary **ret_summary)
{
    em_error error = {.size = sizeof error};
    em_trace *trace = NULL;
    int status = em_trace_open(descriptor, &error, &trace);
    if (status == EM_OK) {
        status = em_trace_part(trace, ns_of(of->from_s, 0), ns_of(of->to_s, UINT64_MAX),
                               of->has_carbon ? &of->options : NULL, &error, ret_summary);
    }
    em_trace_destroy(trace);
    return status == EM_OK ? 0 : say_trace(of, status, &error);
}

static int show(const plan *of, const em_runs *runs, output *to)
{
    char *text = NULL;
    size_t length = 0;
    int status = runs->count > 1 ? em_summary_repeat_format(runs, of->format, &text, &length)
                                 : em_summary_format(runs->summaries[0], of->format, &text, &length);
    if (status == EM_ERR_INVALID) {
        args_say("report", "%s holds several runs, and a card or a draft is of one; give text, json or csv", of->path);
        return EXIT_FAILED;
    }
    if (status != EM_OK) {
        args_say("report", "%s", em_status_text(status));
        return EXIT_FAILED;
    }
    int result = output_write(to, text, length);
    em_text_destroy(text);
    return result;
}

static int report_trace(const plan *of, int descriptor, output *to)
{
    em_group run = {.size = sizeof run};
    em_summary *summary = NULL;
    int result = read_trace(of, descriptor, &summary);
    if (result != 0) {
        return result;
    }
    if (em_summary_group(summary, 0, &run) == EM_OK && run.total.notes & EM_NOTE_BIT(EM_NOTE_TRUNCATED)) {
        args_say("report", "%s: the trace was cut off or lacks records: this is what it holds up to its last whole one",
                 of->path);
    }
    const em_runs runs = {(const em_summary *const *)&summary, 1, NULL};
    result = show(of, &runs, to);
    em_summary_destroy(summary);
    return result;
}

static int report_summary(const plan *of, output *to)
{
    file_runs file = {0};
    if (!isnan(of->from_s) || !isnan(of->to_s) || of->has_carbon) {
        args_say("report", "%s is a summary, and %s needs a trace; give one of energy-meter record or run --trace",
                 of->path, of->has_carbon ? "another intensity" : "another time");
        return EXIT_FAILED;
    }
    int result = file_read_runs("report", of->path, &file);
    if (result == 0) {
        const em_runs runs = {(const em_summary *const *)file.summaries, file.count, NULL};
        result = show(of, &runs, to);
        file_free_runs(&file);
    }
    return result;
}

/* A summary's JSON begins with a brace, a trace never. */
static int is_summary(int descriptor)
{
    char start[64];
    ssize_t length = pread(descriptor, start, sizeof start, 0);
    for (ssize_t i = 0; i < length; i++) {
        if (!strchr(" \t\r\n", start[i])) {
            return start[i] == '{';
        }
    }
    return 0;
}

static int report(const plan *of)
{
    output to;
    int descriptor = strcmp(of->path, "-") == 0 ? dup(STDIN_FILENO) : open(of->path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        args_say("report", "%s: %s; give a file of energy-meter record, run --trace or run --json", of->path,
                 strerror(errno));
        return EXIT_FAILED;
    }
    int result = output_open(&to, "report", of->output_path, STDOUT_FILENO);
    if (result == 0) {
        result = is_summary(descriptor) ? report_summary(of, &to) : report_trace(of, descriptor, &to);
        output_close(&to);
    }
    close(descriptor);
    return result;
}

static int take(plan *of, int option, const char *value)
{
    switch (option) {
    case OUTPUT:
        of->output_path = value;
        return 0;
    case JSON:
        of->format = EM_FORMAT_JSON;
        return 0;
    case CSV:
        of->format = EM_FORMAT_CSV;
        return 0;
    case FORMAT:
        return measure_format("report", value, &of->format);
    case FROM:
        return args_seconds("report", "--from", value, 0, 1e9, &of->from_s);
    case TO:
        return args_seconds("report", "--to", value, 0, 1e9, &of->to_s);
    default:
        of->has_carbon = 1;
        return option < 0 ? EXIT_USAGE : measure_take(&of->options, "report", option - OPTIONS, value);
    }
}

static int read_line(args_line *args, plan *of)
{
    const char *value = NULL;
    int wrong = 0;
    while (!wrong && args->next < args->argc) {
        const char *word = args_word(args);
        if (word && of->path) {
            args_say("report", "one file at a time, and '%s' is given too; see compare and merge", word);
            return EXIT_USAGE;
        }
        if (word) {
            of->path = word;
            continue;
        }
        int option = args_next(args, &value);
        if (option == HELP) {
            return HELP - 1;
        }
        wrong = option == ARGS_END ? 0 : take(of, option, value);
    }
    if (!wrong && !of->path) {
        args_say("report", "no file is given; give a trace of energy-meter record, or a summary's JSON");
        wrong = EXIT_USAGE;
    }
    if (!wrong && of->to_s <= (isnan(of->from_s) ? 0 : of->from_s)) {
        args_say("report", "--to %g is not after --from %g; give a later end", of->to_s,
                 isnan(of->from_s) ? 0 : of->from_s);
        wrong = EXIT_USAGE;
    }
    return wrong;
}

int cmd_report(int argc, char **argv)
{
    args_line args = {"report", argc, argv, 1, options, OPTIONS, measure_options, MEASURE_CARBON_COUNT, 0};
    plan of = {.format = EM_FORMAT_TEXT, .from_s = NAN, .to_s = NAN};
    cmd_options(&of.options);
    int wrong = read_line(&args, &of);
    if (wrong == HELP - 1) {
        return args_help(&args, "energy-meter report FILE [OPTION]...",
                         "Every report again from a trace (of record or run --trace), for other times and\n"
                         "another intensity; or of a summary's JSON. -: stdin.");
    }
    return wrong ? wrong : report(&of);
}
