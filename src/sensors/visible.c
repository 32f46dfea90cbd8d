/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which GPUs the options and the environment ask for: CUDA's rules for its two variables, and ours on top of them. */
#include "sensors/cuda_view.h"

#include "core/text.h"
#include "sensors/ranks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUOTE_SIZE = 65 };

/* What CUDA shows to this process, and what was asked of it. */
typedef struct {
    em__cuda_view cuda;
    em__host *host;
    const em__selection *selection;
    uint64_t notes;         /* what weakens the choice */
    char asked[QUOTE_SIZE]; /* selection->gpus, to be shown */
} choice;

typedef enum { ITEM_JUNK, ITEM_INDEX, ITEM_GPU, ITEM_MIG } item_kind;

void em__visible_text(char *destination, size_t size, const char *source, size_t length)
{
    size_t i = 0;
    for (; i + 1 < size && i < length && source[i]; i++) {
        destination[i] = source[i] >= ' ' && source[i] <= '~' ? source[i] : '?';
    }
    destination[i] = '\0';
}

/* "0: NVIDIA H200 (GPU-8932f937), 1 (GPU-0e2f…" as far as there is room; a model is named where it changes. */
static void list_boards(const choice *v, char *out, size_t size)
{
    em__text text = {0};
    const char *model = "";
    for (size_t i = 0; i < v->cuda.shown && text.length < size; i++) {
        const em__board *board = &v->cuda.boards[v->cuda.order[i]];
        em__text_add(&text, i > 0 ? ", " : "");
        if (v->cuda.is_order_known) {
            em__text_format(&text, "%zu", i);
        }
        if (strcmp(board->name, model) != 0) {
            em__text_format(&text, "%s%s", v->cuda.is_order_known ? ": " : "", board->name);
        }
        if (board->uuid[0]) {
            em__text_format(&text, " (%.12s)", board->uuid);
        }
        model = board->name;
    }
    char *whole = em__text_finish(&text, NULL);
    em__copy(out, size, whole && whole[0] ? whole : "none");
    free(whole);
}

__attribute__((format(printf, 3, 4))) static int refuse(const em__selection *selection, const choice *v,
                                                        const char *format, ...)
{
    char text[256], boards[224];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    em_error *error = selection->error;
    error->status = EM_ERR_INVALID;
    em__copy(error->argument, sizeof error->argument, "gpus");
    em__copy(error->text, sizeof error->text, text);
    em__copy(error->remedy, sizeof error->remedy,
             "give \"visible\", \"all\", \"local_rank\", indices such as \"0,2\", or UUIDs such as \"GPU-8932f937\"");
    if (v) {
        list_boards(v, boards, sizeof boards);
        em__print(error->remedy, sizeof error->remedy, "give indices or UUIDs; the %sGPUs are %s",
                  v->cuda.shown < v->cuda.count ? "visible " : "", boards);
    }
    return EM_ERR_INVALID;
}

static int refuse_unknown_order(const choice *v)
{
    refuse(v->selection, NULL, "gpus=\"%s\" counts GPUs of different models, in an order that only CUDA knows",
           v->asked);
    em__copy(v->selection->error->remedy, sizeof v->selection->error->remedy,
             "set CUDA_DEVICE_ORDER=PCI_BUS_ID for the whole program, or name the GPUs by UUID");
    return EM_ERR_INVALID;
}

static int choose_index(choice *v, int64_t index, unsigned char *chosen)
{
    if ((uint64_t)index >= v->cuda.shown) {
        return refuse(v->selection, v, "gpus=\"%s\" asks for GPU %lld, and %zu %s visible to this process", v->asked,
                      (long long)index, v->cuda.shown, v->cuda.shown == 1 ? "GPU is" : "GPUs are");
    }
    if (!v->cuda.is_order_known) {
        return refuse_unknown_order(v);
    }
    size_t board = v->cuda.order[index];
    if (chosen[board]) {
        return refuse(v->selection, v, "gpus=\"%s\" names GPU %lld twice", v->asked, (long long)index);
    }
    chosen[board] = 1;
    v->notes |= v->cuda.notes;
    return EM_OK;
}

static int refuse_name(choice *v, em__item name, const char *why)
{
    char quote[QUOTE_SIZE];
    em__visible_text(quote, sizeof quote, name.text, name.length);
    if (v->cuda.shown < v->cuda.count) {
        em__cuda_show_all(&v->cuda);
        v->cuda.is_order_known = 0;
    }
    return refuse(v->selection, v, "gpus names \"%s\", %s", quote, why);
}

static int choose_named(choice *v, em__item name, unsigned char *chosen)
{
    size_t matches;
    long board = em__cuda_board(&v->cuda, name, &matches);
    if (board < 0) {
        return refuse_name(v, name, matches > 0 ? "which several GPUs begin with" : "which no GPU of this machine is");
    }
    if (chosen[board]) {
        return refuse(v->selection, v, "gpus=\"%s\" names %s twice", v->asked, v->cuda.boards[board].uuid);
    }
    chosen[board] = 1;
    return EM_OK;
}

static int choose_slice(choice *v, em__item name, unsigned char *chosen)
{
    size_t *possible = calloc(v->cuda.count + 1, sizeof *possible);
    if (!possible) {
        return EM_ERR_NO_MEMORY;
    }
    size_t matches = em__cuda_boards_of_slice(&v->cuda, name, possible);
    for (size_t i = 0; i < matches; i++) {
        chosen[possible[i]] = 1;
    }
    free(possible);
    if (matches == 0) {
        return refuse_name(v, name, "a slice that no GPU of this machine has");
    }
    v->notes |= EM_NOTE_BIT(EM_NOTE_MIG);
    if (matches > 1) {
        v->notes |= EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN);
    }
    return EM_OK;
}

