/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The door: one short lock, behind it the ledger. */
#include "meter/meter.h"

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
    int status = em__ledger_apply(&meter->ledger, event);
    if (!meter->is_partial) {
        em__ledger_settle(&meter->ledger, EM__SETTLE_AT_ONCE);
    }
    return status;
}

void em__door_settle(em_meter *meter)
{
    size_t left = 1;
    while (left) {
        em__door_lock(meter);
        left = em__ledger_settle(&meter->ledger, EM__SETTLE_AT_ONCE);
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
