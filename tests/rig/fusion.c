/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The A100's figures (docs/measurement.md §3), and RAPL's, with a sample interval of 50 ms. */
#include "rig/fusion.h"

#include "rig/random.h"
#include "rig/sampler.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { INTERVAL_MS = 50, WARM_S = 3 };

const rig_fusion rig_fusions[RIG_FUSIONS] = {
    {"A100", 90, 380, 0.9, 0.55, 1, 0, 20, 0, 500, 1000, 200},
    {"A100", 90, 380, 0.9, 0.55, 1, 0, 20, 0, 50, 1000, 200},
    {"A100, jitter 2 ms", 90, 380, 0.9, 0.55, 1, 0, 20, 2, 500, 1000, 200},
    {"A100, jitter 2 ms", 90, 380, 0.9, 0.55, 1, 0, 20, 2, 50, 1000, 200},
    {"A100, the high part", 90, 380, 0.5, 0.6, 1, 1, 20, 0, 300, 1000, 200},
    {"RAPL", 40, 120, 0.7, 0.5, 0, 0, 1, 0, 500, 61.035, 2000},
    {"RAPL", 40, 120, 0.7, 0.5, 0, 0, 1, 0, 50, 61.035, 2000},
};

static double shown_j(const rig_channel *channel, uint64_t t_ns)
{
    return (double)rig_source_counter(&channel->source, t_ns) / 1e6;
}

static double on_line_j(const rig_sampler *at, const rig_channel *channel, uint64_t t_ns)
{
    uint64_t from_ns, to_ns;
    if (!rig_sampler_around(at, t_ns, &from_ns, &to_ns)) {
        return NAN;
    }
    double from_j = shown_j(channel, from_ns), to_j = shown_j(channel, to_ns);
    return from_j + (to_j - from_j) * (double)(t_ns - from_ns) / (double)(to_ns - from_ns);
}

void rig_fusion_run(const rig_fusion *how, rig_fused ret_windows[RIG_FUSION_WINDOWS])
{
    static rig_ledger rig;
    double begin_s = how->is_high_part ? 0 : rig_random_between(0, how->period_s);
    wave square = wave_square(how->low_w, how->high_w, how->period_s, how->duty, begin_s);
    rig_source source = {.wave = &square,
                         .period_ns = how->update_ms * MS,
                         .phase_ns = rig_random_below(how->update_ms * MS),
                         .jitter_ns = how->jitter_ms * MS,
                         .unit = how->unit};
    rig_channel channel =
        rig_channel_make(how->is_board ? "gpu-0/board" : "cpu-0/package",
                         how->is_board ? EM__COVERS_BOARD : EM__COVERS_PACKAGE, 0, EM_KIND_COUNTER, source);
    rig_ledger_init(&rig, &channel, 1, NULL);
    rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
    rig_sampler at = rig_sampler_make(&rig, S, INTERVAL_MS * MS);
    uint64_t end_ns = S + WARM_S * S;
    for (size_t i = 0; i < how->windows; i++) {
        uint64_t begin_ns = end_ns + 200 * MS + rig_random_below(900 * MS);
        if (how->is_high_part) {
            begin_ns = (uint64_t)(ceil((double)end_ns / 1e9 / how->period_s) * how->period_s * 1e9);
        }
        end_ns = begin_ns + how->window_ms * MS;
        rig_sampler_until(&at, begin_ns);
        em_window window = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, begin_ns);
        rig_sampler_until(&at, end_ns);
        rig_ledger_end(&rig, window, end_ns);
        em_result result = rig_sampler_settle(&at, window, end_ns, S);
        rig_sampler_until(&at, end_ns + 180 * MS);
        ret_windows[i] = (rig_fused){.truth_j = wave_energy_j(&square, begin_ns, end_ns),
                                     .measured_j = result.total.energy_j,
                                     .raw_j = shown_j(&channel, end_ns) - shown_j(&channel, begin_ns),
                                     .line_j = on_line_j(&at, &channel, end_ns) - on_line_j(&at, &channel, begin_ns),
                                     .is_final = result.is_final};
    }
    rig_ledger_free(&rig);
}
