/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One division, where it means something. */
#include "metrics/share.h"

#include "core/units.h"
#include "energy_meter.h"

#include <math.h>

enum { LEAST_NS = 200000000, LEAST_BUSY_US = 200000, LEAST_GUESSED_S = 20 };

double em__share_of(const em__sum *process, const em__sum *busy, uint64_t duration_ns)
{
    int is_guessed = ((process->notes | busy->notes) & EM_NOTE_BIT(EM_NOTE_PINNED)) != 0;
    uint64_t least_ns = is_guessed ? LEAST_GUESSED_S * EM__NS_PER_S : LEAST_NS;
    if (process->gap_ns > 0 || busy->gap_ns > 0 || busy->updates == 0 || duration_ns < least_ns ||
        busy->energy_uj < LEAST_BUSY_US || process->energy_uj < 0) {
        return NAN;
    }
    return process->energy_uj < busy->energy_uj ? (double)process->energy_uj / (double)busy->energy_uj : 1.0;
}
