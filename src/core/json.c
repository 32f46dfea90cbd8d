/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The JSON reader: one loop over the bytes with a stack of open containers. */
#include "core/json.h"

#include "core/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 32, LARGEST_BLOCK = 8192 };

struct block {
    struct block *previous;
    size_t used, capacity;
    em__json_node nodes[];
};

struct em__json {
    struct block *blocks;
    char *characters; /* all strings and numbers; together, with their NULs, never longer than the document and one */
};

struct reader {
    const char *at, *end;
    char *out;
    em__json *json;
    locale_t plain; /* in which numbers have a point */
    size_t nodes;
    int error;
};

static int fail(struct reader *reader, int error)
{
    reader->error = error;
    return 0;
}

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' || *reader->at == '\r')) {
        reader->at++;
    }
}

static int take(struct reader *reader, char wanted)
{
    if (reader->at < reader->end && *reader->at == wanted) {
        reader->at++;
        return 1;
    }
    return 0;
}

static em__json_node *new_node(struct reader *reader)
{
    struct block *block = reader->json->blocks;
    if (reader->nodes >= EM__JSON_NODES) {
        fail(reader, -E2BIG);
        return NULL;
    }
    if (!block || block->used == block->capacity) {
        size_t capacity = block ? block->capacity * 2 : FIRST_BLOCK;
        capacity = capacity > LARGEST_BLOCK ? LARGEST_BLOCK : capacity;
        struct block *larger = malloc(sizeof *larger + capacity * sizeof larger->nodes[0]);
        if (!larger) {
            fail(reader, -ENOMEM);
            return NULL;
        }
        larger->previous = block;
        larger->used = 0;
        larger->capacity = capacity;
        reader->json->blocks = block = larger;
    }
    reader->nodes++;
    em__json_node *node = &block->nodes[block->used++];
    memset(node, 0, sizeof *node);
    return node;
}

static int hexadecimal(struct reader *reader, uint32_t *ret_code)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++, reader->at++) {
        char digit = reader->at < reader->end ? *reader->at : '\0';
        if (digit >= '0' && digit <= '9') {
            code = code * 16 + (uint32_t)(digit - '0');
        } else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f') {
            code = code * 16 + (uint32_t)((digit | 0x20) - 'a' + 10);
        } else {
            return fail(reader, -EINVAL);
        }
    }
    *ret_code = code;
    return 1;
}

static void put_code(struct reader *reader, uint32_t code)
{
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *reader->out++ = (char)(leads[more] | (code >> (6 * more)));
    while (more-- > 0) {
        *reader->out++ = (char)(0x80 | ((code >> (6 * more)) & 0x3F));
    }
}

/* After \u. A high surrogate joins a low one that follows it at once; anything else stands for itself. */
static int read_unicode(struct reader *reader)
{
    uint32_t code, low;
    if (!hexadecimal(reader, &code)) {
        return 0;
    }
    while (code >= 0xD800 && code <= 0xDBFF && reader->end - reader->at >= 2 && reader->at[0] == '\\' &&
           reader->at[1] == 'u') {
        reader->at += 2;
        if (!hexadecimal(reader, &low)) {
            return 0;
        }
        if (low >= 0xDC00 && low <= 0xDFFF) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        } else {
            put_code(reader, code);
            code = low;
        }
    }
    put_code(reader, code);
    return 1;
}

static int read_escape(struct reader *reader)
{
    static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    if (take(reader, 'u')) {
        return read_unicode(reader);
    }
    for (size_t i = 0; plain[i]; i += 2) {
        if (take(reader, plain[i])) {
            *reader->out++ = plain[i + 1];
            return 1;
        }
    }
    return fail(reader, -EINVAL);
}

static int read_string(struct reader *reader, const char **ret_text, size_t *ret_length)
{
    char *begin = reader->out;
    if (!take(reader, '"')) {
        return fail(reader, -EINVAL);
    }
    while (reader->at < reader->end && *reader->at != '"') {
        if ((unsigned char)*reader->at < 0x20) {
            return fail(reader, -EINVAL);
        }
        if (take(reader, '\\')) {
            if (!read_escape(reader)) {
                return 0;
            }
            continue;
        }
        size_t length = em__utf8_length(reader->at, (size_t)(reader->end - reader->at), NULL);
        if (length == 0) {
            return fail(reader, -EINVAL);
        }
        memcpy(reader->out, reader->at, length);
        reader->out += length;
        reader->at += length;
    }
    if (!take(reader, '"')) {
        return fail(reader, -EINVAL);
    }
    *ret_text = begin;
    *ret_length = (size_t)(reader->out - begin);
    *reader->out++ = '\0';
    return 1;
}

static int skip_digits(struct reader *reader)
{
    const char *begin = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        reader->at++;
    }
    return reader->at > begin ? 1 : fail(reader, -EINVAL);
}

static int read_number(struct reader *reader, em__json_node *node)
{
    const char *begin = reader->at;
    take(reader, '-');
    if (!take(reader, '0') && !skip_digits(reader)) {
        return 0;
    }
    if (take(reader, '.') && !skip_digits(reader)) {
        return 0;
    }
    if (take(reader, 'e') || take(reader, 'E')) {
        if (!take(reader, '-')) {
            take(reader, '+');
        }
        if (!skip_digits(reader)) {
            return 0;
        }
    }
    node->type = EM__JSON_NUMBER;
    node->text = reader->out;
    node->length = (size_t)(reader->at - begin);
    memcpy(reader->out, begin, node->length);
    reader->out += node->length;
    *reader->out++ = '\0';
    node->number = strtod_l(node->text, NULL, reader->plain);
    return 1;
}

