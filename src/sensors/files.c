/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reads the files of one device. What is asleep is not touched: its gauges answer 0, its counters stand. */
#include "sensors/files.h"

#include "core/text.h"
#include "platform/parse.h"
#include "sensors/hwmon_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 64, TABLE_BYTES = 4096, UW_PER_MW = 1000, REACH = 2 /* files of a channel */ };

typedef struct {
    em__file *files[REACH];
    char paths[REACH][EM__SOURCE_SIZE];
    em__file_way way;
    uint64_t last;   /* of a counter, as it was shown */
    uint64_t before; /* of a counter that was asleep when it was found: where it stood when it woke */
    int is_started;
} entry;

struct em__files {
    em__device base;
    em__host *host;
    em__file *sleep; /* power/runtime_status; NULL: it never sleeps */
    char sleep_path[EM__SOURCE_SIZE];
    char root[64], place[EM__SOURCE_SIZE], name_path[EM__SOURCE_SIZE], name[32];
    entry *entries;
};

/* ---------------------------------------------------------------------------------------------------------- reading */

static int read_number(em__file *file, int64_t *ret_value)
{
    char text[NUMBER_BYTES];
    int length = file->host->ops->read(file, text, sizeof text);
    if (length < 0) {
        return length;
    }
    return length == NUMBER_BYTES || em__parse_i64(text, (size_t)length, ret_value) < 0 ? -EILSEQ : 0;
}

static int read_table(em__file *file, em__file_way way, int64_t *ret_value)
{
    char bytes[TABLE_BYTES];
    em__gpu_metrics metrics;
    int length = file->host->ops->read(file, bytes, sizeof bytes);
    if (length < 0) {
        return length;
    }
    if (em__parse_gpu_metrics(bytes, (size_t)length, &metrics) < 0) {
        return -EILSEQ;
    }
    int counts = (way & EM__FILE_COUNTS) != 0;
    if (counts ? !metrics.has_energy || !(metrics.is_stated || way & EM__FILE_ANY_UNIT) : !metrics.has_power) {
        return -EOPNOTSUPP;
    }
    uint64_t value = counts ? metrics.energy : metrics.power_mw * UW_PER_MW;
    if (value > INT64_MAX) {
        return -EILSEQ;
    }
    *ret_value = (int64_t)value;
    return 0;
}

/* A current may be a few mA below nothing, by the noise of its shunt; a power may not. */
static int read_entry(const entry *from, uint64_t *ret_value)
{
    int64_t value, times = 1;
    int error = !from->files[0]              ? -ENODEV
                : from->way & EM__FILE_TABLE ? read_table(from->files[0], from->way, &value)
                                             : read_number(from->files[0], &value);
    if (error == 0 && from->paths[1][0]) {
        error = from->files[1] ? read_number(from->files[1], &times) : -ENODEV;
        times = error == 0 && times < 0 ? 0 : times;
    }
    if (error < 0) {
        return error;
    }
    if (value < 0 || (times > 0 && value > INT64_MAX / times)) {
        return -EILSEQ;
    }
    if (value == 0 && from->way & EM__FILE_NEVER_ZERO) {
        return -ENODATA;
    }
    *ret_value = (uint64_t)value * (uint64_t)times;
    return 0;
}

static int is_asleep(const em__files *files)
{
    char text[NUMBER_BYTES];
    if (!files->sleep) {
        return 0;
    }
    int length = files->sleep->host->ops->read(files->sleep, text, sizeof text);
    return length >= 7 && strncmp(text, "suspend", 7) == 0; /* suspended, suspending */
}

