/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Rounds of the sampler under a clock that the test drives: who is read, when, and what it is told. */
#include "sampler/sampler.h"

#include "check.h"
#include "rig/fake_device.h"

#include <errno.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { DEVICES = 3 };

static rig_host *host;
static em__sampler *sampler;
static em__slot *slots[DEVICES];
static em__device *devices[DEVICES];
static wave constant;
static struct {
    int deliveries[DEVICES], interrupts, gone;
    int32_t status;
    uint64_t last_ns, values[DEVICES];
    int readings[DEVICES][2]; /* of each channel */
} seen;

static void deliver(void *context, em__slot *slot, uint64_t t_ns, const em__reading *readings)
{
    CHECK(context == &seen);
    size_t which = slot->first_channel;
    seen.deliveries[which]++;
    seen.last_ns = t_ns;
    seen.gone += readings[0].outcome == EM__READ_GONE;
    seen.values[which] = readings[0].value;
    for (size_t i = 0; i < slot->channel_count; i++) {
        seen.readings[which][i] += readings[i].outcome != EM__READ_NONE;
    }
}

static void interrupt(void *context, uint64_t t_ns, int32_t status)
{
    CHECK(context == &seen);
    CHECK_INT(t_ns, rig_host_now(host));
    seen.interrupts++;
    seen.status = status;
}

static const em__sampler_calls calls = {.deliver = deliver, .interrupt = interrupt};

/* Device i costs i × 10 µs and may be read every intervals_ns[i]. */
static void begin(const uint64_t intervals_ns[DEVICES])
{
    constant = wave_constant(100);
    host = rig_host_create(1000 * S);
    memset(&seen, 0, sizeof seen);
    for (size_t i = 0; i < DEVICES; i++) {
        rig_channel channel =
            rig_channel_make("x", EM__COVERS_PACKAGE, (int32_t)i, EM_KIND_COUNTER, (rig_source){.wave = &constant});
        if (i == 2) {
            rig_source_fault(&channel.source, (rig_fault){.kind = RIG_VANISH, .from_ns = 1010 * S, .to_ns = 1100 * S});
        }
        devices[i] = rig_device_create(host, &channel, 1, intervals_ns[i], i * 10000, NULL);
        slots[i] = em__slot_create(rig_host_base(host), devices[i], i);
        atomic_store(&slots[i]->is_wanted, 1);
    }
    CHECK_INT(em__sampler_create(rig_host_base(host), slots, DEVICES, 100 * MS, &calls, &seen, &sampler), EM_OK);
    CHECK_INT(em__sampler_has_thread(sampler), 0);
    em__sampler_wake(sampler, rig_host_now(host));
}

static void end(void)
{
    em__sampler_destroy(sampler);
    for (size_t i = 0; i < DEVICES; i++) {
        em__slot_release(slots[i]);
    }
    rig_host_destroy(host);
}

static void tick(int is_forced)
{
    CHECK_INT(em__sampler_tick(sampler, rig_host_now(host), is_forced, 0), 0);
}

static const uint64_t as_sampled[DEVICES];

static void test_each_device_in_its_turn(void)
{
    begin((const uint64_t[DEVICES]){0, S, 0});
    for (int i = 0; i < 50; i++) {
        uint64_t next_ns = em__sampler_next_ns(sampler);
        CHECK(next_ns > rig_host_now(host));
        rig_host_advance(host, next_ns - rig_host_now(host));
        tick(0);
    }
    CHECK_INT(seen.deliveries[0], 50);
    CHECK_INT(seen.deliveries[1], 5);
    CHECK_INT(seen.deliveries[2], 50);
    end();
}

/* A board's gauge at each sample and its counter each second: in one call when both are due, and what is not due gives no
 * reading. The first of the two may be gone while the other is not. */
