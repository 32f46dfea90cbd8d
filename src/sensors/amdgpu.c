/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* AMD GPUs through the amdgpu driver's hwmon chip: the power of a board, or, where the GPU is part of the CPU, of the whole
 * socket. */
#include "core/text.h"
#include "sensors/gpu_chip.h"
#include "sensors/sensor.h"

#include <string.h>

enum { MOST_POWERS = 8 };
#define RARELY_NS UINT64_C(10000000000) /* what is never counted */

static const char hint[] =
    "for an AMD GPU: sudo modprobe amdgpu (radeon gives no power); in a container pass /sys/class/hwmon in";

/* The driver names the voltage of the north bridge, and two averages of one power, only where the CPU is on the same die.
 * It does neither on MI300A, which has an id of its own. */
static int is_apu(const em__hwmon_chip *chip, const em__gpu_chip *gpu)
{
    for (size_t i = 0; i < chip->count; i++) {
        const char *label = chip->items[i].label;
        if (strcmp(label, "vddnb") == 0 || strcmp(label, "slowPPT") == 0 || strcmp(label, "fastPPT") == 0) {
            return 1;
        }
    }
    return strcmp(gpu->id, "1002:74a0") == 0;
}

static size_t find_powers(const em__hwmon_chip *chip, const em__hwmon_item *powers[])
{
    size_t count = 0;
    for (size_t i = 0; i < chip->count && count < MOST_POWERS; i++) {
        const em__hwmon_item *item = &chip->items[i];
        if (item->type == EM__HWMON_POWER && !item->is_off && item->files & (EM__HWMON_AVERAGE | EM__HWMON_INPUT)) {
            powers[count++] = item;
        }
    }
    return count;
}

static void describe(const em__gpu_chip *gpu, int is_socket, int32_t index, em__channel *channel)
{
    em__gpu_chip_board(gpu, index, "board", channel);
    if (is_socket) {
        em__print(channel->name, sizeof channel->name, "cpu-%d/package", index);
        channel->domain = EM_DOMAIN_CPU;
        channel->covers = EM__COVERS_PACKAGE;
        channel->package = index;
        channel->gpu = -1;
        em__copy(channel->reason, sizeof channel->reason, "the GPU is part of the CPU: this is the power of both");
    }
}

/* A board of two dies shows its power on the first one; the second has neither power nor limit. */
typedef struct {
    int32_t thing;
    int has_limit;
} first_die;

static int add_chip(em__host *host, const em__hwmon_chip *chip, em__probe *probe, int32_t *sockets, first_die *before)
{
    em__gpu_chip gpu;
    em__files *files;
    int sleeps;
    const em__hwmon_item *powers[MOST_POWERS];
    size_t count = find_powers(chip, powers);
    em__gpu_chip_identify(host, chip, "AMD", &gpu);
    int is_socket = is_apu(chip, &gpu);
    if (is_socket && count == 0) {
        return EM_OK;
    }
    int32_t index = is_socket ? (*sockets)++ : em__probe_next_gpu(probe);
    int status = em__gpu_chip_device(host, &em__sensor_amdgpu, chip, count ? count : 1, &files, &sleeps);
    if (status != EM_OK) {
        return status;
    }
    uint64_t value = 0, limit_uw = 0;
    for (size_t i = 0; i < (count ? count : 1); i++) {
        em__hwmon_item none = {.type = EM__HWMON_POWER, .number = 1};
        const em__hwmon_item *item = count ? powers[i] : &none;
        em__channel *channel = em__files_channel(files, i);
        char path[EM__SOURCE_SIZE];
        uint64_t first = 0, first_limit = 0;
        describe(&gpu, is_socket, index, channel);
        channel->ceiling_mw = em__gpu_chip_ceiling_mw(host, chip, item->number, sleeps, &first_limit);
        channel->interval_ns = i > 0 ? RARELY_NS : 0;
        em__hwmon_path(chip, item, item->files & EM__HWMON_AVERAGE || !count ? EM__HWMON_AVERAGE : EM__HWMON_INPUT,
                       path, sizeof path);
        em__files_add(files, i, path, NULL, EM__FILE_AS_IS, &first);
        value = i == 0 ? first : value;
        limit_uw = i == 0 ? first_limit : limit_uw;
    }
    em__channel *board = em__files_channel(files, 0);
    board->limit_mw = limit_uw / 1000;
    if (!is_socket && !sleeps && board->status == EM_OK && value == 0 && limit_uw == 0 && before->has_limit) {
        board->thing = before->thing;
        em__copy(board->reason, sizeof board->reason, "the second die of a board, whose power shows on the first");
    } else {
        board->thing = em__probe_thing(probe);
        *before = (first_die){board->thing, limit_uw > 0 && !is_socket};
    }
    for (size_t i = 1; i < count; i++) {
        em__files_channel(files, i)->thing = board->thing;
    }
    return em__files_finish(files, probe);
}

static int amdgpu_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    const em__hwmon *hwmon;
    size_t first = probe->device_count;
    int32_t sockets = 0;
    first_die before = {0, 0};
    if (!(selection->measure & (1u << EM_DOMAIN_GPU | 1u << EM_DOMAIN_CPU))) {
        return em__probe_absent(probe, &em__sensor_amdgpu, EM_ERR_NOT_SELECTED, "", "the options leave GPUs out");
    }
    int status = em__probe_hwmon(host, probe, &hwmon);
    for (size_t i = 0; status == EM_OK && i < hwmon->count; i++) {
        if (strcmp(hwmon->chips[i].name, "amdgpu") == 0) {
            status = add_chip(host, &hwmon->chips[i], probe, &sockets, &before);
        }
    }
    return status == EM_OK
               ? em__probe_explain(probe, &em__sensor_amdgpu, first, hint, "no hwmon chip of the amdgpu driver")
               : status;
}

const em__sensor em__sensor_amdgpu = {"amdgpu", 40, amdgpu_probe};
