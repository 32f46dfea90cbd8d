/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Sums per channel become totals by domain and provenance; only what was counted enters. Pure. */
#ifndef EM_METRICS_ENERGY_H
#define EM_METRICS_ENERGY_H

#include "energy_meter.h"
#include "windows/groups.h"

/* A channel as the totals see it. */
typedef struct {
    const em__channel *facts;
    int32_t role;
    int is_active; /* it is read */
} em__member;

typedef struct {
    em_energy total, by_domain[EM_DOMAINS];
    double by_provenance_j[EM_PROVENANCES];
    int is_complete;
} em__totals;

/* What the options want measured and no channel gives: unmeasured[domain] is a status, EM_OK where all is well. */
typedef struct {
    const em__member *members;
    size_t count;
    int32_t unmeasured[EM_DOMAINS];
    uint64_t notes; /* for every total */
} em__ensemble;

void em__energy_totals(const em__ensemble *ensemble, const em__sum sums[], uint64_t duration_ns,
                       em__totals *ret_totals);
void em__energy_channel(const em__member *member, const em__sum *sum, uint64_t duration_ns, em_energy *ret_energy);
double em__joules(int64_t uj);

#endif
