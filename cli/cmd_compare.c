/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter compare: which of several runs used less, and whether that is more than the doubt. */
#include "args.h"
#include "cmd.h"
#include "energy_meter.h"
#include "file.h"

#include <stdlib.h>
#include <string.h>

enum { HELP, JSON, FORCE, OPTIONS };

static const args_option options[OPTIONS] = {
    [HELP] = {"--help", NULL, "show this"},
    [JSON] = {"--json", NULL, "print JSON (schema 1) instead of a table"},
    [FORCE] = {"--force", NULL, "also of different machines or channels"},
};

typedef struct {
    const char **paths;
    file_runs *files;
    em_runs *runs;
    size_t count;
    int32_t format;
    uint32_t flags;
} plan;

static int print(const plan *of)
{
    em_error error = {.size = sizeof error};
    char *text = NULL;
    size_t length = 0;
    int status = em_summary_compare_format(of->runs, of->count, of->flags, of->format, &error, &text, &length);
    if (status == EM_OK) {
        status = cmd_print(text, length);
        em_text_destroy(text);
        return status;
    }
    if (strncmp(error.argument, "runs[", 5) == 0) {
        size_t place = (size_t)strtoull(error.argument + 5, NULL, 10);
        args_say("compare", "%s: %s; compare runs of one machine, or add --force", of->paths[place % of->count],
                 error.text);
        return EXIT_FAILED;
    }
    return file_say("compare", NULL, status, &error);
}

static int compare(plan *of)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < of->count; i++) {
        result = file_read_runs("compare", of->paths[i], &of->files[i]);
        of->runs[i] = (em_runs){(const em_summary *const *)of->files[i].summaries, of->files[i].count, of->paths[i]};
    }
    result = result ? result : print(of);
    for (size_t i = 0; i < of->count; i++) {
        file_free_runs(&of->files[i]);
    }
    return result;
}

static int read_line(args_line *args, plan *of)
{
    const char *value = NULL;
    int wrong = 0;
    while (!wrong && args->next < args->argc) {
        const char *word = args_word(args);
        if (word) {
            of->paths[of->count++] = word;
            continue;
        }
        switch (args_next(args, &value)) {
        case HELP:
            return HELP - 1;
        case JSON:
            of->format = EM_FORMAT_JSON;
            break;
        case FORCE:
            of->flags |= EM_FORCE;
            break;
        case ARGS_END:
            break;
        default:
            wrong = EXIT_USAGE;
        }
    }
    if (!wrong && of->count < 2) {
        args_say("compare", "%s; give two or more: energy-meter compare A.json B.json",
                 of->count ? "one file alone is given" : "no file is given");
        wrong = EXIT_USAGE;
    }
    return wrong;
}

int cmd_compare(int argc, char **argv)
{
    args_line args = {"compare", argc, argv, 1, options, OPTIONS, NULL, 0, 0};
    size_t room = (size_t)argc + 1;
    plan of = {.paths = calloc(room, sizeof *of.paths),
               .files = calloc(room, sizeof *of.files),
               .runs = calloc(room, sizeof *of.runs),
               .format = EM_FORMAT_TEXT};
    int result = EXIT_FAILED;
    if (!of.paths || !of.files || !of.runs) {
        args_say("compare", "memory could not be allocated");
    } else if ((result = read_line(&args, &of)) == HELP - 1) {
        result = args_help(&args, "energy-meter compare A.json B.json... [--json] [--force]",
                           "Which run used less, by how much, how sure that is, and whether it stands. Each\n"
                           "file is of run --json -o FILE, with or without --repeat, or of\n"
                           "json.dump(meter.summary()). All are compared with the first.");
    } else if (result == 0) {
        result = compare(&of);
    }
    free((void *)of.paths);
    free(of.files);
    free(of.runs);
    return result;
}
