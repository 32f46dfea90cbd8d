/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which devices a caller reads at an edge, in which order, and what it is charged; under a clock that the test drives. */
#include "sampler/edge_read.h"

#include "check.h"
#include "rig/fake_device.h"
#include "sampler/sampler.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define US UINT64_C(1000)

enum { DEVICES = 4 };

static rig_host *host;
static em__sampler *sampler;
static em__slot *slots[DEVICES];
static em__device *devices[DEVICES];
static em__edge_reader reader;
static wave constant;
static size_t seen[64], seen_count;
static int does_leave;

static void deliver(void *context, em__slot *slot, uint64_t t_ns, const em__reading *readings)
{
    CHECK(context == &seen);
    CHECK(t_ns <= rig_host_now(host));
    CHECK(readings == slot->readings);
    seen[seen_count++ % 64] = slot->first_channel;
}

static const em__sampler_calls calls = {.deliver = deliver};

/* 40, 30, 10 and 20 µs, each read once. does_leave: the last one is gone from 1010 s to 1100 s. */
static void begin(double limit, em__edge_policy policy, const uint64_t intervals_ns[DEVICES])
{
    static const uint64_t costs_ns[DEVICES] = {40 * US, 30 * US, 10 * US, 20 * US};
    constant = wave_constant(100);
    host = rig_host_create(1000 * S);
    for (size_t i = 0; i < DEVICES; i++) {
        rig_channel channel =
            rig_channel_make("x", EM__COVERS_PACKAGE, (int32_t)i, EM_KIND_COUNTER, (rig_source){.wave = &constant});
        if (i == 3 && does_leave) {
            rig_source_fault(&channel.source, (rig_fault){.kind = RIG_VANISH, .from_ns = 1010 * S, .to_ns = 1100 * S});
        }
        devices[i] = rig_device_create(host, &channel, 1, intervals_ns ? intervals_ns[i] : 0, costs_ns[i], NULL);
        slots[i] = em__slot_create(rig_host_base(host), devices[i], i);
        atomic_store(&slots[i]->is_wanted, 1);
    }
    CHECK_INT(em__sampler_create(rig_host_base(host), slots, DEVICES, 100 * MS, &calls, &seen, &sampler), EM_OK);
    em__sampler_wake(sampler, rig_host_now(host));
    em__sampler_tick(sampler, rig_host_now(host), 1, 0);
    em__edge_init(&reader, rig_host_base(host), slots, DEVICES, limit, policy);
    em__edge_learn(&reader);
    seen_count = 0;
}

static void end(void)
{
    em__sampler_destroy(sampler);
    for (size_t i = 0; i < DEVICES; i++) {
        em__slot_release(slots[i]);
    }
    rig_host_destroy(host);
}

/* One edge; the mask of what was read at it. */
static uint64_t edge_of(int is_begin)
{
    em__edge_plan plan;
    uint64_t now_ns = rig_host_now(host);
    seen_count = 0;
    em__edge_choose(&reader, now_ns, is_begin, &plan);
    uint64_t mask = em__edge_read(&reader, &plan, now_ns, deliver, &seen);
    CHECK_INT(mask & ~plan.mask, 0);
    em__edge_leave(&reader, now_ns, &plan);
    return mask;
}

static uint64_t edge(void)
{
    return edge_of(1);
}

static void check_order(size_t count, const size_t expected[])
{
    CHECK_INT(seen_count, count);
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(seen[i], expected[i]);
    }
}

/* The bucket begins with a round of 100 µs, and gets 1 µs in each ms. */
static void test_cheapest_first_as_far_as_it_goes(void)
{
    static const size_t order[DEVICES] = {2, 3, 1, 0};
    begin(0.001, EM__EDGES_BY_BUDGET, NULL);
    uint64_t start_ns = rig_host_now(host);
    CHECK_INT(edge(), 0xF);
    check_order(4, order);
    CHECK_INT(rig_host_now(host) - start_ns, 100 * US);
    CHECK_INT(edge(), 0); /* it holds 0.1 µs of the 0.1 ms that have passed */
    rig_host_advance(host, 9899 * US);
    CHECK_INT(edge(), 0); /* one ns of 10 µs is lacking */
    rig_host_advance(host, 1 * US);
    CHECK_INT(edge(), 0x4);
    rig_host_advance(host, 35 * MS);
    CHECK_INT(edge(), 0xC); /* 30 µs for two, and 5 are left */
    check_order(2, order);
    rig_host_advance(host, 60 * S);
    for (int i = 0; i < 10; i++) {
        CHECK_INT(edge(), 0xF); /* it has held ten rounds, however long it was */
    }
    CHECK_INT(edge(), 0);
    CHECK_INT(em__edge_spent_ns(&reader), (100 + 10 + 30 + 1000) * US);
    em__edge_restart(&reader, rig_host_now(host));
    CHECK_INT(em__edge_spent_ns(&reader), 0);
    end();
}

