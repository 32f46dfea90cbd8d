/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Where results go. It is opened before anything is measured, and what it does not take goes to stderr instead. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stddef.h>

typedef struct {
    const char *command, *path; /* path NULL: no file */
    int descriptor;
    int is_new; /* the file was not there before */
} output;

/* path NULL: to otherwise, STDOUT_FILENO or STDERR_FILENO; "-": to stdout. A file that is there keeps what it holds
 * until something is written. 0, or EXIT_FAILED after saying why not. */
int output_open(output *ret_output, const char *command, const char *path, int otherwise);
/* Instead of what it held. 0, or EXIT_FAILED after saying why not, with the text on stderr. */
int output_write(output *to, const char *text, size_t length);
/* A file that output_open made and nobody wrote to goes away. */
void output_close(output *to);

/* A new file for a trace, or one that is no regular file, as a pipe. -1 after saying why not. */
int output_create_trace(const char *command, const char *option, const char *path);
void output_discard_trace(const char *path, int descriptor); /* nothing was measured */

#endif
