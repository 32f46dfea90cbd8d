/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Merging summaries: what its files share. */
#ifndef EM_METRICS_MERGE_H
#define EM_METRICS_MERGE_H

#include "metrics/pool.h"
#include "metrics/summary.h"

/* What a given summary says of one boot: all of it, but of one that was merged over several. */
typedef struct {
    const em_summary *summary;
    size_t source; /* index of the summary among those given */
    int is_first;  /* of this summary: what it says of all its boots counts here, once */
    int is_piece;  /* the summary has other boots too */
    size_t boot;   /* the first part of the same boot */
    const char *host, *boot_id;
    uint64_t begin_ns, end_ns;
    int is_whole; /* no process left out time between its windows */
    char who[96]; /* "pid 4711 on node-7" */
} em__part;

/* One channel of one part. */
typedef struct {
    size_t part, channel, boot;
    const char *key; /* what is the same silicon on one boot: a UUID, or a name */
    size_t key_length;
} em__view_of;

/* One device: views[first] … views[first + count - 1]. */
typedef struct {
    size_t first, count, boot;
    const char *name;
    em__pooled pooled;
    double carbon_g, cost;
} em__silicon;

typedef struct {
    em__part *parts;
    size_t count, source_count;
    em__view_of *views;
    size_t view_count;
    em__silicon *silicons;
    size_t silicon_count;
    char *is_shared; /* by part: another measured a device of it at the same time */
    int has_shared;
    size_t boot_count; /* that measured anything */
    em_summary *summary;
    em_error *error;
} em__merge;

int em__merge_refuse(const em__merge *merge, size_t part, const char *remedy, const char *text, ...)
    __attribute__((format(printf, 4, 5)));

/* The parts of all summaries, and which of them are of one boot. EM_ERR_INVALID, EM_ERR_NO_MEMORY. */
int em__merge_list_parts(em__merge *merge, const em_summary *const *sources);
int em__merge_tell_boots(em__merge *merge);
/* Whether a channel of the part's summary is of its boot, and its name there. */
int em__merge_has(const em__part *part, size_t channel);
const char *em__merge_base_name(const em__part *part, size_t channel);
/* The process itself, or those that the summary was merged from. */
size_t em__merge_rank_count(const em_summary *summary);
em__summary_rank em__merge_rank(const em_summary *summary, size_t index);
/* How long runs lasted together. One that lies apart may have left out time between its windows. Sorts them. */
typedef struct {
    uint64_t begin_ns, end_ns, run_ns;
} em__stretch;
uint64_t em__merge_length(em__stretch *runs, size_t count);

/* The curves of a silicon: one for each time that a part measured it without a break. ret_points is what they lie in.
 * EM_ERR_NO_MEMORY. */
int em__merge_curves(const em__merge *merge, const em__silicon *silicon, em__curve **ret_curves, size_t *ret_count,
                     em__track_point **ret_points);

/* Energy of every silicon, its points and reasons, into the summary's channels. */
int em__merge_devices(em__merge *merge);
void em__merge_reasons(const em__merge *merge, size_t silicon);
void em__merge_total_reasons(const em__merge *merge, double total_j);
/* Windows of the same kind and name. */
int em__merge_groups(em__merge *merge);
size_t em__merge_group_limit(const em__merge *merge);
int em__merge_facts(em__merge *merge);
int em__merge_carbon(em__merge *merge);
/* A part that measured nothing, as a disabled meter, has no say. */
int em__merge_is_idle(const em__merge *merge, const em__part *part);

#endif
