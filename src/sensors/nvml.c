/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* NVIDIA GPUs through NVML: the energy counter of a board, else its power, else a model fed with its utilisation. */
#include "core/text.h"
#include "core/units.h"
#include "sensors/nvml_board.h"
#include "sensors/tdp_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BOARDS = 256 };

/* ---------------------------------------------------------------------------------------------------------- reading */

typedef struct {
    em__device base;
    em__nvml *nvml;
    nvml_handle handle;
    char uuid[EM__UUID_SIZE], pci[EM__PCI_SIZE];
    int32_t kind;     /* em_kind */
    em__nvml_way way; /* how the counter or gauge is read */
    uint64_t most;    /* of a gauge: what is above is garbage */
    int has_limit, has_utilisation;
    double limit_w; /* of a model, last known */
    em__tdp_energy model;
} board_device;

static em__reading read_model(board_device *board)
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

static void board_read(em__device *device, em__reading out[])
{
    board_device *board = (board_device *)device;
    if (board->kind == EM_KIND_MODEL) {
        out[0] = read_model(board);
        return;
    }
    em__reading reading = {0};
    int code = em__nvml_read(board->nvml, board->handle, board->kind, board->way, &reading.value, &reading.stamp);
    if (code == NVML_OK && board->kind == EM_KIND_GAUGE && reading.value > board->most) {
        code = NVML_NO_DATA;
    }
    out[0] = code == NVML_OK ? reading : em__nvml_failure(code);
}

static void board_destroy(em__device *device)
{
    board_device *board = (board_device *)device;
    em__nvml_unref(board->nvml);
    em__device_free_channels(device);
    free(board);
}

/* -------------------------------------------------------------------------------------------------- who is who here */

static int is_same_board(const board_device *board, const em__board *other)
{
    if (board->uuid[0]) {
        return strcmp(board->uuid, other->uuid) == 0;
    }
    return board->pci[0] && strcmp(board->pci, other->pci) == 0;
}

/* The board may have another index and another handle than before. */
static int board_revive(em__device *device)
{
    board_device *board = (board_device *)device;
    const em__nvml *nvml = board->nvml;
    unsigned int count = 0;
    if (nvml->count(&count) != NVML_OK) {
        return EM_ERR_GONE;
    }
    for (unsigned int i = 0; i < count && i < MOST_BOARDS; i++) {
        nvml_handle handle = NULL;
        em__nvml_found found = {0};
        if (nvml->handle(i, &handle) != NVML_OK || !handle) {
            continue;
        }
        em__nvml_identify(nvml, handle, &found);
        if (!is_same_board(board, &found.board)) {
            continue;
        }
        em__reading reading;
        board->handle = handle;
        board->model.is_started = 0; /* what passed while it was away is not estimated */
        board_read(device, &reading);
        return reading.outcome == EM__READ_OK ? EM_OK : EM_ERR_GONE;
    }
    return EM_ERR_GONE;
}

static const em__device_ops board_ops = {board_read, board_destroy, board_revive};

/* ------------------------------------------------------------------------------------------------------- describing */

static void describe_reading(const em__nvml_answers *answers, board_device *made)
{
    em__channel *channel = &made->base.channels[0];
    em__print(channel->name, sizeof channel->name, "gpu-%d/board", channel->gpu);
    channel->kind = made->kind = answers->energy ? EM_KIND_COUNTER : EM_KIND_GAUGE;
    channel->scale_num = answers->energy ? 1000 : 1; /* mJ to µJ */
    made->way = answers->energy ? answers->energy : answers->power;
    channel->refresh_ns = em__nvml_refresh_ns(answers);
    channel->ceiling_mw = made->most = em__nvml_ceiling_mw(answers);
    channel->gain = em__nvml_gain(answers);
    channel->notes = EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED);
    if (answers->energy && !em__nvml_is_fast(channel->device_name)) {
        made->base.interval_ns = EM__NS_PER_S;
        channel->notes |= EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER);
    }
}

