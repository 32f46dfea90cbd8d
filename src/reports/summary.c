/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The summary for machines. */
#include "reports/summary.h"

#include "core/units.h"
#include "metrics/energy.h"
#include "reports/layout.h"
#include "reports/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_string(em__text *json, const char *key, const char *value)
{
    em__reports_key(json, key);
    em__text_json(json, value);
}

static void add_real(em__text *json, const char *key, double value)
{
    em__reports_key(json, key);
    em__reports_real(json, value);
}

static void add_seconds(em__text *json, const char *key, uint64_t ns)
{
    em__reports_key(json, key);
    em__reports_seconds(json, ns);
}

static void add_count(em__text *json, const char *key, uint64_t value)
{
    em__reports_key(json, key);
    em__text_format(json, "%llu", (unsigned long long)value);
}

static void add_flag(em__text *json, const char *key, int value)
{
    em__reports_key(json, key);
    em__text_add(json, value ? "true" : "false");
}

static void open_member(em__text *json, const char *key, const char *bracket)
{
    em__reports_key(json, key);
    em__text_add(json, bracket);
}

void em__summary_basis(em__text *json, const em_carbon *carbon)
{
    open_member(json, "carbon_basis", "{");
    add_real(json, "g_per_kwh", carbon->g_per_kwh);
    add_string(json, "source", carbon->source);
    em__reports_key(json, "year");
    if (carbon->year != 0) {
        em__text_format(json, "%d", (int)carbon->year);
    } else {
        em__text_add(json, "null");
    }
    add_string(json, "zone", carbon->zone);
    add_string(json, "zone_name", carbon->zone_name);
    add_string(json, "location", carbon->location);
    add_string(json, "method", carbon->method);
    add_flag(json, "is_default", carbon->is_default);
    add_real(json, "pue", carbon->pue);
    add_string(json, "pue_source", carbon->pue_source);
    em__text_add(json, "}");
}

static void write_rates(em__text *json, const em__summary_facts *facts)
{
    open_member(json, "rates", "{");
    add_real(json, "price_per_kwh", facts->price_per_kwh);
    add_real(json, "embodied_kg", facts->embodied_kg);
    add_real(json, "lifetime_years", facts->lifetime_years);
    em__text_add(json, "}");
}

static void write_items(em__text *json, uint64_t items, const em_per_item *each)
{
    int has_items = each->windows > 0;
    em__reports_key(json, "items");
    if (has_items) {
        em__text_format(json, "%llu", (unsigned long long)items);
    } else {
        em__text_add(json, "null");
    }
    add_real(json, "energy_per_item_j", has_items ? each->energy_j : NAN);
    add_real(json, "energy_per_item_uncertainty_j", has_items ? each->uncertainty_j : NAN);
    add_real(json, "items_per_j", has_items ? each->items_per_j : NAN);
    add_real(json, "items_per_j_uncertainty", has_items ? each->items_per_j_uncertainty : NAN);
}

static void write_row(em__text *json, const char *key, const em__row *row, const em_carbon *carbon)
{
    double count = (double)row->count, seconds = em__view_seconds(row->duration_ns);
    open_member(json, key, "{");
    add_count(json, "count", row->count);
    add_real(json, "mean_duration_s", row->count > 0 ? seconds / count : NAN);
    add_real(json, "mean_energy_j", row->count > 0 ? row->energy_j / count : NAN);
    add_real(json, "mean_carbon_g", row->count > 0 ? row->carbon_g / count : NAN);
    add_seconds(json, "total_duration_s", row->duration_ns);
    add_real(json, "total_energy_j", row->energy_j);
    add_real(json, "total_carbon_g", row->carbon_g);
    em__summary_basis(json, carbon);
    add_real(json, "cost", row->cost);
    add_real(json, "embodied_g", row->embodied_g);
    add_count(json, "windows_with_items", row->per_item.windows);
    write_items(json, row->items, &row->per_item);
    add_real(json, "distinct_energy_j", row->distinct_j);
    add_real(json, "uncertainty_j", row->uncertainty_j);
    add_real(json, "uncertainty_gain_j", row->gain_j);
    add_real(json, "uncertainty_edge_j", row->edge_j);
    em__text_add(json, "}");
}

