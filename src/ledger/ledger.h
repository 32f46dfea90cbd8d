/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The ledger applies one event after the other into timeline, windows and metrics. It knows no clock, lock or host:
 * the same events give the same numbers. */
#ifndef EM_LEDGER_LEDGER_H
#define EM_LEDGER_LEDGER_H

#include "core/event.h"
#include "metrics/carbon.h"
#include "metrics/energy.h"
#include "metrics/points.h"
#include "metrics/roles.h"
#include "metrics/twins.h"
#include "timeline/shortfall.h"
#include "windows/store.h"

enum { EM__SETTLE_AT_ONCE = 32 };

/* Series behind those of the channels, in µs of CPU time instead of µJ: what this process and the whole machine used. Their
 * readings are events of the channels count + EM__HIDDEN_…; they have no role, and no edge waits for them. */
enum { EM__HIDDEN_PROCESS, EM__HIDDEN_BUSY, EM__HIDDEN_COUNT };

/* What does not change after it was found out. */
typedef struct {
    const em__channel *const *facts;
    const char *const *sensors; /* by channel: its sensor's name */
    const int *ranks;
    size_t count;
    int32_t unmeasured[EM_DOMAINS]; /* why a domain that the options want has no channel at all; EM_OK */
    uint64_t notes;
    uint64_t interval_ns, patience_ns;
    em__rates rates;
} em__ledger_setup;

typedef struct {
    em__ledger_setup setup;
    size_t all_count; /* channels and hidden series */
    const em__channel **all_facts;
    em__timeline timeline;
    em__store store;
    em__groups groups;
    em__union unions[EM_WINDOW_RUN + 1]; /* by kind; of kind OTHER: of all windows but the run's */
    em__record *last[EM_WINDOW_RUN + 1];
    em__record *last_any;
    uint64_t end_order;
    em__candidate *candidates;
    em__role *roles; /* as resolved last; names and reasons are handed out from words */
    const char **names, **reasons;
    char **words; /* every text that was ever handed out, once */
    size_t word_count;
    em__twins twins;
    unsigned char *is_too_large; /* by channel: a part that showed more energy than its whole, or that whole */
    em__member *members;
    em__track *tracks;
    em__shortfall *shortfalls; /* by channel */
    em__sum *sums;             /* scratch for one window; hidden series too */
    em__edge *run_begin;       /* of the first window, or of the last reset */
    int had_run;               /* a window of kind RUN has begun */
    uint64_t last_end_ns;
    uint64_t heard_ns;                      /* of the first reading of all; 0: none yet */
    uint64_t wait_ns;                       /* of all windows that have ended since the last reset, as told */
    em__record *listed_first, *listed_last; /* final windows that nobody has taken yet, in the order of their ends */
    size_t listed_count, listed_limit;      /* limit 0: they are not listed */
    uint64_t unlisted;                      /* how many came when there were so many */
    uint64_t resolutions;                   /* how often roles were decided: what is read may have changed */
} em__ledger;

int em__ledger_init(em__ledger *ledger, const em__ledger_setup *setup);
void em__ledger_free(em__ledger *ledger);

/* EM_OK, EM_ERR_NO_MEMORY, EM_ERR_UNKNOWN, EM_ERR_EXPIRED, EM_ERR_ENDED. BEGIN sets event->window, LAP event->next.
 * Times never fall between events that make edges; the door takes them under its lock. */
int em__ledger_apply(em__ledger *ledger, em__event *event);

/* As the door and a replay do it: applies the event and, unless it is a reading, partial or failed, settles at most
 * EM__SETTLE_AT_ONCE edges. When an edge settles can change what a channel that it did not wait for shows there, so
 * this is part of what an event means. */
int em__ledger_enter(em__ledger *ledger, em__event *event);

/* The end of one window and the begin of the next at one edge; both events have the same time. The end happens only if
 * the begin can. */
int em__ledger_lap(em__ledger *ledger, em__event *end, em__event *begin);

/* Settles at most limit edges; how many are ready and still wait. Call it again until it answers 0. */
size_t em__ledger_settle(em__ledger *ledger, size_t limit);
/* 1: an edge is ready to settle. */
int em__ledger_is_ready(const em__ledger *ledger);

/* 1: the channel's device is to be read. */
int em__ledger_is_read(const em__ledger *ledger, size_t channel);
/* Whether its counter suffers from being read, or it is being found out whether it does: once a second is often enough. */
em__spared em__ledger_spared(const em__ledger *ledger, size_t channel);
size_t em__ledger_open_count(const em__ledger *ledger);
int em__ledger_is_settled(const em__ledger *ledger);

/* What is known of a window at now_ns. EM_ERR_UNKNOWN, EM_ERR_EXPIRED, EM_ERR_INVALID (size). */
int em__ledger_result(em__ledger *ledger, em_window window, uint64_t now_ns, em_result *ret_result);
/* The window that became final first of those that nobody has taken; its channels into those of ret_result. EM_ERR_UNKNOWN:
 * there is none. */
int em__ledger_take(em__ledger *ledger, em_result *ret_result);
int em__ledger_find(const em__ledger *ledger, em_window window, em__record **ret_record);
int em__ledger_last(const em__ledger *ledger, int32_t kind, const char *name, em_window *ret_window);
em__ensemble em__ledger_ensemble(const em__ledger *ledger);
/* What the hidden ones among sums of all series say of a time; NAN: nothing. */
double em__ledger_share(const em__ledger *ledger, const em__sum *sums, uint64_t duration_ns);
const char *em__ledger_share_unknown(const em__ledger *ledger, const em__sum *sums, uint64_t duration_ns);
/* All but its device's read cost. */
void em__ledger_channel(const em__ledger *ledger, size_t channel, em_channel *ret_channel);

#endif
