/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Groups by kind and name, their bound, and what enters them. */
#include "windows/groups.h"

#include "check.h"
#include "energy_meter.h"

static em__groups groups;

static void test_a_group_is_a_kind_and_a_name(void)
{
    em__groups_init(&groups, 1);
    em__group *batch = em__groups_intern(&groups, EM_WINDOW_BATCH, NULL);
    em__group *epoch = em__groups_intern(&groups, EM_WINDOW_EPOCH, NULL);
    em__group *named = em__groups_intern(&groups, EM_WINDOW_BATCH, "train");
    em__group *empty = em__groups_intern(&groups, EM_WINDOW_BATCH, "");
    em__group *odd = em__groups_intern(&groups, EM_WINDOW_BATCH, "\x01");
    CHECK(batch && epoch && named && empty && odd);
    CHECK(batch != epoch && batch != named && batch != empty && batch != odd && empty != odd);
    char name[] = "train";
    CHECK(em__groups_intern(&groups, EM_WINDOW_BATCH, name) == named);
    CHECK(named->name != name);
    CHECK_TEXT(named->name, "train");
    CHECK(em__groups_intern(&groups, EM_WINDOW_BATCH, NULL) == batch);
    CHECK(em__groups_find(&groups, EM_WINDOW_EPOCH, "train") == NULL);
    CHECK_INT(groups.count, 5);
    em__groups_free(&groups);
}

static void test_what_comes_after_1024_groups_is_one(void)
{
    char name[32];
    em__groups_init(&groups, 2);
    for (int i = 0; i < EM__GROUPS; i++) {
        snprintf(name, sizeof name, "window %d", i);
        em__group *group = em__groups_intern(&groups, EM_WINDOW_OTHER, name);
        CHECK_TEXT(group ? group->name : NULL, name);
    }
    em__group *rest[EM_WINDOW_RUN + 1], *unnamed[EM_WINDOW_RUN + 1];
    for (int32_t kind = EM_WINDOW_OTHER; kind <= EM_WINDOW_RUN; kind++) {
        rest[kind] = em__groups_intern(&groups, kind, "one more");
        unnamed[kind] = em__groups_intern(&groups, kind, NULL);
        CHECK_TEXT(rest[kind] ? rest[kind]->name : NULL, "*");
        CHECK(unnamed[kind] && !unnamed[kind]->name);
    }
    for (int32_t kind = EM_WINDOW_OTHER; kind <= EM_WINDOW_RUN; kind++) {
        snprintf(name, sizeof name, "yet another %d", kind);
        CHECK(em__groups_intern(&groups, kind, name) == rest[kind]);
        CHECK(em__groups_find(&groups, kind, NULL) == unnamed[kind]);
        CHECK(em__groups_find(&groups, kind, name) == NULL);
    }
    for (int i = 0; i < EM__GROUPS; i++) {
        snprintf(name, sizeof name, "window %d", i);
        em__group *group = em__groups_intern(&groups, EM_WINDOW_OTHER, name);
        CHECK_TEXT(group ? group->name : NULL, name);
    }
    CHECK_INT(groups.count, EM__GROUPS + 8);
    em__groups_free(&groups);
}

static void test_what_adds_up(void)
{
    static const em__channel facts;
    const em__channel *pointers[1] = {&facts};
    em__timeline timeline;
    CHECK_INT(em__timeline_init(&timeline, pointers, 1), EM_OK);
    em__groups_init(&groups, 1);
    em__group *group = em__groups_intern(&groups, EM_WINDOW_BATCH, NULL);
    em__edge *edges[3];
    static const em__value values[3] = {
        {.energy_uj = 100, .counted_uj = 10, .gap_ns = 5, .missing_ns = 1, .error_uj = 3, .updates = 7},
        {.energy_uj = 350, .counted_uj = 40, .gap_ns = 5, .missing_ns = 1, .error_uj = 4, .updates = 9},
        {.energy_uj = 900,
         .counted_uj = 90,
         .gap_ns = 9,
         .missing_ns = 4,
         .error_uj = 12,
         .updates = 19,
         .status = EM_ERR_RESET,
         .flags = EM__VALUE_PINNED}};
    for (size_t i = 0; i < 3; i++) {
        edges[i] = em__timeline_mark(&timeline, 1000 + 100 * i);
        edges[i]->values[0] = values[i];
    }
    em__group_add(group, 1, edges[0], edges[1], 32, 0);
    CHECK_INT(group->sums[0].energy_uj, 250);
    CHECK_INT(group->sums[0].counted_uj, 30);
    CHECK_INT(group->sums[0].notes, 0);
    CHECK_INT(group->sums[0].status, EM_OK);
    CHECK_NEAR(group->sums[0].edge_variance, 9 + 16, 1e-6);
    em__group_add(group, 1, edges[1], edges[2], 8, 50);
    CHECK_INT(group->count, 2);
    CHECK_INT(group->items, 40);
    CHECK_INT(group->wait_ns, 50);
    CHECK_INT(group->duration_ns, 200);
    CHECK_INT(group->sums[0].energy_uj, 800);
    CHECK_INT(group->sums[0].counted_uj, 80);
    CHECK_INT(group->sums[0].gap_ns, 4);
    CHECK_INT(group->sums[0].missing_ns, 3);
    CHECK_INT(group->sums[0].updates, 12);
    CHECK_INT(group->sums[0].status, EM_ERR_RESET);
    CHECK(group->sums[0].notes == (EM_NOTE_BIT(EM_NOTE_GAP) | EM_NOTE_BIT(EM_NOTE_PINNED)));
    em__groups_clear(&groups, &timeline, edges[2]);
    CHECK_INT(group->count, 0);
    CHECK_INT(group->duration_ns, 0);
    CHECK_INT(group->sums[0].energy_uj, 0);
    CHECK(em__groups_find(&groups, EM_WINDOW_BATCH, NULL) == group); /* names live as long as the meter */
    for (size_t i = 0; i < 3; i++) {
        em__timeline_release(&timeline, edges[i]);
    }
    em__groups_free(&groups);
    em__timeline_free(&timeline);
}

int main(void)
{
    RUN(test_a_group_is_a_kind_and_a_name);
    RUN(test_what_comes_after_1024_groups_is_one);
    RUN(test_what_adds_up);
    return CHECK_DONE();
}
