/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which windows can still be asked for by id, and that their number bounds the memory, whatever the run's length. */
#include "check.h"
#include "rig/channel.h"
#include "rig/memory.h"

#include <stdlib.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static rig_ledger rig;
static wave constant;
static uint64_t now_ns;

static void begin(void)
{
    constant = wave_constant(100);
    rig_channel channel =
        rig_channel_make("cpu-0/package", EM__COVERS_PACKAGE, 0, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    rig_ledger_init(&rig, &channel, 1, NULL);
    now_ns = S;
    rig_ledger_read_all(&rig, now_ns);
}

static int status_of(em_window window)
{
    em_result result = {.size = sizeof result};
    return em__ledger_result(&rig.ledger, window, now_ns, &result);
}

static em_window open_window(int32_t kind, const char *name, int32_t keep)
{
    em__event event = {.kind = EM__EVENT_BEGIN, .t_ns = now_ns, .window_kind = kind, .name = name, .keep = keep};
    CHECK_INT(em__ledger_apply(&rig.ledger, &event), EM_OK);
    return event.window;
}

static int apply(em__event_kind kind, em_window window)
{
    return rig_ledger_apply(&rig, (em__event){.kind = kind, .t_ns = now_ns, .window = window});
}

static em_window one_window(const char *name, int32_t keep)
{
    em_window window = open_window(EM_WINDOW_OTHER, name, keep);
    now_ns += MS;
    CHECK_INT(apply(EM__EVENT_END, window), EM_OK);
    rig_ledger_read_all(&rig, now_ns += MS);
    return window;
}

static void test_ids_are_never_used_twice(void)
{
    begin();
    em_window last = 0;
    for (int i = 0; i < 5000; i++) {
        em_window window = open_window(i % 3, NULL, 0);
        CHECK(window > last);
        last = window;
        CHECK_INT(apply(i % 2 ? EM__EVENT_END : EM__EVENT_CANCEL, window), EM_OK);
    }
    CHECK_INT(status_of(0), EM_ERR_UNKNOWN);
    CHECK_INT(status_of(last + 1), EM_ERR_UNKNOWN);
    CHECK_INT(status_of(UINT64_MAX), EM_ERR_UNKNOWN);
    rig_ledger_free(&rig);
}

/* Readable while 1,024 later ones have ended, expired with the next. */
static void test_expiry_after_1024_later_ones(void)
{
    begin();
    em_window first = one_window("a", 0);
    for (int i = 0; i < EM_KEPT_WINDOWS - 1; i++) {
        one_window("b", 0);
    }
    CHECK_INT(status_of(first), EM_OK);
    one_window("a", 0);
    CHECK_INT(status_of(first), EM_ERR_EXPIRED);
    CHECK_INT(status_of(first + 1), EM_OK);
    CHECK_INT(apply(EM__EVENT_END, first), EM_ERR_EXPIRED);
    CHECK_INT(apply(EM__EVENT_CANCEL, first), EM_ERR_EXPIRED);
    rig_ledger_free(&rig);
}

static void test_the_last_of_a_group_stays(void)
{
    begin();
    em_window validation = one_window("val", 0), found = 0;
    for (int i = 0; i < 3 * EM_KEPT_WINDOWS; i++) {
        one_window(NULL, 0);
    }
    CHECK_INT(status_of(validation), EM_OK);
    CHECK_INT(em__ledger_last(&rig.ledger, -1, "val", &found), EM_OK);
    CHECK_INT(found, validation);
    em_window next = one_window("val", 0);
    CHECK_INT(status_of(validation), EM_ERR_EXPIRED);
    CHECK_INT(em__ledger_last(&rig.ledger, EM_WINDOW_OTHER, "val", &found), EM_OK);
    CHECK_INT(found, next);
    CHECK_INT(em__ledger_last(&rig.ledger, EM_WINDOW_OTHER, NULL, &found), EM_OK);
    CHECK_INT(found, next);
    CHECK_INT(em__ledger_last(&rig.ledger, EM_WINDOW_BATCH, NULL, &found), EM_ERR_UNKNOWN);
    CHECK_INT(em__ledger_last(&rig.ledger, -1, "unheard of", &found), EM_ERR_UNKNOWN);
    rig_ledger_free(&rig);
}

static void test_a_kept_window_stays_until_released(void)
{
    begin();
    em_window kept = one_window("k", 1), open = open_window(EM_WINDOW_OTHER, "k", 1);
    for (int i = 0; i < 2 * EM_KEPT_WINDOWS; i++) {
        one_window("k", 0);
    }
    CHECK_INT(status_of(kept), EM_OK);
    CHECK_INT(apply(EM__EVENT_RELEASE, kept), EM_OK);
    CHECK_INT(status_of(kept), EM_OK); /* it counts as just ended */
    CHECK_INT(apply(EM__EVENT_RELEASE, kept), EM_OK);
    for (int i = 0; i < EM_KEPT_WINDOWS; i++) {
        CHECK_INT(status_of(kept), EM_OK);
        one_window("k", 0);
    }
    CHECK_INT(status_of(kept), EM_ERR_EXPIRED);
    CHECK_INT(apply(EM__EVENT_RELEASE, open), EM_OK);
    CHECK_INT(apply(EM__EVENT_END, open), EM_OK);
    for (int i = 0; i < EM_KEPT_WINDOWS; i++) {
        one_window("k", 0);
    }
    CHECK_INT(status_of(open), EM_ERR_EXPIRED);
    rig_ledger_free(&rig);
}

/* A window whose edges still wait when it expires is made final first: every joule reaches its group. */
static void test_expiring_makes_final(void)
{
    begin();
    rig_ledger_read_all(&rig, now_ns += 100 * MS);
    for (int i = 0; i < 3 * EM_KEPT_WINDOWS; i++) {
        em_window window = open_window(EM_WINDOW_BATCH, NULL, 0);
        now_ns += 10000;
        CHECK_INT(apply(EM__EVENT_END, window), EM_OK);
    }
    const em__group *group = em__groups_find(&rig.ledger.groups, EM_WINDOW_BATCH, NULL);
    CHECK_INT(group->count, 2 * EM_KEPT_WINDOWS);
    CHECK_NEAR((double)group->sums[0].counted_uj, 2.0 * EM_KEPT_WINDOWS * 1000, EM_KEPT_WINDOWS);
    CHECK(group->sums[0].notes & EM_NOTE_BIT(EM_NOTE_PINNED));
    rig_ledger_read_all(&rig, now_ns += 100 * MS);
    CHECK_INT(group->count, 3 * EM_KEPT_WINDOWS);
    CHECK_NEAR((double)group->sums[0].counted_uj, 3.0 * EM_KEPT_WINDOWS * 1000, EM_KEPT_WINDOWS);
    rig_ledger_free(&rig);
}

/* Many at once are found as quickly as few, and all end. */
static void test_a_hundred_thousand_open_windows(void)
{
    enum { COUNT = 100000 };
    begin();
    em_window *windows = malloc(COUNT * sizeof *windows);
    for (size_t i = 0; i < COUNT; i++) {
        windows[i] = open_window(EM_WINDOW_OTHER, NULL, 0);
    }
    CHECK_INT(em__ledger_open_count(&rig.ledger), COUNT);
    rig_ledger_read_all(&rig, now_ns += 100 * MS);
    for (size_t i = 0; i < COUNT; i++) {
        CHECK_INT(apply(EM__EVENT_END, windows[COUNT - 1 - i]), EM_OK);
    }
    rig_ledger_read_all(&rig, now_ns += 100 * MS);
    CHECK_INT(em__ledger_open_count(&rig.ledger), 0);
    const em__group *group = em__groups_find(&rig.ledger.groups, EM_WINDOW_OTHER, NULL);
    CHECK_INT(group->count, COUNT);
    free(windows);
    rig_ledger_free(&rig);
}

static void test_memory_is_flat_over_a_million_windows(void)
{
    begin();
    em_window run = open_window(EM_WINDOW_RUN, NULL, 1);
    size_t early = 0;
    for (int i = 0; i < 1000000; i++) {
        em_window epoch = i % 100 == 0 ? open_window(EM_WINDOW_EPOCH, NULL, 0) : 0;
        em_window batch = open_window(EM_WINDOW_BATCH, NULL, 0);
        now_ns += 100000;
        apply(i % 50 == 7 ? EM__EVENT_CANCEL : EM__EVENT_END, batch);
        if (epoch) {
            apply(EM__EVENT_END, epoch);
        }
        if (i % 1000 == 0) {
            rig_ledger_read_all(&rig, now_ns);
        }
        if (i == 20000) {
            early = rig_memory_used();
        }
    }
    CHECK_INT(apply(EM__EVENT_END, run), EM_OK);
    size_t late = rig_memory_used();
    if (!CHECK(late <= early + 4096)) {
        printf("# %zu bytes after 20,000 windows, %zu after 1,000,000\n", early, late);
    }
    rig_ledger_free(&rig);
}

static void test_nothing_is_left_behind(void)
{
    size_t before = rig_memory_used();
    for (int i = 0; i < 50; i++) {
        begin();
        em_window kept = one_window("kept", 1), open = open_window(EM_WINDOW_EPOCH, NULL, 0);
        one_window("one", 0);
        open_window(EM_WINDOW_BATCH, "waits", 0);
        CHECK(kept != open);
        rig_ledger_free(&rig);
    }
    CHECK(rig_memory_used() <= before + 8192); /* what the allocator itself keeps varies */
}

int main(void)
{
    RUN(test_ids_are_never_used_twice);
    RUN(test_expiry_after_1024_later_ones);
    RUN(test_the_last_of_a_group_stays);
    RUN(test_a_kept_window_stays_until_released);
    RUN(test_expiring_makes_final);
    RUN(test_a_hundred_thousand_open_windows);
    RUN(test_memory_is_flat_over_a_million_windows);
    RUN(test_nothing_is_left_behind);
    return CHECK_DONE();
}