/* Lines as an array of strings. */
static void write_reasons(em__text *json, const em_summary *summary, int32_t channel)
{
    char *lines = NULL, *line, *end;
    int status = em_summary_reasons(summary, 0, channel, &lines, NULL);
    json->failed |= status != EM_OK;
    open_member(json, "reasons", "[");
    for (line = lines; line && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        em__reports_comma(json);
        em__text_json(json, line);
    }
    em__text_add(json, "]");
    free(lines);
}

static void write_uncertainty(em__text *json, const em_summary *summary, int32_t channel, const em_energy *energy)
{
    add_real(json, "uncertainty_j", energy->uncertainty_j);
    add_real(json, "uncertainty_gain_j", energy->gain_j);
    add_real(json, "uncertainty_edge_j", energy->edge_j);
    add_string(json, "resolution", em__reports_resolution(energy->resolution));
    write_reasons(json, summary, channel);
}

static void write_period(em__text *json, const em_channel *channel, const em_energy *energy)
{
    int is_model = channel->kind == EM_KIND_MODEL;
    int is_assumed = (energy->notes & EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED)) != 0;
    add_real(json, "update_period_s", energy->period_ns ? (double)energy->period_ns / EM__NS_PER_S : NAN);
    add_string(json, "update_period_from",
               !energy->period_ns ? NULL
               : is_model         ? "model"
               : is_assumed       ? "assumed"
                                  : "measured");
}

static void write_channels(em__text *json, const em__view *view)
{
    open_member(json, "channels", "{");
    for (size_t i = 0; i < em_summary_channel_count(view->summary); i++) {
        em_channel channel;
        if (em__view_counted(view, i, &channel)) {
            open_member(json, channel.name, "{");
            add_real(json, "energy_j", view->facts->devices[i].counted_j);
            em_energy energy;
            em_summary_energy(view->summary, 0, i, &energy);
            add_string(json, "provenance", em__reports_provenance(energy.provenance));
            write_uncertainty(json, view->summary, (int32_t)i, &energy);
            write_period(json, &channel, &energy);
            em__text_add(json, "}");
        }
    }
    em__text_add(json, "}");
}

static void write_unions(em__text *json, const em__summary_facts *facts)
{
    int is_known = !facts->unions_are_unknown;
    add_real(json, "in_epochs_j", is_known ? em__view_energy(facts->in_epochs_j) : NAN);
    add_real(json, "in_batches_j", is_known ? em__view_energy(facts->in_batches_j) : NAN);
    add_real(json, "outside_windows_j", is_known ? em__view_energy(facts->outside_windows_j) : NAN);
}

static void write_run(em__text *json, const em__view *view)
{
    const em_group *run = &view->run;
    double energy_j = em__view_energy(run->total.energy_j);
    open_member(json, "run", "{");
    add_seconds(json, "duration_s", run->duration_ns);
    add_real(json, "energy_j", energy_j);
    add_real(json, "avg_power_w", run->duration_ns > 0 ? energy_j / em__view_seconds(run->duration_ns) : 0);
    add_real(json, "carbon_g", em__view_energy(run->carbon_g));
    em__summary_basis(json, &view->facts->carbon);
    add_real(json, "cost", isfinite(view->facts->price_per_kwh) ? em__view_energy(run->cost) : NAN);
    add_real(json, "embodied_g", run->embodied_g);
    write_items(json, run->items, &run->per_item);
    add_real(json, "cpu_energy_j", run->by_domain[EM_DOMAIN_CPU].energy_j);
    add_real(json, "gpu_energy_j", run->by_domain[EM_DOMAIN_GPU].energy_j);
    add_real(json, "dram_energy_j", run->by_domain[EM_DOMAIN_DRAM].energy_j);
    add_real(json, "other_energy_j", run->by_domain[EM_DOMAIN_OTHER].energy_j);
    open_member(json, "energy_by_provenance", "{");
    for (int32_t from = EM_FROM_MEASURED; from <= EM_FROM_ESTIMATED; from++) {
        add_real(json, em__reports_provenance(from), em__view_energy(run->by_provenance_j[from]));
    }
    em__text_add(json, "}");
    write_uncertainty(json, view->summary, -1, &run->total);
    write_channels(json, view);
    add_flag(json, "complete", view->facts->run_is_complete);
    open_member(json, "missing", "[");
    for (size_t i = 0; i < view->facts->missing_count; i++) {
        em__reports_comma(json);
        em__text_add(json, "{");
        add_string(json, "channel", view->facts->missing[i].channel);
        add_string(json, "reason", view->facts->missing[i].reason);
        em__text_add(json, "}");
    }
    em__text_add(json, "]");
    add_flag(json, "final", view->facts->run_is_final);
    add_real(json, "process_cpu_share", run->process_cpu_share);
    add_string(json, "process_cpu_share_reason", run->process_cpu_share_reason);
    write_unions(json, view->facts);
    em__text_add(json, "}");
}

