/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A trace's file: its records one by one, and its beginning. */
#include "meter/replay.h"

#include "core/text.h"
#include "meter/meter.h"
#include "platform/stream.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER = 2 * EM__TRACE_RECORD, SUM_BYTES = 4, HEAD_BYTES = 12 };

static int fail(em_trace *trace, int status)
{
    trace->status = status;
    trace->is_at_end = 1;
    return -1;
}

/* 1: so many bytes are there; 0: the file ends before; -1. */
static int fetch(em_trace *trace, size_t length)
{
    if (trace->end - trace->begin < length && trace->begin > 0) {
        memmove(trace->buffer, trace->buffer + trace->begin, trace->end - trace->begin);
        trace->end -= trace->begin;
        trace->begin = 0;
    }
    while (trace->end - trace->begin < length) {
        int64_t got = em__stream_read(trace->descriptor, trace->buffer + trace->end, BUFFER - trace->end);
        if (got < 0) {
            trace->error = (int)-got;
            return fail(trace, EM_ERR_SYSTEM);
        }
        if (got == 0) {
            return 0;
        }
        trace->end += (size_t)got;
    }
    return 1;
}

int em__replay_read(em_trace *trace, em__trace_record *ret_record)
{
    int has = fetch(trace, HEAD_BYTES);
    size_t left = trace->end - trace->begin;
    if (has < 0 || left == 0) {
        return has;
    }
    em__cursor head = {.data = trace->buffer + trace->begin, .left = left};
    em__cursor_take(&head, 1); /* its kind */
    uint64_t length = em__cursor_number(&head);
    size_t head_bytes = left - head.left;
    trace->is_garbled = 1; /* until it turns out to be a record */
    if (head.failed || length > EM__TRACE_RECORD - HEAD_BYTES - SUM_BYTES) {
        return 0;
    }
    size_t body = head_bytes + (size_t)length;
    has = fetch(trace, body + SUM_BYTES);
    if (has <= 0) {
        return has;
    }
    const unsigned char *kind = trace->buffer + trace->begin;
    const unsigned char *sum = kind + body;
    uint32_t crc = (uint32_t)sum[0] | (uint32_t)sum[1] << 8 | (uint32_t)sum[2] << 16 | (uint32_t)sum[3] << 24;
    if (crc != em__crc32(0, kind, body)) {
        return 0;
    }
    *ret_record = (em__trace_record){.kind = *kind, .payload = {.data = kind + head_bytes, .left = (size_t)length}};
    trace->begin += body + SUM_BYTES;
    trace->is_garbled = 0;
    return 1;
}

/* ------------------------------------------------------------------------------------------------------- the beginning */

int em__replay_set_around(em_trace *trace, em__cursor *payload)
{
    char *texts = malloc(payload->left + 1);
    uint64_t *costs_ns = calloc(trace->setup.setup.count + 1, sizeof *costs_ns);
    int status = texts && costs_ns
                     ? em__trace_get_around(payload, trace->setup.setup.count, texts, costs_ns, &trace->around)
                     : EM_ERR_NO_MEMORY;
    char *old_texts = status == EM_OK ? trace->around_texts : texts;
    uint64_t *old_costs_ns = status == EM_OK ? trace->costs_ns : costs_ns;
    if (status == EM_OK) {
        trace->around_texts = texts;
        trace->costs_ns = costs_ns;
    }
    free(old_texts);
    free(old_costs_ns);
    return status;
}

static int read_channels(em_trace *trace)
{
    em__trace_record next;
    size_t count = trace->setup.setup.count;
    trace->channels = calloc(count + 1, sizeof *trace->channels);
    trace->facts = calloc(count + 1, sizeof(em__channel *));
    trace->sensors = calloc(count + 1, sizeof(char *));
    trace->ranks = calloc(count + 1, sizeof *trace->ranks);
    if (!trace->channels || !trace->facts || !trace->sensors || !trace->ranks) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        int has = em__replay_read(trace, &next);
        if (has <= 0) {
            return has < 0 ? trace->status : EM_ERR_INVALID;
        }
        if (next.kind != EM__RECORD_CHANNEL ||
            em__trace_get_channel(&next.payload, i, count, &trace->channels[i]) != EM_OK) {
            return EM_ERR_INVALID;
        }
        trace->facts[i] = &trace->channels[i].facts;
        trace->sensors[i] = trace->channels[i].sensor;
        trace->ranks[i] = trace->channels[i].rank;
    }
    return EM_OK;
}

