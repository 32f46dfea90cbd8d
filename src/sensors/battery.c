/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a machine draws from its batteries, all of them together, while it runs on them. On mains they tell nothing of what
 * it uses. */
#include "core/text.h"
#include "platform/parse.h"
#include "sensors/sensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BATTERIES = 8, WORD_BYTES = 64, FILES = 3, UW_PER_MW = 1000, PW_PER_UW = 1000000 };
enum { STATUS, POWER, VOLTAGE };
#define INTERVAL_NS UINT64_C(1000000000) /* firmware answers in milliseconds, and measures every few seconds */

static const char class_folder[] = "/sys/class/power_supply";

typedef struct {
    char name[48];
    em__file *files[FILES]; /* VOLTAGE: only where POWER is a current */
    int has_volts;
} battery;

typedef struct {
    em__device base;
    em__host *host;
    battery batteries[MOST_BATTERIES];
    size_t count;
} battery_device;

/* ---------------------------------------------------------------------------------------------------------- reading */

static int read_value(em__file *file, uint64_t *ret_value)
{
    char text[WORD_BYTES];
    int64_t value;
    int length = file ? file->host->ops->read(file, text, sizeof text) : -ENODEV;
    if (length < 0) {
        return length;
    }
    if (length == WORD_BYTES || em__parse_i64(text, (size_t)length, &value) < 0) {
        return -EILSEQ;
    }
    *ret_value = (uint64_t)(value < 0 ? -value : value); /* Some drivers show what flows out as negative. */
    return 0;
}

/* 1: discharging; 0: not; or -errno. */
static int is_discharging(em__file *file)
{
    char text[WORD_BYTES];
    int length = file ? file->host->ops->read(file, text, sizeof text) : -ENODEV;
    return length < 0 ? length : length >= 11 && strncmp(text, "Discharging", 11) == 0;
}

static int read_battery(const battery *from, uint64_t *ret_uw)
{
    uint64_t power, volts;
    int error = read_value(from->files[POWER], &power);
    if (error == 0 && from->has_volts) {
        error = read_value(from->files[VOLTAGE], &volts);
        if (error == 0 && volts > 0 && power > UINT64_MAX / volts) {
            error = -EILSEQ;
        }
        power = error == 0 ? power * volts / PW_PER_UW : 0;
    }
    if (error == 0) {
        *ret_uw = power;
    }
    return error;
}

static int read_all(const battery_device *device, uint64_t *ret_uw, int *ret_discharging)
{
    uint64_t total_uw = 0, uw;
    int discharging = 0;
    for (size_t i = 0; i < device->count; i++) {
        int error = is_discharging(device->batteries[i].files[STATUS]);
        if (error == 1) {
            discharging++;
            error = read_battery(&device->batteries[i], &uw);
            if (error == 0) {
                total_uw = uw > UINT64_MAX / MOST_BATTERIES - total_uw ? UINT64_MAX / MOST_BATTERIES : total_uw + uw;
            }
        }
        if (error < 0) {
            return error;
        }
    }
    *ret_uw = total_uw;
    *ret_discharging = discharging;
    return 0;
}

static void battery_read(em__device *base, uint64_t wanted, em__reading out[])
{
    (void)wanted;
    const battery_device *device = (const battery_device *)base;
    const em__channel *channel = &base->channels[0];
    uint64_t uw = 0;
    int discharging = 0;
    if (channel->status != EM_OK) {
        out[0] = (em__reading){.outcome = EM__READ_GONE, .status = channel->status};
        return;
    }
    int error = read_all(device, &uw, &discharging);
    if (error == 0 && discharging == 0) {
        out[0] = (em__reading){.outcome = EM__READ_AGAIN, .status = EM_ERR_NOT_SUPPORTED};
        return;
    }
    if (error == 0 && (uw == 0 || uw / UW_PER_MW > channel->ceiling_mw)) {
        error = -ENODATA;
    }
    out[0] = error < 0 ? em__reading_failed(error) : (em__reading){.value = uw};
}

/* -------------------------------------------------------------------------------------------------- opening, closing */

static void close_battery(battery *from)
{
    for (int i = 0; i < FILES; i++) {
        if (from->files[i]) {
            from->files[i]->host->ops->close(from->files[i]);
        }
        from->files[i] = NULL;
    }
}

static int open_file(em__host *host, battery *made, int which, const char *file)
{
    char path[EM__SOURCE_SIZE];
    em__print(path, sizeof path, "%s/%s/%s", class_folder, made->name, file);
    int error = host->ops->open(host, path, &made->files[which]);
    if (error < 0) {
        made->files[which] = NULL;
    }
    return error;
}

static int open_battery(em__host *host, battery *made)
{
    int error = open_file(host, made, STATUS, "status");
    if (error < 0) {
        return error;
    }
    made->has_volts = 0;
    error = open_file(host, made, POWER, "power_now");
    if (error == -ENOENT) {
        made->has_volts = 1;
        error = open_file(host, made, POWER, "current_now");
        error = error < 0 ? error : open_file(host, made, VOLTAGE, "voltage_now");
    }
    if (error < 0) {
        close_battery(made);
    }
    return error;
}

