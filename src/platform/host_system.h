/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The operating system behind a host: shared by the live system, directory roots and recorded machines. */
#ifndef EM_PLATFORM_HOST_SYSTEM_H
#define EM_PLATFORM_HOST_SYSTEM_H

#include "platform/host.h"

/* is_live: root is "/". own_walk: follows paths itself even where the kernel could keep them below the root. */
int em__system_open(const char *root, int is_live, int as_user, int own_walk, const char *const *environment,
                    em__host **ret_host);

uint64_t em__system_monotonic_ns(em__host *host);
uint64_t em__system_boottime_ns(em__host *host);
uint64_t em__system_wall_ns(em__host *host);
int em__system_thread_start(em__host *host, void (*body)(void *), void *argument);

/* The perf events of the running kernel, for any host. is_private: users without rights may not open them. */
int em__system_perf_is_private(em__host *host);
int em__system_perf_open(em__host *host, const em__perf_event *event, em__perf **ret_group);
int em__system_perf_join(em__perf *group, const em__perf_event *event);
int em__system_perf_read(em__perf *group, em__perf_counts *ret_counts);
void em__system_perf_close(em__perf *group);

/* The whole of a regular file of the live system, ended by NUL, the caller's. -EFBIG: larger than limit. */
int em__system_load(const char *path, size_t limit, char **ret_text, size_t *ret_length);

#endif
