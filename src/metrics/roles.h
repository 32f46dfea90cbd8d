/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One resolver decides from all channels together how each enters the total, so that no joule is counted twice.
 * Pure. */
#ifndef EM_METRICS_ROLES_H
#define EM_METRICS_ROLES_H

#include "core/channel.h"

#include <stddef.h>

typedef struct {
    const em__channel *facts;
    const char *sensor; /* its name, for "@sensor" */
    int rank;           /* lower wins where two cover the same silicon */
    int is_readable;    /* facts->status is EM_OK and it has not ended */
    int32_t twin;       /* 1 + the index of an earlier channel that its values showed to be the same counter; 0: none */
} em__candidate;

typedef struct {
    int32_t role;                  /* em_role */
    int32_t of;                    /* index of the channel that a part or mirror belongs to, or -1 */
    int32_t group;                 /* lowest index of the channels that cover the same silicon; from facts alone */
    int32_t is_missing;            /* unreadable, and no counted channel holds its energy: the total lacks it.
                                         Of several copies only one is, and none that the options leave out */
    char name[EM__NAME_SIZE + 32]; /* unique: facts->name, with "@sensor" (and "#2" …) for the lower of equal ones */
    char reason[EM__TEXT_SIZE];    /* why this role, in a sentence; "" for a plainly counted one */
} em__role;

/* Asked once with everything that was found, and again whenever a channel ends or comes back; names depend on facts
 * alone and never change. out has count elements. */
void em__roles_resolve(const em__candidate candidates[], size_t count, em__role out[]);

#endif
