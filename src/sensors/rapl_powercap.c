/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* RAPL energy counters of Intel and AMD CPUs through the kernel's powercap tree. A zone is a device: one read of a kept
 * descriptor. Only a zone's name file tells what it is; the numbers of directories follow the order of CPUs. */
#include "core/text.h"
#include "sensors/cpus.h"
#include "sensors/rapl_absence.h"
#include "sensors/rapl_place.h"
#include "sensors/rapl_zones.h"
#include "sensors/sensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 64 };
enum { UNNAMED_PACKAGE = 4096 /* plus the zone's number: a place that no real package has */ };

/* ---------------------------------------------------------------------------------------------------------- reading */

typedef struct {
    em__device base;
    em__host *host;
    em__file *energy;  /* NULL: cannot be read */
    uint64_t first_uj; /* when it was probed */
} zone_device;

/* 0 or -errno; -EILSEQ: what it says is no number. */
static int read_energy(em__file *file, uint64_t *ret_uj)
{
    char text[NUMBER_BYTES];
    int length = file->host->ops->read(file, text, sizeof text);
    if (length < 0) {
        return length;
    }
    if (length == NUMBER_BYTES || em__parse_u64(text, (size_t)length, ret_uj) < 0) {
        return -EILSEQ;
    }
    return 0;
}

static int open_energy(zone_device *zone, uint64_t *ret_uj)
{
    char path[EM__SOURCE_SIZE + 16];
    em__print(path, sizeof path, "%s/energy_uj", zone->base.channels[0].source);
    em__file *file;
    int error = zone->host->ops->open(zone->host, path, &file);
    if (error < 0) {
        return error;
    }
    error = read_energy(file, ret_uj);
    if (error < 0) {
        zone->host->ops->close(file);
        return error;
    }
    zone->energy = file;
    return 0;
}

static void close_energy(zone_device *zone)
{
    if (zone->energy) {
        zone->host->ops->close(zone->energy);
    }
    zone->energy = NULL;
}

static void zone_read(em__device *device, uint64_t wanted, em__reading out[])
{
    (void)wanted;
    zone_device *zone = (zone_device *)device;
    const em__channel *channel = &device->channels[0];
    if (!zone->energy) {
        int status = channel->status == EM_OK ? EM_ERR_GONE : channel->status;
        out[0] = (em__reading){.outcome = EM__READ_GONE, .status = status};
        return;
    }
    uint64_t uj;
    int error = read_energy(zone->energy, &uj);
    if (error == 0 && channel->range != 0 && uj > channel->range) {
        error = -EILSEQ;
    }
    out[0] = error < 0 ? em__reading_failed(error) : (em__reading){.value = uj};
}

static void zone_destroy(em__device *device)
{
    zone_device *zone = (zone_device *)device;
    close_energy(zone);
    em__host_unref(zone->host);
    em__device_free_channels(device);
    free(zone);
}

/* A channel that could not be read at the start keeps that status for good: its facts are constant. */
static int zone_revive(em__device *device)
{
    zone_device *zone = (zone_device *)device;
    uint64_t uj;
    if (device->channels[0].status != EM_OK) {
        return -1;
    }
    close_energy(zone);
    return open_energy(zone, &uj) < 0 ? -1 : 0;
}

static const em__device_ops zone_ops = {.read = zone_read, .destroy = zone_destroy, .revive = zone_revive};

/* ------------------------------------------------------------------------------------------------------- describing */

/* 0: the zone lies in no package that can be named. */
static int describe_place(const em__rapl_zones *look, const em__rapl_zone *zone, const em__cpuinfo *cpus,
                          em__channel *channel)
{
    const em__zone_name *own = &zone->name;
    int is_home = own->number >= 0 || own->kind == EM__ZONE_PSYS;
    const em__zone_name *home = is_home ? own : em__rapl_zones_parent(look, zone);
    if (home) {
        em__rapl_describe(&(em__zone_name){own->kind, home->number, home->die}, cpus, channel);
    }
    return home != NULL;
}

