/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Runs beside each other, and each one's difference from the first, as a table or as JSON. */
#include "core/text.h"
#include "metrics/summary.h"
#include "reports/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN = 10, WIDE = 20, NAME_LIMIT = 40 };

typedef struct {
    const em_runs *runs;
    size_t count, least;
    em_repeat *repeats;
    em_comparison *comparisons; /* number 0 is of nothing */
} sheet;

static const char *name_of(const sheet *of, size_t index, char buffer[32])
{
    if (of->runs[index].name) {
        return of->runs[index].name;
    }
    em__print(buffer, 32, "run %zu", index + 1);
    return buffer;
}

/* ------------------------------------------------------------------------------------------------------------- words */

static const char scatter_unknown[] =
    "Made from one run alone, which does not tell how much runs scatter: energy-meter "
    "run --repeat 5 does.";
static const char not_comparable[] = "They are of different machines or channels: what the sensors are off by does not "
                                     "cancel, and may be the whole difference.";
static const char not_complete[] = "Of one of them a part is missing.";

static int is_whole(const sheet *of, size_t index)
{
    for (size_t i = 0; i < of->runs[index].count; i++) {
        if (!of->runs[index].summaries[i]->facts.run_is_complete) {
            return 0;
        }
    }
    return 1;
}

/* Up to three sentences; how many. */
static size_t doubts(const sheet *of, size_t index, const char *sentences[3])
{
    size_t count = 0;
    if (isnan(of->comparisons[index].scatter_j)) {
        sentences[count++] = scatter_unknown;
    }
    if (!of->comparisons[index].is_comparable) {
        sentences[count++] = not_comparable;
    }
    if (!is_whole(of, 0) || !is_whole(of, index)) {
        sentences[count++] = not_complete;
    }
    return count;
}

/* The whole uncertainty of the mean of one side: gain, and how edges or runs scatter. */
static double doubt_of(const sheet *of, size_t index)
{
    const em_runs *runs = &of->runs[index];
    const em_repeat *repeat = &of->repeats[index];
    double edge_j2 = 0;
    for (size_t i = 0; i < runs->count; i++) {
        double edge_j = runs->summaries[i]->groups[0].total.edge_j;
        edge_j2 += isfinite(edge_j) ? edge_j * edge_j : 0;
    }
    double edge_j = sqrt(edge_j2) / (double)runs->count, interval_j = repeat->energy_j.interval;
    double scatter_j = isnan(interval_j) ? edge_j : fmax(edge_j, interval_j);
    return sqrt(repeat->gain_j * repeat->gain_j + scatter_j * scatter_j);
}

/* ------------------------------------------------------------------------------------------------------------- table */

static void add_cell(em__text *text, em__quantity quantity, double value, size_t width)
{
    char shown[EM__QUANTITY_SIZE];
    em__reports_right(text, em__reports_quantity(quantity, value, shown), width);
}

static void write_rows(em__text *text, const sheet *of)
{
    char buffer[32], number[24], energy[EM__QUANTITY_SIZE], doubt[EM__QUANTITY_SIZE], both[2 * EM__QUANTITY_SIZE + 4];
    size_t width = strlen("Run");
    for (size_t i = 0; i < of->count; i++) {
        size_t needed = em__reports_width(name_of(of, i, buffer));
        width = needed > width && needed <= NAME_LIMIT ? needed : width;
    }
    em__reports_cell(text, "Run", width);
    em__reports_right(text, "runs", 4);
    em__reports_right(text, "time", COLUMN);
    em__reports_right(text, "energy", WIDE);
    em__reports_right(text, "power", COLUMN);
    em__reports_right(text, "CO2e", COLUMN);
    em__text_add(text, "\n");
    for (size_t i = 0; i < of->count; i++) {
        const em_repeat *repeat = &of->repeats[i];
        em__print(number, sizeof number, "%zu", repeat->count);
        em__print(both, sizeof both, "%s \xc2\xb1 %s",
                  em__reports_quantity(EM__QUANTITY_ENERGY, repeat->energy_j.mean, energy),
                  em__reports_quantity(EM__QUANTITY_ENERGY, doubt_of(of, i), doubt));
        em__reports_name(text, name_of(of, i, buffer), 0, width);
        em__reports_right(text, number, 4);
        add_cell(text, EM__QUANTITY_TIME, repeat->duration_s.mean, COLUMN);
        em__reports_right(text, both, WIDE);
        add_cell(text, EM__QUANTITY_POWER, repeat->power_w.mean, COLUMN);
        add_cell(text, EM__QUANTITY_MASS, repeat->carbon_g.mean, COLUMN);
        em__text_add(text, "\n");
    }
}

