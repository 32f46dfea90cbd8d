/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The windows of a merge, and what it knows beside energies. */
#include "core/text.h"
#include "core/units.h"
#include "metrics/items.h"
#include "metrics/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------------- groups */

typedef struct {
    const em_group *group;
    size_t part, boot;
    uint64_t begin_ns, end_ns;
    int is_shared;
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
    for (size_t i = 0; i < count; i++) {
        const em_group *group = entries[i].group;
        double items = group->items > 0 ? (double)group->items : NAN;
        if (i > 0 && entries[i].boot != entries[i - 1].boot) {
            doubts_j2 += square(boot_doubt_j);
            boot_doubt_j = 0;
        }
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
    double boot_gain_j = 0, gains_j2 = 0; /* One boot's devices are the same, and those of others independent. */
    for (size_t i = 0; i < count; i++) {
        const em_group *group = entries[i].group;
        sum.count += group->count;
        sum.duration_ns += group->duration_ns;
        sum.distinct_ns += group->distinct_ns;
        sum.carbon_g += isfinite(group->carbon_g) ? group->carbon_g : 0;
        sum.cost += group->cost;
        sum.embodied_g += group->embodied_g;
        if (i > 0 && entries[i].boot != entries[i - 1].boot) {
            gains_j2 += square(boot_gain_j);
            boot_gain_j = 0;
        }
        boot_gain_j += sqrt(square(group->total.gain_j));
        add_total(&sum.total, &group->total, sqrt(gains_j2 + square(boot_gain_j)));
        add_total(&sum.distinct, &group->distinct, sqrt(gains_j2 + square(boot_gain_j)));
    }
    for (size_t i = 0; i < EM_DOMAINS; i++) {
        sum.by_domain[i] = unknown;
    }
    if (count == 1) {
        sum = *first;
        sum.name = em__summary_keep(merge->summary, first->name);
    } else if (!can_be_added(entries, count) || !isfinite(sum.total.energy_j)) {
        sum.total = sum.distinct = unknown;
        sum.carbon_g = sum.cost = sum.embodied_g = NAN;
    } else if (!isfinite(sum.distinct.energy_j)) {
        sum.distinct = unknown;
    }
    if (count > 1) {
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
            entries[count++] =
                (entry){&part->summary->groups[k], i, part->boot, part->begin_ns, part->end_ns, merge->is_shared[i]};
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

/* -------------------------------------------------------------------------------------------------------------- facts */

static int by_begin(const void *left, const void *right)
{
    const em__stretch *a = left, *b = right;
    return (a->begin_ns > b->begin_ns) - (a->begin_ns < b->begin_ns);
}

uint64_t em__merge_length(em__stretch *runs, size_t count)
{
    uint64_t total_ns = 0;
    qsort(runs, count, sizeof *runs, by_begin);
    for (size_t i = 0, together; i < count; i += together) {
        uint64_t end_ns = runs[i].end_ns;
        for (together = 1; i + together < count && runs[i + together].begin_ns < end_ns; together++) {
            end_ns = runs[i + together].end_ns > end_ns ? runs[i + together].end_ns : end_ns;
        }
        total_ns += together == 1 ? runs[i].run_ns : end_ns - runs[i].begin_ns;
    }
    return total_ns;
}

/* Clocks of several hosts are compared by the wall. */
static int set_length(em__merge *merge)
{
    em__stretch *runs = calloc(merge->count + 1, sizeof *runs);
    if (!runs) {
        return EM_ERR_NO_MEMORY;
    }
    size_t count = 0;
    for (size_t i = 0; i < merge->count; i++) {
        const em__part *part = &merge->parts[i];
        if (em__merge_is_idle(merge, i)) {
            continue;
        }
        uint64_t begin_ns = merge->boot_count > 1 ? part->summary->facts.begin_wall_ns : part->begin_ns;
        runs[count++] =
            (em__stretch){begin_ns, begin_ns + (part->end_ns - part->begin_ns), part->summary->groups[0].duration_ns};
    }
    em_group *run = &merge->summary->groups[0];
    run->duration_ns = run->distinct_ns = em__merge_length(runs, count);
    free(runs);
    return EM_OK;
}

static int is_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* One of each boot: all processes there know the same. */
static em__summary_tdp tdp_of(em__merge *merge, int is_gpu)
{
    em__summary_tdp sum = {.each_w = NAN};
    for (size_t i = 0; i < merge->count; i++) {
        const em__summary_facts *facts = &merge->parts[i].summary->facts;
        const em__summary_tdp *tdp = is_gpu ? &facts->tdp_gpu : &facts->tdp_cpu;
        int is_known = !isfinite(tdp->each_w) || !(tdp->count > 0);
        for (size_t k = 0; k < i && !is_known; k++) {
            const em__summary_facts *before = &merge->parts[k].summary->facts;
            is_known = merge->parts[k].boot == merge->parts[i].boot &&
                       isfinite(is_gpu ? before->tdp_gpu.each_w : before->tdp_cpu.each_w);
        }
        if (!is_known) {
            double before = isfinite(sum.each_w) ? sum.count : 0, count = before + tdp->count;
            double whole_w = tdp->each_w * tdp->count + (before > 0 ? sum.each_w * before : 0);
            sum = (em__summary_tdp){whole_w / count, count, em__summary_keep(merge->summary, tdp->from)};
        }
    }
    return sum;
}

static void set_overhead(em__merge *merge)
{
    em__summary_overhead sum = {0};
    double lived_s = 0;
    sum.limit = merge->parts[0].summary->facts.overhead.limit;
    for (size_t i = 0; i < merge->count; i++) {
        const em__summary_overhead *part = &merge->parts[i].summary->facts.overhead;
        sum.caller_s += part->caller_s;
        sum.sync_s += part->sync_s;
        sum.limit = sum.limit == part->limit ? sum.limit : NAN;
        lived_s += part->fraction > 0 ? part->caller_s / part->fraction
                                      : (double)(merge->parts[i].end_ns - merge->parts[i].begin_ns) / 1e9;
    }
    sum.fraction = lived_s > 0 ? sum.caller_s / lived_s : 0 * sum.caller_s;
    merge->summary->facts.overhead = sum;
}

static void set_missing(em__merge *merge, const em__part *part)
{
    em_summary *summary = merge->summary;
    for (size_t i = 0; i < part->summary->facts.missing_count; i++) {
        const em__summary_missing *missing = &part->summary->facts.missing[i];
        const char *host = part->summary->facts.host;
        char name[256];
        em__print(name, sizeof name, "%.64s%s%.128s", merge->boot_count > 1 && host ? host : "",
                  merge->boot_count > 1 && host ? "/" : "", missing->channel ? missing->channel : "unknown");
        int is_there = 0;
        for (size_t k = 0; k < summary->facts.missing_count && !is_there; k++) {
            is_there =
                is_equal(summary->missing[k].channel, name) && is_equal(summary->missing[k].reason, missing->reason);
        }
        if (!is_there) {
            em__summary_miss(summary, name, missing->reason);
        }
    }
}

static int set_ranks(em__merge *merge)
{
    size_t count = 0;
    for (size_t i = 0; i < merge->count; i++) {
        size_t inside = merge->parts[i].summary->facts.rank_count;
        count += inside > 0 ? inside : 1;
    }
    em__summary_rank *ranks = calloc(count + 1, sizeof *ranks);
    if (!ranks) {
        return EM_ERR_NO_MEMORY;
    }
    merge->summary->facts.ranks = ranks;
    merge->summary->facts.rank_count = count;
    for (size_t i = 0, at = 0; i < merge->count; i++) {
        const em__summary_facts *facts = &merge->parts[i].summary->facts;
        for (size_t k = 0; k < (facts->rank_count > 0 ? facts->rank_count : 1); k++, at++) {
            ranks[at] = facts->rank_count > 0 ? facts->ranks[k]
                                              : (em__summary_rank){facts->host, facts->boot_id, facts->pid,
                                                                   facts->begin_ns, facts->end_ns};
            ranks[at].host = em__summary_keep(merge->summary, ranks[at].host);
            ranks[at].boot_id = em__summary_keep(merge->summary, ranks[at].boot_id);
        }
    }
    return EM_OK;
}

static void set_scope(em__merge *merge)
{
    em__summary_facts *facts = &merge->summary->facts;
    const em__summary_facts *home = NULL;
    facts->pid = -1;
    for (size_t i = 0; i < merge->count; i++) {
        const em__part *part = &merge->parts[i];
        const em__summary_facts *own = &part->summary->facts;
        int is_first = facts->begin_wall_ns == 0 || own->begin_wall_ns < facts->begin_wall_ns;
        facts->begin_wall_ns = is_first ? own->begin_wall_ns : facts->begin_wall_ns;
        if (merge->boot_count > 1 || (part->summary->channel_count == 0 && merge->count > 1)) {
            continue;
        }
        facts->begin_ns = !home || part->begin_ns < facts->begin_ns ? part->begin_ns : facts->begin_ns;
        facts->end_ns = part->end_ns > facts->end_ns ? part->end_ns : facts->end_ns;
        home = home ? home : own;
    }
    if (home) {
        facts->host = em__summary_keep(merge->summary, home->host);
        facts->boot_id = em__summary_keep(merge->summary, home->boot_id);
    }
}

/* Those of all processes, if each of those that measured something carries items. */
static void set_run_items(em__merge *merge)
{
    em_group *run = &merge->summary->groups[0];
    uint64_t windows = 0, items = 0;
    int is_known = 1;
    for (size_t i = 0; i < merge->count; i++) {
        const em_group *part = &merge->parts[i].summary->groups[0];
        if (!em__merge_is_idle(merge, i)) {
            is_known &= part->per_item.windows > 0;
            windows += part->per_item.windows;
            items += part->items;
        }
    }
    run->items = !is_known ? 0 : items < EM_MOST_ITEMS ? items : EM_MOST_ITEMS;
    run->per_item = em__per_item(&run->total, run->items, is_known ? windows : 0);
}

int em__merge_facts(em__merge *merge)
{
    em_summary *summary = merge->summary;
    em__summary_facts *facts = &summary->facts;
    facts->run_is_complete = facts->run_is_final = 1;
    facts->gpu_shared = merge->count == 1 ? merge->parts[0].summary->facts.gpu_shared : 0;
    facts->unions_are_unknown = merge->has_shared;
    for (size_t i = 0; i < merge->count; i++) {
        const em_summary *part = merge->parts[i].summary;
        /* A disabled meter measures nothing and misses nothing that the others have. */
        int is_idle_part = em__merge_is_idle(merge, i) && merge->boot_count > 0;
        facts->run_is_complete &= is_idle_part || part->facts.run_is_complete;
        facts->run_is_final &= part->facts.run_is_final != 0;
        facts->unions_are_unknown |= part->facts.unions_are_unknown;
        facts->in_epochs_j += part->facts.in_epochs_j;
        facts->in_batches_j += part->facts.in_batches_j;
        facts->outside_windows_j += part->facts.outside_windows_j;
        /* The others that hold a GPU may be these processes. */
        facts->gpu_shared = merge->count > 1 && !is_idle_part && part->facts.gpu_shared != 0 ? -1 : facts->gpu_shared;
        if (!is_idle_part) {
            set_missing(merge, &merge->parts[i]);
        }
        for (size_t k = 0; k < part->facts.tdp_unused_count; k++) {
            const char *name = part->facts.tdp_unused[k];
            int is_there = facts->tdp_unused_count > 0 && is_equal(facts->tdp_unused[0], name);
            if (!is_there && facts->tdp_unused_count < 2) {
                facts->tdp_unused[facts->tdp_unused_count++] = em__summary_keep(summary, name);
            }
        }
    }
    summary->groups[0].total.status = facts->run_is_complete ? EM_OK : EM_ERR_READ;
    if (merge->count == 1) {
        summary->groups[0].process_cpu_share = merge->parts[0].summary->groups[0].process_cpu_share;
    }
    char name[1024];
    int has_gpu = em__summary_gpu_name(summary->channels, summary->channel_count, name, sizeof name) > 0;
    facts->device = has_gpu ? "gpu" : "cpu";
    facts->gpu_name = has_gpu ? em__summary_keep(summary, name) : NULL;
    set_run_items(merge);
    facts->tdp_cpu = tdp_of(merge, 0);
    facts->tdp_gpu = tdp_of(merge, 1);
    set_overhead(merge);
    set_scope(merge);
    int status = set_length(merge);
    status = status == EM_OK ? em__merge_carbon(merge) : status;
    return status == EM_OK ? set_ranks(merge) : status;
}
