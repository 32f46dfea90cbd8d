/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Options, their help and their mistakes. */
#include "args.h"

#include "cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 32 };

void args_say(const char *command, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fprintf(stderr, "energy-meter%s%s: ", *command ? " " : "", command);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
}

/* Letters to insert, drop, replace or swap; more than any limit for what is too long to be a name. */
static size_t distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > LONGEST_NAME || b_length > LONGEST_NAME) {
        return LONGEST_NAME;
    }
    size_t cost[LONGEST_NAME + 1][LONGEST_NAME + 1];
    for (size_t j = 0; j <= b_length; j++) {
        cost[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        cost[i][0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (cost[i - 1][j] + 1 < best) {
                best = cost[i - 1][j] + 1;
            }
            if (cost[i][j - 1] + 1 < best) {
                best = cost[i][j - 1] + 1;
            }
            int is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (is_swap && cost[i - 2][j - 2] + 1 < best) {
                best = cost[i - 2][j - 2] + 1;
            }
            cost[i][j] = best;
        }
    }
    return cost[a_length][b_length];
}

const char *args_nearest(const char *word, const void *names, size_t count, size_t stride)
{
    const char *nearest = NULL;
    size_t least = strlen(word) / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        const char *const *name = (const void *)((const char *)names + i * stride);
        size_t this = distance(word, *name);
        if (this < least) {
            least = this;
            nearest = *name;
        }
    }
    return nearest;
}

static int unknown(const args_line *args, const char *word)
{
    const char *near = args_nearest(word, args->options, args->option_count, sizeof *args->options);
    if (word[0] != '-') {
        args_say(args->command, "unexpected argument '%s'; see --help", word);
    } else if (near) {
        args_say(args->command, "unknown option '%s'; did you mean %s?", word, near);
    } else {
        args_say(args->command, "unknown option '%s'; see --help", word);
    }
    return ARGS_WRONG;
}

int args_next(args_line *args, const char **ret_value)
{
    if (args->next >= args->argc) {
        return ARGS_END;
    }
    const char *word = args->argv[args->next++];
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < args->option_count; i++) {
        const args_option *option = &args->options[i];
        if (strlen(option->name) != length || strncmp(option->name, word, length) != 0) {
            continue;
        }
        if (!option->value) {
            if (word[length] == '=') {
                args_say(args->command, "%s takes no value, and '%s' was given", option->name, word + length + 1);
                return ARGS_WRONG;
            }
        } else if (word[length] == '=') {
            *ret_value = word + length + 1;
        } else if (args->next < args->argc) {
            *ret_value = args->argv[args->next++];
        } else {
            args_say(args->command, "%s needs a value: %s %s", option->name, option->name, option->value);
            return ARGS_WRONG;
        }
        return (int)i;
    }
    return unknown(args, word);
}

int args_help(const args_line *args, const char *usage, const char *purpose)
{
    char *text = NULL;
    size_t length = 0;
    FILE *page = open_memstream(&text, &length);
    if (!page) {
        args_say(args->command, "memory could not be allocated");
        return EXIT_FAILED;
    }
    fprintf(page, "usage: %s\n\n%s\n\n", usage, purpose);
    for (size_t i = 0; i < args->option_count; i++) {
        const args_option *option = &args->options[i];
        int width =
            fprintf(page, "  %s%s%s", option->name, option->value ? " " : "", option->value ? option->value : "");
        fprintf(page, "%*s%s\n", width < 26 ? 26 - width : 1, "", option->help);
    }
    int status = fclose(page) == 0 ? cmd_print(text, length) : EXIT_FAILED;
    free(text);
    return status;
}
