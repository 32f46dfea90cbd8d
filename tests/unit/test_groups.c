/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Groups by kind and name, their bound, and what enters them. */
#include "windows/groups.h"

#include "check.h"
#include "energy_meter.h"
#include "rig/channel.h"
#include "rig/random.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

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
        edges[i]->values[0].t_ns = edges[i]->t_ns;
    }
    em__group_add(group, 1, edges[0], edges[1], &(uint64_t){32}, 0);
    CHECK_INT(group->sums[0].energy_uj, 250);
    CHECK_INT(group->sums[0].counted_uj, 30);
    CHECK_INT(group->sums[0].notes, 0);
    CHECK_INT(group->sums[0].status, EM_OK);
    CHECK_NEAR(group->sums[0].edge_variance, 9 + 16, 1e-6);
    em__group_add(group, 1, edges[1], edges[2], &(uint64_t){8}, 50);
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

/* ----------------------------------------------------------------------------------------------- errors of the sum */

enum { DRAWS = 400, WINDOWS = 40 };

typedef struct {
    double inside, mean_u_j, errors_j[DRAWS];
} spread;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static em_group batches_of(const em_summary *summary)
{
    size_t index = 0;
    em_group group = {.size = sizeof group};
    CHECK_INT(em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index), EM_OK);
    CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
    return group;
}

/* The sum over windows of 60 ms that lie apart_ns from each other, on a counter that moves every 100 ms. */
static spread measure(uint64_t apart_ns)
{
    static rig_ledger rig;
    spread result = {0};
    for (int draw = 0; draw < DRAWS; draw++) {
        wave square = wave_square(90, 380, rig_random_between(0.3, 0.5), 0.5, rig_random_between(0, 0.5));
        rig_source source = {.wave = &square, .period_ns = 100 * MS, .phase_ns = rig_random_below(100 * MS)};
        rig_channel board = rig_channel_make("gpu-0/board", EM__COVERS_BOARD, 0, EM_KIND_COUNTER, source);
        rig_ledger_init(&rig, &board, 1, NULL);
        uint64_t read_ns = S, t_ns = 2 * S + rig_random_below(100 * MS);
        double truth_j = 0;
        em_window window = 0;
        for (int i = 0; i <= 2 * WINDOWS; i++) {
            for (; read_ns <= t_ns || i == 2 * WINDOWS; read_ns += 90 * MS + rig_random_below(40 * MS)) {
                rig_ledger_read(&rig, 0, read_ns);
                if (read_ns > t_ns + S) {
                    break;
                }
            }
            if (i < 2 * WINDOWS && i % 2 == 0) {
                window = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, t_ns);
                truth_j += wave_energy_j(&square, t_ns, t_ns + 60 * MS);
                t_ns += 60 * MS;
            } else if (i < 2 * WINDOWS) {
                rig_ledger_end(&rig, window, t_ns);
                t_ns += apart_ns;
            }
        }
        em_summary *summary = rig_ledger_summary(&rig);
        em_group group = batches_of(summary);
        CHECK_INT(group.count, WINDOWS);
        CHECK_NEAR(group.distinct.energy_j, group.total.energy_j, 1e-9);
        CHECK_NEAR(group.distinct.edge_j, group.total.edge_j, 1e-6);
        CHECK_NEAR(group.total.gain_j, 2 * 0.05 * group.total.energy_j, 1e-9); /* it does not average out */
        result.errors_j[draw] = fabs(group.total.energy_j - truth_j);
        result.inside += (result.errors_j[draw] <= group.total.edge_j) / (double)DRAWS;
        result.mean_u_j += group.total.edge_j / (double)DRAWS;
        em_summary_destroy(summary);
        rig_ledger_free(&rig);
    }
    qsort(result.errors_j, DRAWS, sizeof result.errors_j[0], by_size);
    return result;
}

/* Edges that two windows share cancel in the sum, those that lie apart add up in quadrature. */
static void test_edges_of_adjoining_windows_cancel(void)
{
    static const uint64_t apart_ns[] = {0, 2 * MS, 10 * MS, 640 * MS};
    for (size_t i = 0; i < sizeof apart_ns / sizeof apart_ns[0]; i++) {
        spread got = measure(apart_ns[i]);
        double percentile_j = got.errors_j[DRAWS * 95 / 100];
        printf("# %3llu ms apart: %.1f %% inside, mean U %.2f J, 95 %% of errors within %.2f J\n",
               (unsigned long long)(apart_ns[i] / MS), 100 * got.inside, got.mean_u_j, percentile_j);
        CHECK(got.inside >= 0.92); /* 95 %, less three standard deviations of 400 draws */
        CHECK(got.mean_u_j <= 3 * percentile_j);
    }
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_edges_of_adjoining_windows_cancel);
    RUN(test_a_group_is_a_kind_and_a_name);
    RUN(test_what_comes_after_1024_groups_is_one);
    RUN(test_what_adds_up);
    return CHECK_DONE();
}
