/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reads a board's counter, power or model. */
#include "sensors/nvml_device.h"

#include "core/text.h"
#include "sensors/nvml_holders.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- reading */

static em__reading read_model(em__nvml_device *board)
{
    const em__nvml *nvml = board->nvml;
    nvml_utilisation busy = {0};
    unsigned int mw = 0;
    double utilisation = NAN;
    int code = board->has_utilisation ? nvml->utilisation(board->handle, &busy) : NVML_OK;
    if (code == NVML_OK && board->has_utilisation && busy.gpu <= 100) {
        utilisation = busy.gpu / 100.0;
    }
    if (code == NVML_OK && board->has_limit) {
        code = nvml->limit(board->handle, &mw);
        if (code == NVML_OK && mw > 0 && mw <= EM__NVML_MOST_MW) {
            board->limit_w = mw / 1000.0;
        }
    }
    if (code != NVML_OK && code != NVML_NOT_SUPPORTED) {
        return em__nvml_failure(code);
    }
    uint64_t now_ns = nvml->host->ops->monotonic_ns(nvml->host);
    em__tdp_integrate(&board->model, now_ns, em__tdp_gpu_mw(board->limit_w, utilisation));
    return (em__reading){.value = board->model.total_uj};
}

static em__reading answer_of(const em__nvml_device *board, const em__nvml_query *query)
{
    if (query->code == NVML_OK && query->kind == EM_KIND_GAUGE && query->value > board->most_mw) {
        return em__nvml_failure(NVML_NO_DATA);
    }
    return query->code == NVML_OK ? (em__reading){.value = query->value, .stamp = query->stamp}
                                  : em__nvml_failure(query->code);
}

static void board_read(em__device *device, uint64_t wanted, em__reading out[])
{
    em__nvml_device *board = (em__nvml_device *)device;
    int32_t status = device->channels[0].status;
    if (status != EM_OK) {
        out[0] = (em__reading){.outcome = EM__READ_GONE, .status = status};
        return;
    }
    if (board->kind == EM_KIND_MODEL) {
        out[0] = read_model(board);
        return;
    }
    em__nvml_query queries[EM__NVML_QUERIES];
    size_t count = 0;
    for (size_t i = 0; i < device->channel_count; i++) {
        if (wanted & EM__CHANNEL_BIT(i)) {
            queries[count++] = (em__nvml_query){.kind = device->channels[i].kind, .by = board->ways[i]};
        }
    }
    em__nvml_read(board->nvml, board->handle, queries, count);
    count = 0;
    for (size_t i = 0; i < device->channel_count; i++) {
        if (wanted & EM__CHANNEL_BIT(i)) {
            out[i] = answer_of(board, &queries[count++]);
        }
    }
}

static void board_destroy(em__device *device)
{
    em__nvml_device *board = (em__nvml_device *)device;
    em__nvml_unref(board->nvml);
    em__device_free_channels(device);
    free(board);
}

/* -------------------------------------------------------------------------------------------------- who is who here */

static int is_same_board(const em__nvml_device *board, const em__board *other)
{
    if (board->uuid[0]) {
        return strcmp(board->uuid, other->uuid) == 0;
    }
    return board->pci[0] && strcmp(board->pci, other->pci) == 0;
}

/* The board may have another index and another handle than before. One that could not be read at the start stays so: what
 * it can tell is not known, and its facts are constant. */
static int board_revive(em__device *device)
{
    em__nvml_device *board = (em__nvml_device *)device;
    const em__nvml *nvml = board->nvml;
    unsigned int count = 0;
    if (device->channels[0].status != EM_OK || nvml->count(&count) != NVML_OK) {
        return EM_ERR_GONE;
    }
    for (unsigned int i = 0; i < count && i < EM__NVML_BOARDS; i++) {
        nvml_handle handle = NULL;
        em__nvml_found found = {0};
        if (nvml->handle(i, &handle) != NVML_OK || !handle) {
            continue;
        }
        em__nvml_identify(nvml, handle, &found);
        if (!is_same_board(board, &found.board)) {
            continue;
        }
        em__reading readings[EM__NVML_QUERIES] = {{0}};
        board->handle = handle;
        board->model.is_started = 0; /* what passed while it was away is not estimated */
        board_read(device, EM__EVERY_CHANNEL, readings);
        for (size_t c = 0; c < device->channel_count; c++) {
            if (readings[c].outcome == EM__READ_OK) {
                return EM_OK;
            }
        }
        return EM_ERR_GONE;
    }
    return EM_ERR_GONE;
}

static em__holders *board_holders(em__device *device)
{
    const em__nvml_device *board = (const em__nvml_device *)device;
    for (size_t c = 0; c < device->channel_count; c++) {
        if (device->channels[c].status == EM_OK) {
            return em__nvml_holders(board->nvml, board->handle);
        }
    }
    return NULL;
}

static const em__device_ops board_ops = {
    .read = board_read, .destroy = board_destroy, .revive = board_revive, .holders = board_holders};

em__nvml_device *em__nvml_device_create(em__nvml *nvml, const em__nvml_found *found, const em__sensor *sensor,
                                        size_t channel_count)
{
    em__nvml_device *made = calloc(1, sizeof *made);
    if (!made || em__device_init(&made->base, &board_ops, sensor, channel_count) != EM_OK) {
        free(made);
        return NULL;
    }
    made->nvml = em__nvml_ref(nvml);
    made->handle = found->handle;
    em__copy(made->uuid, sizeof made->uuid, found->board.uuid);
    em__copy(made->pci, sizeof made->pci, found->board.pci);
    return made;
}
