/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The one place where a joule becomes carbon and money. */
#include "metrics/carbon.h"

#include "core/units.h"

static const double seconds_per_year = 365.0 * 24 * 3600, g_per_kg = 1000.0;

double em__carbon_g(const em__rates *rates, double energy_j)
{
    return energy_j / EM__J_PER_KWH * rates->pue * rates->g_per_kwh;
}

double em__cost(const em__rates *rates, double energy_j)
{
    return energy_j / EM__J_PER_KWH * rates->pue * rates->price_per_kwh;
}

double em__embodied_g(const em__rates *rates, uint64_t duration_ns)
{
    double seconds = (double)duration_ns / (double)EM__NS_PER_S;
    return rates->embodied_kg * g_per_kg * (seconds / (rates->lifetime_years * seconds_per_year));
}
