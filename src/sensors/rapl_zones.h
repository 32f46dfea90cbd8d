/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The zones of the powercap tree: where they lie, what their name files say, and how they belong together. */
#ifndef EM_SENSORS_RAPL_ZONES_H
#define EM_SENSORS_RAPL_ZONES_H

#include "core/channel.h"
#include "platform/host.h"
#include "platform/parse.h"

#define EM__RAPL_CLASS "/sys/class/powercap"

typedef struct {
    char path[EM__SOURCE_SIZE];
    em__zone_path place;
    em__zone_name name; /* valid if error is 0 */
    int error;          /* 0; -ENOENT: the link leads nowhere; -EUCLEAN: a name that tells no place; else of its read */
} em__rapl_zone;

typedef struct {
    em__rapl_zone *zones; /* package by package, subzones behind their zone, mmio copies last */
    size_t count, capacity;
    size_t control_types; /* how many "intel-rapl…" folders there are */
    int error;            /* of listing the class folder: 0 or -errno */
    em__host *host;       /* not owned */
    const char *folder;   /* being listed */
} em__rapl_zones;

/* 0 or -ENOMEM; freed with em__rapl_zones_free in both cases. */
int em__rapl_zones_find(em__host *host, em__rapl_zones *ret_zones);
void em__rapl_zones_free(em__rapl_zones *zones);

/* The package or die that a subzone lies in; NULL: none that could be named. */
const em__zone_name *em__rapl_zones_parent(const em__rapl_zones *zones, const em__rapl_zone *zone);
/* Whether the package around a zone has an uncore zone: the graphics of a client CPU. */
int em__rapl_zones_has_uncore(const em__rapl_zones *zones, const em__rapl_zone *zone);

#endif