static void describe_model(const em__nvml *nvml, const em__nvml_answers *answers, const em__selection *selection,
                           board_device *made)
{
    em__channel *channel = &made->base.channels[0];
    int is_given = !answers->has_limit && !isnan(selection->gpu_tdp_w);
    const char *from = answers->has_limit ? "the board's limit" : is_given ? "given" : "default for a GPU";
    em__print(channel->name, sizeof channel->name, "gpu-%d/model", channel->gpu);
    channel->kind = made->kind = EM_KIND_MODEL;
    made->has_limit = answers->has_limit;
    made->has_utilisation = answers->has_utilisation;
    made->limit_w = answers->has_limit ? answers->limit_mw / 1000.0
                    : is_given         ? selection->gpu_tdp_w
                                       : EM__TDP_GPU_DEFAULT_W;
    channel->refresh_ns = em__nvml_refresh_ns(answers);
    channel->gain = EM__TDP_GPU_GAIN;
    channel->tdp_each_w = made->limit_w;
    channel->tdp_count = 1;
    em__copy(channel->tdp_from, sizeof channel->tdp_from, from);
    channel->notes = EM_NOTE_BIT(EM_NOTE_MODEL);
    if (!answers->has_limit && !is_given) {
        channel->notes |= EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT);
    }
    char words[64];
    em__nvml_words(nvml, answers->power_code, words, sizeof words);
    em__text text = {0};
    em__text_number(&text, made->limit_w);
    em__text_format(&text, " W x 1 GPU, %s; %s; NVML gives neither its energy nor its power: %s", from,
                    answers->has_utilisation ? "with its utilisation" : "65 % of it assumed", words);
    char *reason = em__text_finish(&text, NULL);
    em__copy(channel->reason, sizeof channel->reason, reason ? reason : "");
    free(reason);
}

static void describe_place(const em__board *board, uint64_t notes, em__channel *channel)
{
    channel->domain = EM_DOMAIN_GPU;
    channel->covers = EM__COVERS_BOARD;
    channel->gpu = board->index;
    em__copy(channel->device_name, sizeof channel->device_name, board->name);
    em__copy(channel->uuid, sizeof channel->uuid, board->uuid);
    em__copy(channel->pci, sizeof channel->pci, board->pci);
    if (board->uuid[0] || board->pci[0]) {
        em__print(channel->source, sizeof channel->source, "nvml:%s", board->uuid[0] ? board->uuid : board->pci);
    } else {
        em__print(channel->source, sizeof channel->source, "nvml:%d", board->index);
    }
    if (board->is_mig) {
        channel->notes |= notes & EM_NOTE_BIT(EM_NOTE_MIG);
        em__copy(channel->reason, sizeof channel->reason,
                 "the board is cut into slices (MIG) and is measured as a whole");
    }
}

static int add_board(em__nvml *nvml, const em__nvml_found *found, const em__selection *selection, uint64_t notes,
                     em__probe *probe)
{
    const em__board *board = &found->board;
    em__nvml_answers answers = em__nvml_ask(nvml, found->handle);
    int has_reading = answers.energy || answers.power;
    /* What NVML lists without a PCI address is graphics inside an SoC (Jetson), and the default is no truth for it. */
    int can_model = answers.has_limit || !isnan(selection->gpu_tdp_w) || (answers.has_utilisation && board->pci[0]);
    if (!has_reading) {
        char words[64];
        em__nvml_words(nvml, answers.power_code, words, sizeof words);
        int lost = em__nvml_status(answers.power_code) == EM_ERR_GONE;
        int status = em__probe_absent(
            probe, &em__sensor_nvml, em__nvml_status(answers.power_code), em__nvml_hint(answers.power_code),
            "GPU %d (%s): NVML gives neither energy nor power: %s", board->index, board->name, words);
        if (status != EM_OK || lost || !can_model) {
            return status;
        }
    }
    board_device *made = calloc(1, sizeof *made);
    if (!made ||
        em__device_init(&made->base, &board_ops, has_reading ? &em__sensor_nvml : &em__sensor_tdp, 1) != EM_OK) {
        free(made);
        return EM_ERR_NO_MEMORY;
    }
    made->nvml = em__nvml_ref(nvml);
    made->handle = found->handle;
    em__copy(made->uuid, sizeof made->uuid, board->uuid);
    em__copy(made->pci, sizeof made->pci, board->pci);
    em__channel *channel = &made->base.channels[0];
    describe_place(board, notes, channel);
    uint64_t place_notes = channel->notes;
    if (has_reading) {
        describe_reading(&answers, made);
    } else {
        describe_model(nvml, &answers, selection, made);
    }
    channel->notes |= place_notes;
    return em__probe_add(probe, &made->base);
}

/* ---------------------------------------------------------------------------------------------------------- probing */

static int compare_places(const void *left, const void *right)
{
    const em__nvml_found *a = left, *b = right;
    if (a->place != b->place) {
        return a->place < b->place ? -1 : 1;
    }
    return a->board.index - b->board.index;
}

