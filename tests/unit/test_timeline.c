/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Edges wait for readings, settle in the order of time, and their differences lose and invent nothing. */
#include "timeline/timeline.h"

#include "check.h"
#include "rig/channel.h"
#include "rig/random.h"

#include <errno.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { MOST = 4 };

static em__timeline timeline;
static rig_channel channels[MOST];
static const em__channel *facts[MOST];

/* All channels are counted and read. */
static void begin(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        facts[i] = &channels[i].facts;
    }
    CHECK_INT(em__timeline_init(&timeline, facts, count), EM_OK);
    for (size_t i = 0; i < count; i++) {
        timeline.is_counted[i] = timeline.is_needed[i] = timeline.is_active[i] = 1;
    }
    timeline.patience_ns = S;
}

static void set_channel(size_t index, int32_t kind, rig_source source)
{
    channels[index] = rig_channel_make("x", EM__COVERS_PACKAGE, (int32_t)index, kind, source);
}

static void read_at(size_t channel, uint64_t t_ns)
{
    em__reading reading = rig_channel_read(&channels[channel], t_ns);
    em__timeline_add(&timeline, channel, t_ns, &reading);
}

static void release(em__edge *edge)
{
    em__timeline_release(&timeline, edge);
}

static void test_an_edge_waits_for_every_counted_channel(void)
{
    wave constant = wave_constant(100);
    set_channel(0, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    set_channel(1, EM_KIND_GAUGE, (rig_source){.wave = &constant});
    set_channel(2, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    begin(3);
    timeline.is_counted[2] = 0;
    for (size_t i = 0; i < 3; i++) {
        read_at(i, S);
    }
    em__edge *edge = em__timeline_mark(&timeline, 1500 * MS);
    CHECK(em__timeline_settle(&timeline) == NULL);
    read_at(0, 2 * S);
    CHECK(em__timeline_settle(&timeline) == NULL);
    CHECK_INT(edge->is_settled, 0);
    read_at(1, 2 * S);
    em__edge *settled = em__timeline_settle(&timeline);
    CHECK(settled == edge);
    CHECK_INT(edge->is_settled, 1);
    CHECK_INT(edge->values[0].energy_uj, 50000000);
    CHECK_INT(edge->values[1].energy_uj, 50000000);
    CHECK_INT(edge->values[0].counted_uj, 50000000);
    CHECK_INT(edge->values[2].counted_uj, 0);
    CHECK(em__timeline_settle(&timeline) == NULL);
    release(settled);
    release(edge);
    em__timeline_free(&timeline);
}

/* A slow channel holds back later edges too, even those that have all of their own values. */
static void test_edges_settle_in_the_order_of_time(void)
{
    wave constant = wave_constant(10);
    set_channel(0, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    begin(1);
    read_at(0, S);
    em__edge *edges[100];
    for (uint64_t i = 0; i < 100; i++) {
        edges[i] = em__timeline_mark(&timeline, S + 20 * MS * (i / 2));
        if (i % 10 == 9) {
            read_at(0, S + 20 * MS * (i / 2) - 5 * MS);
        }
    }
    read_at(0, 3 * S);
    for (size_t i = 0; i < 100; i++) {
        em__edge *settled = em__timeline_settle(&timeline);
        CHECK(settled == edges[i]);
        CHECK_INT(settled->values[0].energy_uj, (int64_t)(settled->t_ns - S) / 100);
        release(settled);
        release(edges[i]);
    }
    em__timeline_free(&timeline);
}

static void test_without_channels_an_edge_is_settled_at_once(void)
{
    begin(0);
    em__edge *edge = em__timeline_mark(&timeline, S);
    em__edge *settled = em__timeline_settle(&timeline);
    CHECK(settled == edge);
    release(settled);
    release(edge);
    em__timeline_free(&timeline);
}

/* Any number of windows that adjoin are the whole, to the last µJ, whatever the channel, the wave and the readings. */
static void test_adjoining_windows_add_up(void)
{
    wave sine = wave_sine(100, 60, 0.37, 0), square = wave_square(40, 120, 0.7, 0.5, 0);
    set_channel(0, EM_KIND_COUNTER, (rig_source){.wave = &square, .period_ns = MS, .unit = 61.03515625});
    set_channel(1, EM_KIND_GAUGE, (rig_source){.wave = &sine, .period_ns = 25 * MS});
    set_channel(2, EM_KIND_MODEL, (rig_source){.wave = &sine});
    begin(3);
    for (size_t i = 0; i < 3; i++) {
        read_at(i, S);
    }
    enum { EDGES = 3000 };
    static em__edge *edges[EDGES];
    uint64_t now_ns = S, next_ns[3] = {S, S, S};
    size_t settled = 0;
    for (size_t e = 0; e < EDGES; e++) {
        now_ns += rig_random_below(8 * MS);
        for (size_t i = 0; i < 3; i++) {
            while (next_ns[i] <= now_ns) {
                next_ns[i] += 5 * MS + rig_random_below(60 * MS);
                read_at(i, next_ns[i] < now_ns ? next_ns[i] : now_ns);
            }
        }
        edges[e] = em__timeline_mark(&timeline, now_ns);
        if (rig_random_below(50) == 0) {
            em__timeline_pin(&timeline, edges[e - rig_random_below(e < 5 ? 1 : 5)]);
        }
        for (em__edge *edge; (edge = em__timeline_settle(&timeline)); settled++) {
            release(edge);
        }
    }
    em__timeline_pin(&timeline, edges[EDGES - 1]);
    for (em__edge *edge; (edge = em__timeline_settle(&timeline)); settled++) {
        release(edge);
    }
    CHECK_INT(settled, EDGES);
    for (size_t i = 0; i < 3; i++) {
        int64_t sum_uj = 0, fell = 0;
        for (size_t e = 1; e < EDGES; e++) {
            int64_t part_uj = edges[e]->values[i].energy_uj - edges[e - 1]->values[i].energy_uj;
            sum_uj += part_uj;
            fell += part_uj < 0;
        }
        CHECK_INT(fell, 0);
        CHECK_INT(sum_uj, edges[EDGES - 1]->values[i].energy_uj - edges[0]->values[i].energy_uj);
        double truth_j = wave_energy_j(channels[i].source.wave, edges[0]->t_ns, edges[EDGES - 1]->t_ns);
        CHECK_NEAR((double)sum_uj / 1e6, truth_j, 0.02 * truth_j);
    }
    for (size_t e = 0; e < EDGES; e++) {
        release(edges[e]);
    }
    em__timeline_free(&timeline);
}

static void test_a_pinned_edge_is_an_estimate_and_says_so(void)
{
    wave constant = wave_constant(100);
    set_channel(0, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    begin(1);
    read_at(0, S);
    read_at(0, 2 * S);
    em__edge *known = em__timeline_mark(&timeline, 2 * S);
    em__edge *guessed = em__timeline_mark(&timeline, 3 * S);
    em__edge *later = em__timeline_mark(&timeline, 4 * S);
    CHECK_INT(em__timeline_value(&timeline, guessed, 0).energy_uj, 200000000);
    CHECK_INT(em__timeline_now(&timeline, 5 * S, 0).energy_uj, 400000000);
    em__timeline_pin(&timeline, guessed);
    release(em__timeline_settle(&timeline));
    release(em__timeline_settle(&timeline));
    CHECK(em__timeline_settle(&timeline) == NULL);
    CHECK_INT(known->is_settled && guessed->is_settled, 1);
    CHECK_INT(known->values[0].flags & EM__VALUE_PINNED, 0); /* a reading of that very instant */
    CHECK_INT(guessed->values[0].flags & EM__VALUE_PINNED, EM__VALUE_PINNED);
    CHECK_INT(guessed->values[0].energy_uj, 200000000);
    read_at(0, 6 * S);
    em__edge *settled = em__timeline_settle(&timeline);
    CHECK(settled == later);
    CHECK_INT(later->values[0].flags & EM__VALUE_PINNED, 0);
    CHECK_INT(later->values[0].energy_uj, 300000000);
    release(settled);
    release(known);
    release(guessed);
    release(later);
    em__timeline_free(&timeline);
}

/* A channel that ends lets go of the edges that waited for it; they know what it lacked. */
static void test_a_channel_that_ends_holds_nothing_back(void)
{
    wave constant = wave_constant(100);
    set_channel(0, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    set_channel(1, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    rig_source_fault(&channels[1].source, (rig_fault){.kind = RIG_VANISH, .from_ns = 3 * S, .to_ns = 1000 * S});
    begin(2);
    for (size_t i = 0; i < 2; i++) {
        read_at(i, S);
        read_at(i, 2 * S);
    }
    em__edge *edge = em__timeline_mark(&timeline, 2500 * MS);
    read_at(0, 3 * S);
    CHECK(em__timeline_settle(&timeline) == NULL);
    read_at(1, 3 * S);
    em__edge *settled = em__timeline_settle(&timeline);
    CHECK(settled == edge);
    CHECK_INT(edge->values[0].energy_uj, 150000000);
    CHECK_INT(edge->values[1].energy_uj, 100000000);
    CHECK_INT(edge->values[1].missing_ns - S, 500 * MS);
    CHECK_INT(edge->values[1].status, EM_ERR_GONE);
    em__edge *after = em__timeline_mark(&timeline, 4 * S);
    read_at(0, 5 * S);
    em__edge *second = em__timeline_settle(&timeline);
    CHECK(second == after);
    CHECK_INT(after->values[1].missing_ns - S, 2 * S);
    release(settled);
    release(second);
    release(edge);
    release(after);
    em__timeline_free(&timeline);
}

/* A value that had to be final before the power after it was known is a straight line's; one right after it, which could
 * wait, knows better. It takes nothing back. */
static void test_what_is_learned_later_takes_nothing_back(void)
{
    wave square = wave_square(90, 380, 0.37, 0.5, 0);
    set_channel(0, EM_KIND_COUNTER, (rig_source){.wave = &square, .period_ns = 20 * MS});
    begin(1);
    uint64_t now_ns = S, due_ns = S;
    for (int i = 0; i < 3000; i++) {
        em__edge *edges[2] = {NULL, NULL};
        uint64_t next_ns = em__timeline_plan(&timeline, 0, now_ns, due_ns);
        if (i > 200 && next_ns > now_ns + 20 * MS) {
            uint64_t between_ns = now_ns + rig_random_below(next_ns - now_ns - MS);
            edges[0] = em__timeline_mark(&timeline, between_ns);
            edges[1] = em__timeline_mark(&timeline, between_ns + MS / 10);
        }
        for (int rounds = 0; rounds < 4; rounds++) {
            now_ns = em__timeline_plan(&timeline, 0, now_ns, due_ns);
            due_ns += due_ns <= now_ns + 12 * MS ? 50 * MS : 0;
            read_at(0, now_ns);
            if (edges[0] && rounds == 0) {
                em__timeline_pin(&timeline, edges[0]);
            }
        }
        if (edges[0]) {
            em__timeline_pin(&timeline, edges[1]);
            CHECK(edges[1]->values[0].energy_uj >= edges[0]->values[0].energy_uj);
        }
        for (em__edge *edge; (edge = em__timeline_settle(&timeline));) {
            release(edge);
        }
        for (int k = 0; k < 2; k++) {
            em__timeline_release(&timeline, edges[k]);
        }
    }
    em__timeline_free(&timeline);
}

/* Nobody asks in a pause, so an edge in it waits for nobody, and has no gap. */
static void test_an_edge_in_a_pause(void)
{
    wave constant = wave_constant(100);
    set_channel(0, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    begin(1);
    read_at(0, S);
    read_at(0, 2 * S);
    em__series_pause(&timeline.series[0]);
    em__edge *edge = em__timeline_mark(&timeline, 3000 * S);
    em__edge *settled = em__timeline_settle(&timeline);
    CHECK(settled == edge);
    CHECK_INT(edge->values[0].energy_uj, 100000000);
    CHECK_INT(edge->values[0].gap_ns, S);
    CHECK_INT(edge->values[0].flags & EM__VALUE_PINNED, 0);
    release(settled);
    em__series_resume(&timeline.series[0], 4000 * S);
    read_at(0, 4000 * S + 10);
    em__timeline_expect(&timeline);
    em__edge *begins = em__timeline_mark(&timeline, 4000 * S + 20);
    read_at(0, 4001 * S);
    settled = em__timeline_settle(&timeline);
    CHECK(settled == begins);
    CHECK_INT(begins->values[0].gap_ns, S);
    CHECK_NEAR((double)begins->values[0].energy_uj, 100000000, 1.5);
    release(settled);
    release(begins);
    release(edge);
    em__timeline_free(&timeline);
}

static void test_edges_are_used_again(void)
{
    wave constant = wave_constant(100);
    set_channel(0, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    begin(1);
    read_at(0, S);
    for (uint64_t i = 1; i <= 100000; i++) {
        em__edge *edge = em__timeline_mark(&timeline, S + i * MS);
        if (i % 10 == 0) {
            read_at(0, S + i * MS);
        }
        release(edge);
        for (em__edge *settled; (settled = em__timeline_settle(&timeline));) {
            release(settled);
        }
    }
    size_t pool = 0;
    for (em__edge *edge = timeline.pool; edge; edge = edge->next) {
        pool++;
    }
    CHECK(pool <= 12);
    em__timeline_free(&timeline);
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_an_edge_waits_for_every_counted_channel);
    RUN(test_edges_settle_in_the_order_of_time);
    RUN(test_without_channels_an_edge_is_settled_at_once);
    RUN(test_adjoining_windows_add_up);
    RUN(test_a_pinned_edge_is_an_estimate_and_says_so);
    RUN(test_a_channel_that_ends_holds_nothing_back);
    RUN(test_what_is_learned_later_takes_nothing_back);
    RUN(test_an_edge_in_a_pause);
    RUN(test_edges_are_used_again);
    return CHECK_DONE();
}
