/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Long options from a table: what is wrong with them is said in one line on stderr, with the nearest right name. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stddef.h>

typedef struct {
    const char *name;  /* "--root", or "-o, --output" */
    const char *value; /* what follows it, as its help calls it; NULL: nothing */
    const char *help;  /* NULL: this is shown beside the one before it, whose help is of both */
} args_option;

typedef struct {
    const char *command; /* for messages; "" outside of any */
    int argc;
    char **argv;
    int next;
    const args_option *options;
    size_t option_count;
    const args_option *shared; /* with other commands; their indices follow */
    size_t shared_count;
    int has_only_words; /* "--" was met */
} args_line;

enum { ARGS_END = -1, ARGS_WRONG = -2 };

/* Index of the next option, with its value; ARGS_END; ARGS_WRONG: was told, the caller ends with EXIT_USAGE. */
int args_next(args_line *args, const char **ret_value);
/* The next word that is no option, as a file's name or "-"; NULL: it is an option, or the end. */
const char *args_word(args_line *args);

/* 0, or EXIT_USAGE after saying what is wrong: it must be a number, a unit of time after it aside. */
int args_number(const char *command, const char *option, const char *value, double low, double high,
                double *ret_number);
int args_seconds(const char *command, const char *option, const char *value, double low, double high,
                 double *ret_seconds);

/* The usage line, what the command does, and the options, to stdout. 0 or EXIT_FAILED. */
int args_help(const args_line *args, const char *usage, const char *purpose);

/* One line on stderr, led by the program's and the command's name. */
__attribute__((format(printf, 2, 3))) void args_say(const char *command, const char *format, ...);

/* The name nearest to word among count names of stride bytes each, or NULL if none is near. */
const char *args_nearest(const char *word, const void *names, size_t count, size_t stride);

#endif
