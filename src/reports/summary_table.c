/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The summary for people. */
#include "core/text.h"
#include "metrics/energy.h"
#include "reports/layout.h"
#include "reports/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LIMIT = 26, LABEL = 10 };

static void add_quantity(em__text *text, em__quantity quantity, double value, size_t width)
{
    char buffer[EM__QUANTITY_SIZE];
    em__reports_right(text, em__reports_quantity(quantity, value, buffer), width);
}

static void add_percent(em__text *text, double part, double whole)
{
    em__text_fixed(text, whole > 0 ? 100 * part / whole : 0, 1);
    em__text_add(text, " %");
}

static void write_run(em__text *text, const em__view *view)
{
    static const struct {
        int32_t domain;
        const char *title;
    } parts[] = {{EM_DOMAIN_CPU, "CPU"}, {EM_DOMAIN_GPU, "GPU"}, {EM_DOMAIN_DRAM, "DRAM"}, {EM_DOMAIN_OTHER, "other"}};
    char duration[EM__QUANTITY_SIZE], energy[EM__QUANTITY_SIZE], power[EM__QUANTITY_SIZE], mass[EM__QUANTITY_SIZE];
    const double total_j = em__view_energy(view->run.total.energy_j), seconds = em__view_seconds(view->run.duration_ns);
    char doubt[EM__QUANTITY_SIZE];
    em__text_format(text, "Run: %s, %s \xc2\xb1 %s (%s on average), %s CO2e%s\n",
                    em__reports_quantity(EM__QUANTITY_TIME, seconds, duration),
                    em__reports_quantity(EM__QUANTITY_ENERGY, total_j, energy),
                    em__reports_quantity(EM__QUANTITY_ENERGY, em__view_energy(view->run.total.uncertainty_j), doubt),
                    em__reports_quantity(EM__QUANTITY_POWER, seconds > 0 ? total_j / seconds : 0, power),
                    em__reports_quantity(EM__QUANTITY_MASS, em__view_energy(view->run.carbon_g), mass),
                    view->facts->run_is_final ? "" : ", so far");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        double energy_j = view->run.by_domain[parts[i].domain].energy_j;
        if (isfinite(energy_j)) {
            em__text_add(text, "  ");
            em__reports_cell(text, parts[i].title, LABEL);
            add_quantity(text, EM__QUANTITY_ENERGY, energy_j, LABEL);
            em__text_add(text, "  ");
            add_percent(text, energy_j, total_j);
            em__text_add(text, "\n");
        }
    }
    em__text_add(text, " ");
    for (int32_t from = EM_FROM_MEASURED; from <= EM_FROM_ESTIMATED; from++) {
        em__text_format(text, "%s %s ", from > EM_FROM_MEASURED ? "," : "", em__reports_provenance(from));
        add_percent(text, em__view_energy(view->run.by_provenance_j[from]), total_j);
    }
    const em__summary_facts *facts = view->facts;
    if (view->epochs.count + view->batches.count + view->named_count == 0) {
        em__text_add(text, "\n");
        return;
    }
    if (facts->unions_are_unknown) {
        em__text_add(text, "\n  in epochs and batches: not known, since processes measured the same devices at once\n");
        return;
    }
    em__text_format(text, "\n  in epochs %s,", em__reports_quantity(EM__QUANTITY_ENERGY, facts->in_epochs_j, energy));
    em__text_format(text, " in batches %s,", em__reports_quantity(EM__QUANTITY_ENERGY, facts->in_batches_j, energy));
    em__text_format(text, " outside all windows %s\n",
                    em__reports_quantity(EM__QUANTITY_ENERGY, facts->outside_windows_j, energy));
}

static void write_channels(em__text *text, const em__view *view)
{
    size_t count = em_summary_channel_count(view->summary), width = strlen("Channel");
    for (size_t i = 0; i < count; i++) {
        em_channel channel;
        if (em__view_counted(view, i, &channel)) {
            size_t needed = em__reports_width(channel.name);
            width = needed > width && needed <= NAME_LIMIT ? needed : width;
        }
    }
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        em_channel channel;
        if (!em__view_counted(view, i, &channel)) {
            continue;
        }
        if (shown++ == 0) {
            em__text_add(text, "\n");
            em__reports_cell(text, "Channel", width);
            em__reports_right(text, "energy", LABEL);
            em__text_add(text, "  how\n");
        }
        em__reports_name(text, channel.name, 0, width);
        add_quantity(text, EM__QUANTITY_ENERGY, view->facts->devices[i].counted_j, LABEL);
        em_energy energy;
        em_summary_energy(view->summary, 0, i, &energy);
        const char *how = em__reports_provenance(energy.provenance);
        em__text_format(text, "  %s", how);
        if (channel.device_name && channel.device_name[0]) {
            em__text_add(text, ", ");
            em__reports_wrap(text, channel.device_name, width + LABEL + strlen(how) + 8, width + LABEL + 6);
        } else {
            em__text_add(text, "\n");
        }
    }
}

