/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Models the GPUs that the PCI bus shows and no driver gives a reading of: part of their limit, whatever they do. */
#include "sensors/tdp_gpu.h"

#include "core/text.h"
#include "data/power.h"
#include "sensors/gpu_bus.h"
#include "sensors/tdp_model.h"
#include "sensors/visible.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REFRESH_NS = 1000000 };

static const char pci_folder[] = "/sys/bus/pci/devices";

/* ---------------------------------------------------------------------------------------------------------- reading */

typedef struct {
    em__device base;
    em__host *host;
    em__tdp_energy energy;
    uint64_t power_mw;
} gpu_device;

static void gpu_read(em__device *device, uint64_t wanted, em__reading out[])
{
    (void)wanted;
    gpu_device *gpu = (gpu_device *)device;
    em__tdp_integrate(&gpu->energy, gpu->host->ops->monotonic_ns(gpu->host), gpu->power_mw);
    out[0] = (em__reading){.value = gpu->energy.total_uj};
}

static void gpu_destroy(em__device *device)
{
    gpu_device *gpu = (gpu_device *)device;
    em__host_unref(gpu->host);
    em__device_free_channels(device);
    free(gpu);
}

static const em__device_ops gpu_ops = {.read = gpu_read, .destroy = gpu_destroy};

em__tdp_limit em__tdp_gpu_limit(uint64_t limit_mw, double given_w, const char *name)
{
    em__power table;
    em__tdp_limit limit = {.each_w = (double)limit_mw / 1000.0};
    if (limit_mw > 0) {
        em__copy(limit.from, sizeof limit.from, "the board's limit");
    } else if (!isnan(given_w)) {
        limit.each_w = given_w;
        em__copy(limit.from, sizeof limit.from, EM__TDP_GIVEN);
    } else if (em__power_of_gpu(name, &table)) {
        limit.each_w = table.each_w;
        em__print(limit.from, sizeof limit.from, "%s (%s)", table.key, table.origin);
    } else {
        limit.each_w = EM__TDP_GPU_DEFAULT_W;
        limit.is_default = 1;
        em__copy(limit.from, sizeof limit.from, "default for a GPU");
    }
    return limit;
}

static void describe_power(const em__selection *selection, uint64_t limit_mw, em__channel *channel)
{
    em__tdp_limit limit = em__tdp_gpu_limit(limit_mw, selection->gpu_tdp_w, channel->device_name);
    channel->tdp_each_w = limit.each_w;
    channel->tdp_count = 1;
    em__copy(channel->tdp_from, sizeof channel->tdp_from, limit.from);
    channel->notes = EM_NOTE_BIT(EM_NOTE_MODEL) | (limit.is_default ? EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT) : 0);
    em__text text = {0};
    em__text_number(&text, channel->tdp_each_w);
    em__text_format(&text, " W x 1 GPU, %s; 65 %% of it assumed, since nothing tells how busy the GPU is",
                    channel->tdp_from);
    char *reason = em__text_finish(&text, NULL);
    em__copy(channel->reason, sizeof channel->reason, reason ? reason : "");
    free(reason);
}

/* board NULL: one that only the options know. limit_mw 0: nobody knows its limit. */
static int add_gpu(em__host *host, const em__selection *selection, em__probe *probe, int index, const em__board *board,
                   uint64_t limit_mw)
{
    gpu_device *made = calloc(1, sizeof *made);
    if (!made || em__device_init(&made->base, &gpu_ops, &em__sensor_tdp, 1) != EM_OK) {
        free(made);
        return EM_ERR_NO_MEMORY;
    }
    made->host = em__host_ref(host);
    em__channel *channel = &made->base.channels[0];
    em__print(channel->name, sizeof channel->name, "gpu-%d/model", index);
    if (board) {
        em__print(channel->source, sizeof channel->source, "%s/%s", pci_folder, board->pci);
        em__copy(channel->device_name, sizeof channel->device_name, board->name);
        em__copy(channel->pci, sizeof channel->pci, board->pci);
    } else {
        em__copy(channel->source, sizeof channel->source, "gpu_tdp_w");
    }
    channel->domain = EM_DOMAIN_GPU;
    channel->kind = EM_KIND_MODEL;
    channel->covers = EM__COVERS_BOARD;
    channel->gpu = index;
    channel->refresh_ns = REFRESH_NS;
    channel->gain = EM__TDP_GPU_GAIN;
    describe_power(selection, limit_mw, channel);
    made->power_mw = em__tdp_gpu_mw(channel->tdp_each_w, NAN);
    return em__probe_add(probe, &made->base);
}

/* ---------------------------------------------------------------------------------------------------------- looking */

static int is_known(const em__probe *probe, const char *pci)
{
    for (size_t i = 0; i < probe->device_count; i++) {
        for (size_t j = 0; j < probe->devices[i]->channel_count; j++) {
            if (strcmp(probe->devices[i]->channels[j].pci, pci) == 0) {
                return 1;
            }
        }
    }
    return 0;
}

static int is_of(const em__device *device, const em__sensor *sensor)
{
    return strcmp(device->sensor, sensor->name) == 0;
}

