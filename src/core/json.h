/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A small strict JSON reader (RFC 8259) over bytes of any origin: bounded depth and size, linear time, few allocations.
 * Strings are unescaped to UTF-8; a lone surrogate escape is kept as its three bytes (as Python's surrogatepass). */
#ifndef EM_CORE_JSON_H
#define EM_CORE_JSON_H

#include <stddef.h>
#include <stdint.h>

typedef struct em__json em__json;
typedef enum {
    EM__JSON_NULL,
    EM__JSON_FALSE,
    EM__JSON_TRUE,
    EM__JSON_NUMBER,
    EM__JSON_STRING,
    EM__JSON_ARRAY,
    EM__JSON_OBJECT
} em__json_type;

typedef struct em__json_node {
    em__json_type type;
    const char *text; /* string unescaped, number as written; ended by NUL; else NULL */
    size_t length;
    double number;   /* of a number; correctly rounded, in no locale */
    const char *key; /* member of an object, else NULL; ended by NUL */
    size_t key_length;
    size_t count;                             /* children */
    const struct em__json_node *first, *next; /* children in order; siblings */
} em__json_node;

/* Containers inside each other, bytes, values. */
enum { EM__JSON_DEPTH = 64, EM__JSON_SIZE = 64 << 20, EM__JSON_NODES = 1 << 20 };

/* 0, -ENOMEM, -EINVAL or -E2BIG (size, depth, values); ret_offset (may be NULL): then the byte at which it failed. */
int em__json_parse(const char *text, size_t length, em__json **ret_json, size_t *ret_offset);
const em__json_node *em__json_root(const em__json *json);
/* The last member of that name, as Python keeps it; NULL if there is none or node is NULL or no object. */
const em__json_node *em__json_member(const em__json_node *node, const char *key);
/* Beyond a double's range infinite, as Python; NAN if node is NULL or no number. */
double em__json_number(const em__json_node *node);
void em__json_destroy(em__json *json); /* NULL is ignored */

#endif
