/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Why perf events of RAPL cannot be read, and what to do about it. */
#ifndef EM_SENSORS_RAPL_PERF_ABSENCE_H
#define EM_SENSORS_RAPL_PERF_ABSENCE_H

#include "sensors/rapl_pmu.h"
#include "sensors/sensor.h"

#include <errno.h>

/* Beside -errno of opening an event: its files do not tell how; a package has several dies, of an unknown vendor. */
enum { EM__RAPL_NO_EVENT = -EILSEQ, EM__RAPL_NO_VENDOR = -EMEDIUMTYPE };

/* Status and reason of an event that could not be opened. */
void em__rapl_explain_event(em__host *host, int error, em__channel *channel);
/* The absence of the sensor where no event could be opened: error is the first one's, or 0. */
int em__rapl_explain_events(em__probe *probe, em__host *host, int error, size_t left_out);
/* The same where there is no unit, or no host to ask. Recorded machines and other roots than / are silent where they
 * show no unit: they could not be asked in any case. */
int em__rapl_explain_units(em__probe *probe, em__host *host, const em__rapl_pmus *pmus, const em__cpuinfo *cpus);

#endif
