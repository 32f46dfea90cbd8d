/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The summary as an object, and the public calls that read it. */
#include "metrics/summary.h"

#include "core/text.h"
#include "metrics/reasons.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECENT_STRINGS = 64 };

static em_summary *alloc(size_t channel_count, size_t group_count, size_t energy_count, size_t missing_count)
{
    em_summary *summary = calloc(1, sizeof *summary);
    if (!summary) {
        return NULL;
    }
    summary->channel_count = channel_count;
    summary->group_count = group_count;
    summary->channels = calloc(channel_count + 1, sizeof *summary->channels);
    summary->names = calloc(channel_count + 1, sizeof(char *));
    summary->groups = calloc(group_count + 1, sizeof *summary->groups);
    summary->energies = calloc(energy_count + 1, sizeof *summary->energies);
    summary->devices = calloc(channel_count + 1, sizeof *summary->devices);
    summary->missing = calloc(missing_count + 1, sizeof *summary->missing);
    if (!summary->channels || !summary->names || !summary->groups || !summary->energies || !summary->devices ||
        !summary->missing) {
        em_summary_destroy(summary);
        return NULL;
    }
    summary->facts.devices = summary->devices;
    summary->facts.missing = summary->missing;
    return summary;
}

em_summary *em__summary_alloc(size_t channel_count, size_t group_count)
{
    return alloc(channel_count, group_count, channel_count * group_count, channel_count + EM_DOMAINS);
}

em_summary *em__summary_alloc_flat(size_t channel_count, size_t group_count, size_t missing_count)
{
    em_summary *summary = alloc(channel_count, group_count, channel_count, missing_count);
    if (summary && !(summary->said = calloc(channel_count + 1, sizeof(char *)))) {
        em_summary_destroy(summary);
        return NULL;
    }
    if (summary) {
        summary->is_flat = 1;
    }
    return summary;
}

int em__summary_refuse(em_error *ret_error, int status, const char *argument, const char *remedy, const char *text, ...)
{
    em_error error = {.status = status};
    if (!ret_error || ret_error->size < sizeof ret_error->size) {
        return status;
    }
    char words[2 * sizeof error.text];
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(words, sizeof words, text, arguments);
    va_end(arguments);
    em__copy(error.argument, sizeof error.argument, argument);
    em__copy(error.text, sizeof error.text, words);
    em__copy(error.remedy, sizeof error.remedy, remedy);
    size_t size = ret_error->size;
    memcpy(ret_error, &error, size < sizeof error ? size : sizeof error);
    ret_error->size = size;
    return status;
}

const char *em__summary_keep(em_summary *summary, const char *string)
{
    if (!string) {
        return NULL;
    }
    size_t recent = summary->string_count > RECENT_STRINGS ? summary->string_count - RECENT_STRINGS : 0;
    for (size_t i = recent; i < summary->string_count; i++) {
        if (strcmp(summary->strings[i], string) == 0) {
            return summary->strings[i];
        }
    }
    if (summary->string_count == summary->string_capacity) {
        size_t capacity = summary->string_capacity ? 2 * summary->string_capacity : 32;
        char **strings = realloc(summary->strings, capacity * sizeof *strings);
        if (!strings) {
            summary->failed = 1;
            return NULL;
        }
        summary->strings = strings;
        summary->string_capacity = capacity;
    }
    char *copy = strdup(string);
    if (!copy) {
        summary->failed = 1;
        return NULL;
    }
    return summary->strings[summary->string_count++] = copy;
}

void em__summary_set_channel(em_summary *summary, size_t index, const em_channel *channel)
{
    em_channel copy = *channel;
    copy.name = em__summary_keep(summary, channel->name);
    copy.sensor = em__summary_keep(summary, channel->sensor);
    copy.source = em__summary_keep(summary, channel->source);
    copy.device_name = em__summary_keep(summary, channel->device_name);
    copy.uuid = em__summary_keep(summary, channel->uuid);
    copy.reason = em__summary_keep(summary, channel->reason);
    summary->channels[index] = copy;
    summary->names[index] = copy.name;
}

