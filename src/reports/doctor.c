/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The doctor's report: measured facts of each source, doubts, and for what is missing reason, remedy and risk. */
#include "reports/doctor.h"

#include "reports/absent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LIMIT = 34, NOTES = 64 };

typedef struct {
    const em_channel *channels;
    size_t channel_count;
    const em_absence *absences;
    size_t absence_count;
    const em__reports_container *container; /* NULL: none */
} subject;

static const char *or_empty(const char *string)
{
    return string ? string : "";
}

static int begins(const char *string, const char *prefix)
{
    return strncmp(or_empty(string), prefix, strlen(prefix)) == 0;
}

/* What the remedy gives away; NULL: nothing to tell. */
static const char *risk_of(const char *sensor, int32_t status)
{
    if (status == EM_ERR_PERMISSION && begins(sensor, "rapl-perf")) {
        return "fine readings of a CPU's energy tell something about the data that other programs work on (CVE-2020-8694, "
               "PLATYPUS), and kernel.perf_event_paranoid = 0 opens all events of whole CPUs to everybody: where several "
               "people share the machine, give one program CAP_PERFMON instead";
    }
    if (status == EM_ERR_PERMISSION && begins(sensor, "rapl")) {
        return "fine readings of a CPU's energy tell something about the data that other programs work on (CVE-2020-8694, "
               "PLATYPUS): where several people share the machine, let a group read them, not everybody";
    }
    if (status == EM_ERR_MASKED && begins(sensor, "rapl")) {
        return "the counters are the whole host's, and tell something about what other containers do (CVE-2020-8694, "
               "PLATYPUS): open them to containers that you trust";
    }
    return NULL;
}

/* A channel that cannot be read has a risk of its own where no absence of its sensor has one. */
static const char *risk_at(const subject *about, size_t index, const char **ret_sensor)
{
    if (index < about->absence_count) {
        *ret_sensor = or_empty(about->absences[index].sensor);
        return risk_of(*ret_sensor, about->absences[index].status);
    }
    const em_channel *channel = &about->channels[index - about->absence_count];
    *ret_sensor = or_empty(channel->sensor);
    return channel->role == EM_ROLE_UNREADABLE ? risk_of(*ret_sensor, channel->status) : NULL;
}

static int is_told(const subject *about, size_t index, const char *sensor, const char *risk)
{
    for (size_t i = 0; i < index; i++) {
        const char *other, *told = risk_at(about, i, &other);
        if (told && strcmp(told, risk) == 0 && strcmp(other, sensor) == 0) {
            return 1;
        }
    }
    return 0;
}

static const em_channel *owner_of(const subject *about, const em_channel *channel)
{
    int is_there = channel->of >= 0 && (size_t)channel->of < about->channel_count;
    return is_there ? &about->channels[channel->of] : NULL;
}

static int has_period(const em_channel *channel)
{
    return channel->period_ns > 0 && channel->kind != EM_KIND_MODEL;
}

static int is_assumed(const em_channel *channel)
{
    return (channel->notes & EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED)) != 0;
}

/* ------------------------------------------------------------------------------------------------------------ JSON */

