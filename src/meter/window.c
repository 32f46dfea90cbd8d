/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Windows: each public call checks its arguments, reads at the edge what the budget allows, and applies one
 * event whose time is taken under the door. */
#include "meter/meter.h"

#include <string.h>

static int read_spec(const em_spec *spec, em__event *event)
{
    em_spec full = {.size = sizeof full};
    if (spec) {
        if (spec->size < offsetof(em_spec, name)) {
            return EM_ERR_INVALID;
        }
        memcpy(&full, spec, spec->size < sizeof full ? spec->size : sizeof full);
    }
    int is_kind = full.kind >= EM_WINDOW_OTHER && full.kind <= EM_WINDOW_RUN;
    if (!is_kind || (full.name && strnlen(full.name, EM__WINDOW_NAME + 1) > EM__WINDOW_NAME)) {
        return EM_ERR_INVALID;
    }
    event->window_kind = full.kind;
    event->keep = full.keep != 0;
    event->name = full.name;
    return EM_OK;
}

/* With the door locked. */
static int begin_now(em_meter *meter, em__event *event)
{
    if (meter->is_closed) {
        return EM_ERR_CLOSED;
    }
    event->kind = EM__EVENT_BEGIN;
    event->t_ns = em__meter_now(meter);
    return em__door_apply(meter, event);
}

int em_window_begin(em_meter *meter, const em_spec *spec, em_window *ret_window)
{
    em__event event = {0};
    int status = em__door_check(meter);
    if (status == EM_OK) {
        status = ret_window ? read_spec(spec, &event) : EM_ERR_INVALID;
    }
    if (status != EM_OK) {
        return status;
    }
    em__edge_plan plan;
    uint64_t enter_ns = em__meter_now(meter);
    em__door_lock(meter);
    plan.cost_ns = plan.count = 0;
    if (!em__meter_resume(meter, &event.amount) && !meter->is_closed) {
        em__edge_choose(&meter->edges, enter_ns, 1, &plan);
        event.amount = em__meter_read_edge(meter, &plan, enter_ns);
        em__meter_resume(meter, &event.amount); /* Should a read have taken so long that the meter has parked. */
    }
    status = begin_now(meter, &event);
    em__door_unlock(meter);
    em__edge_leave(&meter->edges, enter_ns, &plan);
    if (status == EM_OK) {
        *ret_window = event.window;
    }
    return status;
}

static int is_result_usable(const em_result *result)
{
    return !result || result->size >= offsetof(em_result, begin_ns);
}

/* With the door locked. */
static int fill_result(em_meter *meter, em_window window, em_result *ret_result)
{
    size_t size = ret_result->size;
    em_result full = {.size = sizeof full};
    if (size >= sizeof full) {
        full.channels = ret_result->channels;
        full.channels_capacity = ret_result->channels_capacity;
    }
    int status = em__ledger_result(&meter->ledger, window, em__meter_now(meter), &full);
    return status == EM_OK ? em__answer(ret_result, size, &full, sizeof full) : status;
}

/* With the door locked, which it leaves for the reads. While they last, so many other windows may end that this one
 * expires: then the result is the one from before. */
static int finish_end(em_meter *meter, em_window window, const em__edge_plan *plan, uint64_t now_ns,
                      em_result *ret_result)
{
    int status = ret_result ? fill_result(meter, window, ret_result) : EM_OK;
    if (status == EM_OK && plan->count > 0) {
        em__meter_read_edge(meter, plan, now_ns);
        status = ret_result ? fill_result(meter, window, ret_result) : EM_OK;
    }
    return status == EM_ERR_EXPIRED ? EM_OK : status;
}

static int apply_to(em_meter *meter, em__event_kind kind, em_window window, uint64_t amount)
{
    int status = em__door_check(meter);
    if (status == EM_OK) {
        em__event event = {.kind = kind, .window = window, .amount = amount};
        em__door_lock(meter);
        event.t_ns = em__meter_now(meter);
        status = em__door_apply(meter, &event);
        em__door_unlock(meter);
    }
    return status;
}

