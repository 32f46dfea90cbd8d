/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The devices of a merge: curves of each, their union, and what is said of it. */
#include "core/text.h"
#include "core/units.h"
#include "metrics/energy.h"
#include "metrics/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FINE_PERIODS = 50, COARSE_PERIODS = 5, MOST_POINTS = EM__POINTS + 2 };

static const em_energy *energy_of(const em__merge *merge, const em__view_of *view)
{
    return &merge->parts[view->part].summary->energies[view->channel];
}

static double positive(double value)
{
    return isfinite(value) && value > 0 ? value : 0;
}

static int refuse(const em__merge *merge, const char *name, em__pool_outcome outcome, const em__pooled *pooled)
{
    const em__part *one = &merge->parts[pooled->clash[0]->part], *other = &merge->parts[pooled->clash[1]->part];
    size_t index = pooled->clash[0]->part;
    if (outcome == EM__POOL_SHAPELESS) {
        int is_pointless = pooled->clash[0]->count < 2;
        return em__merge_refuse(merge, index,
                                is_pointless ? "give summaries whose scope.devices have points"
                                             : "keep one window of kind RUN open for the whole run, as Python does",
                                "%.64s: %s and %s measured it at the same time, and %s", name, one->who, other->who,
                                is_pointless ? "the first gives no points to tell what both saw"
                                             : "the first left out the time between its windows");
    }
    em__text text = {0};
    em__text_number(&text, round(1e3 * pooled->clash_j[0]) / 1e3);
    em__text_add(&text, " J, the other ");
    em__text_number(&text, round(1e3 * pooled->clash_j[1]) / 1e3);
    char *words = em__text_finish(&text, NULL);
    int status =
        em__merge_refuse(merge, index, "leave out the summary whose number is wrong (trace both to see why)",
                         "%.64s: %s and %s contradict each other: in the same %.0f ms one counted %s J", name, one->who,
                         other->who, (double)(pooled->clash_to_ns - pooled->clash_from_ns) / 1e6, words ? words : "");
    free(words);
    return status;
}

/* ----------------------------------------------------------------------------------------------------------- results */

/* When it was measured, where there were breaks. */
static int set_spans(em__summary_device *device, const em__piece *pieces, size_t count)
{
    em__summary_span *spans = calloc(count + 1, sizeof *spans);
    size_t used = 0;
    for (size_t i = 0; spans && i < count; i++) {
        if (used == 0 || pieces[i].from_ns > spans[used - 1].to_ns) {
            spans[used++].from_ns = pieces[i].from_ns;
        }
        spans[used - 1].to_ns = pieces[i].to_ns;
    }
    if (used > 1) {
        device->spans = spans;
        device->span_count = used;
    } else {
        free(spans);
    }
    return spans ? EM_OK : EM_ERR_NO_MEMORY;
}

/* The union's points, thinned to as many as any summary has. */
static int set_points(em_summary *summary, size_t index, const em__piece *pieces, const em__pooled *pooled)
{
    size_t total = 0, used = 0, seen = 0;
    for (size_t i = 0; i < pooled->piece_count; i++) {
        if (pieces[i].curve->count < 2) {
            return EM_OK;
        }
        total += pieces[i].curve->count;
    }
    em__summary_point *points = calloc(2 * pooled->piece_count + MOST_POINTS, sizeof *points);
    if (!points) {
        return EM_ERR_NO_MEMORY;
    }
    summary->devices[index].points = points;
    size_t room = MOST_POINTS > 2 * pooled->piece_count ? MOST_POINTS - 2 * pooled->piece_count : 1;
    size_t stride = (total + room - 1) / room;
    int64_t before_uj = 0;
    for (size_t i = 0; i < pooled->piece_count; i++) {
        const em__curve *curve = pieces[i].curve;
        int64_t skipped_uj = curve->energy_uj - pieces[i].energy_uj;
        points[used++] = (em__summary_point){pieces[i].from_ns, em__joules(before_uj)};
        for (size_t k = 0; k < curve->count; k++) {
            const em__track_point *point = &curve->points[k];
            if (point->t_ns > pieces[i].from_ns && point->t_ns < pieces[i].to_ns && ++seen % stride == 0) {
                int64_t uj = point->energy_uj > skipped_uj ? point->energy_uj - skipped_uj : 0;
                points[used++] = (em__summary_point){point->t_ns, em__joules(em__add_uj(before_uj, uj))};
            }
        }
        before_uj = em__add_uj(before_uj, pieces[i].energy_uj);
        points[used++] = (em__summary_point){pieces[i].to_ns, em__joules(before_uj)};
    }
    summary->devices[index].point_count = used;
    return set_spans(&summary->devices[index], pieces, pooled->piece_count);
}