static const char *note_word(int note)
{
    switch (note) {
#define CASE(name, bit, word, text, remedy)                                                                            \
    case bit:                                                                                                          \
        return word;
        EM_NOTE_LIST(CASE)
#undef CASE
    default:
        return "unknown";
    }
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

static void add_time(em__text *json, const char *key, uint64_t ns)
{
    em__reports_key(json, key);
    if (ns > 0) {
        em__reports_seconds(json, ns);
    } else {
        em__text_add(json, "null");
    }
}

static void write_channel(em__text *json, const subject *about, const em_channel *channel)
{
    const em_channel *owner = owner_of(about, channel);
    add_string(json, "name", channel->name);
    add_string(json, "sensor", channel->sensor);
    add_string(json, "source", channel->source);
    add_optional(json, "device_name", channel->device_name);
    add_string(json, "domain", em__reports_domain(channel->domain));
    add_string(json, "kind", em__reports_kind(channel->kind));
    add_string(json, "role", em__reports_role(channel->role));
    add_optional(json, "of", owner ? owner->name : NULL);
    add_string(json, "status", em_status_word(channel->status));
    add_optional(json, "reason", channel->reason);
    add_time(json, "read_cost_s", channel->read_cost_ns);
    add_time(json, "period_s", has_period(channel) ? channel->period_ns : 0);
    add_optional(json, "period", !has_period(channel) ? NULL : is_assumed(channel) ? "assumed" : "seen");
    em__reports_key(json, "power_w");
    em__reports_real(json, channel->power_w);
    em__reports_key(json, "notes");
    em__text_add(json, "[");
    for (int note = 0; note < NOTES; note++) {
        if (channel->notes >> note & 1) {
            em__reports_comma(json);
            em__text_json(json, note_word(note));
        }
    }
    em__text_add(json, "]");
}

static const char whole_host[] =
    "the counters are the whole host's: they hold what other containers and the host itself do";

static void write_container(em__text *json, const em__reports_container *container)
{
    if (!container) {
        em__text_add(json, "null");
        return;
    }
    em__text_add(json, "{");
    add_string(json, "kind", container->kind);
    add_string(json, "evidence", container->evidence);
    add_string(json, "text", whole_host);
    em__reports_key(json, "advice");
    em__text_add(json, "[");
    for (size_t i = 0; i < container->advice_count; i++) {
        em__reports_comma(json);
        em__text_json(json, container->advice[i]);
    }
    em__text_add(json, "]}");
}

static void write_json(em__text *json, const subject *about)
{
    em__text_add(json, "{\"schema\":1");
    add_string(json, "version", em_version());
    em__reports_key(json, "total");
    em__text_add(json, "[");
    for (size_t i = 0; i < about->channel_count; i++) {
        if (about->channels[i].role == EM_ROLE_COUNTED) {
            em__reports_comma(json);
            em__text_json(json, or_empty(about->channels[i].name));
        }
    }
    em__text_add(json, "],\n\"channels\":[");
    for (size_t i = 0; i < about->channel_count; i++) {
        em__text_add(json, i > 0 ? ",\n{" : "\n{");
        write_channel(json, about, &about->channels[i]);
        em__text_add(json, "}");
    }
    em__text_add(json, "],\n\"absent\":[");
    for (size_t i = 0; i < about->absence_count; i++) {
        const em_absence *absence = &about->absences[i];
        em__text_add(json, i > 0 ? ",\n{" : "\n{");
        add_string(json, "sensor", absence->sensor);
        add_string(json, "status", em_status_word(absence->status));
        add_string(json, "reason", absence->reason);
        add_string(json, "hint", absence->hint);
        em__text_add(json, "}");
    }
    em__text_add(json, "],\n\"container\":");
    write_container(json, about->container);
    em__text_add(json, ",\n\"security\":[");
    for (size_t i = 0, shown = 0; i < about->absence_count + about->channel_count; i++) {
        const char *sensor, *risk = risk_at(about, i, &sensor);
        if (risk && !is_told(about, i, sensor, risk)) {
            em__text_add(json, shown++ > 0 ? ",\n{" : "\n{");
            add_string(json, "sensor", sensor);
            add_string(json, "text", risk);
            em__text_add(json, "}");
        }
    }
    em__text_add(json, "]}\n");
}

/* ------------------------------------------------------------------------------------------------------------ text */

static size_t width_of_names(const subject *about)
{
    size_t width = 0;
    for (size_t i = 0; i < about->channel_count + about->absence_count; i++) {
        const char *name =
            i < about->channel_count ? about->channels[i].name : about->absences[i - about->channel_count].sensor;
        size_t needed = em__reports_width(or_empty(name));
        width = needed > width && needed <= NAME_LIMIT ? needed : width;
    }
    return width;
}

/* A line of its own below a name; takes the text's bytes. */
static void add_line(em__text *text, em__text *line, size_t column, size_t indent)
{
    char *sentence = em__text_finish(line, NULL);
    text->failed |= !sentence;
    if (column < indent) {
        em__reports_cell(text, "", indent - 2);
    }
    em__reports_wrap(text, or_empty(sentence), indent, indent);
    free(sentence);
}

static void add_words(em__text *text, const char *label, const char *words, size_t indent)
{
    if (words && words[0]) {
        em__text line = {0};
        em__text_format(&line, "%s%s", label, words);
        add_line(text, &line, 0, indent);
    }
}

static void write_measured(em__text *text, const em_channel *channel, size_t indent)
{
    char cost[EM__QUANTITY_SIZE], period[EM__QUANTITY_SIZE], power[EM__QUANTITY_SIZE];
    em__text line = {0};
    if (channel->read_cost_ns > 0) {
        em__reports_quantity(EM__QUANTITY_TIME, (double)channel->read_cost_ns / 1e9, cost);
        em__text_format(&line, "a read takes %s", cost);
    } else {
        em__text_add(&line, "not read yet");
    }
    if (has_period(channel)) {
        em__reports_quantity(EM__QUANTITY_TIME, (double)channel->period_ns / 1e9, period);
        em__text_format(&line, "; updates every %s (%s)", period, is_assumed(channel) ? "assumed" : "seen");
    }
    if (isfinite(channel->power_w)) {
        em__text_format(&line, "; %s now", em__reports_quantity(EM__QUANTITY_POWER, channel->power_w, power));
    }
    add_line(text, &line, 0, indent);
}

static void write_notes(em__text *text, uint64_t notes, size_t indent)
{
    for (int note = 0; note < NOTES; note++) {
        const char *words =
            notes >> note & 1 && note != EM_NOTE_PERIOD_ASSUMED && note != EM_NOTE_MODEL ? em_note_text(note) : "";
        if (words[0]) {
            em__text line = {0};
            em__text_format(&line, "doubt: %s%s%s", words, em_note_remedy(note)[0] ? "; " : "", em_note_remedy(note));
            add_line(text, &line, 0, indent);
        }
    }
}

static void write_found(em__text *text, const subject *about, const em_channel *channel, size_t width)
{
    size_t indent = em__reports_name(text, or_empty(channel->name), 2, width);
    const em_channel *owner = owner_of(about, channel);
    em__text line = {0};
    em__text_add(&line, em__reports_role(channel->role));
    if (owner) {
        em__text_format(&line, " of %s", or_empty(owner->name));
    }
    em__text_format(&line, ": %s %s, %s %s", em__reports_domain(channel->domain), em__reports_kind(channel->kind),
                    or_empty(channel->sensor), or_empty(channel->source));
    if (channel->device_name && channel->device_name[0]) {
        em__text_format(&line, ", %s", channel->device_name);
    }
    add_line(text, &line, indent, indent);
    add_words(text, "", channel->reason, indent);
    write_measured(text, channel, indent);
    write_notes(text, channel->notes, indent);
}

/* above: the one before it, or NULL. */
static void write_unreadable(em__text *text, const em_channel *channel, const em_channel *above, size_t width)
{
    size_t indent = em__reports_name(text, or_empty(channel->name), 2, width);
    em__text line = {0};
    em__text_format(&line, "%s: %s %s", em_status_word(channel->status), or_empty(channel->sensor),
                    or_empty(channel->source));
    add_line(text, &line, indent, indent);
    int is_repeated = above && strcmp(or_empty(above->reason), or_empty(channel->reason)) == 0;
    add_words(text, "", is_repeated && or_empty(channel->reason)[0] ? "as above" : channel->reason, indent);
}

static void write_total(em__text *text, const subject *about)
{
    em__text line = {0};
    size_t shown = 0;
    for (size_t i = 0; i < about->channel_count; i++) {
        if (about->channels[i].role == EM_ROLE_COUNTED) {
            em__text_format(&line, "%s%s", shown++ > 0 ? " + " : "The total is ", or_empty(about->channels[i].name));
        }
    }
    em__text_add(&line, shown > 0 ? "." : "Nothing on this machine can be measured or estimated: the total is 0 J.");
    char *sentence = em__text_finish(&line, NULL);
    text->failed |= !sentence;
    em__reports_wrap(text, or_empty(sentence), 0, 2);
    free(sentence);
}

static void write_advice(em__text *text, const em__reports_container *container, size_t width)
{
    if (!container) {
        return;
    }
    em__text_add(text, "\nThis is a container\n");
    em__text line = {0};
    size_t indent = em__reports_name(text, container->kind, 2, width);
    em__text_format(&line, "told by %s; %s", container->evidence, whole_host);
    add_line(text, &line, indent, indent);
    for (size_t i = 0; i < container->advice_count; i++) {
        add_words(text, "to measure ", container->advice[i], indent);
    }
}

static void write_text(em__text *text, const subject *about)
{
    size_t width = width_of_names(about), shown = 0;
    write_total(text, about);
    for (size_t i = 0; i < about->channel_count; i++) {
        if (about->channels[i].role != EM_ROLE_UNREADABLE) {
            em__text_add(text, shown++ == 0 ? "\nFound\n" : "");
            write_found(text, about, &about->channels[i], width);
        }
    }
    const em_channel *above = NULL;
    shown = 0;
    for (size_t i = 0; i < about->channel_count; i++) {
        if (about->channels[i].role == EM_ROLE_UNREADABLE) {
            em__text_add(text, shown++ == 0 ? "\nCannot be read\n" : "");
            write_unreadable(text, &about->channels[i], above, width);
            above = &about->channels[i];
        }
    }
    em__reports_absent(text, about->absences, about->absence_count, width);
    write_advice(text, about->container, width);
    shown = 0;
    for (size_t i = 0; i < about->absence_count + about->channel_count; i++) {
        const char *sensor, *risk = risk_at(about, i, &sensor);
        if (risk && !is_told(about, i, sensor, risk)) {
            em__text_add(text, shown++ == 0 ? "\nBefore you open it\n" : "");
            size_t indent = em__reports_name(text, sensor, 2, width);
            em__reports_wrap(text, risk, indent, indent);
        }
    }
}

char *em__reports_doctor(const em_channel *channels, size_t channel_count, const em_absence *absences,
                         size_t absence_count, const em__reports_container *container, int32_t format,
                         size_t *ret_length)
{
    em__text text = {0};
    subject about = {channels, channel_count, absences, absence_count, container && container->kind ? container : NULL};
    if (format == EM_FORMAT_JSON) {
        write_json(&text, &about);
    } else {
        write_text(&text, &about);
    }
    return em__text_finish(&text, ret_length);
}
