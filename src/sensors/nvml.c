/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* NVIDIA GPUs through NVML: the energy counter of a board, else its power, else a model fed with its utilisation. */
#include "core/text.h"
#include "core/units.h"
#include "platform/parse.h"
#include "sensors/nvml_device.h"
#include "sensors/ranks.h"
#include "sensors/tdp_gpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------- describing */

/* The board's power beside its counter: what it is compared with, and where the counter is slow, what shapes it. */
static void describe_gauge(const em__nvml_answers *answers, em__nvml_device *made)
{
    em__channel *counter = &made->base.channels[0], *gauge = &made->base.channels[1];
    *gauge = *counter;
    em__print(gauge->name, sizeof gauge->name, "gpu-%d/power", gauge->gpu);
    gauge->kind = EM_KIND_GAUGE;
    gauge->scale_num = 1;
    gauge->average_ns = em__nvml_average_ns(answers);
    gauge->interval_ns = gauge->sparing_interval_ns = 0;
    gauge->notes &= ~EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER);
    made->ways[1] = answers->power;
    counter->gauge = 1;
    counter->shaped_by = counter->interval_ns ? 1 : 0;
}

static void describe_reading(const em__nvml *nvml, const em__nvml_answers *answers, em__nvml_device *made)
{
    em__channel *channel = &made->base.channels[0];
    em__print(channel->name, sizeof channel->name, "gpu-%d/board", channel->gpu);
    channel->kind = made->kind = answers->energy ? EM_KIND_COUNTER : EM_KIND_GAUGE;
    channel->scale_num = answers->energy ? 1000 : 1; /* mJ to µJ */
    made->ways[0] = answers->energy ? answers->energy : answers->power;
    channel->refresh_ns = em__nvml_refresh_ns(answers);
    channel->average_ns = answers->energy ? 0 : em__nvml_average_ns(answers);
    channel->ceiling_mw = made->most_mw = em__nvml_ceiling_mw(answers);
    channel->limit_mw = answers->has_limit ? answers->limit_mw : 0;
    channel->gain = em__nvml_gain(answers);
    channel->notes |= EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED);
    channel->sparing_interval_ns = answers->energy ? em__ranks_look(nvml->host).count * EM__NS_PER_S : 0;
    if (answers->energy && !em__nvml_is_fast(channel->device_name)) {
        channel->interval_ns = channel->sparing_interval_ns;
        channel->notes |= EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER);
    }
    if (made->base.channel_count > 1) {
        describe_gauge(answers, made);
    }
}

static void describe_model(const em__nvml *nvml, const em__nvml_answers *answers, const em__selection *selection,
                           em__nvml_device *made)
{
    em__channel *channel = &made->base.channels[0];
    em__tdp_limit limit =
        em__tdp_gpu_limit(answers->has_limit ? answers->limit_mw : 0, selection->gpu_tdp_w, channel->device_name);
    em__print(channel->name, sizeof channel->name, "gpu-%d/model", channel->gpu);
    channel->kind = made->kind = EM_KIND_MODEL;
    made->has_limit = answers->has_limit;
    made->has_utilisation = answers->has_utilisation;
    made->limit_w = limit.each_w;
    channel->refresh_ns = em__nvml_refresh_ns(answers);
    channel->gain = EM__TDP_GPU_GAIN;
    channel->tdp_each_w = made->limit_w;
    channel->tdp_count = 1;
    em__copy(channel->tdp_from, sizeof channel->tdp_from, limit.from);
    channel->notes |= EM_NOTE_BIT(EM_NOTE_MODEL);
    if (limit.is_default) {
        channel->notes |= EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT);
    }
    char words[64];
    em__nvml_words(nvml, answers->power_code, words, sizeof words);
    em__text text = {0};
    em__text_number(&text, made->limit_w);
    em__text_format(&text, " W x 1 GPU, %s; %s; NVML gives neither its energy nor its power: %s", limit.from,
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

static void describe_failure(const em__nvml *nvml, int code, em__nvml_device *made)
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

static em__nvml_device *make_board(em__nvml *nvml, const em__nvml_found *found, const em__sensor *sensor,
                                   size_t channel_count, uint64_t notes)
{
    em__nvml_device *made = em__nvml_device_create(nvml, found, sensor, channel_count);
    if (made) {
        describe_place(&found->board, notes, &made->base.channels[0]);
    }
    return made;
}

/* It is there and draws power that nobody sees, so that a total without it must say so. */
static int add_unreadable(em__nvml *nvml, const em__nvml_found *found, int code, uint64_t notes, em__probe *probe)
{
    em__nvml_device *made = make_board(nvml, found, &em__sensor_nvml, 1, notes);
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
    size_t channel_count = answers.energy && answers.power ? 2 : 1;
    em__nvml_device *made =
        make_board(nvml, found, has_reading ? &em__sensor_nvml : &em__sensor_tdp, channel_count, notes);
    if (!made) {
        return EM_ERR_NO_MEMORY;
    }
    if (has_reading) {
        describe_reading(nvml, &answers, made);
    } else {
        describe_model(nvml, &answers, selection, made);
    }
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

static int add_chosen(em__nvml *nvml, const em__selection *selection, const em__nvml_found *boards, size_t count,
                      em__probe *probe)
{
    em__board *facts = calloc(count + 1, sizeof *facts);
    unsigned char chosen[EM__NVML_BOARDS] = {0};
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
    int status =
        em__visible_choose(nvml->host, selection, EM__MAKER_NVIDIA, facts, count, &probe->choices, chosen, &notes);
    free(facts);
    for (size_t i = 0; i < count && status == EM_OK; i++) {
        taken += chosen[i];
        if (chosen[i]) {
            status = add_board(nvml, &boards[i], selection, notes, probe);
        }
    }
    if (status == EM_OK && taken < count) {
        status = em__visible_explain(nvml->host, selection, probe, &em__sensor_nvml, taken, count);
    }
    if (status == EM_OK) {
        probe->notes |= notes;
        probe->gpus = probe->gpus > (int32_t)count ? probe->gpus : (int32_t)count;
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
    if (code != NVML_OK || count > EM__NVML_BOARDS) {
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
        return em__probe_absent(probe, &em__sensor_nvml, EM_ERR_NOT_SELECTED, "", "the options leave GPUs out");
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
