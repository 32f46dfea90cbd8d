/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A ring of whole records: one door fills it, one writer at a time empties it. */
#include "meter/tracer.h"

#include "core/text.h"
#include "meter/meter.h"
#include "platform/stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_BYTES = 16, CHANNEL_BYTES = 2048 };

struct em__tracer {
    int descriptor;
    size_t capacity, channel_count;
    unsigned char *ring;
    unsigned char *scratch; /* one record, under the door */
    _Atomic size_t head;    /* bytes that were ever put in; the door's */
    _Atomic size_t tail;    /* and taken out; the writer's */
    _Atomic uint64_t lost;  /* records in all; the door's */
    uint64_t untold;        /* of these, not yet told by a record */
    em__record_kind last;   /* that was put in */
    int is_high;            /* more than half full, and somebody was told */
    pthread_mutex_t writing;
    _Atomic int error; /* positive errno: nothing is written any more */
};

static void copy_in(em__tracer *tracer, size_t at, const unsigned char *bytes, size_t length)
{
    size_t place = at % tracer->capacity, first = tracer->capacity - place;
    first = first < length ? first : length;
    memcpy(tracer->ring + place, bytes, first);
    memcpy(tracer->ring, bytes + first, length - first);
}

static int put(em__tracer *tracer, const em__bytes *record, em__record_kind kind)
{
    size_t head = atomic_load_explicit(&tracer->head, memory_order_relaxed);
    size_t used = head - atomic_load_explicit(&tracer->tail, memory_order_acquire);
    if (record->failed || record->length > tracer->capacity - used) {
        return 0;
    }
    copy_in(tracer, head, record->data, record->length);
    atomic_store_explicit(&tracer->head, head + record->length, memory_order_release);
    tracer->last = kind;
    return 1;
}

/* The record in the payload's place in scratch, framed. What was lost before it is told first. */
static void send(em__tracer *tracer, em__record_kind kind, const em__bytes *payload)
{
    if (atomic_load_explicit(&tracer->error, memory_order_relaxed)) {
        return;
    }
    if (tracer->untold > 0) {
        unsigned char number[FRAME_BYTES], frame[2 * FRAME_BYTES];
        em__bytes told = {.data = number, .capacity = sizeof number}, whole = {.data = frame, .capacity = sizeof frame};
        em__bytes_number(&told, tracer->untold);
        em__trace_frame(&whole, EM__RECORD_LOST, told.data, told.length);
        if (put(tracer, &whole, EM__RECORD_LOST)) {
            tracer->untold = 0;
        }
    }
    em__bytes record = {.data = tracer->scratch, .capacity = EM__TRACE_RECORD};
    record.failed = payload->failed || tracer->untold > 0;
    em__trace_frame(&record, kind, payload->data, payload->length);
    if (!put(tracer, &record, kind)) {
        tracer->untold++;
        atomic_fetch_add_explicit(&tracer->lost, 1, memory_order_relaxed);
    }
}

static void send_start(em__tracer *tracer, const em__ledger_setup *setup, const em__surroundings *around,
                       em__bytes *payload)
{
    const unsigned char magic[] = EM__TRACE_MAGIC "\x01";
    em__bytes start = {.data = tracer->scratch, .capacity = EM__TRACE_START};
    em__trace_setup written = {.setup = *setup, .version = em_version()};
    _Static_assert(sizeof magic == EM__TRACE_START + 1 && EM__TRACE_VERSION == 1, "eight bytes and a NUL");
    em__bytes_add(&start, magic, EM__TRACE_START);
    put(tracer, &start, EM__RECORD_SETUP);
    em__trace_put_setup(payload, &written);
    send(tracer, EM__RECORD_SETUP, payload);
    for (size_t i = 0; i < setup->count; i++) {
        em__trace_channel channel = {.facts = *setup->facts[i], .rank = setup->ranks[i]};
        em__copy(channel.sensor, sizeof channel.sensor, setup->sensors[i]);
        payload->length = 0;
        em__trace_put_channel(payload, &channel);
        send(tracer, EM__RECORD_CHANNEL, payload);
    }
    em__tracer_around(tracer, around);
}

