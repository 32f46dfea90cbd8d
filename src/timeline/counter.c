/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Counts to energy. A step is believed only if the power that it means is possible. */
#include "timeline/counter.h"

#include "core/units.h"

static uint64_t unit_of(const em__channel *facts)
{
    return facts->unit ? facts->unit : 1;
}

static em__u128 step_uj(const em__channel *facts, uint64_t raw)
{
    return em__divide((em__u128)raw * facts->scale_num, facts->scale_den);
}

/* The step itself, forward or wrapped, in raw units; 0 for one that cannot be: backward without a known range. */
static int raw_step(const em__channel *facts, uint64_t from, uint64_t to, uint64_t *ret_step)
{
    if (to >= from) {
        *ret_step = to - from;
        return 1;
    }
    if (facts->range == 0 || facts->is_endless || from > facts->range) {
        return 0;
    }
    *ret_step = facts->range - from + unit_of(facts) + to;
    return 1;
}

static int is_believed(const em__channel *facts, uint64_t elapsed_ns, uint64_t step)
{
    if (facts->ceiling_mw == 0) {
        return 1;
    }
    em__u128 reach = em__divide((em__u128)facts->ceiling_mw * (elapsed_ns + facts->refresh_ns), EM__MW_NS_PER_UJ);
    em__u128 unit = step_uj(facts, unit_of(facts)) + 1;
    if (step_uj(facts, step) > reach + unit) {
        return 0;
    }
    /* In a longer time than this the counter may have gone round once more than the step shows. */
    return facts->range == 0 ||
           (em__u128)elapsed_ns * facts->ceiling_mw <= step_uj(facts, facts->range) * EM__MW_NS_PER_UJ;
}

em__step em__counter_step(em__counter *counter, const em__channel *facts, uint64_t t_ns, uint64_t raw, uint64_t *ret_uj)
{
    em__counter last = *counter;
    uint64_t step;
    counter->raw = raw;
    counter->t_ns = t_ns;
    counter->has_baseline = 1;
    *ret_uj = 0;
    if (!last.has_baseline) {
        return EM__STEP_BASELINE;
    }
    if (!raw_step(facts, last.raw, raw, &step) || !is_believed(facts, t_ns - last.t_ns, step)) {
        return EM__STEP_RESET;
    }
    em__u128 scaled = (em__u128)step * facts->scale_num + last.remainder;
    em__u128 uj = em__divide(scaled, facts->scale_den);
    if (uj > INT64_MAX) {
        return EM__STEP_RESET;
    }
    *ret_uj = (uint64_t)uj;
    counter->remainder = (uint64_t)(scaled - uj * facts->scale_den);
    return EM__STEP_ENERGY;
}
