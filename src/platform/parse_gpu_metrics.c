/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* amdgpu's gpu_metrics: a table in the machine's own byte order, whose layout its revision and its size tell. */
#include "platform/parse.h"

#include <errno.h>
#include <string.h>

enum { HEADER = 4, SELF_TOLD = 9 /* revision 1.9: each field says what it is */ };

/* kgd_pp_interface.h of the kernel: natural alignment, fields that the chip does not have are all ones. Two
 * kernels gave revision 1.6 to different tables, which their sizes tell apart. Of 2.0 … 2.3 nobody states the unit of
 * power, which depends on the firmware. */
static const struct {
    uint8_t format, content;
    uint16_t least, most;
    uint16_t power, power_bytes, power_mw, energy; /* offsets; 0: none */
    int32_t is_stated;                             /* the header states the unit of the energy */
} layouts[] = {
    {1, 1, 96, 96, 22, 2, 1000, 24, 0},           {1, 2, 104, 104, 22, 2, 1000, 24, 0},
    {1, 3, 120, 120, 22, 2, 1000, 24, 0},         {1, 4, 40, UINT16_MAX, 10, 2, 1000, 24, 1},
    {1, 5, 104, UINT16_MAX, 10, 2, 1000, 88, 1},  {1, 6, 384, 384, 10, 2, 1000, 88, 1},
    {1, 6, 1024, UINT16_MAX, 10, 2, 1000, 16, 1}, {1, 7, 40, UINT16_MAX, 10, 2, 1000, 24, 1},
    {1, 8, 40, UINT16_MAX, 10, 2, 1000, 24, 1},   {2, 4, 168, UINT16_MAX, 40, 2, 1, 0, 0},
    {3, 0, 256, UINT16_MAX, 120, 4, 1, 0, 0},
};

/* 0: the field is not supported, or lies outside. */
static int read_field(const char *bytes, size_t length, size_t at, size_t size, uint64_t *ret_value)
{
    uint16_t two;
    uint32_t four;
    uint64_t value;
    if (at > length || length - at < size) {
        return 0;
    }
    switch (size) {
    case 2:
        memcpy(&two, bytes + at, sizeof two);
        value = two == UINT16_MAX ? UINT64_MAX : two;
        break;
    case 4:
        memcpy(&four, bytes + at, sizeof four);
        value = four == UINT32_MAX ? UINT64_MAX : four;
        break;
    case 8:
        memcpy(&value, bytes + at, sizeof value);
        break;
    default:
        return 0;
    }
    if (value == UINT64_MAX) {
        return 0;
    }
    *ret_value = value;
    return 1;
}

static void take_energy(const char *bytes, size_t length, size_t at, em__gpu_metrics *metrics)
{
    metrics->has_energy = read_field(bytes, length, at, 8, &metrics->energy);
}

static void take_power(const char *bytes, size_t length, size_t at, size_t size, uint64_t mw, em__gpu_metrics *metrics)
{
    uint64_t value = 0;
    metrics->has_power = read_field(bytes, length, at, size, &value) && value <= UINT32_MAX;
    metrics->power_mw = metrics->has_power ? value * mw : 0;
}

/* A count of fields, then each: 64 bits (unit, type, which, how many), and its values, packed. */
static int parse_fields(const char *bytes, size_t length, em__gpu_metrics *metrics)
{
    enum { COUNT_AT = HEADER, FIRST_AT = 8, MOST_FIELDS = 1024, POWER = 3, ENERGY = 7, WATTS = 3, TYPES = 8 };
    int32_t count;
    size_t at = FIRST_AT;
    if (length < FIRST_AT) {
        return -EINVAL;
    }
    memcpy(&count, bytes + COUNT_AT, sizeof count);
    if (count < 0 || count > MOST_FIELDS) {
        return -EINVAL;
    }
    for (int32_t i = 0; i < count; i++) {
        uint64_t encoding;
        if (length - at < sizeof encoding) {
            return -EINVAL;
        }
        memcpy(&encoding, bytes + at, sizeof encoding);
        at += sizeof encoding;
        uint32_t unit = encoding >> 24 & 0xFF, type = encoding >> 20 & 0xF, which = encoding >> 10 & 0x3FF;
        size_t many = encoding & 0x3FF, size = (size_t)1 << type / 2;
        if (encoding >> 32 || type >= TYPES || length - at < many * size) {
            return -EINVAL;
        }
        if (which == ENERGY && many == 1 && size == 8) {
            take_energy(bytes, length, at, metrics);
        } else if (which == POWER && many == 1 && unit == WATTS) {
            take_power(bytes, length, at, size, 1000, metrics);
        }
        at += many * size;
    }
    metrics->is_stated = 1;
    return 0;
}

int em__parse_gpu_metrics(const char *bytes, size_t length, em__gpu_metrics *ret_metrics)
{
    em__gpu_metrics metrics = {0};
    uint16_t size;
    if (length < HEADER) {
        return -EINVAL;
    }
    memcpy(&size, bytes, sizeof size);
    uint8_t format = (uint8_t)bytes[2], content = (uint8_t)bytes[3];
    if (size < HEADER || size > length) {
        return -EINVAL;
    }
    if (format == 1 && content == SELF_TOLD) {
        int error = parse_fields(bytes, size, &metrics);
        if (error == 0) {
            *ret_metrics = metrics;
        }
        return error;
    }
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        if (layouts[i].format != format || layouts[i].content != content || size < layouts[i].least ||
            size > layouts[i].most) {
            continue;
        }
        take_power(bytes, size, layouts[i].power, layouts[i].power_bytes, layouts[i].power_mw, &metrics);
        if (layouts[i].energy) {
            take_energy(bytes, size, layouts[i].energy, &metrics);
        }
        metrics.is_stated = layouts[i].is_stated;
        *ret_metrics = metrics;
        return 0;
    }
    return -EINVAL;
}