static void write_row(em__text *text, const char *title, const em__row *row, size_t width)
{
    if (row->count == 0) {
        return;
    }
    const double count = (double)row->count, seconds = em__view_seconds(row->duration_ns);
    char number[24];
    em__print(number, sizeof number, "%llu", (unsigned long long)row->count);
    em__reports_name(text, title, 0, width);
    em__reports_right(text, number, LABEL - 2);
    add_quantity(text, EM__QUANTITY_TIME, seconds / count, LABEL - 1);
    add_quantity(text, EM__QUANTITY_ENERGY, row->energy_j / count, LABEL + 1);
    add_quantity(text, EM__QUANTITY_TIME, seconds, LABEL);
    add_quantity(text, EM__QUANTITY_ENERGY, row->energy_j, LABEL + 2);
    add_quantity(text, EM__QUANTITY_MASS, row->carbon_g, LABEL);
    em__text_add(text, "\n");
}

static void write_windows(em__text *text, const em__view *view)
{
    if (view->epochs.count + view->batches.count + view->named_count == 0) {
        return;
    }
    static const char *const titles[] = {"count", "mean time", "mean energy", "total time", "total energy", "CO2e"};
    static const size_t widths[] = {LABEL - 2, LABEL - 1, LABEL + 1, LABEL, LABEL + 2, LABEL};
    size_t width = strlen("Windows");
    for (size_t i = 0; i < view->named_count; i++) {
        size_t needed = em__reports_width(view->named[i].name);
        width = needed > width && needed <= NAME_LIMIT ? needed : width;
    }
    em__text_add(text, "\n");
    em__reports_cell(text, "Windows", width);
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        em__reports_right(text, titles[i], widths[i]);
    }
    em__text_add(text, "\n");
    write_row(text, "epochs", &view->epochs, width);
    write_row(text, "batches", &view->batches, width);
    for (size_t i = 0; i < view->named_count; i++) {
        write_row(text, view->named[i].name, &view->named[i], width);
    }
}

static void add_each(em__text *text, double energy_j)
{
    char buffer[EM__QUANTITY_SIZE];
    if (isfinite(energy_j) && energy_j > 0 && energy_j < 1e-3) {
        em__reports_significant(text, energy_j * 1e6);
        em__text_add(text, " uJ");
    } else {
        em__text_add(text, em__reports_quantity(EM__QUANTITY_ENERGY, energy_j, buffer));
    }
}

static void write_item_row(em__text *text, const char *title, uint64_t items, const em_per_item *each, size_t width)
{
    if (each->windows == 0) {
        return;
    }
    char number[24];
    em__text energy = {0}, rate = {0};
    em__print(number, sizeof number, "%llu", (unsigned long long)items);
    add_each(&energy, each->energy_j);
    if (isfinite(each->energy_j)) {
        em__text_add(&energy, " \xc2\xb1 ");
        add_each(&energy, each->uncertainty_j);
    }
    if (isfinite(each->items_per_j)) {
        em__reports_significant(&rate, each->items_per_j);
    } else {
        em__text_add(&rate, "-");
    }
    char *words = em__text_finish(&energy, NULL), *per_j = em__text_finish(&rate, NULL);
    text->failed |= !words || !per_j;
    em__reports_name(text, title, 0, width);
    em__reports_right(text, number, LABEL + 4);
    em__reports_right(text, words ? words : "", 2 * LABEL + 4);
    em__reports_right(text, per_j ? per_j : "", LABEL);
    em__text_add(text, "\n");
    free(words);
    free(per_j);
}

static void write_items(em__text *text, const em__view *view)
{
    size_t width = strlen("Per item");
    uint64_t windows = view->run.per_item.windows + view->epochs.per_item.windows + view->batches.per_item.windows;
    for (size_t i = 0; i < view->named_count; i++) {
        size_t needed = em__reports_width(view->named[i].name);
        width = needed > width && needed <= NAME_LIMIT ? needed : width;
        windows += view->named[i].per_item.windows;
    }
    if (windows == 0) {
        return;
    }
    em__text_add(text, "\n");
    em__reports_cell(text, "Per item", width);
    em__reports_right(text, "items", LABEL + 4);
    em__reports_right(text, "energy of each", 2 * LABEL + 4);
    em__reports_right(text, "items/J", LABEL);
    em__text_add(text, "\n");
    write_item_row(text, "run", view->run.items, &view->run.per_item, width);
    write_item_row(text, "epochs", view->epochs.items, &view->epochs.per_item, width);
    write_item_row(text, "batches", view->batches.items, &view->batches.per_item, width);
    for (size_t i = 0; i < view->named_count; i++) {
        const em__row *row = &view->named[i];
        write_item_row(text, row->name, row->items, &row->per_item, width);
    }
}

