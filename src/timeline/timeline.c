/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The queue of edges: each reading fills in what it can, the oldest complete edge is handed out. */
#include "timeline/timeline.h"

#include "energy_meter.h"

#include <stdlib.h>
#include <string.h>

/* Finds the gauges that shape counters. */
static int init_shapes(em__timeline *timeline)
{
    for (size_t i = 0; i < timeline->channel_count; i++) {
        em__series *series = &timeline->series[i];
        int32_t distance = series->facts->shaped_by ? series->facts->shaped_by : series->facts->gauge;
        int64_t gauge = (int64_t)i + distance;
        if (distance == 0 || gauge < 0 || gauge >= (int64_t)timeline->channel_count ||
            series->facts->kind != EM_KIND_COUNTER || timeline->series[gauge].facts->kind != EM_KIND_GAUGE ||
            timeline->shapes[gauge]) {
            continue;
        }
        em__shape *shape = calloc(1, sizeof *shape);
        if (!shape) {
            return EM_ERR_NO_MEMORY;
        }
        shape->facts = timeline->series[gauge].facts;
        shape->counter = i;
        shape->gauge = (size_t)gauge;
        timeline->shapes[gauge] = shape;
        series->shape = shape;
    }
    return EM_OK;
}

int em__timeline_init(em__timeline *timeline, const em__channel *const *facts, size_t channel_count)
{
    size_t count = channel_count ? channel_count : 1;
    memset(timeline, 0, sizeof *timeline);
    timeline->series = calloc(count, sizeof *timeline->series);
    timeline->shapes = calloc(count, sizeof(em__shape *));
    timeline->checks = calloc(count, sizeof *timeline->checks);
    timeline->is_counted = calloc(count, 1);
    timeline->is_needed = calloc(count, 1);
    timeline->is_active = calloc(count, 1);
    timeline->unfilled = calloc(count, sizeof(em__edge *));
    if (!timeline->series || !timeline->shapes || !timeline->checks || !timeline->is_counted || !timeline->is_needed ||
        !timeline->is_active || !timeline->unfilled) {
        em__timeline_free(timeline);
        return EM_ERR_NO_MEMORY;
    }
    timeline->channel_count = channel_count;
    for (size_t i = 0; i < channel_count; i++) {
        em__series_init(&timeline->series[i], facts[i]);
    }
    if (init_shapes(timeline) != EM_OK) {
        em__timeline_free(timeline);
        return EM_ERR_NO_MEMORY;
    }
    return EM_OK;
}

void em__timeline_free(em__timeline *timeline)
{
    for (em__edge *edge = timeline->youngest, *older; edge; edge = older) {
        older = edge->older;
        free(edge);
    }
    for (size_t i = 0; timeline->shapes && i < timeline->channel_count; i++) {
        free(timeline->shapes[i]);
    }
    free(timeline->shapes);
    free(timeline->checks);
    free(timeline->series);
    free(timeline->is_counted);
    free(timeline->is_needed);
    free(timeline->is_active);
    free(timeline->unfilled);
    memset(timeline, 0, sizeof *timeline);
}

static em__edge *take_from_pool(em__timeline *timeline)
{
    em__edge *edge = timeline->pool;
    if (edge) {
        timeline->pool = edge->next;
        return edge;
    }
    edge = malloc(sizeof *edge + timeline->channel_count * sizeof edge->values[0]);
    if (edge) {
        edge->older = timeline->youngest;
        timeline->youngest = edge;
    }
    return edge;
}

uint64_t em__timeline_edge_ns(const em__timeline *timeline)
{
    const em__edge *newest = timeline->tail ? timeline->tail : timeline->latest;
    return newest ? newest->t_ns : 0;
}

em__edge *em__edge_hold(em__edge *edge)
{
    edge->references++;
    return edge;
}

void em__timeline_release(em__timeline *timeline, em__edge *edge)
{
    if (edge && --edge->references == 0) {
        edge->next = timeline->pool;
        timeline->pool = edge;
    }
}

void em__timeline_expect(em__timeline *timeline)
{
    for (size_t i = 0; i < timeline->channel_count; i++) {
        timeline->series[i].is_paused = 0;
    }
}

