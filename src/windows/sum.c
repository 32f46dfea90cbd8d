/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Differences of edges, and their errors. */
#include "windows/sum.h"

#include "core/units.h"
#include "energy_meter.h"

static double square(double value)
{
    return value * value;
}

static em__tail tail_of(const em__value *value)
{
    return (em__tail){.t_ns = value->t_ns, .error_uj = value->error_uj, .error_mw = value->error_mw};
}

/* What lies between two edges is off by no more than the power there may be off. */
static double within_reach(double variance, const em__tail *a, const em__tail *b)
{
    double apart_ns = a->t_ns > b->t_ns ? (double)(a->t_ns - b->t_ns) : (double)(b->t_ns - a->t_ns);
    double power_mw = a->error_mw > b->error_mw ? a->error_mw : b->error_mw;
    double off = square(power_mw * apart_ns / (double)EM__MW_NS_PER_UJ);
    int is_known = (a->error_mw > 0 && b->error_mw > 0) || apart_ns <= 0;
    return is_known && off < variance ? off : variance;
}

/* Of the difference of two edges: those that are close are off alike. */
static double pair_variance(const em__tail *a, const em__tail *b)
{
    return within_reach(square(a->error_uj) + square(b->error_uj), a, b);
}

double em__chain_variance(const em__chain *chain)
{
    return chain->inner_variance + pair_variance(&chain->first, &chain->last);
}

/* What was integrated in a window may be off by itself. A window that begins so soon after the end before that the two
 * edges are off alike goes on with the chain: of both only what they do not have in common is left. */
static void chain_add(em__chain *chain, const em__value *begin, const em__value *end)
{
    em__tail from = tail_of(begin), to = tail_of(end);
    double between = pair_variance(&chain->last, &from), spread = end->spread_uj2 - begin->spread_uj2;
    if (chain->last.t_ns > 0 && between < square(chain->last.error_uj) + square(from.error_uj)) {
        chain->inner_variance += between;
    } else {
        chain->inner_variance = em__chain_variance(chain);
        chain->first = from;
    }
    chain->inner_variance += spread > 0 ? spread : 0;
    chain->last = to;
}

void em__sum_between(const em__value *begin, const em__value *end, em__sum *ret_sum)
{
    em__sum sum = {.energy_uj = end->energy_uj - begin->energy_uj,
                   .counted_uj = end->counted_uj - begin->counted_uj,
                   .gap_ns = end->gap_ns - begin->gap_ns,
                   .missing_ns = end->missing_ns - begin->missing_ns,
                   .updates = end->updates - begin->updates,
                   .edges_ns = begin->distance_ns + end->distance_ns,
                   .period_ns = end->period_ns,
                   .is_period_seen = (end->flags & EM__VALUE_PERIOD_SEEN) != 0,
                   .is_counted = (end->flags & EM__VALUE_COUNTED) != 0 || end->counted_uj != begin->counted_uj};
    chain_add(&sum.chain, begin, end);
    sum.edge_variance = within_reach(em__chain_variance(&sum.chain), &sum.chain.first, &sum.chain.last);
    sum.notes = em__check_notes(&begin->findings, &end->findings);
    if (sum.gap_ns > 0) {
        sum.notes |= EM_NOTE_BIT(EM_NOTE_GAP);
    }
    if (sum.missing_ns > 0) {
        sum.status = end->status ? end->status : EM_ERR_READ;
    }
    if ((begin->flags | end->flags) & EM__VALUE_PINNED) {
        sum.notes |= EM_NOTE_BIT(EM_NOTE_PINNED);
    }
    if ((begin->flags | end->flags) & EM__VALUE_SPARED) {
        sum.notes |= EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER);
    }
    if (end->flags & EM__VALUE_SHORT) {
        sum.notes |= EM_NOTE_BIT(EM_NOTE_FALLS_SHORT);
    }
    *ret_sum = sum;
}

void em__sum_add(em__sum *into, const em__value *begin, const em__value *end)
{
    em__sum sum;
    em__sum_between(begin, end, &sum);
    into->energy_uj += sum.energy_uj;
    into->counted_uj += sum.counted_uj;
    into->gap_ns += sum.gap_ns;
    into->missing_ns += sum.missing_ns;
    chain_add(&into->chain, begin, end);
    into->edge_variance = em__chain_variance(&into->chain);
    into->edges_ns += sum.edges_ns;
    into->period_ns = sum.period_ns;
    into->is_period_seen = sum.is_period_seen;
    into->is_counted |= sum.is_counted;
    into->updates += sum.updates;
    into->status = sum.status ? sum.status : into->status;
    into->notes |= sum.notes;
}

void em__tally_between(em__tally *into, const em__value *begin, const em__value *end)
{
    into->energy_uj += end->energy_uj - begin->energy_uj;
    into->counted_uj += end->counted_uj - begin->counted_uj;
    into->gap_ns += end->gap_ns - begin->gap_ns;
    into->missing_ns += end->missing_ns - begin->missing_ns;
    chain_add(&into->chain, begin, end);
}

void em__tally_add(em__tally *into, const em__tally *tally)
{
    into->energy_uj += tally->energy_uj;
    into->counted_uj += tally->counted_uj;
    into->gap_ns += tally->gap_ns;
    into->missing_ns += tally->missing_ns;
    double inner_variance = em__chain_variance(&into->chain);
    into->chain = tally->chain;
    into->chain.inner_variance += inner_variance;
}
