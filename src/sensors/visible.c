/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which GPUs the options and the environment ask for: the runtimes' rules for their variables, and ours on top of them. */
#include "sensors/visible.h"

#include "core/text.h"
#include "sensors/gpu_view.h"
#include "sensors/ranks.h"
#include "sensors/visible_words.h"

#include <stdlib.h>
#include <string.h>

/* What a runtime shows to this process, and what was asked of it. */
typedef struct {
    em__gpu_view view;
    em__host *host;
    const em__selection *selection;
    em__gpu_choices *choices;
    em__maker maker;
    uint64_t notes;             /* what weakens the choice */
    char asked[EM__QUOTE_SIZE]; /* selection->gpus, to be shown */
} choice;

typedef enum { ITEM_JUNK, ITEM_INDEX, ITEM_GPU, ITEM_MIG } item_kind;

static int refuse_unknown_order(const choice *v)
{
    int is_cuda = v->maker == EM__MAKER_NVIDIA;
    em__visible_refuse(v->selection, "", NULL,
                       "gpus=\"%s\" counts GPUs of different models, in an order that only %s knows", v->asked,
                       is_cuda ? "CUDA" : "Level Zero");
    em__print(v->selection->error->remedy, sizeof v->selection->error->remedy, "set %s for the whole program%s",
              is_cuda ? "CUDA_DEVICE_ORDER=PCI_BUS_ID" : "ZE_ENABLE_PCI_ID_DEVICE_ORDER=1",
              is_cuda ? ", or name the GPUs by UUID" : "");
    return EM_ERR_INVALID;
}

static size_t numbers_of(const em__gpu_view *view, size_t board)
{
    size_t found = 0;
    for (size_t i = 0; i < view->shown; i++) {
        found += view->order[i] == board;
    }
    return found;
}

/* Counts from the first maker's boards on. item: the entry of the list that it is. */
static int choose_index(choice *v, size_t item, int64_t index, unsigned char *chosen)
{
    if ((uint64_t)index < v->choices->shown || (uint64_t)index - v->choices->shown >= v->view.shown) {
        return EM_OK;
    }
    if (!v->view.is_order_known) {
        return refuse_unknown_order(v);
    }
    size_t board = v->view.order[(uint64_t)index - v->choices->shown];
    if (chosen[board] && numbers_of(&v->view, board) == 1) {
        return em__visible_refuse(v->selection, "", v->choices->shown_text, "gpus=\"%s\" names GPU %lld twice",
                                  v->asked, (long long)index);
    }
    v->choices->met[item] = chosen[board] = 1;
    v->notes |= v->view.notes;
    return EM_OK;
}

static int refuse_name(const em__selection *selection, const em__gpu_choices *choices, em__item name, const char *why)
{
    char quote[EM__QUOTE_SIZE];
    em__visible_text(quote, sizeof quote, name.text, name.length);
    return em__visible_refuse(selection, "", choices->all_text, "gpus names \"%s\", %s", quote, why);
}

static int choose_named(choice *v, size_t item, em__item name, unsigned char *chosen)
{
    size_t matches;
    long board = em__view_board(&v->view, name, &matches);
    if (matches == 0) {
        return EM_OK;
    }
    if (board < 0 || v->choices->met[item]) {
        return refuse_name(v->selection, v->choices, name, "which several GPUs begin with");
    }
    if (chosen[board]) {
        return em__visible_refuse(v->selection, "", v->choices->all_text, "gpus=\"%s\" names %s twice", v->asked,
                                  v->view.boards[board].uuid);
    }
    v->choices->met[item] = chosen[board] = 1;
    return EM_OK;
}

static int choose_slice(choice *v, size_t item, em__item name, unsigned char *chosen)
{
    size_t *possible = calloc(v->view.count + 1, sizeof *possible);
    if (!possible) {
        return EM_ERR_NO_MEMORY;
    }
    size_t matches = v->maker == EM__MAKER_NVIDIA ? em__view_boards_of_slice(&v->view, name, possible) : 0;
    for (size_t i = 0; i < matches; i++) {
        v->choices->met[item] = chosen[possible[i]] = 1;
    }
    free(possible);
    v->notes |= matches > 0 ? EM_NOTE_BIT(EM_NOTE_MIG) : 0;
    v->notes |= matches > 1 ? EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN) : 0;
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

static int refuse_junk(const em__selection *selection, const em__gpu_choices *choices, em__item name)
{
    char all[EM__QUOTE_SIZE], quote[EM__QUOTE_SIZE];
    em__visible_text(all, sizeof all, selection->gpus, SIZE_MAX);
    em__visible_text(quote, sizeof quote, name.text, name.length);
    return em__visible_refuse(selection, "", choices ? choices->all_text : NULL,
                              "gpus=\"%s\" has \"%s\", which names no GPU", all, quote);
}

