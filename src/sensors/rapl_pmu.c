/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reads what the kernel says of its RAPL units: type, events with their scales, and the CPUs that speak for a package. */
#include "sensors/rapl_pmu.h"

#include "core/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CPUS = 8192, MOST_PLACES = 1024, LIST_BYTES = 65536, UJ_PER_J_EXPONENT = 6 };

static int note_unit(void *context, const char *name)
{
    em__rapl_pmus *pmus = context;
    em__rapl_pmu unit = {0};
    int is_rapl = strcmp(name, "power") == 0 || strncmp(name, "power_", 6) == 0;
    if (is_rapl && pmus->count < EM__RAPL_MOST_PMUS && strlen(name) + sizeof EM__RAPL_UNITS < sizeof unit.path) {
        em__print(unit.path, sizeof unit.path, "%s/%s", EM__RAPL_UNITS, name);
        pmus->pmus[pmus->count++] = unit;
    }
    return 0;
}

static int read_text(em__host *host, const em__rapl_pmu *pmu, const char *file, const char *suffix, char *text,
                     size_t size)
{
    char path[EM__SOURCE_SIZE];
    em__print(path, sizeof path, "%s/%s%s", pmu->path, file, suffix);
    int length = em__host_text(host, path, text, size);
    return length == -EFBIG ? -EINVAL : length;
}

/* 0 or -errno: how to open the event, and what one count of it is in µJ. */
static int read_event(em__host *host, const em__rapl_pmu *pmu, const char *file, em__rapl_event *event)
{
    char text[128];
    int length = read_text(host, pmu, file, "", text, sizeof text);
    int error = length < 0 ? length : em__parse_event(text, (size_t)length, &event->config);
    if (error == 0) {
        length = read_text(host, pmu, file, ".unit", text, sizeof text);
        error = length >= 0 && strcmp(text, "Joules") != 0 ? -EINVAL : length;
    }
    if (error >= 0) {
        length = read_text(host, pmu, file, ".scale", text, sizeof text);
        error = length < 0
                    ? length
                    : em__parse_scale(text, (size_t)length, UJ_PER_J_EXPONENT, &event->scale_num, &event->scale_den);
    }
    return error;
}

static void read_events(em__host *host, em__rapl_pmu *pmu)
{
    static const em__rapl_event known[] = {
        {.name = "energy-pkg", .kind = EM__ZONE_PACKAGE},
        {.name = "energy-ram", .kind = EM__ZONE_DRAM},
        {.name = "energy-cores", .kind = EM__ZONE_CORE},
        {.name = "energy-core", .kind = EM__ZONE_CORE, .is_one_core = 1},
        {.name = "energy-gpu", .kind = EM__ZONE_UNCORE},
        {.name = "energy-psys", .kind = EM__ZONE_PSYS},
    };
    _Static_assert(sizeof known / sizeof known[0] <= EM__PERF_MOST, "one group holds all");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char file[64], path[EM__SOURCE_SIZE];
        em__rapl_event event = known[i];
        em__print(file, sizeof file, "events/%s", event.name);
        em__print(path, sizeof path, "%s/%s", pmu->path, file);
        if (em__host_exists(host, path) == -ENOENT) {
            continue;
        }
        event.error = read_event(host, pmu, file, &event);
        pmu->events[pmu->event_count++] = event;
    }
}

static int read_topology(em__host *host, uint32_t cpu, const char *file, int32_t *ret_number)
{
    char path[96];
    uint64_t number;
    em__print(path, sizeof path, "/sys/devices/system/cpu/cpu%u/topology/%s", cpu, file);
    int error = em__host_u64(host, path, &number);
    if (error == 0 && number > INT32_MAX) {
        error = -ERANGE;
    }
    if (error == 0) {
        *ret_number = (int32_t)number;
    }
    return error;
}

