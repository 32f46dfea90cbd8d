/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The list of sensors for machines and for people. */
#include "reports/sensors.h"

#include "reports/absent.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_LIMIT = 34 };

static const char *or_empty(const char *string)
{
    return string ? string : "";
}

static void add_string(em__text *json, const char *key, const char *value)
{
    em__reports_key(json, key);
    em__text_json(json, or_empty(value));
}

static void add_optional(em__text *json, const char *key, const char *value)
{
    em__reports_key(json, key);
    em__text_json(json, value && value[0] ? value : NULL);
}

static const em_channel *owner_of(const em_channel *channels, size_t count, const em_channel *channel)
{
    return channel->of >= 0 && (size_t)channel->of < count ? &channels[channel->of] : NULL;
}

static void write_json(em__text *json, const em_channel *channels, size_t channel_count, const em_absence *absences,
                       size_t absence_count)
{
    em__text_add(json, "{\"schema\":1,\"channels\":[");
    for (size_t i = 0; i < channel_count; i++) {
        const em_channel *channel = &channels[i], *owner = owner_of(channels, channel_count, channel);
        em__text_add(json, i > 0 ? ",\n{" : "\n{");
        add_string(json, "name", channel->name);
        add_string(json, "sensor", channel->sensor);
        add_string(json, "source", channel->source);
        add_string(json, "domain", em__reports_domain(channel->domain));
        add_string(json, "kind", em__reports_kind(channel->kind));
        add_string(json, "role", em__reports_role(channel->role));
        add_optional(json, "of", owner ? owner->name : NULL);
        add_optional(json, "reason", channel->reason);
        em__text_add(json, "}");
    }
    em__text_add(json, "],\n\"absent\":[");
    for (size_t i = 0; i < absence_count; i++) {
        em__text_add(json, i > 0 ? ",\n{" : "\n{");
        add_string(json, "sensor", absences[i].sensor);
        add_string(json, "status", em_status_word(absences[i].status));
        add_string(json, "reason", absences[i].reason);
        add_string(json, "hint", absences[i].hint);
        em__text_add(json, "}");
    }
    em__text_add(json, "]}\n");
}

/* ------------------------------------------------------------------------------------------------------------- text */

typedef struct {
    size_t name, sensor, domain;
} columns;

static void widen(size_t *width, const char *string, size_t limit)
{
    size_t needed = em__reports_width(or_empty(string));
    if (needed > *width && needed <= limit) {
        *width = needed;
    }
}

static columns measure(const em_channel *channels, size_t channel_count, const em_absence *absences,
                       size_t absence_count)
{
    columns widths = {0, 0, 0};
    for (size_t i = 0; i < channel_count; i++) {
        widen(&widths.name, channels[i].name, NAME_LIMIT);
        widen(&widths.sensor, channels[i].sensor, NAME_LIMIT);
        widen(&widths.domain, em__reports_domain(channels[i].domain), NAME_LIMIT);
    }
    for (size_t i = 0; i < absence_count; i++) {
        widen(&widths.name, absences[i].sensor, NAME_LIMIT);
    }
    return widths;
}

static void add_sentence(em__text *text, const char *label, const char *sentence, size_t indent)
{
    if (sentence && sentence[0]) {
        em__reports_cell(text, "", indent - 2);
        em__text_add(text, label);
        em__reports_wrap(text, sentence, indent + em__reports_width(label), indent);
    }
}

static void write_counted(em__text *text, const em_channel *channel, const columns *widths)
{
    size_t indent = em__reports_name(text, or_empty(channel->name), 2, widths->name);
    em__reports_cell(text, em__reports_domain(channel->domain), widths->domain);
    em__reports_cell(text, em__reports_kind(channel->kind), strlen("counter"));
    em__reports_cell(text, or_empty(channel->sensor), widths->sensor);
    size_t column = indent + widths->domain + widths->sensor + strlen("counter") + 6;
    em__reports_wrap(text, or_empty(channel->source), column, indent);
    add_sentence(text, "", channel->device_name, indent);
    add_sentence(text, "", channel->reason, indent);
}

/* above: the one before it in the same section, or NULL. */
static void write_other(em__text *text, const em_channel *channels, size_t count, const em_channel *channel,
                        const em_channel *above, const columns *widths)
{
    size_t indent = em__reports_name(text, or_empty(channel->name), 2, widths->name);
    const em_channel *owner = owner_of(channels, count, channel);
    em__text line = {0};
    const char *reason = or_empty(channel->reason);
    int is_failure = channel->role == EM_ROLE_UNREADABLE && channel->status != EM_OK;
    em__text_add(&line, is_failure ? em_status_word(channel->status) : em__reports_role(channel->role));
    if (owner && !strstr(reason, or_empty(owner->name))) {
        em__text_format(&line, " of %s", or_empty(owner->name));
    }
    int is_repeated = is_failure && above && above->status == channel->status;
    if (is_repeated && strcmp(reason, or_empty(above->reason)) == 0) {
        reason = "as above";
    }
    if (reason[0]) {
        em__text_format(&line, ": %s", reason);
    }
    char *sentence = em__text_finish(&line, NULL);
    text->failed |= !sentence;
    em__reports_wrap(text, or_empty(sentence), indent, indent);
    free(sentence);
}

static void write_text(em__text *text, const em_channel *channels, size_t channel_count, const em_absence *absences,
                       size_t absence_count)
{
    static const char *const titles[] = {
        [EM_ROLE_COUNTED] = "Counted: their sum is the total",
        [EM_ROLE_PART] = "Not added: what they hold is in the total already, or is more than components",
        [EM_ROLE_UNREADABLE] = "Cannot be read",
    };
    static const unsigned sections[] = {1u << EM_ROLE_COUNTED,
                                        1u << EM_ROLE_PART | 1u << EM_ROLE_MIRROR | 1u << EM_ROLE_PLATFORM,
                                        1u << EM_ROLE_UNREADABLE};
    static const int32_t heads[] = {EM_ROLE_COUNTED, EM_ROLE_PART, EM_ROLE_UNREADABLE};
    columns widths = measure(channels, channel_count, absences, absence_count);
    for (size_t section = 0; section < 3; section++) {
        size_t shown = 0;
        const em_channel *above = NULL;
        for (size_t i = 0; i < channel_count; i++) {
            if (!(sections[section] >> (channels[i].role & 31) & 1)) {
                continue;
            }
            if (shown++ == 0) {
                em__text_format(text, "%s%s\n", text->length > 0 ? "\n" : "", titles[heads[section]]);
            }
            if (section == 0) {
                write_counted(text, &channels[i], &widths);
            } else {
                write_other(text, channels, channel_count, &channels[i], above, &widths);
            }
            above = &channels[i];
        }
        if (section == 0 && shown == 0) {
            em__text_add(text, "Nothing on this machine can be measured or estimated.\n");
        }
    }
    em__reports_absent(text, absences, absence_count, widths.name);
}

char *em__reports_sensors(const em_channel *channels, size_t channel_count, const em_absence *absences,
                          size_t absence_count, int32_t format, size_t *ret_length)
{
    em__text text = {0};
    if (format == EM_FORMAT_JSON) {
        write_json(&text, channels, channel_count, absences, absence_count);
    } else {
        write_text(&text, channels, channel_count, absences, absence_count);
    }
    return em__text_finish(&text, ret_length);
}
