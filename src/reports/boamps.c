/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A draft of a BoAmps report (github.com/Boavizta/BoAmps, model/report_schema.json, 1.1.0): what a meter knows of it. */
#include "core/units.h"
#include "reports/hardware.h"
#include "reports/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN "not given"

static void indent(em__text *json, size_t depth)
{
    em__text_add(json, "\n");
    for (size_t i = 0; i < depth; i++) {
        em__text_add(json, "  ");
    }
}

/* A new line, and the name of the next member. */
static void key(em__text *json, size_t depth, const char *name)
{
    em__reports_comma(json);
    indent(json, depth);
    em__text_json(json, name);
    em__text_add(json, ": ");
}

static void add_text(em__text *json, size_t depth, const char *name, const char *value)
{
    key(json, depth, name);
    em__text_json(json, value);
}

static void add_real(em__text *json, size_t depth, const char *name, double value)
{
    key(json, depth, name);
    em__reports_real(json, value);
}

static void open_part(em__text *json, size_t depth, const char *name, const char *bracket)
{
    key(json, depth, name);
    em__text_add(json, bracket);
}

static void close(em__text *json, size_t depth, const char *bracket)
{
    indent(json, depth);
    em__text_add(json, bracket);
}

/* "2024-02-28 23:59:59", in UTC. */
static void add_time(em__text *json, size_t depth, const char *name, uint64_t wall_ns)
{
    em__text time = {0};
    em__reports_time(&time, wall_ns);
    char *words = em__text_finish(&time, NULL);
    json->failed |= !words;
    key(json, depth, name);
    em__text_format(json, "\"%.10s %.8s\"", words ? words : "", words && strlen(words) > 11 ? words + 11 : "");
    free(words);
}

static void add_sensors(em__text *json, const char *name, const em__view *view, int32_t domain)
{
    char words[256];
    em__hardware_sensors(view, domain, words, sizeof words);
    if (words[0]) {
        add_text(json, 3, name, words);
    }
}

static void write_header(em__text *json, const em__summary_facts *facts)
{
    uint64_t lasted_ns = facts->end_ns > facts->begin_ns ? facts->end_ns - facts->begin_ns : 0;
    open_part(json, 1, "header", "{");
    add_text(json, 2, "formatVersion", "1.1.0");
    add_text(json, 2, "formatVersionSpecificationUri", "https://github.com/Boavizta/BoAmps/tree/main/model");
    add_time(json, 2, "reportDatetime", facts->begin_wall_ns + lasted_ns);
    add_text(json, 2, "reportStatus", "draft");
    close(json, 1, "}");
}

/* The schema wants a task, an algorithm and a dataset of every report. */
static void write_task(em__text *json, const em__view *view)
{
    open_part(json, 1, "task", "{");
    add_text(json, 2, "taskStage", UNKNOWN);
    add_text(json, 2, "taskFamily", UNKNOWN);
    open_part(json, 2, "algorithms", "[");
    indent(json, 3);
    em__text_add(json, "{");
    if (view->epochs.count > 0) {
        key(json, 4, "epochsNumber");
        em__text_format(json, "%llu", (unsigned long long)view->epochs.count);
        close(json, 3, "}");
    } else {
        em__text_add(json, "}");
    }
    close(json, 2, "]");
    open_part(json, 2, "dataset", "[");
    indent(json, 3);
    em__text_add(json, "{");
    add_text(json, 4, "dataUsage", "input");
    add_text(json, 4, "dataType", "other");
    if (view->run.per_item.windows > 0) {
        key(json, 4, "dataQuantity");
        em__text_format(json, "%llu", (unsigned long long)view->run.items);
    }
    close(json, 3, "}");
    close(json, 2, "]");
    close(json, 1, "}");
}

static void write_measures(em__text *json, const em__view *view)
{
    open_part(json, 1, "measures", "[");
    indent(json, 2);
    em__text_add(json, "{");
    add_text(json, 3, "measurementMethod", "energy-meter");
    add_text(json, 3, "version", em_version());
    add_sensors(json, "cpuTrackingMode", view, EM_DOMAIN_CPU);
    add_sensors(json, "gpuTrackingMode", view, EM_DOMAIN_GPU);
    add_real(json, 3, "powerConsumption", em__view_energy(view->run.total.energy_j) / EM__J_PER_KWH);
    add_real(json, 3, "measurementDuration", em__view_seconds(view->run.duration_ns));
    add_time(json, 3, "measurementDateTime", view->facts->begin_wall_ns);
    close(json, 2, "}");
    close(json, 1, "]");
}

static void write_component(em__text *json, const char *type, const char *name, size_t count)
{
    em__reports_comma(json);
    indent(json, 3);
    em__text_add(json, "{");
    if (name[0]) {
        em__text plain = {0};
        em__reports_plain(&plain, name);
        char *words = em__text_finish(&plain, NULL);
        json->failed |= !words;
        add_text(json, 4, "componentName", words ? words : "");
        free(words);
    }
    add_text(json, 4, "componentType", type);
    key(json, 4, "nbComponent");
    em__text_format(json, "%zu", count);
    close(json, 3, "}");
}

static void write_infrastructure(em__text *json, const em__hardware *hardware, const em__whereabouts *place)
{
    static const char *const types[] = {"cpu", "gpu", "ram", "platform", "other"};
    open_part(json, 1, "infrastructure", "{");
    add_text(json, 2, "infraType", place->provider ? "publicCloud" : "other");
    if (place->provider) {
        add_text(json, 2, "cloudProvider", place->provider);
    }
    open_part(json, 2, "components", "[");
    for (size_t i = 0; i < hardware->count; i++) {
        write_component(json, types[hardware->all[i].domain], hardware->all[i].name, hardware->all[i].count);
    }
    if (hardware->count == 0) {
        write_component(json, UNKNOWN, "", 1);
    }
    close(json, 2, "]");
    close(json, 1, "}");
}

/* Country is what the schema wants of it, so that without one there is no environment. */
static void write_environment(em__text *json, const em_carbon *carbon, const em__whereabouts *place)
{
    if (!place->country[0]) {
        return;
    }
    open_part(json, 1, "environment", "{");
    add_text(json, 2, "country", place->country);
    if (place->place[0] || place->provider) {
        add_text(json, 2, "location", place->provider ? carbon->location : place->place);
    }
    if (isfinite(carbon->g_per_kwh)) {
        add_real(json, 2, "powerSourceCarbonIntensity", carbon->g_per_kwh);
    }
    close(json, 1, "}");
}

/* The schema's words for errors of 10, 25 and 50 %. */
static const char *quality(const em__view *view)
{
    const em_energy *total = &view->run.total;
    double share = total->energy_j > 0 ? total->uncertainty_j / total->energy_j : NAN;
    return !view->facts->run_is_complete || !(share <= 0.25) ? "low" : share <= 0.1 ? "high" : "medium";
}

void em__summary_boamps(em__text *text, const em__view *view)
{
    em__hardware hardware;
    em__whereabouts place;
    if (em__hardware_list(view, &hardware) != EM_OK) {
        text->failed = 1;
        return;
    }
    em__hardware_place(&view->facts->carbon, &place);
    em__text_add(text, "{");
    write_header(text, view->facts);
    write_task(text, view);
    write_measures(text, view);
    open_part(text, 1, "system", "{");
    add_text(text, 2, "os", "linux");
    close(text, 1, "}");
    write_infrastructure(text, &hardware, &place);
    write_environment(text, &view->facts->carbon, &place);
    add_text(text, 1, "quality", quality(view));
    em__text_add(text, "\n}\n");
    em__hardware_free(&hardware);
}
