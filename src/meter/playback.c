/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A trace as a tape of readings, for the sensor that plays it. Its events go through a ledger first, which refuses those
 * that cannot be. */
#include "meter/playback.h"

#include "core/text.h"
#include "meter/meter.h"
#include "meter/replay.h"

#include <stdlib.h>
#include <string.h>

/* 72 GJ: more is garbage, or a run of years, and many windows of it still add up. */
#define MOST_UJ (INT64_C(1) << 56)

typedef struct {
    em_trace *trace;
    em__tape *tape;
    int status;
} loader;

static void keep(void *context, const em__event *event)
{
    loader *load = context;
    em__reading reading = event->reading;
    if (event->kind == EM__EVENT_END_CHANNEL) {
        reading = (em__reading){.outcome = EM__READ_GONE, .status = event->status ? event->status : EM_ERR_GONE};
    } else if (event->kind != EM__EVENT_READING) {
        return;
    }
    if (event->channel >= load->tape->channel_count) {
        return; /* CPU time, which is of the process that was measured. */
    }
    reading.status = reading.status || reading.outcome == EM__READ_OK ? reading.status : EM_ERR_READ;
    if (load->trace->ledger.timeline.series[event->channel].known_uj > MOST_UJ) {
        load->status = EM_ERR_INVALID;
    }
    if (load->status == EM_OK && reading.outcome != EM__READ_NONE) {
        load->status = em__tape_add(load->tape, event->channel, event->t_ns, &reading);
    }
}

static int fill(loader *load)
{
    em_trace *trace = load->trace;
    for (size_t i = 0; i < trace->setup.setup.count; i++) {
        em__tape_channel *channel = &load->tape->channels[i];
        channel->facts = trace->channels[i].facts;
        channel->rank = trace->channels[i].rank > 0 ? trace->channels[i].rank : 1;
        em__copy(channel->sensor, sizeof channel->sensor,
                 trace->channels[i].sensor[0] ? trace->channels[i].sensor : "replay");
    }
    if (trace->around.host && !(load->tape->host = strdup(trace->around.host))) {
        return EM_ERR_NO_MEMORY;
    }
    trace->seen = keep;
    trace->context = load;
    em__replay_step step = EM__REPLAY_WENT_ON;
    while (load->status == EM_OK && (step == EM__REPLAY_WENT_ON || step == EM__REPLAY_SUMMARY)) {
        step = em__replay_next(trace);
    }
    if (load->status == EM_OK && step == EM__REPLAY_FAILED) {
        return trace->status;
    }
    return load->status == EM_OK ? em__tape_finish(load->tape) : load->status;
}

static int refuse(const loader *load, int status, em_error *error)
{
    if (status != EM_ERR_INVALID) {
        return em__replay_refuse(load->trace, status, error);
    }
    em__copy(error->remedy, sizeof error->remedy, "give a shorter trace, or one with a longer sample_interval");
    return em__options_refuse(error, status, "replay_fd",
                              "descriptor %d: the trace holds more than %d readings, or more than 72 GJ",
                              load->trace->descriptor, (int)EM__TAPE_READINGS);
}

int em__playback_load(int descriptor, em_error *error, em__tape **ret_tape)
{
    loader load = {.status = EM_OK};
    int status = em_trace_open(descriptor, error, &load.trace);
    if (status != EM_OK) {
        em__copy(error->argument, sizeof error->argument, "replay_fd");
        return status;
    }
    load.tape = em__tape_create(load.trace->setup.setup.count);
    status = load.tape ? fill(&load) : EM_ERR_NO_MEMORY;
    if (status == EM_OK) {
        *ret_tape = load.tape;
    } else {
        refuse(&load, status, error);
        em__tape_unref(load.tape);
    }
    em_trace_destroy(load.trace);
    return status;
}
