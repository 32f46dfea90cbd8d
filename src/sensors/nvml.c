/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* NVIDIA GPUs through NVML: the energy counter of a board, else its power, else a model fed with its utilisation. */
#include "core/text.h"
#include "core/units.h"
#include "sensors/nvml_board.h"
#include "sensors/nvml_holders.h"
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
    int32_t status = device->channels[0].status;
    if (status != EM_OK) {
        out[0] = (em__reading){.outcome = EM__READ_GONE, .status = status};
        return;
    }
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

/* The board may have another index and another handle than before. One that could not be read at the start stays so: what
 * it can tell is not known, and its facts are constant. */
static int board_revive(em__device *device)
{
    board_device *board = (board_device *)device;
    const em__nvml *nvml = board->nvml;
    unsigned int count = 0;
    if (device->channels[0].status != EM_OK || nvml->count(&count) != NVML_OK) {
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

static em__holders *board_holders(em__device *device)
{
    const board_device *board = (const board_device *)device;
    return device->channels[0].status == EM_OK ? em__nvml_holders(board->nvml, board->handle) : NULL;
}

static const em__device_ops board_ops = {
    .read = board_read, .destroy = board_destroy, .revive = board_revive, .holders = board_holders};

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

static void describe_failure(const em__nvml *nvml, int code, board_device *made)
{
    em__channel *channel = &made->base.channels[0];
    const char *hint = em__nvml_hint(code);
    char words[64];
    em__nvml_words(nvml, code, words, sizeof words);
    em__print(channel->name, sizeof channel->name, "gpu-%d/board", channel->gpu);
    channel->kind = made->kind = EM_KIND_COUNTER;
    channel->gain = 0.05;
    channel->status = em__nvml_status(code);
    em__print(channel->reason, sizeof channel->reason, "NVML cannot read it: %s%s%s", words, hint[0] ? "; " : "", hint);
}

static board_device *make_board(em__nvml *nvml, const em__nvml_found *found, const em__sensor *sensor, uint64_t notes)
{
    board_device *made = calloc(1, sizeof *made);
    if (!made || em__device_init(&made->base, &board_ops, sensor, 1) != EM_OK) {
        free(made);
        return NULL;
    }
    made->nvml = em__nvml_ref(nvml);
    made->handle = found->handle;
    em__copy(made->uuid, sizeof made->uuid, found->board.uuid);
    em__copy(made->pci, sizeof made->pci, found->board.pci);
    describe_place(&found->board, notes, &made->base.channels[0]);
    return made;
}

/* It is there and draws power that nobody sees, so that a total without it must say so. */
static int add_unreadable(em__nvml *nvml, const em__nvml_found *found, int code, uint64_t notes, em__probe *probe)
{
    board_device *made = make_board(nvml, found, &em__sensor_nvml, notes);
    if (!made) {
        return EM_ERR_NO_MEMORY;
    }
    describe_failure(nvml, code, made);
    return em__probe_add(probe, &made->base);
}

/* Graphics inside an SoC (Jetson) have no PCI address, and their driver is nvgpu. No default is true for them. */
static int is_integrated(const em__board *board)
{
    return !board->pci[0] || strstr(board->name, "nvgpu");
}

/* Why there is neither energy nor power. */
static int failure_of(const em__nvml_answers *answers)
{
    return em__nvml_status(answers->energy_code) == EM_ERR_GONE ? answers->energy_code : answers->power_code;
}

static int add_board(em__nvml *nvml, const em__nvml_found *found, const em__selection *selection, uint64_t notes,
                     em__probe *probe)
{
    const em__board *board = &found->board;
    if (found->code != NVML_OK) {
        return add_unreadable(nvml, found, found->code, notes, probe);
    }
    em__nvml_answers answers = em__nvml_ask(nvml, found->handle);
    int has_reading = answers.energy || answers.power;
    if (!has_reading) {
        int code = failure_of(&answers);
        char words[64];
        em__nvml_words(nvml, code, words, sizeof words);
        int status =
            em__probe_absent(probe, &em__sensor_nvml, em__nvml_status(code), em__nvml_hint(code),
                             "GPU %d (%s): NVML gives neither energy nor power: %s", board->index, board->name, words);
        if (status == EM_OK && em__nvml_status(code) == EM_ERR_GONE) {
            return add_unreadable(nvml, found, code, notes, probe);
        }
        int can_model = answers.has_limit || !isnan(selection->gpu_tdp_w) || !is_integrated(board);
        if (status != EM_OK || !can_model) {
            return status;
        }
    }
    board_device *made = make_board(nvml, found, has_reading ? &em__sensor_nvml : &em__sensor_tdp, notes);
    if (!made) {
        return EM_ERR_NO_MEMORY;
    }
    em__channel *channel = &made->base.channels[0];
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

/* NVML lists boards in the order of the PCI bus: one that does not tell its place lies behind the one before. */
static void guess_place(em__nvml_found *boards, unsigned int i)
{
    boards[i].place = i > 0 ? boards[i - 1].place : 0;
}

static int find_boards(em__nvml *nvml, unsigned int count, em__probe *probe, em__nvml_found *boards)
{
    for (unsigned int i = 0; i < count; i++) {
        em__nvml_found *next = &boards[i];
        int code = nvml->handle(i, &next->handle);
        next->board.index = (int)i;
        if (code == NVML_OK && next->handle) {
            em__nvml_identify(nvml, next->handle, next);
            em__nvml_slices(nvml, next->handle, &next->board);
            if (!next->board.name[0] && next->place == UINT64_MAX) {
                guess_place(boards, i);
            }
            continue;
        }
        guess_place(boards, i);
        next->code = code = code == NVML_OK ? NVML_UNKNOWN : code;
        char words[64];
        em__nvml_words(nvml, code, words, sizeof words);
        if (em__probe_absent(probe, &em__sensor_nvml, em__nvml_status(code), em__nvml_hint(code),
                             "GPU %u cannot be opened: %s", i, words) != EM_OK) {
            return EM_ERR_NO_MEMORY;
        }
    }
    qsort(boards, count, sizeof *boards, compare_places);
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
    const char *model = "";
    for (size_t i = 0; i < count; i++) {
        facts[i] = boards[i].board;
        model = model[0] ? model : boards[i].board.name;
    }
    /* A board that does not answer is taken to be of the others' model: else one that is lost would hide CUDA's order. */
    for (size_t i = 0; i < count; i++) {
        em__copy(facts[i].name, sizeof facts[i].name, facts[i].name[0] ? facts[i].name : model);
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
    if (!boards) {
        return EM_ERR_NO_MEMORY;
    }
    int status = find_boards(nvml, count, probe, boards);
    if (status == EM_OK) {
        status = add_chosen(nvml, selection, boards, count, probe);
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
