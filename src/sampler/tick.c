/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One round of the sampler: an ordinary function over a host's clock. */
#include "sampler/state.h"

#include "core/units.h"

enum { SUSPEND_NS = 10000000 }; /* the two clocks are read one after the other: less than this apart is no suspend */

uint64_t em__sampler_asleep_ns(em__host *host)
{
    uint64_t boot_ns = host->ops->boottime_ns(host), mono_ns = host->ops->monotonic_ns(host);
    return boot_ns > mono_ns ? boot_ns - mono_ns : 0;
}

static void notice_suspend(em__sampler *sampler, uint64_t now_ns)
{
    uint64_t asleep_ns = em__sampler_asleep_ns(sampler->host);
    if (asleep_ns > sampler->asleep_ns + SUSPEND_NS) {
        sampler->calls.interrupt(sampler->context, now_ns, EM_ERR_SUSPENDED);
    }
    sampler->asleep_ns = asleep_ns;
}

static void enter(em__sampler *sampler, em__slot *slot, uint64_t now_ns)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->reading = slot;
    sampler->reading_since_ns = now_ns;
    pthread_mutex_unlock(&sampler->lock);
}

static int leave(em__sampler *sampler, uint64_t ticket)
{
    pthread_mutex_lock(&sampler->lock);
    int is_mine = sampler->ticket == ticket;
    if (is_mine) {
        sampler->reading = NULL;
    }
    pthread_mutex_unlock(&sampler->lock);
    return is_mine;
}

/* A caller hangs in it, whom nobody watches. */
static void give_up_if_stuck(em__sampler *sampler, em__slot *slot)
{
    uint64_t since_ns = atomic_load(&slot->caller_ns), now_ns = sampler->host->ops->monotonic_ns(sampler->host);
    if (since_ns && now_ns >= since_ns + em__sampler_hang_ns(sampler) &&
        atomic_compare_exchange_strong(&slot->caller_ns, &since_ns, 0)) {
        atomic_store(&slot->is_retired, 1);
        sampler->calls.retire(sampler->context, slot, now_ns);
    }
}

static void spare(em__sampler *sampler, em__slot *slot)
{
    uint64_t until_edge = 0;
    if (sampler->calls.spare) {
        uint64_t spared = sampler->calls.spare(sampler->context, slot, &until_edge);
        em__slot_spare(slot, spared, until_edge);
    }
}

/* 0: read and delivered; -1: passed over; 1: the thread was replaced. wanted: what is due, which may change. */
static int read_slot(em__sampler *sampler, em__slot *slot, uint64_t *wanted, uint64_t now_ns, int is_forced,
                     uint64_t ticket)
{
    uint64_t t_ns = now_ns;
    if (pthread_mutex_trylock(&slot->lock) != 0) {
        give_up_if_stuck(sampler, slot);
        return -1; /* A caller reads it this very moment. */
    }
    if (ticket) {
        em__slot_hold(slot);
        enter(sampler, slot, sampler->host->ops->monotonic_ns(sampler->host));
    }
    int is_readable = 1;
    if (slot->gone_ns) {
        is_readable = slot->device->ops->revive && slot->device->ops->revive(slot->device) == 0;
    }
    if (is_readable) {
        spare(sampler, slot);
        *wanted = em__slot_due(slot, now_ns, sampler->interval_ns, is_forced);
        em__slot_read(slot, *wanted, &t_ns);
    }
    if (ticket && !leave(sampler, ticket)) {
        pthread_mutex_unlock(&slot->lock);
        em__slot_release(slot);
        return 1;
    }
    if (is_readable) {
        slot->gone_ns = atomic_load(&slot->is_gone) ? t_ns : 0;
        sampler->calls.deliver(sampler->context, slot, t_ns, slot->readings);
    }
    pthread_mutex_unlock(&slot->lock);
    if (ticket) {
        em__slot_release(slot);
    }
    return is_readable ? 0 : -1;
}

int em__sampler_tick(em__sampler *sampler, uint64_t now_ns, int is_forced, uint64_t ticket)
{
    notice_suspend(sampler, now_ns);
    for (size_t i = 0; i < sampler->slot_count; i++) {
        em__slot *slot = sampler->slots[i];
        if (!atomic_load(&slot->is_wanted) || atomic_load(&slot->is_retired)) {
            continue;
        }
        uint64_t wanted = em__slot_due(slot, now_ns, sampler->interval_ns, is_forced);
        if (!wanted) {
            continue;
        }
        if (read_slot(sampler, slot, &wanted, now_ns, is_forced, ticket) == 1) {
            return 1;
        }
        em__slot_schedule(slot, wanted, now_ns, sampler->interval_ns);
        if (sampler->calls.plan && !slot->gone_ns && slot->fast.channels) {
            slot->fast.next_ns = sampler->calls.plan(sampler->context, slot, now_ns, slot->fast.due_ns);
        }
    }
    return 0;
}

uint64_t em__sampler_next_ns(const em__sampler *sampler)
{
    uint64_t next_ns = UINT64_MAX;
    for (size_t i = 0; i < sampler->slot_count; i++) {
        const em__slot *slot = sampler->slots[i];
        uint64_t slot_ns = em__slot_next_ns(slot);
        if (atomic_load(&slot->is_wanted) && !atomic_load(&slot->is_retired) && slot_ns < next_ns) {
            next_ns = slot_ns;
        }
    }
    return next_ns;
}