/* Keeps a place once: of a unit that counts cores, the first core stands for all. */
static void add_place(em__rapl_pmu *pmu, const em__rapl_place *place)
{
    for (size_t i = 0; i < pmu->place_count; i++) {
        if (pmu->places[i].package == place->package && pmu->places[i].die == place->die) {
            return;
        }
    }
    if (pmu->place_count < MOST_PLACES) {
        pmu->places[pmu->place_count++] = *place;
    }
}

static int has_event_of_a_core(const em__rapl_pmu *pmu)
{
    for (size_t i = 0; i < pmu->event_count; i++) {
        if (pmu->events[i].is_one_core) {
            return 1;
        }
    }
    return 0;
}

/* Dies are named only where a package has several. */
static void forget_lone_dies(em__rapl_pmu *pmu)
{
    for (size_t i = 0; i < pmu->place_count; i++) {
        size_t same = 0;
        for (size_t j = 0; j < pmu->place_count; j++) {
            same += pmu->places[j].package == pmu->places[i].package;
        }
        if (same == 1) {
            pmu->places[i].die = -1;
        }
    }
}

/* All or none: what one CPU of the list speaks for would be missing unseen. */
static int find_places(em__host *host, em__rapl_pmu *pmu, const uint32_t cpus[], size_t count)
{
    int error = 0, has_cores = has_event_of_a_core(pmu);
    pmu->places = calloc((count < MOST_PLACES ? count : MOST_PLACES) + 1, sizeof *pmu->places);
    if (!pmu->places) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count && error == 0; i++) {
        em__rapl_place place = {.cpu = (int32_t)cpus[i], .die = -1};
        error = read_topology(host, cpus[i], "physical_package_id", &place.package);
        if (!has_cores) {
            read_topology(host, cpus[i], "die_id", &place.die); /* Kernels before 5.2 have none. */
        }
        add_place(pmu, &place);
    }
    if (error < 0) {
        pmu->place_count = 0;
    }
    forget_lone_dies(pmu);
    return error;
}

/* 0 or -ENOMEM; what else fails is noted. */
static int read_unit(em__host *host, em__rapl_pmu *pmu, char *text, uint32_t *cpus)
{
    size_t count = 0;
    uint64_t type = 0;
    int length = read_text(host, pmu, "type", "", text, LIST_BYTES);
    pmu->error = length < 0 ? length : em__parse_u64(text, (size_t)length, &type);
    if (pmu->error == 0 && type > UINT32_MAX) {
        pmu->error = -ERANGE;
    }
    if (pmu->error == 0) {
        pmu->type = (uint32_t)type;
        length = read_text(host, pmu, "cpumask", "", text, LIST_BYTES);
        pmu->error = length < 0 ? length : em__parse_cpu_list(text, (size_t)length, cpus, MOST_CPUS, &count);
    }
    read_events(host, pmu);
    if (pmu->error == 0) {
        pmu->error = find_places(host, pmu, cpus, count);
    }
    return pmu->error == -ENOMEM ? -ENOMEM : 0;
}

int em__rapl_pmus_find(em__host *host, em__rapl_pmus *ret_pmus)
{
    em__rapl_pmus *pmus = ret_pmus;
    *pmus = (em__rapl_pmus){0};
    int status = host->ops->list(host, EM__RAPL_UNITS, note_unit, pmus);
    pmus->error = status < 0 ? status : 0;
    if (pmus->count == 0) {
        return status == -ENOMEM ? -ENOMEM : 0;
    }
    char *text = malloc(LIST_BYTES);
    uint32_t *cpus = malloc(MOST_CPUS * sizeof *cpus);
    status = text && cpus ? 0 : -ENOMEM;
    for (size_t i = 0; i < pmus->count && status == 0; i++) {
        status = read_unit(host, &pmus->pmus[i], text, cpus);
    }
    free(text);
    free(cpus);
    return status;
}

void em__rapl_pmus_free(em__rapl_pmus *pmus)
{
    for (size_t i = 0; i < pmus->count; i++) {
        free(pmus->pmus[i].places);
    }
    *pmus = (em__rapl_pmus){0};
}
