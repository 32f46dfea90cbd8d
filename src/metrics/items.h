/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Energy for each item, and items for each joule. */
#ifndef EM_METRICS_ITEMS_H
#define EM_METRICS_ITEMS_H

#include "energy_meter.h"

/* energy: of the windows that carry items, which are so many. */
em_per_item em__per_item(const em_energy *energy, uint64_t items, uint64_t windows);
/* The reverse of what is given for each; NAN where there is nothing to divide by. */
em_per_item em__per_item_of(double energy_j, double uncertainty_j, uint64_t windows);

#endif
