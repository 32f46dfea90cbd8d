/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Parsers of what the kernel says of its performance monitoring units (PMUs). */
#include "platform/parse.h"

#include "core/units.h"

#include <errno.h>
#include <string.h>

/* The digits of a scale beyond these say nothing, and 10 to the power of the second still fits into 128 bits. */
enum { MOST_DIGITS = 30, MOST_POWER = 38, FEWEST_DIGITS = 12, MOST_EXPONENT = 1000 };

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

/* text = digits × 10^power, the first MOST_DIGITS of them. */
static int read_decimal(const char *text, size_t length, em__u128 *ret_digits, int *ret_power)
{
    em__u128 digits = 0;
    int power = 0, count = 0, has_digit = 0, has_point = 0;
    size_t at = 0;
    for (; at < length && (is_digit(text[at]) || (text[at] == '.' && !has_point)); at++) {
        if (text[at] == '.') {
            has_point = 1;
            continue;
        }
        has_digit = 1;
        if (count == MOST_DIGITS) {
            power += !has_point;
        } else {
            digits *= 10;
            digits += (unsigned)(text[at] - '0');
            count += digits > 0;
            power -= has_point;
        }
        if (power > MOST_EXPONENT || power < -MOST_EXPONENT) {
            return -ERANGE;
        }
    }
    if (!has_digit) {
        return -EINVAL;
    }
    if (at < length) {
        uint64_t exponent = 0;
        int is_negative = at + 1 < length && text[at + 1] == '-';
        size_t begin = at + 1 + (is_negative || (at + 1 < length && text[at + 1] == '+'));
        if ((text[at] | 0x20) != 'e' || begin >= length || !is_digit(text[begin]) || !is_digit(text[length - 1])) {
            return -EINVAL;
        }
        int error = em__parse_u64(text + begin, length - begin, &exponent);
        if (error < 0 || exponent > MOST_EXPONENT) {
            return error < 0 ? error : -ERANGE;
        }
        power += is_negative ? -(int)exponent : (int)exponent;
    }
    *ret_digits = digits;
    *ret_power = power;
    return 0;
}

static em__u128 ten_to(int power)
{
    em__u128 value = 1;
    while (power-- > 0) {
        value *= 10;
    }
    return value;
}

/* digits × 10^power as a fraction in lowest terms. 0: its parts do not fit. */
static int make_fraction(em__u128 digits, int power, uint64_t *ret_num, uint64_t *ret_den)
{
    if (power < -MOST_POWER || power > MOST_POWER) {
        return 0;
    }
    em__u128 num = digits, den = ten_to(power < 0 ? -power : 0);
    for (; power > 0; power--) {
        if (num > UINT64_MAX) {
            return 0;
        }
        num *= 10;
    }
    em__u128 a = num, b = den;
    while (b != 0) {
        em__u128 rest = a % b;
        a = b;
        b = rest;
    }
    if (num / a > UINT64_MAX || den / a > UINT64_MAX) {
        return 0;
    }
    *ret_num = (uint64_t)(num / a);
    *ret_den = (uint64_t)(den / a);
    return 1;
}

int em__parse_scale(const char *text, size_t length, int shift, uint64_t *ret_num, uint64_t *ret_den)
{
    em__u128 digits;
    int power;
    int error = read_decimal(text, length_without_space(text, length), &digits, &power);
    if (error < 0 || digits == 0) {
        return error < 0 ? error : -ERANGE;
    }
    power += shift;
    while (digits % 10 == 0) {
        digits /= 10;
        power++;
    }
    for (em__u128 fewest = ten_to(FEWEST_DIGITS); !make_fraction(digits, power, ret_num, ret_den); power++) {
        if (digits / 10 < fewest) {
            return -ERANGE;
        }
        digits = (digits + 5) / 10;
    }
    return 0;
}