em__edge *em__timeline_mark(em__timeline *timeline, uint64_t t_ns)
{
    em__edge *edge = take_from_pool(timeline);
    if (!edge) {
        return NULL;
    }
    *edge = (em__edge){.t_ns = t_ns, .older = edge->older, .references = 2}; /* the caller's and the queue's */
    for (size_t i = 0; i < timeline->channel_count; i++) {
        const em__series *series = &timeline->series[i];
        int is_awaited = timeline->is_counted[i] && timeline->is_active[i] && !series->has_ended && !series->is_paused;
        edge->values[i] = (em__value){.flags = is_awaited ? EM__VALUE_AWAITED : 0};
        edge->awaited += (uint32_t)is_awaited;
        if (!timeline->unfilled[i]) {
            timeline->unfilled[i] = edge;
        }
    }
    *(timeline->tail ? &timeline->tail->next : &timeline->head) = edge;
    timeline->tail = edge;
    for (size_t i = 0; i < timeline->channel_count; i++) {
        const em__channel *facts = timeline->series[i].facts;
        if (facts->average_ns > 0 && facts->average_ns < facts->refresh_ns) {
            em__check_edge(&timeline->checks[i], facts, t_ns);
        }
    }
    return edge;
}

uint64_t em__timeline_plan(const em__timeline *timeline, size_t channel, uint64_t now_ns, uint64_t due_ns)
{
    const em__shape *shape = timeline->shapes[channel]; /* Read together with its counter. */
    size_t planned = shape && timeline->series[shape->counter].phase.is_known ? shape->counter : channel;
    return em__phase_plan(&timeline->series[planned].phase, now_ns, due_ns);
}

uint64_t em__timeline_period_ns(const em__timeline *timeline, size_t channel, int *ret_is_seen)
{
    const em__series *series = &timeline->series[channel];
    *ret_is_seen = series->phase.is_known || (series->facts->refresh_ns == 0 && series->seen_ns > 0);
    return series->phase.is_known ? (uint64_t)series->phase.period_ns : em__series_period_ns(series);
}

/* To the nearest point. */
static uint64_t distance_at(const em__series *series, uint64_t t_ns)
{
    const em__point points[] = {series->before, series->previous, series->last};
    uint64_t least_ns = UINT64_MAX;
    for (size_t i = 0; i < 3; i++) {
        uint64_t apart_ns = t_ns > points[i].t_ns ? t_ns - points[i].t_ns : points[i].t_ns - t_ns;
        least_ns = apart_ns < least_ns ? apart_ns : least_ns;
    }
    return least_ns;
}

static em__value value_of(const em__timeline *timeline, size_t channel, em__point point, em__doubt doubt, int flags)
{
    int is_seen;
    const em__series *series = &timeline->series[channel];
    uint64_t period_ns = em__timeline_period_ns(timeline, channel, &is_seen);
    return (em__value){.t_ns = point.t_ns,
                       .energy_uj = point.energy_uj > series->given_uj ? point.energy_uj : series->given_uj,
                       .gap_ns = point.gap_ns,
                       .spread_uj2 = point.spread_uj2,
                       .error_uj = (float)doubt.energy_uj,
                       .error_mw = (float)doubt.power_mw,
                       .distance_ns = (float)distance_at(series, point.t_ns),
                       .period_ns = (float)period_ns,
                       .updates = point.updates,
                       .status = (int16_t)series->status,
                       .flags = (uint8_t)(flags | (is_seen ? EM__VALUE_PERIOD_SEEN : 0)),
                       .findings = timeline->checks[channel].findings};
}

static void fill(em__timeline *timeline, em__edge *edge, size_t channel, em__value value)
{
    timeline->series[channel].given_uj = value.energy_uj;
    value.t_ns = edge->t_ns;
    if (edge->values[channel].flags & EM__VALUE_AWAITED) {
        edge->awaited--;
    }
    value.flags |= EM__VALUE_FILLED;
    edge->values[channel] = value;
}

/* Edges before the last points lie in the newest brackets: earlier ones filled the earlier edges. */
static void fill_measured(em__timeline *timeline, size_t channel)
{
    const em__series *series = &timeline->series[channel];
    uint64_t settled_ns = em__series_settled_ns(series);
    em__edge *edge = timeline->unfilled[channel];
    for (; edge && edge->t_ns <= settled_ns; edge = edge->next) {
        em__doubt doubt;
        em__point point = em__series_at(series, edge->t_ns, &doubt);
        fill(timeline, edge, channel, value_of(timeline, channel, point, doubt, 0));
    }
    timeline->unfilled[channel] = edge;
}

static void fill_estimated(em__timeline *timeline, size_t channel, const em__edge *until)
{
    em__series *series = &timeline->series[channel];
    em__edge *edge = timeline->unfilled[channel];
    while (edge && (!until || edge->t_ns <= until->t_ns)) {
        em__doubt doubt;
        int is_guess = edge->t_ns > series->last.t_ns && !series->is_paused;
        em__point point = em__series_estimate(series, edge->t_ns, &doubt);
        em__series_pin(series, edge->t_ns);
        point.gap_ns = is_guess ? series->last.gap_ns : point.gap_ns;
        fill(timeline, edge, channel, value_of(timeline, channel, point, doubt, is_guess ? EM__VALUE_PINNED : 0));
        edge = edge->next;
    }
    timeline->unfilled[channel] = edge;
}