static int choose_listed(choice *v, unsigned char *chosen)
{
    int status = EM_OK;
    size_t item = 0;
    for (const char *at = v->selection->gpus; at && status == EM_OK && item < EM__GPUS_LISTED; item++) {
        em__item name = em__item_next(&at);
        int64_t index;
        switch (kind_of(name, &index)) {
        case ITEM_INDEX:
            status = choose_index(v, item, index, chosen);
            break;
        case ITEM_GPU:
            status = choose_named(v, item, name, chosen);
            break;
        case ITEM_MIG:
            status = choose_slice(v, item, name, chosen);
            break;
        case ITEM_JUNK:
            break;
        }
    }
    return status;
}

static int read_rank(em__host *host, const em__selection *selection, int64_t *ret_rank, const char **ret_name)
{
    const char *value = em__ranks_text(host, ret_name);
    if (!value) {
        em__visible_refuse(selection, "", NULL,
                           "gpus=\"local_rank\" needs a rank, and no launcher's variable tells it, such as LOCAL_RANK, "
                           "OMPI_COMM_WORLD_LOCAL_RANK, MPI_LOCALRANKID or SLURM_LOCALID");
        em__copy(selection->error->remedy, sizeof selection->error->remedy,
                 "start the program with torchrun, srun or mpirun, or give the index of this process's GPU");
        return EM_ERR_INVALID;
    }
    const char *at = value;
    em__item number = em__item_next(&at);
    *ret_rank = at ? -1 : em__item_number(number);
    if (*ret_rank < 0) {
        char quote[EM__QUOTE_SIZE];
        em__visible_text(quote, sizeof quote, value, strlen(value));
        return em__visible_refuse(selection, "", NULL, "gpus=\"local_rank\": %s is \"%s\", which is no rank", *ret_name,
                                  quote);
    }
    return EM_OK;
}

static int is_word(const em__selection *selection, const char *word)
{
    return strcmp(selection->gpus ? selection->gpus : "visible", word) == 0;
}

int em__visible_check(const em__selection *selection)
{
    size_t items = 0;
    if (is_word(selection, "visible") || is_word(selection, "all") || is_word(selection, "local_rank")) {
        return EM_OK;
    }
    for (const char *at = selection->gpus; at; items++) {
        em__item name = em__item_next(&at);
        int64_t index;
        if (kind_of(name, &index) == ITEM_JUNK) {
            return refuse_junk(selection, NULL, name);
        }
        if (items == EM__GPUS_LISTED) {
            return em__visible_refuse(selection, "", NULL, "gpus names more than %d GPUs", EM__GPUS_LISTED);
        }
    }
    return EM_OK;
}

static int choose(choice *v, unsigned char *chosen)
{
    int64_t rank;
    const char *name;
    if (is_word(v->selection, "all")) {
        memset(chosen, 1, v->view.count);
        return EM_OK;
    }
    if (is_word(v->selection, "local_rank")) {
        int status = read_rank(v->host, v->selection, &rank, &name);
        return status == EM_OK ? choose_index(v, 0, rank, chosen) : status;
    }
    if (!is_word(v->selection, "visible")) {
        return choose_listed(v, chosen);
    }
    int is_any = v->view.notes == EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN);
    v->notes = v->view.notes;
    for (size_t i = 0; i < v->view.count; i++) {
        chosen[i] = is_any || em__view_is_shown(&v->view, i);
    }
    return EM_OK;
}

static int list_all(choice *v)
{
    em__gpu_view all = {.boards = v->view.boards, .count = v->view.count};
    all.order = calloc(all.count + 1, sizeof *all.order);
    if (!all.order) {
        return EM_ERR_NO_MEMORY;
    }
    em__view_show_all(&all);
    em__visible_list(&all, -1, v->choices->all_text, sizeof v->choices->all_text);
    free(all.order);
    return EM_OK;
}