int em__tracer_create(int descriptor, const em__ledger_setup *setup, const em__surroundings *around,
                      em__tracer **ret_tracer)
{
    em__tracer *tracer = calloc(1, sizeof *tracer);
    em__bytes payload = {.data = malloc(EM__TRACE_RECORD), .capacity = EM__TRACE_RECORD};
    if (tracer) {
        tracer->descriptor = descriptor;
        tracer->channel_count = setup->count;
        tracer->capacity = EM__TRACER_QUEUE + setup->count * CHANNEL_BYTES;
        tracer->ring = malloc(tracer->capacity);
        tracer->scratch = malloc(EM__TRACE_RECORD);
        pthread_mutex_init(&tracer->writing, NULL);
    }
    int status = tracer && payload.data && tracer->ring && tracer->scratch ? EM_OK : EM_ERR_NO_MEMORY;
    if (status == EM_OK) {
        send_start(tracer, setup, around, &payload);
        *ret_tracer = tracer;
    } else {
        em__tracer_destroy(tracer);
    }
    free(payload.data);
    return status;
}

void em__tracer_destroy(em__tracer *tracer)
{
    if (tracer) {
        em__tracer_write(tracer, 0);
        pthread_mutex_destroy(&tracer->writing);
        free(tracer->ring);
        free(tracer->scratch);
        free(tracer);
    }
}

int em__tracer_event(em__tracer *tracer, const em__event *event)
{
    unsigned char bytes[EM__EVENT_BYTES];
    em__bytes payload = {.data = bytes, .capacity = sizeof bytes};
    em__event_encode(event, &payload);
    send(tracer, EM__RECORD_EVENT, &payload);
    size_t used = atomic_load_explicit(&tracer->head, memory_order_relaxed) -
                  atomic_load_explicit(&tracer->tail, memory_order_relaxed);
    int was_high = tracer->is_high;
    tracer->is_high = used > tracer->capacity / 2;
    return tracer->is_high && !was_high;
}

void em__tracer_around(em__tracer *tracer, const em__surroundings *around)
{
    em__bytes payload = {.data = malloc(EM__TRACE_RECORD), .capacity = EM__TRACE_RECORD};
    payload.failed = payload.data == NULL;
    em__trace_put_around(&payload, around, tracer->channel_count);
    send(tracer, EM__RECORD_AROUND, &payload);
    free(payload.data);
}

void em__tracer_end(em__tracer *tracer)
{
    unsigned char none[1];
    const em__bytes empty = {.data = none};
    if (tracer->last != EM__RECORD_END || tracer->untold > 0) {
        send(tracer, EM__RECORD_END, &empty);
    }
}

/* A ring that has no end yet: its first part up to the array's end, then the rest. */
static void write_queue(em__tracer *tracer, uint64_t patience_ns)
{
    for (;;) {
        size_t tail = atomic_load_explicit(&tracer->tail, memory_order_relaxed);
        size_t used = atomic_load_explicit(&tracer->head, memory_order_acquire) - tail;
        size_t place = tail % tracer->capacity, part = tracer->capacity - place;
        part = part < used ? part : used;
        if (part == 0 || atomic_load(&tracer->error)) {
            return;
        }
        int64_t written = em__stream_write(tracer->descriptor, tracer->ring + place, part, patience_ns);
        if (written < 0) {
            atomic_store(&tracer->error, (int)-written);
            return;
        }
        atomic_store_explicit(&tracer->tail, tail + (size_t)written, memory_order_release);
        if ((size_t)written < part) {
            return;
        }
    }
}

void em__tracer_write(em__tracer *tracer, uint64_t patience_ns)
{
    if (patience_ns > 0 ? pthread_mutex_lock(&tracer->writing) == 0 : pthread_mutex_trylock(&tracer->writing) == 0) {
        write_queue(tracer, patience_ns);
        pthread_mutex_unlock(&tracer->writing);
    }
}

int em__tracer_status(em__tracer *tracer, em_error *ret_error)
{
    int failure = atomic_load(&tracer->error);
    uint64_t lost = atomic_load(&tracer->lost);
    if (failure) {
        char why[128];
        em__stream_error(failure, why, sizeof why);
        em__copy(ret_error->remedy, sizeof ret_error->remedy,
                 "the measurement goes on without it; give a file on a disk with room to a new meter");
        return em__options_refuse(ret_error, EM_ERR_SYSTEM, "trace_fd",
                                  "the trace ends early: writing to descriptor %d failed: %s", tracer->descriptor, why);
    }
    if (lost > 0) {
        em__copy(ret_error->remedy, sizeof ret_error->remedy, "give a file that takes what is written faster");
        return em__options_refuse(ret_error, EM_ERR_SYSTEM, "trace_fd",
                                  "the trace lacks %llu records: they came faster than descriptor %d took them",
                                  (unsigned long long)lost, tracer->descriptor);
    }
    return EM_OK;
}
