/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A summary's JSON, of any origin, as the object that it was written from. */
#include "core/text.h"
#include "core/units.h"
#include "metrics/items.h"
#include "metrics/summary.h"
#include "reports/field.h"
#include "reports/layout.h"
#include "reports/summary.h"
#include "reports/summary_reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1, DEVICES = 8192, WINDOWS = 8192, MISSING = 8192, LINES = 512, POINTS = 1 << 18 };
enum { WHERE = 96 };
static const double most_j = 1e12, most_total_j = 1e18, most_g = 1e15; /* of a device, of all of them */
static const double rounding_j = 1e-3, rounding = 1e-6;

/* ----------------------------------------------------------------------------------------------------------- groups */

static double real(em__summary_reader *r, const em__json_node *node, const char *where, const char *key)
{
    return em__field_real(&r->fields, node, where, key, 0, most_total_j, EM__NULLABLE);
}

static void read_doubt(em__summary_reader *r, const em__json_node *node, const char *where, em_energy *energy)
{
    energy->uncertainty_j = real(r, node, where, "uncertainty_j");
    energy->gain_j = real(r, node, where, "uncertainty_gain_j");
    energy->edge_j = real(r, node, where, "uncertainty_edge_j");
}

/* Documents of before items have none. with_items: NULL, or where a row tells how many windows carry some. */
static void read_items(em__summary_reader *r, const em__json_node *node, const char *where, const char *with_items,
                       em_group *group)
{
    em__fields *fields = &r->fields;
    int has_items = em__json_member(node, "items") && em__json_member(node, "items")->type != EM__JSON_NULL;
    uint64_t windows = has_items ? 1 : 0;
    if (has_items && with_items) {
        windows = em__field_count(fields, node, where, with_items);
    }
    group->items = has_items ? em__field_count(fields, node, where, "items") : 0;
    double energy_j = em__field_real(fields, node, where, "energy_per_item_j", 0, most_total_j, EM__OPTIONAL);
    double doubt_j =
        em__field_real(fields, node, where, "energy_per_item_uncertainty_j", 0, most_total_j, EM__OPTIONAL);
    if (group->items > EM_MOST_ITEMS) {
        em__field_fail(fields, where, "items", "are more than any summary holds");
    } else if (has_items && windows == 0) {
        em__field_fail(fields, where, with_items, "is 0, and there are items");
    }
    group->per_item = em__per_item_of(energy_j, doubt_j, windows);
}

static void read_group(em__summary_reader *r, const em__json_node *node, const char *where, int32_t kind,
                       const char *name)
{
    em_group group = {.size = sizeof group, .kind = kind, .process_cpu_share = NAN};
    group.name = em__summary_keep(r->summary, name);
    group.count = em__field_count(&r->fields, node, where, "count");
    group.duration_ns = group.distinct_ns = em__field_seconds(&r->fields, node, where, "total_duration_s", 0);
    group.total.energy_j = group.total.counted_j = real(r, node, where, "total_energy_j");
    group.distinct.energy_j = group.distinct.counted_j = real(r, node, where, "distinct_energy_j");
    group.carbon_g = em__field_real(&r->fields, node, where, "total_carbon_g", 0, most_g, EM__NULLABLE);
    group.cost = em__field_real(&r->fields, node, where, "cost", 0, most_total_j, EM__OPTIONAL);
    group.embodied_g = em__field_real(&r->fields, node, where, "embodied_g", 0, most_total_j, EM__OPTIONAL);
    read_doubt(r, node, where, &group.total);
    read_items(r, node, where, "windows_with_items", &group);
    group.total.status = isnan(group.total.energy_j) ? EM_ERR_UNAVAILABLE : EM_OK;
    group.distinct.status = isnan(group.distinct.energy_j) ? EM_ERR_UNAVAILABLE : EM_OK;
    for (size_t i = 0; i < EM_DOMAINS; i++) {
        group.by_domain[i].energy_j = NAN;
    }
    if (r->fields.status == EM_OK && group.count > 0) {
        r->summary->groups[r->summary->group_count++] = group;
    }
}

static void read_groups(em__summary_reader *r, const em__json_node *root, const em__json_node *windows)
{
    const em__json_node *batches = em__field_object(&r->fields, root, "", "batch_summary", 0);
    read_group(r, batches, "batch_summary.", EM_WINDOW_BATCH, NULL);
    const em__json_node *epochs = em__field_object(&r->fields, root, "", "epoch_summary", 0);
    read_group(r, epochs, "epoch_summary.", EM_WINDOW_EPOCH, NULL);
    for (const em__json_node *row = windows ? windows->first : NULL; row; row = row->next) {
        char where[WHERE];
        em__print(where, sizeof where, "windows[\"%.60s\"].", row->key);
        if (strlen(row->key) != row->key_length || row->type != EM__JSON_OBJECT) {
            em__field_fail(&r->fields, where, "", "is no window");
        } else if (em__json_member(windows, row->key) == row) {
            read_group(r, row, where, EM_WINDOW_OTHER, row->key);
        }
    }
}

