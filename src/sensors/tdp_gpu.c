/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Models the GPUs that the PCI bus shows and no driver gives a reading of: part of their limit, whatever they do. */
#include "sensors/tdp_gpu.h"

#include "core/text.h"
#include "data/power.h"
#include "sensors/hwmon_scan.h"
#include "sensors/tdp_model.h"
#include "sensors/visible.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BOARDS = 256, WORD_BYTES = 32, REFRESH_NS = 1000000 };

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

static void describe_power(em__host *host, const em__selection *selection, uint64_t limit_mw, em__channel *channel)
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
    em__channel_explain(host, channel, &text);
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
    describe_power(host, selection, limit_mw, channel);
    made->power_mw = em__tdp_gpu_mw(channel->tdp_each_w, NAN);
    return em__probe_add(probe, &made->base);
}

/* ---------------------------------------------------------------------------------------------------------- looking */

typedef struct {
    em__host *host;
    const em__probe *probe;
    em__board *boards;
    size_t count;
    int is_others; /* AMD's and Intel's, not NVIDIA's */
} pci_scan;

static int read_word(em__host *host, const char *function, const char *attribute, char *word)
{
    char path[EM__SOURCE_SIZE];
    em__print(path, sizeof path, "%s/%s/%s", pci_folder, function, attribute);
    return em__host_text(host, path, word, WORD_BYTES);
}

static void read_driver(em__host *host, const char *function, char *driver)
{
    char path[EM__SOURCE_SIZE], target[EM__SOURCE_SIZE];
    em__print(path, sizeof path, "%s/%s/driver", pci_folder, function);
    if (host->ops->link(host, path, target, sizeof target) < 0) {
        target[0] = '\0';
    }
    const char *slash = strrchr(target, '/');
    em__copy(driver, WORD_BYTES, slash ? slash + 1 : target);
}

/* The kernel's driver knows the model where the library is missing. A sleeping board is left alone. */
static void read_model(em__host *host, const char *function, em__board *board)
{
    static const char line[] = "Model:";
    char path[EM__SOURCE_SIZE], text[1024], state[WORD_BYTES];
    em__print(path, sizeof path, "%s/%s/power/runtime_status", pci_folder, function);
    if (em__host_text(host, path, state, sizeof state) > 0 && strcmp(state, "suspended") == 0) {
        return;
    }
    em__print(path, sizeof path, "/proc/driver/nvidia/gpus/%s/information", function);
    if (em__host_text(host, path, text, sizeof text) < 0 || strncmp(text, line, strlen(line)) != 0) {
        return;
    }
    const char *model = text + strlen(line);
    model += strspn(model, " \t");
    size_t length = strcspn(model, "\n");
    if (length > 0) {
        em__visible_text(board->name, sizeof board->name, model, length);
    }
}

/* nouveau offers no power and CUDA cannot use its boards; of the others' boards, those are GPUs for work that a driver of
 * today holds. Intel's on the first bus are part of the CPU. */
static const char *maker_of(const pci_scan *scan, const char *function, const char *vendor)
{
    char driver[WORD_BYTES];
    read_driver(scan->host, function, driver);
    if (strcmp(vendor, "0x10de") == 0 && !scan->is_others) {
        return strcmp(driver, "nouveau") == 0 ? NULL : "NVIDIA";
    }
    if (strcmp(vendor, "0x1002") == 0 && scan->is_others) {
        return strcmp(driver, "amdgpu") == 0 ? "AMD" : NULL;
    }
    int is_intel = strcmp(vendor, "0x8086") == 0 && scan->is_others && strncmp(function, "0000:00:", 8) != 0;
    return is_intel && (strcmp(driver, "i915") == 0 || strcmp(driver, "xe") == 0) ? "Intel" : NULL;
}

/* Display and 3D controllers, and of AMD processing accelerators; sound and USB functions have other classes. */
static int is_gpu_class(const pci_scan *scan, const char *word)
{
    return strncmp(word, "0x0300", 6) == 0 || strncmp(word, "0x0302", 6) == 0 ||
           (scan->is_others && (strncmp(word, "0x0380", 6) == 0 || strncmp(word, "0x1200", 6) == 0));
}

