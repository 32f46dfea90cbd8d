/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The world average of the intensity of electricity.
 * Source: Ember, Yearly Electricity Data (2025), CC BY 4.0, https://ember-energy.org/data/yearly-electricity-data/ */
#include "data/intensity.h"

const em__intensity em__intensity_world = {.g_per_kwh = 472.94,
                                           .year = 2024,
                                           .zone = "WORLD",
                                           .source = "Ember, Yearly Electricity Data (2025), world average"};
