/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A caller's file descriptor, written and read where it stands. */
#ifndef EM_PLATFORM_STREAM_H
#define EM_PLATFORM_STREAM_H

#include <stddef.h>
#include <stdint.h>

/* 0 if the descriptor is open for that, else -EBADF. */
int em__stream_check(int descriptor, int for_writing);

/* Writes as much as is taken within patience_ns (0: at once; a disk is waited for in any case): how much, or -errno if
 * nothing was. A reader that went away or a limit of file size is an error, and never a signal: these signals are
 * blocked in the calling thread meanwhile, and what the write itself raised is taken back. */
int64_t em__stream_write(int descriptor, const void *bytes, size_t length, uint64_t patience_ns);

/* Waits for bytes: how many, 0 at the end, or -errno. */
int64_t em__stream_read(int descriptor, void *buffer, size_t capacity);

/* "No space left on device", in no locale. */
void em__stream_error(int error, char *text, size_t size);

#endif
