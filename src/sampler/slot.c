/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reading one device and remembering what it cost. */
#include "sampler/slot.h"

#include "core/units.h"

#include <stdlib.h>

enum { LONGEST_S = 60, SHORTEST_NS = 1000000 };

/* docs/measurement.md §2 rule 8: min(60 s, range / (4 × highest believable power)). */
static uint64_t longest_ns(const em__device *device)
{
    uint64_t longest = LONGEST_S * EM__NS_PER_S;
    for (size_t i = 0; i < device->channel_count; i++) {
        const em__channel *channel = &device->channels[i];
        if (channel->kind == EM_KIND_COUNTER && channel->range > 0 && channel->ceiling_mw > 0) {
            uint64_t range_uj = em__scale(channel->range, channel->scale_num, channel->scale_den);
            uint64_t quarter_ns = em__scale(range_uj, EM__MW_NS_PER_UJ, 4 * channel->ceiling_mw);
            longest = quarter_ns < longest ? quarter_ns : longest;
        }
    }
    return longest > SHORTEST_NS ? longest : SHORTEST_NS;
}

em__slot *em__slot_create(em__host *host, em__device *device, size_t first_channel)
{
    em__slot *slot = calloc(1, sizeof *slot);
    em__reading *readings = calloc(device->channel_count + 1, sizeof *readings);
    if (!slot || !readings || pthread_mutex_init(&slot->lock, NULL) != 0) {
        free(slot);
        free(readings);
        device->ops->destroy(device);
        return NULL;
    }
    atomic_init(&slot->references, 1);
    slot->host = em__host_ref(host);
    slot->device = device;
    slot->first_channel = first_channel;
    slot->channel_count = device->channel_count;
    slot->interval_ns = device->interval_ns;
    slot->longest_ns = longest_ns(device);
    slot->readings = readings;
    return slot;
}

em__slot *em__slot_hold(em__slot *slot)
{
    atomic_fetch_add(&slot->references, 1);
    return slot;
}

void em__slot_release(em__slot *slot)
{
    if (!slot || atomic_fetch_sub(&slot->references, 1) != 1) {
        return;
    }
    if (slot->device) {
        slot->device->ops->destroy(slot->device);
    }
    pthread_mutex_destroy(&slot->lock);
    em__host_unref(slot->host);
    free(slot->readings);
    free(slot);
}

void em__slot_close(em__slot *slot)
{
    atomic_store(&slot->is_wanted, 0);
    if (atomic_load(&slot->is_retired)) {
        return;
    }
    if (pthread_mutex_trylock(&slot->lock) != 0) {
        return; /* A caller reads it this very moment, or hangs in it: the device goes with the slot. */
    }
    if (slot->device) {
        slot->device->ops->destroy(slot->device);
        slot->device = NULL;
    }
    pthread_mutex_unlock(&slot->lock);
}

static void note_cost(em__slot *slot, uint64_t cost_ns)
{
    uint64_t before_ns = atomic_load_explicit(&slot->cost_ns, memory_order_relaxed);
    uint64_t smooth_ns = before_ns ? (7 * before_ns + cost_ns) / 8 : cost_ns;
    atomic_store_explicit(&slot->cost_ns, smooth_ns ? smooth_ns : 1, memory_order_relaxed);
}

static int is_gone(const em__slot *slot)
{
    for (size_t i = 0; i < slot->channel_count; i++) {
        if (slot->readings[i].outcome != EM__READ_GONE) {
            return 0;
        }
    }
    return 1;
}

void em__slot_read(em__slot *slot, uint64_t *ret_t_ns)
{
    em__device *device = slot->device;
    uint64_t before_ns = slot->host->ops->monotonic_ns(slot->host);
    for (size_t i = 0; i < device->channel_count; i++) {
        slot->readings[i] = (em__reading){.outcome = EM__READ_AGAIN, .status = EM_ERR_READ};
    }
    device->ops->read(device, slot->readings);
    uint64_t after_ns = slot->host->ops->monotonic_ns(slot->host);
    note_cost(slot, after_ns - before_ns);
    uint64_t ready_ns = slot->interval_ns ? before_ns + slot->interval_ns : 0;
    atomic_store(&slot->ready_ns, is_gone(slot) ? EM__SLOT_GONE : ready_ns);
    *ret_t_ns = before_ns + (after_ns - before_ns) / 2;
}

void em__slot_schedule(em__slot *slot, uint64_t now_ns, uint64_t interval_ns)
{
    if (slot->gone_ns) {
        slot->due_ns = slot->next_ns = now_ns + EM__REVIVE_S * EM__NS_PER_S;
        return;
    }
    uint64_t every_ns = slot->interval_ns > interval_ns ? slot->interval_ns : interval_ns;
    every_ns = every_ns < slot->longest_ns ? every_ns : slot->longest_ns;
    if (slot->due_ns == 0 || slot->due_ns > now_ns + 2 * every_ns) {
        slot->due_ns = now_ns;
    }
    if (now_ns + every_ns / 4 >= slot->due_ns) {
        uint64_t late_ns = now_ns > slot->due_ns ? now_ns - slot->due_ns : 0;
        slot->due_ns += (late_ns / every_ns + 1) * every_ns;
    }
    slot->next_ns = slot->due_ns;
}
