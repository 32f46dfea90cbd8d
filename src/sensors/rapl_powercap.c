/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* RAPL energy counters of Intel and AMD CPUs through the kernel's powercap tree. A zone is a device: one read of a kept
 * descriptor. Only a zone's name file tells what it is; the numbers of directories follow the order of CPUs. */
#include "core/text.h"
#include "sensors/cpus.h"
#include "sensors/rapl_zones.h"
#include "sensors/sensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CONSTRAINTS = 8, NUMBER_BYTES = 64 };
enum { UNNAMED_PACKAGE = 4096 /* plus the zone's number: a place that no real package has */ };
enum { MW_PER_W = 1000, UW_PER_MW = 1000, REFRESH_NS = 1000000 };

static const char permission_hint[] =
    "sudo chmod a+r /sys/class/powercap/intel-rapl*/energy_uj (until the next boot; fine readings can leak what other "
    "users compute). To keep it, a file in /etc/udev/rules.d: SUBSYSTEM==\"powercap\", ACTION==\"add\", "
    "RUN+=\"/bin/chmod a+r /sys%p/energy_uj\"";
static const char masked_hint[] =
    "start the container with --security-opt systempaths=unconfined (Docker), --security-opt "
    "unmask=/sys/devices/virtual/powercap (Podman) or procMount: Unmasked (Kubernetes); the counters are those of the "
    "whole host";
static const char broken_hint[] =
    "measure on the host where this is a virtual machine; else look for rapl in dmesg and update firmware and kernel";
static const char no_zones_hint[] =
    "the CPU or its hypervisor offers no energy counters to the kernel: look for rapl in dmesg; in a virtual machine "
    "measure on the host";

_Static_assert(sizeof permission_hint <= EM__TEXT_SIZE && sizeof masked_hint <= EM__TEXT_SIZE &&
                   sizeof no_zones_hint <= EM__TEXT_SIZE && sizeof masked_hint + 64 <= EM__TEXT_SIZE &&
                   sizeof broken_hint + 64 <= EM__TEXT_SIZE,
               "no hint may be cut");

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