/* A label and a sentence, as wide as the line. */
static void add_paragraph(em__text *text, const char *label, em__text *sentence)
{
    char *words = em__text_finish(sentence, NULL);
    text->failed |= !words;
    em__reports_cell(text, label, LABEL);
    em__reports_wrap(text, words ? words : "", LABEL + 2, LABEL + 2);
    free(words);
}

static void add_tdp(em__text *sentence, const char *what, const em__summary_tdp *tdp)
{
    if (isfinite(tdp->each_w)) {
        em__text_format(sentence, "%s%s ", sentence->length > 0 ? "; " : "", what);
        em__text_number(sentence, tdp->each_w);
        em__text_add(sentence, " W x ");
        em__text_number(sentence, tdp->count);
        em__text_format(sentence, " (%s)", tdp->from ? tdp->from : "unknown");
    }
}

static void add_carbon(em__text *sentence, const em_carbon *carbon)
{
    if (!isfinite(carbon->g_per_kwh)) {
        em__text_add(sentence, "the processes' intensities of electricity differ");
        return;
    }
    em__text_number(sentence, carbon->g_per_kwh);
    em__text_add(sentence, " g CO2e/kWh");
    if (carbon->zone && (carbon->method || !carbon->source)) {
        em__text_format(sentence, " of %s%s%s%s", carbon->zone, carbon->zone_name ? " (" : "",
                        carbon->zone_name ? carbon->zone_name : "", carbon->zone_name ? ")" : "");
    }
    if (carbon->year != 0) {
        em__text_format(sentence, ", %d", (int)carbon->year);
    }
    em__text_format(sentence, "%s%s; %s", carbon->method ? ", " : "", carbon->method ? carbon->method : "",
                    carbon->source ? carbon->source : "of unknown source");
    if (carbon->location) {
        em__text_format(sentence, "; location %s", carbon->location);
    }
    if (isfinite(carbon->pue)) {
        em__text_add(sentence, "; PUE ");
        em__text_number(sentence, carbon->pue);
        em__text_format(sentence, " (%s)", carbon->pue_source ? carbon->pue_source : "of unknown source");
    } else {
        em__text_add(sentence, "; the processes' PUEs differ");
    }
    em__text_add(sentence, carbon->is_default ? ". No location was given: this is the world average" : "");
}

static void add_rates(em__text *text, em__text *sentence, const em__view *view)
{
    const em__summary_facts *facts = view->facts;
    char mass[EM__QUANTITY_SIZE];
    if (isfinite(view->run.embodied_g)) {
        em__text_format(sentence, "%s CO2e of making the machine, its share of ",
                        em__reports_quantity(EM__QUANTITY_MASS, view->run.embodied_g, mass));
        em__text_number(sentence, facts->embodied_kg);
        em__text_add(sentence, " kg over ");
        em__text_number(sentence, facts->lifetime_years);
        em__text_add(sentence, " years; not in the figures above");
        add_paragraph(text, "Embodied", sentence);
    }
    if (isfinite(view->run.cost)) {
        em__reports_significant(sentence, view->run.cost);
        em__text_add(sentence, " at ");
        em__text_number(sentence, facts->price_per_kwh);
        em__text_add(sentence, " for each kWh, in the currency of the price");
        add_paragraph(text, "Cost", sentence);
    }
}

static void write_basis(em__text *text, const em__view *view)
{
    const em__summary_facts *facts = view->facts;
    em__text sentence = {0};
    em__text_add(text, "\n");
    add_carbon(&sentence, &facts->carbon);
    add_paragraph(text, "Carbon", &sentence);
    add_rates(text, &sentence, view);
    add_tdp(&sentence, "CPU", &facts->tdp_cpu);
    add_tdp(&sentence, "GPU", &facts->tdp_gpu);
    for (size_t i = 0; i < facts->tdp_unused_count; i++) {
        em__text_format(&sentence, "%s%s is not used: no model needed it", sentence.length > 0 ? "; " : "",
                        facts->tdp_unused[i]);
    }
    if (sentence.length > 0) {
        add_paragraph(text, "TDP", &sentence);
    }
    if (isfinite(facts->overhead.fraction)) {
        em__text_fixed(&sentence, 100 * facts->overhead.fraction, 4);
        em__text_add(&sentence, " % of the time was spent in begin and end, reads at edges included (limit ");
        em__text_number(&sentence, 100 * facts->overhead.limit);
        em__text_add(&sentence, " %)");
        add_paragraph(text, "Overhead", &sentence);
    }
    for (size_t i = 0; i < facts->missing_count; i++) {
        em__text_format(&sentence, "%s: %s", facts->missing[i].channel ? facts->missing[i].channel : "unknown",
                        facts->missing[i].reason ? facts->missing[i].reason : "unknown");
        add_paragraph(text, i == 0 ? "Missing" : "", &sentence);
    }
}

void em__summary_table(em__text *text, const em__view *view)
{
    write_run(text, view);
    write_channels(text, view);
    write_windows(text, view);
    write_items(text, view);
    write_basis(text, view);
}