int em__visible_choose(em__host *host, const em__selection *selection, em__maker maker, const em__board *boards,
                       size_t count, em__gpu_choices *choices, unsigned char *chosen, uint64_t *ret_notes)
{
    choice v = {.view = {.boards = boards, .count = count},
                .host = host,
                .selection = selection,
                .choices = choices,
                .maker = maker};
    em__visible_text(v.asked, sizeof v.asked, selection->gpus ? selection->gpus : "", SIZE_MAX);
    v.view.order = calloc(count + EM__VIEW_SPARE, sizeof *v.view.order);
    if (!v.view.order) {
        return EM_ERR_NO_MEMORY;
    }
    memset(chosen, 0, count);
    (maker == EM__MAKER_NVIDIA ? em__cuda_look
     : maker == EM__MAKER_AMD  ? em__rocm_look
                               : em__level_zero_look)(host, &v.view);
    em__visible_list(&v.view, v.view.is_order_known ? (long)choices->shown : -1, choices->shown_text,
                     sizeof choices->shown_text);
    int status = list_all(&v);
    status = status == EM_OK ? choose(&v, chosen) : status;
    choices->shown += v.view.shown;
    choices->boards += count;
    choices->variable = count > 0 ? v.view.variable : choices->variable;
    free(v.view.order);
    if (status == EM_OK) {
        *ret_notes = v.notes;
    }
    return status;
}

static int remedy_nothing(const em__selection *selection)
{
    em__copy(
        selection->error->remedy, sizeof selection->error->remedy,
        "no GPU of NVIDIA was found, nor of AMD or Intel (energy-meter sensors tells why); gpus=\"visible\" measures "
        "what is there");
    return EM_ERR_INVALID;
}

/* A number that no maker's board has. */
static int refuse_index(const em__selection *selection, const em__gpu_choices *choices, const char *asked,
                        int64_t index)
{
    if (choices->boards == 0) {
        em__visible_refuse(selection, "", NULL, "gpus=\"%s\" asks for GPU %lld, and there is none", asked,
                           (long long)index);
        return remedy_nothing(selection);
    }
    if (choices->shown > 0) {
        return em__visible_refuse(selection, choices->shown < choices->boards ? "visible " : "", choices->shown_text,
                                  "gpus=\"%s\" asks for GPU %lld, and %zu %s visible to this process", asked,
                                  (long long)index, choices->shown, choices->shown == 1 ? "GPU is" : "GPUs are");
    }
    /* One that is hidden can still be named. */
    em__visible_refuse(selection, "", choices->all_text,
                       "gpus=\"%s\" counts the GPUs that this process sees, and %s hides all", asked,
                       choices->variable ? choices->variable : "its control group");
    em__print(selection->error->remedy, sizeof selection->error->remedy, "give UUIDs; the GPUs are %s",
              choices->all_text);
    return EM_ERR_INVALID;
}

static int finish_rank(em__host *host, const em__selection *selection, const em__gpu_choices *choices)
{
    int64_t rank;
    const char *name;
    int status = read_rank(host, selection, &rank, &name);
    if (status != EM_OK || choices->boards == 0 || choices->met[0]) {
        return status;
    }
    if (choices->shown == 0) {
        return refuse_index(selection, choices, "local_rank", rank);
    }
    em__visible_refuse(selection, "visible ", choices->shown_text,
                       "gpus=\"local_rank\": %s is %lld, and %zu %s visible to this process", name, (long long)rank,
                       choices->shown, choices->shown == 1 ? "GPU is" : "GPUs are");
    if (choices->shown == 1) {
        em__copy(selection->error->remedy, sizeof selection->error->remedy,
                 "where the launcher shows each process its own GPU, give gpus=\"visible\"");
    }
    return EM_ERR_INVALID;
}

int em__visible_finish(em__host *host, const em__selection *selection, const em__gpu_choices *choices)
{
    char asked[EM__QUOTE_SIZE];
    size_t item = 0;
    if (is_word(selection, "visible") || is_word(selection, "all")) {
        return EM_OK;
    }
    if (is_word(selection, "local_rank")) {
        return finish_rank(host, selection, choices);
    }
    em__visible_text(asked, sizeof asked, selection->gpus, SIZE_MAX);
    for (const char *at = selection->gpus; at && item < EM__GPUS_LISTED; item++) {
        em__item name = em__item_next(&at);
        int64_t index;
        item_kind kind = kind_of(name, &index);
        if (choices->met[item]) {
            continue;
        }
        if (kind == ITEM_JUNK) {
            return refuse_junk(selection, choices->boards > 0 ? choices : NULL, name);
        }
        if (kind == ITEM_INDEX) {
            return refuse_index(selection, choices, asked, index);
        }
        if (choices->boards == 0) {
            em__visible_refuse(selection, "", NULL, "gpus=\"%s\" names a GPU, and there is none", asked);
            return remedy_nothing(selection);
        }
        return refuse_name(selection, choices, name,
                           kind == ITEM_MIG ? "a slice that no GPU of this machine has"
                                            : "which no GPU of this machine is");
    }
    return em__visible_check(selection);
}
