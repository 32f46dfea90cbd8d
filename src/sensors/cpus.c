/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reads /proc/cpuinfo, which has up to 1.6 kB for each CPU. */
#include "sensors/cpus.h"

#include <errno.h>
#include <stdlib.h>

enum { SMALLEST = 64 << 10, LARGEST = 16 << 20 };

int em__cpus_read(em__host *host, em__cpuinfo *ret_info)
{
    char *text = NULL;
    int length = -EFBIG;
    for (size_t capacity = SMALLEST; length == -EFBIG && capacity <= LARGEST; capacity *= 4) {
        char *larger = realloc(text, capacity);
        if (!larger) {
            length = -ENOMEM;
            break;
        }
        text = larger;
        length = em__host_text(host, "/proc/cpuinfo", text, capacity);
    }
    *ret_info = (em__cpuinfo){0};
    int error = length < 0 ? length : em__parse_cpuinfo(text, (size_t)length, ret_info);
    free(text);
    return error;
}
