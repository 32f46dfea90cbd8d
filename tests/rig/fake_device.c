/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Sources behind the contract of sensors. */
#include "rig/fake_device.h"

#include <stdlib.h>

typedef struct {
    em__device base;
    rig_host *rig;
    rig_channel channels[RIG_CHANNELS];
    uint64_t cost_ns, reads;
    int *destroyed;
} rig_device;

static void read_device(em__device *base, uint64_t wanted, em__reading out[])
{
    rig_device *device = (rig_device *)base;
    uint64_t middle_ns = rig_host_now(device->rig) + device->cost_ns / 2;
    device->reads++;
    rig_host_advance(device->rig, device->cost_ns);
    for (size_t i = 0; i < base->channel_count; i++) {
        if (wanted & EM__CHANNEL_BIT(i)) {
            out[i] = rig_channel_read(&device->channels[i], middle_ns);
        }
    }
}

static void destroy(em__device *base)
{
    rig_device *device = (rig_device *)base;
    if (device->destroyed) {
        *device->destroyed = 1;
    }
    em__host_unref(rig_host_base(device->rig));
    em__device_free_channels(base);
    free(device);
}

static int revive(em__device *base)
{
    rig_device *device = (rig_device *)base;
    for (size_t i = 0; i < base->channel_count; i++) {
        if (rig_channel_read(&device->channels[i], rig_host_now(device->rig)).outcome != EM__READ_OK) {
            return -1;
        }
    }
    return 0;
}

static const em__device_ops ops = {.read = read_device, .destroy = destroy, .revive = revive};

em__device *rig_device_create(rig_host *rig, const rig_channel *channels, size_t count, uint64_t interval_ns,
                              uint64_t cost_ns, int *destroyed)
{
    em__sensor sensor = {channels[0].sensor, channels[0].rank, NULL};
    rig_device *device = calloc(1, sizeof *device);
    if (!device || count > RIG_CHANNELS || em__device_init(&device->base, &ops, &sensor, count) != EM_OK) {
        abort();
    }
    em__host_ref(rig_host_base(rig));
    device->rig = rig;
    device->cost_ns = cost_ns;
    device->destroyed = destroyed;
    for (size_t i = 0; i < count; i++) {
        device->channels[i] = channels[i];
        if (interval_ns) {
            device->channels[i].facts.interval_ns = interval_ns;
        }
        device->base.channels[i] = device->channels[i].facts;
    }
    return &device->base;
}

uint64_t rig_device_reads(const em__device *device)
{
    return ((const rig_device *)device)->reads;
}
