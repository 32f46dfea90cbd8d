/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A summary as JSON (schema 1; a Python dict once parsed), a table, CSV, or the fields that reporting frameworks ask for. */
#ifndef EM_REPORTS_SUMMARY_H
#define EM_REPORTS_SUMMARY_H

#include "core/json.h"
#include "energy_meter.h"
#include "metrics/facts.h"

/* format: enum em_format (anything else is taken for text). Ends with a newline. The caller's
 * (free); NULL: no memory. JSON never holds a NaN: what is not known is null. */
char *em__reports_summary(const em_summary *summary, const em__summary_facts *facts, int32_t format,
                          size_t *ret_length);

/* A summary out of its JSON's object; a text that is none at all. As em_summary_parse. */
int em__reports_read(const em__json_node *root, em_error *ret_error, em_summary **ret_summary);
int em__reports_refuse_json(em_error *ret_error, int error, size_t offset, size_t length);

#endif
