/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* CPU time of this process with all its descendants, and of the whole machine, as two growing numbers. No sensor: it
 * tells who used the CPUs, and no energy. */
#ifndef EM_SENSORS_CPU_TIME_H
#define EM_SENSORS_CPU_TIME_H

#include "platform/host.h"

typedef struct em__cpu_time_source em__cpu_time_source;

/* ret_source NULL: the host has no /proc/stat or no /proc/self/stat to read. EM_ERR_NO_MEMORY. */
int em__cpu_time_open(em__host *host, em__cpu_time_source **ret_source);
void em__cpu_time_close(em__cpu_time_source *source); /* NULL is ignored */

/* 0 or -errno. In µs, told to 10 ms; neither ever falls. The process's: its threads, the children it has waited for, and
 * living descendants, which are looked for at most once a second and so rarely that it takes 0.0025 % of the time.
 * is_baseline: looks for all of them; what processes that exist now have used before is nobody's from then on.
 * One thread at a time. */
int em__cpu_time_read(em__cpu_time_source *source, int is_baseline, uint64_t *ret_process_us, uint64_t *ret_busy_us);

#endif
