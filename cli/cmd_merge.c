/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter merge: the summaries of several processes, kept as JSON files, as one. */
#include "args.h"
#include "cmd.h"
#include "energy_meter.h"
#include "file.h"

#include <stdlib.h>
#include <string.h>

enum { HELP, JSON };

static const args_option options[] = {
    [HELP] = {"--help", NULL, "show this"},
    [JSON] = {"--json", NULL, "print JSON (schema 1) instead of a table"},
};

static int read_summary(const char *path, em_summary **ret_summary)
{
    size_t length = 0;
    char *text = file_read("merge", path, &length);
    if (!text) {
        return EXIT_FAILED;
    }
    em_error error = {.size = sizeof error};
    int status = em_summary_parse(text, length, &error, ret_summary);
    free(text);
    return status == EM_OK ? 0 : file_say("merge", path, status, &error);
}

static int print_merged(const em_summary *const *parts, char **paths, size_t count, int32_t format)
{
    em_error error = {.size = sizeof error};
    em_summary *merged = NULL;
    char *text = NULL;
    size_t length = 0, place = count;
    int status = em_summary_merge(parts, count, &error, &merged);
    if (status == EM_OK) {
        status = em_summary_format(merged, format, &text, &length);
    } else if (strncmp(error.argument, "parts[", 6) == 0) {
        place = (size_t)strtoull(error.argument + 6, NULL, 10);
    }
    int result = status == EM_OK ? cmd_print(text, length)
                                 : file_say("merge", place < count ? paths[place] : NULL, status, &error);
    em_text_destroy(text);
    em_summary_destroy(merged);
    return result;
}

int cmd_merge(int argc, char **argv)
{
    args_line args = {"merge", argc, argv, 1, options, sizeof options / sizeof *options, NULL, 0, 0};
    int32_t format = EM_FORMAT_TEXT;
    size_t count = 0;
    const char *value = NULL;
    char **paths = calloc((size_t)argc + 1, sizeof *paths);
    em_summary **parts = calloc((size_t)argc + 1, sizeof *parts);
    int result = 0;
    if (!paths || !parts) {
        args_say("merge", "memory could not be allocated");
        result = EXIT_FAILED;
    }
    while (result == 0 && args.next < argc) {
        if (argv[args.next][0] != '-') {
            paths[count++] = argv[args.next++];
            continue;
        }
        int option = args_next(&args, &value);
        if (option == HELP) {
            result = args_help(&args, "energy-meter merge FILE.json... [--json]",
                               "Makes one summary of those of several processes, each kept as\n"
                               "json.dump(meter.summary(), file) does. Each device counts once over the union of\n"
                               "their time; different hosts add up.");
            free((void *)paths);
            free((void *)parts);
            return result;
        }
        format = option == JSON ? EM_FORMAT_JSON : format;
        result = option == ARGS_WRONG ? EXIT_USAGE : 0;
    }
    if (result == 0 && count == 0) {
        args_say("merge", "no file is given; give one for each process: energy-meter merge A.json B.json");
        result = EXIT_USAGE;
    }
    for (size_t i = 0; result == 0 && i < count; i++) {
        result = read_summary(paths[i], &parts[i]);
    }
    if (result == 0) {
        result = print_merged((const em_summary *const *)parts, paths, count, format);
    }
    for (size_t i = 0; parts && i < count; i++) {
        em_summary_destroy(parts[i]);
    }
    free((void *)paths);
    free((void *)parts);
    return result;
}
