/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Groups the channels by the silicon they cover; in each group the best readable one counts, the others mirror it, and
 * a group that lies inside another counted one is part of it. No allocation: it may run under the meter's lock. */
#include "metrics/roles.h"

#include "energy_meter.h"
#include "metrics/silicon.h"

#include <string.h>

enum { NONE = EM__NO_CHANNEL };

static const em__channel *facts_of(const em__survey *s, int32_t i)
{
    return s->all[i].facts;
}

static int is_cpu(const em__channel *facts)
{
    return em__silicon_is_package(facts) || facts->covers == EM__COVERS_DIE || facts->covers == EM__COVERS_MODULE ||
           (facts->covers == EM__COVERS_RAIL && facts->domain == EM_DOMAIN_CPU);
}

static int32_t original_of(const em__survey *s, int32_t i)
{
    return em__silicon_first(s, s->out[i].group, 1);
}

/* The channel that stands for a package, a die, or a package's memory: the readable original of its group; where none
 * is readable, with any_state the group's first. */
static int32_t find_place(const em__survey *s, em__covers covers, int32_t package, int32_t die, int any_state)
{
    for (int32_t i = 0; i < s->count; i++) {
        const em__channel *facts = facts_of(s, i);
        if (facts->package != package) {
            continue;
        }
        int fits = covers == EM__COVERS_PACKAGE ? em__silicon_is_package(facts) : facts->covers == covers;
        if (fits && covers == EM__COVERS_DIE) {
            fits = facts->die == die;
        }
        if (fits && covers == EM__COVERS_DRAM) {
            fits = em__silicon_memory_die(s, facts) == die;
        }
        if (fits) {
            return any_state && original_of(s, i) == NONE ? em__silicon_first(s, s->out[i].group, 0)
                                                          : original_of(s, i);
        }
    }
    return NONE;
}

/* A board without an address is no card: it sits in the module or socket around it. */
static int is_integrated(const em__channel *facts)
{
    return facts->covers == EM__COVERS_BOARD && !facts->pci[0] && facts->kind != EM_KIND_MODEL;
}

/* The original of the things that are one with the numbered one, readable where there is such. */
static int32_t find_thing(const em__survey *s, int32_t thing)
{
    for (int32_t i = 0; i < s->count && thing != 0; i++) {
        if (facts_of(s, i)->thing == thing) {
            int32_t original = original_of(s, i);
            return original == NONE ? em__silicon_first(s, s->out[i].group, 0) : original;
        }
    }
    return NONE;
}

/* The readable feed of a package by number, or of any number or of one domain (-1: any). */
static int32_t find_rail(const em__survey *s, int32_t package, int32_t number, int32_t domain)
{
    for (int32_t i = 0; i < s->count; i++) {
        const em__channel *facts = facts_of(s, i);
        if (facts->covers == EM__COVERS_RAIL && (package < 0 || facts->package == package) &&
            (number < 0 || facts->die == number) && (domain < 0 || facts->domain == domain) && original_of(s, i) == i) {
            return i;
        }
    }
    return NONE;
}

static int has_readable_die(const em__survey *s, em__covers covers, int32_t package)
{
    for (int32_t i = 0; i < s->count; i++) {
        const em__channel *facts = facts_of(s, i);
        if (facts->covers == covers && facts->package == package && facts->die >= 0 && s->all[i].is_readable) {
            return 1;
        }
    }
    return 0;
}

static void look_at_cpus(em__survey *s)
{
    int32_t model = NONE;
    s->first_cpu = s->module = NONE;
    for (int32_t i = 0; i < s->count; i++) {
        if (facts_of(s, i)->covers == EM__COVERS_MODULE && s->module == NONE) {
            s->module = original_of(s, i);
        }
    }
    for (int32_t i = 0; i < s->count; i++) {
        const em__channel *facts = facts_of(s, i);
        if (!s->all[i].is_readable || original_of(s, i) != i) {
            continue;
        }
        if (facts->covers == EM__COVERS_ALL_CPUS) {
            model = i;
        }
        int is_held = (facts->covers == EM__COVERS_DIE || facts->covers == EM__COVERS_RAIL) &&
                      find_place(s, EM__COVERS_PACKAGE, facts->package, NONE, 0) != NONE;
        if (!is_cpu(facts) || is_held || (s->module != NONE && s->module != i)) {
            continue;
        }
        const em__channel *first = s->first_cpu == NONE ? NULL : facts_of(s, s->first_cpu);
        if (!first || facts->package < first->package ||
            (facts->package == first->package && facts->die < first->die)) {
            s->first_cpu = i;
        }
    }
    s->model = s->first_cpu == NONE ? model : NONE;
}

/* A board that is measured, or one of which there is but a model. */
static int32_t find_board(const em__survey *s, int is_model)
{
    for (int32_t i = 0; i < s->count; i++) {
        const em__channel *facts = facts_of(s, i);
        if (facts->covers == EM__COVERS_BOARD && (facts->kind == EM_KIND_MODEL) == is_model && original_of(s, i) == i) {
            return i;
        }
    }
    return is_model ? NONE : find_rail(s, NONE, NONE, EM_DOMAIN_GPU);
}

