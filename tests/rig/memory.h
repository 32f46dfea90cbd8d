/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* How many bytes the program has allocated and not freed, with and without a sanitizer. */
#ifndef TESTS_RIG_MEMORY_H
#define TESTS_RIG_MEMORY_H

#include <malloc.h>
#include <stddef.h>

__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

/* 0 where nobody counts: then tests of memory say nothing. */
static inline size_t rig_memory_used(void)
{
    if (__sanitizer_get_current_allocated_bytes) {
        return __sanitizer_get_current_allocated_bytes();
    }
#ifdef __GLIBC__
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#else
    return 0;
#endif
}

#endif
