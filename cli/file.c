/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reads files that hold summaries. */
#include "file.h"

#include "args.h"
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 64 << 20, FIRST_ROOM = 1 << 16, MOST_RUNS = 1000 };

char *file_read(const char *command, const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    size_t length = 0, room = 0;
    char *text = NULL;
    int error = file ? 0 : errno;
    while (!error) {
        if (length == room) {
            room = room ? 2 * room : FIRST_ROOM;
            char *larger = room <= 2 * (size_t)LARGEST ? realloc(text, room) : NULL;
            if (!larger) {
                error = room <= 2 * (size_t)LARGEST ? ENOMEM : EFBIG;
                break;
            }
            text = larger;
        }
        size_t got = fread(text + length, 1, room - length, file);
        length += got;
        if (got == 0) {
            error = ferror(file) ? (errno ? errno : EIO) : 0;
            break;
        }
    }
    if (file) {
        fclose(file);
    }
    if (error) {
        args_say(command, "%s: %s; give a file that energy-meter run --json or json.dump(meter.summary(), file) wrote",
                 path, strerror(error));
        free(text);
        return NULL;
    }
    *ret_length = length;
    return text;
}

int file_say(const char *command, const char *path, int status, const em_error *error)
{
    args_say(command, "%s%s%s%s%s", path ? path : "", path ? ": " : "",
             error->text[0] ? error->text : em_status_text(status), error->remedy[0] ? "; " : "", error->remedy);
    return EXIT_FAILED;
}

int file_read_runs(const char *command, const char *path, file_runs *ret_runs)
{
    em_error error = {.size = sizeof error};
    size_t length = 0;
    char *text = file_read(command, path, &length);
    file_runs runs = {.summaries = calloc(MOST_RUNS, sizeof *runs.summaries)};
    int status = text && runs.summaries ? EM_OK : EM_ERR_NO_MEMORY;
    while (status == EM_OK && runs.count < MOST_RUNS) {
        status = em_summary_parse_run(text, length, runs.count, &error, &runs.summaries[runs.count]);
        runs.count += status == EM_OK;
    }
    int result = 0;
    if (runs.count == 0 || (status != EM_OK && status != EM_ERR_UNKNOWN)) {
        result = text ? file_say(command, path, status, &error) : EXIT_FAILED;
        file_free_runs(&runs);
    } else {
        *ret_runs = runs;
    }
    free(text);
    return result;
}

void file_free_runs(file_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        em_summary_destroy(runs->summaries[i]);
    }
    free((void *)runs->summaries);
    *runs = (file_runs){0};
}
