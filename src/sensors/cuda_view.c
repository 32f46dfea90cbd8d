/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* CUDA's rules for its two variables: which boards it shows to a process, and in which order. */
#include "sensors/gpu_view.h"

#include <string.h>

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* CUDA reads an ordinal as strtol does: a sign may lead, what follows the digits is ignored. -1: none, or negative. */
static int64_t cuda_ordinal(em__item text)
{
    int is_negative = em__item_begins(text, "-");
    if (is_negative || em__item_begins(text, "+")) {
        text = (em__item){text.text + 1, text.length - 1};
    }
    size_t digits = 0;
    while (digits < text.length && is_digit(text.text[digits])) {
        digits++;
    }
    int64_t value = em__item_number((em__item){text.text, digits});
    return is_negative && value > 0 ? -1 : value;
}

/* The first entry says whether the list is of numbers, GPUs or slices, and the first that names nothing ends it (CUDA's
 * documentation). One that repeats a board empties it (driver 525, as the tests of PyTorch's parser record). */
static void show_numbered(em__gpu_view *view, const char *list)
{
    while (list) {
        int64_t ordinal = cuda_ordinal(em__item_next(&list));
        if (ordinal < 0 || (uint64_t)ordinal >= view->count) {
            break;
        }
        if (em__view_is_shown(view, (size_t)ordinal)) {
            view->shown = 0;
            return;
        }
        view->order[view->shown++] = (size_t)ordinal;
    }
    if (!view->is_order_known && view->shown > 0 && view->shown < view->count) {
        view->notes |= EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN);
    }
}

static void show_named(em__gpu_view *view, const char *list)
{
    view->is_order_known = 1;
    while (list) {
        em__item name = em__item_next(&list);
        long board = em__item_begins(name, "GPU-") ? em__view_board(view, name, NULL) : -1;
        if (board < 0) {
            return;
        }
        if (em__view_is_shown(view, (size_t)board)) {
            view->shown = 0;
            return;
        }
        view->order[view->shown++] = (size_t)board;
    }
}

/* CUDA shows one slice, whatever the list says. */
static void show_slice(em__gpu_view *view, const char *list)
{
    view->shown = em__view_boards_of_slice(view, em__item_next(&list), view->order);
    view->is_order_known = view->shown == 1;
    if (view->shown > 0) {
        view->notes |= EM_NOTE_BIT(EM_NOTE_MIG);
    }
    if (view->shown > 1) {
        view->notes |= EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN);
    }
}

void em__cuda_look(em__host *host, em__gpu_view *view)
{
    const char *list = em__host_variable(host, "CUDA_VISIBLE_DEVICES");
    const char *order = em__host_variable(host, "CUDA_DEVICE_ORDER");
    view->is_order_known = (order && strcmp(order, "PCI_BUS_ID") == 0) || em__view_is_one_model(view);
    if (!list) {
        em__view_show_all(view);
        return;
    }
    view->variable = "CUDA_VISIBLE_DEVICES";
    const char *at = list;
    em__item first = em__item_next(&at);
    if (em__item_begins(first, "GPU-")) {
        show_named(view, list);
    } else if (em__item_begins(first, "MIG-")) {
        show_slice(view, list);
    } else {
        show_numbered(view, list);
    }
}
