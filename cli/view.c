/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Rows of channels, as many columns as fit, and below them a graph of the total. */
#include "view.h"

#include <math.h>
#include <string.h>

enum {
    COLUMN = 9,
    LEAST_GRAPH = 8,
    MOST_NAME = 28,
    LEAST_PANEL = 4,
    QUANTITY = 32,
    LEVELS = 8,
    AXIS = 8,
    SPAN_S = 300
};

static const char *const bold = "1", *const dim = "2", *const green = "32", *const cyan = "36";

typedef enum { NOW, ENERGY, MEAN, MOST, LEAST, CARBON, COLUMNS } column;
static const char *const titles[COLUMNS] = {"now", "energy", "mean", "max", "min", "CO2e"};
static const column shown_order[COLUMNS] = {NOW, LEAST, MEAN, MOST, ENERGY, CARBON};

typedef struct {
    FILE *to;
    const screen *on;
    const history *of;
    size_t line; /* of the screen, from 0 */
    size_t left; /* columns on this line */
    size_t name_width, graph_width;
    int has[COLUMNS];
    size_t per_column; /* samples */
} drawing;

static void begin_line(drawing *d)
{
    fprintf(d->to, "\033[%zu;1H\033[K", ++d->line);
    d->left = d->on->width;
}

static void paint(const drawing *d, const char *color)
{
    if (d->on->has_color) {
        fprintf(d->to, "\033[%sm", color);
    }
}

/* As much as fits, in so many columns; width 0: as many as it needs. Names may hold anything. */
static void put(drawing *d, const char *text, size_t width, int is_right)
{
    size_t length = 0, used = 0, room = width && width < d->left ? width : d->left;
    for (const char *letter = text; *letter; letter++) {
        length += ((unsigned char)*letter & 0xC0) != 0x80;
    }
    for (size_t i = length; is_right && i < room; i++, used++) {
        fputc(' ', d->to);
    }
    for (; *text; text++) {
        int is_begin = ((unsigned char)*text & 0xC0) != 0x80;
        if (is_begin && used++ >= room) {
            used--;
            break;
        }
        int is_control = (unsigned char)*text < ' ' || *text == 0x7f;
        int is_shown = d->on->has_utf8 || !((unsigned char)*text & 0x80);
        if (is_begin || is_shown) {
            fputc(is_control || !is_shown ? '?' : *text, d->to);
        }
    }
    for (; width && used < room; used++) {
        fputc(' ', d->to);
    }
    d->left -= used < d->left ? used : d->left;
}

static void put_quantity(drawing *d, int32_t quantity, double value)
{
    char text[QUANTITY];
    em_quantity_format(quantity, value, text, sizeof text);
    put(d, text, COLUMN, 1);
}

/* ------------------------------------------------------------------------------------------------------------ graphs */

/* Eighths of a cell, from below; without UTF-8 what looks fuller. */
static void put_level(drawing *d, size_t level)
{
    static const char *const blocks[LEVELS + 1] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                                   "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char plain[LEVELS + 2] = " .:-=+*%#";
    if (d->on->has_utf8) {
        fputs(blocks[level], d->to);
    } else {
        fputc(plain[level], d->to);
    }
}

/* The row number from below, of rows, of the power in each column; the newest on the right. */
static void put_graph(drawing *d, const history_track *track, size_t width, size_t row, size_t rows, double most_w)
{
    size_t newest = d->of->samples ? (d->of->samples - 1) / d->per_column : 0;
    for (size_t i = 0; i < width; i++) {
        size_t ago = width - 1 - i;
        double power_w =
            ago <= newest ? history_mean(d->of, track, (newest - ago) * d->per_column, d->per_column) : NAN;
        double eighths = most_w > 0 && !isnan(power_w) ? power_w / most_w * (double)(LEVELS * rows) : 0;
        double here = eighths - (double)(LEVELS * row);
        size_t level = here >= LEVELS ? LEVELS : here > 0 ? (size_t)(here + 0.5) : 0;
        put_level(d, row == 0 && !isnan(power_w) && level == 0 ? 1 : level);
    }
    d->left -= width < d->left ? width : d->left;
}

static double most_of(const drawing *d, const history_track *track, size_t width)
{
    size_t newest = d->of->samples ? (d->of->samples - 1) / d->per_column : 0;
    double most_w = 0;
    for (size_t ago = 0; ago < width && ago <= newest; ago++) {
        double power_w = history_mean(d->of, track, (newest - ago) * d->per_column, d->per_column);
        most_w = power_w > most_w ? power_w : most_w;
    }
    return most_w;
}

/* ------------------------------------------------------------------------------------------------------------- rows */