/* Where the machine measures none of a domain, what a user told of it stands for all of that. */
static void look_at_told(em__survey *s, int32_t domain, int32_t measured)
{
    s->told[domain] = NONE;
    for (int32_t i = 0; i < s->count && measured == NONE && s->module == NONE && s->told[domain] == NONE; i++) {
        if (facts_of(s, i)->covers == EM__COVERS_DOMAIN && facts_of(s, i)->domain == domain && original_of(s, i) == i) {
            s->told[domain] = i;
        }
    }
}

static void look_at_memory(em__survey *s)
{
    int32_t model = NONE;
    s->first_memory = NONE;
    for (int32_t i = 0; i < s->count; i++) {
        if (!s->all[i].is_readable || original_of(s, i) != i) {
            continue;
        }
        if (facts_of(s, i)->covers == EM__COVERS_ALL_MEMORY) {
            model = i;
        }
        if ((facts_of(s, i)->covers == EM__COVERS_DRAM || facts_of(s, i)->holds_memory) &&
            (s->first_memory == NONE || facts_of(s, i)->package < facts_of(s, s->first_memory)->package)) {
            s->first_memory = i;
        }
    }
    s->memory_model = s->first_memory == NONE && s->model == NONE ? model : NONE;
}

/* What a core or uncore lies in: its die, its package, else the model of all CPUs. A whole that cannot be read is still
 * the whole. */
static int32_t whole_of(const em__survey *s, const em__channel *part)
{
    int32_t whole = part->die < 0 ? NONE : find_place(s, EM__COVERS_DIE, part->package, part->die, 0);
    if (whole == NONE) {
        whole = find_place(s, EM__COVERS_PACKAGE, part->package, NONE, 1);
    }
    if (whole == NONE && part->die >= 0) {
        whole = find_place(s, EM__COVERS_DIE, part->package, part->die, 1);
    }
    if (whole == NONE) {
        whole = find_rail(s, part->package, 0, -1);
    }
    if (whole == NONE) {
        whole = s->module;
    }
    return whole == NONE ? s->model : whole;
}

/* What a piece lies in, and what a platform's part does; NONE: nothing of it is known here. */
static int32_t whole_of_piece(const em__survey *s, const em__channel *piece)
{
    int32_t whole = find_thing(s, piece->inside);
    if (whole == NONE && piece->inside == 0 && piece->die >= 0) {
        whole = find_rail(s, piece->package, piece->die, -1);
    }
    return whole == NONE && piece->inside == 0 ? s->module : whole;
}

/* The counted channel that holds what a user told of, which is then not added. */
static int32_t holder_of_told(const em__survey *s, const em__channel *facts)
{
    int32_t board = find_board(s, 0);
    switch (facts->domain) {
    case EM_DOMAIN_CPU:
        return s->first_cpu != NONE ? s->first_cpu : s->model;
    case EM_DOMAIN_GPU:
        return board == NONE && s->told[EM_DOMAIN_GPU] == NONE ? find_board(s, 1) : board;
    case EM_DOMAIN_DRAM:
        return s->first_memory != NONE ? s->first_memory : s->model != NONE ? s->model : s->memory_model;
    default:
        return NONE;
    }
}

/* The counted channel that holds the energy of a group from outside of it, or NONE. */
static int32_t holder_of(const em__survey *s, const em__channel *facts)
{
    if (s->module != NONE && facts->covers != EM__COVERS_MODULE &&
        (facts->covers != EM__COVERS_DOMAIN || facts->domain != EM_DOMAIN_OTHER) &&
        (facts->covers != EM__COVERS_BOARD || is_integrated(facts))) {
        return s->module;
    }
    switch (facts->covers) {
    case EM__COVERS_PACKAGE:
    case EM__COVERS_DIE_ALIAS:
    case EM__COVERS_MODULE:
        return s->model;
    case EM__COVERS_BOARD:
        if (facts->kind == EM_KIND_MODEL) {
            return s->told[EM_DOMAIN_GPU];
        }
        return is_integrated(facts) ? find_rail(s, NONE, NONE, EM_DOMAIN_GPU) : NONE;
    case EM__COVERS_RAIL: {
        int32_t package = find_place(s, EM__COVERS_PACKAGE, facts->package, NONE, 0);
        if (package == NONE && has_readable_die(s, EM__COVERS_DIE, facts->package)) {
            package = s->first_cpu;
        }
        return package == NONE && facts->domain != EM_DOMAIN_GPU ? s->model : package;
    }
    case EM__COVERS_DIE: {
        int32_t package = find_place(s, EM__COVERS_PACKAGE, facts->package, NONE, 0);
        return package == NONE ? s->model : package;
    }
    case EM__COVERS_DRAM:
        if (s->model != NONE || s->memory_model != NONE) {
            return s->model != NONE ? s->model : s->memory_model;
        }
        if (em__silicon_memory_die(s, facts) < 0) {
            return NONE;
        }
        return find_place(s, EM__COVERS_DRAM, facts->package, NONE, 0);
    case EM__COVERS_ALL_CPUS:
        return s->first_cpu != NONE ? s->first_cpu : s->told[EM_DOMAIN_CPU];
    case EM__COVERS_ALL_MEMORY:
        if (s->model != NONE || s->first_memory != NONE) {
            return s->model != NONE ? s->model : s->first_memory;
        }
        return s->told[EM_DOMAIN_DRAM];
    case EM__COVERS_DOMAIN:
        return holder_of_told(s, facts);
    default:
        return NONE;
    }
}

