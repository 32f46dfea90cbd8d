/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The memory's model, for sensors/tdp, which stands for it in every list. */
#ifndef EM_SENSORS_TDP_DRAM_H
#define EM_SENSORS_TDP_DRAM_H

#include "sensors/sensor.h"

/* Adds it where the options ask for it. */
int em__tdp_dram_probe(em__host *host, const em__selection *selection, em__probe *probe);

#endif
