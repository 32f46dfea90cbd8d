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
    set->total_uj = calloc(channel_count + 1, sizeof(int64_t));
    return set->total_uj ? EM_OK : EM_ERR_NO_MEMORY;
}

void em__union_free(em__union *set)
{
    free(set->total_uj);
    memset(set, 0, sizeof *set);
}

int em__span_init(em__span *span, size_t channel_count)
{
    memset(span, 0, sizeof *span);
    span->inner_uj = calloc(channel_count + 1, sizeof(int64_t));
    return span->inner_uj ? EM_OK : EM_ERR_NO_MEMORY;
}

void em__span_free(em__span *span)
{
    free(span->inner_uj);
    span->inner_uj = NULL;
}

static void forget_inner(em__timeline *timeline, em__span *span)
{
    em__timeline_release(timeline, span->reach);
    span->reach = NULL;
    if (span->inner_ns) {
        span->inner_ns = 0;
        memset(span->inner_uj, 0, timeline->channel_count * sizeof(int64_t));
    }
}

void em__union_open(em__union *set, em__span *span, em__edge *begin)
{
    span->begin = em__edge_hold(begin);
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

static void reach_back(em__timeline *timeline, em__span *span, em__edge *begin)
{
    em__edge *reach = earlier(span->reach, begin);
    if (reach && reach != span->reach) {
        em__timeline_release(timeline, span->reach);
        span->reach = em__edge_hold(reach);
    }
}

void em__union_close(em__union *set, em__timeline *timeline, em__span *span, em__edge *end)
{
    em__edge *from = span->begin;
    for (em__span *later = span; later; later = later->next) {
        from = earlier(from, later->reach);
    }
    em__edge_hold(from);
    for (em__span *later = span; later; later = later->next) {
        forget_inner(timeline, later);
    }
    unlink_span(set, timeline, span);
    em__span *open = set->last;
    int64_t *into_uj = open ? open->inner_uj : set->total_uj;
    *(open ? &open->inner_ns : &set->total_ns) += end->t_ns - from->t_ns;
    for (size_t i = 0; i < timeline->channel_count; i++) {
        into_uj[i] += end->values[i].counted_uj - from->values[i].counted_uj;
    }
    if (open) {
        reach_back(timeline, open, from);
    }
    em__timeline_release(timeline, from);
}

void em__union_cancel(em__union *set, em__timeline *timeline, em__span *span)
{
    em__span *open = span->previous;
    *(open ? &open->inner_ns : &set->total_ns) += span->inner_ns;
    for (size_t i = 0; i < timeline->channel_count; i++) {
        (open ? open->inner_uj : set->total_uj)[i] += span->inner_uj[i];
    }
    if (open && span->reach) {
        reach_back(timeline, open, span->reach);
    }
    forget_inner(timeline, span);
    unlink_span(set, timeline, span);
}

void em__union_restart(em__union *set, em__timeline *timeline, em__edge *edge)
{
    set->total_ns = 0;
    memset(set->total_uj, 0, timeline->channel_count * sizeof(int64_t));
    for (em__span *span = set->first; span; span = span->next) {
        forget_inner(timeline, span);
        em__timeline_release(timeline, span->begin);
        span->begin = em__edge_hold(edge);
    }
}

void em__union_sum(const em__union *set, size_t channel_count, const em__edge *now, uint64_t *ret_ns, int64_t *ret_uj)
{
    *ret_ns = set->total_ns;
    memcpy(ret_uj, set->total_uj, channel_count * sizeof(int64_t));
    if (now && set->first) {
        em__edge *from = set->first->begin;
        for (const em__span *span = set->first; span; span = span->next) {
            from = earlier(from, span->reach);
        }
        if (now->t_ns > from->t_ns) {
            *ret_ns += now->t_ns - from->t_ns;
            for (size_t i = 0; i < channel_count; i++) {
                ret_uj[i] += now->values[i].counted_uj - from->values[i].counted_uj;
            }
        }
        return;
    }
    for (const em__span *span = set->first; span; span = span->next) {
        *ret_ns += span->inner_ns;
        for (size_t i = 0; i < channel_count; i++) {
            ret_uj[i] += span->inner_uj[i];
        }
    }
}
