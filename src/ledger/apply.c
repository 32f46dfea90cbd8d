/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One event into the numbers: readings, edges of windows, and what happens when an edge settles. */
#include "ledger/ledger.h"

#include "ledger/roles.h"

/* The unions that a window of this kind belongs to, beside its group's; NULL: none. */
static em__union *union_of_kind(em__ledger *ledger, int32_t kind)
{
    return kind == EM_WINDOW_OTHER ? NULL : &ledger->unions[kind];
}

static em__union *union_of_all(em__ledger *ledger, int32_t kind)
{
    return kind == EM_WINDOW_RUN ? NULL : &ledger->unions[EM_WINDOW_OTHER];
}

static void settle_begin(em__ledger *ledger, em__record *record, em__edge *edge)
{
    int32_t kind = record->group->kind;
    em__union *of_kind = union_of_kind(ledger, kind), *of_all = union_of_all(ledger, kind);
    record->has_begun = 1;
    ledger->had_run |= kind == EM_WINDOW_RUN;
    em__union_open(&record->group->distinct, &record->spans[0], edge);
    if (of_kind) {
        em__union_open(of_kind, &record->spans[1], edge);
    }
    if (of_all) {
        em__union_open(of_all, &record->spans[2], edge);
    }
    if (!ledger->run_begin) {
        ledger->run_begin = em__edge_hold(edge);
    }
}

static void list(em__ledger *ledger, em__record *record)
{
    if (ledger->listed_count >= ledger->listed_limit) {
        ledger->unlisted += ledger->listed_limit > 0;
        return;
    }
    record->is_listed = 1;
    *(ledger->listed_last ? &ledger->listed_last->listed_after : &ledger->listed_first) = record;
    ledger->listed_last = record;
    ledger->listed_count++;
}

static void settle_end(em__ledger *ledger, em__record *record, em__edge *edge)
{
    em__timeline *timeline = &ledger->timeline;
    int32_t kind = record->group->kind;
    em__union *of_kind = union_of_kind(ledger, kind), *of_all = union_of_all(ledger, kind);
    em__union_close(&record->group->distinct, timeline, &record->spans[0], edge);
    if (of_kind) {
        em__union_close(of_kind, timeline, &record->spans[1], edge);
    }
    if (of_all) {
        em__union_close(of_all, timeline, &record->spans[2], edge);
    }
    em__group_add(record->group, timeline->channel_count, record->begin, edge,
                  record->has_items ? &record->items : NULL, record->wait_ns);
    record->is_final = 1;
    list(ledger, record);
}

int em__ledger_is_ready(const em__ledger *ledger)
{
    return ledger->timeline.head && ledger->timeline.head->awaited == 0;
}

static void flag_spared(const em__ledger *ledger, em__edge *edge)
{
    for (size_t i = 0; i < ledger->setup.count; i++) {
        const em__shortfall *shortfall = &ledger->shortfalls[i];
        edge->values[i].flags |= (em__shortfall_was_sparing(shortfall, edge->t_ns) ? EM__VALUE_SPARED : 0) |
                                 (shortfall->has_fallen ? EM__VALUE_SHORT : 0);
    }
}

size_t em__ledger_settle(em__ledger *ledger, size_t limit)
{
    em__edge *edge;
    for (size_t done = 0; done < limit; done++) {
        if (!(edge = em__timeline_settle(&ledger->timeline))) {
            return 0;
        }
        flag_spared(ledger, edge);
        if (edge->ended) {
            settle_end(ledger, edge->ended, edge);
        }
        if (edge->begun) {
            settle_begin(ledger, edge->begun, edge);
        }
        if (edge->task) {
            edge->task(ledger, edge);
        }
        edge->ended = edge->begun = NULL;
        em__timeline_release(&ledger->timeline, edge);
    }
    return (size_t)em__ledger_is_ready(ledger);
}

static void settle_all(em__ledger *ledger)
{
    while (em__ledger_settle(ledger, EM__SETTLE_AT_ONCE)) {
    }
}

