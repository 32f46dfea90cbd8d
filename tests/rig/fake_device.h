/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A sensor's device whose channels show sources, for the sampler without files. */
#ifndef TESTS_RIG_FAKE_DEVICE_H
#define TESTS_RIG_FAKE_DEVICE_H

#include "rig/channel.h"
#include "rig/fake_host.h"
#include "sensors/sensor.h"

/* Reads by the rig's clock; each read costs cost_ns of it. interval_ns: of all its
 * channels; 0: as their facts say. It can be revived when all its
 * sources are back. destroyed (may be NULL) becomes 1. Ends the program when there is no memory. */
em__device *rig_device_create(rig_host *rig, const rig_channel *channels, size_t count, uint64_t interval_ns,
                              uint64_t cost_ns, int *destroyed);
uint64_t rig_device_reads(const em__device *device);

#endif
