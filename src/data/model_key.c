/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Names of models as keys. tools/tables.py has the same rules; a test runs all names of the tables through both. */
#include "data/power.h"

#include <string.h>

enum { LONGEST_NAME = 256 };

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of a sign that says nothing: (R), (TM), ®, ™, zero-width spaces. *ret_is_space: a no-break space. */
static size_t sign_at(const char *at, int *ret_is_space)
{
    static const char *const signs[] = {"(r)",          "(tm)",         "\xc2\xae",     "\xe2\x84\xa2", "\xe2\x80\x8b",
                                        "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x81\xa0", "\xef\xbb\xbf"};
    *ret_is_space = strncmp(at, "\xc2\xa0", 2) == 0;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t length = strlen(signs[i]);
        if (strncmp(at, signs[i], length) == 0) {
            return length;
        }
    }
    return *ret_is_space ? 2 : 0;
}

/* In lower case, without signs and what stands in brackets, up to the clock ("@ 2.60GHz"). */
static int simplify(const char *name, char plain[LONGEST_NAME])
{
    char small[LONGEST_NAME];
    size_t length = strnlen(name, LONGEST_NAME), count = 0;
    if (length >= LONGEST_NAME) {
        return -1;
    }
    for (size_t i = 0; i <= length; i++) {
        small[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + ('a' - 'A')) : name[i];
    }
    for (const char *at = small; *at && *at != '@';) {
        int is_space;
        size_t sign = sign_at(at, &is_space);
        const char *close = *at == '(' ? strchr(at, ')') : NULL;
        if (sign > 0) {
            at += sign;
        } else if (close) {
            at = close + 1;
            is_space = 1;
        } else {
            plain[count++] = *at == '\t' || *at == '\n' ? ' ' : *at;
            at++;
        }
        if (is_space) {
            plain[count++] = ' ';
        }
    }
    plain[count] = '\0';
    return 0;
}

static int is_word(const char *word, size_t length, const char *const *words)
{
    for (; *words; words++) {
        if (strlen(*words) == length && memcmp(word, *words, length) == 0) {
            return 1;
        }
    }
    return 0;
}

static int ends_with(const char *word, size_t length, const char *end)
{
    size_t tail = strlen(end);
    return length >= tail && memcmp(word + length - tail, end, tail) == 0;
}

/* "12th" */
static int is_ordinal(const char *word, size_t length)
{
    return length > 2 && ends_with(word, length, "th") && strspn(word, "0123456789") == length - 2;
}

static int add(char key[EM__MODEL_KEY_SIZE], const char *word, size_t length)
{
    size_t used = strlen(key), space = used > 0;
    if (used + space + length >= EM__MODEL_KEY_SIZE) {
        return -1;
    }
    if (space) {
        key[used] = ' ';
    }
    memcpy(key + used + space, word, length);
    key[used + space + length] = '\0';
    return 0;
}

static const char *next_word(const char *at, size_t *ret_length)
{
    at += strspn(at, " ");
    *ret_length = strcspn(at, " ");
    return at;
}

int em__model_key_of_cpu(const char *name, char key[EM__MODEL_KEY_SIZE])
{
    static const char *const words[] = {"cpu", "processor", "apu", "soc", "mobile", NULL};
    static const char *const graphics[] = {" with radeon", " w/ radeon", " radeon r"};
    char plain[LONGEST_NAME], made[EM__MODEL_KEY_SIZE] = "";
    if (simplify(name, plain) < 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof graphics / sizeof *graphics; i++) {
        char *cut = strstr(plain, graphics[i]);
        if (cut && (i < 2 || is_digit(cut[strlen(graphics[i])]))) {
            *cut = '\0';
        }
    }
    size_t length, after;
    int failed = 0;
    for (const char *word = next_word(plain, &length); length > 0; word = next_word(word + length, &length)) {
        const char *next = next_word(word + length, &after);
        if (is_ordinal(word, length) && after == 3 && memcmp(next, "gen", 3) == 0) {
            word = next;
            length = after;
        } else if (length == 5 && memcmp(word, "core2", 5) == 0) {
            failed |= add(made, "core 2", 6);
        } else if (!is_word(word, length, words) && !ends_with(word, length, "-core") &&
                   !ends_with(word, length, "-cores")) {
            failed |= add(made, word, length);
        }
    }
    if (failed || !made[0]) {
        return -1;
    }
    memcpy(key, made, sizeof made);
    return 0;
}

int em__model_key_of_gpu(const char *name, char key[EM__MODEL_KEY_SIZE])
{
    static const char *const makers[] = {"nvidia", "amd", "intel", NULL};
    char plain[LONGEST_NAME], made[EM__MODEL_KEY_SIZE] = "";
    if (simplify(name, plain) < 0) {
        return -1;
    }
    for (char *at = plain; *at; at++) {
        *at = *at == '-' ? ' ' : *at;
    }
    size_t length;
    int failed = 0;
    for (const char *word = next_word(plain, &length); length > 0; word = next_word(word + length, &length)) {
        failed |= is_word(word, length, makers) ? 0 : add(made, word, length);
    }
    if (failed || !made[0]) {
        return -1;
    }
    memcpy(key, made, sizeof made);
    return 0;
}
