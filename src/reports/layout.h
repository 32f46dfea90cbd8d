/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What every report is made of: the words of the public enums, JSON members, columns, and quantities for people. */
#ifndef EM_REPORTS_LAYOUT_H
#define EM_REPORTS_LAYOUT_H

#include "core/text.h"
#include "energy_meter.h"

enum { EM__LINE = 100, EM__QUANTITY_SIZE = 32 };

/* Lower-case words as JSON shows them; "unknown" for a value that is none of the enum. */
const char *em__reports_domain(int32_t domain);
const char *em__reports_kind(int32_t kind);
const char *em__reports_role(int32_t role);
const char *em__reports_provenance(int32_t provenance);
const char *em__reports_resolution(int32_t resolution);

/* The name of the next member of an object, with the comma before it where one is due. */
void em__reports_key(em__text *json, const char *key);
void em__reports_comma(em__text *json); /* the same for an element of an array */
/* A number that JSON readers take for a real one ("1.0"); NAN and infinities: null. */
void em__reports_real(em__text *json, double value);
void em__reports_seconds(em__text *json, uint64_t ns);   /* to the last nanosecond */
void em__reports_time(em__text *text, uint64_t wall_ns); /* "2024-02-28T23:59:59.123456Z" */
void em__reports_named_real(em__text *json, const char *key, double value);
void em__reports_named_text(em__text *json, const char *key, const char *value); /* NULL: null */
void em__reports_open(em__text *json, const char *key, const char *bracket);

/* Columns on a terminal. Control characters and broken UTF-8 are shown as '?', so that no name can drive it. */
void em__reports_plain(em__text *text, const char *string);
size_t em__reports_width(const char *string);
void em__reports_cell(em__text *text, const char *string, size_t width);  /* padded on the right; two spaces follow */
void em__reports_right(em__text *text, const char *string, size_t width); /* two spaces, then padded on the left */
/* A cell that begins a line; a name that is wider has a line of its own before it. Returns the column after it. */
size_t em__reports_name(em__text *text, const char *name, size_t indent, size_t width);
/* Words from the column at which the line stands, wrapped at EM__LINE, later lines begin at indent; ends the line. */
void em__reports_wrap(em__text *text, const char *string, size_t column, size_t indent);

/* Three significant figures without an exponent: "0.00123", "12,300" as "12300". */
void em__reports_significant(em__text *text, double value);

/* Three significant figures with a unit that fits; "-" for NAN. */
typedef enum { EM__QUANTITY_ENERGY, EM__QUANTITY_POWER, EM__QUANTITY_TIME, EM__QUANTITY_MASS } em__quantity;
const char *em__reports_quantity(em__quantity quantity, double value, char buffer[EM__QUANTITY_SIZE]);

#endif