static int read_beginning(em_trace *trace)
{
    em__trace_record next;
    int has = em__replay_read(trace, &next);
    if (has <= 0) {
        return has < 0 ? trace->status : EM_ERR_INVALID;
    }
    int status = next.kind == EM__RECORD_SETUP ? em__trace_get_setup(&next.payload, trace->texts, &trace->setup)
                                               : EM_ERR_INVALID;
    status = status ? status : read_channels(trace);
    if (status != EM_OK) {
        return status;
    }
    has = em__replay_read(trace, &next);
    if (has <= 0) {
        return has < 0 ? trace->status : EM_ERR_INVALID;
    }
    status = next.kind == EM__RECORD_AROUND ? em__replay_set_around(trace, &next.payload) : EM_ERR_INVALID;
    if (status != EM_OK) {
        return status;
    }
    trace->setup.setup.facts = trace->facts;
    trace->setup.setup.sensors = trace->sensors;
    trace->setup.setup.ranks = trace->ranks;
    status = em__ledger_init(&trace->ledger, &trace->setup.setup);
    trace->has_ledger = status == EM_OK;
    trace->read_ns = calloc(trace->ledger.timeline.channel_count + 1, sizeof *trace->read_ns);
    return status == EM_OK && !trace->read_ns ? EM_ERR_NO_MEMORY : status;
}

int em__replay_refuse(const em_trace *trace, int status, em_error *error)
{
    char why[128] = "";
    if (status == EM_ERR_SYSTEM) {
        em__stream_error(trace->error, why, sizeof why);
        em__copy(error->remedy, sizeof error->remedy, "give a descriptor that is open for reading");
        return em__options_refuse(error, status, "fd", "descriptor %d cannot be read: %s", trace->descriptor, why);
    }
    if (status == EM_ERR_INVALID) {
        em__copy(error->remedy, sizeof error->remedy, "give a whole file that a meter wrote as its trace");
        return em__options_refuse(error, status, "fd",
                                  "descriptor %d: the trace is cut off or garbled in its beginning", trace->descriptor);
    }
    return em__options_refuse(error, status, "", "%s", em_status_text(status));
}

static int check_start(em_trace *trace, em_error *error)
{
    int has = fetch(trace, EM__TRACE_START);
    const unsigned char *start = trace->buffer;
    if (has < 0) {
        return em__replay_refuse(trace, trace->status, error);
    }
    if (!has || memcmp(start, EM__TRACE_MAGIC, EM__TRACE_START - 1) != 0) {
        em__copy(error->remedy, sizeof error->remedy, "give a file that a meter wrote as its trace");
        return em__options_refuse(error, EM_ERR_INVALID, "fd", "descriptor %d shows no trace", trace->descriptor);
    }
    if (start[EM__TRACE_START - 1] != EM__TRACE_VERSION) {
        em__copy(error->remedy, sizeof error->remedy, "replay it with the version of energy-meter that wrote it");
        return em__options_refuse(error, EM_ERR_INVALID, "fd",
                                  "descriptor %d shows a trace of format %d; this library reads format %d",
                                  trace->descriptor, start[EM__TRACE_START - 1], EM__TRACE_VERSION);
    }
    trace->begin = EM__TRACE_START;
    return EM_OK;
}

void em__replay_tell(const em_error *error, em_error *ret_error)
{
    if (ret_error && ret_error->size >= sizeof ret_error->size) {
        em__answer(ret_error, ret_error->size, error, sizeof *error);
    }
}

int em_trace_open(int fd, em_error *ret_error, em_trace **ret_trace)
{
    em_error error = {.size = sizeof error};
    em_trace *trace = ret_trace ? calloc(1, sizeof *trace) : NULL;
    if (!ret_trace) {
        return EM_ERR_INVALID;
    }
    int status = EM_ERR_NO_MEMORY;
    if (trace) {
        trace->descriptor = fd;
        trace->buffer = malloc(BUFFER);
        trace->texts = malloc(EM__TRACE_RECORD);
        status = trace->buffer && trace->texts ? check_start(trace, &error) : status;
        status = status ? status : read_beginning(trace);
    }
    if (status == EM_OK) {
        trace->setup.version = NULL; /* It lay in the scratch. */
        *ret_trace = trace;
        return EM_OK;
    }
    if (!error.text[0]) {
        em__replay_refuse(trace, status, &error);
    }
    em__replay_tell(&error, ret_error);
    em_trace_destroy(trace);
    return status;
}

void em_trace_destroy(em_trace *trace)
{
    if (!trace) {
        return;
    }
    if (trace->has_ledger) {
        em__ledger_free(&trace->ledger);
    }
    free(trace->buffer);
    free(trace->texts);
    free(trace->channels);
    free((void *)trace->facts);
    free((void *)trace->sensors);
    free(trace->ranks);
    free(trace->around_texts);
    free(trace->costs_ns);
    free(trace->read_ns);
    free(trace);
}
