/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Compares places: sockets, dies, memory and boards. */
#include "metrics/silicon.h"

#include "energy_meter.h"

#include <string.h>

static const em__channel *facts_of(const em__survey *s, int32_t i)
{
    return s->all[i].facts;
}

int em__silicon_is_package(const em__channel *facts)
{
    return facts->covers == EM__COVERS_PACKAGE || facts->covers == EM__COVERS_DIE_ALIAS;
}

int em__silicon_stands_in(const em__channel *facts)
{
    return facts->covers == EM__COVERS_ALL_CPUS || facts->covers == EM__COVERS_ALL_MEMORY ||
           facts->covers == EM__COVERS_DOMAIN || (facts->covers == EM__COVERS_BOARD && facts->kind == EM_KIND_MODEL);
}

/* Memory beside aliases is read through the same socket-wide counter as they are, whatever die its zone names. */
int32_t em__silicon_memory_die(const em__survey *s, const em__channel *memory)
{
    for (int32_t i = 0; i < s->count; i++) {
        const em__channel *other = facts_of(s, i);
        if (other->covers == EM__COVERS_DIE_ALIAS && other->package == memory->package) {
            return EM__NO_CHANNEL;
        }
    }
    return memory->die;
}

/* 1: one board, -1: two, 0: they name nothing in common. */
static int compare_boards(const em__channel *a, const em__channel *b)
{
    if (a->pci[0] && b->pci[0]) {
        return strcmp(a->pci, b->pci) == 0 ? 1 : -1;
    }
    if (a->uuid[0] && b->uuid[0]) {
        return strcmp(a->uuid, b->uuid) == 0 ? 1 : -1;
    }
    return 0;
}

static int is_same_silicon(const em__survey *s, int32_t i, int32_t j)
{
    const em__channel *a = facts_of(s, i), *b = facts_of(s, j);
    if (a->thing != 0 && a->thing == b->thing) {
        return 1;
    }
    if (em__silicon_is_package(a)) {
        return em__silicon_is_package(b) && a->package == b->package;
    }
    if (a->covers != b->covers) {
        return 0;
    }
    switch (a->covers) {
    case EM__COVERS_DIE:
    case EM__COVERS_RAIL:
        return a->package == b->package && a->die == b->die;
    case EM__COVERS_DRAM:
        return a->package == b->package && em__silicon_memory_die(s, a) == em__silicon_memory_die(s, b);
    case EM__COVERS_BOARD:
        return compare_boards(a, b) > 0;
    case EM__COVERS_ALL_CPUS:
    case EM__COVERS_MODULE:
    case EM__COVERS_ALL_MEMORY:
        return 1;
    default:
        return 0;
    }
}

int em__silicon_precedes(const em__survey *s, int32_t i, int32_t j)
{
    const em__channel *a = facts_of(s, i), *b = facts_of(s, j);
    int order = (a->kind == EM_KIND_MODEL) - (b->kind == EM_KIND_MODEL);
    if (order == 0) {
        order = (s->all[i].rank > s->all[j].rank) - (s->all[i].rank < s->all[j].rank);
    }
    if (order == 0) {
        order = (a->kind == EM_KIND_GAUGE) - (b->kind == EM_KIND_GAUGE);
    }
    if (order == 0) {
        order = (a->covers == EM__COVERS_DIE_ALIAS) - (b->covers == EM__COVERS_DIE_ALIAS);
    }
    if (order == 0) {
        order = (a->die > b->die) - (a->die < b->die);
    }
    if (order == 0) {
        order = strcmp(a->source, b->source);
    }
    return order != 0 ? order < 0 : i < j;
}

static void join(const em__survey *s, int32_t i, int32_t j)
{
    int32_t a = s->out[i].group, b = s->out[j].group;
    for (int32_t k = 0; k < s->count; k++) {
        if (s->out[k].group == (a > b ? a : b)) {
            s->out[k].group = a < b ? a : b;
        }
    }
}

/* By number alone, as two vendors count their boards, unless something in the two groups tells them apart. */
static int may_be_same_board(const em__survey *s, int32_t i, int32_t j)
{
    const em__channel *a = facts_of(s, i), *b = facts_of(s, j);
    if (b->covers != EM__COVERS_BOARD || s->out[i].group == s->out[j].group || a->gpu < 0 || a->gpu != b->gpu) {
        return 0;
    }
    for (int32_t k = 0; k < s->count; k++) {
        for (int32_t l = 0; l < s->count && s->out[k].group == s->out[i].group; l++) {
            if (s->out[l].group == s->out[j].group && compare_boards(facts_of(s, k), facts_of(s, l)) < 0) {
                return 0;
            }
        }
    }
    return 1;
}

/* Two boards may be told to be one only by a third that knows both ids, so groups are joined, not looked up. */
void em__silicon_group(const em__survey *s)
{
    for (int32_t i = 0; i < s->count; i++) {
        s->out[i].group = i;
    }
    for (int32_t i = 0; i < s->count; i++) {
        for (int32_t j = 0; j < i; j++) {
            if (s->out[i].group != s->out[j].group && is_same_silicon(s, i, j)) {
                join(s, i, j);
            }
        }
    }
    for (int32_t i = 0; i < s->count; i++) {
        if (facts_of(s, i)->covers != EM__COVERS_BOARD) {
            continue;
        }
        int32_t same = EM__NO_CHANNEL;
        for (int32_t j = 0; j < s->count; j++) {
            if (may_be_same_board(s, i, j) && (same == EM__NO_CHANNEL || em__silicon_precedes(s, j, same))) {
                same = j;
            }
        }
        if (same != EM__NO_CHANNEL) {
            join(s, i, same);
        }
    }
}

void em__silicon_join_twins(const em__survey *s)
{
    for (int32_t i = 0; i < s->count; i++) {
        int32_t twin = s->all[i].twin - 1;
        if (twin >= 0 && twin < s->count) {
            join(s, i, twin);
        }
    }
}

int32_t em__silicon_first(const em__survey *s, int32_t group, int must_be_readable)
{
    int32_t first = EM__NO_CHANNEL;
    for (int32_t i = 0; i < s->count; i++) {
        if (s->out[i].group == group && (!must_be_readable || s->all[i].is_readable) &&
            (first == EM__NO_CHANNEL || em__silicon_precedes(s, i, first))) {
            first = i;
        }
    }
    return first;
}
