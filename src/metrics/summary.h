/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A frozen summary: groups, channels and facts with strings of its own, so that it outlives its meter. */
#ifndef EM_METRICS_SUMMARY_H
#define EM_METRICS_SUMMARY_H

#include "energy_meter.h"
#include "metrics/carbon.h"
#include "metrics/facts.h"

struct em_summary {
    size_t channel_count, group_count;
    em_channel *channels;
    const char **names;  /* of the channels */
    em_group *groups;    /* 0: the run */
    em_energy *energies; /* group_count × channel_count; is_flat: of the run alone */
    em__summary_facts facts;
    em__summary_device *devices;
    em__summary_missing *missing;
    const char **said; /* NULL: reasons follow from notes; else of the run by channel, and of its total */
    char **strings;
    size_t string_count, string_capacity;
    int failed; /* an allocation did */
    int is_flat;
};

/* Zeroed arrays for so many; the facts' pointers are set up. NULL: no memory. */
em_summary *em__summary_alloc(size_t channel_count, size_t group_count);
/* The same for one that was read or merged: the channels' energies of the run alone, and its reasons as words. */
em_summary *em__summary_alloc_flat(size_t channel_count, size_t group_count, size_t missing_count);
/* A copy of the summary's own; NULL stays NULL, also where memory ran out (failed is then set). */
const char *em__summary_keep(em_summary *summary, const char *string);
/* Channel by channel: its strings become the summary's own. */
void em__summary_set_channel(em_summary *summary, size_t index, const em_channel *channel);
void em__summary_miss(em_summary *summary, const char *channel, const char *reason);

/* The words of carbon become the summary's own, its numbers are those of rates. */
void em__summary_set_carbon(em_summary *summary, const em_carbon *carbon, const em__rates *rates);

/* What was wrong with an argument; NULL is ignored. Returns status. */
__attribute__((format(printf, 5, 6))) int em__summary_refuse(em_error *ret_error, int status, const char *argument,
                                                             const char *remedy, const char *text, ...);

/* "8 x NVIDIA H200", different models joined by ", ", of the counted GPU channels, into text; 0: there is none. */
size_t em__summary_gpu_name(const em_channel *channels, size_t count, char *text, size_t size);

#endif