/* "2" and "cuda:2" are indices. */
static item_kind kind_of(em__item name, int64_t *ret_index)
{
    em__item number = em__item_begins(name, "cuda:") ? (em__item){name.text + 5, name.length - 5} : name;
    *ret_index = em__item_number(number);
    if (*ret_index >= 0) {
        return ITEM_INDEX;
    }
    if (em__item_begins(name, "GPU-")) {
        return ITEM_GPU;
    }
    return em__item_begins(name, "MIG-") ? ITEM_MIG : ITEM_JUNK;
}

static int refuse_junk(const em__selection *selection, const choice *v, em__item name)
{
    char all[QUOTE_SIZE], quote[QUOTE_SIZE];
    em__visible_text(all, sizeof all, selection->gpus, SIZE_MAX);
    em__visible_text(quote, sizeof quote, name.text, name.length);
    return refuse(selection, v, "gpus=\"%s\" has \"%s\", which names no GPU", all, quote);
}

static int choose_listed(choice *v, unsigned char *chosen)
{
    int status = EM_OK;
    for (const char *at = v->selection->gpus; at && status == EM_OK;) {
        em__item name = em__item_next(&at);
        int64_t index;
        switch (kind_of(name, &index)) {
        case ITEM_INDEX:
            status = choose_index(v, index, chosen);
            break;
        case ITEM_GPU:
            status = choose_named(v, name, chosen);
            break;
        case ITEM_MIG:
            status = choose_slice(v, name, chosen);
            break;
        case ITEM_JUNK:
            return refuse_junk(v->selection, v, name);
        }
    }
    return status;
}

static int choose_local_rank(choice *v, unsigned char *chosen)
{
    const char *name, *value = em__ranks_text(v->host, &name);
    if (!value) {
        refuse(v->selection, NULL,
               "gpus=\"local_rank\" needs a rank, and no launcher's variable tells it, such as LOCAL_RANK, "
               "OMPI_COMM_WORLD_LOCAL_RANK, MPI_LOCALRANKID or SLURM_LOCALID");
        em__copy(v->selection->error->remedy, sizeof v->selection->error->remedy,
                 "start the program with torchrun, srun or mpirun, or give the index of this process's GPU");
        return EM_ERR_INVALID;
    }
    const char *at = value;
    em__item number = em__item_next(&at);
    int64_t rank = at ? -1 : em__item_number(number);
    if (rank < 0) {
        char quote[QUOTE_SIZE];
        em__visible_text(quote, sizeof quote, value, strlen(value));
        return refuse(v->selection, v, "gpus=\"local_rank\": %s is \"%s\", which is no rank", name, quote);
    }
    if (v->cuda.count == 0) {
        return EM_OK;
    }
    if ((uint64_t)rank >= v->cuda.shown) {
        refuse(v->selection, v, "gpus=\"local_rank\": %s is %lld, and %zu %s visible to this process", name,
               (long long)rank, v->cuda.shown, v->cuda.shown == 1 ? "GPU is" : "GPUs are");
        if (v->cuda.shown == 1) {
            em__copy(v->selection->error->remedy, sizeof v->selection->error->remedy,
                     "where the launcher shows each process its own GPU, give gpus=\"visible\"");
        }
        return EM_ERR_INVALID;
    }
    return choose_index(v, rank, chosen);
}

static int is_word(const em__selection *selection, const char *word)
{
    return strcmp(selection->gpus ? selection->gpus : "visible", word) == 0;
}

int em__visible_check(const em__selection *selection)
{
    if (is_word(selection, "visible") || is_word(selection, "all") || is_word(selection, "local_rank")) {
        return EM_OK;
    }
    for (const char *at = selection->gpus; at;) {
        em__item name = em__item_next(&at);
        int64_t index;
        if (kind_of(name, &index) == ITEM_JUNK) {
            return refuse_junk(selection, NULL, name);
        }
    }
    return EM_OK;
}

int em__visible_choose(em__host *host, const em__selection *selection, const em__board *boards, size_t count,
                       unsigned char *chosen, uint64_t *ret_notes)
{
    choice v = {.cuda = {.boards = boards, .count = count}, .host = host, .selection = selection};
    em__visible_text(v.asked, sizeof v.asked, selection->gpus ? selection->gpus : "", SIZE_MAX);
    v.cuda.order = calloc(count + 1, sizeof *v.cuda.order);
    if (!v.cuda.order) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        chosen[i] = 0;
    }
    em__cuda_look(host, &v.cuda);
    int status = EM_OK;
    if (is_word(selection, "all")) {
        for (size_t i = 0; i < count; i++) {
            chosen[i] = 1;
        }
    } else if (is_word(selection, "local_rank")) {
        status = choose_local_rank(&v, chosen);
    } else if (!is_word(selection, "visible")) {
        status = choose_listed(&v, chosen);
    } else {
        int is_any = v.cuda.notes == EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN);
        v.notes = v.cuda.notes;
        for (size_t i = 0; i < count; i++) {
            chosen[i] = is_any || em__cuda_is_shown(&v.cuda, i);
        }
    }
    free(v.cuda.order);
    if (status == EM_OK) {
        *ret_notes = v.notes;
    }
    return status;
}
