/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Differences of edges, and their errors. */
#include "windows/sum.h"

#include "energy_meter.h"

#include <math.h>

static double square(double value)
{
    return value * value;
}

static em__tail tail_of(const em__value *value)
{
    return (em__tail){.error_uj = value->error_uj, .width_ns = value->width_ns};
}

/* What the errors of two edges have in common: all at one instant, nothing a bracket apart. Between these, interpolating
 * across a step at a random place of a bracket errs by a Brownian bridge's covariance; (1 - x^1.5)^2.5 is its
 * correlation over a distance of x brackets, averaged over places, to 0.03. */
static double common_variance(const em__tail *a, uint64_t a_ns, const em__tail *b, uint64_t b_ns)
{
    double apart_ns = a_ns > b_ns ? (double)(a_ns - b_ns) : (double)(b_ns - a_ns);
    double width_ns = a->width_ns < b->width_ns ? a->width_ns : b->width_ns;
    if (apart_ns > 0 && apart_ns >= width_ns) {
        return 0;
    }
    double x = apart_ns > 0 ? apart_ns / width_ns : 0, left = 1 - x * sqrt(x);
    return left * left * sqrt(left) * (double)a->error_uj * (double)b->error_uj;
}

static double pair_variance(const em__tail *a, uint64_t a_ns, const em__tail *b, uint64_t b_ns)
{
    return square(a->error_uj) + square(b->error_uj) - 2 * common_variance(a, a_ns, b, b_ns);
}

double em__chain_variance(const em__chain *chain, uint64_t last_ns)
{
    return chain->inner_variance + pair_variance(&chain->first, chain->first_ns, &chain->last, last_ns);
}

/* A window that begins less than a bracket after the end before goes on with the chain: of the two edges between them
 * only what they do not have in common is left. */
static void chain_add(em__chain *chain, uint64_t last_ns, const em__edge *begin, const em__edge *end, size_t channel)
{
    em__tail from = tail_of(&begin->values[channel]), to = tail_of(&end->values[channel]);
    if (common_variance(&chain->last, last_ns, &from, begin->t_ns) > 0) {
        chain->inner_variance += pair_variance(&chain->last, last_ns, &from, begin->t_ns);
    } else {
        chain->inner_variance = em__chain_variance(chain, last_ns);
        chain->first = from;
        chain->first_ns = begin->t_ns;
    }
    chain->last = to;
}

void em__sum_between(const em__value *begin, uint64_t begin_ns, const em__value *end, uint64_t end_ns, em__sum *ret_sum)
{
    em__sum sum = {.energy_uj = end->energy_uj - begin->energy_uj,
                   .counted_uj = end->counted_uj - begin->counted_uj,
                   .gap_ns = end->gap_ns - begin->gap_ns,
                   .missing_ns = end->missing_ns - begin->missing_ns,
                   .updates = end->updates - begin->updates,
                   .period_ns = end->period_ns,
                   .is_period_seen = (end->flags & EM__VALUE_PERIOD_SEEN) != 0,
                   .chain = {.first_ns = begin_ns, .first = tail_of(begin), .last = tail_of(end)}};
    sum.edge_variance = em__chain_variance(&sum.chain, end_ns);
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

void em__sum_add(em__sum *into, uint64_t last_ns, const em__edge *begin, const em__edge *end, size_t channel)
{
    em__sum sum;
    em__sum_between(&begin->values[channel], begin->t_ns, &end->values[channel], end->t_ns, &sum);
    into->energy_uj += sum.energy_uj;
    into->counted_uj += sum.counted_uj;
    into->gap_ns += sum.gap_ns;
    into->missing_ns += sum.missing_ns;
    chain_add(&into->chain, last_ns, begin, end, channel);
    into->edge_variance = em__chain_variance(&into->chain, end->t_ns);
    into->period_ns = sum.period_ns;
    into->is_period_seen = sum.is_period_seen;
    into->updates += sum.updates;
    into->status = sum.status ? sum.status : into->status;
    into->notes |= sum.notes;
}

void em__tally_between(em__tally *into, uint64_t last_ns, const em__edge *begin, const em__edge *end, size_t channel)
{
    const em__value *from = &begin->values[channel], *to = &end->values[channel];
    into->energy_uj += to->energy_uj - from->energy_uj;
    into->counted_uj += to->counted_uj - from->counted_uj;
    into->gap_ns += to->gap_ns - from->gap_ns;
    into->missing_ns += to->missing_ns - from->missing_ns;
    chain_add(&into->chain, last_ns, begin, end, channel);
}

void em__tally_add(em__tally *into, uint64_t last_ns, const em__tally *tally)
{
    into->energy_uj += tally->energy_uj;
    into->counted_uj += tally->counted_uj;
    into->gap_ns += tally->gap_ns;
    into->missing_ns += tally->missing_ns;
    into->chain.inner_variance = em__chain_variance(&into->chain, last_ns);
    into->chain.inner_variance += tally->chain.inner_variance;
    into->chain.first_ns = tally->chain.first_ns;
    into->chain.first = tally->chain.first;
    into->chain.last = tally->chain.last;
}