/* What calls need themselves is paid first: nothing is left of 5 µs when 6 were spent. */
static void test_a_call_pays_for_itself_first(void)
{
    begin(0.001, EM__EDGES_BY_BUDGET, NULL);
    edge();
    rig_host_set_clock_cost(host, 6 * US); /* each call looks once more at the clock before it leaves */
    uint64_t reads = rig_device_reads(devices[2]);
    for (int i = 0; i < 1000; i++) {
        rig_host_advance(host, 5 * MS);
        uint64_t enter_ns = rig_host_base(host)->ops->monotonic_ns(rig_host_base(host));
        em__edge_plan plan;
        em__edge_choose(&reader, enter_ns, 1, &plan);
        CHECK_INT(plan.count, 0);
        em__edge_leave(&reader, enter_ns, &plan);
    }
    CHECK_INT(rig_device_reads(devices[2]), reads);
    end();
}

static void test_always_and_never(void)
{
    for (int is_zero = 0; is_zero < 2; is_zero++) {
        begin(is_zero ? 0.0 : 1.0, is_zero ? EM__EDGES_BY_BUDGET : EM__EDGES_NEVER, NULL);
        rig_host_advance(host, S);
        CHECK_INT(edge(), 0);
        end();
    }
    begin(0.0, EM__EDGES_ALWAYS, NULL);
    for (int i = 0; i < 100; i++) {
        CHECK_INT(edge(), 0xF);
    }
    CHECK_INT(em__edge_spent_ns(&reader), 100 * 100 * US);
    atomic_store(&slots[1]->is_wanted, 0);
    atomic_store(&slots[2]->is_retired, 1);
    CHECK_INT(edge(), 0x9);
    end();
}

/* What somebody else holds is passed over, and its price is not charged. */
static void test_what_another_thread_holds_is_passed_over(void)
{
    begin(0.001, EM__EDGES_BY_BUDGET, NULL);
    pthread_mutex_lock(&slots[3]->lock);
    CHECK_INT(edge(), 0x7);
    pthread_mutex_unlock(&slots[3]->lock);
    CHECK_INT(em__edge_spent_ns(&reader), 80 * US);
    CHECK_INT(edge(), 0x4); /* the 20 µs that are left would do for either; the cheaper one it is */
    end();
}

/* Once a second is once a second, whoever asks. */
static void test_one_that_must_not_be_read_often(void)
{
    begin(0.0, EM__EDGES_ALWAYS, (const uint64_t[DEVICES]){0, 0, S, 0});
    uint64_t last_ns = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t reads = rig_device_reads(devices[2]);
        rig_host_advance(host, 1700 * US);
        if (i % 61 == 0) {
            em__sampler_tick(sampler, rig_host_now(host), i % 122 == 0, 0);
        } else {
            uint64_t mask = edge();
            CHECK_INT(mask & ~UINT64_C(4), 0xB);
        }
        if (rig_device_reads(devices[2]) != reads) {
            CHECK_INT(rig_device_reads(devices[2]), reads + 1);
            CHECK(last_ns == 0 || rig_host_now(host) - last_ns > S - S / 8);
            last_ns = rig_host_now(host);
        }
    }
    CHECK(rig_device_reads(devices[2]) >= 16 && rig_device_reads(devices[2]) <= 20);
    end();
}

/* The sampler revives it; until then no caller asks it. */
static void test_one_that_is_gone(void)
{
    does_leave = 1;
    begin(0.0, EM__EDGES_ALWAYS, NULL);
    does_leave = 0;
    rig_host_advance(host, 11 * S);
    CHECK_INT(edge(), 0xF); /* which finds out */
    CHECK_INT(edge(), 0x7);
    em__sampler_tick(sampler, rig_host_now(host), 1, 0);
    rig_host_advance(host, 70 * S);
    em__sampler_tick(sampler, rig_host_now(host), 0, 0);
    CHECK_INT(edge(), 0x7);
    rig_host_advance(host, 70 * S);
    em__sampler_tick(sampler, rig_host_now(host), 0, 0);
    CHECK_INT(edge(), 0xF);
    end();
}

/* Like costs take turns in being the least: the order stays; and both ends of a window read in one order. */
static void test_the_order_stays(void)
{
    static const size_t before[DEVICES] = {2, 3, 1, 0}, after[DEVICES] = {3, 1, 2, 0};
    begin(0.0, EM__EDGES_ALWAYS, NULL);
    atomic_store(&slots[3]->cost_ns, 9 * US);
    edge();
    check_order(4, before);
    atomic_store(&slots[2]->cost_ns, 39 * US);
    atomic_store(&slots[3]->cost_ns, 20 * US);
    edge_of(0); /* the end of the window that began before */
    check_order(4, before);
    atomic_store(&slots[2]->cost_ns, 39 * US);
    edge();
    check_order(4, after);
    end();
}

int main(void)
{
    RUN(test_cheapest_first_as_far_as_it_goes);
    RUN(test_a_call_pays_for_itself_first);
    RUN(test_always_and_never);
    RUN(test_what_another_thread_holds_is_passed_over);
    RUN(test_one_that_must_not_be_read_often);
    RUN(test_one_that_is_gone);
    RUN(test_the_order_stays);
    return CHECK_DONE();
}