void em__summary_set_carbon(em_summary *summary, const em_carbon *carbon, const em__rates *rates)
{
    em__summary_facts *facts = &summary->facts;
    facts->carbon = *carbon;
    facts->carbon.size = sizeof facts->carbon;
    facts->carbon.g_per_kwh = rates->g_per_kwh;
    facts->carbon.pue = rates->pue;
    facts->carbon.source = em__summary_keep(summary, carbon->source);
    facts->carbon.method = em__summary_keep(summary, carbon->method);
    facts->carbon.zone = em__summary_keep(summary, carbon->zone);
    facts->carbon.zone_name = em__summary_keep(summary, carbon->zone_name);
    facts->carbon.location = em__summary_keep(summary, carbon->location);
    facts->carbon.pue_source = em__summary_keep(summary, carbon->pue_source);
    facts->price_per_kwh = rates->price_per_kwh;
    facts->embodied_kg = rates->embodied_kg;
    facts->lifetime_years = rates->lifetime_years;
}

void em__summary_miss(em_summary *summary, const char *channel, const char *reason)
{
    summary->missing[summary->facts.missing_count++] =
        (em__summary_missing){em__summary_keep(summary, channel), em__summary_keep(summary, reason)};
}

static int is_counted_gpu(const em_channel *channel)
{
    return channel->domain == EM_DOMAIN_GPU && channel->role == EM_ROLE_COUNTED;
}

size_t em__summary_gpu_name(const em_channel *channels, size_t count, char *text, size_t size)
{
    size_t models = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t boards = 0;
        int is_first = is_counted_gpu(&channels[i]);
        for (size_t j = 0; is_first && j < count; j++) {
            int is_same = is_counted_gpu(&channels[j]) && !strcmp(channels[j].device_name, channels[i].device_name);
            is_first = !(is_same && j < i);
            boards += (size_t)is_same;
        }
        if (!is_first) {
            continue;
        }
        const char *name = channels[i].device_name[0] ? channels[i].device_name : "unknown GPU";
        size_t length = strlen(text);
        const char *comma = models++ ? ", " : "";
        if (boards > 1) {
            em__print(text + length, size - length, "%s%zu x %s", comma, boards, name);
        } else {
            em__print(text + length, size - length, "%s%s", comma, name);
        }
    }
    return models;
}

void em_summary_destroy(em_summary *summary)
{
    if (!summary) {
        return;
    }
    for (size_t i = 0; i < summary->string_count; i++) {
        free(summary->strings[i]);
    }
    for (size_t i = 0; summary->devices && i < summary->channel_count; i++) {
        free((void *)(uintptr_t)summary->devices[i].points);
        free((void *)(uintptr_t)summary->devices[i].spans);
    }
    free(summary->strings);
    free(summary->channels);
    free((void *)summary->names);
    free((void *)summary->said);
    free((void *)(uintptr_t)summary->facts.ranks);
    free(summary->groups);
    free(summary->energies);
    free(summary->devices);
    free(summary->missing);
    free(summary);
}

size_t em_summary_group_count(const em_summary *summary)
{
    return summary ? summary->group_count : 0;
}

size_t em_summary_channel_count(const em_summary *summary)
{
    return summary ? summary->channel_count : 0;
}

/* A larger struct of the library's is cut, a smaller one leaves the caller's tail as it was. */
static int answer(void *to, size_t size, const void *from, size_t full)
{
    if (size < sizeof(size_t)) {
        return EM_ERR_INVALID;
    }
    memcpy(to, from, size < full ? size : full);
    memcpy(to, &size, sizeof size);
    return EM_OK;
}

int em_summary_group(const em_summary *summary, size_t index, em_group *ret_group)
{
    if (!summary || !ret_group) {
        return EM_ERR_INVALID;
    }
    return index < summary->group_count
               ? answer(ret_group, ret_group->size, &summary->groups[index], sizeof summary->groups[index])
               : EM_ERR_UNKNOWN;
}

