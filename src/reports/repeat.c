/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Several runs of one program: their spread as a table or as JSON, and that JSON back to summaries. */
#include "core/text.h"
#include "metrics/summary.h"
#include "reports/layout.h"
#include "reports/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 10, COLUMN = 12 };

static void add_cell(em__text *text, em__quantity quantity, double value, size_t width)
{
    char shown[EM__QUANTITY_SIZE];
    em__reports_right(text, em__reports_quantity(quantity, value, shown), width);
}

static void write_line(em__text *text, const char *title, em__quantity quantity, const em_spread *spread)
{
    char shown[EM__QUANTITY_SIZE];
    em__text plus_minus = {0};
    em__reports_cell(text, title, LABEL);
    add_cell(text, quantity, spread->mean, COLUMN);
    add_cell(text, quantity, spread->sd, COLUMN);
    if (isnan(spread->interval)) {
        em__text_add(text, "             -\n");
        return;
    }
    em__text_format(&plus_minus, "\xc2\xb1 %s", em__reports_quantity(quantity, spread->interval, shown));
    char *words = em__text_finish(&plus_minus, NULL);
    text->failed |= !words;
    em__reports_right(text, words ? words : "", COLUMN);
    free(words);
    if (spread->mean > 0) {
        em__text_add(text, "  ");
        em__text_fixed(text, 100 * spread->interval / spread->mean, 1);
        em__text_add(text, " %");
    }
    em__text_add(text, "\n");
}

static void write_text(em__text *text, const em_repeat *repeat)
{
    char shown[EM__QUANTITY_SIZE];
    char title[32];
    em__print(title, sizeof title, "%zu run%s", repeat->count, repeat->count == 1 ? "" : "s");
    em__reports_cell(text, title, LABEL);
    em__reports_right(text, "mean", COLUMN);
    em__reports_right(text, "deviation", COLUMN);
    em__reports_right(text, "95 % of means", COLUMN);
    em__text_add(text, "\n");
    write_line(text, "time", EM__QUANTITY_TIME, &repeat->duration_s);
    write_line(text, "energy", EM__QUANTITY_ENERGY, &repeat->energy_j);
    write_line(text, "power", EM__QUANTITY_POWER, &repeat->power_w);
    write_line(text, "CO2e", EM__QUANTITY_MASS, &repeat->carbon_g);
    em__text_format(text,
                    "What the sensors are off by, %s at most, is the same in all runs and not in these figures.\n",
                    em__reports_quantity(EM__QUANTITY_ENERGY, repeat->gain_j, shown));
}

static void write_spread(em__text *json, const char *key, const em_spread *spread)
{
    em__reports_open(json, key, "{");
    em__reports_named_real(json, "mean", spread->mean);
    em__reports_named_real(json, "sd", spread->sd);
    em__reports_named_real(json, "interval_95", spread->interval);
    em__text_add(json, "}");
}

static void write_json(em__text *json, const em_runs *runs, const em_repeat *repeat)
{
    em__text_add(json, "{");
    em__reports_key(json, "schema");
    em__text_add(json, "1");
    em__reports_open(json, "repeat", "{");
    em__reports_key(json, "count");
    em__text_format(json, "%zu", repeat->count);
    write_spread(json, "duration_s", &repeat->duration_s);
    write_spread(json, "energy_j", &repeat->energy_j);
    write_spread(json, "avg_power_w", &repeat->power_w);
    write_spread(json, "carbon_g", &repeat->carbon_g);
    em__reports_named_real(json, "uncertainty_gain_j", repeat->gain_j);
    em__text_add(json, "}");
    em__reports_open(json, "runs", "[");
    for (size_t i = 0; i < runs->count; i++) {
        char *one = em__reports_summary(runs->summaries[i], &runs->summaries[i]->facts, EM_FORMAT_JSON, NULL);
        json->failed |= !one;
        em__reports_comma(json);
        em__text_add(json, one ? one : "null");
        free(one);
    }
    em__text_add(json, "]}\n");
}

/* One line a run, and a line of titles before them. */
static void write_csv(em__text *csv, const em_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        char *one = em__reports_summary(runs->summaries[i], &runs->summaries[i]->facts, EM_FORMAT_CSV, NULL);
        const char *titles_end = one ? strchr(one, '\n') : NULL;
        csv->failed |= !titles_end;
        em__text_add(csv, !titles_end ? "" : i == 0 ? one : titles_end + 1);
        free(one);
    }
}

int em_summary_repeat_format(const em_runs *runs, int32_t format, char **ret_text, size_t *ret_length)
{
    em_repeat repeat = {.size = sizeof repeat};
    int is_known = format == EM_FORMAT_TEXT || format == EM_FORMAT_JSON || format == EM_FORMAT_CSV;
    int status = ret_text && is_known ? em_summary_repeat(runs, &repeat) : EM_ERR_INVALID;
    if (status != EM_OK) {
        return status;
    }
    em__text text = {0};
    if (format == EM_FORMAT_JSON) {
        write_json(&text, runs, &repeat);
    } else if (format == EM_FORMAT_CSV) {
        write_csv(&text, runs);
    } else {
        write_text(&text, &repeat);
    }
    char *words = em__text_finish(&text, ret_length);
    if (!words) {
        return EM_ERR_NO_MEMORY;
    }
    *ret_text = words;
    return EM_OK;
}

int em_summary_parse_run(const char *json, size_t length, size_t index, em_error *ret_error, em_summary **ret_summary)
{
    em__json *document = NULL;
    size_t offset = 0;
    if (!json || !ret_summary) {
        return EM_ERR_INVALID;
    }
    int error = em__json_parse(json, length, &document, &offset);
    if (error < 0) {
        return em__reports_refuse_json(ret_error, error, offset, length);
    }
    const em__json_node *root = em__json_root(document), *runs = em__json_member(root, "runs"), *node = root;
    if (runs && runs->type == EM__JSON_ARRAY && em__json_member(root, "repeat")) {
        node = runs->first;
    }
    for (size_t i = 0; node && i < index; i++) {
        node = node == root ? NULL : node->next;
    }
    int status = node ? em__reports_read(node, ret_error, ret_summary) : EM_ERR_UNKNOWN;
    em__json_destroy(document);
    return status;
}
