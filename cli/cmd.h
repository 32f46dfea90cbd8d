/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The commands, each in a file of its own. One returns the exit status; argv[0] is its own name. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "energy_meter.h"

#include <stddef.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

int cmd_run(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_sensors(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_setup(int argc, char **argv);

/* Rows of a table of options, for commands that look at a machine. */
#define CMD_ROOT {"--root", "DIR|FILE.json", "look at a tree like /, or at a recorded machine"}
#define CMD_AS_USER {"--as-user", NULL, "with --root: as an ordinary user could read it"}
#define CMD_FILE {"--file", "PATH,unit=W", "what another meter writes; again for more"}
#define CMD_REPLAY {"--replay", "FILE", "a trace in the place of this machine"}

/* The defaults of a meter for this shell; root.c. */
void cmd_options(em_options *ret_options);
/* --root DIR|FILE.json was given: this shell's variables are not that machine's. */
void cmd_root(em_options *options, const char *root);
/* 0, or EXIT_USAGE after saying what is wrong with --root and --as-user. */
int cmd_check_root(const char *command, const em_options *options);
/* --file PATH,unit=W…: one more; sources.c. --replay FILE: opens it. 0, or an exit status after saying what is wrong. */
int cmd_file(const char *command, em_options *options, const char *text);
int cmd_replay(const char *command, em_options *options, const char *path);
/* What these two hold; the meter keeps nothing of it. */
void cmd_free_options(em_options *options);
/* Says in one line why a call of the library failed. EXIT_FAILED. */
int cmd_say_error(const char *command, int status, const em_error *error);
/* Prints what em_meter_format gives and destroys the meter. 0, or EXIT_FAILED after saying why. */
int cmd_show(const char *command, em_meter *meter, int32_t what, int32_t format);

/* Writes all of it to stdout. 0, or EXIT_FAILED after saying why. */
int cmd_print(const char *text, size_t length);

#endif
