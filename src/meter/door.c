/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The door: one short lock, behind it the ledger. */
#include "meter/meter.h"

#include "meter/lister.h"
#include "meter/tracer.h"
#include "platform/process.h"

#include <string.h>

uint64_t em__meter_now(const em_meter *meter)
{
    return meter->host->ops->monotonic_ns(meter->host);
}

int em__door_check(const em_meter *meter)
{
    if (!meter) {
        return EM_ERR_INVALID;
    }
    return meter->generation == em__process_generation() ? EM_OK : EM_ERR_FORKED;
}

void em__door_lock(em_meter *meter)
{
    pthread_mutex_lock(&meter->door);
}

void em__door_unlock(em_meter *meter)
{
    pthread_mutex_unlock(&meter->door);
}

int em__door_apply(em_meter *meter, em__event *event)
{
    event->is_partial = meter->is_partial;
    int status = em__ledger_enter(&meter->ledger, event);
    int is_much = meter->tracer && status == EM_OK && em__tracer_event(meter->tracer, event);
    is_much |= meter->lister && em__lister_is_urgent(meter->lister, meter);
    if (is_much) {
        em__sampler_nudge(meter->sampler);
    }
    return status;
}

int em__door_lap(em_meter *meter, const em__event *end, em__event *begin)
{
    em__event event = *begin;
    event.kind = EM__EVENT_LAP;
    event.window = end->window;
    int status = em__door_apply(meter, &event);
    begin->window = event.next;
    return status;
}

void em__door_settle(em_meter *meter)
{
    int is_ready = 1;
    while (is_ready) {
        em__event event = {.kind = EM__EVENT_SETTLE};
        em__door_lock(meter);
        if (em__ledger_is_ready(&meter->ledger)) {
            em__door_apply(meter, &event);
        }
        is_ready = em__ledger_is_ready(&meter->ledger);
        em__door_unlock(meter);
    }
    pthread_cond_broadcast(&meter->settled);
}

int em__answer(void *to, size_t size, const void *from, size_t full)
{
    if (size < sizeof(size_t)) {
        return EM_ERR_INVALID;
    }
    memcpy(to, from, size < full ? size : full);
    memcpy(to, &size, sizeof size);
    return EM_OK;
}
