/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Enters the events of a trace as the door did. Anything may be garbage, also behind a right checksum. */
#include "meter/replay.h"

#include "core/units.h"

#include <string.h>

/* No sum of what the channels have used, and would have used by then, may come near the largest integer: each unit of
 * energy is in as many windows as were open. */
static int is_believable(const em_trace *trace, uint64_t t_ns)
{
    const em__timeline *timeline = &trace->ledger.timeline;
    em__u128 limit = (em__u128)1 << 62, sum_uj = 0;
    for (size_t i = 0; i < timeline->channel_count && sum_uj < limit; i++) {
        const em__series *series = &timeline->series[i];
        int64_t so_far_uj = series->known_uj > series->last.energy_uj ? series->known_uj : series->last.energy_uj;
        uint64_t power_mw = series->power_mw, ceiling_mw = series->facts->ceiling_mw;
        uint64_t since_ns = t_ns > series->known_ns ? t_ns - series->known_ns : 0;
        if (series->facts->kind == EM_KIND_GAUGE) {
            power_mw = ceiling_mw ? ceiling_mw : UINT32_MAX;
        }
        sum_uj += (uint64_t)so_far_uj;
        if (series->has_power) {
            sum_uj += (em__u128)power_mw * since_ns / EM__MW_NS_PER_UJ;
        }
    }
    return sum_uj < limit / (trace->most_open + 2);
}

static int makes_edge(const em__event *event)
{
    switch (event->kind) {
    case EM__EVENT_BEGIN:
    case EM__EVENT_END:
    case EM__EVENT_MARK:
    case EM__EVENT_RESET:
    case EM__EVENT_LAP:
        return 1;
    default:
        return 0;
    }
}

/* One count may not mean more than all that is believed. */
static int is_small_step(const em_trace *trace, const em__event *event)
{
    const em__series *series = &trace->ledger.timeline.series[event->channel];
    em__counter counter = series->counter;
    uint64_t step_uj = 0;
    if (series->facts->kind != EM_KIND_GAUGE && event->reading.outcome == EM__READ_OK) {
        em__counter_step(&counter, series->facts, event->t_ns, event->reading.value, &step_uj);
    }
    return step_uj < UINT64_C(1) << 60;
}

/* Ids grow by one; what was lost may have used some. */
static int take_id(em_trace *trace, uint64_t id)
{
    uint64_t next = trace->ledger.store.next_id;
    if (id < next || id - next > trace->may_skip) {
        return 0;
    }
    trace->may_skip -= id - next;
    trace->ledger.store.next_id = id;
    return 1;
}

static int is_possible(em_trace *trace, const em__event *event)
{
    size_t count = trace->ledger.timeline.channel_count;
    int is_of_channel = event->kind == EM__EVENT_READING || event->kind == EM__EVENT_END_CHANNEL;
    if ((is_of_channel && event->channel >= count) || event->t_ns >= UINT64_C(1) << 62 ||
        (event->name && strlen(event->name) > EM__WINDOW_NAME)) {
        return 0;
    }
    if ((event->kind == EM__EVENT_READING &&
         (event->t_ns < trace->read_ns[event->channel] || !is_small_step(trace, event))) ||
        (makes_edge(event) && event->t_ns < trace->edge_ns) || !is_believable(trace, event->t_ns)) {
        return 0;
    }
    if (event->kind == EM__EVENT_BEGIN || event->kind == EM__EVENT_LAP) {
        return take_id(trace, event->kind == EM__EVENT_LAP ? event->next : event->window);
    }
    return 1;
}

/* 0: it cannot be. */
static int enter(em_trace *trace, em__event *event)
{
    if (!is_possible(trace, event)) {
        return 0;
    }
    if (event->kind == EM__EVENT_READING) {
        trace->read_ns[event->channel] = event->t_ns;
    }
    trace->edge_ns = makes_edge(event) ? event->t_ns : trace->edge_ns;
    trace->last_ns = event->t_ns > trace->last_ns ? event->t_ns : trace->last_ns;
    int status = em__ledger_enter(&trace->ledger, event);
    size_t open_count = em__ledger_open_count(&trace->ledger);
    trace->most_open = open_count > trace->most_open ? open_count : trace->most_open;
    if (status == EM_ERR_NO_MEMORY) {
        trace->status = status;
        trace->is_at_end = 1;
    }
    if (trace->seen && status == EM_OK) {
        trace->seen(trace->context, event);
    }
    /* What ended or was changed may have begun where records were lost, or before the part that is asked for. */
    return status == EM_OK || trace->lost > 0 || trace->part.has_begun;
}

