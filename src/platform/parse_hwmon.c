/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the names and labels of hwmon chips and the links to them say. */
#include "platform/parse.h"

#include <errno.h>
#include <string.h>

enum { NUMBER_DIGITS = 4, LABEL_DIGITS = 9 };

static int is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* How many digits stand at text, and what they say; more than most are none at all. */
static size_t read_digits(const char *text, size_t most, int32_t *ret_number)
{
    size_t length = 0;
    int32_t number = 0;
    while (is_digit(text[length])) {
        if (length == most) {
            return 0;
        }
        number = number * 10 + (text[length++] - '0');
    }
    if (length > 0) {
        *ret_number = number;
    }
    return length;
}

int em__parse_hwmon_attribute(const char *name, em__hwmon_attribute *ret_attribute)
{
    static const struct {
        const char *word;
        em__hwmon_type type;
    } types[] = {
        {"power", EM__HWMON_POWER}, {"energy", EM__HWMON_ENERGY}, {"in", EM__HWMON_IN}, {"curr", EM__HWMON_CURR}};
    static const struct {
        const char *word;
        em__hwmon_file file;
    } files[] = {{"_input", EM__HWMON_INPUT},      {"_average", EM__HWMON_AVERAGE}, {"_label", EM__HWMON_LABEL},
                 {"_enable", EM__HWMON_ENABLE},    {"_cap", EM__HWMON_CAP},         {"_max", EM__HWMON_MAX},
                 {"_oem_info", EM__HWMON_OEM_INFO}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t length = strlen(types[i].word);
        int32_t number;
        if (strncmp(name, types[i].word, length) != 0) {
            continue;
        }
        size_t digits = read_digits(name + length, NUMBER_DIGITS, &number);
        if (digits == 0) {
            continue;
        }
        for (size_t j = 0; j < sizeof files / sizeof *files; j++) {
            if (strcmp(name + length + digits, files[j].word) == 0) {
                *ret_attribute = (em__hwmon_attribute){types[i].type, number, files[j].file};
                return 0;
            }
        }
    }
    return -EINVAL;
}

static int is_hexadecimal(char byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f');
}

const char *em__parse_pci(const char *text, size_t length)
{
    /* From the end: function, dot, device, colon, bus, colon, and a domain of four digits or more. */
    static const char shape[] = "x.xx:xx:xxxx";
    size_t at = length, i = 0;
    for (; shape[i] && at > 0; i++, at--) {
        char byte = text[at - 1];
        if (shape[i] == 'x' ? !is_hexadecimal(byte) : byte != shape[i]) {
            return NULL;
        }
    }
    while (at > 0 && is_hexadecimal(text[at - 1])) {
        at--;
    }
    return shape[i] || (at > 0 && text[at - 1] != '/') || length - at > 15 ? NULL : text + at;
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

int em__parse_label(const char *label, const char *pattern, int32_t *ret_number)
{
    int32_t number = -1;
    for (; *pattern; pattern++) {
        if (*pattern == '*') {
            break;
        }
        if (*pattern == '#') {
            size_t digits = read_digits(label, LABEL_DIGITS, &number);
            if (digits == 0) {
                return -EINVAL;
            }
            label += digits;
        } else if (lower(*label) != lower(*pattern)) {
            return -EINVAL;
        } else {
            label++;
        }
    }
    if (*label && !*pattern) {
        return -EINVAL;
    }
    *ret_number = number;
    return 0;
}
