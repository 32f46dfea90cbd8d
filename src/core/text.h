/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A growing text. A failed allocation is remembered, later calls do nothing, and finish answers NULL. No locale. */
#ifndef EM_CORE_TEXT_H
#define EM_CORE_TEXT_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *data;
    size_t length, capacity;
    int failed;
} em__text; /* all zero: empty */

void em__text_add(em__text *text, const char *part);
void em__text_bytes(em__text *text, const char *bytes, size_t length);
__attribute__((format(printf, 2, 3))) void em__text_format(em__text *text, const char *format,
                                                           ...); /* integers, strings */
void em__text_number(em__text *text, double value);            /* few digits that read back the same; NAN, inf: null */
void em__text_fixed(em__text *text, double value, int digits); /* like %.*f, at most 30 digits; NAN, inf: null */
void em__text_json(em__text *text, const char *string);        /* quoted; invalid UTF-8 becomes U+FFFD; NULL: null */
char *em__text_finish(em__text *text, size_t *ret_length);     /* ended by NUL, the caller's (free); resets the text */
void em__text_free(em__text *text);

/* The same into the caller's room: 309 digits, a sign, a point of any locale and 30 more. */
enum { EM__FIXED_SIZE = 368 };
void em__fixed(double value, int digits, char ret_text[EM__FIXED_SIZE]);

/* Copies and cuts, always ended by NUL, never inside a UTF-8 sequence. */
void em__copy(char *destination, size_t size, const char *source);
__attribute__((format(printf, 3, 4))) void em__print(char *destination, size_t size, const char *format, ...);

/* The length of the valid UTF-8 sequence that bytes begin with; 0: none. ret_bad (may be NULL): then the bytes that
 * one U+FFFD stands for. left is at least 1. */
size_t em__utf8_length(const char *bytes, size_t left, size_t *ret_bad);

#endif