/* ---------------------------------------------------------------------------------------------------------- devices */

static const char *read_lines(em__summary_reader *r, const em__json_node *node, const char *where)
{
    const em__json_node *lines = em__field_array(&r->fields, node, where, "reasons", LINES);
    em__text text = {0};
    for (const em__json_node *line = lines ? lines->first : NULL; line; line = line->next) {
        if (line->type != EM__JSON_STRING || strlen(line->text) != line->length) {
            em__field_fail(&r->fields, where, "reasons", "holds what is no sentence");
            break;
        }
        em__text_add(&text, line->text);
        em__text_add(&text, "\n");
    }
    char *words = em__text_finish(&text, NULL);
    const char *kept = words ? em__summary_keep(r->summary, words) : NULL;
    r->summary->failed |= !words;
    free(words);
    return kept;
}

static void read_points(em__summary_reader *r, const em__json_node *node, const char *where, size_t index)
{
    const em_summary *summary = r->summary;
    em__summary_device *device = &r->summary->devices[index];
    const em__json_node *list = em__field_array(&r->fields, node, where, "points", POINTS);
    em__summary_point *points = list && list->count ? calloc(list->count, sizeof *points) : NULL;
    r->summary->failed |= list && list->count && !points;
    device->points = points;
    size_t count = 0;
    for (const em__json_node *pair = points ? list->first : NULL; pair; pair = pair->next) {
        const em__json_node *time = pair->type == EM__JSON_ARRAY && pair->count == 2 ? pair->first : NULL;
        double energy_j = time ? em__json_number(time->next) : NAN;
        em__summary_point point = {.energy_j = energy_j};
        if (!time || em__field_ns(time, &point.t_ns) != 0 || !(energy_j >= 0 && energy_j <= most_j)) {
            em__field_fail(&r->fields, where, "points", "holds what is no pair of a time and an energy");
            return;
        }
        const em__summary_point *last = count > 0 ? &points[count - 1] : NULL;
        if (last && (point.t_ns < last->t_ns || energy_j < last->energy_j - rounding_j - rounding * energy_j)) {
            em__field_fail(&r->fields, where, "points", "goes back in time or energy");
            return;
        }
        points[count++] = point;
    }
    device->point_count = count;
    int is_timed = summary->facts.end_ns > 0;
    if (count > 0 && is_timed &&
        (points[0].t_ns + 1000 < summary->facts.begin_ns || points[count - 1].t_ns > summary->facts.end_ns + 1000)) {
        em__field_fail(&r->fields, where, "points", "goes beyond scope.t_begin and scope.t_end");
    } else if (count > 0 &&
               fabs(points[count - 1].energy_j - device->counted_j) > rounding_j + rounding * device->counted_j) {
        em__field_fail(&r->fields, where, "points", "ends at another energy than energy_j");
    }
}

/* Of what was merged: the stretches in which it was measured. */
static void read_spans(em__summary_reader *r, const em__json_node *node, const char *where, size_t index)
{
    em__summary_device *device = &r->summary->devices[index];
    if (!em__json_member(node, "spans") || device->point_count < 2) {
        return;
    }
    const em__json_node *list = em__field_array(&r->fields, node, where, "spans", POINTS);
    em__summary_span *spans = list && list->count ? calloc(list->count, sizeof *spans) : NULL;
    uint64_t last_ns = device->points[0].t_ns;
    size_t count = 0;
    r->summary->failed |= list && list->count && !spans;
    device->spans = spans;
    for (const em__json_node *pair = spans ? list->first : NULL; pair; pair = pair->next) {
        const em__json_node *from = pair->type == EM__JSON_ARRAY && pair->count == 2 ? pair->first : NULL;
        em__summary_span *span = &spans[count];
        if (!from || em__field_ns(from, &span->from_ns) != 0 || em__field_ns(from->next, &span->to_ns) != 0 ||
            span->from_ns < last_ns || span->to_ns <= span->from_ns ||
            span->to_ns > device->points[device->point_count - 1].t_ns) {
            em__field_fail(&r->fields, where, "spans", "holds what is no stretch of time among its points");
            return;
        }
        last_ns = span->to_ns;
        count++;
    }
    device->span_count = count;
}

