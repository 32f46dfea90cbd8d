/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A trace in the place of a machine: its channels read now what they read then, as long after its first reading. */
#include "core/text.h"
#include "sensors/sensor.h"
#include "sensors/tape.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    em__device base;
    em__host *host;
    em__tape *tape;
    size_t first; /* of the tape's channels */
    uint64_t start_ns;
} replay_device;

static uint64_t tape_time(const replay_device *device, uint64_t *ret_now_ns)
{
    *ret_now_ns = device->host->ops->monotonic_ns(device->host);
    uint64_t since_ns = *ret_now_ns > device->start_ns ? *ret_now_ns - device->start_ns : 0;
    return device->tape->begin_ns + since_ns;
}

static void replay_read(em__device *base, uint64_t wanted, em__reading out[])
{
    const replay_device *device = (const replay_device *)base;
    uint64_t now_ns, t_ns = tape_time(device, &now_ns);
    for (size_t i = 0; i < base->channel_count; i++) {
        const em__channel *channel = &base->channels[i];
        if (!(wanted & EM__CHANNEL_BIT(i))) {
            continue;
        }
        out[i] = channel->status == EM_OK ? em__tape_at(device->tape, device->first + i, t_ns)
                                          : (em__reading){.outcome = EM__READ_GONE, .status = channel->status};
        if (out[i].outcome == EM__READ_OK && channel->kind == EM_KIND_MODEL) {
            out[i].stamp = now_ns;
        }
    }
}

static int replay_revive(em__device *base)
{
    const replay_device *device = (const replay_device *)base;
    uint64_t now_ns, t_ns = tape_time(device, &now_ns);
    for (size_t i = 0; i < base->channel_count; i++) {
        if (base->channels[i].status == EM_OK &&
            em__tape_at(device->tape, device->first + i, t_ns).outcome == EM__READ_OK) {
            return 0;
        }
    }
    return -1;
}

static void replay_destroy(em__device *base)
{
    replay_device *device = (replay_device *)base;
    em__tape_unref(device->tape);
    em__host_unref(device->host);
    em__device_free_channels(base);
    free(device);
}

static const em__device_ops replay_ops = {.read = replay_read, .destroy = replay_destroy, .revive = replay_revive};

/* ---------------------------------------------------------------------------------------------------------- probing */

static int is_within(const em__tape_channel *channel, size_t own, size_t first, size_t end)
{
    int64_t to = (int64_t)own + channel->facts.gauge;
    return to >= (int64_t)first && to < (int64_t)end;
}

/* Behind the last channel of the device that begins here: a counter and the gauge that it names are read together. */
static size_t end_of_device(const em__tape *tape, size_t first)
{
    size_t end = first + 1, most = first + EM__DEVICE_CHANNELS;
    most = most < tape->channel_count ? most : tape->channel_count;
    for (size_t i = first; i < most; i++) {
        const em__tape_channel *channel = &tape->channels[i];
        int is_linked = channel->facts.gauge != 0 && is_within(channel, i, first, i < end ? most : end);
        size_t last = is_linked && channel->facts.gauge > 0 ? i + (size_t)channel->facts.gauge : i;
        if (is_linked && last + 1 > end) {
            end = last + 1;
        }
    }
    return end;
}

static void describe(const em__tape_channel *from, size_t own, size_t first, size_t end, em__channel *channel)
{
    *channel = from->facts;
    em__print(channel->source, sizeof channel->source, "replay:%.240s", from->facts.source);
    if (!is_within(from, own, first, end) || from[channel->gauge].facts.kind != EM_KIND_GAUGE ||
        channel->kind != EM_KIND_COUNTER) {
        channel->gauge = 0;
    }
    channel->shaped_by = channel->gauge != 0 && channel->shaped_by == channel->gauge ? channel->gauge : 0;
    channel->interval_ns = channel->sparing_interval_ns = 0;
    channel->is_overruled = 0;
    channel->ceiling_mw = channel->ceiling_mw < UINT32_MAX ? channel->ceiling_mw : UINT32_MAX;
    if (channel->status == EM_ERR_NOT_SELECTED || (channel->status == EM_OK && from->count == 0)) {
        channel->status = EM_ERR_NOT_SELECTED;
        em__copy(channel->reason, sizeof channel->reason, "the trace has no reading of it");
    }
}

static int replay_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    em__tape *tape = selection->tape;
    if (!tape) {
        return em__probe_absent(probe, &em__sensor_replay, EM_ERR_NOT_SELECTED,
                                "to have a recorded run in the place of this machine, name its trace: --replay FILE",
                                "the options name no trace");
    }
    if (tape->reading_count == 0) {
        return em__probe_absent(probe, &em__sensor_replay, EM_ERR_NO_ZONES, "replay a trace that has windows",
                                "the trace has no readings");
    }
    uint64_t start_ns = host->ops->monotonic_ns(host);
    for (size_t first = 0, end; first < tape->channel_count; first = end) {
        end = end_of_device(tape, first);
        replay_device *made = calloc(1, sizeof *made);
        if (!made || em__device_init(&made->base, &replay_ops, &em__sensor_replay, end - first) != EM_OK) {
            free(made);
            return EM_ERR_NO_MEMORY;
        }
        made->host = em__host_ref(host);
        made->tape = em__tape_ref(tape);
        made->first = first;
        made->start_ns = start_ns;
        made->base.sensor = tape->channels[first].sensor;
        made->base.rank = tape->channels[first].rank;
        for (size_t i = first; i < end; i++) {
            describe(&tape->channels[i], i, first, end, &made->base.channels[i - first]);
        }
        int status = em__probe_add(probe, &made->base);
        if (status != EM_OK) {
            return status;
        }
    }
    return EM_OK;
}

const em__sensor em__sensor_replay = {"replay", 5, replay_probe};
