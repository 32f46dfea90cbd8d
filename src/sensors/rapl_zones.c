/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Finds the zones of the powercap tree, flat as live kernels show them or nested as in copies of the tree. */
#include "sensors/rapl_zones.h"

#include "core/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ZONES = 1024, NAME_BYTES = 64 };

static int is_same_place(const em__zone_path *a, const em__zone_path *b)
{
    return a->depth == b->depth && a->zone[0] == b->zone[0] && a->zone[1] == b->zone[1] &&
           strcmp(a->control_type, b->control_type) == 0;
}

static int note_entry(void *context, const char *name)
{
    em__rapl_zones *zones = context;
    em__rapl_zone entry = {0};
    if (em__parse_zone_path(name, &entry.place) < 0 || strncmp(entry.place.control_type, "intel-rapl", 10) != 0 ||
        zones->count == MOST_ZONES || strlen(zones->folder) + 1 + strlen(name) >= sizeof entry.path) {
        return 0;
    }
    for (size_t i = 0; i < zones->count; i++) {
        if (is_same_place(&zones->zones[i].place, &entry.place)) {
            return 0;
        }
    }
    if (zones->count == zones->capacity) {
        size_t capacity = zones->capacity ? zones->capacity * 2 : 16;
        em__rapl_zone *larger = realloc(zones->zones, capacity * sizeof *larger);
        if (!larger) {
            return -ENOMEM;
        }
        zones->zones = larger;
        zones->capacity = capacity;
    }
    em__print(entry.path, sizeof entry.path, "%s/%s", zones->folder, name);
    zones->control_types += entry.place.depth == 0;
    zones->zones[zones->count++] = entry;
    return 0;
}

static int list_folder(em__rapl_zones *zones, const char *folder)
{
    zones->folder = folder;
    return zones->host->ops->list(zones->host, folder, note_entry, zones);
}

/* The class folder of a live kernel lists every zone flat; other trees nest them, and note_entry knows doubles. */
static int list_tree(em__rapl_zones *zones, const char *folder)
{
    int error = list_folder(zones, folder);
    for (size_t i = 0; i < zones->count && error != -ENOMEM; i++) {
        char inner[EM__SOURCE_SIZE];
        em__copy(inner, sizeof inner, zones->zones[i].path);
        if (zones->zones[i].place.depth <= 1 && list_folder(zones, inner) == -ENOMEM) {
            error = -ENOMEM;
        }
    }
    return error < 0 ? error : 0;
}

static int compare_zones(const void *left, const void *right)
{
    const em__zone_path *a = &((const em__rapl_zone *)left)->place, *b = &((const em__rapl_zone *)right)->place;
    int order = strcmp(a->control_type, b->control_type);
    if (order == 0) {
        order = (a->zone[0] > b->zone[0]) - (a->zone[0] < b->zone[0]);
    }
    if (order == 0) {
        order = a->depth - b->depth;
    }
    return order != 0 ? order : (a->zone[1] > b->zone[1]) - (a->zone[1] < b->zone[1]);
}

static void read_name(em__host *host, em__rapl_zone *zone)
{
    char path[EM__SOURCE_SIZE + 8], text[NAME_BYTES];
    em__print(path, sizeof path, "%s/name", zone->path);
    int length = em__host_text(host, path, text, sizeof text);
    if (length == -ENOENT) {
        zone->error = em__host_exists(host, zone->path) == -ENOENT ? -ENOENT : -EUCLEAN;
    } else if (length < 0) {
        zone->error = length;
    } else if (em__parse_zone_name(text, &zone->name) < 0 ||
               (zone->place.depth == 1 && zone->name.number < 0 && zone->name.kind != EM__ZONE_PSYS)) {
        zone->error = -EUCLEAN;
    }
}

int em__rapl_zones_find(em__host *host, em__rapl_zones *ret_zones)
{
    em__rapl_zones zones = {.host = host};
    zones.error = list_tree(&zones, EM__RAPL_CLASS);
    if (zones.error != -ENOMEM && zones.count == zones.control_types &&
        list_tree(&zones, "/sys/devices/virtual/powercap") == -ENOMEM) {
        zones.error = -ENOMEM;
    }
    if (zones.count > 0) {
        qsort(zones.zones, zones.count, sizeof *zones.zones, compare_zones);
    }
    for (size_t i = 0; i < zones.count; i++) {
        if (zones.zones[i].place.depth > 0) {
            read_name(host, &zones.zones[i]);
        }
    }
    *ret_zones = zones;
    return zones.error == -ENOMEM ? -ENOMEM : 0;
}

void em__rapl_zones_free(em__rapl_zones *zones)
{
    free(zones->zones);
    *zones = (em__rapl_zones){0};
}

static int is_in_same_zone(const em__rapl_zone *a, const em__rapl_zone *b)
{
    return a->place.zone[0] == b->place.zone[0] && strcmp(a->place.control_type, b->place.control_type) == 0;
}

const em__zone_name *em__rapl_zones_parent(const em__rapl_zones *zones, const em__rapl_zone *zone)
{
    for (size_t i = 0; i < zones->count; i++) {
        const em__rapl_zone *other = &zones->zones[i];
        if (other->place.depth == 1 && other->error == 0 && is_in_same_zone(other, zone) &&
            (other->name.kind == EM__ZONE_PACKAGE || other->name.kind == EM__ZONE_DIE)) {
            return &other->name;
        }
    }
    return NULL;
}

int em__rapl_zones_has_uncore(const em__rapl_zones *zones, const em__rapl_zone *zone)
{
    for (size_t i = 0; i < zones->count; i++) {
        const em__rapl_zone *other = &zones->zones[i];
        if (other->place.depth == 2 && other->error == 0 && is_in_same_zone(other, zone) &&
            other->name.kind == EM__ZONE_UNCORE) {
            return 1;
        }
    }
    return 0;
}
