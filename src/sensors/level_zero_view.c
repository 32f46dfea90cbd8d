/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Level Zero's rules for ZE_AFFINITY_MASK: "0,2" or "1.0" of boards and their tiles. By default each tile has a number of its
 * own (ZE_FLAT_DEVICE_HIERARCHY=FLAT). */
#include "sensors/gpu_view.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TILES = 16 };

static size_t tiles_of(const em__board *board)
{
    return board->tiles < 1 ? 1 : board->tiles > MOST_TILES ? MOST_TILES : board->tiles;
}

static uint64_t all_tiles(const em__board *board)
{
    return (UINT64_C(1) << tiles_of(board)) - 1;
}

/* The board of a number, and which of the board's it is; -1: there is none such. */
static long board_of(const em__gpu_view *view, int64_t number, int is_flat, uint64_t *ret_tile)
{
    for (size_t i = 0; i < view->count && number >= 0; i++) {
        size_t numbers = is_flat ? tiles_of(&view->boards[i]) : 1;
        if ((uint64_t)number < numbers) {
            *ret_tile = (uint64_t)number;
            return (long)i;
        }
        number -= (int64_t)numbers;
    }
    return -1;
}

typedef struct {
    int64_t device, tile; /* -1: none was named */
} entry;

static entry read_entry(em__item item)
{
    const char *dot = memchr(item.text, '.', item.length);
    size_t length = dot ? (size_t)(dot - item.text) : item.length;
    int64_t device = em__item_number((em__item){item.text, length});
    int64_t tile = dot ? em__item_number((em__item){dot + 1, item.length - length - 1}) : -1;
    return (entry){dot && tile < 0 ? -1 : device, tile};
}

/* The order of the mask says nothing: what it names keeps its place. */
static void take(em__gpu_view *view, const char *list, int is_flat, uint64_t *tiles)
{
    while (list) {
        entry named = read_entry(em__item_next(&list));
        uint64_t tile = 0;
        long board = board_of(view, named.device, is_flat, &tile);
        if (board >= 0) {
            tile = is_flat ? tile : named.tile < 0 ? 0 : (uint64_t)named.tile;
            uint64_t whole = all_tiles(&view->boards[board]), bit = tile < MOST_TILES ? UINT64_C(1) << tile : 0;
            tiles[board] |= !is_flat && named.tile < 0 ? whole : bit & whole;
        }
    }
}

static int is_word(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

void em__level_zero_look(em__host *host, em__gpu_view *view)
{
    const char *list = em__host_variable(host, "ZE_AFFINITY_MASK");
    int is_flat = !is_word(em__host_variable(host, "ZE_FLAT_DEVICE_HIERARCHY"), "COMPOSITE");
    view->is_order_known =
        is_word(em__host_variable(host, "ZE_ENABLE_PCI_ID_DEVICE_ORDER"), "1") || em__view_is_one_model(view);
    uint64_t *tiles = list && list[0] ? calloc(view->count + 1, sizeof *tiles) : NULL;
    if (!tiles) {
        em__view_show_all(view);
        return;
    }
    view->variable = "ZE_AFFINITY_MASK";
    take(view, list, is_flat, tiles);
    for (size_t i = 0; i < view->count; i++) {
        if (tiles[i]) {
            view->order[view->shown++] = i;
            view->notes |= tiles[i] != all_tiles(&view->boards[i]) ? EM_NOTE_BIT(EM_NOTE_MIG) : 0;
        }
    }
    if (!view->is_order_known && view->shown > 0 && view->shown < view->count) {
        view->notes = EM_NOTE_BIT(EM_NOTE_MAPPING_UNKNOWN);
    }
    free(tiles);
}
