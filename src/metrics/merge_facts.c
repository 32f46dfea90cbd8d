/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a merge knows beside energies. */
#include "core/text.h"
#include "core/units.h"
#include "metrics/items.h"
#include "metrics/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Clocks of several hosts are compared by the wall. */
static int set_length(em__merge *merge)
{
    size_t count = 0, most = 1;
    for (size_t i = 0; i < merge->count; i++) {
        most += merge->parts[i].is_first ? em__merge_rank_count(merge->parts[i].summary) : 0;
    }
    em__stretch *runs = calloc(most, sizeof *runs);
    if (!runs) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < merge->count; i++) {
        const em__part *part = &merge->parts[i];
        size_t ranks = part->is_first ? em__merge_rank_count(part->summary) : 0;
        for (size_t k = 0; k < ranks && !em__merge_is_idle(merge, part); k++) {
            em__summary_rank rank = em__merge_rank(part->summary, k);
            uint64_t begin_ns = merge->boot_count > 1 ? rank.begin_wall_ns : rank.begin_ns;
            uint64_t run_ns =
                merge->source_count == 1 && ranks == 1 ? part->summary->groups[0].duration_ns : rank.run_ns;
            if (run_ns > 0) {
                runs[count++] = (em__stretch){begin_ns, begin_ns + (rank.end_ns - rank.begin_ns), run_ns};
            }
        }
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

static size_t boots_of(const em__merge *merge, size_t source)
{
    size_t count = 0;
    for (size_t i = 0; i < merge->count; i++) {
        count += merge->parts[i].source == source;
    }
    return count;
}

/* How many boots of a summary's are in is_known, and puts them there. */
static size_t know_boots(const em__merge *merge, size_t source, char *is_known)
{
    size_t count = 0;
    for (size_t i = 0; i < merge->count; i++) {
        if (merge->parts[i].source == source) {
            count += is_known[merge->parts[i].boot] != 0;
            is_known[merge->parts[i].boot] = 1;
        }
    }
    return count;
}

/* One of each boot: all processes there know the same. Of a summary of several boots only the sum is known, so those with
 * most boots come first, and where two of them share some, nothing is said. */
static em__summary_tdp tdp_of(em__merge *merge, int is_gpu)
{
    em__summary_tdp sum = {.each_w = NAN};
    char *is_known = calloc(merge->count + 1, 1);
    merge->summary->failed |= !is_known;
    for (size_t boots = merge->count; is_known && boots > 0; boots--) {
        for (size_t i = 0; i < merge->count; i++) {
            const em__summary_facts *facts = &merge->parts[i].summary->facts;
            const em__summary_tdp *tdp = is_gpu ? &facts->tdp_gpu : &facts->tdp_cpu;
            if (!merge->parts[i].is_first || boots_of(merge, merge->parts[i].source) != boots ||
                !isfinite(tdp->each_w) || !(tdp->count > 0)) {
                continue;
            }
            size_t known = know_boots(merge, merge->parts[i].source, is_known);
            if (known > 0 && known < boots) {
                free(is_known);
                return (em__summary_tdp){.each_w = NAN};
            }
            if (known == 0) {
                double before = isfinite(sum.each_w) ? sum.count : 0, count = before + tdp->count;
                double whole_w = tdp->each_w * tdp->count + (before > 0 ? sum.each_w * before : 0);
                sum = (em__summary_tdp){whole_w / count, count, em__summary_keep(merge->summary, tdp->from)};
            }
        }
    }
    free(is_known);
    return sum;
}

static void set_overhead(em__merge *merge)
{
    em__summary_overhead sum = {0};
    double lived_s = 0;
    sum.limit = merge->parts[0].summary->facts.overhead.limit;
    for (size_t i = 0; i < merge->count; i++) {
        const em__summary_overhead *part = &merge->parts[i].summary->facts.overhead;
        if (!merge->parts[i].is_first) {
            continue;
        }
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
    size_t count = 0, at = 0;
    for (size_t i = 0; i < merge->count; i++) {
        count += merge->parts[i].is_first ? em__merge_rank_count(merge->parts[i].summary) : 0;
    }
    em__summary_rank *ranks = calloc(count + 1, sizeof *ranks);
    if (!ranks) {
        return EM_ERR_NO_MEMORY;
    }
    merge->summary->facts.ranks = ranks;
    merge->summary->facts.rank_count = count;
    for (size_t i = 0; i < merge->count; i++) {
        const em_summary *part = merge->parts[i].summary;
        for (size_t k = 0; merge->parts[i].is_first && k < em__merge_rank_count(part); k++, at++) {
            ranks[at] = em__merge_rank(part, k);
            ranks[at].host = em__summary_keep(merge->summary, ranks[at].host);
            ranks[at].boot_id = em__summary_keep(merge->summary, ranks[at].boot_id);
        }
    }
    return EM_OK;
}

static void set_scope(em__merge *merge)
{
    em__summary_facts *facts = &merge->summary->facts;
    const em__part *home = NULL;
    facts->pid = -1;
    for (size_t i = 0; i < merge->count; i++) {
        const em__part *part = &merge->parts[i];
        const em__summary_facts *own = &part->summary->facts;
        int is_first = facts->begin_wall_ns == 0 || own->begin_wall_ns < facts->begin_wall_ns;
        facts->begin_wall_ns = is_first ? own->begin_wall_ns : facts->begin_wall_ns;
        if (merge->boot_count > 1 || em__merge_is_idle(merge, part)) {
            continue;
        }
        facts->begin_ns = !home || part->begin_ns < facts->begin_ns ? part->begin_ns : facts->begin_ns;
        facts->end_ns = part->end_ns > facts->end_ns ? part->end_ns : facts->end_ns;
        home = home ? home : part;
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
        if (merge->parts[i].is_first && !em__merge_is_idle(merge, &merge->parts[i])) {
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
    facts->gpu_shared = merge->source_count == 1 ? merge->parts[0].summary->facts.gpu_shared : 0;
    facts->unions_are_unknown = merge->has_shared;
    for (size_t i = 0; i < merge->count; i++) {
        const em_summary *part = merge->parts[i].summary;
        /* A disabled meter measures nothing and misses nothing that the others have. */
        int is_silent = em__merge_is_idle(merge, &merge->parts[i]) && merge->boot_count > 0;
        if (!merge->parts[i].is_first) {
            continue;
        }
        facts->run_is_complete &= is_silent || part->facts.run_is_complete;
        facts->run_is_final &= part->facts.run_is_final != 0;
        facts->unions_are_unknown |= part->facts.unions_are_unknown;
        facts->in_epochs_j += part->facts.in_epochs_j;
        facts->in_batches_j += part->facts.in_batches_j;
        facts->outside_windows_j += part->facts.outside_windows_j;
        /* The others that hold a GPU may be these processes. */
        facts->gpu_shared =
            merge->source_count > 1 && !is_silent && part->facts.gpu_shared != 0 ? -1 : facts->gpu_shared;
        if (!is_silent) {
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
    if (merge->source_count == 1) {
        const em_group *run = &merge->parts[0].summary->groups[0];
        summary->groups[0].process_cpu_share = run->process_cpu_share;
        summary->groups[0].process_cpu_share_reason = em__summary_keep(summary, run->process_cpu_share_reason);
    }
    char name[1024];
    int has_gpu = em__summary_gpu_name(summary->channels, summary->channel_count, name, sizeof name) > 0;
    facts->device = has_gpu ? "gpu" : "cpu";
    facts->gpu_name = has_gpu ? em__summary_keep(summary, name) : NULL;
    facts->tdp_cpu = tdp_of(merge, 0);
    facts->tdp_gpu = tdp_of(merge, 1);
    set_run_items(merge);
    set_overhead(merge);
    set_scope(merge);
    int status = set_length(merge);
    status = status == EM_OK ? em__merge_carbon(merge) : status;
    return status == EM_OK ? set_ranks(merge) : status;
}
