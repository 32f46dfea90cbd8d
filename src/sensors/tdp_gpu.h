/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The part of the tdp sensor that models GPUs which are present but have no reading. */
#ifndef EM_SENSORS_TDP_GPU_H
#define EM_SENSORS_TDP_GPU_H

#include "sensors/sensor.h"

/* Adds one device for each selected GPU that no earlier sensor has. As em__sensor.probe. */
int em__tdp_gpu_probe(em__host *host, const em__selection *selection, em__probe *probe);

#endif
