/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Gathers a summary's groups into the rows of its reports. */
#include "reports/view.h"

#include "core/units.h"
#include "metrics/items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double em__view_energy(double energy_j)
{
    return isfinite(energy_j) ? energy_j : 0;
}

double em__view_seconds(uint64_t ns)
{
    return (double)ns / (double)EM__NS_PER_S;
}

/* Of what is independent. */
static double both(double a, double b)
{
    return sqrt(a * a + b * b);
}

/* The devices are the same, and so is what they are off by: the uncertainties add up. */
static void add_items(em__row *sum, const em__row *row)
{
    double before = (double)sum->items, more = (double)row->items;
    if (row->per_item.windows == 0) {
        return;
    }
    double energy_j = row->items > 0 ? row->per_item.energy_j * more : 0;
    double doubt_j = row->items > 0 ? row->per_item.uncertainty_j * more : 0;
    if (sum->items > 0) {
        energy_j += sum->per_item.energy_j * before;
        doubt_j += sum->per_item.uncertainty_j * before;
    }
    sum->items += row->items;
    sum->items = sum->items < EM_MOST_ITEMS ? sum->items : EM_MOST_ITEMS;
    double count = sum->items > 0 ? (double)sum->items : NAN;
    sum->per_item = em__per_item_of(energy_j / count, doubt_j / count, sum->per_item.windows + row->per_item.windows);
}

static void add_parts(double *sums, const double *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sums[i] = isnan(sums[i]) ? parts[i] : isnan(parts[i]) ? sums[i] : sums[i] + parts[i];
    }
}

static void add_row(em__row *sum, const em__row *row)
{
    add_parts(sum->by_domain_j, row->by_domain_j, EM_DOMAINS);
    add_parts(sum->by_provenance_j, row->by_provenance_j, EM_PROVENANCES);
    if (sum->per_item.windows == 0) {
        sum->items = row->items;
        sum->per_item = row->per_item;
    } else {
        add_items(sum, row);
    }
    sum->count += row->count;
    sum->duration_ns += row->duration_ns;
    sum->energy_j += row->energy_j;
    sum->carbon_g += row->carbon_g;
    sum->cost += row->cost;
    sum->embodied_g += row->embodied_g;
    sum->distinct_j = sum->count == row->count ? row->distinct_j : NAN;
    sum->gain_j += row->gain_j; /* Of the same devices: it does not average out. */
    sum->edge_j = both(sum->edge_j, row->edge_j);
    sum->uncertainty_j = both(sum->gain_j, sum->edge_j);
}

/* Of a group whose energy cannot be told, NAN. */
static double known(const em_energy *energy, double value)
{
    return energy->status == EM_ERR_UNAVAILABLE && !isfinite(energy->energy_j) ? NAN : em__view_energy(value);
}

static em__row row_of(const em_group *group, const em__summary_facts *facts)
{
    em__row row = {.name = group->name,
                   .count = group->count,
                   .duration_ns = group->duration_ns,
                   .energy_j = known(&group->total, group->total.energy_j),
                   .carbon_g = known(&group->total, group->carbon_g),
                   .cost = isfinite(facts->price_per_kwh) ? known(&group->total, group->cost) : NAN,
                   .embodied_g = group->embodied_g,
                   .items = group->items,
                   .per_item = group->per_item,
                   .distinct_j = known(&group->distinct, group->distinct.energy_j),
                   .uncertainty_j = known(&group->total, group->total.uncertainty_j),
                   .gain_j = known(&group->total, group->total.gain_j),
                   .edge_j = known(&group->total, group->total.edge_j)};
    double parts_j = 0;
    for (size_t i = 0; i < EM_DOMAINS; i++) {
        row.by_domain_j[i] = group->by_domain[i].energy_j;
        parts_j += em__view_energy(group->by_domain[i].energy_j);
    }
    for (size_t i = 0; i < EM_PROVENANCES; i++) { /* A row that was read tells no parts. */
        row.by_provenance_j[i] = parts_j > 0 ? group->by_provenance_j[i] : NAN;
    }
    return row;
}

static int by_name(const void *left, const void *right)
{
    const em__row *a = left, *b = right;
    return strcmp(a->name, b->name);
}

int em__view_init(em__view *ret_view, const em_summary *summary, const em__summary_facts *facts)
{
    size_t count = em_summary_group_count(summary), found = 0;
    em__view view = {.summary = summary, .facts = facts, .run = {.size = sizeof view.run}};
    view.named = calloc(count + 1, sizeof *view.named);
    if (!view.named) {
        return EM_ERR_NO_MEMORY;
    }
    view.run.process_cpu_share = NAN; /* of a summary without a run */
    view.batches.cost = view.epochs.cost = 0 * facts->price_per_kwh;
    view.batches.embodied_g = view.epochs.embodied_g = 0 * facts->embodied_kg;
    for (size_t i = 0; i < EM_DOMAINS; i++) {
        view.run.by_domain[i].energy_j = NAN;
        view.batches.by_domain_j[i] = view.epochs.by_domain_j[i] = NAN;
    }
    for (size_t i = 0; i < EM_PROVENANCES; i++) {
        view.batches.by_provenance_j[i] = view.epochs.by_provenance_j[i] = NAN;
    }
    for (size_t i = 0; i < count; i++) {
        em_group group = {.size = sizeof group};
        if (em_summary_group(summary, i, &group) != EM_OK) {
            continue;
        }
        const em__row row = row_of(&group, facts);
        if (i == 0) {
            view.run = group;
        } else if (group.name) {
            view.named[found++] = row;
        } else if (group.kind == EM_WINDOW_BATCH) {
            add_row(&view.batches, &row);
        } else if (group.kind == EM_WINDOW_EPOCH) {
            add_row(&view.epochs, &row);
        }
    }
    qsort(view.named, found, sizeof *view.named, by_name);
    for (size_t i = 0; i < found; i++) {
        em__row *last = view.named_count > 0 ? &view.named[view.named_count - 1] : NULL;
        if (last && strcmp(last->name, view.named[i].name) == 0) {
            add_row(last, &view.named[i]);
        } else {
            view.named[view.named_count++] = view.named[i];
        }
    }
    *ret_view = view;
    return EM_OK;
}

void em__view_free(em__view *view)
{
    free(view->named);
}

int em__view_counted(const em__view *view, size_t channel, em_channel *ret_channel)
{
    if (!view->facts->devices || !isfinite(view->facts->devices[channel].counted_j)) {
        return 0;
    }
    *ret_channel = (em_channel){.size = sizeof *ret_channel};
    return em_summary_channel(view->summary, channel, ret_channel) == EM_OK;
}
