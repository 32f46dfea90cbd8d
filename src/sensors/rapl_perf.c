/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* RAPL energy counters through the kernel's perf events. A device is a group: all events of one unit and CPU, in one
 * read. The kernel makes 64 bits of the hardware's 32, so nothing wraps as long as it is read. */
#include "core/text.h"
#include "core/units.h"
#include "sensors/cpus.h"
#include "sensors/rapl_perf_absence.h"
#include "sensors/rapl_place.h"
#include "sensors/rapl_pmu.h"
#include "sensors/rapl_zones.h"
#include "sensors/sensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The smallest range of the hardware's counter: 2^32 steps of 15.3 µJ. */
#define SMALLEST_RANGE_UJ (UINT64_C(65536) * 1000000)

enum { STILL_NS = 10000000 /* a group that counts goes on within this */ };

/* ---------------------------------------------------------------------------------------------------------- reading */

typedef struct {
    em__device base;
    em__host *host;
    em__perf *group; /* NULL: cannot be read */
    char unit[EM__SOURCE_SIZE / 2];
    em__rapl_place place;
    size_t slots[EM__PERF_MOST]; /* of a readable channel: its value's place in the group */
    uint64_t read_ns, running_ns;
} group_device;

static void close_group(group_device *made)
{
    if (made->group) {
        made->host->ops->perf_close(made->group);
    }
    made->group = NULL;
}

static void group_read(em__device *device, uint64_t wanted, em__reading out[])
{
    group_device *made = (group_device *)device;
    em__perf_counts counts;
    int error = made->group ? made->host->ops->perf_read(made->group, &counts) : -ENODEV;
    uint64_t now_ns = made->host->ops->monotonic_ns(made->host);
    if (error == 0 && counts.running_ns == made->running_ns && now_ns >= made->read_ns + STILL_NS) {
        /* Its package is offline: the values stand still, which is not the same as no energy. */
        close_group(made);
        error = -ENODEV;
    } else if (error == 0 && counts.running_ns != made->running_ns) {
        made->running_ns = counts.running_ns;
        made->read_ns = now_ns;
    }
    for (size_t i = 0; i < device->channel_count; i++) {
        int32_t status = device->channels[i].status;
        if (!(wanted & EM__CHANNEL_BIT(i))) {
            continue; /* It came with the others, but was not asked for. */
        }
        if (status != EM_OK) {
            out[i] = (em__reading){.outcome = EM__READ_GONE, .status = status};
        } else if (error < 0) {
            out[i] = em__reading_failed(error);
        } else {
            out[i] = (em__reading){.value = counts.values[made->slots[i]]};
        }
    }
}

static void group_destroy(em__device *device)
{
    group_device *made = (group_device *)device;
    close_group(made);
    em__host_unref(made->host);
    em__device_free_channels(device);
    free(made);
}

/* 0 or -errno; event number count of the group, which it begins if it is the first. */
static int open_event(group_device *made, const em__rapl_pmu *pmu, const em__rapl_event *event, int32_t cpu)
{
    em__perf_event what = {.type = pmu->type, .cpu = cpu, .config = event->config};
    if (event->error < 0) {
        return EM__RAPL_NO_EVENT;
    }
    return made->group ? made->host->ops->perf_join(made->group, &what)
                       : made->host->ops->perf_open(made->host, &what, &made->group);
}

static const em__rapl_event *event_of(const em__rapl_pmu *pmu, const em__channel *channel)
{
    const char *name = strrchr(channel->source, '/') + 1;
    for (size_t i = 0; i < pmu->event_count; i++) {
        size_t length = strlen(pmu->events[i].name);
        if (strncmp(name, pmu->events[i].name, length) == 0 && name[length] == '@') {
            return &pmu->events[i];
        }
    }
    return NULL;
}

static int reopen(group_device *made, const em__rapl_pmu *pmu, int32_t cpu)
{
    size_t count = 0;
    for (size_t i = 0; i < made->base.channel_count; i++) {
        const em__channel *channel = &made->base.channels[i];
        if (channel->status != EM_OK) {
            continue;
        }
        const em__rapl_event *event = event_of(pmu, channel);
        if (!event || event->scale_num != channel->scale_num || event->scale_den != channel->scale_den ||
            open_event(made, pmu, event, cpu) < 0) {
            close_group(made);
            return -1;
        }
        made->slots[i] = count++;
    }
    made->read_ns = made->host->ops->monotonic_ns(made->host);
    made->running_ns = 0;
    return count > 0 ? 0 : -1;
}

