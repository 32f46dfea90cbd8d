/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Perf events of the rig's machine: sources, counted as the kernel counts from when an event is opened. */
#include "core/units.h"
#include "rig/fake_host_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct rig_perf {
    em__perf base;
    size_t count;
    rig_moving *events[EM__PERF_MOST];
    uint64_t opened_ns[EM__PERF_MOST];
};

static rig_host *rig_of(em__host *host)
{
    return (rig_host *)host;
}

static int join_event(struct rig_perf *group, const em__perf_event *event)
{
    rig_host *rig = rig_of(group->base.host);
    uint64_t now_ns = rig_host_now(rig);
    for (size_t i = 0; i < rig->zone_count; i++) {
        rig_moving *zone = &rig->zones[i];
        if (!zone->is_event || zone->event.type != event->type || zone->event.config != event->config ||
            zone->event.cpu != event->cpu) {
            continue;
        }
        const rig_fault *fault = rig_source_failure(&zone->source, now_ns, now_ns);
        if (fault || group->count == EM__PERF_MOST) {
            return fault ? rig_inside_error(fault) : -E2BIG;
        }
        group->opened_ns[group->count] = now_ns;
        group->events[group->count++] = zone;
        return 0;
    }
    return -ENOENT;
}

int rig_perf_open(em__host *host, const em__perf_event *event, em__perf **ret_group)
{
    struct rig_perf *group = calloc(1, sizeof *group);
    must(group != NULL);
    group->base.host = host;
    int error = rig_of(host)->perf_error ? rig_of(host)->perf_error : join_event(group, event);
    if (error < 0) {
        free(group);
        return error;
    }
    *ret_group = &group->base;
    return 0;
}

int rig_perf_join(em__perf *group, const em__perf_event *event)
{
    return join_event((struct rig_perf *)group, event);
}

/* From µJ to what the kernel counts: 2^32 / 10^6 = 2^26 / 15625. */
static uint64_t count_of(const rig_moving *zone, uint64_t uj)
{
    return zone->counts_64 ? (uint64_t)(((em__u128)uj << 26) / 15625) : uj;
}

int rig_perf_read(em__perf *base, em__perf_counts *ret_counts)
{
    struct rig_perf *group = (struct rig_perf *)base;
    rig_host *rig = rig_of(base->host);
    uint64_t now_ns = rig_host_now(rig);
    em__perf_counts counts = {.running_ns = now_ns - group->opened_ns[0]};
    for (size_t i = 0; i < group->count; i++) {
        rig_moving *zone = group->events[i];
        const rig_fault *fault = rig_source_failure(&zone->source, group->opened_ns[i], now_ns);
        if (fault) {
            return rig_inside_error(fault);
        }
        rig_inside_pay(rig, zone);
        counts.values[i] = count_of(zone, rig_source_counter(&zone->source, now_ns)) -
                           count_of(zone, rig_source_counter(&zone->source, group->opened_ns[i]));
    }
    *ret_counts = counts;
    return 0;
}

void rig_perf_close(em__perf *group)
{
    free(group);
}

static void put_unit(rig_host *rig, const rig_event *event, const char *file, const char *content)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/sys/bus/event_source/devices/%s/%s", event->unit, file);
    rig_host_put(rig, path, content);
}

static void put_topology(rig_host *rig, int cpu, const char *file, int number)
{
    char path[PATH_BYTES], text[32];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, file);
    snprintf(text, sizeof text, "%d\n", number);
    rig_host_put(rig, path, text);
}

/* The CPUs of the unit's events, each once. */
static void put_cpumask(rig_host *rig, const rig_event *event)
{
    char mask[PATH_BYTES] = "";
    for (size_t i = 0; i < rig->zone_count; i++) {
        int is_new = rig->zones[i].is_event && rig->zones[i].event.type == event->type;
        for (size_t j = 0; j < i && is_new; j++) {
            is_new = !rig->zones[j].is_event || rig->zones[j].event.type != event->type ||
                     rig->zones[j].event.cpu != rig->zones[i].event.cpu;
        }
        if (is_new) {
            size_t length = strlen(mask);
            snprintf(mask + length, sizeof mask - length, "%s%d", length ? "," : "", rig->zones[i].event.cpu);
        }
    }
    put_unit(rig, event, "cpumask", mask);
}

size_t rig_host_put_event(rig_host *rig, const rig_event *event)
{
    char file[64], text[64];
    must(rig->zone_count < MOST_ZONES);
    rig_moving *zone = &rig->zones[rig->zone_count++];
    *zone = (rig_moving){.source = event->source,
                         .is_event = 1,
                         .event = {event->type, event->cpu, event->config},
                         .counts_64 = event->scale == NULL};
    snprintf(text, sizeof text, "%u\n", event->type);
    put_unit(rig, event, "type", text);
    put_cpumask(rig, event);
    snprintf(file, sizeof file, "events/%s", event->event);
    snprintf(text, sizeof text, "event=0x%02llx\n", (unsigned long long)event->config);
    put_unit(rig, event, file, text);
    snprintf(file, sizeof file, "events/%s.unit", event->event);
    put_unit(rig, event, file, "Joules\n");
    snprintf(file, sizeof file, "events/%s.scale", event->event);
    put_unit(rig, event, file, event->scale ? event->scale : "2.3283064365386962890625e-10\n");
    put_topology(rig, event->cpu, "physical_package_id", event->package);
    if (event->die >= 0) {
        put_topology(rig, event->cpu, "die_id", event->die);
    }
    rig_inside_offer_events(rig);
    return (size_t)(zone - rig->zones);
}

void rig_host_refuse_events(rig_host *rig, int error)
{
    rig->perf_error = error;
}
