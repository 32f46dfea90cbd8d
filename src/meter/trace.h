/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A trace's format (docs/trace.md): what tracer.c writes and replay.c reads. */
#ifndef EM_METER_TRACE_H
#define EM_METER_TRACE_H

#include "core/bytes.h"
#include "ledger/snapshot.h"

#define EM__TRACE_MAGIC "EMTRACE" /* and a byte of the version */

enum { EM__TRACE_VERSION = 1, EM__TRACE_START = 8, EM__TRACE_CHANNELS = 4096, EM__TRACE_RECORD = 1 << 17 };

typedef enum {
    EM__RECORD_END,     /* the meter was closed; nothing is missing before it */
    EM__RECORD_SETUP,   /* the first */
    EM__RECORD_CHANNEL, /* as many as the setup says */
    EM__RECORD_AROUND,  /* one follows the channels; each later one is the place of a summary */
    EM__RECORD_EVENT,
    EM__RECORD_LOST /* a number: how many records did not fit into the queue here */
} em__record_kind;

/* The ledger's setup without its channels. */
typedef struct {
    em__ledger_setup setup;
    const char *version; /* of the library that wrote it */
} em__trace_setup;

typedef struct {
    em__channel facts;
    char sensor[EM__NAME_SIZE];
    int32_t rank;
} em__trace_channel;

/* A whole record around a payload: kind, length, payload, checksum of all of these. */
void em__trace_frame(em__bytes *to, em__record_kind kind, const void *payload, size_t length);

void em__trace_put_setup(em__bytes *to, const em__trace_setup *setup);
void em__trace_put_channel(em__bytes *to, const em__trace_channel *channel);
void em__trace_put_around(em__bytes *to, const em__surroundings *around, size_t channel_count);

/* EM_ERR_INVALID where a value is outside what the ledger can work with. texts: room for as many bytes as the cursor
 * has. costs_ns: room for all channels. */
int em__trace_get_setup(em__cursor *from, char *texts, em__trace_setup *ret_setup);
int em__trace_get_channel(em__cursor *from, size_t index, size_t channel_count, em__trace_channel *ret_channel);
int em__trace_get_around(em__cursor *from, size_t channel_count, char *texts, uint64_t *costs_ns,
                         em__surroundings *ret_around);

#endif
