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

static void write_row(em__text *json, const char *key, const em__row *row)
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

static void write_period(em__text *json, const em_energy *energy)
{
    int is_assumed = (energy->notes & EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED)) != 0;
    add_real(json, "update_period_s", energy->period_ns ? (double)energy->period_ns / EM__NS_PER_S : NAN);
    add_string(json, "update_period_from", !energy->period_ns ? NULL : is_assumed ? "assumed" : "measured");
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
            write_period(json, &energy);
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
    write_unions(json, view->facts);
    em__text_add(json, "}");
}

static void write_basis(em__text *json, const em__summary_facts *facts)
{
    open_member(json, "carbon_basis", "{");
    add_real(json, "g_per_kwh", facts->g_per_kwh);
    add_string(json, "source", facts->carbon_source);
    em__reports_key(json, "year");
    if (facts->carbon_year != 0) {
        em__text_format(json, "%d", facts->carbon_year);
    } else {
        em__text_add(json, "null");
    }
    add_flag(json, "is_default", facts->carbon_is_default);
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

/* Days since 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March, so that the leap day
 * is the last one (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static void write_time(em__text *json, const char *key, uint64_t wall_ns)
{
    uint64_t seconds = wall_ns / EM__NS_PER_S, days = seconds / 86400 + 719468, rest = seconds % 86400;
    uint64_t era = days / 146097, day_of_era = days % 146097;
    uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t shifted_month = (5 * day_of_year + 2) / 153;
    uint64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    uint64_t year = year_of_era + era * 400 + (month <= 2);
    em__reports_key(json, key);
    em__text_format(json, "\"%04u-%02u-%02uT%02u:%02u:%02u.%06uZ\"", (unsigned)year, (unsigned)month, (unsigned)day,
                    (unsigned)(rest / 3600), (unsigned)(rest / 60 % 60), (unsigned)(rest % 60),
                    (unsigned)(wall_ns % EM__NS_PER_S / 1000));
}

static void write_device(em__text *json, const em_channel *channel, const em__summary_device *device)
{
    em__reports_comma(json);
    em__text_add(json, "\n{");
    add_string(json, "channel", channel->name);
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
        write_time(json, "started_at", rank->begin_wall_ns);
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
    write_time(json, "started_at", facts->begin_wall_ns);
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
    add_real(json, "carbon_intensity_g_per_kwh", facts->g_per_kwh);
    add_count(json, "num_batches", view->batches.count);
    add_count(json, "num_epochs", view->epochs.count);
    write_row(json, "batch_summary", &view->batches);
    write_row(json, "epoch_summary", &view->epochs);
    open_member(json, "windows", "{");
    for (size_t i = 0; i < view->named_count; i++) {
        write_row(json, view->named[i].name, &view->named[i]);
    }
    em__text_add(json, "}");
    write_run(json, view);
    write_basis(json, facts);
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
    if (format == EM_FORMAT_JSON) {
        write_json(&text, &view);
    } else {
        em__summary_table(&text, &view);
    }
    em__view_free(&view);
    return em__text_finish(&text, ret_length);
}
