/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Groups of windows of one kind and name, with their sums per channel and the union of their time. */
#ifndef EM_WINDOWS_GROUPS_H
#define EM_WINDOWS_GROUPS_H

#include "windows/spans.h"

#include <stdint.h>

enum { EM__GROUPS = 1024, EM__WINDOW_NAME = 255 };

struct em__record;

typedef struct em__group {
    struct em__group *next;  /* in its chain of the table */
    struct em__record *last; /* the window that ended last */
    uint64_t last_order;     /* grows with each end in any group */
    char *name;              /* NULL: unnamed */
    int32_t kind;
    uint64_t count, duration_ns, wait_ns;
    uint64_t items, item_windows, item_ns; /* of the windows that carry items */
    size_t live;                           /* windows that can be asked for by id */
    em__union distinct;
    em__sum *item_sums; /* by channel, of the windows that carry items: behind sums */
    em__sum sums[];     /* by channel */
} em__group;

typedef struct {
    size_t channel_count, count;
    em__group *all[EM__GROUPS + 8]; /* in order of creation; unnamed and "*" of each kind come on top */
    em__group *table[EM__GROUPS];   /* by hash of kind and name */
} em__groups;

void em__groups_init(em__groups *groups, size_t channel_count);
void em__groups_free(em__groups *groups);

/* Finds or makes it; once EM__GROUPS exist, a new name leads to the kind's "*". NULL: no memory. */
em__group *em__groups_intern(em__groups *groups, int32_t kind, const char *name);
/* NULL: there is none. */
em__group *em__groups_find(const em__groups *groups, int32_t kind, const char *name);

/* Gives the place of a group back that no window is or was in. Its name is gone with it. */
void em__groups_forget(em__groups *groups, em__group *group);

/* items: NULL: it carries none. */
void em__group_add(em__group *group, size_t channel_count, const em__edge *begin, const em__edge *end,
                   const uint64_t *items, uint64_t wait_ns);
void em__groups_clear(em__groups *groups, em__timeline *timeline, em__edge *edge);

#endif
