/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The union of the time of windows, exact for any nesting, overlap and cancelling, in memory O(open windows).
 * Fed with settled edges in the order of time, so every sum is a difference of final numbers. */
#ifndef EM_WINDOWS_SPANS_H
#define EM_WINDOWS_SPANS_H

#include "windows/sum.h"

/*
 * Between two begins of windows that are still open, the intervals that have ended are kept as one sum: a window that
 * ends later began either before all of them, and covers them, or after all of them. Only the earliest begin among
 * them matters, where an interval reaches back across the begin of an open window.
 */
typedef struct em__span {
    struct em__span *previous, *next; /* open windows, in the order of their begins */
    struct em__span *below;           /* the next older one with intervals of its own */
    uint64_t order;
    em__edge *begin;
    em__edge *reach;   /* earliest begin of the intervals below; NULL: there are none */
    uint64_t inner_ns; /* intervals that ended since this window began and before the next one did */
    em__tally *inner;  /* by channel */
} em__span;

typedef struct {
    em__span *first, *last;
    em__span *top; /* the newest open window with intervals: few have any, however many are open */
    uint64_t orders;
    em__edge *begin;   /* of the earliest interval in total; NULL: there is none */
    uint64_t total_ns; /* intervals that nothing can cover any more */
    em__tally *total;  /* by channel */
} em__union;

int em__union_init(em__union *set, size_t channel_count);
void em__union_free(em__union *set);
int em__span_init(em__span *span, size_t channel_count);
void em__span_free(em__span *span);

void em__union_open(em__union *set, em__span *span, em__edge *begin);
void em__union_close(em__union *set, em__timeline *timeline, em__span *span, em__edge *end);
void em__union_cancel(em__union *set, em__timeline *timeline, em__span *span);
/* The earliest begin of all that has ended or is open; NULL: there is nothing such. */
em__edge *em__union_begin(const em__union *set);
/* Forgets all that was; what is open counts from this edge on. */
void em__union_restart(em__union *set, em__timeline *timeline, em__edge *edge);

/* Of the windows that have ended; with a now edge, of the open ones up to it too. tallies: channel_count elements, whose
 * chain.inner_variance is then all of their edges'. */
void em__union_sum(const em__union *set, size_t channel_count, const em__edge *now, uint64_t *ret_ns,
                   em__tally *ret_tallies);

#endif
