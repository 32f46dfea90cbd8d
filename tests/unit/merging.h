/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Processes that measured devices of known power, as their summaries' JSON, and merges of these. */
#ifndef TESTS_UNIT_MERGING_H
#define TESTS_UNIT_MERGING_H

#include "check.h"
#include "core/text.h"
#include "energy_meter.h"

#include <stdlib.h>

#define FOUR_YEARS_S (4 * 365 * 86400.0)

/* A device of constant power with a step; energies are its integral, whoever looks. */
typedef struct {
    const char *channel, *uuid, *provenance;
    double before_w, after_w, step_s, factor; /* factor: what this process makes of it */
    int points;                               /* 0: none, and the energy alone */
} device;

typedef struct {
    const char *host, *boot_id;
    int pid;
    double begin_s, end_s;
    device devices[4];
    size_t count;
    int batches;
    double batch_j, g_per_kwh;
    double price, embodied_kg; /* 0: not given; a lifetime is 4 years */
    const char *zone;          /* NULL: an old document, without the keys that came with it */
    int is_patchy;             /* half of the time is between windows */
} process;

static inline double integral(const device *of, double from_s, double to_s)
{
    double before_s = fmax(0, fmin(to_s, of->step_s) - from_s), after_s = fmax(0, to_s - fmax(from_s, of->step_s));
    return (before_s * of->before_w + after_s * of->after_w) * (of->factor > 0 ? of->factor : 1);
}

static inline void add(em__text *text, const char *key, double value)
{
    em__text_add(text, key);
    em__text_number(text, value);
}

static inline void write_group(em__text *text, const process *from)
{
    em__text_format(text, "{\"count\":%d,", from->batches);
    add(text, "\"total_duration_s\":", 0.5 * from->batches);
    add(text, ",\"total_energy_j\":", from->batch_j);
    add(text, ",\"total_carbon_g\":", from->batch_j / 3.6e6 * from->g_per_kwh);
    add(text, ",\"distinct_energy_j\":", from->batch_j);
    if (from->price > 0) {
        add(text, ",\"cost\":", from->batch_j / 3.6e6 * from->price);
    }
    if (from->embodied_kg > 0) {
        add(text, ",\"embodied_g\":", 0.5 * from->batches * from->embodied_kg * 1000 / FOUR_YEARS_S);
    }
    em__text_add(text, ",\"uncertainty_j\":5.0,\"uncertainty_gain_j\":4.0,\"uncertainty_edge_j\":3.0}");
}

