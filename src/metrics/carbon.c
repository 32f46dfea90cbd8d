/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The one place where a joule becomes carbon. */
#include "metrics/carbon.h"

#include "core/units.h"

double em__carbon_g(double energy_j, double g_per_kwh)
{
    return energy_j / EM__J_PER_KWH * g_per_kwh;
}
