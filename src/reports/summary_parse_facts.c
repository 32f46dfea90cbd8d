/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Of a summary's JSON what it says beside energies: where, when and how it was measured. */
#include "core/units.h"
#include "metrics/summary.h"
#include "reports/summary_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RANKS = 65536, DEFAULT_YEARS = 9999 };
static const double most_rate = 1e12, most_pue = 1e3;

/* Days from a date of the Gregorian calendar back to 1970-01-01, the reverse of what summary.c does. */
static uint64_t days_to(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t shifted = year - (month <= 2), era = shifted / 400, year_of_era = shifted % 400;
    uint64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/* "2024-02-28T23:59:59.123456Z" */
static uint64_t read_start(em__summary_reader *r, const em__json_node *node, const char *where)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
    static const struct {
        size_t at, length;
    } places[] = {{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}, {20, 6}};
    uint64_t values[sizeof places / sizeof *places] = {0};
    const char *text = em__field_text(&r->fields, node, where, "started_at", 0);
    int is_time = text && strlen(text) == sizeof shape - 1;
    for (size_t i = 0; is_time && shape[i]; i++) {
        is_time = shape[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == shape[i];
    }
    for (size_t i = 0; is_time && i < sizeof places / sizeof *places; i++) {
        for (size_t k = 0; k < places[i].length; k++) {
            values[i] = 10 * values[i] + (uint64_t)(text[places[i].at + k] - '0');
        }
    }
    is_time = is_time && values[0] >= 1970 && values[0] <= 2500 && values[1] >= 1 && values[1] <= 12 && values[2] >= 1;
    if (!is_time) {
        em__field_fail(&r->fields, where, "started_at", "is no time like 2024-02-28T23:59:59.123456Z");
        return 0;
    }
    uint64_t seconds = days_to(values[0], values[1], values[2]) * 86400 + values[3] * 3600 + values[4] * 60 + values[5];
    return seconds * EM__NS_PER_S + values[6] * 1000;
}

static int64_t read_pid(em__summary_reader *r, const em__json_node *node, const char *where)
{
    double pid = em__field_real(&r->fields, node, where, "pid", 0, 9e15, EM__NULLABLE);
    return isnan(pid) ? -1 : (int64_t)pid;
}

static void read_ranks(em__summary_reader *r, const em__json_node *scope)
{
    if (!em__json_member(scope, "ranks")) {
        return;
    }
    const em__json_node *list = em__field_array(&r->fields, scope, "scope.", "ranks", RANKS);
    em__summary_rank *ranks = list ? calloc(list->count + 1, sizeof *ranks) : NULL;
    r->summary->failed |= list && !ranks;
    r->summary->facts.ranks = ranks;
    const char *where = "scope.ranks[].";
    for (const em__json_node *node = ranks ? list->first : NULL; node; node = node->next) {
        em__summary_rank *rank = &ranks[r->summary->facts.rank_count++];
        const char *host = em__field_text(&r->fields, node, where, "host", EM__NULLABLE);
        const char *boot_id = em__field_text(&r->fields, node, where, "boot_id", EM__NULLABLE);
        rank->host = em__summary_keep(r->summary, host);
        rank->boot_id = em__summary_keep(r->summary, boot_id);
        rank->pid = read_pid(r, node, where);
        rank->begin_ns = em__field_seconds(&r->fields, node, where, "t_begin", 0);
        rank->end_ns = em__field_seconds(&r->fields, node, where, "t_end", 0);
        rank->run_ns = em__field_seconds(&r->fields, node, where, "duration_s", 0);
        rank->begin_wall_ns = read_start(r, node, where);
        if (rank->end_ns < rank->begin_ns) {
            em__field_fail(&r->fields, where, "t_end", "lies before t_begin");
            return;
        }
    }
}

void em__summary_read_scope(em__summary_reader *r, const em__json_node *scope)
{
    em__fields *fields = &r->fields;
    em__summary_facts *facts = &r->summary->facts;
    facts->host = em__summary_keep(r->summary, em__field_text(fields, scope, "scope.", "host", EM__NULLABLE));
    facts->boot_id = em__summary_keep(r->summary, em__field_text(fields, scope, "scope.", "boot_id", EM__NULLABLE));
    facts->pid = read_pid(r, scope, "scope.");
    facts->begin_ns = em__field_seconds(fields, scope, "scope.", "t_begin", EM__NULLABLE);
    facts->end_ns = em__field_seconds(fields, scope, "scope.", "t_end", EM__NULLABLE);
    if (facts->end_ns < facts->begin_ns) {
        em__field_fail(fields, "scope.", "t_end", "lies before scope.t_begin");
    }
    facts->begin_wall_ns = read_start(r, scope, "scope.");
    read_ranks(r, scope);
}

static em__summary_tdp read_tdp(em__summary_reader *r, const em__json_node *tdp, const char *key)
{
    em__summary_tdp model = {.each_w = NAN};
    const em__json_node *node = em__field_object(&r->fields, tdp, "tdp.", key, EM__NULLABLE);
    if (node) {
        model.each_w = em__field_real(&r->fields, node, "tdp.", "each_w", 0, 1e9, 0);
        model.count = em__field_real(&r->fields, node, "tdp.", "count", 0, 1e9, 0);
        model.from = em__summary_keep(r->summary, em__field_text(&r->fields, node, "tdp.", "from", EM__NULLABLE));
    }
    return model;
}

/* Documents of before these rates were kept have no PUE: it was 1. */
static void read_carbon(em__summary_reader *r, const em__json_node *root)
{
    static const char where[] = "carbon_basis.";
    em__fields *fields = &r->fields;
    const em__json_node *basis = em__field_object(fields, root, "", "carbon_basis", 0);
    em_carbon carbon = {.size = sizeof carbon};
    em__rates rates;
    rates.g_per_kwh = em__field_real(fields, basis, where, "g_per_kwh", 0, 1e5, EM__NULLABLE);
    carbon.source = em__field_text(fields, basis, where, "source", EM__NULLABLE);
    double year = em__field_real(fields, basis, where, "year", 0, DEFAULT_YEARS, EM__NULLABLE);
    carbon.year = isnan(year) ? 0 : (int32_t)year;
    carbon.is_default = em__field_flag(fields, basis, where, "is_default", 0) == 1;
    carbon.zone = em__field_text(fields, basis, where, "zone", EM__OPTIONAL);
    carbon.zone_name = em__field_text(fields, basis, where, "zone_name", EM__OPTIONAL);
    carbon.location = em__field_text(fields, basis, where, "location", EM__OPTIONAL);
    carbon.method = em__field_text(fields, basis, where, "method", EM__OPTIONAL);
    carbon.pue_source = em__field_text(fields, basis, where, "pue_source", EM__OPTIONAL);
    int is_old = basis && !em__json_member(basis, "pue");
    rates.pue = is_old ? 1 : em__field_real(fields, basis, where, "pue", 1, most_pue, EM__NULLABLE);
    const em__json_node *given = em__field_object(fields, root, "", "rates", EM__OPTIONAL);
    rates.price_per_kwh = rates.embodied_kg = rates.lifetime_years = NAN;
    if (given) {
        rates.price_per_kwh = em__field_real(fields, given, "rates.", "price_per_kwh", 0, most_rate, EM__NULLABLE);
        rates.embodied_kg = em__field_real(fields, given, "rates.", "embodied_kg", 0, most_rate, EM__NULLABLE);
        rates.lifetime_years = em__field_real(fields, given, "rates.", "lifetime_years", 0, most_rate, EM__NULLABLE);
    }
    em__summary_set_carbon(r->summary, &carbon, &rates);
}

void em__summary_read_facts(em__summary_reader *r, const em__json_node *root)
{
    em__fields *fields = &r->fields;
    em__summary_facts *facts = &r->summary->facts;
    facts->device = em__summary_keep(r->summary, em__field_text(fields, root, "", "device", 0));
    facts->gpu_name = em__summary_keep(r->summary, em__field_text(fields, root, "", "gpu_name", EM__NULLABLE));
    facts->gpu_shared = em__field_flag(fields, root, "", "gpu_shared", EM__NULLABLE);
    read_carbon(r, root);
    const em__json_node *tdp = em__field_object(fields, root, "", "tdp", 0);
    facts->tdp_cpu = read_tdp(r, tdp, "cpu");
    facts->tdp_gpu = read_tdp(r, tdp, "gpu");
    const em__json_node *unused = em__field_array(fields, tdp, "tdp.", "unused", 2);
    for (const em__json_node *word = unused ? unused->first : NULL; word; word = word->next) {
        if (word->type != EM__JSON_STRING || strlen(word->text) != word->length) {
            em__field_fail(fields, "tdp.", "unused", "holds what is no name");
            return;
        }
        facts->tdp_unused[facts->tdp_unused_count++] = em__summary_keep(r->summary, word->text);
    }
    const em__json_node *overhead = em__field_object(fields, root, "", "overhead", 0);
    const char *where = "overhead.";
    facts->overhead.fraction = em__field_real(fields, overhead, where, "fraction", 0, 1e9, EM__NULLABLE);
    facts->overhead.limit = em__field_real(fields, overhead, where, "limit", 0, 1e9, EM__NULLABLE);
    facts->overhead.caller_s = em__field_real(fields, overhead, where, "caller_s", 0, 1e12, EM__NULLABLE);
    facts->overhead.sync_s = em__field_real(fields, overhead, where, "sync_s", 0, 1e12, 0);
}
