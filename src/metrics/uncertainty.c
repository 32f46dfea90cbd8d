/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Variances of one channel and of sums. */
#include "metrics/uncertainty.h"

#include "core/units.h"

#include <math.h>

em__variance em__variance_of(double energy_j, double gain, double edge_variance_uj2, double step_uj)
{
    double scale = EM__UJ_PER_J * EM__UJ_PER_J;
    return (em__variance){.gain = gain * energy_j * gain * energy_j,
                          .edge = (edge_variance_uj2 + step_uj * step_uj / 6.0) / scale};
}

em__variance em__variance_add(em__variance a, em__variance b)
{
    return (em__variance){.gain = a.gain + b.gain, .edge = a.edge + b.edge};
}

double em__expanded(double variance)
{
    return 2.0 * sqrt(variance);
}
