/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Turns of the sampler as the meter sees them: readings in, pauses, waiting for what is final. */
#include "meter/meter.h"

#include "core/units.h"
#include "meter/lister.h"
#include "meter/tracer.h"

#include <time.h>

enum { PARK_AFTER_S = 1, KICK_AGAIN_NS = 25000000 };

void em__meter_want(em_meter *meter)
{
    for (size_t i = 0; i < meter->slot_count; i++) {
        em__slot *slot = meter->slots[i];
        int is_wanted = 0;
        for (size_t c = 0; c < slot->channel_count; c++) {
            is_wanted |= em__ledger_is_read(&meter->ledger, slot->first_channel + c);
        }
        atomic_store(&slot->is_wanted, is_wanted);
    }
}

/* What becomes ready settles when the round is over: by then parts and mirrors have been read too. */
static void deliver(void *context, em__slot *slot, uint64_t t_ns, const em__reading *readings)
{
    em_meter *meter = context;
    em__door_lock(meter);
    meter->is_partial = 1;
    uint64_t resolutions = meter->ledger.resolutions;
    for (size_t i = 0; i < slot->channel_count; i++) {
        em__event event = {
            .kind = EM__EVENT_READING, .t_ns = t_ns, .channel = slot->first_channel + i, .reading = readings[i]};
        if (readings[i].outcome != EM__READ_NONE && meter->facts[event.channel].status == EM_OK) {
            em__door_apply(meter, &event);
        }
    }
    if (resolutions != meter->ledger.resolutions) {
        em__meter_want(meter);
    }
    em__door_unlock(meter);
}

static void interrupt(void *context, uint64_t t_ns, int32_t status)
{
    em_meter *meter = context;
    em__event event = {.kind = EM__EVENT_INTERRUPT, .t_ns = t_ns, .status = status};
    em__door_lock(meter);
    em__door_apply(meter, &event);
    em__door_unlock(meter);
}

static void retire(void *context, em__slot *slot, uint64_t t_ns)
{
    em_meter *meter = context;
    em__door_lock(meter);
    for (size_t i = 0; i < slot->channel_count; i++) {
        em__event event = {
            .kind = EM__EVENT_END_CHANNEL, .t_ns = t_ns, .channel = slot->first_channel + i, .status = EM_ERR_HUNG};
        em__door_apply(meter, &event);
    }
    em__meter_want(meter);
    meter->is_resuming = 0; /* Whoever reads it hangs; the others do not wait for that. */
    em__door_unlock(meter);
    em__door_settle(meter);
}

static int step(void *context, uint64_t now_ns)
{
    em_meter *meter = context;
    em__door_lock(meter);
    meter->is_partial = 0;
    em__door_unlock(meter);
    em__share_step(meter, now_ns);
    em__door_settle(meter);
    em__door_lock(meter);
    int is_idle = !meter->is_resuming && em__ledger_open_count(&meter->ledger) == 0 &&
                  em__ledger_is_settled(&meter->ledger) &&
                  now_ns >= meter->ledger.last_end_ns + PARK_AFTER_S * EM__NS_PER_S;
    if (is_idle && !meter->is_parked) {
        em__event event = {.kind = EM__EVENT_PARK, .t_ns = now_ns};
        em__door_apply(meter, &event);
    }
    meter->is_parked = is_idle;
    em__door_unlock(meter);
    if (meter->tracer) {
        em__tracer_write(meter->tracer, 0);
    }
    if (meter->lister) {
        em__lister_write(meter->lister, meter, 0);
    }
    return is_idle;
}

static uint64_t plan(void *context, em__slot *slot, uint64_t now_ns, uint64_t due_ns)
{
    em_meter *meter = context;
    uint64_t planned_ns = UINT64_MAX;
    em__door_lock(meter);
    for (size_t i = 0; i < slot->channel_count; i++) {
        if (!(slot->fast.channels & EM__CHANNEL_BIT(i))) {
            continue;
        }
        uint64_t wanted_ns = em__timeline_plan(&meter->ledger.timeline, slot->first_channel + i, now_ns, due_ns);
        planned_ns = wanted_ns < planned_ns ? wanted_ns : planned_ns;
    }
    em__door_unlock(meter);
    return planned_ns;
}

static uint64_t spare(void *context, em__slot *slot, uint64_t *ret_until_edge)
{
    em_meter *meter = context;
    uint64_t spared = 0, until_edge = 0;
    em__door_lock(meter);
    for (size_t i = 0; i < slot->channel_count; i++) {
        em__spared how = em__ledger_spared(&meter->ledger, slot->first_channel + i);
        spared |= how != EM__SPARED_NEVER ? EM__CHANNEL_BIT(i) : 0;
        until_edge |= how == EM__SPARED_UNTIL_EDGE ? EM__CHANNEL_BIT(i) : 0;
    }
    em__door_unlock(meter);
    *ret_until_edge = until_edge;
    return spared;
}

const em__sampler_calls em__meter_calls = {
    .deliver = deliver, .interrupt = interrupt, .retire = retire, .plan = plan, .spare = spare, .step = step};

