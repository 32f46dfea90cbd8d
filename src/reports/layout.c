/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Words, JSON members, columns and quantities. */
#include "reports/layout.h"

#include "core/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORD(words, value)                                                                                             \
    ((value) >= 0 && (size_t)(value) < sizeof(words) / sizeof *(words) ? (words)[value] : "unknown")

const char *em__reports_domain(int32_t domain)
{
    static const char *const words[] = {"cpu", "gpu", "dram", "platform", "other"};
    return WORD(words, domain);
}

const char *em__reports_kind(int32_t kind)
{
    static const char *const words[] = {"counter", "gauge", "model"};
    return WORD(words, kind);
}

const char *em__reports_role(int32_t role)
{
    static const char *const words[] = {"counted", "part", "platform", "mirror", "unreadable"};
    return WORD(words, role);
}

const char *em__reports_provenance(int32_t provenance)
{
    static const char *const words[] = {"measured", "integrated", "estimated"};
    return WORD(words, provenance);
}

const char *em__reports_resolution(int32_t resolution)
{
    static const char *const words[] = {"fine", "coarse", "below"};
    return WORD(words, resolution);
}

/* ------------------------------------------------------------------------------------------------------------- JSON */

static char last_of(const em__text *text)
{
    return text->length > 0 ? text->data[text->length - 1] : '\0';
}

void em__reports_comma(em__text *json)
{
    if (!strchr("{[", last_of(json))) {
        em__text_add(json, ",");
    }
}

void em__reports_key(em__text *json, const char *key)
{
    em__reports_comma(json);
    em__text_json(json, key);
    em__text_add(json, ":");
}

void em__reports_real(em__text *json, double value)
{
    size_t begin = json->length;
    em__text_number(json, value);
    if (json->failed || !isfinite(value)) {
        return;
    }
    for (size_t i = begin; i < json->length; i++) {
        if (strchr(".e", json->data[i])) {
            return;
        }
    }
    em__text_add(json, ".0");
}

void em__reports_named_real(em__text *json, const char *key, double value)
{
    em__reports_key(json, key);
    em__reports_real(json, value);
}

void em__reports_named_text(em__text *json, const char *key, const char *value)
{
    em__reports_key(json, key);
    em__text_json(json, value);
}

void em__reports_open(em__text *json, const char *key, const char *bracket)
{
    em__reports_key(json, key);
    em__text_add(json, bracket);
}

void em__reports_seconds(em__text *json, uint64_t ns)
{
    char fraction[16];
    em__print(fraction, sizeof fraction, "%09u", (unsigned)(ns % EM__NS_PER_S));
    size_t digits = 9;
    while (digits > 1 && fraction[digits - 1] == '0') {
        digits--;
    }
    em__text_format(json, "%llu.%.*s", (unsigned long long)(ns / EM__NS_PER_S), (int)digits, fraction);
}

/* Days since 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March, so that the leap day
 * is the last one (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
void em__reports_time(em__text *text, uint64_t wall_ns)
{
    uint64_t seconds = wall_ns / EM__NS_PER_S, days = seconds / 86400 + 719468, rest = seconds % 86400;
    uint64_t era = days / 146097, day_of_era = days % 146097;
    uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t shifted_month = (5 * day_of_year + 2) / 153;
    uint64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    uint64_t year = year_of_era + era * 400 + (month <= 2);
    em__text_format(text, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", (unsigned)year, (unsigned)month, (unsigned)day,
                    (unsigned)(rest / 3600), (unsigned)(rest / 60 % 60), (unsigned)(rest % 60),
                    (unsigned)(wall_ns % EM__NS_PER_S / 1000));
}

/* ---------------------------------------------------------------------------------------------------------- columns */

size_t em__reports_width(const char *string)
{
    size_t width = 0;
    for (; *string; string++) {
        width += ((unsigned char)*string & 0xC0) != 0x80;
    }
    return width;
}

static void add_plain_bytes(em__text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t bad = 1, good = em__utf8_length(bytes + i, length - i, &bad);
        unsigned char byte = (unsigned char)bytes[i];
        int is_control =
            byte < 0x20 || byte == 0x7F || (byte == 0xC2 && good == 2 && (unsigned char)bytes[i + 1] < 0xA0);
        if (good == 0 || is_control) {
            em__text_add(text, "?");
        } else {
            em__text_bytes(text, bytes + i, good);
        }
        i += good > 0 ? good : bad;
    }
}

void em__reports_plain(em__text *text, const char *string)
{
    add_plain_bytes(text, string, strlen(string));
}

static void add_spaces(em__text *text, size_t count)
{
    while (count-- > 0) {
        em__text_add(text, " ");
    }
}

void em__reports_cell(em__text *text, const char *string, size_t width)
{
    size_t used = em__reports_width(string);
    add_plain_bytes(text, string, strlen(string));
    add_spaces(text, (used < width ? width - used : 0) + 2);
}