int em_summary_channel(const em_summary *summary, size_t channel, em_channel *ret_channel)
{
    if (!summary || !ret_channel) {
        return EM_ERR_INVALID;
    }
    return channel < summary->channel_count
               ? answer(ret_channel, ret_channel->size, &summary->channels[channel], sizeof summary->channels[channel])
               : EM_ERR_UNKNOWN;
}

int em_summary_gpu_shared(const em_summary *summary, int32_t *ret_shared)
{
    if (!summary || !ret_shared) {
        return EM_ERR_INVALID;
    }
    *ret_shared = summary->facts.gpu_shared;
    return EM_OK;
}

int em_summary_carbon(const em_summary *summary, em_carbon *ret_carbon)
{
    if (!summary || !ret_carbon) {
        return EM_ERR_INVALID;
    }
    return answer(ret_carbon, ret_carbon->size, &summary->facts.carbon, sizeof summary->facts.carbon);
}

int em_summary_find(const em_summary *summary, int32_t kind, const char *name, size_t *ret_index)
{
    if (!summary || !ret_index) {
        return EM_ERR_INVALID;
    }
    for (size_t i = 1; i < summary->group_count; i++) {
        const em_group *group = &summary->groups[i];
        int is_named = name ? group->name && strcmp(group->name, name) == 0 : !group->name;
        if (is_named && (kind < 0 || kind == group->kind)) {
            *ret_index = i;
            return EM_OK;
        }
    }
    return EM_ERR_UNKNOWN;
}

int em_summary_reasons(const em_summary *summary, size_t group, int32_t channel, char **ret_text, size_t *ret_length)
{
    if (!summary || !ret_text) {
        return EM_ERR_INVALID;
    }
    if (group >= summary->group_count || channel < -1 || channel >= (int64_t)summary->channel_count) {
        return EM_ERR_UNKNOWN;
    }
    em__text text = {0};
    if (summary->is_flat) {
        const char *said = group > 0 ? NULL : summary->said[channel < 0 ? summary->channel_count : (size_t)channel];
        em__text_add(&text, said ? said : "");
        char *words = em__text_finish(&text, ret_length);
        if (!words) {
            return EM_ERR_NO_MEMORY;
        }
        *ret_text = words;
        return EM_OK;
    }
    const em_group *of = &summary->groups[group];
    const em_energy *energies = summary->channel_count ? &summary->energies[group * summary->channel_count] : NULL;
    if (channel >= 0) {
        em__reasons_channel(&text, NULL, &energies[channel], of->duration_ns);
    } else {
        em__reasons_total(&text, &of->total, summary->names, energies, summary->channel_count, of->duration_ns);
    }
    char *words = em__text_finish(&text, ret_length);
    if (!words) {
        return EM_ERR_NO_MEMORY;
    }
    *ret_text = words;
    return EM_OK;
}

int em_summary_overhead(const em_summary *summary, em_overhead *ret_overhead)
{
    if (!summary || !ret_overhead) {
        return EM_ERR_INVALID;
    }
    const em__summary_overhead *known = &summary->facts.overhead;
    const em_overhead overhead = {sizeof overhead, known->fraction, known->limit, known->caller_s, known->sync_s};
    return answer(ret_overhead, ret_overhead->size, &overhead, sizeof overhead);
}

int em_summary_energy(const em_summary *summary, size_t group, size_t channel, em_energy *ret_energy)
{
    if (!summary || !ret_energy) {
        return EM_ERR_INVALID;
    }
    if (group >= summary->group_count || channel >= summary->channel_count) {
        return EM_ERR_UNKNOWN;
    }
    *ret_energy = summary->is_flat && group > 0 ? (em_energy){NAN, NAN, NAN, NAN, NAN, .status = EM_ERR_UNAVAILABLE}
                                                : summary->energies[group * summary->channel_count + channel];
    return EM_OK;
}
