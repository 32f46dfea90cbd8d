/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What all meters of one process share. The library's only global state: a page that a forked child finds empty. */
#ifndef EM_PLATFORM_PROCESS_H
#define EM_PLATFORM_PROCESS_H

#include <stdint.h>

/* Never 0, the same for the whole life of a process, and in a forked child another than in any of its ancestors that
 * asked. Any thread, also between fork and exec; costs a load from memory. */
uint64_t em__process_generation(void);

/* The process id, as the kernel gives it in this namespace. */
int64_t em__process_id(void);

#endif