int em_window_end(em_meter *meter, em_window window, em_result *ret_result)
{
    int status = em__door_check(meter);
    if (status != EM_OK || !is_result_usable(ret_result)) {
        return status != EM_OK ? status : EM_ERR_INVALID;
    }
    em__edge_plan plan;
    em__event event = {.kind = EM__EVENT_END, .window = window};
    uint64_t enter_ns = em__meter_now(meter);
    em__door_lock(meter);
    event.t_ns = em__meter_now(meter);
    em__edge_choose(&meter->edges, event.t_ns, 0, &plan);
    event.amount = plan.mask;
    status = em__door_apply(meter, &event);
    if (status == EM_OK) {
        status = finish_end(meter, window, &plan, event.t_ns, ret_result);
    }
    em__door_unlock(meter);
    em__edge_leave(&meter->edges, enter_ns, &plan);
    return status;
}

int em_window_lap(em_meter *meter, em_window window, const em_spec *next, em_result *ret_result, em_window *ret_next)
{
    em__event begin = {0};
    int status = em__door_check(meter);
    if (status == EM_OK) {
        status = ret_next && is_result_usable(ret_result) ? read_spec(next, &begin) : EM_ERR_INVALID;
    }
    if (status != EM_OK) {
        return status;
    }
    em__edge_plan plan;
    em__event end = {.kind = EM__EVENT_END, .window = window};
    begin.kind = EM__EVENT_BEGIN;
    uint64_t enter_ns = em__meter_now(meter);
    em__door_lock(meter);
    begin.t_ns = end.t_ns = em__meter_now(meter);
    em__edge_choose(&meter->edges, end.t_ns, 1, &plan);
    begin.amount = end.amount = plan.mask;
    status = meter->is_closed ? EM_ERR_CLOSED : em__door_lap(meter, &end, &begin);
    if (status == EM_OK) {
        status = finish_end(meter, window, &plan, end.t_ns, ret_result);
    }
    em__door_unlock(meter);
    em__edge_leave(&meter->edges, enter_ns, &plan);
    if (status == EM_OK) {
        *ret_next = begin.window;
    }
    return status;
}

int em_window_cancel(em_meter *meter, em_window window)
{
    return apply_to(meter, EM__EVENT_CANCEL, window, 0);
}

int em_window_set_items(em_meter *meter, em_window window, uint64_t items)
{
    return items <= EM_MOST_ITEMS ? apply_to(meter, EM__EVENT_ITEMS, window, items) : EM_ERR_INVALID;
}

int em_window_set_wait(em_meter *meter, em_window window, uint64_t wait_ns)
{
    return apply_to(meter, EM__EVENT_WAIT, window, wait_ns);
}

int em_window_release(em_meter *meter, em_window window)
{
    return apply_to(meter, EM__EVENT_RELEASE, window, 0);
}

int em_window_result(em_meter *meter, em_window window, em_result *ret_result)
{
    int status = em__door_check(meter);
    if (status != EM_OK || !ret_result || !is_result_usable(ret_result)) {
        return status != EM_OK ? status : EM_ERR_INVALID;
    }
    em__door_lock(meter);
    status = fill_result(meter, window, ret_result);
    em__door_unlock(meter);
    return status;
}

int em_window_last(em_meter *meter, int32_t kind, const char *name, em_window *ret_window)
{
    int status = em__door_check(meter);
    if (status != EM_OK || !ret_window || kind < -1 || kind > EM_WINDOW_RUN) {
        return status != EM_OK ? status : EM_ERR_INVALID;
    }
    em__door_lock(meter);
    status = em__ledger_last(&meter->ledger, kind, name, ret_window);
    em__door_unlock(meter);
    return status;
}

int em_window_settle(em_meter *meter, em_window window, uint64_t timeout_ns)
{
    int status = em__door_check(meter);
    return status == EM_OK ? em__meter_settle(meter, window, timeout_ns) : status;
}
