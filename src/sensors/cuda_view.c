/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* CUDA's rules for its two variables: which boards it shows to a process, and in which order. */
#include "sensors/cuda_view.h"

#include <string.h>

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int em__item_begins(em__item text, const char *word)
{
    size_t length = strlen(word);
    return text.length >= length && memcmp(text.text, word, length) == 0;
}

em__item em__item_next(const char **at)
{
    const char *begin = *at, *end = strchr(begin, ',');
    *at = end ? end + 1 : NULL;
    if (!end) {
        end = begin + strlen(begin);
    }
    while (begin < end && is_space(*begin)) {
        begin++;
    }
    while (end > begin && is_space(end[-1])) {
        end--;
    }
    return (em__item){begin, (size_t)(end - begin)};
}

int64_t em__item_number(em__item text)
{
    int64_t value = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.text[i])) {
            return -1;
        }
        if (value < INT32_MAX) {
            value = value * 10 + (text.text[i] - '0');
        }
    }
    return text.length > 0 ? value : -1;
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

static size_t is_prefix(em__item prefix, const char *whole)
{
    return strlen(whole) >= prefix.length && memcmp(whole, prefix.text, prefix.length) == 0;
}

long em__cuda_board(const em__cuda_view *view, em__item prefix, size_t *ret_matches)
{
    long found = -1;
    size_t matches = 0;
    for (size_t i = 0; i < view->count; i++) {
        if (is_prefix(prefix, view->boards[i].uuid)) {
            found = (long)i;
            matches++;
        }
    }
    if (ret_matches) {
        *ret_matches = matches;
    }
    return matches == 1 ? found : -1;
}

static size_t slices_of_prefix(const em__board *board, em__item prefix)
{
    size_t matches = 0;
    for (size_t i = 0; i < board->mig_count && i < EM__BOARD_MIGS; i++) {
        matches += is_prefix(prefix, board->migs[i]);
    }
    return matches;
}

/* "MIG-GPU-<uuid>/3/0" says its board, "MIG-<uuid>" has to be found among the slices, and where the
 * driver does not list those, it may be on any board that is cut. */
size_t em__cuda_boards_of_slice(const em__cuda_view *view, em__item name, size_t *out)
{
    if (em__item_begins(name, "MIG-GPU-")) {
        em__item uuid = {name.text + 4, name.length - 4};
        const char *slash = memchr(uuid.text, '/', uuid.length);
        if (slash) {
            uuid.length = (size_t)(slash - uuid.text);
        }
        long board = em__cuda_board(view, uuid, NULL);
        if (board < 0) {
            return 0;
        }
        out[0] = (size_t)board;
        return 1;
    }
    size_t listed = 0, possible = 0;
    for (size_t i = 0; i < view->count; i++) {
        size_t slices = slices_of_prefix(&view->boards[i], name);
        if (slices > 0) {
            out[0] = i;
        }
        listed += slices;
    }
    if (listed > 0) {
        return listed == 1;
    }
    for (size_t i = 0; i < view->count; i++) {
        if (view->boards[i].is_mig && view->boards[i].mig_count == 0) {
            out[possible++] = i;
        }
    }
    return possible;
}

int em__cuda_is_shown(const em__cuda_view *view, size_t board)
{
    for (size_t i = 0; i < view->shown; i++) {
        if (view->order[i] == board) {
            return 1;
        }
    }
    return 0;
}

void em__cuda_show_all(em__cuda_view *view)
{
    view->shown = view->count;
    for (size_t i = 0; i < view->count; i++) {
        view->order[i] = i;
    }
}

static int are_one_model(const em__cuda_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        if (view->count > 1 && (!view->boards[i].name[0] || strcmp(view->boards[i].name, view->boards[0].name) != 0)) {
            return 0;
        }
    }
    return 1;
}

/* The first entry says whether the list is of numbers, GPUs or slices, and the first that names nothing ends it (CUDA's
 * documentation). One that repeats a board empties it (driver 525, as the tests of PyTorch's parser record). */
static void show_numbered(em__cuda_view *view, const char *list)
{
    while (list) {
        int64_t ordinal = cuda_ordinal(em__item_next(&list));
        if (ordinal < 0 || (uint64_t)ordinal >= view->count) {
            break;
        }
        if (em__cuda_is_shown(view, (size_t)ordinal)) {
            view->shown = 0;
            return;
        }
        view->order[view->shown++] = (size_t)ordinal;
    }
    if (!view->is_order_known && view->shown > 0 && view->shown < view->count) {
        view->notes |= EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN);
    }
}

static void show_named(em__cuda_view *view, const char *list)
{
    view->is_order_known = 1;
    while (list) {
        em__item name = em__item_next(&list);
        long board = em__item_begins(name, "GPU-") ? em__cuda_board(view, name, NULL) : -1;
        if (board < 0) {
            return;
        }
        if (em__cuda_is_shown(view, (size_t)board)) {
            view->shown = 0;
            return;
        }
        view->order[view->shown++] = (size_t)board;
    }
}

/* CUDA shows one slice, whatever the list says. */
static void show_slice(em__cuda_view *view, const char *list)
{
    view->shown = em__cuda_boards_of_slice(view, em__item_next(&list), view->order);
    view->is_order_known = view->shown == 1;
    if (view->shown > 0) {
        view->notes |= EM_NOTE_BIT(EM_NOTE_MIG);
    }
    if (view->shown > 1) {
        view->notes |= EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN);
    }
}

void em__cuda_look(em__host *host, em__cuda_view *view)
{
    const char *list = em__host_variable(host, "CUDA_VISIBLE_DEVICES");
    const char *order = em__host_variable(host, "CUDA_DEVICE_ORDER");
    view->is_order_known = (order && strcmp(order, "PCI_BUS_ID") == 0) || are_one_model(view);
    if (!list) {
        em__cuda_show_all(view);
        return;
    }
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
