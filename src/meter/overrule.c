/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a user's own word does to the roles: channels left out, and channels counted whatever they measure. */
#include "core/text.h"
#include "meter/meter.h"

#include <stdlib.h>
#include <string.h>

static const char remedy[] = "give patterns of channel names, each with + (counted) or - (left out) before it, such as "
                             "\"+platform/psys,-cpu-*\"; energy-meter sensors lists the names";

typedef struct {
    const char *text;
    size_t length;
} pattern;

/* '*' stands for any text. The pattern is short, so trying every place is quick enough. */
static int fits(const char *name, pattern from)
{
    if (from.length == 0) {
        return *name == '\0';
    }
    pattern rest = {from.text + 1, from.length - 1};
    if (*from.text != '*') {
        return *name == *from.text && fits(name + 1, rest);
    }
    while (rest.length > 0 && *rest.text == '*') {
        rest = (pattern){rest.text + 1, rest.length - 1};
    }
    for (;; name++) {
        if (fits(name, rest)) {
            return 1;
        }
        if (*name == '\0') {
            return 0;
        }
    }
}

/* A + with a star takes back what earlier patterns left out; only a whole name overrules a role, so that no star counts
 * wholes and parts together. */
static void apply(em__channel *facts, const em__channel *found, int is_wanted, int stars, pattern from)
{
    facts->is_overruled = is_wanted && (stars == 0 || facts->is_overruled);
    if (is_wanted) {
        facts->status = found->status;
        em__copy(facts->reason, sizeof facts->reason, found->reason);
    } else {
        facts->status = EM_ERR_NOT_SELECTED;
        em__print(facts->reason, sizeof facts->reason, "left out by channels=\"-%.*s\"", (int)from.length, from.text);
    }
}

static int refuse(em_error *error, const char *why, pattern from)
{
    int length = (int)(from.length < 80 ? from.length : 80);
    em__copy(error->remedy, sizeof error->remedy, remedy);
    return em__options_refuse(error, EM_ERR_INVALID, "channels", "channels has \"%.*s\", which %s", length, from.text,
                              why);
}

/* Later patterns go over earlier ones. */
static int apply_all(em_meter *meter, const char *channels, const em__role *roles, const em__channel *found,
                     em_error *error)
{
    for (const char *at = channels, *end = channels; *end; at = end + 1) {
        pattern whole = {at, strcspn(at, ",")}, from = {at + 1, whole.length ? whole.length - 1 : 0};
        int stars = 0, matches = 0;
        end = at + whole.length;
        for (size_t i = 0; i < from.length; i++) {
            stars += from.text[i] == '*';
        }
        if (from.length == 0 || (*whole.text != '+' && *whole.text != '-')) {
            return refuse(error, "is no pattern", whole);
        }
        if (from.length > 128 || stars > 4) {
            return refuse(error, "is longer than 128 bytes or has more than 4 stars", whole);
        }
        for (size_t i = 0; i < meter->channel_count; i++) {
            if (fits(roles[i].name, from)) {
                apply(&meter->facts[i], &found[i], *whole.text == '+', stars, from);
                matches++;
            }
        }
        if (matches == 0 && *whole.text == '+') {
            return refuse(error, "no channel of this machine fits", whole);
        }
    }
    return EM_OK;
}

int em__meter_overrule(em_meter *meter, const char *channels, em_error *error)
{
    if (!channels || !channels[0]) {
        return EM_OK;
    }
    em__candidate *candidates = calloc(meter->channel_count + 1, sizeof *candidates);
    em__role *roles = calloc(meter->channel_count + 1, sizeof *roles);
    em__channel *found = calloc(meter->channel_count + 1, sizeof *found);
    int status = EM_ERR_NO_MEMORY;
    if (candidates && roles && found) {
        for (size_t i = 0; i < meter->channel_count; i++) {
            found[i] = meter->facts[i];
            candidates[i] = (em__candidate){.facts = &meter->facts[i],
                                            .sensor = meter->sensors[i],
                                            .rank = meter->ranks[i],
                                            .is_readable = meter->facts[i].status == EM_OK};
        }
        em__roles_resolve(candidates, meter->channel_count, roles);
        status = apply_all(meter, channels, roles, found, error);
    }
    free(candidates);
    free(roles);
    free(found);
    return status;
}
