/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The JSON reader: whatever it reads must be within its bounds, and written again it must read the same. */
#include "core/json.h"
#include "core/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int holds)
{
    if (!holds) {
        abort();
    }
}

/* Bytes that em__text_json would replace make the second reading another; they are not compared then. */
static int write_node(em__text *text, const em__json_node *node, size_t depth)
{
    int is_whole = 1;
    size_t count = 0;
    insist(depth <= EM__JSON_DEPTH);
    if (node->key) {
        insist(node->key[node->key_length] == '\0');
        is_whole &= strlen(node->key) == node->key_length && !strstr(node->key, "\xED");
        em__text_json(text, node->key);
        em__text_add(text, ":");
    }
    if (node->type == EM__JSON_NUMBER) {
        insist(strlen(node->text) == node->length && node->length > 0);
        em__text_number(text, em__json_number(node));
        is_whole &= isfinite(em__json_number(node)) != 0;
    } else if (node->type == EM__JSON_STRING) {
        insist(node->text[node->length] == '\0');
        is_whole &= strlen(node->text) == node->length && !strstr(node->text, "\xED");
        em__text_json(text, node->text);
    } else if (node->type < EM__JSON_NUMBER) {
        static const char *const words[] = {"null", "false", "true"};
        em__text_add(text, words[node->type]);
    } else {
        em__text_add(text, node->type == EM__JSON_ARRAY ? "[" : "{");
        for (const em__json_node *child = node->first; child; child = child->next) {
            insist((child->key != NULL) == (node->type == EM__JSON_OBJECT));
            em__text_add(text, count++ ? " ,\n" : "\t");
            is_whole &= write_node(text, child, depth + 1);
        }
        em__text_add(text, node->type == EM__JSON_ARRAY ? "]" : "}");
    }
    insist(count == node->count);
    return is_whole;
}

static int is_same(const em__json_node *one, const em__json_node *other)
{
    if (one->type != other->type || one->count != other->count || one->key_length != other->key_length ||
        (one->key && memcmp(one->key, other->key, one->key_length) != 0)) {
        return 0;
    }
    if (one->type == EM__JSON_NUMBER) {
        return em__json_number(one) == em__json_number(other);
    }
    if (one->type == EM__JSON_STRING) {
        return one->length == other->length && memcmp(one->text, other->text, one->length) == 0;
    }
    const em__json_node *right = other->first;
    for (const em__json_node *left = one->first; left; left = left->next, right = right->next) {
        if (!is_same(left, right)) {
            return 0;
        }
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    em__json *json, *again;
    em__text text = {0};
    size_t offset = SIZE_MAX, length;
    int error = em__json_parse((const char *)data, size, &json, &offset);
    if (error < 0) {
        insist((error == -EINVAL || error == -E2BIG || error == -ENOMEM) && offset <= size);
        return 0;
    }
    int is_whole = write_node(&text, em__json_root(json), 0);
    char *written = em__text_finish(&text, &length);
    if (written && is_whole) {
        insist(em__json_parse(written, length, &again, NULL) == 0);
        insist(is_same(em__json_root(json), em__json_root(again)));
        em__json_destroy(again);
    }
    free(written);
    em__json_destroy(json);
    return 0;
}
