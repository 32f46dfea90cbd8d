/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Of a merge: what carbon was computed with, cost, and the share of making the machines. */
#include "metrics/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int is_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

int em__merge_is_idle(const em__merge *merge, const em__part *part)
{
    return part->summary->channel_count == 0 && merge->source_count > 1;
}

/* Two that are not given are the same. */
static int is_same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static int has_same_making(const em__summary_facts *a, const em__summary_facts *b)
{
    return is_same(a->embodied_kg, b->embodied_kg) && is_same(a->lifetime_years, b->lifetime_years);
}

static int has_same_basis(const em_carbon *a, const em_carbon *b)
{
    return is_same(a->g_per_kwh, b->g_per_kwh) && is_same(a->pue, b->pue) && a->year == b->year &&
           a->is_default == b->is_default && is_equal(a->source, b->source) && is_equal(a->method, b->method) &&
           is_equal(a->zone, b->zone) && is_equal(a->location, b->location);
}

/* A machine is there once, however many of its processes measured: its share is that of the time that they cover. */
static double boot_embodied_g(const em__merge *merge, size_t boot, em__stretch *runs)
{
    const em__summary_facts *first = NULL;
    double one_g = 0;
    int is_known = 1;
    size_t count = 0;
    for (size_t i = 0; i < merge->count; i++) {
        const em__part *part = &merge->parts[i];
        if (part->boot != boot || em__merge_is_idle(merge, part)) {
            continue;
        }
        first = first ? first : &part->summary->facts;
        if (part->is_piece) { /* Of one boot of several only what they all have is told. */
            is_known = 0;
            one_g = part->is_first ? part->summary->groups[0].embodied_g : 0;
            count++;
            continue;
        }
        is_known &= has_same_making(first, &part->summary->facts);
        one_g = part->summary->groups[0].embodied_g;
        runs[count++] = (em__stretch){part->begin_ns, part->end_ns, part->summary->groups[0].duration_ns};
    }
    if (count < 2) {
        return count == 0 ? 0 : one_g;
    }
    em__rates rates = {.embodied_kg = first->embodied_kg, .lifetime_years = first->lifetime_years};
    return is_known ? em__embodied_g(&rates, em__merge_length(runs, count)) : NAN;
}

static int set_embodied(em__merge *merge)
{
    double sum_g = 0;
    em__stretch *runs = calloc(merge->count + 1, sizeof *runs);
    if (!runs) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < merge->count; i++) {
        sum_g += merge->parts[i].boot == i ? boot_embodied_g(merge, i, runs) : 0;
    }
    free(runs);
    merge->summary->groups[0].embodied_g = sum_g;
    return EM_OK;
}

/* Prices that differ may be of different currencies. */
static void set_cost(em__merge *merge)
{
    for (size_t i = 0; i < merge->summary->group_count && isnan(merge->summary->facts.price_per_kwh); i++) {
        merge->summary->groups[i].cost = NAN;
    }
}

/* Where parts differ, nothing is said. */
static void set_basis(em__merge *merge)
{
    const em__summary_facts *first = NULL;
    int is_common = 1, has_same_price = 1, is_of_one_making = 1;
    for (size_t i = 0; i < merge->count; i++) {
        const em__summary_facts *part = &merge->parts[i].summary->facts;
        if (em__merge_is_idle(merge, &merge->parts[i])) {
            continue;
        }
        first = first ? first : part;
        is_common &= has_same_basis(&first->carbon, &part->carbon);
        has_same_price &= is_same(first->price_per_kwh, part->price_per_kwh);
        is_of_one_making &= has_same_making(first, part);
    }
    em_carbon several = {.g_per_kwh = NAN, .pue = NAN};
    em__rates rates = {NAN, NAN, NAN, NAN, NAN};
    if (first && is_common) {
        rates.g_per_kwh = first->carbon.g_per_kwh;
        rates.pue = first->carbon.pue;
    }
    if (first && has_same_price) {
        rates.price_per_kwh = first->price_per_kwh;
    }
    if (first && is_of_one_making) {
        rates.embodied_kg = first->embodied_kg;
        rates.lifetime_years = first->lifetime_years;
    }
    em__summary_set_carbon(merge->summary, first && is_common ? &first->carbon : &several, &rates);
}

int em__merge_carbon(em__merge *merge)
{
    set_basis(merge);
    set_cost(merge);
    return set_embodied(merge);
}