static em__reading shown(em__files *files, size_t index, int sleeps)
{
    entry *from = &files->entries[index];
    const em__channel *channel = &files->base.channels[index];
    uint64_t value = 0;
    if (sleeps) {
        return (em__reading){.value = from->way & EM__FILE_COUNTS ? from->last : 0};
    }
    int error = read_entry(from, &value);
    if (error == 0 && channel->kind == EM_KIND_GAUGE && channel->ceiling_mw > 0 &&
        value / UW_PER_MW > channel->ceiling_mw) {
        error = -EILSEQ;
    }
    if ((error == -EPERM || error == -EACCES) && files->sleep) {
        error = -EBUSY; /* It went to sleep between the two files. */
    }
    if (error < 0) {
        return em__reading_failed(error);
    }
    if (from->way & EM__FILE_COUNTS) {
        from->before = from->is_started ? from->before : value;
        from->is_started = 1;
        value = value >= from->before ? value - from->before : value;
        from->last = value;
    }
    return (em__reading){.value = value};
}

static void files_read(em__device *device, uint64_t wanted, em__reading out[])
{
    em__files *files = (em__files *)device;
    int sleeps = is_asleep(files);
    for (size_t i = 0; i < device->channel_count; i++) {
        const em__channel *channel = &device->channels[i];
        if (!(wanted & EM__CHANNEL_BIT(i))) {
            continue;
        }
        if (channel->status != EM_OK) {
            out[i] = (em__reading){.outcome = EM__READ_GONE, .status = channel->status};
        } else {
            out[i] = shown(files, i, sleeps);
        }
    }
}

/* --------------------------------------------------------------------------------------------------- opening, closing */

static void close_file(em__file **file)
{
    if (*file) {
        (*file)->host->ops->close(*file);
    }
    *file = NULL;
}

static void close_entry(entry *from)
{
    for (int i = 0; i < REACH; i++) {
        close_file(&from->files[i]);
    }
}

static int open_entry(em__files *files, entry *from)
{
    int error = 0;
    for (int i = 0; i < REACH && error == 0 && from->paths[i][0]; i++) {
        error = files->host->ops->open(files->host, from->paths[i], &from->files[i]);
        from->files[i] = error < 0 ? NULL : from->files[i];
    }
    if (error < 0) {
        close_entry(from);
    }
    return error;
}

static void files_destroy(em__device *device)
{
    em__files *files = (em__files *)device;
    for (size_t i = 0; files->entries && i < device->channel_count; i++) {
        close_entry(&files->entries[i]);
    }
    close_file(&files->sleep);
    free(files->entries);
    em__host_unref(files->host);
    em__device_free_channels(device);
    free(files);
}

static int is_the_same(const em__files *files)
{
    char text[EM__SOURCE_SIZE];
    if (files->place[0] &&
        (em__hwmon_place(files->host, files->root, text, sizeof text) < 0 || strcmp(text, files->place) != 0)) {
        return 0;
    }
    return !files->name_path[0] ||
           (em__host_text(files->host, files->name_path, text, sizeof text) >= 0 && strcmp(text, files->name) == 0);
}

static int files_revive(em__device *device)
{
    em__files *files = (em__files *)device;
    int found = 0;
    if (!is_the_same(files)) {
        return -1;
    }
    close_file(&files->sleep);
    if (files->sleep_path[0]) {
        files->host->ops->open(files->host, files->sleep_path, &files->sleep);
    }
    int sleeps = is_asleep(files);
    for (size_t i = 0; i < device->channel_count; i++) {
        entry *from = &files->entries[i];
        uint64_t value;
        close_entry(from);
        if (device->channels[i].status == EM_OK && open_entry(files, from) == 0) {
            found += sleeps || read_entry(from, &value) == 0;
        }
    }
    return found > 0 ? 0 : -1;
}

static const em__device_ops files_ops = {.read = files_read, .destroy = files_destroy, .revive = files_revive};

/* ---------------------------------------------------------------------------------------------------------- making */

int em__files_create(em__host *host, const em__sensor *sensor, size_t channel_count, em__files **ret_files)
{
    em__files *files = calloc(1, sizeof *files);
    if (!files || em__device_init(&files->base, &files_ops, sensor, channel_count) != EM_OK) {
        free(files);
        return EM_ERR_NO_MEMORY;
    }
    files->host = em__host_ref(host);
    files->entries = calloc(channel_count + 1, sizeof *files->entries);
    if (!files->entries) {
        files_destroy(&files->base);
        return EM_ERR_NO_MEMORY;
    }
    *ret_files = files;
    return EM_OK;
}

