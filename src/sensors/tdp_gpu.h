/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The part of the tdp sensor that models GPUs which are present but have no reading. */
#ifndef EM_SENSORS_TDP_GPU_H
#define EM_SENSORS_TDP_GPU_H

#include "sensors/sensor.h"

/* The limit that a GPU's model is a part of: the live one, else the one given, else the table's, else a default. */
typedef struct {
    double each_w;
    char from[64];  /* for em__channel.tdp_from */
    int is_default; /* nothing is known of this model */
} em__tdp_limit;

/* limit_mw 0, given_w NAN: none; name: of the board. */
em__tdp_limit em__tdp_gpu_limit(uint64_t limit_mw, double given_w, const char *name);

/* Adds one device for each selected GPU that no earlier sensor has. As em__sensor.probe. */
int em__tdp_gpu_probe(em__host *host, const em__selection *selection, em__probe *probe);

#endif
