/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a meter lists: channels, absences, the device, and its summary. */
#include "core/text.h"
#include "ledger/snapshot.h"
#include "meter/meter.h"
#include "meter/tracer.h"
#include "metrics/reasons.h"
#include "platform/process.h"
#include "reports/doctor.h"
#include "reports/sensors.h"
#include "reports/summary.h"
#include "sensors/ranks.h"

#include <stdlib.h>
#include <string.h>

enum { SHARING_PATIENCE_NS = 250000000 };

size_t em_meter_channel_count(const em_meter *meter)
{
    return meter ? meter->channel_count : 0;
}

size_t em_meter_absence_count(const em_meter *meter)
{
    return meter ? meter->absence_count : 0;
}

static uint64_t cost_of(const em_meter *meter, size_t channel)
{
    return atomic_load_explicit(&meter->slots[meter->slot_of[channel]]->cost_ns, memory_order_relaxed);
}

/* With the door locked. */
static em_channel describe(const em_meter *meter, size_t index)
{
    em_channel channel;
    em__ledger_channel(&meter->ledger, index, &channel);
    channel.read_cost_ns = cost_of(meter, index);
    return channel;
}

static em_absence absence_of(const em_meter *meter, size_t index)
{
    const em__absence *absence = &meter->absences[index];
    return (em_absence){.size = sizeof(em_absence),
                        .status = absence->status,
                        .is_idle = absence->is_idle,
                        .sensor = absence->sensor,
                        .reason = absence->reason,
                        .hint = absence->hint};
}

int em_meter_channel(em_meter *meter, size_t index, em_channel *ret_channel)
{
    int status = em__door_check(meter);
    if (status != EM_OK || !ret_channel) {
        return status != EM_OK ? status : EM_ERR_INVALID;
    }
    if (index >= meter->channel_count) {
        return EM_ERR_UNKNOWN;
    }
    em__door_lock(meter);
    em_channel channel = describe(meter, index);
    em__door_unlock(meter);
    return em__answer(ret_channel, ret_channel->size, &channel, sizeof channel);
}

int em_meter_absence(em_meter *meter, size_t index, em_absence *ret_absence)
{
    int status = em__door_check(meter);
    if (status != EM_OK || !ret_absence) {
        return status != EM_OK ? status : EM_ERR_INVALID;
    }
    if (index >= meter->absence_count) {
        return EM_ERR_UNKNOWN;
    }
    em_absence absence = absence_of(meter, index);
    return em__answer(ret_absence, ret_absence->size, &absence, sizeof absence);
}

const char *em_meter_device(const em_meter *meter)
{
    return meter && meter->gpu_name ? "gpu" : "cpu";
}

const char *em_meter_gpu_name(const em_meter *meter)
{
    return meter ? meter->gpu_name : NULL;
}

int em_meter_rank(const em_meter *meter, uint32_t *ret_rank, uint32_t *ret_count)
{
    if (!meter || !ret_rank || !ret_count) {
        return EM_ERR_INVALID;
    }
    em__ranks ranks = em__ranks_look(meter->host);
    *ret_rank = ranks.rank;
    *ret_count = ranks.count;
    return EM_OK;
}

static char *diagnose(const em_meter *meter, const em_channel *channels, const em_absence *absences, int32_t format,
                      size_t *ret_length)
{
    const char *advice[EM__ADVICES];
    em__reports_container container = {.kind = meter->container.kind,
                                       .evidence = meter->container.evidence,
                                       .advice = advice,
                                       .advice_count = meter->container.advice_count};
    for (size_t i = 0; i < container.advice_count; i++) {
        advice[i] = meter->container.advice[i];
    }
    return em__reports_doctor(channels, meter->channel_count, absences, meter->absence_count, &container, format,
                              ret_length);
}

int em_meter_format(em_meter *meter, int32_t what, int32_t format, char **ret_text, size_t *ret_length)
{
    int status = em__door_check(meter);
    int is_known = (what == EM_SENSORS || what == EM_DOCTOR) && (format == EM_FORMAT_TEXT || format == EM_FORMAT_JSON);
    if (status != EM_OK || !is_known || !ret_text) {
        return status != EM_OK ? status : EM_ERR_INVALID;
    }
    size_t length;
    em_channel *channels = calloc(meter->channel_count + 1, sizeof *channels);
    em_absence *absences = calloc(meter->absence_count + 1, sizeof *absences);
    char *text = NULL;
    if (channels && absences) {
        em__door_lock(meter);
        for (size_t i = 0; i < meter->channel_count; i++) {
            channels[i] = describe(meter, i);
        }
        em__door_unlock(meter);
        for (size_t i = 0; i < meter->absence_count; i++) {
            absences[i] = absence_of(meter, i);
        }
        text = what == EM_DOCTOR ? diagnose(meter, channels, absences, format, &length)
                                 : em__reports_sensors(channels, meter->channel_count, absences, meter->absence_count,
                                                       format, &length);
    }
    free(channels);
    free(absences);
    if (!text) {
        return EM_ERR_NO_MEMORY;
    }
    *ret_text = text;
    if (ret_length) {
        *ret_length = length;
    }
    return EM_OK;
}