static int find_boards(em__nvml *nvml, unsigned int count, em__probe *probe, em__nvml_found *boards, size_t *ret_found)
{
    size_t found = 0;
    for (unsigned int i = 0; i < count; i++) {
        nvml_handle handle = NULL;
        int code = nvml->handle(i, &handle);
        if (code == NVML_OK && handle) {
            em__nvml_found *next = &boards[found++];
            next->handle = handle;
            next->board.index = (int)i;
            em__nvml_identify(nvml, handle, next);
            em__nvml_slices(nvml, handle, &next->board);
            continue;
        }
        code = code == NVML_OK ? NVML_UNKNOWN : code;
        char words[64];
        em__nvml_words(nvml, code, words, sizeof words);
        if (em__probe_absent(probe, &em__sensor_nvml, em__nvml_status(code), em__nvml_hint(code),
                             "GPU %u cannot be opened: %s", i, words) != EM_OK) {
            return EM_ERR_NO_MEMORY;
        }
    }
    qsort(boards, found, sizeof *boards, compare_places);
    *ret_found = found;
    return EM_OK;
}

static int explain_left_out(em__host *host, const em__selection *selection, size_t chosen, size_t count,
                            em__probe *probe)
{
    const char *list = em__host_variable(host, "CUDA_VISIBLE_DEVICES");
    int is_ours = selection->gpus && strcmp(selection->gpus, "visible") != 0;
    char quote[96];
    em__visible_text(quote, sizeof quote, is_ours ? selection->gpus : list ? list : "", SIZE_MAX);
    return em__probe_absent(probe, &em__sensor_nvml, EM_ERR_NOT_SELECTED, "gpus=\"all\" measures every GPU",
                            "%zu of %zu GPUs %s left out by %s=\"%s\"", count - chosen, count,
                            count - chosen == 1 ? "is" : "are", is_ours ? "gpus" : "CUDA_VISIBLE_DEVICES", quote);
}

static int add_chosen(em__nvml *nvml, const em__selection *selection, const em__nvml_found *boards, size_t count,
                      em__probe *probe)
{
    em__board *facts = calloc(count + 1, sizeof *facts);
    unsigned char chosen[MOST_BOARDS] = {0};
    uint64_t notes = 0;
    size_t taken = 0;
    if (!facts) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        facts[i] = boards[i].board;
    }
    int status = em__visible_choose(nvml->host, selection, facts, count, chosen, &notes);
    free(facts);
    for (size_t i = 0; i < count && status == EM_OK; i++) {
        taken += chosen[i];
        if (chosen[i]) {
            status = add_board(nvml, &boards[i], selection, notes, probe);
        }
    }
    if (status == EM_OK && taken < count) {
        status = explain_left_out(nvml->host, selection, taken, count, probe);
    }
    if (status == EM_OK) {
        probe->notes |= notes;
    }
    return status;
}

static int probe_boards(em__nvml *nvml, const em__selection *selection, em__probe *probe)
{
    unsigned int count = 0;
    int code = nvml->count(&count);
    if (code == NVML_OK && count == 0) {
        code = NVML_GPU_NOT_FOUND;
    }
    if (code != NVML_OK || count > MOST_BOARDS) {
        char words[64];
        em__nvml_words(nvml, code, words, sizeof words);
        if (code == NVML_OK) {
            em__print(words, sizeof words, "%u GPUs, which no machine has", count);
        }
        return em__probe_absent(probe, &em__sensor_nvml, em__nvml_status(code), em__nvml_hint(code),
                                "NVML lists no GPUs to use: %s", words);
    }
    em__nvml_found *boards = calloc(count, sizeof *boards);
    size_t found = 0;
    if (!boards) {
        return EM_ERR_NO_MEMORY;
    }
    int status = find_boards(nvml, count, probe, boards, &found);
    if (status == EM_OK && found > 0) {
        status = add_chosen(nvml, selection, boards, found, probe);
    }
    free(boards);
    return status;
}

static int nvml_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    if (!(selection->measure & 1u << EM_DOMAIN_GPU)) {
        int status = em__visible_check(selection);
        return status != EM_OK
                   ? status
                   : em__probe_absent(probe, &em__sensor_nvml, EM_ERR_NOT_SELECTED, "", "the options leave GPUs out");
    }
    em__nvml *nvml;
    int status = em__nvml_open(host, probe, &nvml);
    if (status == EM_OK && nvml) {
        status = probe_boards(nvml, selection, probe);
    }
    em__nvml_unref(nvml);
    return status;
}

const em__sensor em__sensor_nvml = {"nvml", 30, nvml_probe};
