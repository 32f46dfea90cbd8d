/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reading a summary's JSON: what its files share. */
#ifndef EM_REPORTS_SUMMARY_READER_H
#define EM_REPORTS_SUMMARY_READER_H

#include "metrics/summary.h"
#include "reports/field.h"

typedef struct {
    em__fields fields;
    em_summary *summary;
} em__summary_reader;

void em__summary_read_facts(em__summary_reader *reader, const em__json_node *root);
void em__summary_read_scope(em__summary_reader *reader, const em__json_node *scope);

#endif