static void choose_columns(drawing *d)
{
    static const column order[COLUMNS] = {NOW, ENERGY, MEAN, MOST, LEAST, CARBON};
    size_t longest = strlen("total");
    for (size_t i = 0; i < d->of->count; i++) {
        size_t length = d->of->tracks[i].is_counted ? strlen(d->of->tracks[i].name) + 1 : 0;
        longest = length > longest ? length : longest;
    }
    size_t most = d->on->width - COLUMN < MOST_NAME ? d->on->width - COLUMN : MOST_NAME;
    d->name_width = longest < most ? longest : most;
    size_t left = d->on->width - d->name_width;
    for (size_t i = 0; i < COLUMNS && left >= COLUMN; i++) {
        d->has[order[i]] = 1;
        left -= COLUMN;
    }
    d->graph_width = left >= LEAST_GRAPH + 2 ? left - 2 : 0;
}

static void draw_titles(drawing *d)
{
    begin_line(d);
    paint(d, dim);
    put(d, "", d->name_width, 0);
    for (size_t i = 0; i < COLUMNS; i++) {
        if (d->has[shown_order[i]]) {
            put(d, titles[shown_order[i]], COLUMN, 1);
        }
    }
    paint(d, "0");
}

static void draw_row(drawing *d, const history_track *track, int is_total)
{
    const double values[COLUMNS] = {[NOW] = track->now_w,
                                    [ENERGY] = track->energy_j,
                                    [MEAN] = d->of->seconds > 0 ? track->energy_j / d->of->seconds : NAN,
                                    [MOST] = track->most_w,
                                    [LEAST] = track->least_w,
                                    [CARBON] = track->carbon_g};
    begin_line(d);
    paint(d, is_total ? bold : "0");
    if (!is_total) {
        put(d, "", 1, 0);
    }
    put(d, track->name ? track->name : "?", d->name_width - !is_total, 0);
    for (size_t i = 0; i < COLUMNS; i++) {
        column is = shown_order[i];
        if (d->has[is]) {
            put_quantity(d,
                         is == ENERGY   ? EM_QUANTITY_ENERGY
                         : is == CARBON ? EM_QUANTITY_MASS
                                        : EM_QUANTITY_POWER,
                         values[is]);
        }
    }
    paint(d, "0");
    if (d->graph_width) {
        put(d, "", 2, 0);
        paint(d, is_total ? green : cyan);
        put_graph(d, track, d->graph_width, 0, 1, most_of(d, track, d->graph_width));
        paint(d, "0");
    }
}

/* The total, and as many channels as there is room for. */
static void draw_rows(drawing *d, size_t last_line)
{
    size_t counted = 0, shown = 0;
    char text[64];
    for (size_t i = 0; i < d->of->count; i++) {
        counted += d->of->tracks[i].is_counted != 0;
    }
    draw_row(d, history_total(d->of), 1);
    for (size_t i = 0; i < d->of->count && d->line < last_line; i++) {
        if (!d->of->tracks[i].is_counted) {
            continue;
        }
        if (d->line + 1 == last_line && shown + 1 < counted) {
            snprintf(text, sizeof text, " and %zu more", counted - shown);
            begin_line(d);
            put(d, text, 0, 0);
            return;
        }
        draw_row(d, &d->of->tracks[i], 0);
        shown++;
    }
    if (counted == 0 && d->line < last_line) {
        begin_line(d);
        put(d, " nothing can be measured here: see energy-meter sensors", 0, 0);
    }
}

/* ------------------------------------------------------------------------------------------------------------ panel */

static void draw_basis(drawing *d)
{
    const em_carbon *is = &d->of->carbon;
    char text[512], year[16] = "";
    if (is->year) {
        snprintf(year, sizeof year, ", %d", (int)is->year);
    }
    snprintf(text, sizeof text, "CO2e at %.4g g/kWh%s%.60s%s%s%.20s, %.200s; PUE %.4g%s", is->g_per_kwh,
             is->zone ? " of " : "", is->zone ? is->zone : "", year, is->method ? ", " : "",
             is->method ? is->method : "", is->source ? is->source : "of unknown source", is->pue,
             is->is_default ? "; --location sets it" : "");
    begin_line(d);
    put(d, text, 0, 0);
}

static void draw_panel(drawing *d)
{
    size_t rows = d->on->height - d->line - 3, width = d->on->width - AXIS - 1;
    double most_w = most_of(d, history_total(d->of), width), seconds;
    char text[QUANTITY];
    begin_line(d);
    for (size_t row = rows; row-- > 0;) {
        begin_line(d);
        paint(d, dim);
        if (row + 1 == rows || row == 0) {
            em_quantity_format(EM_QUANTITY_POWER, row ? most_w : 0, text, sizeof text);
            put(d, text, AXIS, 1);
        } else {
            put(d, "", AXIS, 0);
        }
        put(d, " ", 1, 0);
        paint(d, "0");
        paint(d, green);
        put_graph(d, history_total(d->of), width, row, rows, most_w);
        paint(d, "0");
    }
    begin_line(d);
    paint(d, dim);
    seconds =
        (double)(width * d->per_column) * (d->of->samples > 1 ? d->of->seconds / (double)(d->of->samples - 1) : 0);
    em_quantity_format(EM_QUANTITY_TIME, seconds, text, sizeof text);
    put(d, "", AXIS + 1, 0);
    fputc('-', d->to);
    d->left--;
    put(d, text, d->left > 4 ? d->left - 3 : 1, 0);
    put(d, "now", 0, 0);
    draw_basis(d);
    paint(d, "0");
}