static int is_missing(const em__survey *s, int32_t i)
{
    const em__channel *facts = facts_of(s, i);
    if (facts->status == EM_ERR_NOT_SELECTED || facts->covers == EM__COVERS_CORE ||
        facts->covers == EM__COVERS_UNCORE || facts->covers == EM__COVERS_PLATFORM ||
        facts->covers == EM__COVERS_PIECE || facts->covers == EM__COVERS_UNKNOWN) {
        return 0;
    }
    if (s->told[facts->domain] != NONE || original_of(s, i) != NONE || em__silicon_first(s, s->out[i].group, 0) != i ||
        holder_of(s, facts) != NONE) {
        return 0;
    }
    if (em__silicon_is_package(facts)) {
        return !has_readable_die(s, EM__COVERS_DIE, facts->package) &&
               find_rail(s, facts->package, NONE, EM_DOMAIN_CPU) == NONE;
    }
    if (facts->covers == EM__COVERS_DRAM && em__silicon_memory_die(s, facts) < 0) {
        return !has_readable_die(s, EM__COVERS_DRAM, facts->package);
    }
    return 1;
}

static void set_role(const em__survey *s, int32_t i, int32_t role, int32_t of)
{
    s->out[i].role = role;
    s->out[i].of = of;
}

static void decide(const em__survey *s, int32_t i)
{
    const em__channel *facts = facts_of(s, i);
    int32_t original = original_of(s, i), holder = holder_of(s, facts);
    s->out[i].is_missing = 0;
    if (!s->all[i].is_readable) {
        set_role(s, i, EM_ROLE_UNREADABLE, NONE);
        s->out[i].is_missing = is_missing(s, i);
    } else if (facts->is_overruled) {
        set_role(s, i, EM_ROLE_COUNTED, NONE);
    } else if (facts->covers == EM__COVERS_PLATFORM && original == i) {
        set_role(s, i, EM_ROLE_PLATFORM, NONE);
    } else if (facts->covers == EM__COVERS_UNKNOWN) {
        set_role(s, i, EM_ROLE_PLATFORM, NONE);
    } else if (facts->covers == EM__COVERS_PIECE) {
        int32_t whole = whole_of_piece(s, facts);
        set_role(s, i, whole == NONE ? EM_ROLE_PLATFORM : EM_ROLE_PART, whole);
    } else if (facts->covers == EM__COVERS_CORE || facts->covers == EM__COVERS_UNCORE) {
        set_role(s, i, EM_ROLE_PART, whole_of(s, facts));
    } else if (holder != NONE && holder != s->model && em__silicon_stands_in(facts) &&
               (facts->covers != EM__COVERS_DOMAIN || holder != s->module)) {
        set_role(s, i, EM_ROLE_MIRROR, holder);
    } else if (original != i) {
        set_role(s, i, EM_ROLE_MIRROR, original);
    } else if (holder != NONE) {
        set_role(s, i, EM_ROLE_PART, holder);
    } else {
        set_role(s, i, EM_ROLE_COUNTED, NONE);
    }
}

void em__roles_resolve(const em__candidate candidates[], size_t count, em__role out[])
{
    em__survey s = {candidates, out, (int32_t)count, NONE, NONE, NONE, NONE, NONE, {NONE, NONE, NONE, NONE, NONE}};
    em__silicon_group(&s);
    em__silicon_name(&s);
    em__silicon_join_twins(&s);
    look_at_cpus(&s);
    look_at_told(&s, EM_DOMAIN_CPU, s.first_cpu);
    s.model = s.told[EM_DOMAIN_CPU] == NONE ? s.model : NONE;
    look_at_memory(&s);
    look_at_told(&s, EM_DOMAIN_GPU, find_board(&s, 0));
    look_at_told(&s, EM_DOMAIN_DRAM, s.first_memory);
    s.memory_model = s.told[EM_DOMAIN_DRAM] == NONE ? s.memory_model : NONE;
    for (int32_t i = 0; i < s.count; i++) {
        decide(&s, i);
    }
    for (int32_t i = 0; i < s.count; i++) {
        em__silicon_explain(&s, i);
    }
}
