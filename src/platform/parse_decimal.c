/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Parsers of decimal numbers with a point and an exponent: exact, through no double. */
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

static int is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static size_t length_without_space(const char *text, size_t length)
{
    while (length > 0 && is_space(text[length - 1])) {
        length--;
    }
    return length;
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

/* digits × 10^power, cut to an integer. */
static int make_integer(em__u128 digits, int power, uint64_t *ret_value)
{
    if (digits == 0 || power < -MOST_POWER) {
        *ret_value = 0;
        return 0;
    }
    for (; power > 0 && digits <= UINT64_MAX; power--) {
        digits *= 10;
    }
    digits /= ten_to(power < 0 ? -power : 0);
    if (power > 0 || digits > UINT64_MAX) {
        return -ERANGE;
    }
    *ret_value = (uint64_t)digits;
    return 0;
}

int em__parse_quantity(const char *text, size_t length, const char *unit, int shift, uint64_t *ret_value,
                       uint64_t *ret_step)
{
    em__u128 digits;
    int power;
    uint64_t value, step;
    size_t unit_length = strlen(unit);
    length = length_without_space(text, length);
    if (length > unit_length && memcmp(text + length - unit_length, unit, unit_length) == 0) {
        length = length_without_space(text, length - unit_length);
    }
    while (length > 0 && is_space(*text)) {
        text++;
        length--;
    }
    int is_negative = length > 0 && *text == '-';
    if (is_negative || (length > 0 && *text == '+')) {
        text++;
        length--;
    }
    int error = read_decimal(text, length, &digits, &power);
    if (error < 0) {
        return error;
    }
    error = is_negative && digits > 0 ? -ERANGE : make_integer(digits, power + shift, &value);
    if (error < 0) {
        return error;
    }
    if (power + shift < 0 || make_integer(1, power + shift, &step) < 0) {
        step = 1;
    }
    *ret_value = value;
    *ret_step = step;
    return 0;
}
