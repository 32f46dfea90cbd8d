/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Groups, the run and its facts as they stand at the last settled edge. */
#include "ledger/snapshot.h"

#include "core/units.h"
#include "metrics/items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const em__ledger *ledger;
    em__ensemble ensemble;
    em_summary *summary;
    const em__edge *now; /* NULL: nothing has settled */
    em__sum *sums;       /* of one group, by channel */
    em__tally *tallies;  /* of one union, by channel */
} freezer;

static void set_group(const freezer *f, size_t index, const em_group *base, const em__sum *sums)
{
    size_t count = f->ledger->setup.count;
    em_group *group = &f->summary->groups[index];
    em__totals totals;
    em__energy_totals(&f->ensemble, sums, base->duration_ns, &totals);
    *group = *base;
    group->process_cpu_share = em__ledger_share(f->ledger, sums, base->duration_ns);
    group->process_cpu_share_reason = em__ledger_share_unknown(f->ledger, sums, base->duration_ns);
    group->size = sizeof *group;
    group->total = totals.total;
    group->carbon_g = em__carbon_g(&f->ledger->setup.rates, totals.total.energy_j);
    group->cost = em__cost(&f->ledger->setup.rates, totals.total.energy_j);
    group->embodied_g = em__embodied_g(&f->ledger->setup.rates, base->duration_ns);
    memcpy(group->by_domain, totals.by_domain, sizeof group->by_domain);
    memcpy(group->by_provenance_j, totals.by_provenance_j, sizeof group->by_provenance_j);
    for (size_t i = 0; i < count; i++) {
        em__energy_channel(&f->ensemble.members[i], &sums[i], base->duration_ns,
                           &f->summary->energies[index * count + i]);
    }
}

/* What a union gathered, as sums. begin: where it began, for what is known of edges alone. */
static void sum_tallies(const freezer *f, const em__edge *begin)
{
    memset(f->sums, 0, f->ledger->all_count * sizeof *f->sums);
    for (size_t i = 0; i < f->ledger->all_count; i++) {
        const em__tally *tally = &f->tallies[i];
        em__sum *sum = &f->sums[i];
        if (begin && f->now) {
            em__sum_between(&begin->values[i], &f->now->values[i], sum);
        } else {
            sum->is_counted = f->ledger->timeline.is_counted[i];
        }
        sum->energy_uj = tally->energy_uj;
        sum->counted_uj = tally->counted_uj;
        sum->gap_ns = tally->gap_ns;
        sum->missing_ns = tally->missing_ns;
        sum->edge_variance = tally->chain.inner_variance;
        sum->notes &= tally->gap_ns ? UINT64_MAX : ~EM_NOTE_BIT(EM_NOTE_GAP);
        sum->status = tally->missing_ns ? (sum->status ? sum->status : EM_ERR_READ) : EM_OK;
    }
}

/* Its edges are those of the group's windows, so what is known of the channels is the same. */
static void set_distinct(const freezer *f, size_t index, const em__union *set, const em__sum *sums)
{
    em_group *group = &f->summary->groups[index];
    em__totals totals;
    em__union_sum(set, f->ledger->all_count, NULL, &group->distinct_ns, f->tallies);
    sum_tallies(f, NULL);
    for (size_t i = 0; i < f->ledger->setup.count; i++) {
        f->sums[i].period_ns = sums[i].period_ns;
        f->sums[i].is_period_seen = sums[i].is_period_seen;
        f->sums[i].is_counted = sums[i].is_counted;
    }
    em__energy_totals(&f->ensemble, f->sums, group->distinct_ns, &totals);
    group->distinct = group->distinct_ns == group->duration_ns ? group->total : totals.total;
}

static double union_j(const freezer *f, const em__union *set, uint64_t *ret_ns)
{
    int64_t total_uj = 0;
    em__union_sum(set, f->ledger->all_count, f->now, ret_ns, f->tallies);
    for (size_t i = 0; i < f->ledger->setup.count; i++) {
        total_uj += f->tallies[i].counted_uj;
    }
    return em__joules(total_uj);
}

