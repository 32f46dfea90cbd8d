/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Files that hold summaries. */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include "energy_meter.h"

#include <stddef.h>

/* All of a file; the caller's (free). NULL after saying why not. */
char *file_read(const char *command, const char *path, size_t *ret_length);
/* What the library found wrong with it. EXIT_FAILED. */
int file_say(const char *command, const char *path, int status, const em_error *error);

/* The summaries that a file holds: one, or those of run --repeat. */
typedef struct {
    em_summary **summaries;
    size_t count;
} file_runs;
/* 0, or EXIT_FAILED after saying why. */
int file_read_runs(const char *command, const char *path, file_runs *ret_runs);
void file_free_runs(file_runs *runs);

#endif