static int32_t resolution_of(uint64_t covered_ns, uint64_t period_ns)
{
    uint64_t periods = period_ns ? covered_ns / period_ns : FINE_PERIODS;
    return periods >= FINE_PERIODS     ? EM_RESOLUTION_FINE
           : periods >= COARSE_PERIODS ? EM_RESOLUTION_COARSE
                                       : EM_RESOLUTION_BELOW;
}

static void set_energy(const em__merge *merge, size_t index)
{
    const em__silicon *silicon = &merge->silicons[index];
    const em__pooled *pooled = &silicon->pooled;
    em_energy energy = {.energy_j = em__joules(pooled->energy_uj), .gain_j = pooled->gain_j, .edge_j = pooled->edge_j};
    energy.counted_j = energy.energy_j;
    energy.uncertainty_j = sqrt(energy.gain_j * energy.gain_j + energy.edge_j * energy.edge_j);
    for (size_t i = 0; i < silicon->count; i++) {
        const em__view_of *view = &merge->views[silicon->first + i];
        const em_energy *part = energy_of(merge, view);
        int32_t provenance = part->provenance;
        energy.provenance = provenance > energy.provenance ? provenance : energy.provenance;
        energy.period_ns = part->period_ns > energy.period_ns ? part->period_ns : energy.period_ns;
        energy.notes |= part->notes & EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED);
    }
    energy.resolution = resolution_of(pooled->covered_ns, energy.period_ns);
    merge->summary->energies[index] = energy;
    merge->summary->devices[index].counted_j = energy.energy_j;
}

static void set_channel(const em__merge *merge, size_t index)
{
    static const int32_t kinds[] = {[EM_FROM_MEASURED] = EM_KIND_COUNTER,
                                    [EM_FROM_INTEGRATED] = EM_KIND_GAUGE,
                                    [EM_FROM_ESTIMATED] = EM_KIND_MODEL};
    em_summary *summary = merge->summary;
    const em__view_of *view = &merge->views[merge->silicons[index].first];
    const em__part *part = &merge->parts[view->part];
    const em__part *boot = &merge->parts[part->boot];
    em_channel channel = part->summary->channels[view->channel];
    const char *base = em__merge_base_name(part, view->channel);
    char name[256];
    em__copy(name, sizeof name, base);
    if (merge->boot_count > 1) {
        int has_twin = !boot->host;
        for (size_t i = 0; i < merge->count; i++) {
            const char *host = merge->parts[i].host;
            has_twin |= merge->parts[i].boot != part->boot && host && boot->host && strcmp(host, boot->host) == 0;
        }
        em__print(name, sizeof name, "%.64s%s%.8s/%.128s", boot->host ? boot->host : "host", has_twin ? "-" : "",
                  has_twin ? boot->boot_id : "", base);
        summary->devices[index].host = em__summary_keep(summary, boot->host);
        summary->devices[index].boot_id = em__summary_keep(summary, boot->boot_id);
    }
    for (size_t i = 0; i < index; i++) {
        if (strcmp(summary->names[i], name) == 0 && channel.uuid) {
            size_t length = strlen(name);
            em__print(name + length, sizeof name - length, "#%s", channel.uuid);
            break;
        }
    }
    channel.name = name;
    channel.kind = kinds[summary->energies[index].provenance];
    channel.role = EM_ROLE_COUNTED;
    channel.of = -1;
    channel.power_w = NAN;
    channel.energy_j = summary->energies[index].energy_j;
    em__summary_set_channel(summary, index, &channel);
}

/* ------------------------------------------------------------------------------------------------------------ totals */

/* Of what is independent, as devices are of each other. */
static double both(double a, double b)
{
    return sqrt(positive(a) * positive(a) + positive(b) * positive(b));
}