static int read_word(struct reader *reader, em__json_node *node)
{
    static const struct {
        const char *word;
        em__json_type type;
    } words[] = {{"null", EM__JSON_NULL}, {"false", EM__JSON_FALSE}, {"true", EM__JSON_TRUE}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i].word);
        if ((size_t)(reader->end - reader->at) >= length && memcmp(reader->at, words[i].word, length) == 0) {
            reader->at += length;
            node->type = words[i].type;
            return 1;
        }
    }
    return fail(reader, -EINVAL);
}

/* A value, of a container only its opening bracket. */
static int read_value(struct reader *reader, em__json_node *node)
{
    if (reader->at == reader->end) {
        return fail(reader, -EINVAL);
    }
    char byte = *reader->at;
    if (byte == '{' || byte == '[') {
        reader->at++;
        node->type = byte == '{' ? EM__JSON_OBJECT : EM__JSON_ARRAY;
        return 1;
    }
    if (byte == '"') {
        node->type = EM__JSON_STRING;
        return read_string(reader, &node->text, &node->length);
    }
    return byte == '-' || (byte >= '0' && byte <= '9') ? read_number(reader, node) : read_word(reader, node);
}

static int read_key(struct reader *reader, em__json_node *node)
{
    skip_space(reader);
    if (!read_string(reader, &node->key, &node->key_length)) {
        return 0;
    }
    skip_space(reader);
    return take(reader, ':') ? 1 : fail(reader, -EINVAL);
}

struct level {
    em__json_node *container, *last;
};

/* Appends one value to the innermost container, and opens it if it is one itself. */
static int read_child(struct reader *reader, struct level *levels, size_t *depth)
{
    struct level *level = *depth > 0 ? &levels[*depth - 1] : NULL;
    em__json_node *node = new_node(reader);
    if (!node || (level && level->container->type == EM__JSON_OBJECT && !read_key(reader, node))) {
        return 0;
    }
    skip_space(reader);
    const char *begin = reader->at;
    if (!read_value(reader, node)) {
        return 0;
    }
    if (level) {
        if (level->last) {
            level->last->next = node;
        } else {
            level->container->first = node;
        }
        level->last = node;
        level->container->count++;
    }
    if (node->type >= EM__JSON_ARRAY) {
        if (*depth == EM__JSON_DEPTH) {
            reader->at = begin;
            return fail(reader, -E2BIG);
        }
        levels[(*depth)++] = (struct level){node, NULL};
    }
    return 1;
}

static int read_document(struct reader *reader)
{
    struct level levels[EM__JSON_DEPTH];
    size_t depth = 0;
    if (!read_child(reader, levels, &depth)) {
        return 0;
    }
    while (depth > 0) {
        struct level *level = &levels[depth - 1];
        skip_space(reader);
        if (take(reader, level->container->type == EM__JSON_OBJECT ? '}' : ']')) {
            depth--;
            continue;
        }
        if (level->last && !take(reader, ',')) {
            return fail(reader, -EINVAL);
        }
        if (!read_child(reader, levels, &depth)) {
            return 0;
        }
    }
    skip_space(reader);
    return reader->at == reader->end ? 1 : fail(reader, -EINVAL);
}

int em__json_parse(const char *text, size_t length, em__json **ret_json, size_t *ret_offset)
{
    struct reader reader = {.at = text, .end = text + length};
    if (length > EM__JSON_SIZE) {
        reader.error = -E2BIG;
    } else {
        reader.json = calloc(1, sizeof *reader.json);
        reader.out = malloc(length + 1);
        reader.plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        int is_read = 0;
        if (reader.json && reader.out && reader.plain != (locale_t)0) {
            reader.json->characters = reader.out;
            is_read = read_document(&reader);
        } else {
            free(reader.out);
            reader.error = -ENOMEM;
        }
        if (reader.plain != (locale_t)0) {
            freelocale(reader.plain);
        }
        if (is_read) {
            *ret_json = reader.json;
            return 0;
        }
        em__json_destroy(reader.json);
    }
    if (ret_offset) {
        *ret_offset = (size_t)(reader.at - text);
    }
    return reader.error;
}

const em__json_node *em__json_root(const em__json *json)
{
    const struct block *block = json->blocks;
    while (block->previous) {
        block = block->previous;
    }
    return &block->nodes[0];
}

const em__json_node *em__json_member(const em__json_node *node, const char *key)
{
    const em__json_node *found = NULL;
    size_t length = strlen(key);
    if (node && node->type == EM__JSON_OBJECT) {
        for (const em__json_node *child = node->first; child; child = child->next) {
            if (child->key_length == length && memcmp(child->key, key, length) == 0) {
                found = child;
            }
        }
    }
    return found;
}

double em__json_number(const em__json_node *node)
{
    return node && node->type == EM__JSON_NUMBER ? node->number : (double)NAN;
}

void em__json_destroy(em__json *json)
{
    if (!json) {
        return;
    }
    for (struct block *block = json->blocks, *previous; block; block = previous) {
        previous = block->previous;
        free(block);
    }
    free(json->characters);
    free(json);
}