static void write_verdict(em__text *text, const sheet *of, size_t index)
{
    const em_comparison *is = &of->comparisons[index];
    char mine[32], first[32], apart[EM__QUANTITY_SIZE], doubt[EM__QUANTITY_SIZE];
    em__text sentence = {0};
    em__text_format(&sentence, "%s used %s %s than %s", name_of(of, index, mine),
                    em__reports_quantity(EM__QUANTITY_ENERGY, fabs(is->difference_j), apart),
                    is->difference_j < 0 ? "less" : "more", name_of(of, 0, first));
    if (isfinite(is->ratio)) {
        em__text_add(&sentence, " (");
        em__text_fixed(&sentence, 100 * fabs(is->ratio - 1), 1);
        em__text_add(&sentence, " %)");
    }
    em__text_format(&sentence, ", \xc2\xb1 %s: %s", em__reports_quantity(EM__QUANTITY_ENERGY, is->uncertainty_j, doubt),
                    is->stands ? "the difference stands." : "that is no more than the doubt, so neither used less.");
    const char *sentences[3];
    size_t count = doubts(of, index, sentences);
    char *words = em__text_finish(&sentence, NULL);
    text->failed |= !words;
    em__text_add(text, "\n");
    em__reports_wrap(text, words ? words : "", 0, 0);
    free(words);
    for (size_t i = 0; i < count; i++) {
        em__text_add(text, "  ");
        em__reports_wrap(text, sentences[i], 2, 2);
    }
}

/* ------------------------------------------------------------------------------------------------------------ JSON */

static void write_sides(em__text *json, const sheet *of)
{
    char buffer[32];
    em__reports_open(json, "runs", "[");
    for (size_t i = 0; i < of->count; i++) {
        const em_repeat *repeat = &of->repeats[i];
        em__reports_comma(json);
        em__text_add(json, "{");
        em__reports_named_text(json, "name", name_of(of, i, buffer));
        em__reports_key(json, "count");
        em__text_format(json, "%zu", repeat->count);
        em__reports_named_real(json, "duration_s", repeat->duration_s.mean);
        em__reports_named_real(json, "energy_j", repeat->energy_j.mean);
        em__reports_named_real(json, "energy_sd_j", repeat->energy_j.sd);
        em__reports_named_real(json, "uncertainty_j", doubt_of(of, i));
        em__reports_named_real(json, "avg_power_w", repeat->power_w.mean);
        em__reports_named_real(json, "carbon_g", repeat->carbon_g.mean);
        em__text_add(json, "}");
    }
    em__text_add(json, "]");
}

