/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A recorded machine: the tree of files, links, modes and read errors in a machines/….json, played as a host.
 * What it does not list does not exist. Tests change files while it plays; its clock can be driven. */
#ifndef EM_PLATFORM_MACHINE_H
#define EM_PLATFORM_MACHINE_H

#include "platform/host.h"

/* text: the JSON document. as_user: files that the recorded mode does not let others read answer -EACCES, whoever
 * runs this. Content with lone surrogates U+DC80…U+DCFF stands for single bytes, as Python's surrogateescape writes.
 * -EINVAL or -E2BIG with a sentence in ret_text, which names the path that is wrong; -ENOMEM. */
int em__machine_parse(const char *text, size_t length, int as_user, const char *const *environment, char *ret_text,
                      size_t text_size, em__host **ret_host);
/* An empty one. */
int em__machine_create(int as_user, const char *const *environment, em__host **ret_host);

/* For tests and players: set or replace a file (missing folders are made), a link, remove a path with all below it.
 * Links on the way are followed, and one at the end that leads to a file when a file is set. error: errno that reading
 * it gives (0: none). Open files see the change; those of a removed path answer -ENODEV. */
int em__machine_set_file(em__host *host, const char *path, const char *content, size_t length, unsigned mode,
                         int error);
int em__machine_set_link(em__host *host, const char *path, const char *target);
int em__machine_remove(em__host *host, const char *path);
/* From the first call on, the clocks stand at what was set: monotonic, boottime and wall. */
void em__machine_set_clock(em__host *host, uint64_t monotonic_ns, uint64_t boottime_ns, uint64_t wall_ns);

#endif
