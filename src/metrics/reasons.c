/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Notes and resolutions as sentences. */
#include "metrics/reasons.h"

#include <math.h>

enum { SHARE_PERCENT = 5 };

static void begin_line(em__text *text, const char *name)
{
    if (name) {
        em__text_add(text, name);
        em__text_add(text, ": ");
    }
}

static void add_notes(em__text *text, const char *name, uint64_t notes)
{
    for (int note = 0; note < EM_NOTE_RESERVED; note++) {
        const char *words = notes & EM_NOTE_BIT(note) ? em_note_text(note) : "";
        if (words[0]) {
            const char *remedy = em_note_remedy(note);
            begin_line(text, name);
            em__text_format(text, "%s%s%s\n", words, remedy[0] ? "; " : "", remedy);
        }
    }
}

static void add_resolution(em__text *text, const char *name, const em_energy *energy, uint64_t duration_ns)
{
    if (energy->resolution == EM_RESOLUTION_FINE || energy->period_ns == 0) {
        return;
    }
    begin_line(text, name);
    em__text_add(text, "the window is ");
    em__text_fixed(text, (double)duration_ns / (double)energy->period_ns, 1);
    em__text_add(text, " update periods of ");
    em__text_number(text, round((double)energy->period_ns / 1e3) / 1e3);
    em__text_add(text, energy->resolution == EM_RESOLUTION_BELOW
                           ? " ms long: too short to tell more than its mean power\n"
                           : " ms long\n");
}

void em__reasons_channel(em__text *text, const char *name, const em_energy *energy, uint64_t duration_ns)
{
    add_resolution(text, name, energy, duration_ns);
    add_notes(text, name, energy->notes);
}

void em__reasons_total(em__text *text, const em_energy *total, const char *const *names, const em_energy *energies,
                       size_t count, uint64_t duration_ns)
{
    uint64_t said = 0;
    int is_counted = 0;
    for (size_t i = 0; i < count; i++) {
        double counted_j = energies[i].counted_j;
        is_counted |= !isnan(counted_j);
        if (!isnan(counted_j) && counted_j * 100 >= total->energy_j * SHARE_PERCENT) {
            em__reasons_channel(text, names[i], &energies[i], duration_ns);
            said |= energies[i].notes;
        }
    }
    if (!is_counted) {
        em__text_add(text, "no channel is counted: the energy is unknown, not 0\n");
    }
    add_notes(text, NULL, total->notes & ~said);
}