static void write_tdp(em__text *json, const char *key, const em__summary_tdp *tdp)
{
    em__reports_key(json, key);
    if (!isfinite(tdp->each_w)) {
        em__text_add(json, "null");
        return;
    }
    em__text_add(json, "{");
    add_real(json, "each_w", tdp->each_w);
    add_real(json, "count", tdp->count);
    add_string(json, "from", tdp->from);
    em__text_add(json, "}");
}

static void write_overhead(em__text *json, const em__summary_overhead *overhead)
{
    open_member(json, "overhead", "{");
    add_real(json, "fraction", overhead->fraction);
    add_real(json, "limit", overhead->limit);
    add_real(json, "caller_s", overhead->caller_s);
    add_real(json, "sync_s", overhead->sync_s);
    em__text_add(json, "}");
}

static void write_device(em__text *json, const em_channel *channel, const em__summary_device *device)
{
    em__reports_comma(json);
    em__text_add(json, "\n{");
    add_string(json, "channel", channel->name);
    add_string(json, "sensor", channel->sensor && channel->sensor[0] ? channel->sensor : NULL);
    add_string(json, "uuid", channel->uuid && channel->uuid[0] ? channel->uuid : NULL);
    add_string(json, "name", channel->device_name ? channel->device_name : "");
    add_string(json, "domain", em__reports_domain(channel->domain));
    if (device->boot_id) {
        add_string(json, "host", device->host);
        add_string(json, "boot_id", device->boot_id);
    }
    add_real(json, "energy_j", device->counted_j);
    open_member(json, "points", "[");
    for (size_t i = 0; i < device->point_count; i++) {
        em__reports_comma(json);
        em__text_add(json, "[");
        em__reports_seconds(json, device->points[i].t_ns);
        em__text_add(json, ",");
        em__reports_real(json, em__view_energy(device->points[i].energy_j));
        em__text_add(json, "]");
    }
    em__text_add(json, "]");
    if (device->span_count > 1) {
        open_member(json, "spans", "[");
        for (size_t i = 0; i < device->span_count; i++) {
            em__reports_comma(json);
            em__text_add(json, "[");
            em__reports_seconds(json, device->spans[i].from_ns);
            em__text_add(json, ",");
            em__reports_seconds(json, device->spans[i].to_ns);
            em__text_add(json, "]");
        }
        em__text_add(json, "]");
    }
    em__text_add(json, "}");
}

static void write_pid(em__text *json, int64_t pid)
{
    em__reports_key(json, "pid");
    if (pid < 0) {
        em__text_add(json, "null");
    } else {
        em__text_format(json, "%lld", (long long)pid);
    }
}

static void write_start(em__text *json, uint64_t wall_ns)
{
    em__reports_key(json, "started_at");
    em__text_add(json, "\"");
    em__reports_time(json, wall_ns);
    em__text_add(json, "\"");
}