/* The energy of a zone whose place is known already. */
static void describe_energy(const em__rapl_zones *look, const em__rapl_zone *zone, const em__cpuinfo *cpus,
                            zone_device *made)
{
    em__channel *channel = &made->base.channels[0];
    em__copy(channel->source, sizeof channel->source, zone->path);
    em__copy(channel->device_name, sizeof channel->device_name, cpus->model);
    channel->kind = EM_KIND_COUNTER;
    channel->refresh_ns = EM__RAPL_REFRESH_NS;
    channel->ceiling_mw = em__rapl_ceiling_mw(look->host, zone->name.kind, zone);
    channel->gain = em__rapl_gain(zone->name.kind, em__rapl_zones_has_uncore(look, zone), cpus);
    if (zone->name.kind == EM__ZONE_CORE && em__rapl_is_amd(cpus)) {
        em__copy(channel->reason, sizeof channel->reason, "on AMD this zone counts one core, not all of them");
    }

    char path[EM__SOURCE_SIZE + 32];
    em__print(path, sizeof path, "%s/max_energy_range_uj", zone->path);
    if (em__host_u64(look->host, path, &channel->range) < 0) {
        channel->range = 0;
    }
    uint64_t uj;
    int error = open_energy(made, &uj);
    if (error < 0) {
        em__rapl_explain_energy(error, channel);
    } else {
        made->first_uj = uj;
        channel->range = uj > channel->range ? 0 : channel->range;
    }
    channel->unit = (channel->range + UINT32_MAX / 2) / UINT32_MAX; /* The kernel: range = (2^32 - 1) units. */
}

/* A zone whose name cannot be had: most likely a package, or a package's memory, of which nobody knows which. */
static void describe_unnamed(const em__rapl_zone *zone, const em__cpuinfo *cpus, em__channel *channel)
{
    em__print(channel->name, sizeof channel->name, "cpu/%s", strrchr(zone->path, '/') + 1);
    em__copy(channel->source, sizeof channel->source, zone->path);
    em__copy(channel->device_name, sizeof channel->device_name, cpus->model);
    int is_subzone = zone->place.depth == 2;
    uint32_t number = is_subzone ? 256 + 16 * zone->place.zone[0] + zone->place.zone[1] : zone->place.zone[0];
    channel->domain = is_subzone ? EM_DOMAIN_DRAM : EM_DOMAIN_CPU;
    channel->kind = EM_KIND_COUNTER;
    channel->covers = is_subzone ? EM__COVERS_DRAM : EM__COVERS_PACKAGE;
    channel->package = (int32_t)(UNNAMED_PACKAGE + number % UNNAMED_PACKAGE);
    channel->gain = 0.05;
    em__rapl_explain_name(zone, channel);
}

static zone_device *make_zone(em__host *host, const em__rapl_zone *zone)
{
    zone_device *made = calloc(1, sizeof *made);
    if (!made || em__device_init(&made->base, &zone_ops, &em__sensor_rapl_powercap, 1) != EM_OK) {
        free(made);
        return NULL;
    }
    made->host = em__host_ref(host);
    if (strcmp(zone->place.control_type, "intel-rapl") != 0) {
        made->base.rank++;
    }
    return made;
}

/* ---------------------------------------------------------------------------------------------------------- probing */

static int add_zone(em__probe *probe, const em__rapl_zones *look, const em__rapl_zone *zone, const em__cpuinfo *cpus,
                    uint32_t measure, em__rapl_tally *zones)
{
    zone_device *made = make_zone(look->host, zone);
    if (!made) {
        return EM_ERR_NO_MEMORY;
    }
    em__channel *channel = &made->base.channels[0];
    int is_placed = describe_place(look, zone, cpus, channel);
    zones->placed += is_placed != 0;
    if (!is_placed || !(measure & 1u << channel->domain)) {
        zones->broken += !is_placed;
        zones->left_out += is_placed != 0;
        zone_destroy(&made->base);
        return EM_OK;
    }
    describe_energy(look, zone, cpus, made);
    zones->readable += channel->status == EM_OK;
    zones->denied += channel->status == EM_ERR_PERMISSION;
    zones->broken += channel->status == EM_ERR_BROKEN || channel->status == EM_ERR_NOT_SUPPORTED;
    return em__probe_add(probe, &made->base);
}

