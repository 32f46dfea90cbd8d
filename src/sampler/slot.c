/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reading one device and remembering what it cost. */
#include "sampler/slot.h"

#include "core/units.h"
#include "platform/process.h"

#include <stdlib.h>

enum { LONGEST_S = 60, SHORTEST_NS = 1000000, EARLY_PART = 4 /* of an interval: so much early is in time */ };

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

/* FNV-1a. Only boards of the running system are read by others too. */
static uint64_t key_of(const em__host *host, const char *source)
{
    uint64_t key = UINT64_C(14695981039346656037);
    for (; *source; source++) {
        key = (key ^ (unsigned char)*source) * UINT64_C(1099511628211);
    }
    return !host->is_live ? 0 : key ? key : 1;
}

/* What could not be read at the start is not asked for. */
static void split_channels(em__slot *slot)
{
    slot->fast.channels = slot->slow.channels = slot->slow_interval_ns = 0;
    for (size_t i = 0; i < slot->channel_count; i++) {
        const em__channel *channel = &slot->device->channels[i];
        int is_spared = (slot->spared & EM__CHANNEL_BIT(i)) != 0;
        uint64_t interval_ns = is_spared ? channel->sparing_interval_ns : channel->interval_ns;
        if (channel->status != EM_OK) {
            continue;
        }
        (interval_ns ? &slot->slow : &slot->fast)->channels |= EM__CHANNEL_BIT(i);
        if (interval_ns > slot->slow_interval_ns) {
            slot->slow_interval_ns = interval_ns;
            slot->slow_key = key_of(slot->host, channel->source);
        }
    }
    atomic_store(&slot->is_quick, slot->fast.channels != 0);
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
    slot->longest_ns = longest_ns(device);
    split_channels(slot);
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

/* Gone is a device of which every channel was gone when it was read last. */
static void note_gone(em__slot *slot)
{
    for (size_t i = 0; i < slot->channel_count; i++) {
        em__outcome outcome = slot->readings[i].outcome;
        uint64_t bit = EM__CHANNEL_BIT(i);
        if (outcome != EM__READ_NONE) {
            slot->gone = outcome == EM__READ_GONE ? slot->gone | bit : slot->gone & ~bit;
        }
    }
    atomic_store(&slot->is_gone, slot->gone == (slot->fast.channels | slot->slow.channels));
}

void em__slot_read(em__slot *slot, uint64_t wanted, uint64_t *ret_t_ns)
{
    em__device *device = slot->device;
    for (size_t i = 0; i < device->channel_count; i++) {
        int is_wanted = (wanted & EM__CHANNEL_BIT(i)) != 0;
        slot->readings[i] = (em__reading){.outcome = is_wanted ? EM__READ_AGAIN : EM__READ_NONE, .status = EM_ERR_READ};
    }
    uint64_t before_ns = slot->host->ops->monotonic_ns(slot->host);
    device->ops->read(device, wanted, slot->readings);
    uint64_t after_ns = slot->host->ops->monotonic_ns(slot->host);
    note_cost(slot, after_ns - before_ns);
    note_gone(slot);
    *ret_t_ns = before_ns + (after_ns - before_ns) / 2;
}

static uint64_t fast_interval_ns(const em__slot *slot, uint64_t interval_ns)
{
    return interval_ns < slot->longest_ns ? interval_ns : slot->longest_ns;
}

static uint64_t slow_interval_ns(const em__slot *slot, uint64_t interval_ns)
{
    return fast_interval_ns(slot, slot->slow_interval_ns > interval_ns ? slot->slow_interval_ns : interval_ns);
}

uint64_t em__slot_due(const em__slot *slot, uint64_t now_ns, uint64_t interval_ns, int is_forced)
{
    int may_force = is_forced && !slot->gone_ns;
    uint64_t due = slot->fast.channels && (may_force || now_ns >= slot->fast.next_ns) ? slot->fast.channels : 0;
    uint64_t early_ns = due ? fast_interval_ns(slot, interval_ns) / EARLY_PART : 0;
    int is_slow_due =
        slot->fast.channels ? due && now_ns + early_ns >= slot->slow.next_ns : now_ns >= slot->slow.next_ns;
    return is_slow_due ? due | slot->slow.channels : due;
}

uint64_t em__slot_next_ns(const em__slot *slot)
{
    return slot->fast.channels ? slot->fast.next_ns : slot->slow.channels ? slot->slow.next_ns : UINT64_MAX;
}

static void advance(em__turn *turn, uint64_t now_ns, uint64_t every_ns)
{
    if (turn->due_ns == 0 || turn->due_ns > now_ns + 2 * every_ns) {
        turn->due_ns = now_ns;
    }
    if (now_ns + every_ns / EARLY_PART >= turn->due_ns) {
        uint64_t late_ns = now_ns > turn->due_ns ? now_ns - turn->due_ns : 0;
        turn->due_ns += (late_ns / every_ns + 1) * every_ns;
    }
    turn->next_ns = turn->due_ns;
}

void em__slot_schedule(em__slot *slot, uint64_t read, uint64_t now_ns, uint64_t interval_ns)
{
    if (slot->gone_ns) {
        uint64_t again_ns = now_ns + EM__REVIVE_S * EM__NS_PER_S;
        slot->fast.due_ns = slot->fast.next_ns = slot->slow.due_ns = slot->slow.next_ns = again_ns;
        return;
    }
    if (read & slot->fast.channels) {
        advance(&slot->fast, now_ns, fast_interval_ns(slot, interval_ns));
    }
    if (read & slot->slow.channels) {
        uint64_t every_ns = slow_interval_ns(slot, interval_ns);
        advance(&slot->slow, now_ns, every_ns);
        if (slot->slow_key) {
            slot->slow.due_ns = slot->slow.next_ns = em__process_turn(slot->slow_key, now_ns, every_ns);
            slot->has_turn = 1;
        }
    }
}

void em__slot_restart(em__slot *slot, uint64_t now_ns, uint64_t interval_ns)
{
    slot->fast.due_ns = slot->slow.due_ns = 0;
    if (slot->slow.channels && slot->slow_key && !slot->has_turn) {
        em__process_borrow(slot->slow_key, now_ns, slow_interval_ns(slot, interval_ns));
    }
    em__slot_schedule(slot, slot->fast.channels | slot->slow.channels, now_ns, interval_ns);
}

void em__slot_spare(em__slot *slot, uint64_t channels, uint64_t until_edge)
{
    slot->until_edge = until_edge;
    if (slot->spared != channels) {
        slot->spared = channels;
        slot->slow.due_ns = slot->slow.next_ns = 0;
        split_channels(slot);
    }
}
