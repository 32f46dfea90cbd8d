/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Two counters are one if they show the same count, within what the time between two reads allows, through thirty stretches
 * in a row in which both counted on, ten of which changed in power. Of two sockets, each counts from its own start: that
 * they agree once is unlikely, that they go on to agree while the load changes is no chance. */
#include "metrics/twins.h"

#include "core/units.h"
#include "energy_meter.h"

#include <stdlib.h>
#include <string.h>

enum { STRETCHES = 30, MOVES = 10, MOVED_PERCENT = 3, LEAST_UNITS = 1000, PATIENCE_S = 3 };
enum { APART_NS = 10000000 /* readings that are further apart than this say nothing */ };

static int is_eligible(const em__channel *facts)
{
    return facts->kind == EM_KIND_COUNTER && facts->status == EM_OK && facts->thing == 0 &&
           (facts->covers == EM__COVERS_PACKAGE || facts->covers == EM__COVERS_DIE);
}

int em__twins_init(em__twins *twins, const em__channel *const *facts, const char *const *sensors, size_t count)
{
    *twins = (em__twins){.facts = facts};
    twins->twins = calloc(EM__TWINS_MOST, sizeof *twins->twins);
    if (!twins->twins) {
        return EM_ERR_NO_MEMORY;
    }
    const char *sensor = NULL;
    for (size_t i = 0; i < count && twins->count < EM__TWINS_MOST; i++) {
        if (is_eligible(facts[i]) && (!sensor || strcmp(sensor, sensors[i]) == 0)) {
            sensor = sensors[i];
            twins->twins[twins->count++].channel = (int32_t)i;
        }
    }
    size_t pairs = twins->count * twins->count + 1;
    twins->stretches = calloc(pairs, 1);
    twins->moves = calloc(pairs, 1);
    twins->is_told_apart = calloc(pairs, 1);
    if (!twins->stretches || !twins->moves || !twins->is_told_apart) {
        em__twins_free(twins);
        return EM_ERR_NO_MEMORY;
    }
    return EM_OK;
}

void em__twins_free(em__twins *twins)
{
    free(twins->twins);
    free(twins->stretches);
    free(twins->moves);
    free(twins->is_told_apart);
    *twins = (em__twins){0};
}

static const em__channel *facts_of(const em__twins *twins, size_t i)
{
    return twins->facts[twins->twins[i].channel];
}

static uint64_t apart(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static uint64_t highest_mw(const em__twin *twin)
{
    return twin->power_mw > twin->before_mw ? twin->power_mw : twin->before_mw;
}

/* What one may be ahead of the other: two updates, and the time between the reads, at a power that may be four times the
 * stretch's mean. */
static uint64_t slack_uj(const em__twins *twins, size_t i, size_t j)
{
    const em__twin *a = &twins->twins[i], *b = &twins->twins[j];
    const em__channel *facts = facts_of(twins, i);
    uint64_t power_mw = 4 * (highest_mw(a) > highest_mw(b) ? highest_mw(a) : highest_mw(b));
    uint64_t unit_uj = em__scale(facts->unit ? facts->unit : 1, facts->scale_num, facts->scale_den) + 1;
    return em__scale(power_mw, apart(a->t_ns, b->t_ns) + 2 * facts->refresh_ns, EM__MW_NS_PER_UJ) + 2 * unit_uj;
}

static int is_twin(const em__twins *twins, size_t pair)
{
    return twins->stretches[pair] >= STRETCHES && twins->moves[pair] >= MOVES;
}

static int has_moved(const em__twin *twin)
{
    return twin->before_mw > 0 && apart(twin->power_mw, twin->before_mw) * 100 >= twin->before_mw * MOVED_PERCENT;
}

static void compare(em__twins *twins, size_t i, size_t j)
{
    const em__twin *a = &twins->twins[i], *b = &twins->twins[j];
    const em__channel *facts = facts_of(twins, i), *other = facts_of(twins, j);
    size_t pair = i * twins->count + j;
    int is_known = a->from_ns && b->from_ns && a->t_ns >= twins->began_ns && b->t_ns >= twins->began_ns;
    if (twins->is_told_apart[pair] || !is_known || apart(a->t_ns, b->t_ns) > APART_NS) {
        return;
    }
    uint64_t range = facts->range, difference = apart(a->raw, b->raw);
    difference = range > 0 && difference > range / 2 && difference <= range ? range - difference : difference;
    int agrees = facts->range == other->range && facts->scale_num == other->scale_num &&
                 facts->scale_den == other->scale_den &&
                 em__scale(difference, facts->scale_num, facts->scale_den) <= slack_uj(twins, i, j);
    if (!agrees) {
        twins->is_told_apart[pair] = (uint8_t)is_twin(twins, pair);
        twins->stretches[pair] = twins->moves[pair] = 0;
        return;
    }
    uint64_t unit = facts->unit ? facts->unit : 1;
    if (apart(a->raw, a->from_raw) / unit >= LEAST_UNITS && twins->stretches[pair] < UINT8_MAX) {
        twins->stretches[pair]++;
        twins->moves[pair] = (uint8_t)(twins->moves[pair] + (twins->moves[pair] < UINT8_MAX && has_moved(a)));
    }
}

static void end_stretch(em__twin *twin, const em__channel *facts)
{
    uint64_t elapsed_ns = twin->t_ns - twin->from_ns;
    twin->before_mw = twin->power_mw;
    twin->power_mw = 0;
    if (twin->from_ns && elapsed_ns > 0 && twin->raw >= twin->from_raw) {
        uint64_t uj = em__scale(twin->raw - twin->from_raw, facts->scale_num, facts->scale_den);
        twin->power_mw = em__scale(uj, EM__MW_NS_PER_UJ, elapsed_ns);
    }
}

static int end_stretches(em__twins *twins, uint64_t t_ns)
{
    int has_changed = 0;
    for (size_t i = 0; i < twins->count; i++) {
        end_stretch(&twins->twins[i], facts_of(twins, i));
    }
    for (size_t i = 0; i < twins->count; i++) {
        for (size_t j = i + 1; j < twins->count; j++) {
            size_t pair = i * twins->count + j;
            int was = is_twin(twins, pair);
            compare(twins, i, j);
            has_changed |= was != is_twin(twins, pair);
        }
    }
    for (size_t i = 0; i < twins->count; i++) {
        em__twin *twin = &twins->twins[i];
        twin->from_ns = twin->t_ns;
        twin->from_raw = twin->raw;
    }
    twins->began_ns = t_ns;
    return has_changed;
}

/* The first that is still read tells that a round is over: all others hold their readings of the last one. */
int em__twins_read(em__twins *twins, size_t channel, uint64_t t_ns, uint64_t raw)
{
    int has_changed = 0, is_first = 1;
    for (size_t i = 0; i < twins->count && twins->count > 1; i++) {
        em__twin *twin = &twins->twins[i];
        if (twin->channel == (int32_t)channel) {
            if (is_first && t_ns >= twins->began_ns + EM__NS_PER_S) {
                has_changed = end_stretches(twins, t_ns);
            }
            twin->t_ns = t_ns;
            twin->raw = raw;
            break;
        }
        is_first &= twin->t_ns + PATIENCE_S * EM__NS_PER_S < t_ns;
    }
    return has_changed;
}

int32_t em__twins_of(const em__twins *twins, size_t channel)
{
    for (size_t j = 0; j < twins->count; j++) {
        for (size_t i = 0; i < j && twins->twins[j].channel == (int32_t)channel; i++) {
            if (is_twin(twins, i * twins->count + j)) {
                return twins->twins[i].channel;
            }
        }
    }
    return -1;
}
