/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The JSON reader at its edges; thousands of random documents against Python's are in tests/python. */
#include "check.h"
#include "core/json.h"

#include <errno.h>
#include <stdlib.h>

static em__json *parse(const char *text, int expected)
{
    em__json *json = NULL;
    CHECK_INT(em__json_parse(text, strlen(text), &json, NULL), expected);
    return json;
}

static void values_keep_their_order(void)
{
    em__json *json =
        parse(" {\"a\": [1, -2.5e3, \"x\"], \"b\": {}, \"c\": [], \"d\": null, \"e\": [true, false]}\n", 0);
    const em__json_node *root = em__json_root(json);
    CHECK_INT(root->type, EM__JSON_OBJECT);
    CHECK_INT(root->count, 5);
    CHECK(root->key == NULL && root->next == NULL);
    const em__json_node *a = root->first;
    CHECK_TEXT(a->key, "a");
    CHECK_INT(a->type, EM__JSON_ARRAY);
    CHECK_INT(a->count, 3);
    CHECK_NEAR(em__json_number(a->first), 1, 0);
    CHECK_TEXT(a->first->next->text, "-2.5e3");
    CHECK_NEAR(em__json_number(a->first->next), -2500, 0);
    CHECK_TEXT(a->first->next->next->text, "x");
    CHECK(a->first->next->next->next == NULL);
    CHECK(a->first->key == NULL);
    CHECK_INT(em__json_member(root, "b")->type, EM__JSON_OBJECT);
    CHECK_INT(em__json_member(root, "c")->count, 0);
    CHECK_INT(em__json_member(root, "d")->type, EM__JSON_NULL);
    CHECK_INT(em__json_member(root, "e")->first->type, EM__JSON_TRUE);
    CHECK_INT(em__json_member(root, "e")->first->next->type, EM__JSON_FALSE);
    em__json_destroy(json);
}

static void members_are_the_last_of_their_name(void)
{
    em__json *json = parse("{\"k\":1,\"k\\u0000\":2,\"k\":3,\"kk\":4}", 0);
    const em__json_node *root = em__json_root(json);
    CHECK_NEAR(em__json_number(em__json_member(root, "k")), 3, 0);
    CHECK_INT(root->first->next->key_length, 2);
    CHECK(em__json_member(root, "x") == NULL);
    CHECK(em__json_member(root, "") == NULL);
    CHECK(em__json_member(NULL, "k") == NULL);
    CHECK(em__json_member(root->first, "k") == NULL);
    CHECK(isnan(em__json_number(root)) && isnan(em__json_number(NULL)));
    em__json_destroy(json);
    em__json_destroy(NULL);
}

static void strings_become_bytes(void)
{
    em__json *json =
        parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u00b5\\u20AC\\uD83D\\ude00 \\ud83d\\ud83d\\ude00 \\udc80\\u0000z\"", 0);
    const em__json_node *root = em__json_root(json);
    static const char expected[] = "\"\\/\b\f\n\r\t \xC2\xB5\xE2\x82\xAC\xF0\x9F\x98\x80 \xED\xA0\xBD\xF0\x9F\x98\x80 "
                                   "\xED\xB2\x80\0z";
    CHECK_INT(root->length, sizeof expected - 1);
    CHECK(memcmp(root->text, expected, sizeof expected) == 0);
    em__json_destroy(json);
}

static void refuses(const char *text, size_t offset)
{
    em__json *json = (em__json *)1;
    size_t at = 999;
    if (!CHECK_INT(em__json_parse(text, strlen(text), &json, &at), -EINVAL) || !CHECK_INT(at, offset)) {
        printf("# in: %s\n", text);
    }
    CHECK(json == (em__json *)1);
}