static uint64_t read_all(em_meter *meter, uint64_t now_ns)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < meter->slot_count; i++) {
        em__slot *slot = meter->slots[i];
        if (atomic_load(&slot->is_wanted) && !atomic_load(&slot->is_retired) &&
            em__edge_read_slot(slot, 1, &now_ns, deliver, meter) && i < EM__EDGE_SLOTS) {
            mask |= UINT64_C(1) << i;
        }
    }
    return mask;
}

/* The sampler is awake before anything is read: should a driver hang, it gives the device up, and nobody waits. */
static uint64_t end_pause(em_meter *meter)
{
    em__event event = {.kind = EM__EVENT_RESUME, .t_ns = em__meter_now(meter)};
    em__door_apply(meter, &event);
    meter->ledger.last_end_ns = event.t_ns;
    meter->is_parked = 0;
    meter->is_resuming = 1;
    em__door_unlock(meter);
    em__sampler_wake(meter->sampler, event.t_ns);
    uint64_t mask = read_all(meter, event.t_ns);
    em__share_begin(meter);
    em__door_lock(meter);
    meter->is_resuming = meter->is_partial = 0;
    em__edge_learn(&meter->edges);
    pthread_cond_broadcast(&meter->settled);
    return mask;
}

int em__meter_resume(em_meter *meter, uint64_t *ret_mask)
{
    int was_paused = 0;
    while ((meter->is_parked || meter->is_resuming) && !meter->is_closed) {
        was_paused = 1;
        if (meter->is_resuming) {
            pthread_cond_wait(&meter->settled, &meter->door);
        } else {
            *ret_mask = end_pause(meter);
        }
    }
    return was_paused;
}

uint64_t em__meter_read_edge(em_meter *meter, const em__edge_plan *plan, uint64_t now_ns)
{
    if (plan->count == 0) {
        return 0;
    }
    em__door_unlock(meter);
    uint64_t mask = em__edge_read(&meter->edges, plan, now_ns, deliver, meter);
    em__door_lock(meter);
    if (plan->is_whole && mask == plan->mask) {
        meter->is_partial = 0;
        em__event event = {.kind = EM__EVENT_SETTLE};
        em__door_apply(meter, &event);
        pthread_cond_broadcast(&meter->settled);
    }
    return mask;
}

void em__meter_step(em_meter *meter)
{
    em__door_lock(meter);
    int is_asleep = meter->is_parked || meter->is_closed;
    em__door_unlock(meter);
    if (is_asleep) {
        return;
    }
    em__sampler_tick(meter->sampler, em__meter_now(meter), 1, 0);
    step(meter, em__meter_now(meter));
}

/* Under the door. */
static int is_final(em_meter *meter, em_window window, uint64_t until_ns, int *ret_final)
{
    em__record *record;
    if (window == 0) {
        const em__edge *head = meter->ledger.timeline.head;
        *ret_final = !head || head->t_ns > until_ns;
        return EM_OK;
    }
    int status = em__ledger_find(&meter->ledger, window, &record);
    if (status == EM_OK && !record->end) {
        status = EM_ERR_INVALID;
    }
    *ret_final = status == EM_OK && record->is_final;
    return status;
}

static void wait_settled(em_meter *meter, uint64_t deadline_ns)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / EM__NS_PER_S),
                                .tv_nsec = (long)(deadline_ns % EM__NS_PER_S)};
    pthread_cond_timedwait(&meter->settled, &meter->door, &deadline);
}

int em__meter_settle(em_meter *meter, em_window window, uint64_t timeout_ns)
{
    int final = 0;
    uint64_t start_ns = em__meter_now(meter);
    uint64_t deadline_ns = timeout_ns > UINT64_MAX / 2 - start_ns ? UINT64_MAX / 2 : start_ns + timeout_ns;
    em__door_lock(meter);
    uint64_t until_ns = meter->ledger.timeline.tail ? meter->ledger.timeline.tail->t_ns : 0;
    int status = is_final(meter, window, until_ns, &final);
    if (status == EM_OK && !final && timeout_ns > 0) {
        int has_thread = em__sampler_has_thread(meter->sampler);
        int rounds = 0;
        /* A counter whose updates are known needs a reading of the update after the next one, too. */
        do {
            em__door_unlock(meter);
            atomic_store(&meter->share.is_asked, 1);
            if (has_thread) {
                em__sampler_kick(meter->sampler);
            } else {
                em__meter_step(meter);
            }
            em__door_lock(meter);
            status = is_final(meter, window, until_ns, &final);
            uint64_t again_ns = em__meter_now(meter) + KICK_AGAIN_NS;
            while (status == EM_OK && !final && has_thread && !meter->is_closed && em__meter_now(meter) < again_ns) {
                wait_settled(meter, again_ns < deadline_ns ? again_ns : deadline_ns);
                status = is_final(meter, window, until_ns, &final);
            }
        } while (status == EM_OK && !final && !meter->is_closed && (has_thread || ++rounds < 2) &&
                 em__meter_now(meter) < deadline_ns);
    }
    if (status == EM_OK && !final) {
        em__event event = {.kind = EM__EVENT_PIN, .t_ns = em__meter_now(meter), .window = window};
        em__door_apply(meter, &event);
    }
    em__door_unlock(meter);
    em__door_settle(meter);
    return status;
}