/* NVML has found GPUs, or found that none of them is selected. */
static int is_answered(const em__probe *probe)
{
    for (size_t i = 0; i < probe->device_count; i++) {
        const em__device *device = probe->devices[i];
        if (device->channels[0].gpu >= 0 && !is_of(device, &em__sensor_amdgpu) &&
            !is_of(device, &em__sensor_intel_gpu)) {
            return 1;
        }
    }
    for (size_t i = 0; i < probe->absence_count; i++) {
        if (strcmp(probe->absences[i].sensor, em__sensor_nvml.name) == 0 &&
            probe->absences[i].status == EM_ERR_NOT_SELECTED) {
            return 1;
        }
    }
    return 0;
}

/* What amdgpu, i915 and xe hold without a power that can be read is there all the same, and draws some. */
static int add_unread(em__host *host, const em__selection *selection, em__probe *probe)
{
    size_t count = probe->device_count;
    int status = EM_OK;
    for (size_t i = 0; i < count && status == EM_OK; i++) {
        const em__device *device = probe->devices[i];
        const em__channel *first = &device->channels[0];
        int is_read = 0;
        for (size_t j = 0; j < device->channel_count; j++) {
            is_read |= device->channels[j].status == EM_OK || device->channels[j].status == EM_ERR_NOT_SELECTED;
        }
        if (!is_read && first->covers == EM__COVERS_BOARD &&
            (is_of(device, &em__sensor_amdgpu) || is_of(device, &em__sensor_intel_gpu))) {
            em__board board = {0};
            em__copy(board.pci, sizeof board.pci, first->pci);
            em__copy(board.name, sizeof board.name, first->device_name);
            status = add_gpu(host, selection, probe, first->gpu, &board, first->limit_mw);
        }
    }
    return status;
}

/* NVIDIA's boards, where NVML tells nothing of them. */
static int add_chosen(em__host *host, const em__selection *selection, em__probe *probe, const em__board *boards,
                      size_t count)
{
    uint64_t notes = 0;
    unsigned char *chosen = calloc(count + 1, 1);
    int first = em__probe_next_gpu(probe);
    int status =
        chosen ? em__visible_choose(host, selection, EM__MAKER_NVIDIA, boards, count, &probe->choices, chosen, &notes)
               : EM_ERR_NO_MEMORY;
    if (status == EM_OK) {
        probe->notes |= notes;
    }
    for (size_t i = 0; i < count && status == EM_OK; i++) {
        if (!chosen[i] || is_known(probe, boards[i].pci)) {
            continue;
        }
        int index = first > 0 ? em__probe_next_gpu(probe) : boards[i].index;
        status = add_gpu(host, selection, probe, index, &boards[i], 0);
    }
    free(chosen);
    return status;
}

static int add_nvidia(em__host *host, const em__selection *selection, em__probe *probe)
{
    const em__gpu_bus *bus;
    size_t count = 0;
    int status = em__probe_bus(host, probe, &bus);
    if (status != EM_OK) {
        return status;
    }
    em__board *boards = calloc(bus->count + 1, sizeof *boards);
    for (size_t i = 0; boards && i < bus->count; i++) {
        if (bus->gpus[i].maker == EM__MAKER_NVIDIA && bus->gpus[i].is_usable) {
            boards[count++] = bus->gpus[i].board;
        }
    }
    status = boards ? add_chosen(host, selection, probe, boards, count) : EM_ERR_NO_MEMORY;
    free(boards);
    return status;
}

/* AMD's and Intel's GPUs that not even show a hwmon chip, as in virtual machines: their sensors have left them over. */
static int add_others(em__host *host, const em__selection *selection, em__probe *probe)
{
    const em__gpu_bus *bus;
    int status = em__probe_bus(host, probe, &bus);
    for (size_t i = 0; status == EM_OK && i < bus->count; i++) {
        const em__board *board = &bus->gpus[i].board;
        if (bus->gpus[i].is_bare && !is_known(probe, board->pci)) {
            status = add_gpu(host, selection, probe, board->index, board, 0);
        }
    }
    return status;
}

static int refuse_absent(const em__selection *selection)
{
    em_error *error = selection->error;
    error->status = EM_ERR_INVALID;
    em__copy(error->argument, sizeof error->argument, "device");
    em__copy(
        error->text, sizeof error->text,
        "no GPU was found: NVML (libnvidia-ml.so.1) offers none that is selected, /sys/bus/pci/devices holds no NVIDIA "
        "display or 3D controller (0x10de, class 0x0300 or 0x0302; nouveau is none), and amdgpu, i915 and xe hold none");
    em__copy(error->remedy, sizeof error->remedy,
             "give gpu_tdp_w to have one estimated, or device=\"auto\" or \"cpu\"; in a container pass the GPU in "
             "(--gpus all); check CUDA_VISIBLE_DEVICES");
    return EM_ERR_INVALID;
}

int em__tdp_gpu_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    if (!(selection->measure & 1u << EM_DOMAIN_GPU)) {
        return EM_OK;
    }
    int status = EM_OK, is_all = selection->gpus && strcmp(selection->gpus, "all") == 0;
    /* Where NVML answers, it has named every board that a program could use: others count only if all are asked for. */
    if (!is_answered(probe) || is_all) {
        status = add_nvidia(host, selection, probe);
    }
    status = status == EM_OK ? add_unread(host, selection, probe) : status;
    status = status == EM_OK ? add_others(host, selection, probe) : status;
    if (status != EM_OK || !selection->present_gpu || em__probe_next_gpu(probe) > 0) {
        return status;
    }
    return isnan(selection->gpu_tdp_w) ? refuse_absent(selection) : add_gpu(host, selection, probe, 0, NULL, 0);
}