em__replay_step em__replay_next(em_trace *trace)
{
    em__trace_record next;
    em__event event;
    if (trace->is_at_end) {
        return trace->status ? EM__REPLAY_FAILED : EM__REPLAY_END;
    }
    int has = em__replay_read(trace, &next), is_good = has > 0;
    if (!is_good) {
        trace->is_at_end = 1;
        return has < 0 ? EM__REPLAY_FAILED : EM__REPLAY_END;
    }
    trace->is_whole = next.kind == EM__RECORD_END;
    if (next.kind == EM__RECORD_EVENT) {
        is_good = em__event_decode(&next.payload, trace->texts, &event) == EM_OK &&
                  (!em__part_admit(trace, &event) || enter(trace, &event));
        trace->is_summary = 0;
    } else if (next.kind == EM__RECORD_AROUND) {
        int status = em__replay_set_around(trace, &next.payload);
        if (status == EM_OK) {
            trace->is_summary = 1;
            return EM__REPLAY_SUMMARY;
        }
        is_good = 0;
        trace->status = status == EM_ERR_NO_MEMORY ? status : EM_OK;
    } else if (next.kind == EM__RECORD_LOST) {
        uint64_t lost = em__cursor_number(&next.payload);
        is_good = !next.payload.failed && lost > 0 && lost < UINT64_C(1) << 32;
        trace->lost += is_good ? lost : 0;
        trace->may_skip += is_good ? lost : 0;
    } else {
        is_good = next.kind == EM__RECORD_END;
    }
    if (!is_good) {
        trace->is_garbled = trace->is_at_end = 1;
    }
    return trace->status ? EM__REPLAY_FAILED : is_good ? EM__REPLAY_WENT_ON : EM__REPLAY_END;
}

void em__replay_finish(em_trace *trace)
{
    em__ledger *ledger = &trace->ledger;
    em__event mark = {.kind = EM__EVENT_MARK, .t_ns = trace->last_ns};
    em__event pin = {.kind = EM__EVENT_PIN, .t_ns = trace->last_ns};
    if (trace->is_summary) {
        return;
    }
    if (em__ledger_open_count(ledger) > 0) {
        enter(trace, &mark);
    }
    if (!em__ledger_is_settled(ledger)) {
        enter(trace, &pin);
    }
}

int em__replay_snapshot(em_trace *trace, em_summary **ret_summary)
{
    int is_lacking =
        trace->lost > 0 || (trace->is_at_end && !trace->part.is_whole && (trace->is_garbled || !trace->is_whole));
    uint64_t notes = trace->ledger.setup.notes;
    trace->ledger.setup.notes |= is_lacking ? EM_NOTE_BIT(EM_NOTE_TRUNCATED) : 0;
    int status = em__ledger_snapshot(&trace->ledger, &trace->around, ret_summary);
    trace->ledger.setup.notes = notes;
    return status;
}

int em_trace_summary(em_trace *trace, em_error *ret_error, em_summary **ret_summary)
{
    em_error error = {.size = sizeof error};
    em__replay_step step = EM__REPLAY_WENT_ON;
    int status = trace && ret_summary ? EM_OK : EM_ERR_INVALID;
    if (status != EM_OK) {
        return status;
    }
    while (step == EM__REPLAY_WENT_ON || step == EM__REPLAY_SUMMARY) {
        step = em__replay_next(trace);
    }
    if (step == EM__REPLAY_END) {
        em__replay_finish(trace);
        status = em__replay_snapshot(trace, ret_summary);
    } else {
        status = trace->status;
    }
    if (status != EM_OK) {
        em__replay_refuse(trace, status, &error);
        em__replay_tell(&error, ret_error);
    }
    return status;
}
