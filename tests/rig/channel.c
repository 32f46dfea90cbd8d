/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Feeds a ledger by hand. */
#include "rig/channel.h"

#include "core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int32_t domain_of(em__covers covers)
{
    switch (covers) {
    case EM__COVERS_BOARD:
        return EM_DOMAIN_GPU;
    case EM__COVERS_DRAM:
    case EM__COVERS_ALL_MEMORY:
        return EM_DOMAIN_DRAM;
    case EM__COVERS_PLATFORM:
        return EM_DOMAIN_PLATFORM;
    default:
        return EM_DOMAIN_CPU;
    }
}

rig_channel rig_channel_make(const char *name, em__covers covers, int32_t place, int32_t kind, rig_source source)
{
    int is_board = covers == EM__COVERS_BOARD, is_model = kind == EM_KIND_MODEL;
    rig_channel channel = {.facts = {.domain = domain_of(covers),
                                     .kind = kind,
                                     .covers = covers,
                                     .package = is_board ? -1 : place,
                                     .die = -1,
                                     .gpu = is_board ? place : -1,
                                     .scale_num = 1,
                                     .scale_den = 1,
                                     .range = source.range,
                                     .refresh_ns = source.period_ns,
                                     .ceiling_mw = 2000000,
                                     .gain = 0.05,
                                     .tdp_each_w = NAN,
                                     .tdp_count = NAN},
                           .sensor = is_model   ? "tdp"
                                     : is_board ? "nvml"
                                                : "rapl-powercap",
                           .rank = is_model   ? 90
                                   : is_board ? 30
                                              : 20,
                           .source = source};
    em__copy(channel.facts.name, sizeof channel.facts.name, name);
    em__print(channel.facts.source, sizeof channel.facts.source, "/rig/%s", name);
    return channel;
}

em__reading rig_channel_read(const rig_channel *channel, uint64_t now_ns)
{
    const rig_fault *fault = rig_source_failure(&channel->source, 0, now_ns);
    if (fault) {
        int is_gone = fault->kind == RIG_VANISH && now_ns < fault->to_ns;
        int has_returned = fault->kind == RIG_VANISH && !is_gone;
        if (!has_returned) {
            return (em__reading){.outcome = is_gone ? EM__READ_GONE : EM__READ_AGAIN,
                                 .status = is_gone ? EM_ERR_GONE : EM_ERR_READ};
        }
    }
    const em__channel *facts = &channel->facts;
    uint64_t shown = facts->kind == EM_KIND_GAUGE ? rig_source_gauge(&channel->source, now_ns)
                                                  : rig_source_counter(&channel->source, now_ns);
    return (em__reading){.value = shown * facts->scale_den / facts->scale_num,
                         .stamp = rig_source_stamp(&channel->source, now_ns)};
}

void rig_ledger_init(rig_ledger *rig, const rig_channel *channels, size_t count, const em__ledger_setup *setup)
{
    memset(rig, 0, sizeof *rig);
    rig->count = count;
    for (size_t i = 0; i < count && i < RIG_CHANNELS; i++) {
        rig->channels[i] = channels[i];
        rig->facts[i] = &rig->channels[i].facts;
        rig->sensors[i] = channels[i].sensor;
        rig->ranks[i] = channels[i].rank;
    }
    em__ledger_setup full = {.interval_ns = 100000000, .patience_ns = 1000000000, .rates = {450, 1, NAN, NAN, NAN}};
    if (setup) {
        full = *setup;
    }
    full.facts = rig->facts;
    full.sensors = rig->sensors;
    full.ranks = rig->ranks;
    full.count = count;
    if (count > RIG_CHANNELS || em__ledger_init(&rig->ledger, &full) != EM_OK) {
        abort();
    }
}

void rig_ledger_free(rig_ledger *rig)
{
    em__ledger_free(&rig->ledger);
}

int rig_ledger_apply(rig_ledger *rig, em__event event)
{
    int status = em__ledger_apply(&rig->ledger, &event);
    while (em__ledger_settle(&rig->ledger, EM__SETTLE_AT_ONCE)) {
    }
    return status;
}

static void feed(rig_ledger *rig, size_t channel, uint64_t t_ns)
{
    em__event event = {.kind = EM__EVENT_READING,
                       .t_ns = t_ns,
                       .channel = channel,
                       .reading = rig_channel_read(&rig->channels[channel], t_ns)};
    em__ledger_apply(&rig->ledger, &event);
}

void rig_ledger_read(rig_ledger *rig, size_t channel, uint64_t t_ns)
{
    feed(rig, channel, t_ns);
    while (em__ledger_settle(&rig->ledger, EM__SETTLE_AT_ONCE)) {
    }
}

void rig_ledger_read_all(rig_ledger *rig, uint64_t t_ns)
{
    for (size_t i = 0; i < rig->count; i++) {
        if (em__ledger_is_read(&rig->ledger, i) && rig->channels[i].facts.status == EM_OK) {
            feed(rig, i, t_ns);
        }
    }
    while (em__ledger_settle(&rig->ledger, EM__SETTLE_AT_ONCE)) {
    }
}

em_window rig_ledger_begin(rig_ledger *rig, int32_t kind, const char *name, uint64_t t_ns)
{
    em__event event = {.kind = EM__EVENT_BEGIN, .t_ns = t_ns, .window_kind = kind, .name = name};
    if (em__ledger_apply(&rig->ledger, &event) != EM_OK) {
        abort();
    }
    while (em__ledger_settle(&rig->ledger, EM__SETTLE_AT_ONCE)) {
    }
    return event.window;
}

void rig_ledger_end(rig_ledger *rig, em_window window, uint64_t t_ns)
{
    if (rig_ledger_apply(rig, (em__event){.kind = EM__EVENT_END, .t_ns = t_ns, .window = window}) != EM_OK) {
        abort();
    }
}

em_result rig_ledger_result(rig_ledger *rig, em_window window, uint64_t now_ns, em_energy *channels)
{
    em_result result = {.size = sizeof result, .channels = channels, .channels_capacity = channels ? rig->count : 0};
    if (em__ledger_result(&rig->ledger, window, now_ns, &result) != EM_OK) {
        abort();
    }
    return result;
}

em_summary *rig_ledger_summary(rig_ledger *rig)
{
    static const uint64_t no_costs[RIG_CHANNELS];
    em__surroundings around = {.pid = 1, .costs_ns = no_costs};
    em_summary *summary = NULL;
    if (em__ledger_snapshot(&rig->ledger, &around, &summary) != EM_OK) {
        abort();
    }
    return summary;
}