static void set_items(const freezer *f, size_t index, const em__group *of)
{
    em__totals totals;
    em__energy_totals(&f->ensemble, of->item_sums, of->item_ns, &totals);
    f->summary->groups[index].items = of->items;
    f->summary->groups[index].per_item = em__per_item(&totals.total, of->items, of->item_windows);
}

/* Those of its windows: open ones, ended ones that have not settled, and what has. */
static void set_run_items(const freezer *f)
{
    const em__ledger *ledger = f->ledger;
    em_group *run = &f->summary->groups[0];
    uint64_t windows = 0, with_items = 0, items = 0;
    for (size_t i = 0; i < ledger->groups.count; i++) {
        const em__group *group = ledger->groups.all[i];
        if (group->kind == EM_WINDOW_RUN) {
            windows += group->count;
            with_items += group->item_windows;
            items += group->items;
        }
    }
    for (size_t i = 0; i <= ledger->store.bucket_mask; i++) {
        for (const em__record *record = ledger->store.buckets[i]; record; record = record->chain) {
            if (!record->is_final && record->group->kind == EM_WINDOW_RUN) {
                windows++;
                with_items += (uint64_t)record->has_items;
                items += record->items;
            }
        }
    }
    with_items = windows == with_items ? with_items : 0;
    run->items = with_items == 0 ? 0 : items < EM_MOST_ITEMS ? items : EM_MOST_ITEMS;
    run->per_item = em__per_item(&run->total, run->items, with_items);
}

/* The run: the time of the RUN windows, or of all windows where there is none. */
static void freeze_run(const freezer *f)
{
    const em__ledger *ledger = f->ledger;
    em__summary_facts *facts = &f->summary->facts;
    const em__edge *begin = ledger->run_begin;
    uint64_t ignored_ns;
    em_group run = {.kind = EM_WINDOW_RUN, .count = 1};
    facts->in_epochs_j = union_j(f, &ledger->unions[EM_WINDOW_EPOCH], &ignored_ns);
    facts->in_batches_j = union_j(f, &ledger->unions[EM_WINDOW_BATCH], &ignored_ns);
    double inside_j = union_j(f, &ledger->unions[EM_WINDOW_OTHER], &ignored_ns);
    double whole_j = union_j(f, &ledger->unions[ledger->had_run ? EM_WINDOW_RUN : EM_WINDOW_OTHER], &run.duration_ns);
    facts->outside_windows_j = whole_j > inside_j ? whole_j - inside_j : 0.0;
    sum_tallies(f, begin);
    run.distinct_ns = run.duration_ns;
    set_group(f, 0, &run, f->sums);
    f->summary->groups[0].distinct = f->summary->groups[0].total;
    set_run_items(f);
    facts->begin_ns = begin ? begin->t_ns : 0;
    facts->end_ns = f->now ? f->now->t_ns : facts->begin_ns;
}

/* What of a channel's energy since the run's begin had entered the total when it stood at energy_uj: before or after
 * a change of its role. */
static int64_t counted_uj(int64_t energy_uj, int64_t whole_uj, int64_t counted_whole_uj, int is_counted_now)
{
    int64_t since_uj = energy_uj - (whole_uj - counted_whole_uj);
    int64_t until_uj = energy_uj < counted_whole_uj ? energy_uj : counted_whole_uj;
    return is_counted_now ? (since_uj > 0 ? since_uj : 0) : until_uj;
}

