/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Totals. Energy is added as integers; doubles only report it. */
#include "metrics/energy.h"

#include "core/units.h"
#include "metrics/uncertainty.h"

#include <math.h>
#include <string.h>

enum { FINE_PERIODS = 50, COARSE_PERIODS = 5, SHARE = 20 };

static int32_t provenance_of(const em__channel *facts)
{
    switch (facts->is_estimate ? EM_KIND_MODEL : facts->kind) {
    case EM_KIND_COUNTER:
        return EM_FROM_MEASURED;
    case EM_KIND_GAUGE:
        return EM_FROM_INTEGRATED;
    default:
        return EM_FROM_ESTIMATED;
    }
}

double em__joules(int64_t uj)
{
    return (double)uj / EM__UJ_PER_J;
}

/* As it was known when the window ended: what is learned later changes no result. */
static uint64_t period_of(const em__sum *sum)
{
    return (uint64_t)sum->period_ns;
}

static int32_t resolution_of(const em__channel *facts, const em__sum *sum, uint64_t duration_ns)
{
    if (facts->kind == EM_KIND_COUNTER && period_of(sum) > 0 && sum->energy_uj == 0 && sum->gap_ns > 0) {
        return EM_RESOLUTION_BELOW; /* It showed nothing of what was used. */
    }
    uint64_t period_ns = period_of(sum), periods = period_ns ? duration_ns / period_ns : FINE_PERIODS;
    return periods >= FINE_PERIODS     ? EM_RESOLUTION_FINE
           : periods >= COARSE_PERIODS ? EM_RESOLUTION_COARSE
                                       : EM_RESOLUTION_BELOW;
}

static uint64_t notes_of(const em__channel *facts, const em__sum *sum)
{
    const uint64_t assumed = EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED);
    int is_assumed = period_of(sum) > 0 && !sum->is_period_seen && facts->kind != EM_KIND_MODEL;
    return ((facts->notes | sum->notes) & ~assumed) | (is_assumed ? assumed : 0);
}

static em__variance variance_of(const em__channel *facts, const em__sum *sum, int64_t energy_uj)
{
    double step_uj = (double)(facts->unit ? facts->unit : 1) * (double)facts->scale_num / (double)facts->scale_den;
    return em__variance_of(em__joules(energy_uj), facts->gain, sum->edge_variance,
                           facts->kind == EM_KIND_COUNTER ? step_uj : 0.0);
}

static void set_uncertainty(em_energy *energy, em__variance variance)
{
    energy->gain_j = em__expanded(variance.gain);
    energy->edge_j = em__expanded(variance.edge);
    energy->uncertainty_j = em__expanded(variance.gain + variance.edge);
}

void em__energy_channel(const em__member *member, const em__sum *sum, uint64_t duration_ns, em_energy *ret_energy)
{
    int is_counted = sum->is_counted || sum->counted_uj != 0;
    em_energy energy = {.energy_j = em__joules(sum->energy_uj),
                        .counted_j = is_counted ? em__joules(sum->counted_uj) : NAN,
                        .provenance = provenance_of(member->facts),
                        .resolution = resolution_of(member->facts, sum, duration_ns),
                        .status = sum->status,
                        .notes = notes_of(member->facts, sum),
                        .gap_ns = sum->gap_ns,
                        .period_ns = period_of(sum)};
    set_uncertainty(&energy, variance_of(member->facts, sum, sum->energy_uj));
    if (!member->is_active) {
        energy.energy_j = energy.uncertainty_j = energy.gain_j = energy.edge_j = NAN;
    }
    *ret_energy = energy;
}

typedef struct {
    int64_t uj;
    int count;
    em__variance variance;
    int32_t provenance, resolution, status;
    uint64_t notes, gap_ns;
} amount;

static void add(amount *into, const em__member *member, const em__sum *sum)
{
    into->count++;
    into->uj += sum->counted_uj;
    into->variance = em__variance_add(into->variance, variance_of(member->facts, sum, sum->counted_uj));
    int32_t provenance = provenance_of(member->facts);
    into->provenance = provenance > into->provenance ? provenance : into->provenance;
    into->notes |= notes_of(member->facts, sum);
}

static em_energy energy_of(const amount *of)
{
    em_energy energy = {.energy_j = em__joules(of->uj),
                        .counted_j = em__joules(of->uj),
                        .provenance = of->provenance,
                        .resolution = of->resolution,
                        .status = of->status,
                        .notes = of->notes,
                        .gap_ns = of->gap_ns};
    set_uncertainty(&energy, of->variance);
    return energy;
}

/* 5 % or more of it. */
static int has_share(int64_t part_uj, int64_t whole_uj)
{
    return part_uj >= whole_uj / SHARE + (whole_uj % SHARE > 0);
}

void em__energy_totals(const em__ensemble *ensemble, const em__sum sums[], uint64_t duration_ns, em__totals *ret_totals)
{
    amount total = {0}, domains[EM_DOMAINS] = {{0}};
    int64_t provenances_uj[EM_PROVENANCES] = {0};
    for (size_t i = 0; i < ensemble->count; i++) {
        const em__member *member = &ensemble->members[i];
        amount *domain = &domains[member->facts->domain];
        if (sums[i].is_counted || sums[i].counted_uj != 0) {
            add(&total, member, &sums[i]);
            add(domain, member, &sums[i]);
            provenances_uj[provenance_of(member->facts)] += sums[i].counted_uj;
        }
        if (sums[i].status) {
            total.status = domain->status = sums[i].status;
            total.gap_ns = sums[i].missing_ns > total.gap_ns ? sums[i].missing_ns : total.gap_ns;
            domain->gap_ns = sums[i].missing_ns > domain->gap_ns ? sums[i].missing_ns : domain->gap_ns;
        }
    }
    for (size_t i = 0; i < ensemble->count; i++) {
        const em__member *member = &ensemble->members[i];
        amount *domain = &domains[member->facts->domain];
        if (!sums[i].is_counted && sums[i].counted_uj == 0) {
            continue;
        }
        int32_t resolution = resolution_of(member->facts, &sums[i], duration_ns);
        if (has_share(sums[i].counted_uj, total.uj) && resolution > total.resolution) {
            total.resolution = resolution;
        }
        if (has_share(sums[i].counted_uj, domain->uj) && resolution > domain->resolution) {
            domain->resolution = resolution;
        }
    }
    total.resolution = total.count > 0 ? total.resolution : EM_RESOLUTION_BELOW;
    total.notes |= ensemble->notes;
    for (int i = 0; i < EM_DOMAINS; i++) {
        if (ensemble->unmeasured[i]) {
            total.status = domains[i].status = ensemble->unmeasured[i];
        }
        ret_totals->by_domain[i] = energy_of(&domains[i]);
        if (domains[i].count == 0) {
            em_energy *none = &ret_totals->by_domain[i];
            none->energy_j = none->counted_j = none->uncertainty_j = none->gain_j = none->edge_j = NAN;
        }
    }
    for (int i = 0; i < EM_PROVENANCES; i++) {
        ret_totals->by_provenance_j[i] = em__joules(provenances_uj[i]);
    }
    if (total.count == 0 && total.status == EM_OK) {
        total.status = EM_ERR_NOT_SELECTED; /* Where all is left out, the energy is unknown. */
    }
    ret_totals->total = energy_of(&total);
    ret_totals->is_complete = total.status == EM_OK;
}