static void write_ranks(em__text *json, const em__summary_facts *facts)
{
    open_member(json, "ranks", "[");
    for (size_t i = 0; i < facts->rank_count; i++) {
        const em__summary_rank *rank = &facts->ranks[i];
        em__reports_comma(json);
        em__text_add(json, "{");
        add_string(json, "host", rank->host);
        add_string(json, "boot_id", rank->boot_id);
        write_pid(json, rank->pid);
        write_start(json, rank->begin_wall_ns);
        add_seconds(json, "t_begin", rank->begin_ns);
        add_seconds(json, "t_end", rank->end_ns);
        add_seconds(json, "duration_s", rank->run_ns);
        em__text_add(json, "}");
    }
    em__text_add(json, "]");
}

static void write_scope(em__text *json, const em__view *view)
{
    const em__summary_facts *facts = view->facts;
    open_member(json, "scope", "{");
    add_string(json, "host", facts->host);
    add_string(json, "boot_id", facts->boot_id);
    write_pid(json, facts->pid);
    write_start(json, facts->begin_wall_ns);
    if (facts->rank_count > 0 && !facts->boot_id) {
        add_string(json, "t_begin", NULL);
        add_string(json, "t_end", NULL);
    } else {
        add_seconds(json, "t_begin", facts->begin_ns);
        add_seconds(json, "t_end", facts->end_ns);
    }
    if (facts->rank_count > 0) {
        write_ranks(json, facts);
    }
    open_member(json, "devices", "[");
    for (size_t i = 0; i < em_summary_channel_count(view->summary); i++) {
        em_channel channel;
        if (em__view_counted(view, i, &channel)) {
            write_device(json, &channel, &facts->devices[i]);
        }
    }
    em__text_add(json, "]}");
}

static void write_json(em__text *json, const em__view *view)
{
    const em__summary_facts *facts = view->facts;
    em__text_add(json, "{");
    add_count(json, "schema", 1);
    add_string(json, "device", facts->device);
    add_string(json, "gpu_name", facts->gpu_name);
    em__reports_key(json, "gpu_shared");
    em__text_add(json, facts->gpu_shared < 0 ? "null" : facts->gpu_shared ? "true" : "false");
    add_real(json, "carbon_intensity_g_per_kwh", facts->carbon.g_per_kwh);
    add_count(json, "num_batches", view->batches.count);
    add_count(json, "num_epochs", view->epochs.count);
    write_row(json, "batch_summary", &view->batches, &facts->carbon);
    write_row(json, "epoch_summary", &view->epochs, &facts->carbon);
    open_member(json, "windows", "{");
    for (size_t i = 0; i < view->named_count; i++) {
        write_row(json, view->named[i].name, &view->named[i], &facts->carbon);
    }
    em__text_add(json, "}");
    write_run(json, view);
    em__summary_basis(json, &facts->carbon);
    write_rates(json, facts);
    open_member(json, "tdp", "{");
    write_tdp(json, "cpu", &facts->tdp_cpu);
    write_tdp(json, "gpu", &facts->tdp_gpu);
    open_member(json, "unused", "[");
    for (size_t i = 0; i < facts->tdp_unused_count; i++) {
        em__reports_comma(json);
        em__text_json(json, facts->tdp_unused[i]);
    }
    em__text_add(json, "]}");
    write_overhead(json, &facts->overhead);
    write_scope(json, view);
    em__text_add(json, "}\n");
}

char *em__reports_summary(const em_summary *summary, const em__summary_facts *facts, int32_t format, size_t *ret_length)
{
    em__view view;
    if (em__view_init(&view, summary, facts) != EM_OK) {
        return NULL;
    }
    em__text text = {0};
    switch (format) {
    case EM_FORMAT_JSON:
        write_json(&text, &view);
        break;
    case EM_FORMAT_CSV:
        em__summary_csv(&text, &view);
        break;
    case EM_FORMAT_MODEL_CARD:
        em__summary_model_card(&text, &view);
        break;
    case EM_FORMAT_BOAMPS:
        em__summary_boamps(&text, &view);
        break;
    default:
        em__summary_table(&text, &view);
        break;
    }
    em__view_free(&view);
    return em__text_finish(&text, ret_length);
}
