/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The columns of a line, in one table for both forms. */
#include "reports/line.h"

#include "metrics/items.h"
#include "reports/layout.h"
#include "reports/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum { TEXT, COUNT, ITEMS, TIME, SECONDS, REAL, FLAG, OF_CARBON } shape;

typedef struct {
    const char *name;
    shape shape;
    size_t at; /* in the line */
} column;

/* Of carbon: what the basis holds, which JSON has as one member. */
typedef enum { INTENSITY, SOURCE, YEAR, METHOD, ZONE, LOCATION, IS_DEFAULT, PUE } carbon_part;

#define AT(member) offsetof(em__line, member)
static const column columns[] = {
    {"kind", TEXT, AT(kind)},
    {"name", TEXT, AT(name)},
    {"count", COUNT, AT(count)},
    {"started_at", TIME, AT(begin_wall_ns)},
    {"duration_s", SECONDS, AT(duration_ns)},
    {"energy_j", REAL, AT(energy_j)},
    {"uncertainty_j", REAL, AT(uncertainty_j)},
    {"uncertainty_gain_j", REAL, AT(gain_j)},
    {"uncertainty_edge_j", REAL, AT(edge_j)},
    {"avg_power_w", REAL, AT(power_w)},
    {"cpu_energy_j", REAL, AT(cpu_j)},
    {"gpu_energy_j", REAL, AT(gpu_j)},
    {"dram_energy_j", REAL, AT(dram_j)},
    {"other_energy_j", REAL, AT(other_j)},
    {"measured_j", REAL, AT(measured_j)},
    {"integrated_j", REAL, AT(integrated_j)},
    {"estimated_j", REAL, AT(estimated_j)},
    {"windows_with_items", COUNT, AT(per_item.windows)},
    {"items", ITEMS, AT(items)},
    {"energy_per_item_j", REAL, AT(per_item.energy_j)},
    {"energy_per_item_uncertainty_j", REAL, AT(per_item.uncertainty_j)},
    {"items_per_j", REAL, AT(per_item.items_per_j)},
    {"items_per_j_uncertainty", REAL, AT(per_item.items_per_j_uncertainty)},
    {"resolution", TEXT, AT(resolution)},
    {"complete", FLAG, AT(is_complete)},
    {"final", FLAG, AT(is_final)},
    {"process_cpu_share", REAL, AT(process_cpu_share)},
    {"carbon_g", REAL, AT(carbon_g)},
    {"carbon_g_per_kwh", OF_CARBON, INTENSITY},
    {"carbon_source", OF_CARBON, SOURCE},
    {"carbon_year", OF_CARBON, YEAR},
    {"carbon_method", OF_CARBON, METHOD},
    {"carbon_zone", OF_CARBON, ZONE},
    {"carbon_location", OF_CARBON, LOCATION},
    {"carbon_is_default", OF_CARBON, IS_DEFAULT},
    {"pue", OF_CARBON, PUE},
    {"cost", REAL, AT(cost)},
    {"embodied_g", REAL, AT(embodied_g)},
};
#undef AT
enum { COLUMNS = sizeof columns / sizeof *columns };

static const char *kind_word(int32_t kind)
{
    static const char *const words[] = {"window", "batch", "epoch", "run"};
    return kind >= EM_WINDOW_OTHER && kind <= EM_WINDOW_RUN ? words[kind] : "unknown";
}

em__line em__line_of(const em_result *result, uint64_t begin_wall_ns, const em_carbon *carbon)
{
    const em_energy *parts = result->by_domain;
    double energy_j = em__view_energy(result->total.energy_j), seconds = em__view_seconds(result->duration_ns);
    return (em__line){.kind = kind_word(result->kind),
                      .name = result->name,
                      .count = 1,
                      .begin_wall_ns = begin_wall_ns,
                      .duration_ns = result->duration_ns,
                      .energy_j = energy_j,
                      .uncertainty_j = em__view_energy(result->total.uncertainty_j),
                      .gain_j = em__view_energy(result->total.gain_j),
                      .edge_j = em__view_energy(result->total.edge_j),
                      .power_w = seconds > 0 ? energy_j / seconds : 0,
                      .cpu_j = parts[EM_DOMAIN_CPU].energy_j,
                      .gpu_j = parts[EM_DOMAIN_GPU].energy_j,
                      .dram_j = parts[EM_DOMAIN_DRAM].energy_j,
                      .other_j = parts[EM_DOMAIN_OTHER].energy_j,
                      .measured_j = result->by_provenance_j[EM_FROM_MEASURED],
                      .integrated_j = result->by_provenance_j[EM_FROM_INTEGRATED],
                      .estimated_j = result->by_provenance_j[EM_FROM_ESTIMATED],
                      .carbon_g = em__view_energy(result->carbon_g),
                      .cost = result->cost,
                      .embodied_g = result->embodied_g,
                      .carbon = carbon,
                      .items = result->items,
                      .per_item = result->per_item,
                      .resolution = em__reports_resolution(result->total.resolution),
                      .is_complete = result->is_complete,
                      .is_final = result->is_final,
                      .process_cpu_share = result->process_cpu_share};
}

static em__line shown_of(const em__line *line)
{
    em__line shown = *line;
    if (line->per_item.windows == 0) {
        shown.per_item = em__per_item_of(NAN, NAN, 0);
    }
    return shown;
}

/* --------------------------------------------------------------------------------------------------------------- CSV */

