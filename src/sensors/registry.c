/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The table of the build's sensors, and what every sensor needs to hand in what it found. */
#include "sensors/sensor.h"

#include "core/text.h"
#include "sensors/gpu_bus.h"
#include "sensors/hwmon_scan.h"
#include "sensors/visible.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of rank. */
static const em__sensor *const sensors[] = {
    &em__sensor_replay, &em__sensor_rapl_perf, &em__sensor_rapl_powercap, &em__sensor_nvml,
    &em__sensor_amdgpu, &em__sensor_intel_gpu, &em__sensor_battery,       &em__sensor_file,
    &em__sensor_hwmon,  &em__sensor_dtpm,      &em__sensor_tdp,
};

const em__sensor *em__sensor_at(size_t index)
{
    return index < sizeof sensors / sizeof sensors[0] ? sensors[index] : NULL;
}

int em__sensors_probe(em__host *host, const em__selection *selection, em__probe *ret_probe)
{
    em__probe found = {0};
    int wants_gpus = (selection->measure & 1u << EM_DOMAIN_GPU) != 0;
    int status = wants_gpus ? EM_OK : em__visible_check(selection);
    for (size_t i = 0; status == EM_OK && em__sensor_at(i); i++) {
        const em__sensor *sensor = em__sensor_at(i);
        int is_out = selection->tape && sensor != &em__sensor_replay;
        status = is_out ? em__probe_absent(&found, sensor, EM_ERR_NOT_SELECTED, "",
                                           "a trace is replayed in the place of this machine")
                        : sensor->probe(host, selection, &found);
    }
    int conjures = (selection->present_gpu && found.choices.boards == 0) || selection->tape;
    if (status == EM_OK && wants_gpus) {
        status = conjures ? em__visible_check(selection) : em__visible_finish(host, selection, &found.choices);
    }
    if (status == EM_OK) {
        em__container_look(host, &found, &found.container);
    } else {
        em__sensors_free(&found);
    }
    em__hwmon_free(found.hwmon);
    em__gpu_bus_free(found.bus);
    found.hwmon = NULL;
    found.bus = NULL;
    *ret_probe = found;
    return status;
}

void em__sensors_free(em__probe *probe)
{
    for (size_t i = 0; i < probe->device_count; i++) {
        if (probe->devices[i]) {
            probe->devices[i]->ops->destroy(probe->devices[i]);
        }
    }
    free(probe->devices);
    free(probe->absences);
    em__hwmon_free(probe->hwmon);
    em__gpu_bus_free(probe->bus);
    *probe = (em__probe){0};
}

int em__device_init(em__device *device, const em__device_ops *ops, const em__sensor *sensor, size_t channel_count)
{
    if (channel_count > EM__DEVICE_CHANNELS) {
        return EM_ERR_INVALID;
    }
    em__channel *channels = calloc(channel_count ? channel_count : 1, sizeof *channels);
    if (!channels) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < channel_count; i++) {
        channels[i].package = channels[i].die = channels[i].gpu = -1;
        channels[i].scale_num = channels[i].scale_den = 1;
        channels[i].tdp_each_w = channels[i].tdp_count = NAN;
    }
    *device = (em__device){
        .ops = ops, .sensor = sensor->name, .rank = sensor->rank, .channels = channels, .channel_count = channel_count};
    return EM_OK;
}

void em__device_free_channels(em__device *device)
{
    free(device->channels);
    device->channels = NULL;
    device->channel_count = 0;
}

em__reading em__reading_failed(int error)
{
    switch (error) {
    case -EACCES:
    case -EPERM:
        return (em__reading){.outcome = EM__READ_GONE, .status = EM_ERR_PERMISSION};
    case -ENOENT:
    case -ENODEV:
        return (em__reading){.outcome = EM__READ_GONE, .status = EM_ERR_GONE};
    default:
        return (em__reading){.outcome = EM__READ_AGAIN, .status = EM_ERR_READ};
    }
}

/* Room for one more; NULL leaves all as it was. */
static void *grown(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity) {
        return items;
    }
    size_t wider = *capacity ? *capacity * 2 : 8;
    void *larger = wider <= SIZE_MAX / item_size ? realloc(items, wider * item_size) : NULL;
    if (larger) {
        *capacity = wider;
    }
    return larger;
}

int em__probe_add(em__probe *probe, em__device *device)
{
    em__device **devices = grown(probe->devices, probe->device_count, &probe->device_capacity, sizeof *devices);
    if (!devices) {
        device->ops->destroy(device);
        return EM_ERR_NO_MEMORY;
    }
    probe->devices = devices;
    probe->devices[probe->device_count++] = device;
    return EM_OK;
}

int em__probe_absent(em__probe *probe, const em__sensor *sensor, int status, const char *hint, const char *reason, ...)
{
    em__absence *absences = grown(probe->absences, probe->absence_count, &probe->absence_capacity, sizeof *absences);
    if (!absences) {
        return EM_ERR_NO_MEMORY;
    }
    probe->absences = absences;
    em__absence *absence = &absences[probe->absence_count++];
    *absence = (em__absence){.status = status};
    absence->is_idle = status == EM_ERR_NOT_SELECTED && !hint[0];
    em__copy(absence->sensor, sizeof absence->sensor, sensor->name);
    em__copy(absence->hint, sizeof absence->hint, hint);
    char text[EM__TEXT_SIZE * 2];
    va_list arguments;
    va_start(arguments, reason);
    vsnprintf(text, sizeof text, reason, arguments);
    va_end(arguments);
    em__copy(absence->reason, sizeof absence->reason, text);
    return EM_OK;
}

void em__probe_idle(em__probe *probe)
{
    if (probe->absence_count > 0) {
        probe->absences[probe->absence_count - 1].is_idle = 1;
    }
}

int em__probe_explain(em__probe *probe, const em__sensor *sensor, size_t first_device, const char *hint,
                      const char *reason)
{
    const em__channel *unread = NULL;
    for (size_t i = first_device; i < probe->device_count; i++) {
        const em__device *device = probe->devices[i];
        for (size_t j = 0; j < device->channel_count && strcmp(device->sensor, sensor->name) == 0; j++) {
            if (device->channels[j].status == EM_OK) {
                return EM_OK;
            }
            unread = unread ? unread : &device->channels[j];
        }
    }
    if (unread) {
        return em__probe_absent(probe, sensor, unread->status, hint, "%s: %s", unread->name, unread->reason);
    }
    int status = em__probe_absent(probe, sensor, EM_ERR_NO_DRIVER, hint, "%s", reason);
    em__probe_idle(probe);
    return status;
}

int em__probe_hwmon(em__host *host, em__probe *probe, const struct em__hwmon **ret_hwmon)
{
    if (!probe->hwmon && em__hwmon_scan(host, &probe->hwmon) < 0) {
        return EM_ERR_NO_MEMORY;
    }
    *ret_hwmon = probe->hwmon;
    return EM_OK;
}

int32_t em__probe_next_gpu(const em__probe *probe)
{
    int32_t next = probe->gpus;
    for (size_t i = 0; i < probe->device_count; i++) {
        for (size_t j = 0; j < probe->devices[i]->channel_count; j++) {
            if (probe->devices[i]->channels[j].gpu >= next) {
                next = probe->devices[i]->channels[j].gpu + 1;
            }
        }
    }
    return next;
}

int32_t em__probe_thing(em__probe *probe)
{
    return ++probe->things;
}
