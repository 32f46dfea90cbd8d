/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Mean, deviation and 95 % interval of a few values. */
#ifndef EM_METRICS_REPEAT_H
#define EM_METRICS_REPEAT_H

#include "energy_meter.h"

/* sd and interval are NAN below two values. */
em_spread em__spread(const double *values, size_t count);
/* The 0.975 quantile of Student's t for so many degrees of freedom, rounded down to a whole number. */
double em__student_t(double freedom);

#endif
