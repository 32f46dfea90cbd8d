/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Unions of time by a list of open windows with one sum of ended intervals behind each. */
#include "windows/spans.h"

#include "energy_meter.h"

#include <stdlib.h>
#include <string.h>

int em__union_init(em__union *set, size_t channel_count)
{
    memset(set, 0, sizeof *set);
    set->total = calloc(channel_count + 1, sizeof *set->total);
    return set->total ? EM_OK : EM_ERR_NO_MEMORY;
}

void em__union_free(em__union *set)
{
    free(set->total);
    memset(set, 0, sizeof *set);
}

int em__span_init(em__span *span, size_t channel_count)
{
    memset(span, 0, sizeof *span);
    span->inner = calloc(channel_count + 1, sizeof *span->inner);
    return span->inner ? EM_OK : EM_ERR_NO_MEMORY;
}

void em__span_free(em__span *span)
{
    free(span->inner);
    span->inner = NULL;
}

static void add_between(em__tally *into, size_t channel_count, const em__edge *from, const em__edge *to)
{
    for (size_t i = 0; i < channel_count; i++) {
        em__tally_between(&into[i], &from->values[i], &to->values[i]);
    }
}

static void add_tallies(em__tally *into, size_t channel_count, const em__tally *tallies)
{
    for (size_t i = 0; i < channel_count; i++) {
        em__tally_add(&into[i], &tallies[i]);
    }
}

static void forget_inner(em__timeline *timeline, em__span *span)
{
    em__timeline_release(timeline, span->reach);
    span->reach = NULL;
    span->below = NULL;
    span->inner_ns = 0;
    memset(span->inner, 0, timeline->channel_count * sizeof *span->inner);
}

void em__union_open(em__union *set, em__span *span, em__edge *begin)
{
    span->begin = em__edge_hold(begin);
    span->order = ++set->orders;
    span->next = NULL;
    span->previous = set->last;
    *(set->last ? &set->last->next : &set->first) = span;
    set->last = span;
}

static void unlink_span(em__union *set, em__timeline *timeline, em__span *span)
{
    *(span->previous ? &span->previous->next : &set->first) = span->next;
    *(span->next ? &span->next->previous : &set->last) = span->previous;
    span->next = span->previous = NULL;
    em__timeline_release(timeline, span->begin);
    span->begin = NULL;
}

static em__edge *earlier(em__edge *a, em__edge *b)
{
    return b && (!a || b->t_ns < a->t_ns) ? b : a;
}

/* The span has intervals from now on, the earliest of which begins at begin. */
static void reach_back(em__union *set, em__timeline *timeline, em__span *span, em__edge *begin)
{
    if (!span->reach) {
        em__span **link = &set->top;
        while (*link && (*link)->order > span->order) {
            link = &(*link)->below;
        }
        span->below = *link;
        *link = span;
    }
    if (earlier(span->reach, begin) != span->reach) {
        em__timeline_release(timeline, span->reach);
        span->reach = em__edge_hold(begin);
    }
}

/* The interval can be covered no more. */
static void fold(em__union *set, em__edge *begin)
{
    if (!set->begin) {
        set->begin = em__edge_hold(begin);
    }
}

void em__union_close(em__union *set, em__timeline *timeline, em__span *span, em__edge *end)
{
    em__edge *from = em__edge_hold(span->begin);
    while (set->top && set->top->order >= span->order) {
        em__span *covered = set->top;
        if (earlier(from, covered->reach) != from) {
            em__timeline_release(timeline, from);
            from = em__edge_hold(covered->reach);
        }
        set->top = covered->below;
        forget_inner(timeline, covered);
    }
    unlink_span(set, timeline, span);
    em__span *open = set->last;
    *(open ? &open->inner_ns : &set->total_ns) += end->t_ns - from->t_ns;
    add_between(open ? open->inner : set->total, timeline->channel_count, from, end);
    if (open) {
        reach_back(set, timeline, open, from);
    } else {
        fold(set, from);
    }
    em__timeline_release(timeline, from);
}

void em__union_cancel(em__union *set, em__timeline *timeline, em__span *span)
{
    if (span->reach) {
        em__span **link = &set->top, *open = span->previous;
        while (*link != span) {
            link = &(*link)->below;
        }
        *link = span->below;
        *(open ? &open->inner_ns : &set->total_ns) += span->inner_ns;
        add_tallies(open ? open->inner : set->total, timeline->channel_count, span->inner);
        if (open) {
            reach_back(set, timeline, open, span->reach);
        } else {
            fold(set, span->reach);
        }
        forget_inner(timeline, span);
    }
    unlink_span(set, timeline, span);
}

/* Of the open windows and of what they would cover. */
static em__edge *open_begin(const em__union *set)
{
    em__edge *begin = set->first ? set->first->begin : NULL;
    for (const em__span *span = set->top; span; span = span->below) {
        begin = earlier(begin, span->reach);
    }
    return begin;
}

em__edge *em__union_begin(const em__union *set)
{
    return earlier(set->begin, open_begin(set));
}

void em__union_restart(em__union *set, em__timeline *timeline, em__edge *edge)
{
    set->total_ns = 0;
    em__timeline_release(timeline, set->begin);
    set->begin = NULL;
    while (set->top) {
        em__span *span = set->top;
        set->top = span->below;
        forget_inner(timeline, span);
    }
    memset(set->total, 0, timeline->channel_count * sizeof *set->total);
    for (em__span *span = set->first; span; span = span->next) {
        em__timeline_release(timeline, span->begin);
        span->begin = em__edge_hold(edge);
    }
}

/* What is summed up goes on no more: its variance is whole. */
static void end_chains(em__tally *tallies, size_t channel_count)
{
    for (size_t i = 0; i < channel_count; i++) {
        double variance = em__chain_variance(&tallies[i].chain);
        tallies[i].chain = (em__chain){.inner_variance = variance};
    }
}

void em__union_sum(const em__union *set, size_t channel_count, const em__edge *now, uint64_t *ret_ns,
                   em__tally *ret_tallies)
{
    *ret_ns = set->total_ns;
    memcpy(ret_tallies, set->total, channel_count * sizeof *ret_tallies);
    if (now && set->first) {
        const em__edge *from = open_begin(set);
        if (now->t_ns > from->t_ns) {
            *ret_ns += now->t_ns - from->t_ns;
            add_between(ret_tallies, channel_count, from, now);
        }
    } else {
        for (const em__span *span = set->top; span; span = span->below) {
            *ret_ns += span->inner_ns;
            add_tallies(ret_tallies, channel_count, span->inner);
        }
    }
    end_chains(ret_tallies, channel_count);
}