/* An edge for now. Times of edges never fall. */
static em__edge *mark(em__ledger *ledger, uint64_t t_ns)
{
    const em__edge *tail = ledger->timeline.tail;
    return em__timeline_mark(&ledger->timeline, tail && tail->t_ns > t_ns ? tail->t_ns : t_ns);
}

/* Takes the edge's reference, also on failure. */
static int begin_at(em__ledger *ledger, em__event *event, em__edge *edge)
{
    em__group *group = em__groups_intern(&ledger->groups, event->window_kind, event->name);
    em__record *record = group && edge ? em__store_add(&ledger->store) : NULL;
    if (!record) {
        em__timeline_release(&ledger->timeline, edge);
        return EM_ERR_NO_MEMORY;
    }
    record->group = group;
    group->live++;
    record->begin = edge;
    record->is_kept = event->keep;
    edge->begun = record;
    ledger->store.open_count++;
    event->window = record->id;
    return EM_OK;
}

static void become_last(em__ledger *ledger, em__record *record)
{
    em__record *before = record->group->last;
    record->group->last = record;
    record->group->last_order = ++ledger->end_order;
    record->is_last = 1;
    ledger->last[record->group->kind] = record;
    if (record->group->kind != EM_WINDOW_RUN) {
        ledger->last_any = record;
    }
    if (before) {
        before->is_last = 0;
        em__store_drop(&ledger->store, &ledger->timeline, before);
    }
}

static void expire(em__ledger *ledger)
{
    while (ledger->store.ring_count > EM_KEPT_WINDOWS) {
        em__record *oldest = ledger->store.oldest;
        if (!oldest->is_final) {
            em__timeline_pin(&ledger->timeline, oldest->end);
            settle_all(ledger);
        }
        em__store_unring(&ledger->store, oldest);
        em__store_drop(&ledger->store, &ledger->timeline, oldest);
    }
}

/* Takes the edge's reference. */
static void end_at(em__ledger *ledger, em__record *record, em__edge *edge)
{
    record->end = edge;
    edge->ended = record;
    ledger->store.open_count--;
    ledger->last_end_ns = edge->t_ns;
    ledger->wait_ns += record->wait_ns;
    become_last(ledger, record);
    if (!record->is_kept) {
        em__store_push(&ledger->store, record);
        expire(ledger);
    }
}

static int end(em__ledger *ledger, em__record *record, uint64_t t_ns)
{
    em__edge *edge = mark(ledger, t_ns);
    if (edge) {
        end_at(ledger, record, edge);
    }
    return edge ? EM_OK : EM_ERR_NO_MEMORY;
}

static em__edge *earlier(em__edge *a, em__edge *b)
{
    return b && (!a || b->t_ns < a->t_ns) ? b : a;
}

/* Takes the window out of the unions; the run then begins where the earliest of the others does. */
static void unsettle_begin(em__ledger *ledger, em__record *record)
{
    em__timeline *timeline = &ledger->timeline;
    int32_t kind = record->group->kind;
    em__union *of_kind = union_of_kind(ledger, kind), *of_all = union_of_all(ledger, kind);
    em__union_cancel(&record->group->distinct, timeline, &record->spans[0]);
    if (of_kind) {
        em__union_cancel(of_kind, timeline, &record->spans[1]);
    }
    if (of_all) {
        em__union_cancel(of_all, timeline, &record->spans[2]);
    }
    em__union *runs = &ledger->unions[EM_WINDOW_RUN], *all = &ledger->unions[EM_WINDOW_OTHER];
    ledger->had_run = runs->first || runs->total_ns > 0;
    if (ledger->run_begin == record->begin) {
        em__edge *first = earlier(em__union_begin(runs), em__union_begin(all));
        ledger->run_begin = first ? em__edge_hold(first) : NULL;
        em__timeline_release(timeline, record->begin);
    }
}

static void cancel(em__ledger *ledger, em__record *record, uint64_t t_ns)
{
    em__group *group = record->group;
    if (record->has_begun) {
        unsettle_begin(ledger, record);
    } else {
        record->begin->begun = NULL;
    }
    record->is_kept = 0;
    ledger->store.open_count--;
    ledger->last_end_ns = t_ns;
    em__store_drop(&ledger->store, &ledger->timeline, record);
    em__groups_forget(&ledger->groups, group);
}

