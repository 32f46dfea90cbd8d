/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What sensors need to know of this machine's CPUs. */
#ifndef EM_SENSORS_CPUS_H
#define EM_SENSORS_CPUS_H

#include "platform/host.h"
#include "platform/parse.h"

/* The whole of /proc/cpuinfo, however long. -errno; ret_info is all zeros then. */
int em__cpus_read(em__host *host, em__cpuinfo *ret_info);

#endif
