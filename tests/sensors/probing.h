/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the tests of sensors share: small machines made by hand, recorded ones, and looking things up in a probe. */
#ifndef TESTS_SENSORS_PROBING_H
#define TESTS_SENSORS_PROBING_H

#include "check.h"

#include "core/json.h"
#include "platform/machine.h"
#include "sensors/sensor.h"
#include "sensors/visible.h"

#include <errno.h>
#include <stdlib.h>

static em_error probing_error;

static inline em__selection everything(void)
{
    probing_error = (em_error){.size = sizeof probing_error};
    return (em__selection){
        .measure = UINT32_MAX, .cpu_tdp_w = NAN, .gpu_tdp_w = NAN, .gpus = "visible", .error = &probing_error};
}

/* One sensor, and the end of the choice of GPUs. */
static inline int probe_alone(const em__sensor *sensor, em__host *host, const em__selection *selection,
                              em__probe *ret_probe)
{
    *ret_probe = (em__probe){0};
    int status = sensor->probe(host, selection, ret_probe);
    if (status == EM_OK) {
        status = selection->measure & 1u << EM_DOMAIN_GPU ? em__visible_finish(host, selection, &ret_probe->choices)
                                                          : em__visible_check(selection);
    }
    if (status != EM_OK) {
        em__sensors_free(ret_probe);
    }
    return status;
}

static inline em__host *empty_machine(int as_user)
{
    em__host *host = NULL;
    if (em__machine_create(as_user, NULL, &host) < 0) {
        abort();
    }
    return host;
}

static inline void put(em__host *host, const char *path, const char *content)
{
    if (em__machine_set_file(host, path, content, strlen(content), 0444, 0) < 0) {
        abort();
    }
}

static inline void put_broken(em__host *host, const char *path, int error)
{
    if (em__machine_set_file(host, path, "", 0, 0444, error) < 0) {
        abort();
    }
}

static inline char *load_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        abort();
    }
    size_t length = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    for (size_t got; text && (got = fread(text + length, 1, capacity - length, file)) > 0; length += got) {
        if (length + got == capacity) {
            text = realloc(text, capacity *= 2);
        }
    }
    fclose(file);
    if (!text) {
        abort();
    }
    *ret_length = length;
    return text;
}

static inline em__host *recorded_machine(const char *name, int as_user)
{
    char path[512], why[256] = "";
    em__host *host = NULL;
    snprintf(path, sizeof path, "%s/%s.json", EM_TEST_MACHINES, name);
    if (em__host_open(path, as_user, NULL, why, sizeof why, &host) < 0) {
        printf("# %s\n", why);
        abort();
    }
    return host;
}

static inline em__channel *channel_named(const em__probe *probe, const char *name, em__device **ret_device)
{
    for (size_t i = 0; i < probe->device_count; i++) {
        for (size_t j = 0; j < probe->devices[i]->channel_count; j++) {
            if (strcmp(probe->devices[i]->channels[j].name, name) == 0) {
                if (ret_device) {
                    *ret_device = probe->devices[i];
                }
                return &probe->devices[i]->channels[j];
            }
        }
    }
    return NULL;
}

static inline em__channel *channel_at(const em__probe *probe, const char *source, em__device **ret_device)
{
    for (size_t i = 0; i < probe->device_count; i++) {
        for (size_t j = 0; j < probe->devices[i]->channel_count; j++) {
            if (strcmp(probe->devices[i]->channels[j].source, source) == 0) {
                if (ret_device) {
                    *ret_device = probe->devices[i];
                }
                return &probe->devices[i]->channels[j];
            }
        }
    }
    return NULL;
}

static inline const em__absence *absence_of(const em__probe *probe, const char *sensor, int status)
{
    for (size_t i = 0; i < probe->absence_count; i++) {
        if (strcmp(probe->absences[i].sensor, sensor) == 0 && probe->absences[i].status == status) {
            return &probe->absences[i];
        }
    }
    return NULL;
}

/* The first channel of a device. */
static inline em__reading read_one(em__device *device)
{
    em__reading reading = {0};
    device->ops->read(device, EM__CHANNEL_BIT(0), &reading);
    return reading;
}

#endif
