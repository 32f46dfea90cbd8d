/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Energy to carbon: g = kWh × g/kWh (docs/measurement.md §8). */
#ifndef EM_METRICS_CARBON_H
#define EM_METRICS_CARBON_H

double em__carbon_g(double energy_j, double g_per_kwh);

#endif
