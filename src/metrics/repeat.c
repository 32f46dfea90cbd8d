/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Several runs of one program: what they have in common, and how far apart they are. */
#include "metrics/repeat.h"

#include "core/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, upper 0.025. */
static const double quantiles[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                   2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                                   2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
enum { QUANTILES = sizeof quantiles / sizeof *quantiles };

double em__student_t(double freedom)
{
    const double z = 1.959964;
    if (!(freedom >= 1)) {
        return quantiles[0];
    }
    if (freedom < QUANTILES + 1) {
        return quantiles[(size_t)freedom - 1];
    }
    double n = floor(freedom); /* Abramowitz and Stegun 26.7.5. */
    return z + (z * z * z + z) / (4 * n) + (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * n * n);
}

em_spread em__spread(const double *values, size_t count)
{
    em_spread spread = {.mean = NAN, .sd = NAN, .interval = NAN};
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
    }
    if (count == 0) {
        return spread;
    }
    spread.mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) {
        squares += (values[i] - spread.mean) * (values[i] - spread.mean);
    }
    if (count > 1) {
        spread.sd = sqrt(squares / (double)(count - 1));
        spread.interval = em__student_t((double)(count - 1)) * spread.sd / sqrt((double)count);
    }
    return spread;
}

static double or_nothing(double value)
{
    return isfinite(value) ? value : 0;
}

int em_summary_repeat(const em_runs *runs, em_repeat *ret_repeat)
{
    if (!runs || !runs->summaries || runs->count == 0 || !ret_repeat || ret_repeat->size < sizeof ret_repeat->size) {
        return EM_ERR_INVALID;
    }
    size_t count = runs->count, size = ret_repeat->size;
    double *values = calloc(count, 4 * sizeof *values), gain_j = 0;
    if (!values) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        em_group run = {.size = sizeof run};
        if (em_summary_group(runs->summaries[i], 0, &run) != EM_OK) {
            free(values);
            return EM_ERR_INVALID;
        }
        double seconds = (double)run.duration_ns / (double)EM__NS_PER_S, energy_j = or_nothing(run.total.energy_j);
        values[i] = seconds;
        values[count + i] = energy_j;
        values[2 * count + i] = seconds > 0 ? energy_j / seconds : 0;
        values[3 * count + i] = or_nothing(run.carbon_g);
        gain_j += or_nothing(run.total.gain_j) / (double)count;
    }
    em_repeat repeat = {.size = size,
                        .count = count,
                        .duration_s = em__spread(values, count),
                        .energy_j = em__spread(values + count, count),
                        .power_w = em__spread(values + 2 * count, count),
                        .carbon_g = em__spread(values + 3 * count, count),
                        .gain_j = gain_j};
    free(values);
    memcpy(ret_repeat, &repeat, size < sizeof repeat ? size : sizeof repeat);
    return EM_OK;
}