static int has_named_parent(const em__rapl_zones *look, const em__rapl_zone *zone)
{
    for (size_t i = 0; i < look->count; i++) {
        const em__rapl_zone *other = &look->zones[i];
        if (other->place.depth == 1 && other->place.zone[0] == zone->place.zone[0] && other->error == 0 &&
            strcmp(other->place.control_type, zone->place.control_type) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Beside zones that have a place, one whose name cannot be had is missing from the total and must say so. Where no zone
 * has one, the absence alone tells it. */
static int add_unnamed(em__probe *probe, const em__rapl_zones *look, const em__cpuinfo *cpus)
{
    int status = EM_OK;
    for (size_t i = 0; i < look->count && status == EM_OK; i++) {
        const em__rapl_zone *zone = &look->zones[i];
        int is_lost = zone->place.depth == 1 || (zone->place.depth == 2 && has_named_parent(look, zone));
        if (!is_lost || zone->error == 0 || strcmp(zone->place.control_type, "intel-rapl") != 0) {
            continue;
        }
        zone_device *made = make_zone(look->host, zone);
        if (!made) {
            return EM_ERR_NO_MEMORY;
        }
        describe_unnamed(zone, cpus, &made->base.channels[0]);
        status = em__probe_add(probe, &made->base);
    }
    return status;
}

static int is_die(const em__device *device, int32_t package)
{
    return device->ops == &zone_ops && device->channels[0].covers == EM__COVERS_DIE &&
           device->channels[0].package == package;
}

/* Within 0.1 % plus 1 J, be it across a wrap. */
static int is_same_counter(const zone_device *a, const zone_device *b)
{
    uint64_t range = a->base.channels[0].range, low = a->first_uj, high = b->first_uj;
    if (low > high) {
        low = b->first_uj;
        high = a->first_uj;
    }
    uint64_t apart = high - low, slack = high / 1000 + 1000000;
    return range == b->base.channels[0].range && (apart <= slack || (range > 0 && range - apart <= slack));
}

/* Dies of a CPU of unknown vendor are one counter if those that can be read, two or more, all agree. */
static void find_aliases(em__probe *probe, int32_t package)
{
    const zone_device *first = NULL;
    size_t same = 0;
    for (size_t i = 0; i < probe->device_count; i++) {
        const zone_device *zone = (const zone_device *)probe->devices[i];
        if (!is_die(&zone->base, package) || !zone->energy || zone->base.rank != em__sensor_rapl_powercap.rank) {
            continue;
        }
        first = first ? first : zone;
        if (!is_same_counter(first, zone)) {
            return;
        }
        same++;
    }
    for (size_t i = 0; i < probe->device_count && same > 1; i++) {
        if (is_die(probe->devices[i], package)) {
            probe->devices[i]->channels[0].covers = EM__COVERS_DIE_ALIAS;
        }
    }
}

static int add_zones(em__probe *probe, const em__rapl_zones *look, uint32_t measure, em__rapl_tally *zones)
{
    em__cpuinfo cpus;
    int status = em__cpus_read(look->host, &cpus) == -ENOMEM ? EM_ERR_NO_MEMORY : EM_OK;
    for (size_t i = 0; i < look->count && status == EM_OK; i++) {
        const em__rapl_zone *zone = &look->zones[i];
        if (zone->place.depth == 0) {
            continue;
        }
        if (zone->error == 0) {
            status = add_zone(probe, look, zone, &cpus, measure, zones);
        } else if (zone->error == -ENOENT) {
            zones->masked++;
        } else if (zone->error == -EACCES || zone->error == -EPERM) {
            zones->denied++;
        } else {
            zones->broken++;
        }
    }
    for (size_t i = 0; i < look->count && status == EM_OK && !cpus.vendor[0]; i++) {
        if (look->zones[i].error == 0 && look->zones[i].name.kind == EM__ZONE_DIE) {
            find_aliases(probe, look->zones[i].name.number);
        }
    }
    if (status == EM_OK && zones->placed > 0 && measure & 1u << EM_DOMAIN_CPU) {
        status = add_unnamed(probe, look, &cpus);
    }
    return status;
}

static int rapl_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    em__rapl_zones look;
    em__rapl_tally zones = {0};
    int status = em__rapl_zones_find(host, &look) < 0 ? EM_ERR_NO_MEMORY : EM_OK;
    if (status == EM_OK && look.count == look.control_types) {
        status = em__rapl_explain_nothing(probe, &look);
    } else if (status == EM_OK) {
        status = add_zones(probe, &look, selection->measure, &zones);
        if (status == EM_OK) {
            status = em__rapl_explain_zones(probe, &zones);
        }
    }
    em__rapl_zones_free(&look);
    return status;
}

const em__sensor em__sensor_rapl_powercap = {"rapl-powercap", 20, rapl_probe};
