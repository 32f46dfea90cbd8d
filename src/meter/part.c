/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A stretch of a trace as a run of its own: where it begins all starts over, and what reaches across its ends is left
 * out. The events are those of the trace but for four that are put in between. */
#include "core/text.h"
#include "core/units.h"
#include "meter/meter.h"
#include "meter/replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* No window of a trace has such an id: they count from 1. */
#define PART_WINDOW (UINT64_C(1) << 62)

/* Windows that are open, but the part's own. */
static int cancel_open(em_trace *trace, uint64_t t_ns)
{
    const em__store *store = &trace->ledger.store;
    em_window *open = calloc(store->open_count + 1, sizeof *open);
    size_t count = 0;
    if (!open) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i <= store->bucket_mask; i++) {
        for (const em__record *record = store->buckets[i]; record && count < store->open_count;
             record = record->chain) {
            if (!record->end && record->id != PART_WINDOW) {
                open[count++] = record->id;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        em__event event = {.kind = EM__EVENT_CANCEL, .t_ns = t_ns, .window = open[i]};
        em__ledger_enter(&trace->ledger, &event);
    }
    free(open);
    return EM_OK;
}

static int begin(em_trace *trace, uint64_t t_ns)
{
    em__event reset = {.kind = EM__EVENT_RESET, .t_ns = t_ns};
    em__event window = {.kind = EM__EVENT_BEGIN, .t_ns = t_ns, .window_kind = EM_WINDOW_RUN, .keep = 1};
    uint64_t next_id = trace->ledger.store.next_id;
    trace->part.has_begun = 1;
    int status = cancel_open(trace, t_ns);
    status = status ? status : em__ledger_enter(&trace->ledger, &reset);
    trace->ledger.store.next_id = PART_WINDOW;
    status = status ? status : em__ledger_enter(&trace->ledger, &window);
    trace->ledger.store.next_id = next_id;
    trace->edge_ns = t_ns;
    return status;
}

static int end(em_trace *trace, uint64_t t_ns)
{
    em__event event = {.kind = EM__EVENT_END, .t_ns = t_ns, .window = PART_WINDOW, .keep = 1};
    trace->part.has_ended = 1;
    int status = cancel_open(trace, t_ns);
    trace->edge_ns = t_ns;
    return status ? status : em__ledger_enter(&trace->ledger, &event);
}

/* Whose edges nobody waits for behind the part's end. */
static int is_of_sensors(const em__event *event)
{
    switch (event->kind) {
    case EM__EVENT_READING:
    case EM__EVENT_END_CHANNEL:
    case EM__EVENT_INTERRUPT:
    case EM__EVENT_PARK:
    case EM__EVENT_RESUME:
    case EM__EVENT_SETTLE:
        return 1;
    default:
        return 0;
    }
}

int em__part_admit(em_trace *trace, em__event *event)
{
    em__part *part = &trace->part;
    em__record *record;
    if (!part->is_on) {
        return 1;
    }
    if (!part->origin_ns && event->kind == EM__EVENT_BEGIN) {
        part->origin_ns = event->t_ns;
    }
    if (event->window == PART_WINDOW || event->next == PART_WINDOW) {
        return 0;
    }
    uint64_t since_ns = part->origin_ns && event->t_ns > part->origin_ns ? event->t_ns - part->origin_ns : 0;
    if (!part->has_begun && part->origin_ns && since_ns >= part->from_ns) {
        trace->status = begin(trace, part->origin_ns + part->from_ns);
    }
    if (part->has_begun && !part->has_ended && since_ns > part->to_ns && trace->status == EM_OK) {
        trace->status = end(trace, part->origin_ns + part->to_ns);
    }
    if (part->has_begun) {
        em__ledger_settle(&trace->ledger, EM__SETTLE_AT_ONCE);
    }
    if (trace->status != EM_OK || (part->has_ended && em__ledger_is_settled(&trace->ledger))) {
        trace->is_at_end = 1;
        part->is_whole = trace->status == EM_OK;
        return 0;
    }
    if (part->has_ended) {
        return is_of_sensors(event);
    }
    int is_left_out = part->has_begun && em__ledger_find(&trace->ledger, event->window, &record) != EM_OK;
    if (is_left_out && event->kind == EM__EVENT_LAP) {
        event->kind = EM__EVENT_BEGIN;
        event->window = event->next;
    } else if (is_left_out && event->kind == EM__EVENT_END) {
        event->kind = EM__EVENT_MARK; /* The edge stays: the part's end may be there. */
    }
    return 1;
}

/* What em_options say of carbon and cost, in the place of what the trace does. */
static int set_carbon(em_trace *trace, const em_options *options, em_error *error)
{
    em__rates *rates = &trace->ledger.setup.rates;
    em_carbon *carbon = &trace->around.carbon, chosen;
    int status = options ? em__carbon_choose(options, error, &chosen) : EM_OK;
    if (!options || status != EM_OK) {
        return status;
    }
    if (!isnan(options->pue) || strcmp(chosen.pue_source, "assumed") != 0) {
        rates->pue = chosen.pue;
        carbon->pue_source = chosen.pue_source;
    }
    if (!chosen.is_default) {
        rates->g_per_kwh = chosen.g_per_kwh;
        chosen.pue_source = carbon->pue_source;
        *carbon = chosen;
    }
    if (!isnan(options->price_per_kwh)) {
        rates->price_per_kwh = options->price_per_kwh;
    }
    if (!isnan(options->embodied_kg)) {
        rates->embodied_kg = options->embodied_kg;
        rates->lifetime_years = options->lifetime_years;
    }
    return EM_OK;
}

static int check(const em_trace *trace, uint64_t from_ns, uint64_t to_ns, const em_options *options, em_error *error)
{
    if (trace->last_ns > 0 || trace->is_at_end) {
        em__copy(error->remedy, sizeof error->remedy, "open it again");
        return em__options_refuse(error, EM_ERR_INVALID, "trace", "the trace has been read");
    }
    if (from_ns >= to_ns) {
        em__copy(error->remedy, sizeof error->remedy, "give a begin before the end");
        return em__options_refuse(error, EM_ERR_INVALID, "from_ns", "the part begins where it ends, or later");
    }
    return options ? em__options_check(options, error) : EM_OK;
}

static int replay(em_trace *trace, em_error *error)
{
    em__replay_step step = EM__REPLAY_WENT_ON;
    while (step == EM__REPLAY_WENT_ON || step == EM__REPLAY_SUMMARY) {
        step = em__replay_next(trace);
    }
    if (step == EM__REPLAY_FAILED || trace->status != EM_OK) {
        return em__replay_refuse(trace, trace->status, error);
    }
    if (trace->part.is_on && !trace->part.has_begun) {
        uint64_t first_ns = trace->part.origin_ns,
                 length_ns = trace->last_ns > first_ns ? trace->last_ns - first_ns : 0;
        em__copy(error->remedy, sizeof error->remedy, "give a begin within it");
        return em__options_refuse(error, EM_ERR_INVALID, "from_ns", "the trace is %llu.%03llu s long",
                                  (unsigned long long)(length_ns / EM__NS_PER_S),
                                  (unsigned long long)(length_ns % EM__NS_PER_S / 1000000));
    }
    /* Where the trace is whole, its last edge has settled, and is the part's end. */
    if (!trace->part.is_on || !trace->is_whole || !em__ledger_is_settled(&trace->ledger)) {
        em__replay_finish(trace);
    }
    return EM_OK;
}

int em_trace_part(em_trace *trace, uint64_t from_ns, uint64_t to_ns, const em_options *carbon, em_error *ret_error,
                  em_summary **ret_summary)
{
    em_error error = {.size = sizeof error};
    em_options options;
    if (!trace || !ret_summary || (carbon && carbon->size < sizeof carbon->size)) {
        return EM_ERR_INVALID;
    }
    if (carbon) {
        em_options_init(&options, sizeof options);
        memcpy(&options, carbon, carbon->size < sizeof options ? carbon->size : sizeof options);
        options.trace_fd = -1;
    }
    int status = check(trace, from_ns, to_ns, carbon ? &options : NULL, &error);
    if (status == EM_OK) {
        trace->part = (em__part){.is_on = from_ns > 0 || to_ns < UINT64_MAX, .from_ns = from_ns, .to_ns = to_ns};
        status = replay(trace, &error);
    }
    if (status == EM_OK) {
        status = set_carbon(trace, carbon ? &options : NULL, &error);
    }
    if (status == EM_OK) {
        if (trace->part.is_on) {
            trace->around.overhead_limit = NAN; /* It is known of the whole alone. */
        }
        status = em__replay_snapshot(trace, ret_summary);
    }
    if (status != EM_OK) {
        em__replay_tell(&error, ret_error);
    }
    return status;
}