static void zone_read(em__device *device, em__reading out[])
{
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

static int is_amd(const em__cpuinfo *cpus)
{
    return strcmp(cpus->vendor, "AuthenticAMD") == 0 || strcmp(cpus->vendor, "HygonGenuine") == 0;
}

/* 10 % on servers, 22 % on client CPUs: those have an uncore zone (graphics), or a name that is not a Xeon's. */
static double dram_gain(const em__rapl_zones *look, const em__rapl_zone *zone, const em__cpuinfo *cpus)
{
    int is_client = em__rapl_zones_has_uncore(look, zone) || (cpus->model[0] && !strstr(cpus->model, "Xeon"));
    return is_client ? 0.22 : 0.10;
}

/* Twice the largest limit, since real loads exceed limits for short, and real limits are junk at times. */
static uint64_t highest_mw(em__host *host, const em__rapl_zone *zone)
{
    uint64_t largest_uw = 0;
    for (int i = 0; i < MOST_CONSTRAINTS; i++) {
        char path[EM__SOURCE_SIZE + 40];
        uint64_t limit_uw;
        em__print(path, sizeof path, "%s/constraint_%d_power_limit_uw", zone->path, i);
        int error = em__host_u64(host, path, &limit_uw);
        if (error == -ENOENT) {
            break;
        }
        if (error == 0 && limit_uw > largest_uw) {
            largest_uw = limit_uw;
        }
    }
    int is_dram = zone->name.kind == EM__ZONE_DRAM;
    uint64_t lowest = (is_dram ? 200 : 250) * MW_PER_W, unknown = (is_dram ? 200 : 1000) * MW_PER_W;
    uint64_t highest = 2000 * MW_PER_W, limit = largest_uw > 0 ? largest_uw / UW_PER_MW : unknown;
    limit = limit < lowest ? lowest : limit;
    return 2 * (limit > highest ? highest : limit);
}

/* Name, place and what it covers. 0: the zone lies in no package that can be named. */
static int describe_place(const em__rapl_zones *look, const em__rapl_zone *zone, const em__cpuinfo *cpus,
                          em__channel *channel)
{
    static const struct {
        const char *word;
        em__covers covers;
        int32_t domain;
    } kinds[] = {
        [EM__ZONE_PACKAGE] = {"package", EM__COVERS_PACKAGE, EM_DOMAIN_CPU},
        [EM__ZONE_DIE] = {"die", EM__COVERS_DIE, EM_DOMAIN_CPU},
        [EM__ZONE_CORE] = {"core", EM__COVERS_CORE, EM_DOMAIN_CPU},
        [EM__ZONE_UNCORE] = {"uncore", EM__COVERS_UNCORE, EM_DOMAIN_CPU},
        [EM__ZONE_DRAM] = {"dram", EM__COVERS_DRAM, EM_DOMAIN_DRAM},
        [EM__ZONE_PSYS] = {"psys", EM__COVERS_PLATFORM, EM_DOMAIN_PLATFORM},
    };
    const em__zone_name *own = &zone->name;
    const char *word = kinds[own->kind].word;
    channel->covers = kinds[own->kind].covers;
    channel->domain = kinds[own->kind].domain;
    if (own->kind == EM__ZONE_PSYS) {
        channel->package = own->number;
        if (own->number < 0) {
            em__copy(channel->name, sizeof channel->name, "platform/psys");
        } else {
            em__print(channel->name, sizeof channel->name, "platform/psys-%d", own->number);
        }
        return 1;
    }
    const em__zone_name *home = own->number >= 0 ? own : em__rapl_zones_parent(look, zone);
    if (!home) {
        return 0;
    }
    channel->package = home->number;
    channel->die = home->die;
    if (own->kind == EM__ZONE_DIE) {
        em__print(channel->name, sizeof channel->name, "cpu-%d/die-%d", home->number, home->die);
        if (is_amd(cpus)) {
            channel->covers = EM__COVERS_DIE_ALIAS;
        }
    } else if (home->die >= 0) {
        em__print(channel->name, sizeof channel->name, "cpu-%d/die-%d/%s", home->number, home->die, word);
    } else {
        em__print(channel->name, sizeof channel->name, "cpu-%d/%s", home->number, word);
    }
    return 1;
}

static void describe_failure(int error, em__channel *channel)
{
    switch (error) {
    case -EACCES:
    case -EPERM:
        channel->status = EM_ERR_PERMISSION;
        em__copy(channel->reason, sizeof channel->reason,
                 "this user may not read energy_uj (mode 0400 since Linux 5.10, CVE-2020-8694); until the next boot: "
                 "sudo chmod a+r /sys/class/powercap/intel-rapl*/energy_uj");
        break;
    case -ENOENT:
        channel->status = EM_ERR_NOT_SUPPORTED;
        em__copy(channel->reason, sizeof channel->reason, "the zone has no energy_uj: it limits power but counts none");
        break;
    default:
        channel->status = EM_ERR_BROKEN;
        em__print(channel->reason, sizeof channel->reason, "energy_uj answers %s; %s",
                  error == -EILSEQ ? "with what is no number" : strerror(-error), broken_hint);
    }
}

/* The energy of a zone whose place is known already. */
static void describe_energy(const em__rapl_zones *look, const em__rapl_zone *zone, const em__cpuinfo *cpus,
                            zone_device *made)
{
    em__channel *channel = &made->base.channels[0];
    em__copy(channel->source, sizeof channel->source, zone->path);
    em__copy(channel->device_name, sizeof channel->device_name, cpus->model);
    channel->kind = EM_KIND_COUNTER;
    channel->refresh_ns = REFRESH_NS;
    channel->ceiling_mw = highest_mw(look->host, zone);
    channel->gain = zone->name.kind == EM__ZONE_DRAM ? dram_gain(look, zone, cpus) : 0.05;
    if (zone->name.kind == EM__ZONE_CORE && is_amd(cpus)) {
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
        describe_failure(error, channel);
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
    if (zone->error == -ENOENT) {
        channel->status = EM_ERR_MASKED;
        em__print(channel->reason, sizeof channel->reason, "its folder is hidden in this container; %s", masked_hint);
    } else if (zone->error == -EACCES || zone->error == -EPERM) {
        channel->status = EM_ERR_PERMISSION;
        em__print(channel->reason, sizeof channel->reason, "this user may not read its name; sudo chmod a+r %s/name",
                  zone->path);
    } else {
        channel->status = EM_ERR_BROKEN;
        em__print(channel->reason, sizeof channel->reason, "its name file does not tell what it measures; %s",
                  broken_hint);
    }
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

typedef struct {
    size_t placed, readable, left_out, denied, broken, masked; /* zones */
} tally;

static int add_zone(em__probe *probe, const em__rapl_zones *look, const em__rapl_zone *zone, const em__cpuinfo *cpus,
                    uint32_t measure, tally *zones)
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

static int add_zones(em__probe *probe, const em__rapl_zones *look, uint32_t measure, tally *zones)
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

static int explain_zones(em__probe *probe, const tally *zones)
{
    const em__sensor *self = &em__sensor_rapl_powercap;
    int status = EM_OK;
    if (zones->masked) {
        status = em__probe_absent(probe, self, EM_ERR_MASKED, masked_hint,
                                  "%s lists %zu zones whose folders are hidden in this container", EM__RAPL_CLASS,
                                  zones->masked);
    }
    if (zones->readable) {
        return status;
    }
    if (status == EM_OK && zones->denied) {
        status = em__probe_absent(probe, self, EM_ERR_PERMISSION, permission_hint,
                                  "this user may not read the energy of %zu zones (mode 0400 since Linux 5.10, "
                                  "CVE-2020-8694)",
                                  zones->denied);
    }
    if (status == EM_OK && zones->broken) {
        status = em__probe_absent(probe, self, EM_ERR_BROKEN, broken_hint,
                                  "%zu zones answer with an error or with what is no energy counter", zones->broken);
    }
    if (status == EM_OK && zones->left_out && !zones->denied && !zones->broken && !zones->masked) {
        status = em__probe_absent(probe, self, EM_ERR_NOT_SELECTED, "", "the options leave CPU and memory out");
    }
    return status;
}

static int explain_nothing(em__probe *probe, const em__rapl_zones *look)
{
    int error = look->error;
    const em__sensor *self = &em__sensor_rapl_powercap;
    if (error == -EACCES || error == -EPERM) {
        return em__probe_absent(probe, self, EM_ERR_PERMISSION, "let this user list the folder", "%s may not be listed",
                                EM__RAPL_CLASS);
    }
    if (look->control_types > 0) {
        return em__probe_absent(probe, self, EM_ERR_NO_ZONES, no_zones_hint,
                                "the intel-rapl driver is loaded but found no zones");
    }
    if (error < 0 && error != -ENOENT) {
        return em__probe_absent(probe, self, EM_ERR_BROKEN, broken_hint, "%s cannot be listed: %s", EM__RAPL_CLASS,
                                strerror(-error));
    }
    em__cpuinfo cpus;
    if (em__cpus_read(look->host, &cpus) == -ENOMEM) {
        return EM_ERR_NO_MEMORY;
    }
    const char *what = error < 0 ? "does not exist" : "holds no intel-rapl";
    if (cpus.is_virtual) {
        return em__probe_absent(probe, self, EM_ERR_NO_DRIVER,
                                "measure on the host: hypervisors pass no energy counters into a virtual machine",
                                "%s %s, and this is a virtual machine", EM__RAPL_CLASS, what);
    }
    return em__probe_absent(probe, self, EM_ERR_NO_DRIVER,
                            "sudo modprobe intel_rapl_msr (a kernel with CONFIG_INTEL_RAPL; Intel since Sandy Bridge, "
                            "AMD Zen since Linux 5.8); in a container ask the host to load it",
                            "%s %s", EM__RAPL_CLASS, what);
}

static int rapl_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    em__rapl_zones look;
    tally zones = {0};
    int status = em__rapl_zones_find(host, &look) < 0 ? EM_ERR_NO_MEMORY : EM_OK;
    if (status == EM_OK && look.count == look.control_types) {
        status = explain_nothing(probe, &look);
    } else if (status == EM_OK) {
        status = add_zones(probe, &look, selection->measure, &zones);
        if (status == EM_OK) {
            status = explain_zones(probe, &zones);
        }
    }
    em__rapl_zones_free(&look);
    return status;
}

const em__sensor em__sensor_rapl_powercap = {"rapl-powercap", 20, rapl_probe};
