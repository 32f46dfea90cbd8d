/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* This machine's own counters, read beside the meter and compared with what it says. 77: there is nothing to compare. */
#include "check.h"
#include "energy_meter.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CHANNELS = 256, SKIPPED = 77 };

static const double busy_s = 5;

typedef struct {
    em_channel channel, direct; /* direct: the same silicon, whose counter is read past the meter */
    size_t index;
    double begin_j, end_j; /* of its own counter, read past the meter; NAN: it has none that can be read so */
} compared;

static compared rows[CHANNELS];
static size_t row_count;
static em_meter *meter;

typedef struct nvml_device nvml_device;
static int (*nvml_by_uuid)(const char *, nvml_device **);
static int (*nvml_energy)(nvml_device *, unsigned long long *);

static void open_nvml(void)
{
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        return;
    }
    int (*start)(void);
    *(void **)&start = dlsym(library, "nvmlInit_v2");
    *(void **)&nvml_by_uuid = dlsym(library, "nvmlDeviceGetHandleByUUID");
    *(void **)&nvml_energy = dlsym(library, "nvmlDeviceGetTotalEnergyConsumption");
    if (!start || start() != 0) {
        nvml_by_uuid = NULL;
    }
}

static double read_powercap_j(const char *zone, const char *file)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", zone, file);
    FILE *stream = fopen(path, "r");
    uint64_t uj = 0;
    int is_read = stream && fscanf(stream, "%" SCNu64, &uj) == 1;
    if (stream) {
        fclose(stream);
    }
    return is_read ? (double)uj / 1e6 : NAN;
}

static double read_directly_j(const em_channel *channel)
{
    nvml_device *board = NULL;
    unsigned long long mj = 0;
    if (strcmp(channel->sensor, "rapl-powercap") == 0) {
        return read_powercap_j(channel->source, "energy_uj");
    }
    int is_read = strcmp(channel->sensor, "nvml") == 0 && channel->uuid && nvml_by_uuid && nvml_energy &&
                  nvml_by_uuid(channel->uuid, &board) == 0 && nvml_energy(board, &mj) == 0;
    return is_read ? (double)mj / 1e3 : NAN;
}

static double spent_directly_j(const compared *row)
{
    double spent_j = row->end_j - row->begin_j;
    if (spent_j < 0 && strcmp(row->direct.sensor, "rapl-powercap") == 0) {
        spent_j += read_powercap_j(row->direct.source, "max_energy_range_uj");
    }
    return spent_j;
}

static void work(void)
{
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - begin.tv_sec) + 1e-9 * (double)(now.tv_nsec - begin.tv_nsec) < busy_s);
}

static void agrees_with_the_counters(void)
{
    em_energy energies[CHANNELS];
    em_result result = {.size = sizeof result, .channels = energies, .channels_capacity = CHANNELS};
    em_window window = 0;
    for (size_t i = 0; i < row_count; i++) {
        rows[i].begin_j = read_directly_j(&rows[i].direct);
    }
    CHECK_INT(em_window_begin(meter, NULL, &window), EM_OK);
    work();
    CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
    for (size_t i = 0; i < row_count; i++) {
        rows[i].end_j = read_directly_j(&rows[i].direct);
    }
    CHECK_INT(em_window_settle(meter, window, 5000000000), EM_OK);
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK(result.is_final);
    for (size_t i = 0; i < row_count; i++) {
        const em_channel *channel = &rows[i].channel;
        double energy_j = energies[rows[i].index].energy_j, direct_j = spent_directly_j(&rows[i]);
        printf("# %s (%s): %.3f J by the meter, %.3f J by its counter, %.1f W\n", channel->name, channel->source,
               energy_j, direct_j, energy_j / busy_s);
        /* From an idle memory channel to the largest board. */
        CHECK(energy_j / busy_s > 0.01 && energy_j / busy_s < 3000);
        if (isfinite(direct_j)) {
            CHECK_NEAR(energy_j, direct_j, 0.05 * direct_j + 0.1);
        }
    }
}

/* What perf events count is read through powercap, where that shows the same silicon. */
static em_channel mirror_of(size_t index, em_channel channel)
{
    em_channel mirror = {.size = sizeof mirror};
    for (size_t i = 0; i < em_meter_channel_count(meter); i++) {
        if (em_meter_channel(meter, i, &mirror) == EM_OK && mirror.role == EM_ROLE_MIRROR &&
            mirror.of == (int32_t)index && strcmp(mirror.sensor, "rapl-powercap") == 0) {
            return mirror;
        }
    }
    return channel;
}

int main(void)
{
    em_options options;
    em_options_init(&options, sizeof options);
    options.environment = (const char *const *)environ;
    em_error error = {.size = sizeof error};
    if (em_meter_create(&options, &error, &meter) != EM_OK) {
        printf("# %s\n", error.text);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < em_meter_channel_count(meter) && i < CHANNELS; i++) {
        em_channel channel = {.size = sizeof channel};
        if (em_meter_channel(meter, i, &channel) == EM_OK && channel.kind != EM_KIND_MODEL &&
            channel.role == EM_ROLE_COUNTED) {
            rows[row_count++] = (compared){.channel = channel, .direct = mirror_of(i, channel), .index = i};
        }
    }
    if (row_count == 0) {
        printf("# this machine has neither a GPU nor a RAPL counter that this user may read\n");
        em_meter_destroy(meter);
        return SKIPPED;
    }
    open_nvml();
    RUN(agrees_with_the_counters);
    em_meter_destroy(meter);
    return CHECK_DONE();
}