void em__reports_right(em__text *text, const char *string, size_t width)
{
    size_t used = em__reports_width(string);
    add_spaces(text, (used < width ? width - used : 0) + 2);
    add_plain_bytes(text, string, strlen(string));
}

static size_t width_of(const char *bytes, size_t length)
{
    size_t width = 0;
    for (size_t i = 0; i < length; i++) {
        width += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    }
    return width;
}

static void break_line(em__text *text, size_t indent)
{
    while (last_of(text) == ' ') {
        text->length--;
    }
    em__text_add(text, "\n");
    add_spaces(text, indent);
}

size_t em__reports_name(em__text *text, const char *name, size_t indent, size_t width)
{
    add_spaces(text, indent);
    if (em__reports_width(name) > width) {
        add_plain_bytes(text, name, strlen(name));
        break_line(text, indent + width + 2);
    } else {
        em__reports_cell(text, name, width);
    }
    return indent + width + 2;
}

void em__reports_wrap(em__text *text, const char *string, size_t column, size_t indent)
{
    size_t at = column;
    int is_first = 1;
    while (*string) {
        size_t length = strcspn(string, " \n"), width = width_of(string, length);
        if (length > 0) {
            size_t space = is_first ? 0 : 1;
            if (at + space + width > EM__LINE && at > indent) {
                break_line(text, indent);
                at = indent;
                space = 0;
            }
            add_spaces(text, space);
            add_plain_bytes(text, string, length);
            at += space + width;
            is_first = 0;
        }
        string += length;
        if (*string == '\n' && string[1]) {
            break_line(text, indent);
            at = indent;
            is_first = 1;
        }
        string += *string != '\0';
    }
    break_line(text, 0);
}

/* ------------------------------------------------------------------------------------------------------- quantities */

void em__reports_significant(em__text *text, double value)
{
    int digits = 2;
    for (double size = fabs(value); size > 0 && size < 0.9995 && digits < 30; size *= 10) {
        digits++;
    }
    double limit = 9.995;
    for (; digits <= 2 && digits > 0 && fabs(value) >= limit; limit *= 10) {
        digits--;
    }
    em__text_fixed(text, value, digits);
}

typedef struct {
    double size;
    const char *name;
} unit;

const char *em__reports_quantity(em__quantity quantity, double value, char buffer[EM__QUANTITY_SIZE])
{
    static const unit units[][5] = {
        [EM__QUANTITY_ENERGY] =
            {{1e-3, "mJ"}, {1, "J"}, {1e3, "kJ"}, {EM__J_PER_KWH / 1e3, "Wh"}, {EM__J_PER_KWH, "kWh"}},
        [EM__QUANTITY_POWER] = {{1e-3, "mW"}, {1, "W"}, {1e3, "kW"}, {1e6, "MW"}, {1e9, "GW"}},
        [EM__QUANTITY_TIME] = {{1e-6, "us"}, {1e-3, "ms"}, {1, "s"}, {60, "min"}, {3600, "h"}},
        [EM__QUANTITY_MASS] = {{1e-6, "ug"}, {1e-3, "mg"}, {1, "g"}, {1e3, "kg"}, {1e6, "t"}},
    };
    /* The first value for which the next unit is used: 1 MJ is 278 Wh, and 20 min read better than 1,200 s. */
    static const double limits[][4] = {
        [EM__QUANTITY_ENERGY] = {1, 1e3, 1e6, EM__J_PER_KWH},
        [EM__QUANTITY_POWER] = {1, 1e3, 1e6, 1e9},
        [EM__QUANTITY_TIME] = {1e-3, 1, 600, 7200},
        [EM__QUANTITY_MASS] = {1e-3, 1, 1e3, 1e6},
    };
    if (!isfinite(value)) {
        em__copy(buffer, EM__QUANTITY_SIZE, "-");
        return buffer;
    }
    const int is_nothing = fabs(value) < units[quantity][0].size * 5e-3;
    const double rounded = fabs(value) * (1 + 5.003e-4);
    size_t i = 0;
    while (i < 4 && rounded >= limits[quantity][i]) {
        i++;
    }
    const unit *chosen = &units[quantity][is_nothing ? 1 + (quantity >= EM__QUANTITY_TIME) : i];
    const double shown = is_nothing ? 0 : value / chosen->size, size = fabs(shown);
    em__text number = {0};
    em__text_fixed(&number, shown, size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : 2);
    char *digits = em__text_finish(&number, NULL);
    em__print(buffer, EM__QUANTITY_SIZE, "%s %s", digits ? digits : "?", chosen->name);
    free(digits);
    return buffer;
}

int em_quantity_format(int32_t quantity, double value, char *ret_text, size_t size)
{
    char buffer[EM__QUANTITY_SIZE];
    if (quantity < EM__QUANTITY_ENERGY || quantity > EM__QUANTITY_MASS || !ret_text || size == 0) {
        return EM_ERR_INVALID;
    }
    em__copy(ret_text, size, em__reports_quantity((em__quantity)quantity, value, buffer));
    return EM_OK;
}