static void freeze_points(const freezer *f, size_t channel)
{
    const em__ledger *ledger = f->ledger;
    const em__edge *begin = ledger->run_begin, *now = f->now;
    const em__track *track = &ledger->tracks[channel];
    em__summary_device *device = &f->summary->devices[channel];
    int64_t run_uj = f->sums[channel].counted_uj;
    device->counted_j = NAN;
    if (!begin || !now) {
        return;
    }
    int is_counted = ledger->roles[channel].role == EM_ROLE_COUNTED;
    int64_t from_uj = begin->values[channel].energy_uj, whole_uj = now->values[channel].energy_uj - from_uj;
    int64_t part_uj = now->values[channel].counted_uj - begin->values[channel].counted_uj;
    em__summary_point *points = is_counted || run_uj != 0 ? calloc(EM__POINTS + 2, sizeof *points) : NULL;
    if (!points) {
        return;
    }
    device->points = points;
    device->counted_j = em__joules(run_uj);
    points[device->point_count++] = (em__summary_point){begin->t_ns, 0.0};
    for (size_t i = 0; i < track->count; i++) {
        em__track_point point = track->points[i];
        if (point.t_ns > begin->t_ns && point.t_ns < now->t_ns && point.energy_uj - from_uj <= whole_uj) {
            int64_t so_far_uj = counted_uj(point.energy_uj - from_uj, whole_uj, part_uj, is_counted);
            /* Without a window around the run, what was used between windows is in the points but not in the run. */
            so_far_uj = so_far_uj < run_uj ? so_far_uj : run_uj;
            points[device->point_count++] = (em__summary_point){point.t_ns, em__joules(so_far_uj)};
        }
    }
    points[device->point_count++] = (em__summary_point){now->t_ns, device->counted_j};
}

static void freeze_tdp(const freezer *f, const em__surroundings *around)
{
    em__summary_facts *facts = &f->summary->facts;
    int is_used[2] = {0, 0}; /* what was given for CPU and GPU */
    facts->tdp_cpu.each_w = facts->tdp_gpu.each_w = NAN;
    for (size_t i = 0; i < f->ledger->setup.count; i++) {
        const em__channel *channel = f->ledger->setup.facts[i];
        if (isnan(channel->tdp_each_w) || f->ledger->roles[i].role != EM_ROLE_COUNTED) {
            continue;
        }
        em__summary_tdp *tdp = channel->domain == EM_DOMAIN_GPU ? &facts->tdp_gpu : &facts->tdp_cpu;
        double before = isnan(tdp->each_w) ? 0.0 : tdp->count, count = before + channel->tdp_count;
        double whole_w = channel->tdp_each_w * channel->tdp_count + (before > 0 ? tdp->each_w * before : 0.0);
        is_used[channel->domain == EM_DOMAIN_GPU] |= strcmp(channel->tdp_from, EM__TDP_GIVEN) == 0;
        *tdp = (em__summary_tdp){whole_w / count, count, em__summary_keep(f->summary, channel->tdp_from)};
    }
    if (around->has_cpu_tdp && !is_used[0]) {
        facts->tdp_unused[facts->tdp_unused_count++] = "cpu_tdp_w";
    }
    if (around->has_gpu_tdp && !is_used[1]) {
        facts->tdp_unused[facts->tdp_unused_count++] = "gpu_tdp_w";
    }
}

static em__summary_overhead overhead_of(const em__ledger *ledger, const em__surroundings *around)
{
    int is_known = !isnan(around->overhead_limit);
    double caller_s = is_known ? (double)around->caller_ns / (double)EM__NS_PER_S : NAN;
    double lived_s = (double)around->lived_ns / (double)EM__NS_PER_S;
    return (em__summary_overhead){.fraction = lived_s > 0 ? caller_s / lived_s : 0 * caller_s,
                                  .limit = around->overhead_limit,
                                  .caller_s = caller_s,
                                  .sync_s = (double)ledger->wait_ns / (double)EM__NS_PER_S};
}

static const char *const domain_words[] = {"cpu", "gpu", "dram", "platform", "other"};