/* Documents without the key: names are the interface, and begin with what they are of. */
static int32_t domain_of(const char *name)
{
    return strstr(name, "dram")                ? EM_DOMAIN_DRAM
           : strncmp(name, "gpu-", 4) == 0     ? EM_DOMAIN_GPU
           : strncmp(name, "cpu-", 4) == 0     ? EM_DOMAIN_CPU
           : strncmp(name, "platform", 8) == 0 ? EM_DOMAIN_PLATFORM
                                               : EM_DOMAIN_OTHER;
}

static void read_energy(em__summary_reader *r, const em__json_node *row, const char *where, size_t index)
{
    static const int32_t kinds[] = {[EM_FROM_MEASURED] = EM_KIND_COUNTER,
                                    [EM_FROM_INTEGRATED] = EM_KIND_GAUGE,
                                    [EM_FROM_ESTIMATED] = EM_KIND_MODEL};
    em_energy energy = {.gap_ns = 0};
    energy.energy_j = energy.counted_j = em__field_real(&r->fields, row, where, "energy_j", 0, most_j, 0);
    energy.provenance = em__field_word(&r->fields, row, where, "provenance", em__reports_provenance, 3);
    energy.resolution = em__field_word(&r->fields, row, where, "resolution", em__reports_resolution, 3);
    energy.period_ns = em__field_seconds(&r->fields, row, where, "update_period_s", EM__NULLABLE);
    const char *from = em__field_text(&r->fields, row, where, "update_period_from", EM__NULLABLE);
    energy.notes = from && strcmp(from, "assumed") == 0 ? EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED) : 0;
    read_doubt(r, row, where, &energy);
    r->summary->energies[index] = energy;
    int is_sensor = from && strcmp(from, "model") != 0; /* that estimates, as a kernel's energy model does */
    r->summary->channels[index].kind =
        energy.provenance == EM_FROM_ESTIMATED && is_sensor ? EM_KIND_GAUGE : kinds[energy.provenance];
    r->summary->said[index] = read_lines(r, row, where);
}

/* Of a summary of several boots each device names its own. */
static void read_boot(em__summary_reader *r, const em__json_node *node, const char *where, size_t index)
{
    const em__summary_facts *facts = &r->summary->facts;
    em__summary_device *device = &r->summary->devices[index];
    int has_several = 0, is_of_one = 0;
    if (facts->boot_id || facts->rank_count == 0 || !em__json_member(node, "boot_id")) {
        is_of_one = 1;
    } else {
        device->host = em__summary_keep(r->summary, em__field_text(&r->fields, node, where, "host", EM__NULLABLE));
        device->boot_id = em__summary_keep(r->summary, em__field_text(&r->fields, node, where, "boot_id", 0));
    }
    const char *first = NULL;
    for (size_t i = 0; i < facts->rank_count && !facts->boot_id; i++) {
        const char *boot_id = facts->ranks[i].boot_id;
        has_several |= first && boot_id && strcmp(first, boot_id) != 0;
        is_of_one |= device->boot_id && boot_id && strcmp(device->boot_id, boot_id) == 0;
        first = first ? first : boot_id;
    }
    if (!is_of_one || (has_several && !device->boot_id)) {
        em__field_fail(&r->fields, where, "boot_id", "is none of those in scope.ranks");
    }
}

static void read_device(em__summary_reader *r, const em__json_node *node, const em__json_node *rows, size_t index)
{
    char where[WHERE];
    em__print(where, sizeof where, "scope.devices[%zu].", index);
    const char *name = em__field_text(&r->fields, node, where, "channel", 0);
    em_channel channel = {.size = sizeof channel, .name = name, .sensor = "", .source = "", .reason = "", .of = -1};
    const char *sensor = em__field_text(&r->fields, node, where, "sensor", EM__OPTIONAL);
    channel.sensor = sensor ? sensor : "";
    channel.uuid = em__field_text(&r->fields, node, where, "uuid", EM__NULLABLE);
    channel.device_name = em__field_text(&r->fields, node, where, "name", 0);
    channel.role = EM_ROLE_COUNTED;
    channel.power_w = NAN;
    channel.energy_j = em__field_real(&r->fields, node, where, "energy_j", 0, most_j, 0);
    if (r->fields.status != EM_OK) {
        return;
    }
    channel.domain = em__json_member(node, "domain")
                         ? em__field_word(&r->fields, node, where, "domain", em__reports_domain, EM_DOMAIN_OTHER + 1)
                         : domain_of(name);
    em__summary_set_channel(r->summary, index, &channel);
    r->summary->devices[index].counted_j = channel.energy_j;
    read_boot(r, node, where, index);
    for (size_t i = 0; i < index; i++) {
        if (r->summary->names[i] && r->summary->names[index] &&
            strcmp(r->summary->names[i], r->summary->names[index]) == 0) {
            em__field_fail(&r->fields, where, "channel", "is there twice");
        }
    }
    read_points(r, node, where, index);
    read_spans(r, node, where, index);
    const em__json_node *row = em__field_object(&r->fields, rows, "run.channels.", name, 0);
    em__print(where, sizeof where, "run.channels.%.64s.", name);
    if (row) {
        read_energy(r, row, where, index);
    }
    if (r->fields.status == EM_OK &&
        fabs(r->summary->energies[index].energy_j - channel.energy_j) > rounding_j + rounding * channel.energy_j) {
        em__field_fail(&r->fields, where, "energy_j", "is not that of the same channel in scope.devices");
    }
}

