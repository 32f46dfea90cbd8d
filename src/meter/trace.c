/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a trace says of a meter beside its events, as bytes. A new field is one line at the end of its table. */
#include "meter/trace.h"

#include <math.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

#define UNSIGNED(member) EM__FIELD(EM__FIELD_UNSIGNED, em__trace_setup, setup.member)
#define SIGNED(member) EM__FIELD(EM__FIELD_SIGNED, em__trace_setup, setup.member)
static const em__field setup_fields[] = {
    EM__FIELD(EM__FIELD_TEXT, em__trace_setup, version),
    UNSIGNED(count),
    UNSIGNED(notes),
    UNSIGNED(interval_ns),
    UNSIGNED(patience_ns),
    EM__FIELD(EM__FIELD_REAL, em__trace_setup, setup.rates.g_per_kwh),
    SIGNED(unmeasured[0]),
    SIGNED(unmeasured[1]),
    SIGNED(unmeasured[2]),
    SIGNED(unmeasured[3]),
    SIGNED(unmeasured[4]),
    SIGNED(unmeasured[5]),
    SIGNED(unmeasured[6]),
    SIGNED(unmeasured[7]),
    EM__FIELD(EM__FIELD_REAL, em__trace_setup, setup.rates.pue),
    EM__FIELD(EM__FIELD_REAL, em__trace_setup, setup.rates.price_per_kwh),
    EM__FIELD(EM__FIELD_REAL, em__trace_setup, setup.rates.embodied_kg),
    EM__FIELD(EM__FIELD_REAL, em__trace_setup, setup.rates.lifetime_years),
};
#undef UNSIGNED
#undef SIGNED

#define UNSIGNED(member) EM__FIELD(EM__FIELD_UNSIGNED, em__trace_channel, facts.member)
#define SIGNED(member) EM__FIELD(EM__FIELD_SIGNED, em__trace_channel, facts.member)
#define REAL(member) EM__FIELD(EM__FIELD_REAL, em__trace_channel, facts.member)
#define CHARS(member) EM__FIELD(EM__FIELD_CHARS, em__trace_channel, facts.member)
static const em__field channel_fields[] = {
    EM__FIELD(EM__FIELD_CHARS, em__trace_channel, sensor),
    EM__FIELD(EM__FIELD_SIGNED, em__trace_channel, rank),
    CHARS(name),
    CHARS(source),
    CHARS(device_name),
    CHARS(uuid),
    CHARS(pci),
    CHARS(reason),
    SIGNED(domain),
    SIGNED(kind),
    SIGNED(status),
    UNSIGNED(covers),
    SIGNED(package),
    SIGNED(die),
    SIGNED(gpu),
    UNSIGNED(scale_num),
    UNSIGNED(scale_den),
    UNSIGNED(range),
    UNSIGNED(unit),
    UNSIGNED(refresh_ns),
    UNSIGNED(ceiling_mw),
    UNSIGNED(notes),
    REAL(gain),
    REAL(tdp_each_w),
    REAL(tdp_count),
    CHARS(tdp_from),
    SIGNED(is_endless),
    UNSIGNED(interval_ns),
    SIGNED(shaped_by),
    UNSIGNED(sparing_interval_ns),
    SIGNED(gauge),
    UNSIGNED(limit_mw),
    UNSIGNED(average_ns),
    SIGNED(may_rest),
    SIGNED(thing),
    SIGNED(inside),
    SIGNED(is_overruled),
    SIGNED(is_estimate),
    SIGNED(holds_memory),
};
#undef UNSIGNED
#undef SIGNED
#undef REAL
#undef CHARS

#define TEXT(member) EM__FIELD(EM__FIELD_TEXT, em__surroundings, member)
#define UNSIGNED(member) EM__FIELD(EM__FIELD_UNSIGNED, em__surroundings, member)
#define SIGNED(member) EM__FIELD(EM__FIELD_SIGNED, em__surroundings, member)
static const em__field around_fields[] = {
    TEXT(host),
    TEXT(boot_id),
    SIGNED(pid),
    UNSIGNED(wall_offset_ns),
    TEXT(carbon.source),
    SIGNED(carbon.year),
    SIGNED(carbon.is_default),
    TEXT(gpu_name),
    SIGNED(has_cpu_tdp),
    SIGNED(has_gpu_tdp),
    EM__FIELD(EM__FIELD_REAL, em__surroundings, overhead_limit),
    UNSIGNED(caller_ns),
    UNSIGNED(lived_ns),
    SIGNED(gpu_shared),
    TEXT(carbon.method),
    TEXT(carbon.zone),
    TEXT(carbon.zone_name),
    TEXT(carbon.location),
    TEXT(carbon.pue_source),
};

/* Who adds a field to one of these structs is reminded of its line here. */
#define IS_SIZE(object, bytes) (sizeof(void *) != 8 || sizeof(object) == (bytes))
_Static_assert(IS_SIZE(em__channel, 1128), "each field has a line in channel_fields");
_Static_assert(IS_SIZE(em__surroundings, 168), "each field has a line in around_fields");
_Static_assert(IS_SIZE(em__ledger_setup, 128), "each field has a line in setup_fields");
_Static_assert(sizeof((em__ledger_setup *)0)->unmeasured / sizeof(int32_t) == 8, "each has a line in setup_fields");
_Static_assert(COUNT(channel_fields) <= EM__MOST_FIELDS && COUNT(around_fields) <= EM__MOST_FIELDS, "bits of a number");

