/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The parsers of what the kernel says: any bytes, no finding, and nothing written when they refuse. */
#include "platform/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int holds)
{
    if (!holds) {
        abort();
    }
}

/* 0, or an allowed refusal that left every byte as it was. */
static int is_read(int error, const void *out, size_t size)
{
    if (error == 0) {
        return 1;
    }
    insist(error == -EINVAL || error == -ERANGE);
    for (size_t i = 0; i < size; i++) {
        insist(((const unsigned char *)out)[i] == 0xAA);
    }
    return 0;
}

#define READ(type, name, call)                                                                                         \
    type name;                                                                                                         \
    memset(&name, 0xAA, sizeof name);                                                                                  \
    int name##_is_read = is_read(call, &name, sizeof name)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    READ(uint64_t, value, em__parse_u64(text, size, &value));
    insist(!value_is_read || size > 0);
    READ(em__cpu_time, cpu_time, em__parse_cpu_time(text, size, &cpu_time));
    insist(!cpu_time_is_read || cpu_time.busy <= cpu_time.total);
    READ(em__cpuinfo, info, em__parse_cpuinfo(text, size, &info));
    if (info_is_read) {
        insist(memchr(info.vendor, '\0', sizeof info.vendor) && memchr(info.model, '\0', sizeof info.model));
        insist(info.cpus > 0 && info.cpus <= size && info.packages <= size);
    }
    char *ended = malloc(size + 1);
    insist(ended != NULL);
    memcpy(ended, size ? text : "", size);
    ended[size] = '\0';
    READ(em__zone_name, zone, em__parse_zone_name(ended, &zone));
    insist(!zone_is_read || (zone.number >= -1 && zone.die >= -1 && (zone.kind == EM__ZONE_DIE) == (zone.die >= 0)));
    READ(em__zone_path, path, em__parse_zone_path(ended, &path));
    insist(!path_is_read || (path.control_type[0] && memchr(path.control_type, '\0', sizeof path.control_type) &&
                             path.depth >= 0 && path.depth <= 2));
    free(ended);
    return 0;
}
