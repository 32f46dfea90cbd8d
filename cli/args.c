/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Options, their help and their mistakes. */
#include "args.h"

#include "cmd.h"

#include <math.h>
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

static const args_option *option_at(const args_line *args, size_t index)
{
    return index < args->option_count ? &args->options[index] : &args->shared[index - args->option_count];
}

/* One of the names in "-o, --output" after another; 0: there is none any more. */
static size_t next_name(const char **names, const char **ret_name)
{
    *names += strspn(*names, ", ");
    *ret_name = *names;
    size_t length = strcspn(*names, ",");
    *names += length;
    return length;
}

static int is_named(const args_option *option, const char *word, size_t length)
{
    const char *names = option->name, *name;
    for (size_t size; (size = next_name(&names, &name)) > 0;) {
        if (size == length && strncmp(name, word, length) == 0) {
            return 1;
        }
    }
    return 0;
}

static int unknown(const args_line *args, const char *word)
{
    char near[LONGEST_NAME + 1] = "";
    size_t least = strlen(word) / 3 + 2;
    for (size_t i = 0; i < args->option_count + args->shared_count; i++) {
        const char *names = option_at(args, i)->name, *name;
        for (size_t size; (size = next_name(&names, &name)) > 0;) {
            char alone[LONGEST_NAME + 1];
            snprintf(alone, sizeof alone, "%.*s", (int)size, name);
            size_t this = size > 2 ? distance(word, alone) : LONGEST_NAME;
            if (this < least) {
                least = this;
                memcpy(near, alone, sizeof near);
            }
        }
    }
    if (word[0] != '-') {
        args_say(args->command, "unexpected argument '%s'; see --help", word);
    } else if (near[0]) {
        args_say(args->command, "unknown option '%s'; did you mean %s?", word, near);
    } else {
        args_say(args->command, "unknown option '%s'; see --help", word);
    }
    return ARGS_WRONG;
}

const char *args_word(args_line *args)
{
    const char *word = args->next < args->argc ? args->argv[args->next] : NULL;
    if (word && !args->has_only_words && strcmp(word, "--") == 0) {
        args->has_only_words = 1;
        word = ++args->next < args->argc ? args->argv[args->next] : NULL;
    }
    if (!word || (!args->has_only_words && word[0] == '-' && word[1])) {
        return NULL;
    }
    args->next++;
    return word;
}

int args_next(args_line *args, const char **ret_value)
{
    if (args->next >= args->argc) {
        return ARGS_END;
    }
    const char *word = args->argv[args->next++];
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < args->option_count + args->shared_count; i++) {
        const args_option *option = option_at(args, i);
        if (!is_named(option, word, length)) {
            continue;
        }
        if (!option->value) {
            if (word[length] == '=') {
                args_say(args->command, "%.*s takes no value, and '%s' was given", (int)length, word,
                         word + length + 1);
                return ARGS_WRONG;
            }
        } else if (word[length] == '=') {
            *ret_value = word + length + 1;
        } else if (args->next < args->argc) {
            *ret_value = args->argv[args->next++];
        } else {
            args_say(args->command, "%s needs a value: %s %s", word, word, option->value);
            return ARGS_WRONG;
        }
        return (int)i;
    }
    return unknown(args, word);
}

/* "" for a number alone; the rest behind it; NULL: there is no number. */
static const char *number_of(const char *value, double *ret_number)
{
    char *end = NULL;
    double number = strtod(value, &end);
    if (end == value || strchr(" \t\n\r\f\v", value[0]) || !isfinite(number)) {
        return NULL;
    }
    *ret_number = number;
    return end;
}

int args_number(const char *command, const char *option, const char *value, double low, double high, double *ret_number)
{
    double number = 0;
    const char *rest = number_of(value, &number);
    if (!rest || *rest || !(number >= low && number <= high)) {
        args_say(command, "%s '%s': give a number from %.9g to %.9g", option, value, low, high);
        return EXIT_USAGE;
    }
    *ret_number = number;
    return 0;
}

int args_seconds(const char *command, const char *option, const char *value, double low, double high,
                 double *ret_seconds)
{
    static const struct {
        const char *word;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"min", 60}, {"h", 3600}};
    double number = 0;
    const char *rest = number_of(value, &number);
    for (size_t i = 0; rest && i < sizeof units / sizeof *units; i++) {
        double seconds = number * units[i].seconds;
        if (strcmp(rest, units[i].word) == 0 && seconds >= low && seconds <= high) {
            *ret_seconds = seconds;
            return 0;
        }
    }
    args_say(command, "%s '%s': give seconds from %.9g to %.9g, or a time as 500ms or 2m", option, value, low, high);
    return EXIT_USAGE;
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
    fprintf(page, "usage: %s\n%s\n\n", usage, purpose);
    for (size_t i = 0; i < args->option_count + args->shared_count; i++) {
        const args_option *option = option_at(args, i);
        const char *help = option->help;
        int width =
            fprintf(page, "  %s%s%s", option->name, option->value ? " " : "", option->value ? option->value : "");
        while (i + 1 < args->option_count && !option_at(args, i + 1)->help) {
            width += fprintf(page, ", %s", option_at(args, ++i)->name);
        }
        fprintf(page, "%*s%s\n", width < 24 ? 24 - width : 1, "", help);
    }
    int status = fclose(page) == 0 ? cmd_print(text, length) : EXIT_FAILED;
    free(text);
    return status;
}
