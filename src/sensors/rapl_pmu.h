/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The performance monitoring units of RAPL: their events, and one CPU for each package or die that they count. */
#ifndef EM_SENSORS_RAPL_PMU_H
#define EM_SENSORS_RAPL_PMU_H

#include "core/channel.h"
#include "platform/host.h"
#include "platform/parse.h"

#define EM__RAPL_UNITS "/sys/bus/event_source/devices"

typedef struct {
    const char *name; /* "energy-pkg" */
    em__zone_kind kind;
    int is_one_core; /* it counts one core, not all of a package */
    int error;       /* 0, or why its files do not tell how to count it */
    uint64_t config, scale_num, scale_den;
} em__rapl_event;

typedef struct {
    int32_t cpu, package, die; /* die: -1 where a package has one CPU in the list */
} em__rapl_place;

typedef struct {
    char path[EM__SOURCE_SIZE / 2];
    int error; /* of its type, its list of CPUs, or the places of these: 0 or -errno */
    uint32_t type;
    em__rapl_event events[EM__PERF_MOST];
    size_t event_count;
    em__rapl_place *places; /* each package, or each die, once */
    size_t place_count;
} em__rapl_pmu;

enum { EM__RAPL_MOST_PMUS = 4 };

typedef struct {
    em__rapl_pmu pmus[EM__RAPL_MOST_PMUS]; /* "power", "power_core" */
    size_t count;
    int error; /* of listing the units: 0 or -errno */
} em__rapl_pmus;

/* 0 or -ENOMEM; freed with em__rapl_pmus_free in both cases. */
int em__rapl_pmus_find(em__host *host, em__rapl_pmus *ret_pmus);
void em__rapl_pmus_free(em__rapl_pmus *pmus);

#endif