static int start_over(void *context, em__edge *edge)
{
    em__ledger *ledger = context;
    em__groups_clear(&ledger->groups, &ledger->timeline, edge);
    for (int i = 0; i <= EM_WINDOW_RUN; i++) {
        em__union_restart(&ledger->unions[i], &ledger->timeline, edge);
    }
    for (size_t i = 0; i < ledger->setup.count; i++) {
        em__track_clear(&ledger->tracks[i], ledger->setup.interval_ns);
    }
    em__timeline_release(&ledger->timeline, ledger->run_begin);
    ledger->run_begin = em__edge_hold(edge);
    ledger->had_run = ledger->unions[EM_WINDOW_RUN].first != NULL;
    return EM_OK;
}

static int mark_task(em__ledger *ledger, uint64_t t_ns, int (*task)(void *, em__edge *))
{
    em__edge *edge = mark(ledger, t_ns);
    if (!edge) {
        return EM_ERR_NO_MEMORY;
    }
    edge->task = task;
    em__timeline_release(&ledger->timeline, edge);
    return EM_OK;
}

/* The counter itself, or the counter whose gauge this is. */
static void check_shortfall(em__ledger *ledger, const em__event *event)
{
    em__shortfall_count(&ledger->shortfalls[event->channel], event->t_ns, &event->reading);
    for (size_t i = 0; i < ledger->setup.count; i++) {
        if (ledger->shortfalls[i].gauge == ledger->setup.facts[event->channel]) {
            em__shortfall_power(&ledger->shortfalls[i], event->t_ns, &event->reading,
                                em__timeline_edge_ns(&ledger->timeline));
        }
    }
}

static void interrupt_shortfalls(em__ledger *ledger)
{
    for (size_t i = 0; i < ledger->setup.count; i++) {
        em__shortfall_interrupt(&ledger->shortfalls[i]);
    }
}

static void read_channel(em__ledger *ledger, const em__event *event)
{
    size_t channel = event->channel;
    if (channel >= ledger->all_count) {
        return;
    }
    if (channel >= ledger->setup.count) {
        em__timeline_add(&ledger->timeline, channel, event->t_ns, &event->reading);
        return;
    }
    em__series *series = &ledger->timeline.series[channel];
    int had_ended = series->has_ended;
    series->is_spared = ledger->shortfalls[channel].is_sparing;
    check_shortfall(ledger, event);
    em__added added = em__timeline_add(&ledger->timeline, channel, event->t_ns, &event->reading);
    if (added == EM__ADDED_POINT) {
        em__track_add(&ledger->tracks[channel], series->last.t_ns, series->last.energy_uj);
        ledger->heard_ns = ledger->heard_ns ? ledger->heard_ns : event->t_ns;
        em__ledger_doubt_part(ledger, channel);
    }
    if (event->reading.outcome == EM__READ_OK &&
        em__twins_read(&ledger->twins, channel, event->t_ns, event->reading.value)) {
        em__ledger_resolve(ledger, event->t_ns);
    }
    if (added == EM__ADDED_END || had_ended != series->has_ended) {
        em__ledger_resolve(ledger, event->t_ns);
    }
}

static int change_window(em__ledger *ledger, const em__event *event)
{
    em__record *record;
    int status = em__ledger_find(ledger, event->window, &record);
    if (status != EM_OK) {
        return status;
    }
    if (event->kind == EM__EVENT_RELEASE) {
        if (record->is_kept) {
            record->is_kept = 0;
            if (record->end) {
                em__store_push(&ledger->store, record);
                expire(ledger);
            }
        }
        return EM_OK;
    }
    if (record->end) {
        return EM_ERR_ENDED;
    }
    switch (event->kind) {
    case EM__EVENT_END:
        record->is_kept |= event->keep;
        return end(ledger, record, event->t_ns);
    case EM__EVENT_CANCEL:
        cancel(ledger, record, event->t_ns);
        return EM_OK;
    case EM__EVENT_ITEMS:
        record->items = event->amount < EM_MOST_ITEMS ? event->amount : EM_MOST_ITEMS;
        record->has_items = 1;
        return EM_OK;
    default:
        record->wait_ns = event->amount;
        return EM_OK;
    }
}