em__channel *em__files_channel(em__files *files, size_t index)
{
    return &files->base.channels[index];
}

int em__files_watch_sleep(em__files *files, const char *status_path)
{
    em__copy(files->sleep_path, sizeof files->sleep_path, status_path);
    if (files->host->ops->open(files->host, status_path, &files->sleep) < 0) {
        files->sleep = NULL;
        files->sleep_path[0] = '\0';
    }
    return is_asleep(files);
}

void em__files_identify(em__files *files, const char *root, const char *name_path, const char *name)
{
    em__copy(files->root, sizeof files->root, root);
    em__copy(files->name_path, sizeof files->name_path, name_path);
    em__copy(files->name, sizeof files->name, name);
    if (!root[0] || em__hwmon_place(files->host, root, files->place, sizeof files->place) < 0) {
        files->place[0] = '\0';
    }
}

static void describe_failure(int error, const char *path, em__channel *channel)
{
    const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (error == -EACCES || error == -EPERM) {
        channel->status = EM_ERR_PERMISSION;
        em__print(channel->reason, sizeof channel->reason, "this user may not read %s; sudo chmod a+r %s", file, path);
    } else if (error == -ENOENT || error == -EOPNOTSUPP) {
        channel->status = EM_ERR_NOT_SUPPORTED;
        em__print(channel->reason, sizeof channel->reason, "the driver offers no %s here", file);
    } else {
        channel->status = EM_ERR_BROKEN;
        em__print(channel->reason, sizeof channel->reason,
                  error == -EILSEQ    ? "%s answers with what is no believable number"
                  : error == -ENODATA ? "%s has no value (0 or none), which no running device has"
                                      : "%s answers with an error",
                  file);
    }
}

void em__files_add(em__files *files, size_t index, const char *path, const char *times, em__file_way way,
                   uint64_t *ret_value)
{
    em__channel *channel = &files->base.channels[index];
    entry *made = &files->entries[index];
    uint64_t value = 0;
    int sleeps = is_asleep(files);
    made->way = way;
    em__copy(made->paths[0], sizeof made->paths[0], path);
    em__copy(made->paths[1], sizeof made->paths[1], times ? times : "");
    if (!channel->source[0]) {
        em__copy(channel->source, sizeof channel->source, path);
    }
    channel->kind = way & EM__FILE_COUNTS ? EM_KIND_COUNTER : EM_KIND_GAUGE;
    channel->scale_den = way & EM__FILE_COUNTS ? 1 : UW_PER_MW;
    if (way & EM__FILE_TABLE && way & EM__FILE_COUNTS) {
        channel->scale_num = 15625; /* 10^6 µJ in 2^16 units */
        channel->scale_den = 1024;
    }
    made->is_started = !sleeps;
    int error = open_entry(files, made);
    if (error == 0 && !sleeps) {
        error = read_entry(made, &value);
        made->last = error < 0 ? 0 : value;
    }
    if (error < 0) {
        close_entry(made);
        describe_failure(error, path, channel);
    } else if (sleeps) {
        em__print(channel->reason, sizeof channel->reason,
                  "asleep when it was found; it is never woken, and while it "
                  "sleeps it counts as 0 W");
    }
    if (ret_value) {
        *ret_value = value;
    }
}

void em__files_drop(em__files *files, size_t index)
{
    size_t behind = --files->base.channel_count - index;
    close_entry(&files->entries[index]);
    memmove(&files->entries[index], &files->entries[index + 1], behind * sizeof *files->entries);
    memmove(&files->base.channels[index], &files->base.channels[index + 1], behind * sizeof *files->base.channels);
}

void em__files_cut(em__files *files, size_t count)
{
    files->base.channel_count = count < files->base.channel_count ? count : files->base.channel_count;
}

int em__files_finish(em__files *files, em__probe *probe)
{
    return em__probe_add(probe, &files->base);
}

void em__files_destroy(em__files *files)
{
    files_destroy(&files->base);
}
