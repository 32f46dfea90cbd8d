/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One window, or one group of them, as a line: the columns of CSV are the keys of JSON Lines (docs/reports.md). */
#ifndef EM_REPORTS_LINE_H
#define EM_REPORTS_LINE_H

#include "core/text.h"
#include "energy_meter.h"

typedef struct {
    const char *kind; /* "run", "epoch", "batch", "window" */
    const char *name; /* NULL: unnamed */
    uint64_t count;
    uint64_t begin_wall_ns; /* since 1970 in UTC; 0: of several windows */
    uint64_t duration_ns;
    double energy_j, uncertainty_j, gain_j, edge_j, power_w;
    double cpu_j, gpu_j, dram_j, other_j, measured_j, integrated_j, estimated_j;
    double carbon_g, cost, embodied_g;
    const em_carbon *carbon;
    uint64_t items;
    em_per_item per_item;
    const char *resolution;        /* NULL: of several windows */
    int32_t is_complete, is_final; /* -1: of several windows */
    double process_cpu_share;
} em__line;

/* begin_wall_ns: the wall clock when it began. The strings and carbon are not copied. */
em__line em__line_of(const em_result *result, uint64_t begin_wall_ns, const em_carbon *carbon);

/* Ended by CR LF, as RFC 4180 has it. No cell begins as a formula does, and none holds a line break. */
void em__line_csv_header(em__text *text);
void em__line_csv(em__text *text, const em__line *line);
/* Ended by LF. names, channels: what is counted of them is in the line, too. */
void em__line_json(em__text *text, const em__line *line, const char *const *names, const em_energy *channels,
                   size_t count);

#endif
