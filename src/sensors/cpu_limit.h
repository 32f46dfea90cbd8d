/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* How many CPUs this process may use at once: the quotas of its cgroups and the CPUs it is allowed on. */
#ifndef EM_SENSORS_CPU_LIMIT_H
#define EM_SENSORS_CPU_LIMIT_H

#include "platform/host.h"

/* May be a fraction. NAN: nothing limits it, or nothing tells. */
double em__cpu_limit(em__host *host);

#endif
