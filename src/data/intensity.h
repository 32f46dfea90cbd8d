/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Carbon intensities of electricity. */
#ifndef EM_DATA_INTENSITY_H
#define EM_DATA_INTENSITY_H

typedef struct {
    double g_per_kwh; /* g CO2e/kWh, life-cycle */
    int year;
    const char *zone, *source;
} em__intensity;

/* The world average. */
extern const em__intensity em__intensity_world;

#endif
