/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Numbers and structs as bytes, the same on every machine: integers of seven bits per byte (LEB128), doubles as their
 * eight bytes, lowest first. What is read may be garbage. Pure. */
#ifndef EM_CORE_BYTES_H
#define EM_CORE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Into a buffer of fixed size: what does not fit sets failed, and then nothing more is added. */
typedef struct {
    unsigned char *data;
    size_t length, capacity;
    int failed;
} em__bytes;

void em__bytes_add(em__bytes *bytes, const void *part, size_t length);
void em__bytes_number(em__bytes *bytes, uint64_t value); /* at most 10 bytes */

/* What is left to read. What is not there or is no number sets failed and reads as 0 or NULL. */
typedef struct {
    const unsigned char *data;
    size_t left;
    int failed;
} em__cursor;

const unsigned char *em__cursor_take(em__cursor *cursor, size_t length);
uint64_t em__cursor_number(em__cursor *cursor);

/* CRC-32 as zlib's and gzip's; before: what an earlier part gave, 0 at first. */
uint32_t em__crc32(uint32_t before, const void *part, size_t length);

/* A struct's fields in a table: the one place to name a new field, always at the table's end. */
typedef enum {
    EM__FIELD_UNSIGNED,
    EM__FIELD_SIGNED,
    EM__FIELD_REAL,  /* double */
    EM__FIELD_CHARS, /* an array ended by NUL */
    EM__FIELD_TEXT   /* const char *, NULL stays NULL */
} em__field_type;

typedef struct {
    em__field_type type;
    size_t offset, size;
} em__field;

enum { EM__MOST_FIELDS = 64 };

#define EM__FIELD(type, object, member) {(type), offsetof(object, member), sizeof(((object *)0)->member)}

/* Which fields are not zero, as bits of a number, and then these fields in the table's order. */
void em__fields_encode(const em__field *fields, size_t count, const void *object, em__bytes *to);
/* Into an object that is all zero, of which it may leave a part written when the answer is -1: no such field, a number
 * that the field cannot hold, or too few bytes. texts: room for as many bytes as the cursor has; EM__FIELD_TEXT points
 * there. */
int em__fields_decode(const em__field *fields, size_t count, em__cursor *from, void *object, char *texts);

#endif