/* Another CPU may speak for the package by now, and a driver that was loaded again has another type. */
static int group_revive(em__device *device)
{
    group_device *made = (group_device *)device;
    em__rapl_pmus pmus;
    int result = -1;
    close_group(made);
    if (em__rapl_pmus_find(made->host, &pmus) == 0) {
        for (size_t i = 0; i < pmus.count && result < 0; i++) {
            const em__rapl_pmu *pmu = &pmus.pmus[i];
            for (size_t j = 0; j < pmu->place_count && strcmp(pmu->path, made->unit) == 0 && result < 0; j++) {
                const em__rapl_place *place = &pmu->places[j];
                if (place->package == made->place.package && place->die == made->place.die) {
                    result = reopen(made, pmu, place->cpu);
                }
            }
        }
    }
    em__rapl_pmus_free(&pmus);
    return result;
}

static const em__device_ops group_ops = {.read = group_read, .destroy = group_destroy, .revive = group_revive};

/* ------------------------------------------------------------------------------------------------------- describing */

typedef struct {
    em__host *host;
    em__cpuinfo cpus;
    em__rapl_pmus pmus;
    em__rapl_zones zones; /* of powercap, which knows limits and ranges */
    uint32_t measure;
    size_t readable, left_out, unknown; /* events; packages and units that nobody can tell the meaning of */
    int error;                          /* of the first event that could not be opened */
} survey;

/* The powercap zone of the same silicon; NULL: none that is named. */
static const em__rapl_zone *zone_of(const survey *s, const em__zone_name *name)
{
    for (size_t i = 0; i < s->zones.count; i++) {
        const em__rapl_zone *zone = &s->zones.zones[i];
        if (zone->place.depth == 0 || zone->error != 0 || zone->name.kind != name->kind ||
            strcmp(zone->place.control_type, "intel-rapl") != 0) {
            continue;
        }
        const em__zone_name *home = zone->name.number >= 0 || name->kind == EM__ZONE_PSYS
                                        ? &zone->name
                                        : em__rapl_zones_parent(&s->zones, zone);
        if (home && home->number == name->number && home->die == name->die) {
            return zone;
        }
    }
    return NULL;
}

static uint64_t range_uj(const survey *s, const em__rapl_zone *zone)
{
    char path[EM__SOURCE_SIZE + 32];
    uint64_t range = 0;
    if (zone) {
        em__print(path, sizeof path, "%s/max_energy_range_uj", zone->path);
        if (em__host_u64(s->host, path, &range) < 0) {
            range = 0;
        }
    }
    return range > 0 ? range : SMALLEST_RANGE_UJ;
}

static int has_graphics(const em__rapl_pmu *pmu)
{
    for (size_t i = 0; i < pmu->event_count; i++) {
        if (pmu->events[i].kind == EM__ZONE_UNCORE) {
            return 1;
        }
    }
    return 0;
}

static em__zone_name name_of(const em__rapl_event *event, const em__rapl_place *place)
{
    em__zone_name name = {event->kind, place->package, place->die};
    if (event->kind == EM__ZONE_PACKAGE && place->die >= 0) {
        name.kind = EM__ZONE_DIE;
    } else if (event->kind == EM__ZONE_PSYS) {
        name.number = place->package > 0 ? place->package : -1; /* as powercap names them */
        name.die = -1;
    }
    return name;
}

static void describe(const survey *s, const em__rapl_pmu *pmu, const em__rapl_event *event, const em__rapl_place *place,
                     em__channel *channel)
{
    em__zone_name name = name_of(event, place);
    const em__rapl_zone *zone = zone_of(s, &name);
    em__rapl_describe(&name, &s->cpus, channel);
    em__print(channel->source, sizeof channel->source, "%s/events/%s@cpu%d", pmu->path, event->name, place->cpu);
    em__copy(channel->device_name, sizeof channel->device_name, s->cpus.model);
    channel->kind = EM_KIND_COUNTER;
    channel->refresh_ns = EM__RAPL_REFRESH_NS;
    channel->ceiling_mw = em__rapl_ceiling_mw(s->host, event->kind, zone);
    channel->gain = em__rapl_gain(event->kind, has_graphics(pmu), &s->cpus);
    channel->is_endless = 1;
    if (event->is_one_core) {
        em__copy(channel->reason, sizeof channel->reason, "counts one core of the package, not all of them");
    }
    if (event->error == 0) {
        channel->scale_num = event->scale_num;
        channel->scale_den = event->scale_den;
        channel->range = em__scale(range_uj(s, zone), event->scale_den, event->scale_num);
        channel->unit = (channel->range + UINT32_MAX / 2) / UINT32_MAX; /* The hardware counts 2^32 of them. */
    }
}