static void what_is_no_json_is_refused_where_it_is_wrong(void)
{
    refuses("", 0);
    refuses("  ", 2);
    refuses("nul", 0);
    refuses("NaN", 0);
    refuses("Infinity", 0);
    refuses("-Infinity", 1);
    refuses("+1", 0);
    refuses("01", 1);
    refuses("1.", 2);
    refuses(".5", 0);
    refuses("1e", 2);
    refuses("1e+", 3);
    refuses("0x10", 1);
    refuses("-", 1);
    refuses("1 2", 2);
    refuses("[1,]", 3);
    refuses("[,1]", 1);
    refuses("[1 2]", 3);
    refuses("[1", 2);
    refuses("]", 0);
    refuses("{\"a\":1,}", 7);
    refuses("{\"a\" 1}", 5);
    refuses("{a:1}", 1);
    refuses("{1:1}", 1);
    refuses("{\"a\"}", 4);
    refuses("{\"a\":}", 5);
    refuses("{\"a\":1]", 6);
    refuses("'a'", 0);
    refuses("\"a", 2);
    refuses("\"\\x41\"", 2);
    refuses("\"\\u12g4\"", 5);
    refuses("\"\\u12\"", 5);
    refuses("\"\\ud800\\u12\"", 11);
    refuses("\"tab\there\"", 4);
    refuses("\"\xFF\"", 1);
    refuses("\"\xED\xA0\x80\"", 1);
    refuses("\"\xC0\x80\"", 1);
    refuses("\xEF\xBB\xBF{}", 0);
    refuses("[1] // comment", 4);
    refuses("true\v", 4);
}

static void a_byte_zero_is_no_end(void)
{
    em__json *json;
    size_t at = 0;
    CHECK_INT(em__json_parse("[1]\0", 4, &json, &at), -EINVAL);
    CHECK_INT(at, 3);
}

static void depth_is_bounded(void)
{
    char text[4 * EM__JSON_DEPTH];
    em__json *json;
    for (int extra = 0; extra <= 1; extra++) {
        size_t depth = EM__JSON_DEPTH + (size_t)extra, at = 0;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        CHECK_INT(em__json_parse(text, 2 * depth, &json, &at), extra ? -E2BIG : 0);
        if (extra) {
            CHECK_INT(at, EM__JSON_DEPTH);
        } else {
            em__json_destroy(json);
        }
    }
}

static void size_is_bounded(void)
{
    size_t count = EM__JSON_NODES, length = 2 * count + 1;
    char *text = malloc(length);
    em__json *json;
    CHECK_INT(em__json_parse("", (size_t)EM__JSON_SIZE + 1, &json, NULL), -E2BIG);
    if (!CHECK(text != NULL)) {
        return;
    }
    memset(text, '1', length);
    for (size_t i = 2; i < length; i += 2) {
        text[i] = ',';
    }
    text[0] = '[';
    text[length - 1] = ']';
    CHECK_INT(em__json_parse(text, length, &json, NULL), -E2BIG);
    text[length - 3] = ']'; /* one value fewer: the array and its elements are as many as may be */
    if (CHECK_INT(em__json_parse(text, length - 2, &json, NULL), 0)) {
        CHECK_INT(em__json_root(json)->count, count - 1);
        em__json_destroy(json);
    }
    free(text);
}

static void numbers_are_rounded_correctly(void)
{
    /* Halfway cases and limits, with the doubles that IEEE 754 asks for. */
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"9007199254740993", 0x1p53},
        {"9007199254740993.0000000000000000000000001", 0x1.0000000000001p53},
        {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
        {"1e23", 0x1.52d02c7e14af6p+76},
        {"4.9e-324", 0x1p-1074},
        {"2e-324", 0},
        {"1.7976931348623158e308", 0x1.fffffffffffffp1023},
        {"-0.0", 0},
        {"262143328850", 262143328850.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__json *json = parse(cases[i].text, 0);
        CHECK_NEAR(em__json_number(em__json_root(json)), cases[i].value, 0);
        em__json_destroy(json);
    }
    em__json *json = parse("[1e999, -1e999, -0]", 0);
    const em__json_node *first = em__json_root(json)->first;
    CHECK(isinf(em__json_number(first)) && em__json_number(first) > 0);
    CHECK(isinf(em__json_number(first->next)) && em__json_number(first->next) < 0);
    CHECK(signbit(em__json_number(first->next->next)));
    em__json_destroy(json);
}

int main(void)
{
    RUN(values_keep_their_order);
    RUN(members_are_the_last_of_their_name);
    RUN(strings_become_bytes);
    RUN(what_is_no_json_is_refused_where_it_is_wrong);
    RUN(a_byte_zero_is_no_end);
    RUN(depth_is_bounded);
    RUN(size_is_bounded);
    RUN(numbers_are_rounded_correctly);
    return CHECK_DONE();
}
