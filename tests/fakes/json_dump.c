/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Lets another language see what the JSON reader and the growing text make of bytes, in the caller's locale. Reads
 * records "j LENGTH\n" or "q LENGTH\n" and as many bytes, and prints one line for each: a document as a Python literal
 * (('n', text, value, as written by us), ('s', hexadecimal), a list, or {key: value} of the members that are found), or
 * a number and the offset where it failed; a text as JSON. */
#include "core/json.h"
#include "core/text.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_hexadecimal(const char *bytes, size_t length)
{
    putchar('\'');
    for (size_t i = 0; i < length; i++) {
        printf("%02x", (unsigned char)bytes[i]);
    }
    putchar('\'');
}

static void print_number(const em__json_node *node)
{
    em__text text = {0};
    double value = em__json_number(node);
    em__text_number(&text, value);
    char *written = em__text_finish(&text, NULL);
    setlocale(LC_ALL, "C");
    printf("('n', '%s', '%a', '%s')", node->text, value, written ? written : "");
    setlocale(LC_ALL, "");
    free(written);
}

static void print_node(const em__json_node *node)
{
    size_t count = 0;
    switch (node->type) {
    case EM__JSON_NULL:
        fputs("None", stdout);
        break;
    case EM__JSON_FALSE:
        fputs("False", stdout);
        break;
    case EM__JSON_TRUE:
        fputs("True", stdout);
        break;
    case EM__JSON_NUMBER:
        print_number(node);
        break;
    case EM__JSON_STRING:
        fputs("('s', ", stdout);
        print_hexadecimal(node->text, node->length);
        putchar(')');
        break;
    case EM__JSON_ARRAY:
    case EM__JSON_OBJECT:
        putchar(node->type == EM__JSON_ARRAY ? '[' : '{');
        for (const em__json_node *child = node->first; child; child = child->next) {
            count++;
            if (node->type == EM__JSON_OBJECT) {
                /* A key with a zero byte in it cannot be asked for by name. */
                if (child->key[child->key_length] != '\0' ||
                    (em__json_member(node, child->key) != child && child->key_length == strlen(child->key))) {
                    continue;
                }
                print_hexadecimal(child->key, child->key_length);
                putchar(':');
            }
            print_node(child);
            putchar(',');
        }
        putchar(node->type == EM__JSON_ARRAY ? ']' : '}');
        if (count != node->count) {
            fputs("miscounted", stdout);
        }
        break;
    }
}

static void dump(const char *bytes, size_t length)
{
    em__json *json;
    size_t offset = 0;
    int error = em__json_parse(bytes, length, &json, &offset);
    if (error < 0) {
        printf("(%d, %zu)", error, offset);
        return;
    }
    print_node(em__json_root(json));
    em__json_destroy(json);
}

static void quote(const char *bytes)
{
    em__text text = {0};
    em__text_json(&text, bytes);
    char *quoted = em__text_finish(&text, NULL);
    fputs(quoted ? quoted : "", stdout);
    free(quoted);
}

int main(void)
{
    char kind;
    size_t length;
    setlocale(LC_ALL, "");
    while (scanf("%c %zu", &kind, &length) == 2 && getchar() == '\n' && length <= EM__JSON_SIZE) {
        char *bytes = malloc(length + 1);
        if (!bytes || fread(bytes, 1, length, stdin) != length) {
            free(bytes);
            return 1;
        }
        bytes[length] = '\0';
        if (kind == 'q') {
            quote(bytes);
        } else {
            dump(bytes, length);
        }
        free(bytes);
        putchar('\n');
    }
    return feof(stdin) ? 0 : 1;
}
