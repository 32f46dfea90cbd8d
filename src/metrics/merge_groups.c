/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The windows of a merge. */
#include "metrics/items.h"
#include "metrics/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const em_group *group;
    size_t part, boot;
    uint64_t begin_ns, end_ns;
    int is_shared;
    int is_again; /* the same windows, on another boot of their summary */
} entry;

size_t em__merge_group_limit(const em__merge *merge)
{
    size_t most = 1;
    for (size_t i = 0; i < merge->count; i++) {
        most += merge->parts[i].summary->group_count;
    }
    return most;
}

static int by_group(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    if (a->group->kind != b->group->kind) {
        return a->group->kind < b->group->kind ? -1 : 1;
    }
    const char *one = a->group->name, *other = b->group->name;
    int order = one && other ? strcmp(one, other) : (one != NULL) - (other != NULL);
    if (order != 0) {
        return order;
    }
    if (a->boot != b->boot) {
        return a->boot < b->boot ? -1 : 1;
    }
    return a->begin_ns != b->begin_ns ? (a->begin_ns < b->begin_ns ? -1 : 1)
                                      : (a->part > b->part) - (a->part < b->part);
}

static int is_same_group(const entry *a, const entry *b)
{
    const char *one = a->group->name, *other = b->group->name;
    return a->group->kind == b->group->kind && (one && other ? strcmp(one, other) == 0 : one == other);
}

/* Processes that measured the same devices at the same time had windows there, too: whose energy is in both cannot be
 * told from sums. */
static int can_be_added(const entry *entries, size_t count)
{
    const entry *last = NULL; /* of those of this boot that share devices, the one that ends last */
    for (size_t i = 0; i < count; i++) {
        if (!entries[i].is_shared) {
            continue;
        }
        if (last && last->boot == entries[i].boot && entries[i].begin_ns < last->end_ns) {
            return 0;
        }
        last = last && last->boot == entries[i].boot && last->end_ns > entries[i].end_ns ? last : &entries[i];
    }
    return 1;
}

static double square(double value)
{
    return isfinite(value) ? value * value : 0;
}

static void add_total(em_energy *sum, const em_energy *energy, double gain_j)
{
    sum->energy_j += energy->energy_j;
    sum->counted_j = sum->energy_j;
    sum->edge_j = sqrt(square(sum->edge_j) + square(energy->edge_j));
    sum->gain_j = gain_j;
    sum->uncertainty_j = sqrt(square(sum->gain_j) + square(sum->edge_j));
    sum->provenance = energy->provenance > sum->provenance ? energy->provenance : sum->provenance;
    sum->resolution = energy->resolution > sum->resolution ? energy->resolution : sum->resolution;
    sum->status = energy->status ? energy->status : sum->status;
    sum->notes |= energy->notes;
}

static const em_energy unknown = {NAN, NAN, NAN, NAN, NAN, .status = EM_ERR_UNAVAILABLE};

/* Of the windows that carry items. is_known: their energies add up. */
static void set_items(em_group *sum, const entry *entries, size_t count, int is_known)
{
    double energy_j = 0, boot_doubt_j = 0, doubts_j2 = 0;
    uint64_t windows = 0;
    size_t own = 0, boot = 0;
    for (size_t i = 0; i < count; i++) {
        const em_group *group = entries[i].group;
        if (entries[i].is_again) {
            continue;
        }
        own++;
        double items = group->items > 0 ? (double)group->items : NAN;
        if (own > 1 && entries[i].boot != boot) {
            doubts_j2 += square(boot_doubt_j);
            boot_doubt_j = 0;
        }
        boot = entries[i].boot;
        windows += group->per_item.windows;
        if (group->per_item.windows > 0 && group->items > 0) {
            sum->items += group->items;
            energy_j += group->per_item.energy_j * items;
            boot_doubt_j += group->per_item.uncertainty_j * items;
        }
    }
    sum->items = sum->items < EM_MOST_ITEMS ? sum->items : EM_MOST_ITEMS;
    double each = is_known && sum->items > 0 ? (double)sum->items : NAN;
    sum->per_item = em__per_item_of(energy_j / each, sqrt(doubts_j2 + square(boot_doubt_j)) / each, windows);
}

static void set_group(em__merge *merge, const entry *entries, size_t count)
{
    const em_group *first = entries[0].group;
    em_group sum = {.size = sizeof sum, .kind = first->kind, .process_cpu_share = NAN};
    sum.name = em__summary_keep(merge->summary, first->name);
    size_t own = 0, boot = 0;
    double boot_gain_j = 0, gains_j2 = 0; /* One boot's devices are the same, and those of others independent. */
    for (size_t i = 0; i < count; i++) {
        const em_group *group = entries[i].group;
        if (entries[i].is_again) {
            continue;
        }
        own++;
        sum.count += group->count;
        sum.duration_ns += group->duration_ns;
        sum.distinct_ns += group->distinct_ns;
        sum.carbon_g += isfinite(group->carbon_g) ? group->carbon_g : 0;
        sum.cost += group->cost;
        sum.embodied_g += group->embodied_g;
        if (own > 1 && entries[i].boot != boot) {
            gains_j2 += square(boot_gain_j);
            boot_gain_j = 0;
        }
        boot = entries[i].boot;
        boot_gain_j += sqrt(square(group->total.gain_j));
        add_total(&sum.total, &group->total, sqrt(gains_j2 + square(boot_gain_j)));
        add_total(&sum.distinct, &group->distinct, sqrt(gains_j2 + square(boot_gain_j)));
    }
    for (size_t i = 0; i < EM_DOMAINS; i++) {
        sum.by_domain[i] = unknown;
    }
    if (own == 1) {
        sum = *first;
        sum.name = em__summary_keep(merge->summary, first->name);
    } else if (!can_be_added(entries, count) || !isfinite(sum.total.energy_j)) {
        sum.total = sum.distinct = unknown;
        sum.carbon_g = sum.cost = sum.embodied_g = NAN;
    } else if (!isfinite(sum.distinct.energy_j)) {
        sum.distinct = unknown;
    }
    if (own > 1) {
        set_items(&sum, entries, count, isfinite(sum.total.energy_j));
    }
    merge->summary->groups[merge->summary->group_count++] = sum;
}

int em__merge_groups(em__merge *merge)
{
    size_t count = 0;
    entry *entries = calloc(em__merge_group_limit(merge), sizeof *entries);
    if (!entries) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < merge->count; i++) {
        const em__part *part = &merge->parts[i];
        for (size_t k = 1; k < part->summary->group_count; k++) {
            entries[count++] = (entry){&part->summary->groups[k],
                                       i,
                                       part->boot,
                                       part->begin_ns,
                                       part->end_ns,
                                       merge->is_shared[i],
                                       !part->is_first};
        }
    }
    qsort(entries, count, sizeof *entries, by_group);
    merge->summary->group_count = 1;
    for (size_t i = 0, same; i < count; i += same) {
        for (same = 1; i + same < count && is_same_group(&entries[i], &entries[i + same]); same++) {
        }
        set_group(merge, &entries[i], same);
    }
    free(entries);
    return EM_OK;
}
