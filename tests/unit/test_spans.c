/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Unions of time against a reference that paints every cell of a short time line, over random sets of nested,
 * overlapping, cancelled, lapped and empty windows. */
#include "windows/spans.h"

#include "check.h"
#include "energy_meter.h"
#include "rig/random.h"

enum { CELLS = 200, MOST = 64, CHANNELS = 2, SETS = 4000 };

typedef enum { OPEN, ENDED, CANCELLED, FORGOTTEN } state;

typedef struct {
    em__span span;
    uint64_t begin, end;
    state state;
} window;

static em__timeline timeline;
static em__union set;
static window windows[MOST];
static size_t count;
static uint64_t now;
static int64_t energy[CHANNELS][CELLS + 1]; /* counted so far, at the begin of each cell */

/* A settled edge for now. The caller's reference. */
static em__edge *edge_now(void)
{
    em__edge *edge = em__timeline_mark(&timeline, now);
    em__edge *settled = em__timeline_settle(&timeline);
    CHECK(settled == edge);
    em__timeline_release(&timeline, settled);
    for (size_t i = 0; i < CHANNELS; i++) {
        edge->values[i] = (em__value){
            .counted_uj = energy[i][now], .energy_uj = 3 * energy[i][now], .gap_ns = now, .missing_ns = 2 * now};
    }
    return edge;
}

static void begin_set(void)
{
    static em__channel facts[CHANNELS];
    const em__channel *pointers[CHANNELS] = {&facts[0], &facts[1]};
    CHECK_INT(em__timeline_init(&timeline, pointers, CHANNELS), EM_OK);
    CHECK_INT(em__union_init(&set, CHANNELS), EM_OK);
    now = count = 0;
    for (size_t i = 0; i < CHANNELS; i++) {
        for (size_t cell = 0; cell < CELLS; cell++) {
            energy[i][cell + 1] = energy[i][cell] + (int64_t)rig_random_below(1000000);
        }
    }
}

static void end_set(void)
{
    for (size_t i = 0; i < count; i++) {
        if (windows[i].state == OPEN) {
            em__union_cancel(&set, &timeline, &windows[i].span);
        }
        em__span_free(&windows[i].span);
    }
    em__union_free(&set);
    em__timeline_free(&timeline);
}

static void begin(em__edge *edge)
{
    window *made = &windows[count++];
    CHECK_INT(em__span_init(&made->span, CHANNELS), EM_OK);
    made->state = OPEN;
    made->begin = now;
    em__union_open(&set, &made->span, edge);
}

static void finish(window *open, em__edge *edge)
{
    open->state = ENDED;
    open->end = now;
    em__union_close(&set, &timeline, &open->span, edge);
}

static void restart(em__edge *edge)
{
    em__union_restart(&set, &timeline, edge);
    for (size_t i = 0; i < count; i++) {
        windows[i].begin = now;
        windows[i].state = windows[i].state == OPEN ? OPEN : FORGOTTEN;
    }
}

static window *random_open(void)
{
    window *chosen = NULL;
    uint64_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        if (windows[i].state == OPEN && rig_random_below(++seen) == 0) {
            chosen = &windows[i];
        }
    }
    return chosen;
}

/* Paints the cells of all windows that ended, and of open ones up to now. */
static void paint(int with_open, uint64_t *ret_ns, int64_t *ret_uj)
{
    unsigned char cells[CELLS] = {0};
    for (size_t i = 0; i < count; i++) {
        uint64_t end = windows[i].state == ENDED ? windows[i].end : now;
        if (windows[i].state == ENDED || (with_open && windows[i].state == OPEN)) {
            memset(cells + windows[i].begin, 1, end - windows[i].begin);
        }
    }
    *ret_ns = 0;
    memset(ret_uj, 0, CHANNELS * sizeof *ret_uj);
    for (size_t cell = 0; cell < CELLS; cell++) {
        *ret_ns += cells[cell];
        for (size_t i = 0; i < CHANNELS; i++) {
            ret_uj[i] += cells[cell] ? energy[i][cell + 1] - energy[i][cell] : 0;
        }
    }
}

static int is_painted(int with_open)
{
    uint64_t expected_ns, ns;
    int64_t expected_uj[CHANNELS];
    em__tally tallies[CHANNELS];
    em__edge *edge = with_open ? edge_now() : NULL;
    paint(with_open, &expected_ns, expected_uj);
    em__union_sum(&set, CHANNELS, edge, &ns, tallies);
    em__timeline_release(&timeline, edge);
    int is_right = ns == expected_ns;
    for (size_t i = 0; i < CHANNELS; i++) {
        is_right &= tallies[i].counted_uj == expected_uj[i] && tallies[i].energy_uj == 3 * expected_uj[i] &&
                    tallies[i].gap_ns == ns && tallies[i].missing_ns == 2 * ns;
    }
    return is_right;
}

static void random_step(int may_restart)
{
    window *open = random_open();
    uint64_t choice = rig_random_below(100);
    now += rig_random_below(4);
    em__edge *edge = edge_now();
    if (!open || choice < 40) {
        begin(edge);
    } else if (choice < 70) {
        finish(open, edge);
    } else if (choice < 80) {
        em__union_cancel(&set, &timeline, &open->span);
        open->state = CANCELLED;
    } else if (choice < 97 || !may_restart) {
        finish(open, edge);
        begin(edge);
    } else {
        restart(edge);
    }
    em__timeline_release(&timeline, edge);
}

static void check_random_sets(int may_restart)
{
    for (int i = 0; i < SETS; i++) {
        begin_set();
        int right = 1;
        while (right && count < MOST && now < CELLS - 4) {
            random_step(may_restart);
            right = is_painted(0) && is_painted(1);
        }
        end_set();
        if (!CHECK(right)) {
            printf("# set %d after %zu windows at %llu\n", i, count, (unsigned long long)now);
            return;
        }
    }
}

static void test_random_windows(void)
{
    check_random_sets(0);
}

static void test_random_windows_that_start_over(void)
{
    check_random_sets(1);
}

/* Two windows that overlap, and a third around them that never was. */
static void test_by_hand(void)
{
    begin_set();
    em__edge *edge = edge_now();
    begin(edge); /* 0: from 0 */
    em__timeline_release(&timeline, edge);
    now = 10;
    edge = edge_now();
    begin(edge); /* 1: from 10 */
    em__timeline_release(&timeline, edge);
    now = 20;
    edge = edge_now();
    begin(edge); /* 2: from 20 */
    em__timeline_release(&timeline, edge);
    now = 30;
    edge = edge_now();
    finish(&windows[1], edge);
    em__timeline_release(&timeline, edge);
    now = 40;
    edge = edge_now();
    finish(&windows[2], edge);
    em__timeline_release(&timeline, edge);
    uint64_t ns;
    em__tally tallies[CHANNELS];
    em__union_sum(&set, CHANNELS, NULL, &ns, tallies);
    CHECK_INT(ns, 30);
    CHECK_INT(tallies[1].counted_uj, energy[1][40] - energy[1][10]);
    em__union_cancel(&set, &timeline, &windows[0].span);
    windows[0].state = CANCELLED;
    em__union_sum(&set, CHANNELS, NULL, &ns, tallies);
    CHECK_INT(ns, 30);
    CHECK_INT(tallies[0].counted_uj, energy[0][40] - energy[0][10]);
    end_set();
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_by_hand);
    RUN(test_random_windows);
    RUN(test_random_windows_that_start_over);
    return CHECK_DONE();
}