static void freeze_facts(const freezer *f, const em__surroundings *around)
{
    em_summary *summary = f->summary;
    em__summary_facts *facts = &summary->facts;
    facts->host = em__summary_keep(summary, around->host);
    facts->boot_id = em__summary_keep(summary, around->boot_id);
    facts->pid = around->pid;
    facts->gpu_shared = around->gpu_shared;
    facts->overhead = overhead_of(f->ledger, around);
    facts->begin_wall_ns = facts->begin_ns + around->wall_offset_ns;
    em__summary_set_carbon(summary, &around->carbon, &f->ledger->setup.rates);
    facts->device = around->gpu_name ? "gpu" : "cpu";
    facts->gpu_name = em__summary_keep(summary, around->gpu_name);
    facts->run_is_complete = summary->groups[0].total.status == EM_OK;
    facts->run_is_final = em__ledger_is_settled(f->ledger);
    for (size_t i = 0; i < summary->channel_count; i++) {
        const em_energy *energy = &summary->energies[i];
        if (energy->status != EM_OK) {
            int has_ended = summary->channels[i].status != EM_OK && summary->channels[i].reason[0];
            em__summary_miss(summary, summary->channels[i].name,
                             has_ended ? summary->channels[i].reason : em_status_text(energy->status));
        }
    }
    for (size_t i = 0; i < sizeof domain_words / sizeof domain_words[0]; i++) {
        if (f->ensemble.unmeasured[i]) {
            em__summary_miss(summary, domain_words[i], em_status_text(f->ensemble.unmeasured[i]));
        }
    }
    freeze_tdp(f, around);
}

static int by_kind_and_name(const void *a, const void *b)
{
    const em__group *x = *(em__group *const *)a, *y = *(em__group *const *)b;
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

static size_t choose_groups(const em__ledger *ledger, const em__group **chosen)
{
    size_t count = 0;
    for (size_t i = 0; i < ledger->groups.count; i++) {
        const em__group *group = ledger->groups.all[i];
        if (group->count > 0 && group->kind != EM_WINDOW_RUN) {
            chosen[count++] = group;
        }
    }
    qsort((void *)chosen, count, sizeof *chosen, by_kind_and_name);
    return count;
}

static int freeze(freezer *f, const em__surroundings *around, const em__group *const *groups, size_t group_count)
{
    size_t count = f->ledger->setup.count;
    for (size_t i = 0; i < count; i++) {
        em_channel channel;
        em__ledger_channel(f->ledger, i, &channel);
        channel.read_cost_ns = around->costs_ns[i];
        em__summary_set_channel(f->summary, i, &channel);
    }
    freeze_run(f);
    for (size_t i = 0; i < count; i++) {
        freeze_points(f, i);
    }
    for (size_t i = 0; i < group_count; i++) {
        const em__group *group = groups[i];
        em_group base = {.kind = group->kind,
                         .name = em__summary_keep(f->summary, group->name),
                         .count = group->count,
                         .duration_ns = group->duration_ns};
        set_group(f, i + 1, &base, group->sums);
        set_distinct(f, i + 1, &group->distinct, group->sums);
        set_items(f, i + 1, group);
    }
    if (f->summary->failed) {
        return EM_ERR_NO_MEMORY;
    }
    freeze_facts(f, around);
    return f->summary->failed ? EM_ERR_NO_MEMORY : EM_OK;
}

int em__ledger_snapshot(const em__ledger *ledger, const em__surroundings *around, em_summary **ret_summary)
{
    const em__group **groups = calloc(ledger->groups.count + 1, sizeof(em__group *));
    size_t group_count = groups ? choose_groups(ledger, groups) : 0;
    freezer f = {.ledger = ledger,
                 .ensemble = em__ledger_ensemble(ledger),
                 .summary = em__summary_alloc(ledger->setup.count, group_count + 1),
                 .now = ledger->timeline.latest,
                 .sums = calloc(ledger->all_count, sizeof *f.sums),
                 .tallies = calloc(ledger->all_count, sizeof *f.tallies)};
    int status = EM_ERR_NO_MEMORY;
    if (groups && f.summary && f.sums && f.tallies) {
        status = freeze(&f, around, groups, group_count);
    }
    if (status == EM_OK) {
        *ret_summary = f.summary;
    } else {
        em_summary_destroy(f.summary);
    }
    free((void *)groups);
    free(f.sums);
    free(f.tallies);
    return status;
}