static void test_channels_of_one_device_in_their_turns(void)
{
    constant = wave_constant(100);
    host = rig_host_create(1000 * S);
    memset(&seen, 0, sizeof seen);
    rig_source source = {.wave = &constant};
    rig_channel channels[2] = {rig_channel_make("gpu-0/power", EM__COVERS_BOARD, 0, EM_KIND_GAUGE, source),
                               rig_channel_make("gpu-0/board", EM__COVERS_BOARD, 0, EM_KIND_COUNTER, source)};
    channels[1].facts.interval_ns = S;
    rig_source_fault(&channels[0].source, (rig_fault){.kind = RIG_VANISH, .from_ns = 1010 * S, .to_ns = 1020 * S});
    devices[0] = rig_device_create(host, channels, 2, 0, 0, NULL);
    slots[0] = em__slot_create(rig_host_base(host), devices[0], 0);
    atomic_store(&slots[0]->is_wanted, 1);
    CHECK_INT(em__sampler_create(rig_host_base(host), slots, 1, 100 * MS, &calls, &seen, &sampler), EM_OK);
    em__sampler_wake(sampler, rig_host_now(host));
    for (int i = 0; i < 50; i++) {
        rig_host_advance(host, em__sampler_next_ns(sampler) - rig_host_now(host));
        tick(0);
    }
    CHECK_INT(seen.readings[0][0], 50);
    CHECK_INT(seen.readings[0][1], 5);
    CHECK_INT(rig_device_reads(devices[0]), 50);
    rig_host_advance(host, 50 * MS);
    tick(1);
    CHECK_INT(seen.readings[0][0], 51);
    CHECK_INT(seen.readings[0][1], 5);
    for (int i = 0; i < 70; i++) { /* until 1012 s: the gauge is gone, the counter is not */
        rig_host_advance(host, 100 * MS);
        tick(0);
    }
    CHECK_INT(seen.readings[0][1], 12);
    CHECK_INT(slots[0]->gone_ns, 0);
    em__sampler_destroy(sampler);
    em__slot_release(slots[0]);
    rig_host_destroy(host);
}

/* 65.5 kJ at no more than 1 kW go round in 65.5 s: a quarter of that, whatever the sample interval. */
static void test_no_counter_goes_round_unseen(void)
{
    wave power = wave_constant(100);
    rig_source source = {.wave = &power, .range = 65532610987};
    rig_channel zone = rig_channel_make("cpu-0/package", EM__COVERS_PACKAGE, 0, EM_KIND_COUNTER, source);
    zone.facts.ceiling_mw = 1000000;
    rig_host *machine = rig_host_create(S);
    em__slot *slot = em__slot_create(rig_host_base(machine), rig_device_create(machine, &zone, 1, 0, 0, NULL), 0);
    em__slot_restart(slot, 100 * S, 60 * S);
    CHECK_INT(em__slot_next_ns(slot), 100 * S + 16383152746);
    em__slot_schedule(slot, 1, em__slot_next_ns(slot), S);
    CHECK_INT(em__slot_next_ns(slot), 100 * S + 16383152746 + S);
    em__slot_release(slot);
    rig_host_destroy(machine);
}

/* The deadlines are a fixed grid: the cost of reading does not add up, and lateness does not lead to bursts. */
static void test_turns_that_were_missed_are_left_out(void)
{
    begin(as_sampled);
    uint64_t start_ns = rig_host_now(host);
    rig_host_advance(host, 100 * MS);
    tick(0);
    CHECK_INT(em__sampler_next_ns(sampler), start_ns + 200 * MS);
    rig_host_advance(host, 1234 * MS);
    tick(0);
    CHECK_INT(seen.deliveries[0], 2);
    CHECK_INT(em__sampler_next_ns(sampler), start_ns + 1400 * MS);
    tick(0);
    CHECK_INT(seen.deliveries[0], 2);
    end();
}

static void test_a_forced_round_spares_slow_devices(void)
{
    begin((const uint64_t[DEVICES]){0, S, 0});
    rig_host_advance(host, MS);
    tick(0);
    CHECK_INT(seen.deliveries[0] + seen.deliveries[1] + seen.deliveries[2], 0);
    tick(1);
    CHECK_INT(seen.deliveries[0], 1);
    CHECK_INT(seen.deliveries[1], 0);
    CHECK_INT(seen.deliveries[2], 1);
    end();
}

static void test_only_what_is_wanted_is_read(void)
{
    begin(as_sampled);
    atomic_store(&slots[0]->is_wanted, 0);
    atomic_store(&slots[1]->is_retired, 1);
    rig_host_advance(host, S);
    tick(1);
    CHECK_INT(rig_device_reads(devices[0]) + rig_device_reads(devices[1]), 0);
    CHECK_INT(rig_device_reads(devices[2]), 1);
    atomic_store(&slots[2]->is_wanted, 0);
    CHECK(em__sampler_next_ns(sampler) == UINT64_MAX);
    atomic_store(&slots[0]->is_wanted, 1); /* since roles changed: it is due at once */
    tick(0);
    CHECK_INT(rig_device_reads(devices[0]), 1);
    end();
}

