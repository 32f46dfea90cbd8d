/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Of whom the summaries of a merge are: one that was merged over several boots is taken apart into them. */
#include "core/text.h"
#include "metrics/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLOP_NS = 1000000 };

static int is_same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

size_t em__merge_rank_count(const em_summary *summary)
{
    return summary->facts.rank_count > 0 ? summary->facts.rank_count : 1;
}

em__summary_rank em__merge_rank(const em_summary *summary, size_t index)
{
    const em__summary_facts *facts = &summary->facts;
    if (facts->rank_count > 0) {
        return facts->ranks[index];
    }
    return (em__summary_rank){.host = facts->host,
                              .boot_id = facts->boot_id,
                              .pid = facts->pid,
                              .begin_ns = facts->begin_ns,
                              .end_ns = facts->end_ns,
                              .begin_wall_ns = facts->begin_wall_ns,
                              .run_ns = summary->channel_count > 0 ? summary->groups[0].duration_ns : 0};
}

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

int em__merge_has(const em__part *part, size_t channel)
{
    return !part->is_piece || is_same(part->summary->devices[channel].boot_id, part->boot_id);
}

/* "node-7/gpu-0/board", or "node-7-c0ffee00/gpu-0/board" where there are several of that name. */
const char *em__merge_base_name(const em__part *part, size_t channel)
{
    const char *name = part->summary->names[channel];
    char prefix[96];
    for (int has_boot = 0; part->is_piece && has_boot < 2; has_boot++) {
        em__print(prefix, sizeof prefix, "%.64s%s%.8s/", part->host ? part->host : "host", has_boot ? "-" : "",
                  has_boot ? part->boot_id : "");
        if (strncmp(name, prefix, strlen(prefix)) == 0) {
            return name + strlen(prefix);
        }
    }
    return name;
}

static void name_part(em__part *part)
{
    const char *host = part->host ? part->host : "an unknown host";
    if (part->summary->facts.pid >= 0) {
        em__print(part->who, sizeof part->who, "pid %lld on %.64s", (long long)part->summary->facts.pid, host);
    } else {
        em__print(part->who, sizeof part->who, "the merged summary %zu on %.64s", part->source, host);
    }
}

/* Of several boots: it is taken apart. */
static int is_wide(const em_summary *summary)
{
    const char *first = NULL;
    for (size_t i = 0; i < summary->facts.rank_count && !summary->facts.boot_id; i++) {
        const char *boot_id = summary->facts.ranks[i].boot_id;
        if (first && boot_id && !is_same(first, boot_id)) {
            return 1;
        }
        first = first ? first : boot_id;
    }
    return 0;
}

static int is_new_boot(const em_summary *summary, size_t rank)
{
    const em__summary_rank *ranks = summary->facts.ranks;
    for (size_t i = 0; i < rank; i++) {
        if (is_same(ranks[i].boot_id, ranks[rank].boot_id)) {
            return 0;
        }
    }
    return ranks[rank].boot_id != NULL;
}

static int is_whole(const em__summary_rank *rank)
{
    return rank->run_ns == 0 || rank->run_ns + SLOP_NS >= rank->end_ns - rank->begin_ns;
}

static void add_pieces(em__merge *merge, const em_summary *summary, size_t source)
{
    for (size_t i = 0, pieces = 0; i < summary->facts.rank_count; i++) {
        const em__summary_rank *rank = &summary->facts.ranks[i];
        if (!is_new_boot(summary, i)) {
            continue;
        }
        em__part part = {.summary = summary,
                         .source = source,
                         .is_first = pieces++ == 0,
                         .is_piece = 1,
                         .host = rank->host,
                         .boot_id = rank->boot_id,
                         .is_whole = 1,
                         .begin_ns = UINT64_MAX};
        for (size_t k = i; k < summary->facts.rank_count; k++) {
            const em__summary_rank *other = &summary->facts.ranks[k];
            if (is_same(other->boot_id, rank->boot_id)) {
                part.begin_ns = other->begin_ns < part.begin_ns ? other->begin_ns : part.begin_ns;
                part.end_ns = other->end_ns > part.end_ns ? other->end_ns : part.end_ns;
                part.is_whole &= is_whole(other);
            }
        }
        name_part(&part);
        merge->parts[merge->count++] = part;
    }
}

int em__merge_list_parts(em__merge *merge, const em_summary *const *sources)
{
    size_t most = 1;
    for (size_t i = 0; i < merge->source_count; i++) {
        most += em__merge_rank_count(sources[i]);
    }
    merge->parts = calloc(most, sizeof *merge->parts);
    merge->is_shared = calloc(most, 1);
    if (!merge->parts || !merge->is_shared) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < merge->source_count; i++) {
        const em__summary_facts *facts = &sources[i]->facts;
        if (is_wide(sources[i])) {
            add_pieces(merge, sources[i], i);
            continue;
        }
        em__part *part = &merge->parts[merge->count++];
        *part = (em__part){.summary = sources[i], .source = i, .is_first = 1};
        part->host = facts->host;
        part->boot_id = facts->boot_id;
        part->begin_ns = facts->begin_ns;
        part->end_ns = facts->end_ns;
        part->is_whole = 1;
        for (size_t k = 0; k < em__merge_rank_count(sources[i]); k++) {
            em__summary_rank rank = em__merge_rank(sources[i], k);
            part->is_whole &= is_whole(&rank);
        }
        name_part(part);
    }
    return EM_OK;
}

static int measures(const em__part *part)
{
    for (size_t i = 0; i < part->summary->channel_count; i++) {
        if (isfinite(part->summary->devices[i].counted_j) && em__merge_has(part, i)) {
            return 1;
        }
    }
    return 0;
}

int em__merge_tell_boots(em__merge *merge)
{
    size_t measuring = 0;
    for (size_t i = 0; i < merge->count; i++) {
        measuring += (size_t)measures(&merge->parts[i]);
    }
    for (size_t i = 0; i < merge->count; i++) {
        em__part *part = &merge->parts[i];
        part->boot = i;
        if (!part->boot_id && measuring > 1 && measures(part)) {
            return em__merge_refuse(
                merge, i, "merge the summaries of processes that know it (it is in /proc/sys/kernel)",
                "%s: scope.boot_id is null, so that it cannot be told whose devices are the same", part->who);
        }
        for (size_t k = 0; k < i && part->boot_id; k++) {
            if (is_same(part->boot_id, merge->parts[k].boot_id)) {
                part->boot = merge->parts[k].boot;
                break;
            }
        }
    }
    for (size_t i = 0; i < merge->count; i++) {
        int has_devices = 0;
        for (size_t k = i; k < merge->count; k++) {
            has_devices |= merge->parts[k].boot == i && measures(&merge->parts[k]);
        }
        merge->boot_count += (size_t)has_devices;
    }
    return EM_OK;
}
