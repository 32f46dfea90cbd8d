/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Summaries of several processes as one: who they are, and what cannot be merged. */
#include "metrics/merge.h"

#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int em__merge_refuse(const em__merge *merge, size_t part, const char *remedy, const char *text, ...)
{
    char words[512], argument[32];
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(words, sizeof words, text, arguments);
    va_end(arguments);
    em__print(argument, sizeof argument, "parts[%zu]", merge->parts ? merge->parts[part].source : part);
    return em__summary_refuse(merge->error, EM_ERR_INVALID, argument, remedy, "%s", words);
}

static int is_same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static int is_counted(const em_summary *summary, size_t channel)
{
    return isfinite(summary->devices[channel].counted_j);
}

/* ---------------------------------------------------------------------------------------------------------- contradictions */

static int share_a_meter(const em_summary *a, const em_summary *b)
{
    for (size_t i = 0; i < em__merge_rank_count(a); i++) {
        em__summary_rank one = em__merge_rank(a, i);
        for (size_t k = 0; k < em__merge_rank_count(b); k++) {
            em__summary_rank other = em__merge_rank(b, k);
            if (one.pid == other.pid && one.begin_ns == other.begin_ns && is_same(one.boot_id, other.boot_id)) {
                return 1;
            }
        }
    }
    return 0;
}

static int overlap(const em__part *a, const em__part *b)
{
    return a->boot == b->boot && a->begin_ns < b->end_ns && b->begin_ns < a->end_ns;
}

/* A model that one estimates where the other measures that domain by other channels. */
static const char *modelled(const em__part *one, const em__part *other)
{
    const em_summary *a = one->summary, *b = other->summary;
    for (size_t i = 0; i < a->channel_count; i++) {
        const em_channel *model = &a->channels[i];
        if (!is_counted(a, i) || !em__merge_has(one, i) || model->kind != EM_KIND_MODEL ||
            (model->uuid && model->uuid[0])) {
            continue;
        }
        int has_same = 0, has_other = 0;
        for (size_t k = 0; k < b->channel_count; k++) {
            const em_channel *channel = &b->channels[k];
            if (is_counted(b, k) && em__merge_has(other, k) && channel->domain == model->domain) {
                has_same |= strcmp(em__merge_base_name(other, k), em__merge_base_name(one, i)) == 0;
                has_other |= channel->kind != EM_KIND_MODEL;
            }
        }
        if (has_other && !has_same) {
            return model->name;
        }
    }
    return NULL;
}

static int check_pairs(const em__merge *merge)
{
    for (size_t i = 0; i < merge->count; i++) {
        const em__part *one = &merge->parts[i];
        for (size_t k = 0; k < merge->count; k++) {
            const em__part *other = &merge->parts[k];
            if (i == k || one->boot != other->boot) {
                continue;
            }
            if (k < i && share_a_meter(one->summary, other->summary)) {
                return em__merge_refuse(merge, i, "give the last summary of each meter once",
                                        "two summaries are of the same meter, of %s", one->who);
            }
            const char *name = overlap(one, other) ? modelled(one, other) : NULL;
            if (name) {
                return em__merge_refuse(merge, i,
                                        "run all with the same permissions and options (energy-meter sensors tells "
                                        "what a reading needs), or merge those that measure",
                                        "%.64s is a model in the summary of %s, and %s measured the same hardware at "
                                        "that time",
                                        name, one->who, other->who);
            }
        }
    }
    return EM_OK;
}

/* ------------------------------------------------------------------------------------------------------------- views */

static int by_silicon(const void *left, const void *right)
{
    const em__view_of *a = left, *b = right;
    if (a->boot != b->boot) {
        return a->boot < b->boot ? -1 : 1;
    }
    size_t length = a->key_length < b->key_length ? a->key_length : b->key_length;
    int order = memcmp(a->key, b->key, length);
    if (order != 0 || a->key_length != b->key_length) {
        return order != 0 ? order : a->key_length < b->key_length ? -1 : 1;
    }
    if (a->part != b->part) {
        return a->part < b->part ? -1 : 1;
    }
    return (a->channel > b->channel) - (a->channel < b->channel);
}

static int has_same_silicon(const em__view_of *a, const em__view_of *b)
{
    return a->boot == b->boot && a->key_length == b->key_length && memcmp(a->key, b->key, a->key_length) == 0;
}