static int note_function(void *context, const char *name)
{
    pci_scan *scan = context;
    char vendor[WORD_BYTES], word[WORD_BYTES];
    if (strlen(name) >= EM__PCI_SIZE || scan->count == MOST_BOARDS ||
        read_word(scan->host, name, "vendor", vendor) < 0 || strlen(vendor) != 6 ||
        read_word(scan->host, name, "class", word) < 0 || strlen(word) != 8 || !is_gpu_class(scan, word)) {
        return 0;
    }
    const char *maker = maker_of(scan, name, vendor);
    if (!maker) {
        return 0;
    }
    em__board *board = &scan->boards[scan->count];
    *board = (em__board){.index = (int)scan->count};
    em__copy(board->pci, sizeof board->pci, name);
    int is_named = read_word(scan->host, name, "device", word) > 2 && strncmp(word, "0x", 2) == 0;
    em__print(board->name, sizeof board->name, "%s GPU%s%s%s%s", maker, is_named ? " " : "", is_named ? vendor + 2 : "",
              is_named ? ":" : "", is_named ? word + 2 : "");
    if (strcmp(maker, "NVIDIA") == 0) {
        read_model(scan->host, name, board);
    }
    scan->count++;
    return 0;
}

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

static int add_chosen(em__host *host, const em__selection *selection, em__probe *probe, const pci_scan *scan)
{
    unsigned char chosen[MOST_BOARDS] = {0};
    uint64_t notes = 0;
    int first = em__probe_next_gpu(probe);
    int status = em__visible_choose(host, selection, scan->boards, scan->count, chosen, &notes);
    if (status == EM_OK) {
        probe->notes |= notes;
    }
    for (size_t i = 0; i < scan->count && status == EM_OK; i++) {
        if (!chosen[i] || is_known(probe, scan->boards[i].pci)) {
            continue;
        }
        int index = first > 0 ? em__probe_next_gpu(probe) : scan->boards[i].index;
        status = add_gpu(host, selection, probe, index, &scan->boards[i], 0);
    }
    return status;
}

/* Its sensor has looked at it, and judged. */
static int has_chip(const em__hwmon *hwmon, const char *pci)
{
    for (size_t i = 0; i < hwmon->count; i++) {
        if (strcmp(hwmon->chips[i].pci, pci) == 0) {
            return 1;
        }
    }
    return 0;
}

/* AMD's and Intel's GPUs that not even show a hwmon chip, as in virtual machines. */
static int add_others(em__host *host, const em__selection *selection, em__probe *probe)
{
    const em__hwmon *hwmon;
    pci_scan scan = {.host = host, .probe = probe, .boards = calloc(MOST_BOARDS, sizeof *scan.boards), .is_others = 1};
    int status = em__probe_hwmon(host, probe, &hwmon);
    if (!scan.boards || status != EM_OK) {
        free(scan.boards);
        return EM_ERR_NO_MEMORY;
    }
    host->ops->list(host, pci_folder, note_function, &scan);
    for (size_t i = 0; i < scan.count && status == EM_OK; i++) {
        if (!is_known(probe, scan.boards[i].pci) && !has_chip(hwmon, scan.boards[i].pci)) {
            status = add_gpu(host, selection, probe, em__probe_next_gpu(probe), &scan.boards[i], 0);
        }
    }
    free(scan.boards);
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
        pci_scan scan = {.host = host, .probe = probe, .boards = calloc(MOST_BOARDS, sizeof *scan.boards)};
        if (!scan.boards) {
            return EM_ERR_NO_MEMORY;
        }
        host->ops->list(host, pci_folder, note_function, &scan);
        if (scan.count > 0 || !selection->present_gpu) {
            status = add_chosen(host, selection, probe, &scan);
        }
        free(scan.boards);
    }
    status = status == EM_OK ? add_unread(host, selection, probe) : status;
    status = status == EM_OK ? add_others(host, selection, probe) : status;
    if (status != EM_OK || !selection->present_gpu || em__probe_next_gpu(probe) > 0) {
        return status;
    }
    return isnan(selection->gpu_tdp_w) ? refuse_absent(selection) : add_gpu(host, selection, probe, 0, NULL, 0);
}
