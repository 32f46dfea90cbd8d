/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Parsers of what the kernel says of its performance monitoring units (PMUs). */
#include "platform/parse.h"

#include <errno.h>
#include <string.h>

static int is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static size_t length_without_space(const char *text, size_t length)
{
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\n')) {
        length--;
    }
    return length;
}

int em__parse_event(const char *text, size_t length, uint64_t *ret_config)
{
    static const char key[] = "event=";
    size_t begin = sizeof key - 1;
    length = length_without_space(text, length);
    if (length <= begin || memcmp(text, key, begin) != 0 || !is_digit(text[begin])) {
        return -EINVAL;
    }
    if (length < begin + 2 || text[begin] != '0' || (text[begin + 1] | 0x20) != 'x') {
        return em__parse_u64(text + begin, length - begin, ret_config);
    }
    uint64_t config = 0;
    if (length == begin + 2) {
        return -EINVAL;
    }
    for (size_t i = begin + 2; i < length; i++) {
        char lower = (char)(text[i] | 0x20);
        int is_letter = lower >= 'a' && lower <= 'f';
        if (!is_digit(text[i]) && !is_letter) {
            return -EINVAL;
        }
        if (config > UINT64_MAX >> 4) {
            return -ERANGE;
        }
        config = config << 4 | (uint64_t)(is_letter ? lower - 'a' + 10 : text[i] - '0');
    }
    *ret_config = config;
    return 0;
}

static int parse_cpu(const char *text, size_t length, uint64_t *ret_cpu)
{
    if (length == 0 || !is_digit(text[0]) || !is_digit(text[length - 1])) {
        return -EINVAL;
    }
    int error = em__parse_u64(text, length, ret_cpu);
    return error == 0 && *ret_cpu > INT32_MAX ? -ERANGE : error;
}

/* Counts the CPUs of a list, and notes them where cpus is not NULL. */
static int walk_cpus(const char *text, size_t length, uint32_t cpus[], size_t capacity, size_t *ret_count)
{
    size_t count = 0;
    for (size_t at = 0; at <= length;) {
        const char *comma = memchr(text + at, ',', length - at);
        size_t end = comma ? (size_t)(comma - text) : length;
        const char *dash = memchr(text + at, '-', end - at);
        uint64_t first, last;
        int error = parse_cpu(text + at, (dash ? (size_t)(dash - text) : end) - at, &first);
        last = first;
        if (error == 0 && dash) {
            error = parse_cpu(dash + 1, (size_t)(text + end - dash - 1), &last);
        }
        if (error < 0 || last < first) {
            return error < 0 ? error : -EINVAL;
        }
        if (last - first >= capacity - count) {
            return -ERANGE;
        }
        for (uint64_t cpu = first; cpu <= last; cpu++, count++) {
            if (cpus) {
                cpus[count] = (uint32_t)cpu;
            }
        }
        at = end + 1;
    }
    *ret_count = count;
    return 0;
}

int em__parse_cpu_list(const char *text, size_t length, uint32_t cpus[], size_t capacity, size_t *ret_count)
{
    size_t count;
    length = length_without_space(text, length);
    int error = length == 0 ? -EINVAL : walk_cpus(text, length, NULL, capacity, &count);
    return error < 0 ? error : walk_cpus(text, length, cpus, capacity, ret_count);
}
