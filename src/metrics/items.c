/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Items are counted exactly, so the relative uncertainty is that of the energy. */
#include "metrics/items.h"

#include <math.h>

em_per_item em__per_item_of(double energy_j, double uncertainty_j, uint64_t windows)
{
    em_per_item each = {energy_j, uncertainty_j, NAN, NAN, windows};
    if (energy_j > 0) {
        each.items_per_j = 1 / energy_j;
        each.items_per_j_uncertainty = each.items_per_j * (uncertainty_j / energy_j);
    }
    return each;
}

em_per_item em__per_item(const em_energy *energy, uint64_t items, uint64_t windows)
{
    double count = windows > 0 && items > 0 ? (double)items : NAN;
    return em__per_item_of(energy->energy_j / count, energy->uncertainty_j / count, windows);
}
