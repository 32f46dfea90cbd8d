/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A trace, replayed record by record into a ledger of its own. */
#ifndef EM_METER_REPLAY_H
#define EM_METER_REPLAY_H

#include "core/event.h"
#include "meter/trace.h"

typedef enum {
    EM__REPLAY_FAILED = -1, /* it cannot be read, or no memory: the status is in trace->status */
    EM__REPLAY_END,
    EM__REPLAY_WENT_ON,
    EM__REPLAY_SUMMARY /* the meter gave a summary here */
} em__replay_step;

/* Of a trace of which a part alone is asked for. Times since its first window began. */
typedef struct {
    int is_on, has_begun, has_ended;
    int is_whole; /* all that the part needed was there, whatever the rest of the trace lacks */
    uint64_t origin_ns, from_ns, to_ns;
} em__part;

struct em_trace {
    int descriptor;
    unsigned char *buffer;
    size_t begin, end; /* what of the buffer is not used yet */
    char *texts;       /* scratch for one record's */
    int is_at_end;     /* of what can be used */
    int is_whole;      /* the last record says that nothing is missing */
    int is_garbled;    /* or cut off within a record */
    uint64_t lost;     /* records, as told */
    int status, error; /* of a failure; positive errno */

    em__trace_setup setup;
    em__trace_channel *channels;
    const em__channel **facts;
    const char **sensors;
    int *ranks;
    em__surroundings around; /* as told last */
    char *around_texts;
    uint64_t *costs_ns;

    em__ledger ledger;
    int has_ledger, is_summary; /* the last thing was a summary */
    uint64_t *read_ns;          /* by channel: its last reading */
    uint64_t edge_ns, last_ns;  /* of the last edge; the latest of all */
    uint64_t may_skip;          /* how many ids of windows what was lost may have used */
    size_t most_open;
    em__part part;

    void (*seen)(void *context, const em__event *event); /* of each event that was entered; NULL: nobody asks */
    void *context;
};

typedef struct {
    unsigned char kind; /* em__record_kind, or garbage */
    em__cursor payload; /* in the trace's buffer, until the next one */
} em__trace_record;

/* trace_file.c. 1: a record; 0: there is none any more, whole or at all; -1: trace->status says why. */
int em__replay_read(em_trace *trace, em__trace_record *ret_record);
int em__replay_set_around(em_trace *trace, em__cursor *payload); /* EM_ERR_INVALID, EM_ERR_NO_MEMORY */
int em__replay_refuse(const em_trace *trace, int status, em_error *error);
void em__replay_tell(const em_error *error, em_error *ret_error);

/* part.c: before an event enters; 0: it does not. */
int em__part_admit(em_trace *trace, em__event *event);

em__replay_step em__replay_next(em_trace *trace);
/* What is open at the end of a trace that was cut off becomes final there. */
void em__replay_finish(em_trace *trace);
/* Here. EM_ERR_NO_MEMORY. */
int em__replay_snapshot(em_trace *trace, em_summary **ret_summary);

#endif
