/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A board as a device: what one look at it reads, and how it is found again after it was lost. */
#ifndef EM_SENSORS_NVML_DEVICE_H
#define EM_SENSORS_NVML_DEVICE_H

#include "sensors/nvml_board.h"
#include "sensors/tdp_model.h"

enum { EM__NVML_BOARDS = 256 }; /* more is junk */

typedef struct {
    em__device base;
    em__nvml *nvml;
    nvml_handle handle;
    char uuid[EM__UUID_SIZE], pci[EM__PCI_SIZE];
    int32_t kind;                        /* em_kind of its first channel; a second is the gauge beside a counter */
    em__nvml_way ways[EM__NVML_QUERIES]; /* by channel: how it is read */
    uint64_t most_mw;                    /* power above is garbage */
    int has_limit, has_utilisation;
    double limit_w; /* of a model, last known */
    em__tdp_energy model;
} em__nvml_device;

/* Its ways, limits and channels are the caller's to fill in. NULL: no memory. */
em__nvml_device *em__nvml_device_create(em__nvml *nvml, const em__nvml_found *found, const em__sensor *sensor,
                                        size_t channel_count);

#endif