static void write_difference(em__text *json, const sheet *of, size_t index)
{
    const em_comparison *is = &of->comparisons[index];
    char buffer[32];
    em__reports_comma(json);
    em__text_add(json, "{");
    em__reports_named_text(json, "name", name_of(of, index, buffer));
    em__reports_named_text(json, "than", name_of(of, 0, buffer));
    em__reports_named_real(json, "difference_j", is->difference_j);
    em__reports_named_real(json, "ratio", is->ratio);
    em__reports_named_real(json, "uncertainty_j", is->uncertainty_j);
    em__reports_named_real(json, "uncertainty_gain_j", is->gain_j);
    em__reports_named_real(json, "uncertainty_edge_j", is->edge_j);
    em__reports_named_real(json, "scatter_j", is->scatter_j);
    em__reports_key(json, "stands");
    em__text_add(json, is->stands ? "true" : "false");
    em__reports_key(json, "comparable");
    em__text_add(json, is->is_comparable ? "true" : "false");
    em__reports_open(json, "reasons", "[");
    const char *sentences[3];
    size_t count = doubts(of, index, sentences);
    for (size_t i = 0; i < count; i++) {
        em__reports_comma(json);
        em__text_json(json, sentences[i]);
    }
    em__text_add(json, "]}");
}

static void write_json(em__text *json, const sheet *of)
{
    char buffer[32];
    em__text_add(json, "{");
    em__reports_key(json, "schema");
    em__text_add(json, "1");
    write_sides(json, of);
    em__reports_named_text(json, "least", name_of(of, of->least, buffer));
    em__reports_open(json, "differences", "[");
    for (size_t i = 1; i < of->count; i++) {
        write_difference(json, of, i);
    }
    em__text_add(json, "]}\n");
}

static void write_text(em__text *text, const sheet *of)
{
    write_rows(text, of);
    for (size_t i = 1; i < of->count; i++) {
        write_verdict(text, of, i);
    }
}

/* ------------------------------------------------------------------------------------------------------------- both */

/* "a[2]" and "b[0]" are which runs of which side; a caller knows them by the number of the side. */
static void name_side(em_error *error, size_t index)
{
    if (error && error->size >= sizeof *error && (error->argument[0] == 'a' || error->argument[0] == 'b')) {
        em__print(error->argument, sizeof error->argument, "runs[%zu]", error->argument[0] == 'a' ? (size_t)0 : index);
    }
}

static int fill(sheet *of, uint32_t flags, em_error *ret_error)
{
    for (size_t i = 0; i < of->count; i++) {
        of->repeats[i].size = sizeof of->repeats[i];
        of->comparisons[i].size = sizeof of->comparisons[i];
        int status =
            i > 0 ? em_summary_compare(&of->runs[0], &of->runs[i], flags, ret_error, &of->comparisons[i]) : EM_OK;
        if (status != EM_OK) {
            name_side(ret_error, i);
            return status;
        }
        status = em_summary_repeat(&of->runs[i], &of->repeats[i]);
        if (status != EM_OK) {
            return status;
        }
        of->least = of->repeats[i].energy_j.mean < of->repeats[of->least].energy_j.mean ? i : of->least;
    }
    return EM_OK;
}

int em_summary_compare_format(const em_runs *runs, size_t count, uint32_t flags, int32_t format, em_error *ret_error,
                              char **ret_text, size_t *ret_length)
{
    if (!runs || count < 2 || count > SIZE_MAX / sizeof(em_comparison) || !ret_text ||
        (format != EM_FORMAT_TEXT && format != EM_FORMAT_JSON)) {
        return EM_ERR_INVALID;
    }
    sheet of = {.runs = runs, .count = count};
    of.repeats = calloc(count, sizeof *of.repeats);
    of.comparisons = calloc(count, sizeof *of.comparisons);
    int status = of.repeats && of.comparisons ? fill(&of, flags, ret_error) : EM_ERR_NO_MEMORY;
    if (status == EM_OK) {
        em__text text = {0};
        if (format == EM_FORMAT_JSON) {
            write_json(&text, &of);
        } else {
            write_text(&text, &of);
        }
        char *words = em__text_finish(&text, ret_length);
        status = words ? EM_OK : EM_ERR_NO_MEMORY;
        *ret_text = words ? words : *ret_text;
    }
    free(of.repeats);
    free(of.comparisons);
    return status;
}
