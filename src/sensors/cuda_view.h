/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What CUDA shows to a process: its rules for CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER. Pure. */
#ifndef EM_SENSORS_CUDA_VIEW_H
#define EM_SENSORS_CUDA_VIEW_H

#include "sensors/visible.h"

/* One part of a list with commas. */
typedef struct {
    const char *text;
    size_t length;
} em__item;

/* The next part, without the white space around it. at becomes NULL behind the last. */
em__item em__item_next(const char **at);
int em__item_begins(em__item item, const char *word);
/* Digits alone; -1: there are others, or none. What is too large for an index stays too large. */
int64_t em__item_number(em__item item);

typedef struct {
    const em__board *boards; /* in PCI order */
    size_t count;
    size_t *order; /* room for count + 1; boards as CUDA numbers them */
    size_t shown;  /* how many of them CUDA shows */
    int is_order_known;
    uint64_t notes; /* EM_NOTE_MAPPING_UNKNOWN: it shows fewer than all and nobody knows which; EM_NOTE_MIG */
} em__cuda_view;

/* Looks at boards, count and the host's environment, and fills in the rest. */
void em__cuda_look(em__host *host, em__cuda_view *view);
void em__cuda_show_all(em__cuda_view *view);
int em__cuda_is_shown(const em__cuda_view *view, size_t board);

/* The one board whose UUID begins with the prefix; -1: none does or several do. ret_matches may be NULL. */
long em__cuda_board(const em__cuda_view *view, em__item prefix, size_t *ret_matches);
/* Boards that a slice's name may belong to, into out (room for count + 1); 0: it names nothing here. */
size_t em__cuda_boards_of_slice(const em__cuda_view *view, em__item name, size_t *out);

#endif
