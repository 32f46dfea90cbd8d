/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the ledger knows of one window now, as the public result. */
#include "ledger/ledger.h"

#include "metrics/items.h"
#include "metrics/share.h"

#include <string.h>

static const em__group *group_named(const em__ledger *ledger, int32_t kind, const char *name)
{
    const em__group *last = NULL;
    for (int32_t i = EM_WINDOW_OTHER; i <= EM_WINDOW_RUN; i++) {
        const em__group *group = kind < 0 || kind == i ? em__groups_find(&ledger->groups, i, name) : NULL;
        if (group && group->last && (!last || group->last_order > last->last_order)) {
            last = group;
        }
    }
    return last;
}

int em__ledger_last(const em__ledger *ledger, int32_t kind, const char *name, em_window *ret_window)
{
    const em__record *record = NULL;
    if (name) {
        const em__group *group = group_named(ledger, kind, name);
        record = group ? group->last : NULL;
    } else {
        record = kind < 0 ? ledger->last_any : ledger->last[kind];
    }
    if (!record) {
        return EM_ERR_UNKNOWN;
    }
    *ret_window = record->id;
    return EM_OK;
}

static void sum_window(em__ledger *ledger, const em__record *record, uint64_t now_ns)
{
    const em__timeline *timeline = &ledger->timeline;
    for (size_t i = 0; i < timeline->channel_count; i++) {
        em__value begin = em__timeline_value(timeline, record->begin, i);
        em__value end =
            record->end ? em__timeline_value(timeline, record->end, i) : em__timeline_now(timeline, now_ns, i);
        em__sum_between(&begin, &end, &ledger->sums[i]);
        if (!record->is_final) {
            ledger->sums[i].notes |= EM_NOTE_BIT(EM_NOTE_PROVISIONAL);
        }
    }
}

double em__ledger_share(const em__ledger *ledger, const em__sum *sums, uint64_t duration_ns)
{
    const em__sum *hidden = &sums[ledger->setup.count];
    return em__share_of(&hidden[EM__HIDDEN_PROCESS], &hidden[EM__HIDDEN_BUSY], duration_ns);
}

const char *em__ledger_share_unknown(const em__ledger *ledger, const em__sum *sums, uint64_t duration_ns)
{
    const em__sum *hidden = &sums[ledger->setup.count];
    return em__share_unknown(&hidden[EM__HIDDEN_PROCESS], &hidden[EM__HIDDEN_BUSY], duration_ns);
}

int em__ledger_result(em__ledger *ledger, em_window window, uint64_t now_ns, em_result *ret_result)
{
    em__record *record;
    int status = em__ledger_find(ledger, window, &record);
    if (status != EM_OK) {
        return status;
    }
    size_t count = ledger->setup.count;
    em__ensemble ensemble = em__ledger_ensemble(ledger);
    em__totals totals;
    uint64_t end_ns = record->end ? record->end->t_ns : now_ns;
    uint64_t duration_ns = end_ns > record->begin->t_ns ? end_ns - record->begin->t_ns : 0;
    sum_window(ledger, record, now_ns);
    em__energy_totals(&ensemble, ledger->sums, duration_ns, &totals);
    em_result result = {.size = sizeof result,
                        .id = window,
                        .kind = record->group->kind,
                        .is_final = record->is_final,
                        .is_complete = totals.is_complete,
                        .is_open = record->end == NULL,
                        .name = record->group->name,
                        .begin_ns = record->begin->t_ns,
                        .duration_ns = duration_ns,
                        .items = record->items,
                        .wait_ns = record->wait_ns,
                        .total = totals.total,
                        .carbon_g = em__carbon_g(&ledger->setup.rates, totals.total.energy_j),
                        .cost = em__cost(&ledger->setup.rates, totals.total.energy_j),
                        .embodied_g = em__embodied_g(&ledger->setup.rates, duration_ns),
                        .channels = ret_result->channels,
                        .channels_capacity = ret_result->channels_capacity,
                        .per_item = em__per_item(&totals.total, record->items, (uint64_t)record->has_items),
                        .process_cpu_share = em__ledger_share(ledger, ledger->sums, duration_ns),
                        .process_cpu_share_reason = em__ledger_share_unknown(ledger, ledger->sums, duration_ns)};
    memcpy(result.by_domain, totals.by_domain, sizeof result.by_domain);
    memcpy(result.by_provenance_j, totals.by_provenance_j, sizeof result.by_provenance_j);
    for (size_t i = 0; result.channels && i < count && i < result.channels_capacity; i++) {
        em__energy_channel(&ledger->members[i], &ledger->sums[i], duration_ns, &result.channels[i]);
        result.channels_count++;
    }
    *ret_result = result;
    return EM_OK;
}

int em__ledger_take(em__ledger *ledger, em_result *ret_result)
{
    em__record *record = ledger->listed_first;
    if (!record) {
        return EM_ERR_UNKNOWN;
    }
    int status = em__ledger_result(ledger, record->id, 0, ret_result);
    ledger->listed_first = record->listed_after;
    ledger->listed_last = record->listed_after ? ledger->listed_last : NULL;
    ledger->listed_count--;
    record->listed_after = NULL;
    record->is_listed = 0;
    em__store_drop(&ledger->store, &ledger->timeline, record);
    return status;
}
