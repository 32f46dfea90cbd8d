/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which channels cover the same silicon, and which of them is asked first: from facts alone. For metrics/roles. */
#ifndef EM_METRICS_SILICON_H
#define EM_METRICS_SILICON_H

#include "energy_meter.h"
#include "metrics/roles.h"

enum { EM__NO_CHANNEL = -1, EM__TOLD = EM_DOMAIN_OTHER + 1 };

typedef struct {
    const em__candidate *all;
    em__role *out;
    int32_t count;
    int32_t model;          /* the counted model of all CPUs, or none */
    int32_t first_cpu;      /* the first counted package, die, feed of CPUs or module, or none */
    int32_t module;         /* the counted input of a module, or none */
    int32_t memory_model;   /* the counted model of all memory, or none */
    int32_t first_memory;   /* the first readable memory of a package or die, or none */
    int32_t told[EM__TOLD]; /* by domain: the first channel that a user told of, where nothing measures that; or none */
} em__survey;

/* Sets out[].group. */
void em__silicon_group(const em__survey *survey);
/* names.c: sets out[].name; after grouping. */
void em__silicon_name(const em__survey *survey);
/* Joins what values showed to be one; after names were given, which are of facts alone. */
void em__silicon_join_twins(const em__survey *survey);
/* Models last, then by rank; the rest only makes the order one of facts. */
int em__silicon_precedes(const em__survey *survey, int32_t i, int32_t j);
/* The first of a group, of all its channels or of the readable ones; none is EM__NO_CHANNEL. */
int32_t em__silicon_first(const em__survey *survey, int32_t group, int must_be_readable);
/* For whatever measures the same, rather than for a place of its own. */
int em__silicon_stands_in(const em__channel *facts);
/* role_words.c: sets out[].reason; after all roles. */
void em__silicon_explain(const em__survey *survey, int32_t i);
/* The socket as a whole, whatever its name says. */
int em__silicon_is_package(const em__channel *facts);
/* The die whose memory a channel reads; -1: the whole package's. */
int32_t em__silicon_memory_die(const em__survey *survey, const em__channel *memory);

#endif