/* Nothing, where there is no room for all of it. */
static void put_whole(drawing *d, const char *text)
{
    size_t length = 0;
    for (const char *letter = text; *letter; letter++) {
        length += ((unsigned char)*letter & 0xC0) != 0x80;
    }
    if (length <= d->left) {
        put(d, text, 0, 0);
    }
}

static void draw_head(drawing *d, double interval_s)
{
    static const char *const words[] = {"", ", integrated", ", estimated"};
    char text[512], value[QUANTITY];
    const history_track *total = history_total(d->of);
    unsigned long seconds = (unsigned long)d->of->seconds;
    int32_t from = d->of->provenance;
    begin_line(d);
    paint(d, bold);
    em_quantity_format(EM_QUANTITY_ENERGY, total->energy_j, value, sizeof value);
    snprintf(text, sizeof text, "%lu:%02lu:%02lu  %s", seconds / 3600, seconds / 60 % 60, seconds % 60, value);
    put(d, text, 0, 0);
    paint(d, "0");
    em_quantity_format(EM_QUANTITY_ENERGY, d->of->uncertainty_j, value, sizeof value);
    snprintf(text, sizeof text, " %s %s%s", d->on->has_utf8 ? "\u00b1" : "+-", value,
             from >= 0 && from <= EM_FROM_ESTIMATED ? words[from] : "");
    put_whole(d, text);
    em_quantity_format(EM_QUANTITY_MASS, total->carbon_g, value, sizeof value);
    snprintf(text, sizeof text, "  %s CO2e", value);
    put_whole(d, text);
    snprintf(text, sizeof text, "  %.200s", d->of->device ? d->of->device : "");
    put_whole(d, text);
    snprintf(text, sizeof text, "  every %g s, q quits", interval_s);
    if (d->left >= strlen(text)) {
        paint(d, dim);
        put(d, text, d->left, 1);
        paint(d, "0");
    }
}

void view_draw(FILE *to, const screen *on, const history *of, double interval_s)
{
    drawing d = {.to = to, .on = on, .of = of, .per_column = 1};
    choose_columns(&d);
    size_t width = d.on->width - AXIS - 1, wanted = (size_t)(SPAN_S / interval_s);
    while (d.per_column * width < wanted && d.per_column * width < of->samples) {
        d.per_column *= 2;
    }
    size_t rows = 3;
    for (size_t i = 0; i < of->count; i++) {
        rows += of->tracks[i].is_counted != 0;
    }
    int has_panel = on->height >= rows + LEAST_PANEL + 3;
    draw_head(&d, interval_s);
    if (on->height > 5) {
        draw_titles(&d);
    }
    draw_rows(&d, on->height);
    if (has_panel) {
        draw_panel(&d);
    }
    fprintf(to, "\033[0m");
    while (d.line < on->height) {
        begin_line(&d);
    }
}

/* ------------------------------------------------------------------------------------------------------------- JSON */

static void put_string(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            fprintf(to, "\\%c", *text);
        } else if ((unsigned char)*text < ' ') {
            fprintf(to, "\\u%04x", (unsigned)*text);
        } else {
            fputc(*text, to);
        }
    }
    fputc('"', to);
}

static void put_number(FILE *to, const char *key, double value)
{
    if (isfinite(value)) {
        fprintf(to, "\"%s\":%.9g", key, value);
    } else {
        fprintf(to, "\"%s\":null", key);
    }
}

static void put_track(FILE *to, const history_track *track)
{
    put_number(to, "power_w", track->now_w);
    fputc(',', to);
    put_number(to, "energy_j", track->energy_j);
    fputc(',', to);
    put_number(to, "carbon_g", track->carbon_g);
}

void view_json(FILE *to, const history *of)
{
    int has_one = 0;
    fputs("{\"schema\":1,", to);
    put_number(to, "duration_s", of->seconds);
    fputc(',', to);
    put_track(to, history_total(of));
    fputc(',', to);
    put_number(to, "uncertainty_j", of->uncertainty_j);
    fputs(",\"channels\":{", to);
    for (size_t i = 0; i < of->count; i++) {
        if (of->tracks[i].is_counted) {
            fputs(has_one++ ? "," : "", to);
            put_string(to, of->tracks[i].name);
            fputs(":{", to);
            put_track(to, &of->tracks[i]);
            fputc('}', to);
        }
    }
    fputs("}}\n", to);
}
