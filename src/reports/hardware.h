/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What was measured and where, in the words that reporting frameworks ask for. */
#ifndef EM_REPORTS_HARDWARE_H
#define EM_REPORTS_HARDWARE_H

#include "reports/view.h"

/* Things of one model. */
typedef struct {
    int32_t domain;
    const char *name; /* the summary's; "": unknown */
    size_t count;
} em__hardware_item;

typedef struct {
    em__hardware_item *all;
    size_t count;
} em__hardware;

/* What is counted: each GPU, each CPU, memory once. EM_ERR_NO_MEMORY. */
int em__hardware_list(const em__view *view, em__hardware *ret_hardware);
void em__hardware_free(em__hardware *hardware);
/* "8 x NVIDIA H200, 2 x Intel Xeon Platinum 8480+"; as text that is plain. */
void em__hardware_words(em__text *text, const em__hardware *hardware);

/* The names of the sensors that a domain was measured through, joined by "+"; how it came about where they are not
 * known; "" where there is no such channel. */
void em__hardware_sensors(const em__view *view, int32_t domain, char *words, size_t size);

typedef struct {
    const char *provider;                 /* "aws"; NULL: no cloud */
    char country[64], place[64], why[96]; /* place: within the country, or ""; country "": not known, and why */
} em__whereabouts;

/* Where the electricity is from, as far as the user said so. */
void em__hardware_place(const em_carbon *carbon, em__whereabouts *ret_place);

#endif