/* ---------------------------------------------------------------------------------------------------------- probing */

static int add_group(survey *s, const em__rapl_pmu *pmu, const em__rapl_place *place, em__probe *found)
{
    group_device *made = calloc(1, sizeof *made);
    if (!made || em__device_init(&made->base, &group_ops, &em__sensor_rapl_perf, pmu->event_count) != EM_OK) {
        free(made);
        return EM_ERR_NO_MEMORY;
    }
    made->host = em__host_ref(s->host);
    made->place = *place;
    em__copy(made->unit, sizeof made->unit, pmu->path);
    size_t count = 0, readable = 0;
    for (size_t i = 0; i < pmu->event_count; i++) {
        em__channel *channel = &made->base.channels[count], blank = *channel;
        describe(s, pmu, &pmu->events[i], place, channel);
        if (!(s->measure & 1u << channel->domain)) {
            *channel = blank;
            s->left_out++;
            continue;
        }
        int error = open_event(made, pmu, &pmu->events[i], place->cpu);
        if (error < 0) {
            em__rapl_explain_event(s->host, error, channel);
            s->error = s->error ? s->error : error;
        } else {
            made->slots[count] = readable++;
        }
        count++;
    }
    made->base.channel_count = count;
    made->read_ns = s->host->ops->monotonic_ns(s->host);
    s->readable += readable;
    if (count == 0) {
        group_destroy(&made->base);
        return EM_OK;
    }
    return em__probe_add(found, &made->base);
}

static int add_unit(survey *s, const em__rapl_pmu *pmu, em__probe *found)
{
    int status = EM_OK;
    for (size_t i = 0; i < pmu->place_count && status == EM_OK; i++) {
        if (pmu->places[i].die >= 0 && !s->cpus.vendor[0]) {
            s->error = EM__RAPL_NO_VENDOR; /* Nobody knows whether its dies are one counter. */
            s->unknown++;
            continue;
        }
        status = add_group(s, pmu, &pmu->places[i], found);
    }
    if (pmu->error < 0) {
        s->error = EM__RAPL_NO_EVENT;
        s->unknown++;
    }
    return status;
}

/* Where one event can be read, those that cannot are listed beside it: totals without them may lack something. Where
 * none can, the absence alone tells it, and the names stay with powercap. */
static int hand_over(em__probe *found, const survey *s, em__probe *probe)
{
    int status = EM_OK;
    if (s->readable == 0 || s->unknown > 0) {
        status = em__rapl_explain_events(probe, s->host, s->error, s->left_out);
    }
    for (size_t i = 0; i < found->device_count && s->readable > 0 && status == EM_OK; i++) {
        em__device *device = found->devices[i];
        found->devices[i] = NULL;
        status = em__probe_add(probe, device);
    }
    return status;
}

static int look(survey *s, em__probe *probe)
{
    em__probe found = {0};
    int status = EM_OK;
    if (em__rapl_pmus_find(s->host, &s->pmus) < 0 || em__cpus_read(s->host, &s->cpus) == -ENOMEM) {
        return EM_ERR_NO_MEMORY;
    }
    if (s->pmus.count == 0 || !s->host->ops->perf_open) {
        return em__rapl_explain_units(probe, s->host, &s->pmus, &s->cpus);
    }
    if (em__rapl_zones_find(s->host, &s->zones) < 0) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < s->pmus.count && status == EM_OK; i++) {
        status = add_unit(s, &s->pmus.pmus[i], &found);
    }
    status = status ? status : hand_over(&found, s, probe);
    em__sensors_free(&found);
    return status;
}

static int perf_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    survey s = {.host = host, .measure = selection->measure};
    int status = look(&s, probe);
    em__rapl_pmus_free(&s.pmus);
    em__rapl_zones_free(&s.zones);
    return status;
}

const em__sensor em__sensor_rapl_perf = {"rapl-perf", 10, perf_probe};
