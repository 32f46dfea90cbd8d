/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Words of the choice of GPUs. */
#ifndef EM_SENSORS_VISIBLE_WORDS_H
#define EM_SENSORS_VISIBLE_WORDS_H

#include "sensors/gpu_view.h"

enum { EM__QUOTE_SIZE = 65 };

/* Adds "0: NVIDIA H200 (GPU-8932f937), 1 (GPU-0e2f…" to out as far as there is room; a model is named where it changes.
 * first: the number of the first; < 0: in an order that nobody knows. */
void em__visible_list(const em__gpu_view *view, long first, char *out, size_t size);

/* Fills in selection->error. boards: a list to choose from, "visible " or "" which; NULL: any that fits may be given.
 * EM_ERR_INVALID. */
__attribute__((format(printf, 4, 5))) int em__visible_refuse(const em__selection *selection, const char *which,
                                                             const char *boards, const char *format, ...);

#endif
