/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The commands, each in a file of its own. One returns the exit status; argv[0] is its own name. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include <stddef.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

int cmd_merge(int argc, char **argv);
int cmd_sensors(int argc, char **argv);

/* Writes all of it to stdout. 0, or EXIT_FAILED after saying why. */
int cmd_print(const char *text, size_t length);

#endif
