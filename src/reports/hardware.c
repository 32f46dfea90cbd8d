/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Counts things by the names of their channels ("gpu-3/board"), and takes a location apart. */
#include "reports/hardware.h"

#include "data/place.h"
#include "reports/layout.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- hardware */

/* "node-7/cpu-1" of "node-7/cpu-1/package": a thing may have several channels. */
static size_t thing_length(const char *channel)
{
    const char *end = strrchr(channel, '/');
    return end ? (size_t)(end - channel) : strlen(channel);
}

static int is_same_thing(const em_channel *a, const em_channel *b)
{
    size_t length = thing_length(a->name);
    return a->domain == b->domain && length == thing_length(b->name) && memcmp(a->name, b->name, length) == 0;
}

static int is_new_thing(const em__view *view, size_t index, const em_channel *channel)
{
    for (size_t i = 0; i < index; i++) {
        em_channel before;
        if (em__view_counted(view, i, &before) && is_same_thing(&before, channel)) {
            return 0;
        }
    }
    return 1;
}

static void add_thing(em__hardware *hardware, const em_channel *channel)
{
    const char *name = channel->device_name ? channel->device_name : "";
    for (size_t i = 0; i < hardware->count; i++) {
        if (hardware->all[i].domain == channel->domain && strcmp(hardware->all[i].name, name) == 0) {
            hardware->all[i].count++;
            return;
        }
    }
    hardware->all[hardware->count++] = (em__hardware_item){channel->domain, name, 1};
}

int em__hardware_list(const em__view *view, em__hardware *ret_hardware)
{
    static const int32_t order[] = {EM_DOMAIN_GPU, EM_DOMAIN_CPU, EM_DOMAIN_DRAM, EM_DOMAIN_OTHER, EM_DOMAIN_PLATFORM};
    size_t channels = em_summary_channel_count(view->summary);
    em__hardware hardware = {.all = calloc(channels + 1, sizeof *hardware.all)};
    if (!hardware.all) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t d = 0; d < sizeof order / sizeof *order; d++) {
        for (size_t i = 0; i < channels; i++) {
            em_channel channel;
            if (em__view_counted(view, i, &channel) && channel.domain == order[d] && is_new_thing(view, i, &channel)) {
                add_thing(&hardware, &channel);
            }
        }
    }
    *ret_hardware = hardware;
    return EM_OK;
}

void em__hardware_free(em__hardware *hardware)
{
    free(hardware->all);
}

void em__hardware_words(em__text *text, const em__hardware *hardware)
{
    size_t shown = 0;
    for (size_t i = 0; i < hardware->count; i++) {
        const em__hardware_item *item = &hardware->all[i];
        int is_chip = item->domain == EM_DOMAIN_GPU || item->domain == EM_DOMAIN_CPU;
        if (!is_chip && !item->name[0]) {
            continue;
        }
        em__text_format(text, "%s%zu x ", shown++ > 0 ? ", " : "", item->count);
        em__reports_plain(text, item->name[0]                   ? item->name
                                : item->domain == EM_DOMAIN_GPU ? "GPU of unknown model"
                                                                : "CPU of unknown model");
    }
}

void em__hardware_sensors(const em__view *view, int32_t domain, char *words, size_t size)
{
    words[0] = '\0';
    for (size_t i = 0; i < em_summary_channel_count(view->summary); i++) {
        em_channel channel;
        em_energy energy;
        if (!em__view_counted(view, i, &channel) || channel.domain != domain ||
            em_summary_energy(view->summary, 0, i, &energy) != EM_OK) {
            continue;
        }
        const char *word =
            channel.sensor && channel.sensor[0] ? channel.sensor : em__reports_provenance(energy.provenance);
        size_t length = strlen(words);
        if (!strstr(words, word)) {
            em__print(words + length, size - length, "%s%s", length > 0 ? "+" : "", word);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------- whereabouts */

static const char *provider_of(const char *location)
{
    static const struct {
        const char *prefix, *name;
    } providers[] = {
        {"aws:", "aws"}, {"gcp:", "google"}, {"azure:", "azure"}, {"ovhcloud:", "ovh"}, {"scaleway:", "scaleway"}};
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
        const char *at = location, *prefix = providers[i].prefix;
        while (*prefix && (*at | 0x20) == (*prefix | 0x20)) {
            at++;
            prefix++;
        }
        if (!*prefix) {
            return providers[i].name;
        }
    }
    return NULL;
}

static int is_world(const char *zone)
{
    return zone && strcmp(zone, "WORLD") == 0;
}

void em__hardware_place(const em_carbon *carbon, em__whereabouts *ret_place)
{
    em__whereabouts place = {0};
    const char *location = carbon->location, *zone = carbon->zone;
    if (!location || is_world(zone)) {
        em__copy(place.why, sizeof place.why,
                 carbon->is_default ? "no location was given, and the world average was used"
                 : is_world(zone)   ? "the world average was asked for"
                 : !carbon->source  ? "several were given, or none"
                                    : "no location was given, and the intensity is the user's number");
        *ret_place = place;
        return;
    }
    place.provider = provider_of(location);
    const em__place *own = em__place_find(location);
    const char *code = !place.provider ? location : zone ? zone : "";
    char country[3] = {0};
    em__print(country, sizeof country, "%.2s", code);
    const em__place *whole = strlen(code) == 2 || code[0] == '\0' || code[2] == '-' ? em__place_find(country) : own;
    const char *name = own ? own->name : carbon->zone_name ? carbon->zone_name : location;
    em__copy(place.country, sizeof place.country, whole ? whole->name : name);
    if (strcmp(place.country, name) != 0) {
        em__copy(place.place, sizeof place.place, name);
    }
    *ret_place = place;
}
