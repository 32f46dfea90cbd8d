/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A bounded table of groups. */
#include "windows/groups.h"

#include "energy_meter.h"

#include <stdlib.h>
#include <string.h>

void em__groups_init(em__groups *groups, size_t channel_count)
{
    memset(groups, 0, sizeof *groups);
    groups->channel_count = channel_count;
}

void em__groups_free(em__groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        em__union_free(&groups->all[i]->distinct);
        free(groups->all[i]->name);
        free(groups->all[i]);
    }
    memset(groups, 0, sizeof *groups);
}

static size_t slot_of(int32_t kind, const char *name)
{
    uint64_t hash = UINT64_C(1469598103934665603) ^ (uint64_t)(uint32_t)kind; /* FNV-1a */
    for (const char *c = name ? name : "\x01"; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    return (size_t)(hash % EM__GROUPS);
}

em__group *em__groups_find(const em__groups *groups, int32_t kind, const char *name)
{
    em__group *group = groups->table[slot_of(kind, name)];
    for (; group; group = group->next) {
        if (group->kind == kind && (name ? group->name && strcmp(group->name, name) == 0 : !group->name)) {
            return group;
        }
    }
    return NULL;
}

static em__group *create(em__groups *groups, int32_t kind, const char *name)
{
    em__group *group = calloc(1, sizeof *group + 2 * groups->channel_count * sizeof group->sums[0]);
    if (!group) {
        return NULL;
    }
    group->kind = kind;
    group->item_sums = group->sums + groups->channel_count;
    group->name = name ? strdup(name) : NULL;
    if ((name && !group->name) || em__union_init(&group->distinct, groups->channel_count) != EM_OK) {
        free(group->name);
        free(group);
        return NULL;
    }
    em__group **slot = &groups->table[slot_of(kind, name)];
    group->next = *slot;
    *slot = group;
    groups->all[groups->count++] = group;
    return group;
}

em__group *em__groups_intern(em__groups *groups, int32_t kind, const char *name)
{
    em__group *group = em__groups_find(groups, kind, name);
    if (!group && groups->count >= EM__GROUPS && name) {
        name = "*";
        group = em__groups_find(groups, kind, name);
    }
    return group ? group : create(groups, kind, name);
}

void em__groups_forget(em__groups *groups, em__group *group)
{
    if (group->last_order > 0 || group->live > 0) {
        return;
    }
    em__group **link = &groups->table[slot_of(group->kind, group->name)];
    while (*link != group) {
        link = &(*link)->next;
    }
    *link = group->next;
    for (size_t i = 0; i < groups->count; i++) {
        if (groups->all[i] == group) {
            groups->all[i] = groups->all[--groups->count];
        }
    }
    em__union_free(&group->distinct);
    free(group->name);
    free(group);
}

static void add_sums(em__sum *sums, size_t channel_count, const em__edge *begin, const em__edge *end)
{
    for (size_t i = 0; i < channel_count; i++) {
        em__sum_add(&sums[i], &begin->values[i], &end->values[i]);
    }
}

void em__group_add(em__group *group, size_t channel_count, const em__edge *begin, const em__edge *end,
                   const uint64_t *items, uint64_t wait_ns)
{
    group->count++;
    group->wait_ns += wait_ns;
    group->duration_ns += end->t_ns - begin->t_ns;
    add_sums(group->sums, channel_count, begin, end);
    if (items) {
        group->items += *items < EM_MOST_ITEMS - group->items ? *items : EM_MOST_ITEMS - group->items;
        group->item_windows++;
        group->item_ns += end->t_ns - begin->t_ns;
        add_sums(group->item_sums, channel_count, begin, end);
    }
}

void em__groups_clear(em__groups *groups, em__timeline *timeline, em__edge *edge)
{
    for (size_t i = 0; i < groups->count; i++) {
        em__group *group = groups->all[i];
        group->count = group->duration_ns = group->wait_ns = 0;
        group->items = group->item_windows = group->item_ns = 0;
        memset(group->sums, 0, 2 * groups->channel_count * sizeof group->sums[0]);
        em__union_restart(&group->distinct, timeline, edge);
    }
}
