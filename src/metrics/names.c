/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Gives each channel a name of its own, from facts alone, so that it never changes. */
#include "core/text.h"
#include "metrics/silicon.h"

#include <string.h>

static int is_name_taken(const em__survey *s, int32_t i, const char *name)
{
    for (int32_t j = 0; j < s->count; j++) {
        if (j != i && (strcmp(s->all[j].facts->name, name) == 0 || strcmp(s->out[j].name, name) == 0)) {
            return 1;
        }
    }
    return 0;
}

/* "cpu-0/package", "cpu-0/package@sensor" for a copy of the first, "cpu-0/core#2" for another silicon of that name. */
static void name_one(const em__survey *s, int32_t i)
{
    const em__channel *facts = s->all[i].facts;
    int32_t first = i;
    for (int32_t j = 0; j < s->count; j++) {
        if (strcmp(s->all[j].facts->name, facts->name) == 0 && em__silicon_precedes(s, j, first)) {
            first = j;
        }
    }
    em__role *role = &s->out[i];
    if (first == i) {
        em__copy(role->name, sizeof role->name, facts->name[0] ? facts->name : "unnamed");
        return;
    }
    int is_copy = s->all[i].rank != s->all[first].rank || role->group == s->out[first].group;
    char base[EM__NAME_SIZE + 32], suffix[16] = "";
    em__print(base, sizeof base, "%s%s%s", facts->name, is_copy ? "@" : "", is_copy ? s->all[i].sensor : "");
    for (int number = 1;; number++) {
        if (number > 1) {
            em__print(suffix, sizeof suffix, "#%d", number);
        }
        char name[sizeof base];
        em__copy(name, sizeof name - strlen(suffix), base);
        em__print(role->name, sizeof role->name, "%s%s", name, suffix);
        if (!is_name_taken(s, i, role->name)) {
            return;
        }
    }
}

/* In the order of precedence, so that the numbers do not depend on the order in which channels were found. */
void em__silicon_name(const em__survey *s)
{
    for (int32_t i = 0; i < s->count; i++) {
        s->out[i].name[0] = '\0';
    }
    for (int32_t named = 0, next; named < s->count; named++) {
        next = EM__NO_CHANNEL;
        for (int32_t i = 0; i < s->count; i++) {
            if (!s->out[i].name[0] && (next == EM__NO_CHANNEL || em__silicon_precedes(s, i, next))) {
                next = i;
            }
        }
        if (next == EM__NO_CHANNEL) {
            return;
        }
        name_one(s, next);
    }
}
