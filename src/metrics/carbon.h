/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What energy and time amount to: grams of CO2e and money (docs/measurement.md §8). */
#ifndef EM_METRICS_CARBON_H
#define EM_METRICS_CARBON_H

#include <stdint.h>

typedef struct {
    double g_per_kwh, pue;
    double price_per_kwh;               /* NAN: not given */
    double embodied_kg, lifetime_years; /* both or none: NAN */
} em__rates;

/* g = kWh × PUE × g/kWh. */
double em__carbon_g(const em__rates *rates, double energy_j);
/* NAN: no price was given. */
double em__cost(const em__rates *rates, double energy_j);
/* The share that this time has of what making the machine took (GSF SCI: TE × TiR / EL). NAN: not given. */
double em__embodied_g(const em__rates *rates, uint64_t duration_ns);

#endif
