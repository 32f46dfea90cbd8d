/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a maker's runtime shows to a process: CUDA's, ROCm's and Level Zero's rules for their variables. Pure but for the list
 * of GPUs that the kernel keeps for ROCm. */
#ifndef EM_SENSORS_GPU_VIEW_H
#define EM_SENSORS_GPU_VIEW_H

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

enum { EM__VIEW_SPARE = 256 }; /* beyond the boards: a board cut into partitions has several numbers */

typedef struct {
    const em__board *boards; /* in PCI order */
    size_t count;
    size_t *order; /* room for count + EM__VIEW_SPARE; boards as the runtime numbers them */
    size_t shown;  /* how many numbers there are */
    int is_order_known;
    uint64_t notes;       /* EM_NOTE_MAPPING_UNKNOWN: it shows fewer than all and nobody knows which; EM_NOTE_MIG */
    const char *variable; /* the one that leaves boards out; NULL: none does */
} em__gpu_view;

/* Each looks at boards, count and the host, and fills in the rest. */
void em__cuda_look(em__host *host, em__gpu_view *view);
void em__rocm_look(em__host *host, em__gpu_view *view);
void em__level_zero_look(em__host *host, em__gpu_view *view);

void em__view_show_all(em__gpu_view *view);
int em__view_is_shown(const em__gpu_view *view, size_t board);
int em__view_is_one_model(const em__gpu_view *view);
/* The one board whose UUID begins with the prefix; -1: none does or several do. ret_matches may be NULL. */
long em__view_board(const em__gpu_view *view, em__item prefix, size_t *ret_matches);
/* Boards that a slice's name may belong to, into out (room for count + 1); 0: it names nothing here. */
size_t em__view_boards_of_slice(const em__gpu_view *view, em__item name, size_t *out);

#endif
