/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Roles at creation, and again when a channel ends or comes back. */
#include "ledger/roles.h"

#include "core/text.h"
#include "core/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DOUBT_S = 60, DOUBT_UJ = 10000000 };

static int is_readable(const em__ledger *ledger, size_t channel)
{
    return ledger->setup.facts[channel]->status == EM_OK && !ledger->timeline.series[channel].has_ended;
}

/* A model beside something better is not worth a read. */
static int is_wanted(const em__ledger *ledger, size_t channel)
{
    int is_idle_model =
        ledger->setup.facts[channel]->kind == EM_KIND_MODEL && ledger->roles[channel].role != EM_ROLE_COUNTED;
    return ledger->setup.facts[channel]->status == EM_OK && !is_idle_model;
}

static void close_books(em__ledger *ledger, uint64_t t_ns)
{
    em__timeline *timeline = &ledger->timeline;
    const em__edge *before = timeline->tail ? timeline->tail : timeline->latest;
    em__edge *edge = em__timeline_mark(timeline, before->t_ns > t_ns ? before->t_ns : t_ns);
    if (edge) {
        em__timeline_pin(timeline, edge);
        while (em__ledger_settle(ledger, EM__SETTLE_AT_ONCE)) {
        }
        em__timeline_release(timeline, edge);
    }
}

/* A text that lives as long as the ledger. Without memory for it: one that says so. */
static const char *keep_word(em__ledger *ledger, const char *text)
{
    for (size_t i = 0; i < ledger->word_count; i++) {
        if (strcmp(ledger->words[i], text) == 0) {
            return ledger->words[i];
        }
    }
    char **words = realloc(ledger->words, (ledger->word_count + 1) * sizeof *words);
    char *copy = strdup(text);
    if (words) {
        ledger->words = words;
    }
    if (!words || !copy) {
        free(copy);
        ledger->is_wordless = 1;
        return em_status_text(EM_ERR_NO_MEMORY);
    }
    return words[ledger->word_count++] = copy;
}

static const char *reason_of(const em__ledger *ledger, size_t channel)
{
    const em__channel *facts = ledger->setup.facts[channel];
    if (facts->status == EM_OK && ledger->timeline.series[channel].has_ended) {
        return em_status_text(ledger->timeline.series[channel].status);
    }
    return ledger->roles[channel].reason[0] ? ledger->roles[channel].reason : facts->reason;
}

void em__ledger_doubt_part(em__ledger *ledger, size_t part)
{
    const em__series *series = ledger->timeline.series;
    int32_t whole = ledger->roles[part].of;
    if (ledger->roles[part].role != EM_ROLE_PART || whole < 0 || ledger->is_too_large[part] ||
        ledger->roles[whole].role == EM_ROLE_UNREADABLE) {
        return;
    }
    int64_t inner_uj = series[part].last.energy_uj, outer_uj = series[whole].last.energy_uj;
    uint64_t measured_ns = series[whole].last.t_ns - ledger->heard_ns;
    int is_whole_gapless = series[whole].last.gap_ns == 0 && !series[whole].is_gap;
    if (is_whole_gapless && series[whole].last.t_ns > ledger->heard_ns && measured_ns > DOUBT_S * EM__NS_PER_S &&
        inner_uj > outer_uj + outer_uj / 20 + DOUBT_UJ) {
        char text[EM__TEXT_SIZE];
        em__print(text, sizeof text, "shows more energy than %s, which it lies in: one of the two is wrong",
                  ledger->names[whole]);
        ledger->is_too_large[part] = ledger->is_too_large[whole] = 1;
        ledger->reasons[part] = keep_word(ledger, text);
        em__print(text, sizeof text, "shows less energy than %s, which lies in it: one of the two is wrong",
                  ledger->names[part]);
        ledger->reasons[whole] = keep_word(ledger, text);
    }
}

void em__ledger_resolve(em__ledger *ledger, uint64_t t_ns)
{
    em__timeline *timeline = &ledger->timeline;
    for (size_t i = 0; i < ledger->setup.count; i++) {
        ledger->candidates[i] = (em__candidate){.facts = ledger->setup.facts[i],
                                                .sensor = ledger->setup.sensors[i],
                                                .rank = ledger->setup.ranks[i],
                                                .is_readable = is_readable(ledger, i),
                                                .twin = em__twins_of(&ledger->twins, i) + 1};
    }
    if (timeline->latest || timeline->head) {
        close_books(ledger, t_ns);
    }
    em__roles_resolve(ledger->candidates, ledger->setup.count, ledger->roles);
    for (size_t i = 0; i < ledger->setup.count; i++) {
        int was_active = timeline->is_active[i];
        ledger->names[i] = keep_word(ledger, ledger->roles[i].name);
        if (!ledger->is_too_large[i]) {
            ledger->reasons[i] = keep_word(ledger, reason_of(ledger, i));
        }
        timeline->is_counted[i] = ledger->roles[i].role == EM_ROLE_COUNTED;
        timeline->is_active[i] = was_active || is_wanted(ledger, i);
        if (!was_active && timeline->is_active[i]) {
            em__series_resume(&timeline->series[i], t_ns);
        }
        timeline->is_needed[i] = ledger->roles[i].role == EM_ROLE_COUNTED || ledger->roles[i].is_missing;
        ledger->members[i] = (em__member){
            .facts = ledger->setup.facts[i], .role = ledger->roles[i].role, .is_active = timeline->is_active[i]};
    }
    if (ledger->store.open_count > 0) {
        em__timeline_expect(timeline);
    }
    ledger->resolutions++;
}

int em__ledger_is_read(const em__ledger *ledger, size_t channel)
{
    return ledger->timeline.is_active[channel];
}

em__ensemble em__ledger_ensemble(const em__ledger *ledger)
{
    em__ensemble ensemble = {.members = ledger->members, .count = ledger->setup.count, .notes = ledger->setup.notes};
    memcpy(ensemble.unmeasured, ledger->setup.unmeasured, sizeof ensemble.unmeasured);
    return ensemble;
}

void em__ledger_channel(const em__ledger *ledger, size_t channel, em_channel *ret_channel)
{
    const em__channel *facts = ledger->setup.facts[channel];
    const em__series *series = &ledger->timeline.series[channel];
    const em__findings *findings = &ledger->timeline.checks[channel].findings;
    int32_t status = facts->status == EM_OK && series->has_ended ? series->status : facts->status;
    int is_seen;
    uint64_t period_ns = em__timeline_period_ns(&ledger->timeline, channel, &is_seen);
    const uint64_t assumed = EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED);
    int is_assumed = period_ns > 0 && !is_seen && facts->kind != EM_KIND_MODEL;
    *ret_channel = (em_channel){
        .size = sizeof *ret_channel,
        .name = ledger->names[channel],
        .sensor = ledger->setup.sensors[channel],
        .source = facts->source,
        .device_name = facts->device_name,
        .uuid = facts->uuid[0] ? facts->uuid : NULL,
        .reason = ledger->reasons[channel],
        .domain = facts->domain,
        .kind = facts->kind,
        .role = ledger->roles[channel].role,
        .of = ledger->roles[channel].of,
        .status = status,
        .notes = (facts->notes & ~assumed) | (is_assumed ? assumed : 0) | em__check_notes(findings, findings),
        .period_ns = period_ns,
        .power_w = series->has_power && !series->is_gap ? (double)series->power_mw / 1e3 : NAN,
        .energy_j = ledger->timeline.is_active[channel] ? em__joules(series->last.energy_uj) : NAN};
}