static inline char *json_of(const process *from, size_t *ret_length)
{
    em__text text = {0};
    double total_j = 0;
    for (size_t i = 0; i < from->count; i++) {
        total_j += integral(&from->devices[i], from->begin_s, from->end_s);
    }
    em__text_add(&text, "{\"schema\":1,\"device\":\"gpu\",\"gpu_name\":null,\"gpu_shared\":true,"
                        "\"batch_summary\":");
    write_group(&text, from);
    em__text_add(&text, ",\"epoch_summary\":");
    write_group(&text, &(process){.g_per_kwh = 1});
    em__text_add(&text, ",\"windows\":{\"val\":");
    write_group(&text, from);
    add(&text, "},\"run\":{\"duration_s\":", (from->end_s - from->begin_s) * (from->is_patchy ? 0.5 : 1));
    add(&text, ",\"energy_j\":", total_j);
    add(&text, ",\"carbon_g\":", total_j / 3.6e6 * from->g_per_kwh);
    if (from->price > 0) {
        add(&text, ",\"cost\":", total_j / 3.6e6 * from->price);
    }
    if (from->embodied_kg > 0) {
        add(&text, ",\"embodied_g\":", (from->end_s - from->begin_s) * from->embodied_kg * 1000 / FOUR_YEARS_S);
    }
    em__text_add(&text, ",\"cpu_energy_j\":null,\"gpu_energy_j\":null,\"dram_energy_j\":null,\"other_energy_j\":null,"
                        "\"energy_by_provenance\":{\"measured\":0,\"integrated\":0,\"estimated\":0},"
                        "\"uncertainty_j\":1,\"uncertainty_gain_j\":1,\"uncertainty_edge_j\":1,\"resolution\":\"fine\","
                        "\"reasons\":[\"a sentence of the total\"],\"complete\":true,\"missing\":[],\"final\":true,"
                        "\"process_cpu_share\":0.25,\"in_epochs_j\":1,\"in_batches_j\":2,\"outside_windows_j\":3,"
                        "\"channels\":{");
    for (size_t i = 0; i < from->count; i++) {
        double energy_j = integral(&from->devices[i], from->begin_s, from->end_s);
        em__text_format(&text, "%s\"%s\":{\"provenance\":\"%s\"", i ? "," : "", from->devices[i].channel,
                        from->devices[i].provenance);
        add(&text, ",\"energy_j\":", energy_j);
        add(&text, ",\"uncertainty_gain_j\":", 0.1 * energy_j);
        em__text_add(&text, ",\"uncertainty_j\":null,\"uncertainty_edge_j\":0.3,\"resolution\":\"fine\","
                            "\"reasons\":[\"a sentence of the channel\"],\"update_period_s\":0.001,");
        em__text_format(&text, "\"update_period_from\":\"%s\"}",
                        strcmp(from->devices[i].provenance, "estimated") ? "measured" : "model");
    }
    add(&text, "}},\"carbon_basis\":{\"g_per_kwh\":", from->g_per_kwh);
    em__text_add(&text, ",\"source\":\"user\",\"year\":null,\"is_default\":false");
    if (from->zone) {
        em__text_format(&text, ",\"zone\":\"%s\",\"pue\":1.0", from->zone);
    }
    em__text_add(&text, "},\"rates\":{\"price_per_kwh\":");
    em__text_number(&text, from->price > 0 ? from->price : NAN);
    em__text_add(&text, ",\"embodied_kg\":");
    em__text_number(&text, from->embodied_kg > 0 ? from->embodied_kg : NAN);
    em__text_add(&text, from->embodied_kg > 0 ? ",\"lifetime_years\":4}," : ",\"lifetime_years\":null},");
    em__text_add(&text, "\"tdp\":{\"cpu\":null,\"gpu\":null,\"unused\":[]},"
                        "\"overhead\":{\"fraction\":0.001,\"limit\":0.001,\"caller_s\":0.01,\"sync_s\":0.0},"
                        "\"scope\":{\"host\":");
    em__text_json(&text, from->host);
    em__text_add(&text, ",\"boot_id\":");
    em__text_json(&text, from->boot_id);
    em__text_format(&text, ",\"pid\":%d,\"started_at\":\"2026-03-01T12:00:%02d.000000Z\"", from->pid,
                    (int)from->begin_s % 60);
    add(&text, ",\"t_begin\":", from->begin_s);
    add(&text, ",\"t_end\":", from->end_s);
    em__text_add(&text, ",\"devices\":[");
    for (size_t i = 0; i < from->count; i++) {
        const device *of = &from->devices[i];
        em__text_format(&text, "%s{\"channel\":\"%s\",\"uuid\":", i ? "," : "", of->channel);
        em__text_json(&text, of->uuid);
        add(&text, ",\"name\":\"\",\"energy_j\":", integral(of, from->begin_s, from->end_s));
        em__text_add(&text, ",\"points\":[");
        for (int k = 0; k < of->points; k++) {
            double t_s = from->begin_s + (from->end_s - from->begin_s) * k / (of->points - 1);
            add(&text, k ? ",[" : "[", t_s);
            add(&text, ",", integral(of, from->begin_s, t_s));
            em__text_add(&text, "]");
        }
        em__text_add(&text, "]}");
    }
    em__text_add(&text, "]}}");
    return em__text_finish(&text, ret_length);
}

enum { MOST = 8 };
static em_summary *parts[MOST];
static em_error error;

static inline em_summary *read_one(const process *from)
{
    size_t length = 0;
    char *text = json_of(from, &length);
    em_summary *summary = NULL;
    error = (em_error){.size = sizeof error};
    if (!CHECK_INT(em_summary_parse(text, length, &error, &summary), EM_OK)) {
        printf("# %s; %s\n# %s\n", error.text, error.remedy, text);
    }
    free(text);
    return summary;
}

/* NULL: refused, and error says why. */
static inline em_summary *merge(const process *from, size_t count)
{
    em_summary *merged = NULL;
    for (size_t i = 0; i < count; i++) {
        parts[i] = read_one(&from[i]);
    }
    error = (em_error){.size = sizeof error};
    int status = em_summary_merge((const em_summary *const *)parts, count, &error, &merged);
    CHECK(status == EM_OK ? merged != NULL : status == EM_ERR_INVALID && merged == NULL && error.text[0]);
    CHECK(status == EM_OK || (error.remedy[0] && strncmp(error.argument, "parts[", 6) == 0));
    for (size_t i = 0; i < count; i++) {
        em_summary_destroy(parts[i]);
    }
    return merged;
}

static inline em_group run_of(const em_summary *summary)
{
    em_group run = {.size = sizeof run};
    CHECK_INT(em_summary_group(summary, 0, &run), EM_OK);
    return run;
}

static inline em_group batches_of(const em_summary *summary)
{
    size_t index = 0;
    em_group group = {.size = sizeof group};
    CHECK_INT(em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index), EM_OK);
    CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
    return group;
}

#define CPU(points) {"cpu-0/package", NULL, "measured", 100, 100, 0, 1, points}
#define GPU(points) {"gpu-0/board", "GPU-a", "measured", 50, 450, 20, 1, points}

static inline process plain(int pid, double begin_s, double end_s)
{
    return (process){.host = "node",
                     .boot_id = "boot-1",
                     .pid = pid,
                     .begin_s = begin_s,
                     .end_s = end_s,
                     .devices = {CPU(33), GPU(33)},
                     .count = 2,
                     .batches = 4,
                     .batch_j = 40,
                     .g_per_kwh = 360};
}

#endif
