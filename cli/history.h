/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a live display knows of each channel: power over time, and its least, mean and most. */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include "energy_meter.h"

#include <stddef.h>

enum { HISTORY_SAMPLES = 4096 };

typedef struct {
    const char *name; /* the meter's */
    int is_counted;
    double now_w, least_w, most_w, energy_j, carbon_g; /* NAN: not yet */
    double *power_w;                                   /* of the last HISTORY_SAMPLES samples, by number */
} history_track;

typedef struct {
    size_t count;          /* of channels */
    history_track *tracks; /* by channel, and the total behind them */
    em_energy *energies;   /* scratch */
    size_t samples;        /* so far */
    double seconds;        /* since the start */
    double uncertainty_j;
    int32_t provenance;
    const char *device; /* model of the GPU, or of the first counted channel */
    em_carbon carbon;   /* what grams are computed with */
} history;

/* EM_OK, EM_ERR_NO_MEMORY. */
int history_init(history *ret_history, em_meter *meter);
void history_free(history *of);
/* One sample: what the window has used up to now. */
int history_take(history *of, em_meter *meter, em_window window);

static inline history_track *history_total(const history *of)
{
    return &of->tracks[of->count];
}

/* The mean power of samples first … first + count - 1; NAN where none of them is kept or known. */
double history_mean(const history *of, const history_track *track, size_t first, size_t count);

#endif
