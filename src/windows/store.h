/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The windows that can be asked for by id: open ones, the ended ones that are kept, and the last of each group. */
#ifndef EM_WINDOWS_STORE_H
#define EM_WINDOWS_STORE_H

#include "windows/groups.h"

typedef struct em__record {
    struct em__record *chain;         /* in its bucket, or in the pool */
    struct em__record *older, *newer; /* ended windows, in the order in which they may expire */
    struct em__record *listed_after;  /* final ones that are yet to be listed */
    uint64_t id;
    em__group *group;
    em__edge *begin, *end; /* end: NULL while it is open */
    uint64_t items, wait_ns;
    int has_items;
    int is_in_ring, is_kept, is_last, is_listed; /* what keeps it readable */
    int has_begun;                               /* its begin has settled: it is in the unions */
    int is_final;
    em__span spans[3]; /* in its group's, its kind's and the union of all */
} em__record;

typedef struct {
    size_t channel_count;
    em__record **buckets;
    size_t bucket_mask, live; /* live: records with an id */
    em__record *pool;
    em__record *oldest, *newest;
    size_t ring_count, open_count;
    uint64_t next_id;
} em__store;

int em__store_init(em__store *store, size_t channel_count);
void em__store_free(em__store *store);

/* A new record with the next id; it is open and belongs to nobody yet. NULL: no memory. */
em__record *em__store_add(em__store *store);
/* NULL: unknown or expired. */
em__record *em__store_find(const em__store *store, uint64_t id);
void em__store_push(em__store *store, em__record *record); /* to the young end of the ring */
void em__store_unring(em__store *store, em__record *record);
/* Frees the record if nothing keeps it. */
void em__store_drop(em__store *store, em__timeline *timeline, em__record *record);

#endif