/* -------------------------------------------------------------------------------------------------------------- run */

static void read_missing(em__summary_reader *r, const em__json_node *list)
{
    for (const em__json_node *entry = list ? list->first : NULL; entry; entry = entry->next) {
        const char *channel = em__field_text(&r->fields, entry, "run.missing[].", "channel", EM__NULLABLE);
        const char *reason = em__field_text(&r->fields, entry, "run.missing[].", "reason", EM__NULLABLE);
        em__summary_miss(r->summary, channel, reason);
    }
}

static void read_run(em__summary_reader *r, const em__json_node *run)
{
    static const struct {
        const char *key;
        int32_t domain;
    } parts[] = {{"cpu_energy_j", EM_DOMAIN_CPU},
                 {"gpu_energy_j", EM_DOMAIN_GPU},
                 {"dram_energy_j", EM_DOMAIN_DRAM},
                 {"other_energy_j", EM_DOMAIN_OTHER}};
    em__fields *fields = &r->fields;
    em__summary_facts *facts = &r->summary->facts;
    em_group group = {.size = sizeof group, .kind = EM_WINDOW_RUN, .count = 1};
    group.duration_ns = group.distinct_ns = em__field_seconds(fields, run, "run.", "duration_s", 0);
    group.total.energy_j = group.total.counted_j = em__field_real(fields, run, "run.", "energy_j", 0, most_total_j, 0);
    group.carbon_g = em__field_real(fields, run, "run.", "carbon_g", 0, most_g, 0);
    group.cost = em__field_real(fields, run, "run.", "cost", 0, most_total_j, EM__OPTIONAL);
    group.embodied_g = em__field_real(fields, run, "run.", "embodied_g", 0, most_total_j, EM__OPTIONAL);
    for (size_t i = 0; i < EM_DOMAINS; i++) {
        group.by_domain[i].energy_j = group.by_domain[i].counted_j = NAN;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        em_energy *part = &group.by_domain[parts[i].domain];
        part->energy_j = part->counted_j = real(r, run, "run.", parts[i].key);
    }
    const em__json_node *from = em__field_object(fields, run, "run.", "energy_by_provenance", 0);
    for (int32_t i = EM_FROM_MEASURED; i <= EM_FROM_ESTIMATED; i++) {
        const char *where = "run.energy_by_provenance.";
        group.by_provenance_j[i] = em__field_real(fields, from, where, em__reports_provenance(i), 0, most_total_j, 0);
        group.total.provenance = group.by_provenance_j[i] > 0 ? i : group.total.provenance;
    }
    read_doubt(r, run, "run.", &group.total);
    read_items(r, run, "run.", NULL, &group);
    group.total.resolution = em__field_word(fields, run, "run.", "resolution", em__reports_resolution, 3);
    r->summary->said[r->summary->channel_count] = read_lines(r, run, "run.");
    facts->run_is_complete = em__field_flag(fields, run, "run.", "complete", 0) == 1;
    facts->run_is_final = em__field_flag(fields, run, "run.", "final", 0) == 1;
    group.total.status = facts->run_is_complete ? EM_OK : EM_ERR_READ;
    group.process_cpu_share = em__field_real(fields, run, "run.", "process_cpu_share", 0, 1, EM__NULLABLE);
    if (em__json_member(run, "process_cpu_share_reason")) {
        const char *reason = em__field_text(fields, run, "run.", "process_cpu_share_reason", EM__NULLABLE);
        group.process_cpu_share_reason = em__summary_keep(r->summary, reason);
    }
    facts->in_epochs_j = real(r, run, "run.", "in_epochs_j");
    facts->in_batches_j = real(r, run, "run.", "in_batches_j");
    facts->outside_windows_j = real(r, run, "run.", "outside_windows_j");
    facts->unions_are_unknown =
        isnan(facts->in_epochs_j) || isnan(facts->in_batches_j) || isnan(facts->outside_windows_j);
    group.distinct = group.total;
    r->summary->groups[0] = group;
}

