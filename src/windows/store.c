/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Records in a pool, found by id through a hash of chains; ids are given out in order and never twice. */
#include "windows/store.h"

#include "energy_meter.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

int em__store_init(em__store *store, size_t channel_count)
{
    memset(store, 0, sizeof *store);
    store->channel_count = channel_count;
    store->next_id = 1;
    store->bucket_mask = BUCKETS - 1;
    store->buckets = calloc(BUCKETS, sizeof(em__record *));
    return store->buckets ? EM_OK : EM_ERR_NO_MEMORY;
}

static void free_record(em__record *record)
{
    for (int i = 0; i < 3; i++) {
        em__span_free(&record->spans[i]);
    }
    free(record);
}

static void free_chain(em__record *record)
{
    while (record) {
        em__record *next = record->chain;
        free_record(record);
        record = next;
    }
}

void em__store_free(em__store *store)
{
    for (size_t i = 0; store->buckets && i <= store->bucket_mask; i++) {
        free_chain(store->buckets[i]);
    }
    free_chain(store->pool);
    free(store->buckets);
    memset(store, 0, sizeof *store);
}

static em__record *take_from_pool(em__store *store)
{
    em__record *record = store->pool;
    if (record) {
        store->pool = record->chain;
        return record;
    }
    record = calloc(1, sizeof *record);
    for (int i = 0; record && i < 3; i++) {
        if (em__span_init(&record->spans[i], store->channel_count) != EM_OK) {
            free_record(record);
            return NULL;
        }
    }
    return record;
}

/* Chains stay short however many windows are open. If there is no memory for that, they get longer. */
static void grow(em__store *store)
{
    size_t count = (store->bucket_mask + 1) * 4;
    em__record **buckets = calloc(count, sizeof(em__record *));
    if (!buckets) {
        return;
    }
    for (size_t i = 0; i <= store->bucket_mask; i++) {
        for (em__record *record = store->buckets[i], *next; record; record = next) {
            next = record->chain;
            record->chain = buckets[record->id & (count - 1)];
            buckets[record->id & (count - 1)] = record;
        }
    }
    free(store->buckets);
    store->buckets = buckets;
    store->bucket_mask = count - 1;
}

em__record *em__store_add(em__store *store)
{
    em__record *record = take_from_pool(store);
    if (!record) {
        return NULL;
    }
    if (store->live > 2 * store->bucket_mask) {
        grow(store);
    }
    record->id = store->next_id++;
    em__record **bucket = &store->buckets[record->id & store->bucket_mask];
    record->chain = *bucket;
    *bucket = record;
    store->live++;
    return record;
}

em__record *em__store_find(const em__store *store, uint64_t id)
{
    em__record *record = store->buckets[id & store->bucket_mask];
    while (record && record->id != id) {
        record = record->chain;
    }
    return record;
}

void em__store_push(em__store *store, em__record *record)
{
    record->is_in_ring = 1;
    record->newer = NULL;
    record->older = store->newest;
    *(store->newest ? &store->newest->newer : &store->oldest) = record;
    store->newest = record;
    store->ring_count++;
}

void em__store_unring(em__store *store, em__record *record)
{
    *(record->older ? &record->older->newer : &store->oldest) = record->newer;
    *(record->newer ? &record->newer->older : &store->newest) = record->older;
    record->older = record->newer = NULL;
    record->is_in_ring = 0;
    store->ring_count--;
}

void em__store_drop(em__store *store, em__timeline *timeline, em__record *record)
{
    if (record->is_in_ring || record->is_kept || record->is_last || record->is_listed) {
        return;
    }
    em__record **link = &store->buckets[record->id & store->bucket_mask];
    while (*link != record) {
        link = &(*link)->chain;
    }
    *link = record->chain;
    if (record->group) {
        record->group->live--;
    }
    em__timeline_release(timeline, record->begin);
    em__timeline_release(timeline, record->end);
    em__span spans[3];
    memcpy(spans, record->spans, sizeof spans);
    memset(record, 0, sizeof *record);
    for (int i = 0; i < 3; i++) {
        record->spans[i].inner = spans[i].inner;
    }
    record->chain = store->pool;
    store->pool = record;
    store->live--;
}