/* A sample of a gauge may be the one that edges of its counter waited for. */
static void shape_with(em__timeline *timeline, size_t gauge)
{
    em__shape *shape = timeline->shapes[gauge];
    if (shape) {
        const em__series *counter = &timeline->series[shape->counter];
        /* Points may be pinned, and estimates begin where the counter was read. */
        uint64_t before_ns = counter->before.t_ns, known_ns = counter->known_ns;
        uint64_t needed_ns = before_ns < known_ns ? before_ns : known_ns;
        em__shape_add(shape, &timeline->series[gauge].last, needed_ns);
        fill_measured(timeline, shape->counter);
    }
}

/* Before the reading is added: what it says against those before it, and against the gauge of the board. */
static void check_reading(em__timeline *timeline, size_t channel, uint64_t t_ns, const em__reading *reading)
{
    const em__series *series = &timeline->series[channel];
    em__check *check = &timeline->checks[channel];
    if (series->is_gap) {
        em__check_restart(check);
    }
    if (reading->outcome == EM__READ_OK) {
        const em__series *gauge = series->shape ? &timeline->series[series->shape->gauge] : NULL;
        uint64_t power_mw = gauge && gauge->has_power && !gauge->is_gap ? gauge->power_mw : 0;
        em__check_reading(check, series->facts, t_ns, reading, power_mw);
    }
}

em__added em__timeline_add(em__timeline *timeline, size_t channel, uint64_t t_ns, const em__reading *reading)
{
    em__series *series = &timeline->series[channel];
    check_reading(timeline, channel, t_ns, reading);
    em__added added = em__series_add(series, t_ns, reading, timeline->patience_ns);
    if (added == EM__ADDED_POINT) {
        if (series->shape) {
            em__check_pair(&timeline->checks[channel], series, &timeline->series[series->shape->gauge]);
        }
        shape_with(timeline, channel);
        fill_measured(timeline, channel);
    } else if (added == EM__ADDED_END) {
        fill_estimated(timeline, channel, NULL);
    }
    return added;
}

void em__timeline_end(em__timeline *timeline, size_t channel, int32_t status)
{
    em__series_end(&timeline->series[channel], status);
    fill_estimated(timeline, channel, NULL);
}

void em__timeline_pin(em__timeline *timeline, const em__edge *edge)
{
    for (size_t i = 0; i < timeline->channel_count; i++) {
        fill_estimated(timeline, i, edge);
    }
}

/* What grew since the last settled edge enters the totals by the roles that hold now. */
static em__value count(const em__timeline *timeline, size_t channel, em__value value)
{
    em__value none = {0};
    const em__value *before = timeline->latest ? &timeline->latest->values[channel] : &none;
    int64_t grown_uj = value.energy_uj - before->energy_uj;
    uint64_t gap_ns = value.gap_ns - before->gap_ns;
    value.counted_uj = before->counted_uj + (timeline->is_counted[channel] ? grown_uj : 0);
    value.flags = (uint8_t)(value.flags | (timeline->is_counted[channel] ? EM__VALUE_COUNTED : 0));
    value.missing_ns = before->missing_ns + (timeline->is_needed[channel] ? gap_ns : 0);
    return value;
}

em__edge *em__timeline_settle(em__timeline *timeline)
{
    em__edge *edge = timeline->head;
    if (!edge || edge->awaited > 0) {
        return NULL;
    }
    for (size_t i = 0; i < timeline->channel_count; i++) {
        if (timeline->unfilled[i] == edge) {
            fill_estimated(timeline, i, edge);
        }
    }
    timeline->head = edge->next;
    if (!timeline->head) {
        timeline->tail = NULL;
    }
    for (size_t i = 0; i < timeline->channel_count; i++) {
        edge->values[i] = count(timeline, i, edge->values[i]);
    }
    edge->is_settled = 1;
    edge->next = NULL;
    em__timeline_release(timeline, timeline->latest);
    timeline->latest = em__edge_hold(edge);
    return edge; /* the queue's reference becomes the caller's */
}

em__value em__timeline_now(const em__timeline *timeline, uint64_t t_ns, size_t channel)
{
    em__doubt doubt;
    const em__series *series = &timeline->series[channel];
    em__point point = em__series_estimate(series, t_ns, &doubt);
    return count(timeline, channel, value_of(timeline, channel, point, doubt, 0));
}

em__value em__timeline_value(const em__timeline *timeline, const em__edge *edge, size_t channel)
{
    em__value value = edge->values[channel];
    if (edge->is_settled) {
        return value;
    }
    return value.flags & EM__VALUE_FILLED ? count(timeline, channel, value)
                                          : em__timeline_now(timeline, edge->t_ns, channel);
}
