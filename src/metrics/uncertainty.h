/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* How sure an energy is (docs/measurement.md §7): the gain that all windows of a device share, and the part of the edges. */
#ifndef EM_METRICS_UNCERTAINTY_H
#define EM_METRICS_UNCERTAINTY_H

/* Variances in J², one standard deviation; they add up over channels, whose errors are independent. */
typedef struct {
    double gain, edge;
} em__variance;

/* energy_j of one channel, its gain (k = 1, fraction), variance of its edges in µJ², its smallest step in µJ. */
em__variance em__variance_of(double energy_j, double gain, double edge_variance_uj2, double step_uj);
em__variance em__variance_add(em__variance a, em__variance b);

/* At k = 2, in J. */
double em__expanded(double variance);

#endif