static void add_energy(em_energy *sum, const em_energy *energy)
{
    sum->gain_j = both(sum->gain_j, energy->gain_j);
    sum->edge_j = both(sum->edge_j, energy->edge_j);
    sum->uncertainty_j = both(sum->gain_j, sum->edge_j);
    sum->provenance = energy->provenance > sum->provenance ? energy->provenance : sum->provenance;
}

static void set_run(const em__merge *merge)
{
    em_summary *summary = merge->summary;
    em_group run = {.size = sizeof run, .kind = EM_WINDOW_RUN, .count = 1, .process_cpu_share = NAN};
    run.process_cpu_share_reason = "it is of one process, and these are several";
    em__u128 total_uj = 0, domains_uj[EM_DOMAINS] = {0}, provenances_uj[EM_PROVENANCES] = {0};
    for (size_t i = 0; i < EM_DOMAINS; i++) {
        run.by_domain[i].energy_j = run.by_domain[i].counted_j = NAN;
    }
    for (size_t i = 0; i < summary->channel_count; i++) {
        const em_energy *energy = &summary->energies[i];
        em__u128 uj = (em__u128)merge->silicons[i].pooled.energy_uj;
        int32_t domain = summary->channels[i].domain;
        total_uj += uj;
        domains_uj[domain] += uj;
        provenances_uj[energy->provenance] += uj;
        add_energy(&run.total, energy);
        add_energy(&run.by_domain[domain], energy);
        run.by_domain[domain].energy_j = run.by_domain[domain].counted_j = (double)domains_uj[domain] / EM__UJ_PER_J;
        run.carbon_g += merge->silicons[i].carbon_g;
        run.cost += merge->silicons[i].cost;
    }
    run.total.energy_j = run.total.counted_j = (double)total_uj / EM__UJ_PER_J;
    for (size_t i = 0; i < summary->channel_count; i++) {
        const em_energy *energy = &summary->energies[i];
        if (20 * energy->energy_j >= run.total.energy_j && energy->resolution > run.total.resolution) {
            run.total.resolution = energy->resolution;
        }
    }
    for (size_t i = 0; i < EM_PROVENANCES; i++) {
        run.by_provenance_j[i] = (double)provenances_uj[i] / EM__UJ_PER_J;
    }
    run.distinct = run.total;
    summary->groups[0] = run;
    em__merge_total_reasons(merge, run.total.energy_j);
}

/* ------------------------------------------------------------------------------------------------------------- union */

static int pool_silicon(em__merge *merge, size_t index)
{
    em__silicon *silicon = &merge->silicons[index];
    const em__view_of *views = &merge->views[silicon->first];
    em__track_point *points = NULL;
    em__curve *curves = NULL;
    size_t count = 0;
    int status = em__merge_curves(merge, silicon, &curves, &count, &points);
    em__piece *pieces = calloc(count + 1, sizeof *pieces);
    status = status == EM_OK && !pieces ? EM_ERR_NO_MEMORY : status;
    if (status == EM_OK) {
        const char *name = em__merge_base_name(&merge->parts[views[0].part], views[0].channel);
        em__pool_outcome outcome = em__pool(curves, count, pieces, merge->is_shared, &silicon->pooled);
        status = outcome == EM__POOL_OK ? set_points(merge->summary, index, pieces, &silicon->pooled)
                                        : refuse(merge, name, outcome, &silicon->pooled);
    }
    for (size_t i = 0; status == EM_OK && i < silicon->pooled.piece_count; i++) {
        const em_group *run = &merge->parts[pieces[i].curve->part].summary->groups[0];
        if (run->total.energy_j > 0) {
            double part = em__joules(pieces[i].energy_uj) / run->total.energy_j;
            silicon->carbon_g += run->carbon_g > 0 ? part * run->carbon_g : 0;
            silicon->cost += part * run->cost;
        }
    }
    free(points);
    free(curves);
    free(pieces);
    return status;
}

int em__merge_devices(em__merge *merge)
{
    for (size_t i = 0; i < merge->silicon_count; i++) {
        int status = pool_silicon(merge, i);
        if (status != EM_OK) {
            return status;
        }
        set_energy(merge, i);
        set_channel(merge, i);
        em__merge_reasons(merge, i);
        if (merge->summary->failed) {
            return EM_ERR_NO_MEMORY;
        }
    }
    for (size_t i = 0; i < merge->count; i++) {
        merge->has_shared |= merge->is_shared[i];
    }
    set_run(merge);
    return EM_OK;
}
