/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Opens paths below a directory as if it were the root: neither ".." nor a link, absolute or not, leads out of it. */
#ifndef EM_PLATFORM_WALK_H
#define EM_PLATFORM_WALK_H

#include <stddef.h>

/* A descriptor or -errno. flags as of open; O_CLOEXEC is added. own: never asks the kernel to follow the path. */
int em__walk_open(int root, const char *path, int flags, int own);

/* The target of a link opened with O_PATH | O_NOFOLLOW, ended by NUL: its length, -EINVAL (no link), -ENAMETOOLONG. */
int em__walk_target(int descriptor, char *buffer, size_t capacity);

#endif
