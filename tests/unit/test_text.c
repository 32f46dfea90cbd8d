/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The growing text and the cutting copies, against published examples and the C library's own reading of numbers. */
#include "check.h"
#include "core/text.h"

#include <stdint.h>
#include <stdlib.h>

static char *number(double value)
{
    em__text text = {0};
    em__text_number(&text, value);
    return em__text_finish(&text, NULL);
}

static void check_number_text(double value, const char *expected)
{
    char *text = number(value);
    CHECK_TEXT(text, expected);
    free(text);
}

static void numbers_are_short(void)
{
    check_number_text(0, "0");
    check_number_text(-0.0, "-0");
    check_number_text(0.1, "0.1");
    check_number_text(0.1 + 0.2, "0.30000000000000004");
    check_number_text(-2.5, "-2.5");
    check_number_text(9007199254740992.0, "9007199254740992");
    check_number_text(1e23, "1e+23");
    check_number_text(1.7976931348623157e308, "1.7976931348623157e+308");
    check_number_text(2.2250738585072014e-308, "2.2250738585072014e-308");
    check_number_text(5e-324, "5e-324");
    check_number_text((double)NAN, "null");
    check_number_text((double)INFINITY, "null");
    check_number_text(-(double)INFINITY, "null");
}

static void numbers_read_back_the_same(void)
{
    uint64_t state = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        double value, back;
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(&value, &state, sizeof value);
        if (!isfinite(value)) {
            continue;
        }
        char *text = number(value);
        back = strtod(text, NULL);
        if (!CHECK(memcmp(&back, &value, sizeof value) == 0)) {
            printf("# %a became %s\n", value, text);
        }
        free(text);
    }
}

static void fixed_digits(void)
{
    em__text text = {0};
    em__text_fixed(&text, 2.0 / 3, 3);
    em__text_add(&text, " ");
    em__text_fixed(&text, -1234567.891, 1);
    em__text_add(&text, " ");
    em__text_fixed(&text, 7, 0);
    em__text_add(&text, " ");
    em__text_fixed(&text, (double)NAN, 2);
    em__text_add(&text, " ");
    em__text_fixed(&text, 0.5, 99);
    char *all = em__text_finish(&text, NULL);
    CHECK_TEXT(all, "0.667 -1234567.9 7 null 0.500000000000000000000000000000");
    free(all);
    em__text_fixed(&text, -1.7976931348623157e308, 30);
    all = em__text_finish(&text, NULL);
    CHECK_INT(strlen(all), 1 + 309 + 1 + 30);
    free(all);
}

static void check_json(const char *string, const char *expected)
{
    em__text text = {0};
    em__text_json(&text, string);
    char *quoted = em__text_finish(&text, NULL);
    CHECK_TEXT(quoted, expected);
    free(quoted);
}

static void json_strings(void)
{
    check_json(NULL, "null");
    check_json("", "\"\"");
    check_json("plain /path: 50 %", "\"plain /path: 50 %\"");
    check_json("\"\\\b\f\n\r\t\x01\x1f\x7f", "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
    check_json("\xC2\xB5J \xE2\x82\xAC \xF0\x9F\x94\x8B", "\"\xC2\xB5J \xE2\x82\xAC \xF0\x9F\x94\x8B\"");
    /* The Unicode Standard, table 3-8, and surrogates, which are no UTF-8. */
    check_json("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                                                                       "b\xEF\xBF\xBD"
                                                                       "c\xEF\xBF\xBD\xEF\xBF\xBD"
                                                                       "d\"");
    check_json("\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    check_json("\xF4\x90", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    check_json("\xE2\x82", "\"\xEF\xBF\xBD\"");
}

static void grows_and_resets(void)
{
    em__text text = {0};
    size_t expected = 0, length = 0;
    for (int i = 0; i < 3000; i++) {
        em__text_format(&text, "%d,", i);
        expected += i < 10 ? 2 : i < 100 ? 3 : i < 1000 ? 4 : 5;
    }
    em__text_format(&text, "%1000s", "end");
    em__text_bytes(&text, "a\0b", 3);
    char *all = em__text_finish(&text, &length);
    CHECK_INT(length, expected + 1003);
    CHECK(memcmp(all, "0,1,2,", 6) == 0);
    CHECK(memcmp(all + length - 7, " enda\0b", 8) == 0);
    CHECK(text.data == NULL && text.length == 0);
    free(all);
    all = em__text_finish(&text, &length);
    CHECK_TEXT(all, "");
    CHECK_INT(length, 0);
    free(all);
}

static void a_failed_allocation_is_remembered(void)
{
    em__text text = {0};
    size_t length = 7;
    em__text_add(&text, "before");
    em__text_bytes(&text, "", SIZE_MAX / 2);
    em__text_add(&text, "after");
    CHECK(em__text_finish(&text, &length) == NULL);
    CHECK_INT(length, 7);
    CHECK(text.data == NULL && !text.failed);
}

static void copies_never_cut_a_character(void)
{
    /* One, two, three and four bytes; how many whole characters fit into each size. */
    const char *source = "a\xC2\xB5\xE2\x82\xAC\xF0\x9F\x94\x8B.";
    static const size_t ends[] = {0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t size = 1; size < sizeof ends / sizeof ends[0]; size++) {
        char copied[16], printed[16];
        memset(copied, '#', sizeof copied);
        memset(printed, '#', sizeof printed);
        em__copy(copied, size, source);
        em__print(printed, size, "%s", source);
        CHECK_INT(strlen(copied), ends[size]);
        CHECK(memcmp(copied, source, ends[size]) == 0);
        CHECK_TEXT(printed, copied);
        CHECK(copied[size] == '#' && printed[size] == '#');
    }
    char untouched = '#';
    em__copy(&untouched, 0, source);
    em__print(&untouched, 0, "%s", source);
    CHECK(untouched == '#');
    char garbage[4];
    em__copy(garbage, sizeof garbage, "\x80\x80\x80\x80\x80");
    CHECK_INT(strlen(garbage), 3);
}

int main(void)
{
    RUN(numbers_are_short);
    RUN(numbers_read_back_the_same);
    RUN(fixed_digits);
    RUN(json_strings);
    RUN(grows_and_resets);
    RUN(a_failed_allocation_is_remembered);
    RUN(copies_never_cut_a_character);
    return CHECK_DONE();
}