static int pin(em__ledger *ledger, em_window window)
{
    em__record *record = NULL;
    int status = window ? em__ledger_find(ledger, window, &record) : EM_OK;
    const em__edge *edge = record ? record->end : ledger->timeline.tail;
    if (status == EM_OK && edge && !edge->is_settled) {
        em__timeline_pin(&ledger->timeline, edge);
        settle_all(ledger);
    }
    return status;
}

/* What was counted so far belongs to the run before the reset. */
static void forget_run_items(em__ledger *ledger)
{
    for (size_t i = 0; i <= ledger->store.bucket_mask; i++) {
        for (em__record *record = ledger->store.buckets[i]; record; record = record->chain) {
            if (!record->end && record->group->kind == EM_WINDOW_RUN) {
                record->items = 0;
                record->has_items = 0;
            }
        }
    }
}

static int lap(em__ledger *ledger, em__event *event)
{
    em__event end_event = {.kind = EM__EVENT_END, .t_ns = event->t_ns, .window = event->window};
    em__event begin_event = *event;
    int status = em__ledger_lap(ledger, &end_event, &begin_event);
    event->next = begin_event.window;
    return status;
}

int em__ledger_apply(em__ledger *ledger, em__event *event)
{
    em__timeline *timeline = &ledger->timeline;
    switch (event->kind) {
    case EM__EVENT_READING:
        read_channel(ledger, event);
        return EM_OK;
    case EM__EVENT_END_CHANNEL:
        em__timeline_end(timeline, event->channel, event->status);
        em__ledger_resolve(ledger, event->t_ns);
        return EM_OK;
    case EM__EVENT_INTERRUPT:
        interrupt_shortfalls(ledger);
        for (size_t i = 0; i < ledger->setup.count; i++) { /* CPU time stands still in suspend. */
            em__series_interrupt(&timeline->series[i], event->status);
        }
        return EM_OK;
    case EM__EVENT_PARK:
        interrupt_shortfalls(ledger);
        for (size_t i = 0; i < timeline->channel_count; i++) {
            em__series_pause(&timeline->series[i]);
        }
        return EM_OK;
    case EM__EVENT_RESUME:
        for (size_t i = 0; i < timeline->channel_count; i++) {
            em__series_resume(&timeline->series[i], event->t_ns);
        }
        return EM_OK;
    case EM__EVENT_BEGIN:
        em__timeline_expect(timeline);
        return begin_at(ledger, event, mark(ledger, event->t_ns));
    case EM__EVENT_MARK:
        return mark_task(ledger, event->t_ns, NULL);
    case EM__EVENT_RESET:
        ledger->wait_ns = 0;
        forget_run_items(ledger);
        return mark_task(ledger, event->t_ns, start_over);
    case EM__EVENT_PIN:
        return pin(ledger, event->window);
    case EM__EVENT_LAP:
        return lap(ledger, event);
    case EM__EVENT_SETTLE:
        return EM_OK;
    default:
        return change_window(ledger, event);
    }
}

int em__ledger_lap(em__ledger *ledger, em__event *end_event, em__event *begin_event)
{
    em__record *record;
    int status = em__ledger_find(ledger, end_event->window, &record);
    if (status != EM_OK || record->end) {
        return status != EM_OK ? status : EM_ERR_ENDED;
    }
    em__edge *edge = mark(ledger, end_event->t_ns);
    if (!edge) {
        return EM_ERR_NO_MEMORY;
    }
    em__edge_hold(edge);
    status = begin_at(ledger, begin_event, edge);
    if (status == EM_OK) {
        end_at(ledger, record, edge);
    } else {
        em__timeline_release(&ledger->timeline, edge);
    }
    return status;
}

int em__ledger_enter(em__ledger *ledger, em__event *event)
{
    int status = em__ledger_apply(ledger, event);
    int waits = event->kind == EM__EVENT_READING || event->is_partial;
    if (status == EM_OK && (!waits || event->kind == EM__EVENT_SETTLE)) {
        em__ledger_settle(ledger, EM__SETTLE_AT_ONCE);
    }
    return status;
}
