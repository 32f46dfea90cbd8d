/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Members of a JSON document as the values that they should be. The first that is not is told, and stays told. */
#ifndef EM_REPORTS_FIELD_H
#define EM_REPORTS_FIELD_H

#include "core/json.h"
#include "energy_meter.h"

typedef struct {
    em_error *error; /* may be NULL */
    int status;      /* EM_OK until something is wrong; then nothing is read any more */
} em__fields;

/* May be null, and then is NAN, NULL or 0; may be missing, as if it were null. */
enum { EM__NULLABLE = 1, EM__OPTIONAL = 3 };

/* where: the path of node, as "run." or "scope.devices[3]."; "" for the document itself. */
int em__field_fail(em__fields *fields, const char *where, const char *key, const char *what);
const em__json_node *em__field_object(em__fields *fields, const em__json_node *node, const char *where, const char *key,
                                      int flags);
const em__json_node *em__field_array(em__fields *fields, const em__json_node *node, const char *where, const char *key,
                                     size_t most);
double em__field_real(em__fields *fields, const em__json_node *node, const char *where, const char *key, double least,
                      double most, int flags);
uint64_t em__field_count(em__fields *fields, const em__json_node *node, const char *where, const char *key);
uint64_t em__field_seconds(em__fields *fields, const em__json_node *node, const char *where, const char *key,
                           int flags); /* in ns */
int em__field_flag(em__fields *fields, const em__json_node *node, const char *where, const char *key,
                   int flags); /* -1 */
const char *em__field_text(em__fields *fields, const em__json_node *node, const char *where, const char *key,
                           int flags);
/* The index of the word that word_of(index) gives, below count. */
int32_t em__field_word(em__fields *fields, const em__json_node *node, const char *where, const char *key,
                       const char *(*word_of)(int32_t), int32_t count);
/* A number of seconds as it is written, to the last nanosecond. -1: none, or beyond 9e9 s. */
int em__field_ns(const em__json_node *number, uint64_t *ret_ns);

#endif
