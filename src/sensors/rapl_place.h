/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the domains of RAPL are called and cover, and what can be believed of them, whichever way they are read. */
#ifndef EM_SENSORS_RAPL_PLACE_H
#define EM_SENSORS_RAPL_PLACE_H

#include "core/channel.h"
#include "platform/parse.h"
#include "sensors/rapl_zones.h"

enum { EM__RAPL_REFRESH_NS = 1000000 };

int em__rapl_is_amd(const em__cpuinfo *cpus);

/* Name, domain, place, what it covers, and what weakens it. place: the domain's kind, with the package and the die (-1: none) that it lies
 * in; of psys, its number. */
void em__rapl_describe(const em__zone_name *place, const em__cpuinfo *cpus, em__channel *channel);

/* k = 1. has_graphics: the package has an uncore domain. */
double em__rapl_gain(em__zone_kind kind, int has_graphics, const em__cpuinfo *cpus);

/* The highest believable power (docs/measurement.md §2 rule 9). zone: whose limits tell, or NULL. */
uint64_t em__rapl_ceiling_mw(em__host *host, em__zone_kind kind, const em__rapl_zone *zone);

#endif
