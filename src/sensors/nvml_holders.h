/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which processes compute or draw on a board, and whether they are this process's own. */
#ifndef EM_SENSORS_NVML_HOLDERS_H
#define EM_SENSORS_NVML_HOLDERS_H

#include "sensors/nvml_library.h"

/* The caller's. NULL: no memory, or the driver lists no processes. */
em__holders *em__nvml_holders(em__nvml *nvml, nvml_handle handle);

#endif
