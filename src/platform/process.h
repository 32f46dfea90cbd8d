/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What all meters of one process share. The library's only global state: a page that a forked child finds empty. */
#ifndef EM_PLATFORM_PROCESS_H
#define EM_PLATFORM_PROCESS_H

#include <stdint.h>

/* Never 0, the same for the whole life of a process, and in a forked child another than in any of its ancestors that
 * asked. Any thread, also between fork and exec; costs a load from memory. */
uint64_t em__process_generation(void);

/* Turns at a device that suffers from being read often: all meters of the process together get one each interval_ns. key
 * names the device and is not 0. Any thread; a forked child has turns of its own.
 * What it answers is the time of the next turn, which is the caller's from now on, and never so soon after now_ns, when it
 * was read last, that it would be read too often. */
uint64_t em__process_turn(uint64_t key, uint64_t now_ns, uint64_t interval_ns);

/* A read at now_ns that cannot wait for its turn. Later turns make up for it, as long as they are not far off already. */
void em__process_borrow(uint64_t key, uint64_t now_ns, uint64_t interval_ns);

/* The process id, as the kernel gives it in this namespace. */
int64_t em__process_id(void);

#endif