static void check_sum(em__summary_reader *r)
{
    double sum_j = 0, run_j = r->summary->groups[0].total.energy_j;
    for (size_t i = 0; i < r->summary->channel_count; i++) {
        sum_j += r->summary->devices[i].counted_j;
    }
    if (fabs(sum_j - run_j) > rounding_j + rounding * run_j) {
        em__field_fail(&r->fields, "run.", "energy_j", "is not the sum of scope.devices");
    }
}

/* --------------------------------------------------------------------------------------------------------- the whole */

static void read_document(em__summary_reader *r, const em__json_node *root)
{
    em__fields *fields = &r->fields;
    const em__json_node *scope = em__field_object(fields, root, "", "scope", 0);
    const em__json_node *devices = em__field_array(fields, scope, "scope.", "devices", DEVICES);
    const em__json_node *run = em__field_object(fields, root, "", "run", 0);
    const em__json_node *rows = em__field_object(fields, run, "run.", "channels", 0);
    const em__json_node *missing = em__field_array(fields, run, "run.", "missing", MISSING);
    const em__json_node *windows = em__field_object(fields, root, "", "windows", 0);
    if (windows && windows->count > WINDOWS) {
        em__field_fail(fields, "", "windows", "has more names than any summary");
    }
    if (fields->status != EM_OK) {
        return;
    }
    r->summary = em__summary_alloc_flat(devices->count, windows->count + 3, missing->count);
    if (!r->summary) {
        fields->status = EM_ERR_NO_MEMORY;
        return;
    }
    r->summary->group_count = 1;
    em__summary_read_facts(r, root);
    em__summary_read_scope(r, scope);
    read_run(r, run);
    read_missing(r, missing);
    size_t index = 0;
    for (const em__json_node *node = devices->first; node && fields->status == EM_OK; node = node->next) {
        read_device(r, node, rows, index++);
    }
    if (rows->count != devices->count) {
        em__field_fail(fields, "run.", "channels", "and scope.devices are not of the same channels");
    }
    check_sum(r);
    read_groups(r, root, windows);
    if (fields->status == EM_OK && r->summary->failed) {
        fields->status = EM_ERR_NO_MEMORY;
    }
}

int em__reports_refuse_json(em_error *ret_error, int error, size_t offset, size_t length)
{
    const char *remedy = "give the text that json.dumps(meter.summary()) or em_summary_format gives, whole";
    if (error == -ENOMEM) {
        return EM_ERR_NO_MEMORY;
    }
    return em__summary_refuse(ret_error, EM_ERR_INVALID, "json", remedy, "the text %s at byte %zu of %zu",
                              error == -E2BIG ? "is larger or deeper than any summary" : "is no JSON", offset, length);
}

int em__reports_read(const em__json_node *root, em_error *ret_error, em_summary **ret_summary)
{
    em__summary_reader r = {.fields = {.error = ret_error}};
    if (root->type != EM__JSON_OBJECT) {
        em__field_fail(&r.fields, "", "the text", "is not a JSON object");
    }
    double schema = em__field_real(&r.fields, root, "", "schema", 0, 1e9, 0);
    if (r.fields.status == EM_OK && schema != SCHEMA) {
        char words[64];
        em__print(words, sizeof words, "is %d, and this version reads %d", (int)schema, (int)SCHEMA);
        em__field_fail(&r.fields, "", "schema", words);
    }
    if (r.fields.status == EM_OK) {
        read_document(&r, root);
    }
    if (r.fields.status != EM_OK) {
        em_summary_destroy(r.summary);
        return r.fields.status;
    }
    *ret_summary = r.summary;
    return EM_OK;
}

int em_summary_parse(const char *json, size_t length, em_error *ret_error, em_summary **ret_summary)
{
    if (!json || !ret_summary) {
        return EM_ERR_INVALID;
    }
    em__json *document = NULL;
    size_t offset = 0;
    int error = em__json_parse(json, length, &document, &offset);
    if (error < 0) {
        return em__reports_refuse_json(ret_error, error, offset, length);
    }
    int status = em__reports_read(em__json_root(document), ret_error, ret_summary);
    em__json_destroy(document);
    return status;
}
