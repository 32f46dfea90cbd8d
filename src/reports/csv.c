/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The summary for spreadsheets: one line for the run, for epochs and batches, and for each name. */
#include "reports/layout.h"
#include "reports/line.h"
#include "reports/view.h"

#include <math.h>

static void write_run(em__text *text, const em__view *view)
{
    const em_group *run = &view->run;
    em_result result = {.kind = EM_WINDOW_RUN,
                        .is_final = view->facts->run_is_final,
                        .is_complete = view->facts->run_is_complete,
                        .duration_ns = run->duration_ns,
                        .items = run->items,
                        .total = run->total,
                        .carbon_g = run->carbon_g,
                        .cost = isfinite(view->facts->price_per_kwh) ? em__view_energy(run->cost) : NAN,
                        .embodied_g = run->embodied_g,
                        .per_item = run->per_item,
                        .process_cpu_share = run->process_cpu_share};
    for (size_t i = 0; i < EM_DOMAINS; i++) {
        result.by_domain[i] = run->by_domain[i];
    }
    for (size_t i = 0; i < EM_PROVENANCES; i++) {
        result.by_provenance_j[i] = em__view_energy(run->by_provenance_j[i]);
    }
    const em__line line = em__line_of(&result, view->facts->begin_wall_ns, &view->facts->carbon);
    em__line_csv(text, &line);
}

static void write_row(em__text *text, const char *kind, const em__row *row, const em_carbon *carbon)
{
    double seconds = em__view_seconds(row->duration_ns);
    if (row->count == 0) {
        return;
    }
    const em__line line = {.kind = kind,
                           .name = row->name,
                           .count = row->count,
                           .duration_ns = row->duration_ns,
                           .energy_j = row->energy_j,
                           .uncertainty_j = row->uncertainty_j,
                           .gain_j = row->gain_j,
                           .edge_j = row->edge_j,
                           .power_w = seconds > 0 ? row->energy_j / seconds : 0,
                           .cpu_j = row->by_domain_j[EM_DOMAIN_CPU],
                           .gpu_j = row->by_domain_j[EM_DOMAIN_GPU],
                           .dram_j = row->by_domain_j[EM_DOMAIN_DRAM],
                           .other_j = row->by_domain_j[EM_DOMAIN_OTHER],
                           .measured_j = row->by_provenance_j[EM_FROM_MEASURED],
                           .integrated_j = row->by_provenance_j[EM_FROM_INTEGRATED],
                           .estimated_j = row->by_provenance_j[EM_FROM_ESTIMATED],
                           .carbon_g = row->carbon_g,
                           .cost = row->cost,
                           .embodied_g = row->embodied_g,
                           .carbon = carbon,
                           .items = row->items,
                           .per_item = row->per_item,
                           .is_complete = -1,
                           .is_final = -1,
                           .process_cpu_share = NAN};
    em__line_csv(text, &line);
}

void em__summary_csv(em__text *text, const em__view *view)
{
    const em_carbon *carbon = &view->facts->carbon;
    em__line_csv_header(text);
    write_run(text, view);
    write_row(text, "epoch", &view->epochs, carbon);
    write_row(text, "batch", &view->batches, carbon);
    for (size_t i = 0; i < view->named_count; i++) {
        write_row(text, "window", &view->named[i], carbon);
    }
}
