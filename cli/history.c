/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Power between two looks at a growing energy. */
#include "history.h"

#include <math.h>
#include <stdlib.h>

int history_init(history *ret_history, em_meter *meter)
{
    history of = {.count = em_meter_channel_count(meter)};
    of.tracks = calloc(of.count + 1, sizeof *of.tracks);
    of.energies = calloc(of.count + 1, sizeof *of.energies);
    int is_whole = of.tracks && of.energies;
    for (size_t i = 0; is_whole && i <= of.count; i++) {
        of.tracks[i] = (history_track){.now_w = NAN, .least_w = NAN, .most_w = NAN, .energy_j = NAN, .carbon_g = NAN};
        of.tracks[i].power_w = calloc(HISTORY_SAMPLES, sizeof(double));
        is_whole = of.tracks[i].power_w != NULL;
    }
    if (!is_whole) {
        history_free(&of);
        return EM_ERR_NO_MEMORY;
    }
    of.device = em_meter_gpu_name(meter);
    of.carbon.size = sizeof of.carbon;
    em_meter_carbon(meter, &of.carbon);
    for (size_t i = 0; i < of.count; i++) {
        em_channel channel = {.size = sizeof channel};
        if (em_meter_channel(meter, i, &channel) == EM_OK) {
            of.tracks[i].name = channel.name;
            of.device = !of.device && channel.role == EM_ROLE_COUNTED && channel.device_name[0] ? channel.device_name
                                                                                                : of.device;
        }
    }
    history_total(&of)->name = "total";
    history_total(&of)->is_counted = 1;
    *ret_history = of;
    return EM_OK;
}

void history_free(history *of)
{
    for (size_t i = 0; of->tracks && i <= of->count; i++) {
        free(of->tracks[i].power_w);
    }
    free(of->tracks);
    free(of->energies);
    *of = (history){0};
}

static void add(history_track *track, size_t sample, double energy_j, double seconds, double g_per_j)
{
    double grown_j = energy_j - track->energy_j;
    track->now_w = seconds > 0 && grown_j >= 0 ? grown_j / seconds : NAN;
    track->energy_j = energy_j;
    track->carbon_g = energy_j * g_per_j;
    track->power_w[sample % HISTORY_SAMPLES] = track->now_w;
    if (!isnan(track->now_w)) {
        track->least_w = track->now_w > track->least_w ? track->least_w : track->now_w;
        track->most_w = track->now_w < track->most_w ? track->most_w : track->now_w;
    }
}

int history_take(history *of, em_meter *meter, em_window window)
{
    em_result result = {.size = sizeof result, .channels = of->energies, .channels_capacity = of->count};
    int status = em_window_result(meter, window, &result);
    if (status != EM_OK) {
        return status;
    }
    double now_s = (double)result.duration_ns / 1e9, since_s = now_s - of->seconds;
    double total_j = isnan(result.total.energy_j) ? 0 : result.total.energy_j;
    double g_per_j = total_j > 0 ? result.carbon_g / total_j : 0;
    for (size_t i = 0; i < of->count; i++) {
        em_channel channel = {.size = sizeof channel};
        em_meter_channel(meter, i, &channel);
        of->tracks[i].is_counted = channel.role == EM_ROLE_COUNTED;
        add(&of->tracks[i], of->samples, of->energies[i].energy_j, since_s, g_per_j);
    }
    add(history_total(of), of->samples, total_j, since_s, g_per_j);
    of->samples++;
    of->seconds = now_s;
    of->uncertainty_j = result.total.uncertainty_j;
    of->provenance = result.total.provenance;
    return EM_OK;
}

double history_mean(const history *of, const history_track *track, size_t first, size_t count)
{
    double sum_w = 0;
    size_t known = 0;
    for (size_t i = first; i < first + count && i < of->samples; i++) {
        double power_w = i + HISTORY_SAMPLES >= of->samples ? track->power_w[i % HISTORY_SAMPLES] : NAN;
        if (!isnan(power_w)) {
            sum_w += power_w;
            known++;
        }
    }
    return known ? sum_w / (double)known : NAN;
}