static void test_one_that_a_caller_reads_is_passed_over(void)
{
    begin(as_sampled);
    pthread_mutex_lock(&slots[0]->lock);
    rig_host_advance(host, 100 * MS);
    tick(0);
    pthread_mutex_unlock(&slots[0]->lock);
    CHECK_INT(seen.deliveries[0], 0);
    CHECK_INT(seen.deliveries[1], 1);
    rig_host_advance(host, 100 * MS);
    tick(0);
    CHECK_INT(seen.deliveries[0], 1);
    end();
}

/* The time of a reading is the middle of its call, and its cost is remembered. */
static void test_time_and_cost_of_a_reading(void)
{
    begin(as_sampled);
    rig_host_advance(host, 100 * MS);
    uint64_t start_ns = rig_host_now(host);
    tick(0);
    CHECK_INT(seen.last_ns, start_ns + 10000 + 20000 / 2); /* behind the second device, in the middle of the third */
    CHECK_INT(seen.values[2], (int64_t)(start_ns + 20000) / 10);
    CHECK_INT(atomic_load(&slots[1]->cost_ns), 10000);
    CHECK_INT(atomic_load(&slots[2]->cost_ns), 20000);
    CHECK(atomic_load(&slots[0]->cost_ns) > 0); /* 0 would say that it was never read */
    end();
}

static void test_one_that_left_is_tried_once_a_minute(void)
{
    begin(as_sampled);
    rig_host_advance(host, 10 * S); /* it is gone for 90 s */
    tick(0);
    CHECK_INT(seen.gone, 1);
    uint64_t reads = rig_device_reads(devices[2]);
    for (int i = 0; i < 590; i++) {
        rig_host_advance(host, 100 * MS);
        tick(1);
    }
    CHECK_INT(rig_device_reads(devices[2]), reads);
    for (int i = 0; i < 700; i++) {
        rig_host_advance(host, 100 * MS);
        tick(0);
    }
    CHECK(rig_device_reads(devices[2]) > reads + 10);
    CHECK_INT(seen.gone, 1);
    CHECK(seen.deliveries[0] > 1200);
    end();
}

/* Readings before and after a suspend must not be joined, and those after a pause were not anyway. */
static void test_a_suspend_is_noticed_once(void)
{
    begin(as_sampled);
    rig_host_advance(host, 100 * MS);
    tick(0);
    CHECK_INT(seen.interrupts, 0);
    rig_host_suspend(host, 5 * MS); /* as much as two clocks read one after the other may differ */
    rig_host_advance(host, 100 * MS);
    tick(0);
    CHECK_INT(seen.interrupts, 0);
    rig_host_suspend(host, 3600 * S);
    rig_host_advance(host, 100 * MS);
    tick(0);
    CHECK_INT(seen.interrupts, 1);
    CHECK_INT(seen.status, EM_ERR_SUSPENDED);
    rig_host_advance(host, 100 * MS);
    tick(0);
    CHECK_INT(seen.interrupts, 1);
    end();
}

static void test_a_device_lives_as_long_as_its_slot_is_held(void)
{
    int is_destroyed = 0;
    constant = wave_constant(100);
    host = rig_host_create(S);
    rig_channel channel =
        rig_channel_make("x", EM__COVERS_PACKAGE, 0, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    em__slot *slot = em__slot_create(rig_host_base(host), rig_device_create(host, &channel, 1, 0, 0, &is_destroyed), 0);
    em__slot_hold(slot);
    em__slot_release(slot);
    CHECK_INT(is_destroyed, 0);
    em__slot_close(slot);
    CHECK_INT(is_destroyed, 1);
    em__slot_close(slot);
    em__slot_release(slot);
    is_destroyed = 0;
    slot = em__slot_create(rig_host_base(host), rig_device_create(host, &channel, 1, 0, 0, &is_destroyed), 0);
    atomic_store(&slot->is_retired, 1);
    em__slot_close(slot); /* a call of it hangs: it is not touched before that has come back */
    CHECK_INT(is_destroyed, 0);
    em__slot_release(slot);
    CHECK_INT(is_destroyed, 1);
    rig_host_destroy(host);
}

int main(void)
{
    RUN(test_each_device_in_its_turn);
    RUN(test_channels_of_one_device_in_their_turns);
    RUN(test_no_counter_goes_round_unseen);
    RUN(test_turns_that_were_missed_are_left_out);
    RUN(test_a_forced_round_spares_slow_devices);
    RUN(test_only_what_is_wanted_is_read);
    RUN(test_one_that_a_caller_reads_is_passed_over);
    RUN(test_time_and_cost_of_a_reading);
    RUN(test_one_that_left_is_tried_once_a_minute);
    RUN(test_a_suspend_is_noticed_once);
    RUN(test_a_device_lives_as_long_as_its_slot_is_held);
    return CHECK_DONE();
}