int em_result_reasons(em_meter *meter, const em_result *result, int32_t channel, char **ret_text, size_t *ret_length)
{
    int status = em__door_check(meter);
    if (status != EM_OK || !result || result->size < sizeof *result || !ret_text) {
        return status != EM_OK ? status : EM_ERR_INVALID;
    }
    if (!result->channels || result->channels_count > meter->channel_count || channel < -1 ||
        channel >= (int64_t)result->channels_count) {
        return EM_ERR_INVALID;
    }
    const char **names = calloc(meter->channel_count + 1, sizeof *names);
    if (!names) {
        return EM_ERR_NO_MEMORY;
    }
    em__door_lock(meter);
    memcpy((void *)names, (const void *)meter->ledger.names, meter->channel_count * sizeof *names);
    em__door_unlock(meter);
    em__text text = {0};
    if (channel >= 0) {
        em__reasons_channel(&text, NULL, &result->channels[channel], result->duration_ns);
    } else {
        em__reasons_total(&text, &result->total, names, result->channels, result->channels_count, result->duration_ns);
    }
    free((void *)names);
    char *words = em__text_finish(&text, ret_length);
    if (!words) {
        return EM_ERR_NO_MEMORY;
    }
    *ret_text = words;
    return EM_OK;
}

void em_text_destroy(char *text)
{
    free(text);
}

em__surroundings em__meter_surroundings(em_meter *meter, const uint64_t *costs_ns, int gpu_shared)
{
    uint64_t now_ns = meter->is_closed ? meter->closed_ns : em__meter_now(meter), since_ns = meter->edges.since_ns;
    return (em__surroundings){.host = meter->host_name,
                              .boot_id = meter->boot_id,
                              .pid = em__process_id(),
                              .wall_offset_ns = meter->wall_offset_ns,
                              .carbon = meter->carbon,
                              .gpu_name = meter->gpu_name,
                              .has_cpu_tdp = meter->has_cpu_tdp,
                              .has_gpu_tdp = meter->has_gpu_tdp,
                              .costs_ns = costs_ns,
                              .overhead_limit = meter->overhead_limit,
                              .caller_ns = em__edge_spent_ns(&meter->edges),
                              .lived_ns = now_ns > since_ns ? now_ns - since_ns : 0,
                              .gpu_shared = gpu_shared};
}

int em_summary_create(em_meter *meter, uint64_t timeout_ns, em_summary **ret_summary)
{
    int status = em__door_check(meter);
    if (status != EM_OK || !ret_summary) {
        return status != EM_OK ? status : EM_ERR_INVALID;
    }
    uint64_t *costs_ns = calloc(meter->channel_count + 1, sizeof *costs_ns);
    if (!costs_ns) {
        return EM_ERR_NO_MEMORY;
    }
    em__door_lock(meter);
    if (em__ledger_open_count(&meter->ledger) > 0) {
        em__event event = {.kind = EM__EVENT_MARK, .t_ns = em__meter_now(meter)};
        em__door_apply(meter, &event);
    }
    int is_closed = meter->is_closed;
    em__door_unlock(meter);
    if (!is_closed) {
        em__meter_settle(meter, 0, timeout_ns);
        em__sharing_look(meter->sharing, meter, SHARING_PATIENCE_NS);
    }
    for (size_t i = 0; i < meter->channel_count; i++) {
        costs_ns[i] = cost_of(meter, i);
    }
    int gpu_shared = em__sharing_answer(meter->sharing);
    em__door_lock(meter);
    em__surroundings around = em__meter_surroundings(meter, costs_ns, gpu_shared);
    status = em__ledger_snapshot(&meter->ledger, &around, ret_summary);
    if (meter->tracer && status == EM_OK) {
        em__tracer_around(meter->tracer, &around);
    }
    if (meter->tracer && meter->is_closed) {
        em__tracer_end(meter->tracer);
    }
    is_closed = meter->is_closed;
    em__door_unlock(meter);
    if (meter->tracer && is_closed) {
        em__tracer_write(meter->tracer, timeout_ns);
    }
    free(costs_ns);
    return status;
}

int em_summary_format(const em_summary *summary, int32_t format, char **ret_text, size_t *ret_length)
{
    if (!summary || !ret_text || format < EM_FORMAT_TEXT || format > EM_FORMAT_BOAMPS) {
        return EM_ERR_INVALID;
    }
    size_t length;
    char *text = em__reports_summary(summary, &summary->facts, format, &length);
    if (!text) {
        return EM_ERR_NO_MEMORY;
    }
    *ret_text = text;
    if (ret_length) {
        *ret_length = length;
    }
    return EM_OK;
}
