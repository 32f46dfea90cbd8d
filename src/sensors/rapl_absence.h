/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Why zones of the powercap tree cannot be read, and what to do about it. */
#ifndef EM_SENSORS_RAPL_ABSENCE_H
#define EM_SENSORS_RAPL_ABSENCE_H

#include "sensors/rapl_zones.h"
#include "sensors/sensor.h"

typedef struct {
    size_t placed, readable, left_out, denied, broken, masked; /* zones */
} em__rapl_tally;

/* Status and reason of a zone whose energy answered error (-EILSEQ: with no number). */
void em__rapl_explain_energy(int error, em__channel *channel);
/* The same of a zone whose name cannot be had. */
void em__rapl_explain_name(const em__rapl_zone *zone, em__channel *channel);
/* The absences of the sensor where there are zones, and where there are none. EM_OK or EM_ERR_NO_MEMORY. */
int em__rapl_explain_zones(em__probe *probe, const em__rapl_tally *zones);
int em__rapl_explain_nothing(em__probe *probe, const em__rapl_zones *look);

#endif
