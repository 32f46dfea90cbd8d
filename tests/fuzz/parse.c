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

enum { MARK = 0xAA };

/* Read, or refused for an allowed reason with every byte left as it was. */
static int is_read(int error, const void *out, size_t size)
{
    if (error == 0) {
        return 1;
    }
    insist(error == -EINVAL || error == -ERANGE);
    for (size_t i = 0; i < size; i++) {
        insist(((const unsigned char *)out)[i] == MARK);
    }
    return 0;
}

static void parse_values(const char *text, size_t size)
{
    uint64_t value;
    em__cpu_time time;
    em__process_time process;
    memset(&process, MARK, sizeof process);
    insist(!is_read(em__parse_process_time(text, size, &process), &process, sizeof process) || size > 40);
    memset(&value, MARK, sizeof value);
    memset(&time, MARK, sizeof time);
    insist(!is_read(em__parse_u64(text, size, &value), &value, sizeof value) || size > 0);
    int64_t number;
    memset(&number, MARK, sizeof number);
    if (is_read(em__parse_i64(text, size, &number), &number, sizeof number) &&
        is_read(em__parse_u64(text, size, &value), &value, sizeof value)) {
        insist(number >= 0 && (uint64_t)number == value);
    }
    insist(!is_read(em__parse_cpu_time(text, size, &time), &time, sizeof time) || time.busy <= time.total);
}

static void parse_cpuinfo(const char *text, size_t size)
{
    em__cpuinfo info;
    memset(&info, MARK, sizeof info);
    if (is_read(em__parse_cpuinfo(text, size, &info), &info, sizeof info)) {
        insist(memchr(info.vendor, '\0', sizeof info.vendor) && memchr(info.model, '\0', sizeof info.model));
        insist(info.cpus > 0 && info.cpus <= size && info.packages <= size);
    }
}

static void parse_units(const char *text, size_t size)
{
    uint64_t config, scale[2];
    struct {
        size_t count;
        uint32_t cpus[64];
    } list;
    memset(&config, MARK, sizeof config);
    memset(scale, MARK, sizeof scale);
    memset(&list, MARK, sizeof list);
    is_read(em__parse_event(text, size, &config), &config, sizeof config);
    if (is_read(em__parse_cpu_list(text, size, list.cpus, 64, &list.count), &list, sizeof list)) {
        insist(list.count > 0 && list.count <= 64);
        for (size_t i = 0; i < list.count; i++) {
            insist(list.cpus[i] <= INT32_MAX);
        }
    }
    for (int shift = -6; shift <= 6; shift += 6) {
        memset(scale, MARK, sizeof scale);
        insist(!is_read(em__parse_scale(text, size, shift, &scale[0], &scale[1]), scale, sizeof scale) ||
               (scale[0] > 0 && scale[1] > 0));
    }
}

static void parse_quantities(const char *text, size_t size)
{
    uint64_t out[2], number;
    for (int shift = 0; shift <= 12; shift += 6) {
        memset(out, MARK, sizeof out);
        if (is_read(em__parse_quantity(text, size, "kWh", shift, &out[0], &out[1]), out, sizeof out)) {
            insist(out[1] > 0);
            insist(shift > 0 || em__parse_u64(text, size, &number) != 0 || number == out[0]);
        }
    }
}

static void parse_names(const char *name)
{
    em__zone_name zone;
    em__zone_path path;
    memset(&zone, MARK, sizeof zone);
    memset(&path, MARK, sizeof path);
    if (is_read(em__parse_zone_name(name, &zone), &zone, sizeof zone)) {
        insist(zone.number >= -1 && zone.die >= -1 && (zone.kind == EM__ZONE_DIE) == (zone.die >= 0));
    }
    if (is_read(em__parse_zone_path(name, &path), &path, sizeof path)) {
        insist(path.control_type[0] && memchr(path.control_type, '\0', sizeof path.control_type));
        insist(path.depth >= 0 && path.depth <= 2);
    }
}

static void parse_hwmon(const char *text)
{
    em__hwmon_attribute attribute;
    int32_t number;
    size_t length = strlen(text);
    memset(&attribute, MARK, sizeof attribute);
    memset(&number, MARK, sizeof number);
    if (is_read(em__parse_hwmon_attribute(text, &attribute), &attribute, sizeof attribute)) {
        insist(attribute.type <= EM__HWMON_CURR && attribute.number >= 0 && attribute.number <= 9999);
    }
    const char *pci = em__parse_pci(text, length);
    insist(!pci || (pci >= text && pci < text + length && strlen(pci) >= 12 && strlen(pci) < 16));
    const char *half = text + length / 2; /* as a pattern */
    if (is_read(em__parse_label(text, half, &number), &number, sizeof number)) {
        insist(number >= -1);
    }
    insist(strpbrk(text, "#*") || em__parse_label(text, text, &number) == 0);
}

static void parse_around(const char *text, size_t size)
{
    uint64_t tasks, first;
    em__kfd_node node;
    em__root_image root;
    memset(&root, MARK, sizeof root);
    insist(!is_read(em__parse_mounts(text, size, &root), &root, sizeof root) || root <= EM__ROOT_CONTAINERD);
    memset(&node, MARK, sizeof node);
    insist(!is_read(em__parse_kfd_node(text, size, &node), &node, sizeof node) || size > 11);
    memset(&tasks, MARK, sizeof tasks);
    first = tasks;
    if (is_read(em__parse_tasks(text, size, UINT64_MAX, &tasks), &tasks, sizeof tasks)) {
        insist(em__parse_tasks(text, size, 0, &first) == 0);
    }
}

static void parse_table(const char *bytes, size_t size)
{
    em__gpu_metrics metrics;
    memset(&metrics, MARK, sizeof metrics);
    if (is_read(em__parse_gpu_metrics(bytes, size, &metrics), &metrics, sizeof metrics)) {
        insist(metrics.has_power || metrics.power_mw == 0);
        insist(metrics.power_mw <= UINT64_C(1000) * UINT32_MAX && metrics.energy != UINT64_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name = malloc(size + 1);
    insist(name != NULL);
    parse_values((const char *)data, size);
    parse_cpuinfo((const char *)data, size);
    parse_units((const char *)data, size);
    parse_quantities((const char *)data, size);
    parse_table((const char *)data, size);
    parse_around((const char *)data, size);
    memcpy(name, size ? (const char *)data : "", size);
    name[size] = '\0';
    parse_names(name);
    parse_hwmon(name);
    free(name);
    return 0;
}