/* A GPU is what its UUID says, in whatever container; everything else on one boot has the same name for all, but for the
 * sensor that it was read through. */
static em__view_of view_of(const em__merge *merge, size_t part, size_t channel)
{
    const em_channel *facts = &merge->parts[part].summary->channels[channel];
    int has_uuid = facts->uuid && facts->uuid[0];
    const char *key = has_uuid ? facts->uuid : em__merge_base_name(&merge->parts[part], channel);
    return (em__view_of){part, channel, merge->parts[part].boot, key, has_uuid ? strlen(key) : strcspn(key, "@")};
}

static int by_name(const void *left, const void *right)
{
    const em__silicon *a = left, *b = right;
    if (a->boot != b->boot) {
        return a->boot < b->boot ? -1 : 1;
    }
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : (a->first > b->first) - (a->first < b->first);
}

static int collect(em__merge *merge)
{
    size_t most = 1;
    for (size_t i = 0; i < merge->count; i++) {
        most += merge->parts[i].summary->channel_count;
    }
    merge->views = calloc(most + 1, sizeof *merge->views);
    merge->silicons = calloc(most + 1, sizeof *merge->silicons);
    if (!merge->views || !merge->silicons) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < merge->count; i++) {
        for (size_t k = 0; k < merge->parts[i].summary->channel_count; k++) {
            if (is_counted(merge->parts[i].summary, k) && em__merge_has(&merge->parts[i], k)) {
                merge->views[merge->view_count++] = view_of(merge, i, k);
            }
        }
    }
    qsort(merge->views, merge->view_count, sizeof *merge->views, by_silicon);
    for (size_t i = 0; i < merge->view_count; i++) {
        if (i == 0 || !has_same_silicon(&merge->views[i - 1], &merge->views[i])) {
            const em__view_of *view = &merge->views[i];
            const char *name = em__merge_base_name(&merge->parts[view->part], view->channel);
            merge->silicons[merge->silicon_count++] = (em__silicon){.first = i, .boot = view->boot, .name = name};
        }
        merge->silicons[merge->silicon_count - 1].count++;
    }
    qsort(merge->silicons, merge->silicon_count, sizeof *merge->silicons, by_name);
    return EM_OK;
}

/* -------------------------------------------------------------------------------------------------------------- merge */

static int merge_parts(em__merge *merge, const em_summary *const *parts)
{
    int status = em__merge_list_parts(merge, parts);
    status = status == EM_OK ? em__merge_tell_boots(merge) : status;
    status = status == EM_OK ? check_pairs(merge) : status;
    status = status == EM_OK ? collect(merge) : status;
    if (status != EM_OK) {
        return status;
    }
    size_t missing = 0;
    for (size_t i = 0; i < merge->source_count; i++) {
        missing += parts[i]->facts.missing_count;
    }
    merge->summary = em__summary_alloc_flat(merge->silicon_count, em__merge_group_limit(merge), missing);
    if (!merge->summary) {
        return EM_ERR_NO_MEMORY;
    }
    status = em__merge_devices(merge);
    status = status == EM_OK ? em__merge_groups(merge) : status;
    status = status == EM_OK ? em__merge_facts(merge) : status;
    return status == EM_OK && merge->summary->failed ? EM_ERR_NO_MEMORY : status;
}

int em_summary_merge(const em_summary *const *parts, size_t count, em_error *ret_error, em_summary **ret_summary)
{
    if (!ret_summary || (count > 0 && !parts)) {
        return EM_ERR_INVALID;
    }
    em__merge merge = {.source_count = count, .error = ret_error};
    if (count == 0) {
        return em__summary_refuse(ret_error, EM_ERR_INVALID, "parts", "give the summary of each process",
                                  "there is no summary to merge");
    }
    for (size_t i = 0; i < count; i++) {
        if (!parts[i]) {
            return em__merge_refuse(&merge, i, "give the summary of each process", "part %zu is NULL", i);
        }
    }
    int status = merge_parts(&merge, parts);
    if (status == EM_OK) {
        *ret_summary = merge.summary;
    } else {
        em_summary_destroy(merge.summary);
    }
    free(merge.parts);
    free(merge.views);
    free(merge.silicons);
    free(merge.is_shared);
    return status;
}
