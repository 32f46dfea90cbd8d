/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Lists of boards, and looking boards up by what names them. */
#include "sensors/gpu_view.h"

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

static size_t is_prefix(em__item prefix, const char *whole)
{
    return strlen(whole) >= prefix.length && memcmp(whole, prefix.text, prefix.length) == 0;
}

long em__view_board(const em__gpu_view *view, em__item prefix, size_t *ret_matches)
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
size_t em__view_boards_of_slice(const em__gpu_view *view, em__item name, size_t *out)
{
    if (em__item_begins(name, "MIG-GPU-")) {
        em__item uuid = {name.text + 4, name.length - 4};
        const char *slash = memchr(uuid.text, '/', uuid.length);
        if (slash) {
            uuid.length = (size_t)(slash - uuid.text);
        }
        long board = em__view_board(view, uuid, NULL);
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

int em__view_is_shown(const em__gpu_view *view, size_t board)
{
    for (size_t i = 0; i < view->shown; i++) {
        if (view->order[i] == board) {
            return 1;
        }
    }
    return 0;
}

void em__view_show_all(em__gpu_view *view)
{
    view->shown = view->count;
    for (size_t i = 0; i < view->count; i++) {
        view->order[i] = i;
    }
}

int em__view_is_one_model(const em__gpu_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        if (view->count > 1 && (!view->boards[i].name[0] || strcmp(view->boards[i].name, view->boards[0].name) != 0)) {
            return 0;
        }
    }
    return 1;
}
