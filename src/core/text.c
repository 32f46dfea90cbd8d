/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The growing text, and copies that never overrun or cut a character. */
#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for more bytes and a NUL behind them. */
static char *reserve(em__text *text, size_t more)
{
    if (text->failed) {
        return NULL;
    }
    if (more >= SIZE_MAX / 2 - text->length) {
        text->failed = 1;
        return NULL;
    }
    size_t needed = text->length + more + 1;
    if (needed > text->capacity) {
        size_t capacity = text->capacity < 128 ? 256 : text->capacity * 2;
        if (capacity < needed) {
            capacity = needed;
        }
        char *data = realloc(text->data, capacity);
        if (!data) {
            text->failed = 1;
            return NULL;
        }
        text->data = data;
        text->capacity = capacity;
    }
    return text->data + text->length;
}

void em__text_bytes(em__text *text, const char *bytes, size_t length)
{
    char *end = length > 0 ? reserve(text, length) : NULL;
    if (end) {
        memcpy(end, bytes, length);
        text->length += length;
    }
}

void em__text_add(em__text *text, const char *part)
{
    em__text_bytes(text, part, strlen(part));
}

void em__text_format(em__text *text, const char *format, ...)
{
    char small[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text->failed = 1;
    } else if ((size_t)length < sizeof small) {
        em__text_bytes(text, small, (size_t)length);
    } else {
        char *end = reserve(text, (size_t)length);
        if (end) {
            va_start(arguments, format);
            vsnprintf(end, (size_t)length + 1, format, arguments);
            va_end(arguments);
            text->length += (size_t)length;
        }
    }
}

/* Whatever the caller's locale puts between the digits becomes a point. */
static void set_point(char *number)
{
    char *point = number + strspn(number, "-+0123456789e");
    if (*point) {
        char *rest = point + strcspn(point, "0123456789");
        *point = '.';
        memmove(point + 1, rest, strlen(rest) + 1);
    }
}

void em__text_number(em__text *text, double value)
{
    if (!isfinite(value)) {
        em__text_add(text, "null");
        return;
    }
    /* Fifteen digits always survive a double, but not a subnormal one, which holds fewer. */
    for (int digits = fabs(value) < 2.3e-308 ? 1 : 15; digits <= 17; digits++) {
        char number[48];
        snprintf(number, sizeof number, "%.*g", digits, value);
        if (digits == 17 || strtod(number, NULL) == value) {
            set_point(number);
            em__text_add(text, number);
            return;
        }
    }
}

void em__fixed(double value, int digits, char ret_text[EM__FIXED_SIZE])
{
    if (!isfinite(value)) {
        memcpy(ret_text, "null", sizeof "null");
        return;
    }
    snprintf(ret_text, EM__FIXED_SIZE, "%.*f", digits < 0 ? 0 : digits > 30 ? 30 : digits, value);
    set_point(ret_text);
}

void em__text_fixed(em__text *text, double value, int digits)
{
    char number[EM__FIXED_SIZE];
    em__fixed(value, digits, number);
    em__text_add(text, number);
}

size_t em__utf8_length(const char *bytes, size_t left, size_t *ret_bad)
{
    const unsigned char *at = (const unsigned char *)bytes;
    unsigned char low = 0x80, high = 0xBF; /* what the second byte may be */
    size_t length = 0, good = 1;
    if (at[0] < 0x80) {
        return 1;
    } else if (at[0] >= 0xC2 && at[0] <= 0xDF) {
        length = 2;
    } else if (at[0] >= 0xE0 && at[0] <= 0xEF) {
        length = 3;
        low = at[0] == 0xE0 ? 0xA0 : 0x80;
        high = at[0] == 0xED ? 0x9F : 0xBF;
    } else if (at[0] >= 0xF0 && at[0] <= 0xF4) {
        length = 4;
        low = at[0] == 0xF0 ? 0x90 : 0x80;
        high = at[0] == 0xF4 ? 0x8F : 0xBF;
    }
    while (good < length && good < left && at[good] >= low && at[good] <= high) {
        good++;
        low = 0x80;
        high = 0xBF;
    }
    if (good == length) {
        return length;
    }
    if (ret_bad) {
        *ret_bad = good;
    }
    return 0;
}

static void add_escaped(em__text *text, unsigned char byte)
{
    static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (size_t i = 0; shorts[i]; i += 2) {
        if (shorts[i] == (char)byte) {
            em__text_bytes(text, (char[]){'\\', shorts[i + 1]}, 2);
            return;
        }
    }
    em__text_format(text, "\\u%04x", (unsigned)byte);
}

void em__text_json(em__text *text, const char *string)
{
    if (!string) {
        em__text_add(text, "null");
        return;
    }
    size_t left = strlen(string), plain = 0;
    em__text_add(text, "\"");
    while (plain < left) {
        unsigned char byte = (unsigned char)string[plain];
        size_t bad = 1;
        int is_special = byte < 0x20 || byte == '"' || byte == '\\';
        size_t length = is_special ? 0 : em__utf8_length(string + plain, left - plain, &bad);
        if (length > 0) {
            plain += length;
            continue;
        }
        em__text_bytes(text, string, plain);
        if (is_special) {
            add_escaped(text, byte);
        } else {
            em__text_add(text, "\xEF\xBF\xBD");
        }
        string += plain + bad;
        left -= plain + bad;
        plain = 0;
    }
    em__text_bytes(text, string, plain);
    em__text_add(text, "\"");
}

char *em__text_finish(em__text *text, size_t *ret_length)
{
    char *end = reserve(text, 0);
    if (!end) {
        em__text_free(text);
        return NULL;
    }
    *end = '\0';
    char *data = text->data;
    if (ret_length) {
        *ret_length = text->length;
    }
    memset(text, 0, sizeof *text);
    return data;
}

void em__text_free(em__text *text)
{
    free(text->data);
    memset(text, 0, sizeof *text);
}

/* Steps back over a sequence that was cut in its middle, so that what is left ends with a whole character. */
static void end_whole(char *destination, size_t length)
{
    size_t back = 0;
    while (back < 3 && back < length && ((unsigned char)destination[length - 1 - back] & 0xC0) == 0x80) {
        back++;
    }
    if (back < length) {
        unsigned char lead = (unsigned char)destination[length - 1 - back];
        size_t whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
        if (whole > back + 1) {
            length -= back + 1;
        }
    }
    destination[length] = '\0';
}

void em__copy(char *destination, size_t size, const char *source)
{
    if (size == 0) {
        return;
    }
    size_t length = strnlen(source, size);
    if (length < size) {
        memmove(destination, source, length + 1);
    } else {
        memmove(destination, source, size - 1);
        end_whole(destination, size - 1);
    }
}

void em__print(char *destination, size_t size, const char *format, ...)
{
    if (size == 0) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(destination, size, format, arguments);
    va_end(arguments);
    if (length < 0) {
        destination[0] = '\0';
    } else if ((size_t)length >= size) {
        end_whole(destination, size - 1);
    }
}
