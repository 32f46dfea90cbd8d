/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Everything that can change a number, as one struct: the ledger applies it, a trace can keep it. */
#ifndef EM_CORE_EVENT_H
#define EM_CORE_EVENT_H

#include "core/bytes.h"
#include "core/channel.h"

typedef enum {
    EM__EVENT_READING,     /* channel, reading */
    EM__EVENT_END_CHANNEL, /* channel, status: it was given up */
    EM__EVENT_INTERRUPT,   /* status: no reading before may be joined with one after (suspend) */
    EM__EVENT_PARK,        /* a pause begins: nothing is read, and nobody asks */
    EM__EVENT_RESUME,      /* a pause is over */
    EM__EVENT_BEGIN,       /* kind, name, keep, amount: bit i for each device i (of the first 64) that was
                              read at this edge just before; answers window */
    EM__EVENT_END, /* window, keep: it never expires; amount: as of a begin, of the devices that were chosen to be read just after; one
                              that somebody else read that moment was passed over. A lap's two events have the same */
    EM__EVENT_CANCEL,  /* window */
    EM__EVENT_ITEMS,   /* window, amount */
    EM__EVENT_WAIT,    /* window, amount in ns */
    EM__EVENT_RELEASE, /* window */
    EM__EVENT_MARK,    /* the present becomes an edge: a summary of what is open */
    EM__EVENT_PIN,     /* window (0: all): its edges become final */
    EM__EVENT_RESET,
    EM__EVENT_LAP,   /* window, and as BEGIN: one ends and one begins at one edge; answers next */
    EM__EVENT_SETTLE /* nothing but what follows every event but readings: some of what is ready settles */
} em__event_kind;

typedef struct {
    em__event_kind kind;
    uint64_t t_ns; /* CLOCK_MONOTONIC; of a reading: the midpoint of the call */
    size_t channel;
    em__reading reading;
    int32_t status;
    uint64_t window, next, amount;
    int32_t window_kind, keep;
    int32_t is_partial; /* of those that are read at this instant, not all are yet: nothing settles after it */
    const char *name;
} em__event;

enum { EM__EVENT_BYTES = 512 }; /* what one with a name of 255 bytes needs at most */

void em__event_encode(const em__event *event, em__bytes *to);
/* The whole of what is left. texts: room for as many bytes; the name lies there. Its numbers are within their enums, but
 * no channel, window or time has been checked. EM_ERR_INVALID. */
int em__event_decode(em__cursor *from, char *texts, em__event *ret_event);

#endif
