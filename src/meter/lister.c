/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Takes final windows from the ledger a few at a time, makes lines of them, and hands these to the file. */
#include "meter/lister.h"

#include "core/text.h"
#include "meter/meter.h"
#include "platform/stream.h"
#include "reports/line.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 8, BATCH_BYTES = 1 << 16, FULL_BYTES = 1 << 20 };

struct em__lister {
    int descriptor;
    int32_t format;
    size_t channel_count;
    em_carbon carbon;
    uint64_t wall_offset_ns;
    int is_urgent;           /* somebody was told; the door's */
    pthread_mutex_t writing; /* of what follows */
    em_energy *energies;     /* of AT_ONCE windows */
    const char **names;
    em__text lines; /* the file has the first of them, up to taken */
    size_t taken;
    _Atomic int error; /* positive errno: nothing is written any more */
    _Atomic uint64_t lost;
};

void em__lister_destroy(em__lister *lister)
{
    if (lister) {
        pthread_mutex_destroy(&lister->writing);
        em__text_free(&lister->lines);
        free(lister->energies);
        free((void *)lister->names);
        free(lister);
    }
}

int em__lister_is_urgent(em__lister *lister, const em_meter *meter)
{
    int was_urgent = lister->is_urgent;
    lister->is_urgent = meter->ledger.listed_count > EM__LISTER_MOST / 4;
    return lister->is_urgent && !was_urgent;
}

static size_t take(em__lister *lister, em_meter *meter, em_result *results)
{
    size_t count = 0;
    em__door_lock(meter);
    memcpy((void *)lister->names, (const void *)meter->ledger.names, lister->channel_count * sizeof *lister->names);
    for (; count < AT_ONCE; count++) {
        results[count] = (em_result){.size = sizeof results[count],
                                     .channels = lister->energies + count * lister->channel_count,
                                     .channels_capacity = lister->channel_count};
        if (em__ledger_take(&meter->ledger, &results[count]) != EM_OK) {
            break;
        }
    }
    atomic_store(&lister->lost, meter->ledger.unlisted);
    em__door_unlock(meter);
    return count;
}

static void add_lines(em__lister *lister, const em_result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        em__line line = em__line_of(&results[i], results[i].begin_ns + lister->wall_offset_ns, &lister->carbon);
        if (lister->format == EM_FORMAT_CSV) {
            em__line_csv(&lister->lines, &line);
        } else {
            em__line_json(&lister->lines, &line, lister->names, results[i].channels, results[i].channels_count);
        }
    }
}

/* 1: the file has taken all that there was, or never will. */
static int flush(em__lister *lister, uint64_t patience_ns)
{
    em__text *lines = &lister->lines;
    if (lines->failed) {
        atomic_store(&lister->error, ENOMEM);
    }
    while (lister->taken < lines->length && !atomic_load(&lister->error)) {
        int64_t written = em__stream_write(lister->descriptor, lines->data + lister->taken,
                                           lines->length - lister->taken, patience_ns);
        if (written == 0) {
            memmove(lines->data, lines->data + lister->taken, lines->length - lister->taken);
            lines->length -= lister->taken;
            lister->taken = 0;
            return 0;
        }
        if (written < 0) {
            atomic_store(&lister->error, (int)-written);
        } else {
            lister->taken += (size_t)written;
        }
    }
    lines->length = lister->taken = 0;
    return 1;
}

int em__lister_create(int descriptor, int32_t format, em_meter *meter, em__lister **ret_lister)
{
    em__lister *lister = calloc(1, sizeof *lister);
    if (!lister) {
        return EM_ERR_NO_MEMORY;
    }
    pthread_mutex_init(&lister->writing, NULL);
    lister->descriptor = descriptor;
    lister->format = format;
    lister->channel_count = meter->channel_count;
    lister->energies = calloc(AT_ONCE * meter->channel_count + 1, sizeof *lister->energies);
    lister->names = calloc(meter->channel_count + 1, sizeof *lister->names);
    lister->carbon = meter->carbon;
    lister->wall_offset_ns = meter->wall_offset_ns;
    if (format == EM_FORMAT_CSV) {
        em__line_csv_header(&lister->lines);
    }
    if (!lister->energies || !lister->names || lister->lines.failed) {
        em__lister_destroy(lister);
        return EM_ERR_NO_MEMORY;
    }
    flush(lister, 0);
    meter->ledger.listed_limit = EM__LISTER_MOST;
    *ret_lister = lister;
    return EM_OK;
}

/* The file gets no more, and windows wait for it no longer. */
static void give_up(em__lister *lister, em_meter *meter)
{
    em_result results[AT_ONCE];
    em__door_lock(meter);
    meter->ledger.listed_limit = 0;
    em__door_unlock(meter);
    while (take(lister, meter, results) == AT_ONCE) {
    }
    em__text_free(&lister->lines);
}

static void write_lines(em__lister *lister, em_meter *meter, uint64_t patience_ns)
{
    em_result results[AT_ONCE];
    size_t count = AT_ONCE;
    int has_room = 1;
    while (count == AT_ONCE && has_room) {
        count = take(lister, meter, results);
        add_lines(lister, results, count);
        int is_much = lister->lines.length - lister->taken >= BATCH_BYTES;
        has_room = !is_much || flush(lister, patience_ns) || lister->lines.length - lister->taken < FULL_BYTES;
    }
    flush(lister, patience_ns);
}

void em__lister_write(em__lister *lister, em_meter *meter, uint64_t patience_ns)
{
    if (patience_ns > 0 ? pthread_mutex_lock(&lister->writing) != 0 : pthread_mutex_trylock(&lister->writing) != 0) {
        return;
    }
    if (!atomic_load(&lister->error)) {
        write_lines(lister, meter, patience_ns);
        if (atomic_load(&lister->error)) {
            give_up(lister, meter);
        }
    }
    pthread_mutex_unlock(&lister->writing);
}

int em__lister_status(em__lister *lister, em_error *ret_error)
{
    int failure = atomic_load(&lister->error);
    uint64_t lost = atomic_load(&lister->lost);
    if (failure) {
        char why[128];
        em__stream_error(failure, why, sizeof why);
        em__copy(ret_error->remedy, sizeof ret_error->remedy,
                 "the measurement goes on without it; give a file on a disk with room to a new meter");
        return em__options_refuse(ret_error, EM_ERR_SYSTEM, "windows_fd",
                                  "the lines of windows end early: writing to descriptor %d failed: %s",
                                  lister->descriptor, why);
    }
    if (lost > 0) {
        em__copy(ret_error->remedy, sizeof ret_error->remedy, "give a file that takes what is written faster");
        return em__options_refuse(ret_error, EM_ERR_SYSTEM, "windows_fd",
                                  "%llu windows have no line: they came faster than descriptor %d took them",
                                  (unsigned long long)lost, lister->descriptor);
    }
    return EM_OK;
}
