/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A meter's end, and beginning anew. */
#include "meter/meter.h"

#include "meter/lister.h"
#include "meter/tracer.h"
#include "sensors/tape.h"

#include <stdlib.h>

enum { SHORT_STOP_NS = 100000000, LONG_STOP_NS = 1000000000 };

void em__meter_free(em_meter *meter)
{
    em__sampler_destroy(meter->sampler);
    em__tracer_destroy(meter->tracer);
    em__lister_destroy(meter->lister);
    em__share_free(&meter->share);
    em__sharing_release(meter->sharing);
    em__ledger_free(&meter->ledger);
    for (size_t i = 0; i < meter->slot_count; i++) {
        em__slot_release(meter->slots[i]);
    }
    free(meter->slots);
    free(meter->absences);
    free(meter->facts);
    free((void *)meter->fact_pointers);
    free((void *)meter->sensors);
    free(meter->ranks);
    free(meter->slot_of);
    free(meter->host_name);
    free(meter->boot_id);
    free(meter->gpu_name);
    free(meter->location);
    pthread_cond_destroy(&meter->settled);
    pthread_mutex_destroy(&meter->door);
    em__tape_unref(meter->tape);
    em__host_unref(meter->host);
    free(meter);
}

static em__record *find_open(em__record *record)
{
    while (record && record->end) {
        record = record->chain;
    }
    return record;
}

/* With the door locked. All at one instant; an end may free other records, so each bucket is looked through anew. */
static void end_windows(em_meter *meter)
{
    em__store *store = &meter->ledger.store;
    /* All windows of a closed meter stay readable. */
    em__event event = {.kind = EM__EVENT_END, .t_ns = em__meter_now(meter), .keep = 1};
    for (size_t i = 0; i <= store->bucket_mask && store->open_count > 0; i++) {
        for (em__record *record; (record = find_open(store->buckets[i]));) {
            event.window = record->id;
            if (em__door_apply(meter, &event) != EM_OK) {
                return;
            }
        }
    }
}

static void end_trace(em_meter *meter, uint64_t patience_ns)
{
    if (meter->tracer) {
        em__tracer_write(meter->tracer, patience_ns);
        em__door_lock(meter);
        em__tracer_end(meter->tracer);
        em__door_unlock(meter);
        em__tracer_write(meter->tracer, patience_ns);
    }
}

/* A summary writes what it says beside the events, such as the overhead: that of now is wanted, too, if nobody asks. */
static void end_trace_whole(em_meter *meter, uint64_t patience_ns)
{
    em_summary *last = NULL;
    if (meter->tracer) {
        em__tracer_write(meter->tracer, patience_ns);
        if (em_summary_create(meter, patience_ns, &last) != EM_OK) {
            end_trace(meter, patience_ns);
        }
        em_summary_destroy(last);
    }
}

int em_meter_close(em_meter *meter, uint64_t timeout_ns)
{
    int status = em__door_check(meter);
    if (status != EM_OK) {
        return status;
    }
    em__door_lock(meter);
    int was_closed = meter->is_closed;
    if (!was_closed) {
        end_windows(meter);
    }
    em__door_unlock(meter);
    if (was_closed) {
        return EM_OK;
    }
    em__meter_settle(meter, 0, timeout_ns);
    em__door_lock(meter);
    was_closed = meter->is_closed;
    meter->is_closed = 1;
    meter->closed_ns = meter->closed_ns ? meter->closed_ns : em__meter_now(meter);
    end_windows(meter);
    em__event event = {.kind = EM__EVENT_PIN, .t_ns = em__meter_now(meter)};
    em__door_apply(meter, &event);
    em__door_unlock(meter);
    pthread_cond_broadcast(&meter->settled);
    if (!was_closed) {
        uint64_t patience_ns = meter->interval_ns < SHORT_STOP_NS ? SHORT_STOP_NS : meter->interval_ns;
        em__sampler_stop(meter->sampler, patience_ns < LONG_STOP_NS ? patience_ns : LONG_STOP_NS);
        for (size_t i = 0; i < meter->slot_count; i++) {
            em__slot_close(meter->slots[i]);
        }
        em__share_close(&meter->share);
        em__sharing_close(meter->sharing);
        end_trace_whole(meter, timeout_ns);
        if (meter->lister) {
            em__lister_write(meter->lister, meter, timeout_ns);
        }
    }
    return EM_OK;
}

void em_meter_destroy(em_meter *meter)
{
    if (em__door_check(meter) == EM_OK) {
        em_meter_close(meter, 0);
        end_trace(meter, 0);
        em__meter_free(meter);
    }
}

int em_meter_reset(em_meter *meter)
{
    int status = em__door_check(meter);
    if (status == EM_OK) {
        em__event event = {.kind = EM__EVENT_RESET};
        em__door_lock(meter);
        event.t_ns = em__meter_now(meter);
        status = meter->is_closed ? EM_ERR_CLOSED : em__door_apply(meter, &event);
        if (status == EM_OK) {
            em__edge_restart(&meter->edges, event.t_ns);
        }
        em__door_unlock(meter);
        em__sharing_forget(meter->sharing);
    }
    return status;
}

static int answer_error(int status, const em_error *error, em_error *ret_error)
{
    if (status != EM_OK && ret_error && ret_error->size >= sizeof ret_error->size) {
        em__answer(ret_error, ret_error->size, error, sizeof *error);
    }
    return status;
}

int em_meter_trace_status(em_meter *meter, em_error *ret_error)
{
    em_error error = {.size = sizeof error};
    int status = em__door_check(meter);
    return status == EM_OK && meter->tracer ? answer_error(em__tracer_status(meter->tracer, &error), &error, ret_error)
                                            : status;
}

int em_meter_windows_status(em_meter *meter, em_error *ret_error)
{
    em_error error = {.size = sizeof error};
    int status = em__door_check(meter);
    return status == EM_OK && meter->lister ? answer_error(em__lister_status(meter->lister, &error), &error, ret_error)
                                            : status;
}
