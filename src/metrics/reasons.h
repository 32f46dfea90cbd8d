/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Why an energy is not surer than it is, in words: one line for each reason. */
#ifndef EM_METRICS_REASONS_H
#define EM_METRICS_REASONS_H

#include "core/text.h"
#include "energy_meter.h"

/* Of one channel. name: begins each line; NULL: nothing does. duration_ns: of the window. */
void em__reasons_channel(em__text *text, const char *name, const em_energy *energy, uint64_t duration_ns);

/* Of a total: those of each channel that holds at least 5 % of it, and what no channel says. names, energies: by channel. */
void em__reasons_total(em__text *text, const em_energy *total, const char *const *names, const em_energy *energies,
                       size_t count, uint64_t duration_ns);

#endif