static void battery_destroy(em__device *base)
{
    battery_device *device = (battery_device *)base;
    for (size_t i = 0; i < device->count; i++) {
        close_battery(&device->batteries[i]);
    }
    em__host_unref(device->host);
    em__device_free_channels(base);
    free(device);
}

static int battery_revive(em__device *base)
{
    battery_device *device = (battery_device *)base;
    for (size_t i = 0; i < device->count; i++) {
        close_battery(&device->batteries[i]);
        if (open_battery(device->host, &device->batteries[i]) < 0) {
            return -1;
        }
    }
    return base->channels[0].status == EM_OK ? 0 : -1;
}

static const em__device_ops battery_ops = {.read = battery_read, .destroy = battery_destroy, .revive = battery_revive};

/* ---------------------------------------------------------------------------------------------------------- probing */

typedef struct {
    em__host *host;
    battery_device *device;
    int error; /* of the first battery that cannot be read */
} search;

/* The batteries of mice and keyboards have scope Device. */
static int note_supply(void *context, const char *name)
{
    search *s = context;
    char path[EM__SOURCE_SIZE], word[WORD_BYTES];
    if (s->device->count == MOST_BATTERIES || strlen(name) >= sizeof s->device->batteries[0].name) {
        return 0;
    }
    em__print(path, sizeof path, "%s/%s/type", class_folder, name);
    if (em__host_text(s->host, path, word, sizeof word) < 0 || strcmp(word, "Battery") != 0) {
        return 0;
    }
    em__print(path, sizeof path, "%s/%s/scope", class_folder, name);
    if (em__host_text(s->host, path, word, sizeof word) >= 0 && strcmp(word, "Device") == 0) {
        return 0;
    }
    battery *made = &s->device->batteries[s->device->count];
    *made = (battery){0};
    em__copy(made->name, sizeof made->name, name);
    int error = open_battery(s->host, made);
    if (error < 0) {
        s->error = s->error ? s->error : error;
    } else {
        s->device->count++;
    }
    return 0;
}

static void describe(battery_device *device, em__probe *probe)
{
    em__channel *channel = &device->base.channels[0];
    uint64_t uw;
    int discharging;
    em__copy(channel->name, sizeof channel->name, "platform/battery");
    em__print(channel->source, sizeof channel->source, "%s/", class_folder);
    for (size_t i = 0; i < device->count; i++) {
        size_t length = strlen(channel->source);
        em__print(channel->source + length, sizeof channel->source - length, "%s%s", i > 0 ? "," : "",
                  device->batteries[i].name);
    }
    channel->domain = EM_DOMAIN_PLATFORM;
    channel->kind = EM_KIND_GAUGE;
    channel->covers = EM__COVERS_PLATFORM;
    channel->thing = em__probe_thing(probe);
    channel->scale_den = UW_PER_MW;
    channel->interval_ns = channel->refresh_ns = INTERVAL_NS;
    channel->ceiling_mw = 1000000;
    channel->gain = 0.10;
    int error = read_all(device, &uw, &discharging);
    if (error < 0) {
        channel->status = error == -EACCES || error == -EPERM ? EM_ERR_PERMISSION : EM_ERR_BROKEN;
        em__copy(channel->reason, sizeof channel->reason,
                 channel->status == EM_ERR_PERMISSION ? "this user may not read a battery's power"
                                                      : "a battery answers with an error or with no number");
    } else if (discharging == 0) {
        em__copy(channel->reason, sizeof channel->reason,
                 "not discharging when it was found: on mains a battery says nothing of what the machine uses");
    }
}

static int battery_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    if (!(selection->measure & 1u << EM_DOMAIN_PLATFORM)) {
        return em__probe_absent(probe, &em__sensor_battery, EM_ERR_NOT_SELECTED, "",
                                "the options leave the whole machine out");
    }
    static const char hint[] = "nothing to do without a battery; else let this user read its status and power_now";
    battery_device *made = calloc(1, sizeof *made);
    if (!made || em__device_init(&made->base, &battery_ops, &em__sensor_battery, 1) != EM_OK) {
        free(made);
        return EM_ERR_NO_MEMORY;
    }
    made->host = em__host_ref(host);
    search s = {.host = host, .device = made};
    host->ops->list(host, class_folder, note_supply, &s);
    size_t first = probe->device_count;
    if (made->count == 0) {
        battery_destroy(&made->base);
        int is_denied = s.error == -EACCES || s.error == -EPERM;
        int status = em__probe_absent(probe, &em__sensor_battery, is_denied ? EM_ERR_PERMISSION : EM_ERR_NOT_SUPPORTED,
                                      hint, "%s %s", class_folder,
                                      is_denied      ? "has a battery that this user may not read"
                                      : s.error == 0 ? "has no battery"
                                                     : "has a battery that tells no power");
        if (s.error == 0) {
            em__probe_idle(probe);
        }
        return status;
    }
    describe(made, probe);
    int status = em__probe_add(probe, &made->base);
    return status == EM_OK ? em__probe_explain(probe, &em__sensor_battery, first, hint, "no battery") : status;
}

const em__sensor em__sensor_battery = {"battery", 44, battery_probe};