/* A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection"); the quote makes it a text. */
static int is_formula(const char *string)
{
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"}; /* =+-@ */
    int found = string[0] && strchr("=+-@\t\r\n", string[0]) != NULL;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        found |= strncmp(string, wide[i], 3) == 0;
    }
    return found;
}

static void add_cell(em__text *text, const char *string)
{
    em__text plain = {0};
    em__text_add(&plain, is_formula(string) ? "'" : "");
    em__reports_plain(&plain, string);
    char *words = em__text_finish(&plain, NULL);
    text->failed |= !words;
    size_t length = words ? strlen(words) : 0;
    int is_quoted = length > 0 && (strcspn(words, "\",;") < length || words[0] == ' ' || words[length - 1] == ' ');
    em__text_add(text, is_quoted ? "\"" : "");
    for (const char *at = words; at && *at; at++) {
        em__text_bytes(text, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    }
    em__text_add(text, is_quoted ? "\"" : "");
    free(words);
}

static void add_number(em__text *text, double value)
{
    if (isfinite(value)) {
        em__text_number(text, value);
    }
}

static void add_flag(em__text *text, int32_t value)
{
    em__text_add(text, value < 0 ? "" : value ? "true" : "false");
}

static void add_carbon_cell(em__text *text, const em_carbon *carbon, size_t part)
{
    const char *words = part == SOURCE     ? carbon->source
                        : part == METHOD   ? carbon->method
                        : part == ZONE     ? carbon->zone
                        : part == LOCATION ? carbon->location
                                           : NULL;
    if (part == INTENSITY || part == PUE) {
        add_number(text, part == PUE ? carbon->pue : carbon->g_per_kwh);
    } else if (part == YEAR && carbon->year != 0) {
        em__text_format(text, "%d", (int)carbon->year);
    } else if (part == IS_DEFAULT) {
        add_flag(text, carbon->is_default != 0);
    } else if (words) {
        add_cell(text, words);
    }
}

static void add_csv(em__text *text, const column *of, const em__line *line)
{
    const char *at = (const char *)line + of->at;
    const char *words;
    uint64_t count;
    double value;
    int32_t flag;
    switch (of->shape) {
    case TEXT:
        memcpy((void *)&words, at, sizeof words);
        add_cell(text, words ? words : "");
        return;
    case TIME:
    case SECONDS:
    case COUNT:
    case ITEMS:
        memcpy(&count, at, sizeof count);
        if (of->shape == TIME && count > 0) {
            em__reports_time(text, count);
        } else if (of->shape == SECONDS) {
            em__reports_seconds(text, count);
        } else if (of->shape == COUNT || (of->shape == ITEMS && line->per_item.windows > 0)) {
            em__text_format(text, "%llu", (unsigned long long)count);
        }
        return;
    case REAL:
        memcpy(&value, at, sizeof value);
        add_number(text, value);
        return;
    case FLAG:
        memcpy(&flag, at, sizeof flag);
        add_flag(text, flag);
        return;
    default:
        add_carbon_cell(text, line->carbon, of->at);
        return;
    }
}

void em__line_csv_header(em__text *text)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        em__text_format(text, "%s%s", i > 0 ? "," : "", columns[i].name);
    }
    em__text_add(text, "\r\n");
}

void em__line_csv(em__text *text, const em__line *line)
{
    const em__line shown = shown_of(line);
    for (size_t i = 0; i < COLUMNS; i++) {
        em__text_add(text, i > 0 ? "," : "");
        add_csv(text, &columns[i], &shown);
    }
    em__text_add(text, "\r\n");
}

/* -------------------------------------------------------------------------------------------------------------- JSON */

static void add_json(em__text *text, const column *of, const em__line *line)
{
    const char *at = (const char *)line + of->at;
    const char *words;
    double value;
    em__text cell = {0};
    em__reports_key(text, of->name);
    switch (of->shape) {
    case TEXT:
        memcpy((void *)&words, at, sizeof words);
        em__text_json(text, words);
        return;
    case REAL:
        memcpy(&value, at, sizeof value);
        em__reports_real(text, value);
        return;
    default:
        add_csv(&cell, of, line);
        char *written = em__text_finish(&cell, NULL);
        int is_quoted = of->shape == TIME && written && written[0];
        text->failed |= !written;
        em__text_format(text, is_quoted ? "\"%s\"" : "%s", written && written[0] ? written : "null");
        free(written);
        return;
    }
}

static void add_channels(em__text *text, const char *const *names, const em_energy *channels, size_t count)
{
    em__reports_key(text, "channels");
    em__text_add(text, "{");
    for (size_t i = 0; i < count; i++) {
        if (isfinite(channels[i].counted_j)) {
            em__reports_key(text, names[i]);
            em__text_add(text, "{\"energy_j\":");
            em__reports_real(text, channels[i].counted_j);
            em__text_add(text, ",\"uncertainty_j\":");
            em__reports_real(text, channels[i].uncertainty_j);
            em__text_add(text, "}");
        }
    }
    em__text_add(text, "}");
}

void em__line_json(em__text *text, const em__line *line, const char *const *names, const em_energy *channels,
                   size_t count)
{
    const em__line shown = shown_of(line);
    int has_basis = 0;
    em__text_add(text, "{");
    for (size_t i = 0; i < COLUMNS; i++) {
        if (columns[i].shape != OF_CARBON) {
            add_json(text, &columns[i], &shown);
        } else if (!has_basis) {
            em__summary_basis(text, line->carbon);
            has_basis = 1;
        }
    }
    add_channels(text, names, channels, count);
    em__text_add(text, "}\n");
}
