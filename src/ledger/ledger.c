/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The ledger's life, and what can be asked of it at once. */
#include "ledger/ledger.h"

#include "ledger/roles.h"

#include <stdlib.h>
#include <string.h>

static const em__channel hidden = {.name = "hidden", .kind = EM_KIND_COUNTER, .scale_num = 1, .scale_den = 1};

static int init_series(em__ledger *ledger)
{
    size_t count = ledger->setup.count, all = ledger->all_count = count + EM__HIDDEN_COUNT;
    ledger->all_facts = calloc(all, sizeof(em__channel *));
    if (!ledger->all_facts) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < all; i++) {
        ledger->all_facts[i] = i < count ? ledger->setup.facts[i] : &hidden;
    }
    int status = em__timeline_init(&ledger->timeline, ledger->all_facts, all);
    status = status ? status : em__store_init(&ledger->store, all);
    for (int i = 0; i <= EM_WINDOW_RUN && !status; i++) {
        status = em__union_init(&ledger->unions[i], all);
    }
    for (size_t i = count; i < all && !status; i++) {
        ledger->timeline.is_active[i] = 1;
        em__series_resume(&ledger->timeline.series[i], 0);
    }
    return status;
}

int em__ledger_init(em__ledger *ledger, const em__ledger_setup *setup)
{
    size_t count = setup->count;
    memset(ledger, 0, sizeof *ledger);
    ledger->setup = *setup;
    em__groups_init(&ledger->groups, count + EM__HIDDEN_COUNT);
    int status = init_series(ledger);
    ledger->candidates = calloc(count + 1, sizeof *ledger->candidates);
    ledger->roles = calloc(count + 1, sizeof *ledger->roles);
    ledger->members = calloc(count + 1, sizeof *ledger->members);
    ledger->tracks = calloc(count + 1, sizeof *ledger->tracks);
    ledger->shortfalls = calloc(count + 1, sizeof *ledger->shortfalls);
    ledger->sums = calloc(ledger->all_count, sizeof *ledger->sums);
    ledger->names = calloc(count + 1, sizeof *ledger->names);
    ledger->reasons = calloc(count + 1, sizeof *ledger->reasons);
    ledger->is_too_large = calloc(count + 1, sizeof *ledger->is_too_large);
    status = status ? status : em__twins_init(&ledger->twins, setup->facts, setup->sensors, count);
    if (status || !ledger->candidates || !ledger->roles || !ledger->members || !ledger->tracks || !ledger->shortfalls ||
        !ledger->sums || !ledger->names || !ledger->reasons || !ledger->is_too_large) {
        em__ledger_free(ledger);
        return EM_ERR_NO_MEMORY;
    }
    ledger->timeline.patience_ns = setup->patience_ns;
    for (size_t i = 0; i < count; i++) {
        size_t gauge = i + (size_t)setup->facts[i]->gauge;
        em__track_clear(&ledger->tracks[i], setup->interval_ns);
        em__shortfall_init(&ledger->shortfalls[i], setup->facts[i],
                           gauge > i && gauge < count ? setup->facts[gauge] : NULL);
        if (setup->facts[i]->status != EM_OK) {
            em__series_end(&ledger->timeline.series[i], setup->facts[i]->status);
        }
    }
    em__ledger_resolve(ledger, 0);
    return EM_OK;
}

void em__ledger_free(em__ledger *ledger)
{
    em__timeline_release(&ledger->timeline, ledger->run_begin);
    em__store_free(&ledger->store);
    em__groups_free(&ledger->groups);
    for (int i = 0; i <= EM_WINDOW_RUN; i++) {
        em__union_free(&ledger->unions[i]);
    }
    em__timeline_free(&ledger->timeline);
    free((void *)ledger->all_facts);
    free(ledger->candidates);
    free(ledger->roles);
    free(ledger->members);
    free(ledger->tracks);
    free(ledger->shortfalls);
    free(ledger->sums);
    free(ledger->names);
    free(ledger->reasons);
    free(ledger->is_too_large);
    em__twins_free(&ledger->twins);
    for (size_t i = 0; i < ledger->word_count; i++) {
        free(ledger->words[i]);
    }
    free(ledger->words);
    memset(ledger, 0, sizeof *ledger);
}

int em__ledger_find(const em__ledger *ledger, em_window window, em__record **ret_record)
{
    em__record *record = em__store_find(&ledger->store, window);
    if (!record) {
        return window != 0 && window < ledger->store.next_id ? EM_ERR_EXPIRED : EM_ERR_UNKNOWN;
    }
    *ret_record = record;
    return EM_OK;
}

em__spared em__ledger_spared(const em__ledger *ledger, size_t channel)
{
    return em__shortfall_spared(&ledger->shortfalls[channel], em__timeline_edge_ns(&ledger->timeline));
}

size_t em__ledger_open_count(const em__ledger *ledger)
{
    return ledger->store.open_count;
}

int em__ledger_is_settled(const em__ledger *ledger)
{
    return ledger->timeline.head == NULL;
}
