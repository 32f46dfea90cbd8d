/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A summary as its reports show it: the run, unnamed batches and epochs, and each name once whatever its kinds. */
#ifndef EM_REPORTS_VIEW_H
#define EM_REPORTS_VIEW_H

#include "core/text.h"
#include "energy_meter.h"
#include "metrics/facts.h"

typedef struct {
    const char *name; /* the summary's; NULL: unnamed */
    uint64_t count, duration_ns;
    double energy_j, carbon_g;      /* NAN: cannot be told */
    double cost, embodied_g;        /* NAN: not given, or cannot be told */
    double by_domain_j[EM_DOMAINS]; /* NAN: there is no such channel, or it cannot be told */
    double by_provenance_j[EM_PROVENANCES];
    uint64_t items;
    em_per_item per_item;                 /* windows 0: none carries items */
    double distinct_j;                    /* over the union of their time; NAN: of several kinds */
    double uncertainty_j, gain_j, edge_j; /* k = 2 */
} em__row;

typedef struct {
    const em_summary *summary;
    const em__summary_facts *facts;
    em_group run;
    em__row batches, epochs;
    em__row *named; /* by name */
    size_t named_count;
} em__view;

/* EM_ERR_NO_MEMORY. ret_view lives no longer than summary and facts. */
int em__view_init(em__view *ret_view, const em_summary *summary, const em__summary_facts *facts);
void em__view_free(em__view *view);

/* 1 if the channel entered the run's total, and what it is. */
int em__view_counted(const em__view *view, size_t channel, em_channel *ret_channel);
double em__view_energy(double energy_j); /* a sum that holds no channel is 0 J */
double em__view_seconds(uint64_t ns);

void em__summary_table(em__text *text, const em__view *view);
void em__summary_csv(em__text *text, const em__view *view);
void em__summary_model_card(em__text *text, const em__view *view);
void em__summary_boamps(em__text *text, const em__view *view);
/* The member carbon_basis. */
void em__summary_basis(em__text *json, const em_carbon *carbon);

#endif