void em__trace_frame(em__bytes *to, em__record_kind kind, const void *payload, size_t length)
{
    const unsigned char first = (unsigned char)kind;
    size_t start = to->length;
    em__bytes_add(to, &first, 1);
    em__bytes_number(to, length);
    em__bytes_add(to, payload, length);
    if (!to->failed) {
        uint32_t crc = em__crc32(0, to->data + start, to->length - start);
        const unsigned char sum[] = {(unsigned char)crc, (unsigned char)(crc >> 8), (unsigned char)(crc >> 16),
                                     (unsigned char)(crc >> 24)};
        em__bytes_add(to, sum, sizeof sum);
    }
}

void em__trace_put_setup(em__bytes *to, const em__trace_setup *setup)
{
    em__fields_encode(setup_fields, COUNT(setup_fields), setup, to);
}

void em__trace_put_channel(em__bytes *to, const em__trace_channel *channel)
{
    em__fields_encode(channel_fields, COUNT(channel_fields), channel, to);
}

void em__trace_put_around(em__bytes *to, const em__surroundings *around, size_t channel_count)
{
    em__fields_encode(around_fields, COUNT(around_fields), around, to);
    for (size_t i = 0; i < channel_count; i++) {
        em__bytes_number(to, around->costs_ns[i]);
    }
}

static int is_status(int32_t status)
{
    return status <= 0 && status > -100;
}

/* A few years: far beyond any use, and no sum of a few of them overflows. */
static int is_time(uint64_t ns)
{
    return ns < UINT64_C(1) << 57;
}

/* Traces of before these rates have none of them: no PUE is 0. */
static int has_rates(em__rates *rates)
{
    if (rates->pue == 0) {
        rates->pue = 1;
        rates->price_per_kwh = rates->embodied_kg = rates->lifetime_years = NAN;
    }
    return rates->g_per_kwh >= 0 && rates->g_per_kwh <= 1e6 && rates->pue >= 1 && rates->pue <= 1e3 &&
           !(rates->price_per_kwh < 0 || rates->price_per_kwh > 1e9) &&
           !(rates->embodied_kg < 0 || rates->embodied_kg > 1e12) &&
           !(rates->lifetime_years < 1e-9 || rates->lifetime_years > 1e6);
}

int em__trace_get_setup(em__cursor *from, char *texts, em__trace_setup *ret_setup)
{
    em__trace_setup read = {0};
    if (em__fields_decode(setup_fields, COUNT(setup_fields), from, &read, texts) < 0 || from->left > 0) {
        return EM_ERR_INVALID;
    }
    const em__ledger_setup *setup = &read.setup;
    int is_good = setup->count <= EM__TRACE_CHANNELS && is_time(setup->interval_ns) && is_time(setup->patience_ns) &&
                  has_rates(&read.setup.rates);
    for (int i = 0; i < EM_DOMAINS; i++) {
        is_good &= is_status(setup->unmeasured[i]) && (i <= EM_DOMAIN_OTHER || setup->unmeasured[i] == EM_OK);
    }
    if (!is_good) {
        return EM_ERR_INVALID;
    }
    *ret_setup = read;
    return EM_OK;
}

/* To another channel, or 0. */
static int is_distance(int32_t distance, size_t index, size_t count)
{
    int64_t to = (int64_t)index + distance;
    return to >= 0 && to < (int64_t)count;
}

static int is_usable(const em__channel *facts, size_t index, size_t count)
{
    return is_distance(facts->shaped_by, index, count) && is_distance(facts->gauge, index, count) &&
           is_time(facts->sparing_interval_ns) && is_time(facts->interval_ns) && facts->domain >= EM_DOMAIN_CPU &&
           facts->domain <= EM_DOMAIN_OTHER && facts->kind >= EM_KIND_COUNTER && facts->kind <= EM_KIND_MODEL &&
           facts->covers <= EM__COVERS_DOMAIN && is_status(facts->status) && facts->scale_den > 0 &&
           is_time(facts->refresh_ns) && facts->gain >= 0 && facts->gain <= 1e6;
}

int em__trace_get_channel(em__cursor *from, size_t index, size_t channel_count, em__trace_channel *ret_channel)
{
    em__trace_channel read = {0};
    char no_texts[1];
    if (em__fields_decode(channel_fields, COUNT(channel_fields), from, &read, no_texts) < 0 || from->left > 0 ||
        !is_usable(&read.facts, index, channel_count)) {
        return EM_ERR_INVALID;
    }
    *ret_channel = read;
    return EM_OK;
}

int em__trace_get_around(em__cursor *from, size_t channel_count, char *texts, uint64_t *costs_ns,
                         em__surroundings *ret_around)
{
    em__surroundings read = {0};
    if (em__fields_decode(around_fields, COUNT(around_fields), from, &read, texts) < 0) {
        return EM_ERR_INVALID;
    }
    for (size_t i = 0; i < channel_count; i++) {
        costs_ns[i] = em__cursor_number(from);
    }
    if (from->failed || from->left > 0) {
        return EM_ERR_INVALID;
    }
    read.costs_ns = costs_ns;
    *ret_around = read;
    return EM_OK;
}
