/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The devices of a merge: curves of each, their union, and what is said of it. */
#include "core/text.h"
#include "core/units.h"
#include "metrics/energy.h"
#include "metrics/merge.h"
#include "metrics/reasons.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FINE_PERIODS = 50, COARSE_PERIODS = 5, MOST_POINTS = EM__POINTS + 2, SLOP_NS = 1000000 };

static int64_t uj_of(double energy_j)
{
    return isfinite(energy_j) ? (int64_t)llround(energy_j * EM__UJ_PER_J) : 0;
}

static const em__summary_device *device_of(const em__merge *merge, const em__view_of *view)
{
    return &merge->parts[view->part].summary->devices[view->channel];
}

static const em_energy *energy_of(const em__merge *merge, const em__view_of *view)
{
    return &merge->parts[view->part].summary->energies[view->channel];
}

static double positive(double value)
{
    return isfinite(value) && value > 0 ? value : 0;
}

/* ----------------------------------------------------------------------------------------------------------- curves */

/* A part's own view of a silicon: one channel, or several that took turns. */
static em__curve curve_of(const em__merge *merge, const em__view_of *views, size_t count, em__track_point *points)
{
    const em__part *part = &merge->parts[views[0].part];
    const uint64_t run_ns = part->summary->groups[0].duration_ns, span_ns = part->end_ns - part->begin_ns;
    em__curve curve = {.part = views[0].part, .begin_ns = part->begin_ns, .end_ns = part->end_ns, .points = points};
    curve.is_whole = run_ns + SLOP_NS >= span_ns;
    double gain_j = 0, edge_variance = 0;
    for (size_t i = 0; i < count; i++) {
        const em_energy *energy = energy_of(merge, &views[i]);
        curve.energy_uj = em__add_uj(curve.energy_uj, uj_of(device_of(merge, &views[i])->counted_j));
        gain_j += positive(energy->gain_j);
        edge_variance += positive(energy->edge_j) * positive(energy->edge_j);
    }
    curve.gain = curve.energy_uj > 0 ? gain_j / em__joules(curve.energy_uj) : 0;
    curve.edge_j = sqrt(edge_variance);
    const em__summary_device *device = device_of(merge, &views[0]);
    if (count > 1 || device->point_count < 2) {
        return curve;
    }
    int64_t most_uj = 0;
    for (size_t i = 0; i < device->point_count; i++) {
        int64_t uj = uj_of(device->points[i].energy_j);
        most_uj = uj > most_uj ? uj : most_uj;
        points[i] = (em__track_point){device->points[i].t_ns, most_uj < curve.energy_uj ? most_uj : curve.energy_uj};
    }
    curve.count = device->point_count;
    curve.begin_ns = points[0].t_ns;
    curve.end_ns = points[curve.count - 1].t_ns;
    return curve;
}

/* Several channels of one silicon: their curves added up where each has points. */
static void add_turns(const em__merge *merge, const em__view_of *views, size_t count, em__curve *curve,
                      em__track_point *points)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (device_of(merge, &views[i])->point_count < 2) {
            return;
        }
    }
    /* Each channel's points lie in time order, and between two of them energy is a line; the sum bends at all of them. */
    uint64_t t_ns = device_of(merge, &views[0])->points[0].t_ns, next_ns = t_ns;
    for (int is_first = 1; is_first || next_ns > t_ns; is_first = 0) {
        int64_t sum_uj = 0;
        t_ns = next_ns;
        for (size_t i = 0; i < count; i++) {
            const em__summary_device *device = device_of(merge, &views[i]);
            size_t k = 0;
            while (k + 1 < device->point_count && device->points[k + 1].t_ns <= t_ns) {
                k++;
            }
            double energy_j = device->points[k].energy_j;
            if (k + 1 < device->point_count && t_ns > device->points[k].t_ns) {
                const em__summary_point *a = &device->points[k], *b = a + 1;
                energy_j += (b->energy_j - a->energy_j) * (double)(t_ns - a->t_ns) / (double)(b->t_ns - a->t_ns);
            }
            if (k + 1 < device->point_count && (next_ns == t_ns || device->points[k + 1].t_ns < next_ns)) {
                next_ns = device->points[k + 1].t_ns;
            }
            sum_uj = em__add_uj(sum_uj, uj_of(energy_j));
        }
        int64_t before_uj = used > 0 ? points[used - 1].energy_uj : 0;
        sum_uj = sum_uj > before_uj ? sum_uj : before_uj;
        points[used++] = (em__track_point){t_ns, sum_uj < curve->energy_uj ? sum_uj : curve->energy_uj};
    }
    points[used - 1].energy_uj = curve->energy_uj;
    curve->count = used;
    curve->begin_ns = points[0].t_ns;
    curve->end_ns = points[used - 1].t_ns;
}

static int refuse(const em__merge *merge, const char *name, em__pool_outcome outcome, const em__pooled *pooled)
{
    const em__part *one = &merge->parts[pooled->clash[0]->part], *other = &merge->parts[pooled->clash[1]->part];
    size_t index = pooled->clash[0]->part;
    if (outcome == EM__POOL_SHAPELESS) {
        int is_pointless = pooled->clash[0]->count < 2;
        return em__merge_refuse(merge, index,
                                is_pointless ? "give summaries whose scope.devices have points"
                                             : "keep one window of kind RUN open for the whole run, as Python does",
                                "%.64s: %s and %s measured it at the same time, and %s", name, one->who, other->who,
                                is_pointless ? "the first gives no points to tell what both saw"
                                             : "the first left out the time between its windows");
    }
    em__text text = {0};
    em__text_number(&text, round(1e3 * pooled->clash_j[0]) / 1e3);
    em__text_add(&text, " J, the other ");
    em__text_number(&text, round(1e3 * pooled->clash_j[1]) / 1e3);
    char *words = em__text_finish(&text, NULL);
    int status =
        em__merge_refuse(merge, index, "leave out the summary whose number is wrong (trace both to see why)",
                         "%.64s: %s and %s contradict each other: in the same %.0f ms one counted %s J", name, one->who,
                         other->who, (double)(pooled->clash_to_ns - pooled->clash_from_ns) / 1e6, words ? words : "");
    free(words);
    return status;
}

/* ----------------------------------------------------------------------------------------------------------- results */

/* The union's points, thinned to as many as any summary has. */
static int set_points(em_summary *summary, size_t index, const em__piece *pieces, const em__pooled *pooled)
{
    size_t total = 0, used = 0, seen = 0;
    for (size_t i = 0; i < pooled->piece_count; i++) {
        if (pieces[i].curve->count < 2) {
            return EM_OK;
        }
        total += pieces[i].curve->count;
    }
    em__summary_point *points = calloc(2 * pooled->piece_count + MOST_POINTS, sizeof *points);
    if (!points) {
        return EM_ERR_NO_MEMORY;
    }
    summary->devices[index].points = points;
    size_t room = MOST_POINTS > 2 * pooled->piece_count ? MOST_POINTS - 2 * pooled->piece_count : 1;
    size_t stride = (total + room - 1) / room;
    int64_t before_uj = 0;
    for (size_t i = 0; i < pooled->piece_count; i++) {
        const em__curve *curve = pieces[i].curve;
        int64_t skipped_uj = curve->energy_uj - pieces[i].energy_uj;
        points[used++] = (em__summary_point){pieces[i].from_ns, em__joules(before_uj)};
        for (size_t k = 0; k < curve->count; k++) {
            const em__track_point *point = &curve->points[k];
            if (point->t_ns > pieces[i].from_ns && point->t_ns < pieces[i].to_ns && ++seen % stride == 0) {
                int64_t uj = point->energy_uj > skipped_uj ? point->energy_uj - skipped_uj : 0;
                points[used++] = (em__summary_point){point->t_ns, em__joules(em__add_uj(before_uj, uj))};
            }
        }
        before_uj = em__add_uj(before_uj, pieces[i].energy_uj);
        points[used++] = (em__summary_point){pieces[i].to_ns, em__joules(before_uj)};
    }
    summary->devices[index].point_count = used;
    return EM_OK;
}

static int32_t resolution_of(uint64_t covered_ns, uint64_t period_ns)
{
    uint64_t periods = period_ns ? covered_ns / period_ns : FINE_PERIODS;
    return periods >= FINE_PERIODS     ? EM_RESOLUTION_FINE
           : periods >= COARSE_PERIODS ? EM_RESOLUTION_COARSE
                                       : EM_RESOLUTION_BELOW;
}

static void set_energy(const em__merge *merge, size_t index)
{
    const em__silicon *silicon = &merge->silicons[index];
    const em__pooled *pooled = &silicon->pooled;
    em_energy energy = {.energy_j = em__joules(pooled->energy_uj), .gain_j = pooled->gain_j, .edge_j = pooled->edge_j};
    energy.counted_j = energy.energy_j;
    energy.uncertainty_j = sqrt(energy.gain_j * energy.gain_j + energy.edge_j * energy.edge_j);
    for (size_t i = 0; i < silicon->count; i++) {
        const em__view_of *view = &merge->views[silicon->first + i];
        const em_energy *part = energy_of(merge, view);
        int32_t provenance = part->provenance;
        energy.provenance = provenance > energy.provenance ? provenance : energy.provenance;
        energy.period_ns = part->period_ns > energy.period_ns ? part->period_ns : energy.period_ns;
        energy.notes |= part->notes & EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED);
    }
    energy.resolution = resolution_of(pooled->covered_ns, energy.period_ns);
    merge->summary->energies[index] = energy;
    merge->summary->devices[index].counted_j = energy.energy_j;
}

static void set_channel(const em__merge *merge, size_t index)
{
    static const int32_t kinds[] = {[EM_FROM_MEASURED] = EM_KIND_COUNTER,
                                    [EM_FROM_INTEGRATED] = EM_KIND_GAUGE,
                                    [EM_FROM_ESTIMATED] = EM_KIND_MODEL};
    em_summary *summary = merge->summary;
    const em__view_of *view = &merge->views[merge->silicons[index].first];
    const em__part *part = &merge->parts[view->part];
    const em__summary_facts *facts = &merge->parts[part->boot].summary->facts;
    em_channel channel = part->summary->channels[view->channel];
    char name[256];
    em__copy(name, sizeof name, channel.name);
    if (merge->boot_count > 1) {
        int has_twin = 0;
        for (size_t i = 0; i < merge->count; i++) {
            const char *host = merge->parts[i].summary->facts.host;
            has_twin |= merge->parts[i].boot != part->boot && host && facts->host && strcmp(host, facts->host) == 0;
        }
        em__print(name, sizeof name, "%.64s%s%.8s/%.128s", facts->host ? facts->host : "host",
                  has_twin || !facts->host ? "-" : "", has_twin || !facts->host ? facts->boot_id : "", channel.name);
    }
    for (size_t i = 0; i < index; i++) {
        if (strcmp(summary->names[i], name) == 0 && channel.uuid) {
            size_t length = strlen(name);
            em__print(name + length, sizeof name - length, "#%s", channel.uuid);
            break;
        }
    }
    channel.name = name;
    channel.kind = kinds[summary->energies[index].provenance];
    channel.role = EM_ROLE_COUNTED;
    channel.of = -1;
    channel.power_w = NAN;
    channel.energy_j = summary->energies[index].energy_j;
    em__summary_set_channel(summary, index, &channel);
}

/* ----------------------------------------------------------------------------------------------------------- reasons */

static int has_line(const em__text *text, const char *line, size_t length)
{
    for (size_t at = 0; at + length <= text->length;) {
        const char *end = memchr(text->data + at, '\n', text->length - at);
        size_t found = end ? (size_t)(end - text->data) - at + 1 : text->length - at;
        if (found == length && memcmp(text->data + at, line, length) == 0) {
            return 1;
        }
        at += found;
    }
    return 0;
}

/* Lines that are not there yet. How long a part's window was says nothing of the union's. */
static void add_lines(em__text *text, const char *prefix, const char *lines)
{
    static const char about_length[] = "the window is ";
    for (const char *line = lines; line && *line;) {
        const char *end = strchr(line, '\n');
        size_t length = end ? (size_t)(end - line) + 1 : strlen(line);
        em__text whole = {0};
        em__text_add(&whole, prefix);
        em__text_bytes(&whole, line, length);
        int is_about_length = strncmp(line, about_length, sizeof about_length - 1) == 0;
        if (!is_about_length && !whole.failed && !has_line(text, whole.data, whole.length)) {
            em__text_bytes(text, whole.data, whole.length);
        }
        text->failed |= whole.failed;
        em__text_free(&whole);
        line += length;
    }
}

static const char *keep_text(em_summary *summary, em__text *text)
{
    char *words = em__text_finish(text, NULL);
    const char *kept = words ? em__summary_keep(summary, words) : NULL;
    summary->failed |= !words;
    free(words);
    return kept;
}

static void set_reasons(const em__merge *merge, size_t index)
{
    const em__silicon *silicon = &merge->silicons[index];
    em_energy length = merge->summary->energies[index];
    em__text text = {0};
    length.notes = 0;
    em__reasons_channel(&text, NULL, &length, silicon->pooled.covered_ns);
    for (size_t i = 0; i < silicon->count; i++) {
        const em__view_of *view = &merge->views[silicon->first + i];
        char *lines = NULL;
        if (em_summary_reasons(merge->parts[view->part].summary, 0, (int32_t)view->channel, &lines, NULL) != EM_OK) {
            merge->summary->failed = 1;
        }
        add_lines(&text, "", lines);
        free(lines);
    }
    merge->summary->said[index] = keep_text(merge->summary, &text);
}

/* Whether a line of a part's total is one of its channels'. */
static int is_of_a_channel(const em_summary *summary, const char *line)
{
    for (size_t i = 0; i < summary->channel_count; i++) {
        size_t length = strlen(summary->names[i]);
        if (strncmp(line, summary->names[i], length) == 0 && strncmp(line + length, ": ", 2) == 0) {
            return 1;
        }
    }
    return 0;
}

static void set_total_reasons(const em__merge *merge, double total_j)
{
    em_summary *summary = merge->summary;
    em__text text = {0};
    for (size_t i = 0; i < summary->channel_count && !summary->failed; i++) {
        if (20 * summary->devices[i].counted_j >= total_j) {
            char prefix[300];
            em__print(prefix, sizeof prefix, "%s: ", summary->names[i]);
            add_lines(&text, prefix, summary->said[i]);
        }
    }
    for (size_t i = 0; i < merge->count; i++) {
        const em_summary *part = merge->parts[i].summary;
        char *lines = NULL, *next;
        summary->failed |= em_summary_reasons(part, 0, -1, &lines, NULL) != EM_OK;
        for (char *line = lines; line && *line; line = next) {
            char *end = strchr(line, '\n');
            next = end ? end + 1 : line + strlen(line);
            if (end && !is_of_a_channel(part, line)) {
                char kept = *next;
                *next = '\0';
                add_lines(&text, "", line);
                *next = kept;
            }
        }
        free(lines);
    }
    if (merge->has_shared) {
        em__text_add(&text, "processes measured the same devices at the same time: the run counts each joule once, and "
                            "energies of windows that cannot be told apart are null\n");
    }
    summary->said[summary->channel_count] = keep_text(summary, &text);
}

/* ------------------------------------------------------------------------------------------------------------ totals */

/* Of what is independent, as devices are of each other. */
static double both(double a, double b)
{
    return sqrt(positive(a) * positive(a) + positive(b) * positive(b));
}

static void add_energy(em_energy *sum, const em_energy *energy)
{
    sum->gain_j = both(sum->gain_j, energy->gain_j);
    sum->edge_j = both(sum->edge_j, energy->edge_j);
    sum->uncertainty_j = both(sum->gain_j, sum->edge_j);
    sum->provenance = energy->provenance > sum->provenance ? energy->provenance : sum->provenance;
}

static void set_run(const em__merge *merge)
{
    em_summary *summary = merge->summary;
    em_group run = {.size = sizeof run, .kind = EM_WINDOW_RUN, .count = 1, .process_cpu_share = NAN};
    run.process_cpu_share_reason = "it is of one process, and these are several";
    em__u128 total_uj = 0, domains_uj[EM_DOMAINS] = {0}, provenances_uj[EM_PROVENANCES] = {0};
    for (size_t i = 0; i < EM_DOMAINS; i++) {
        run.by_domain[i].energy_j = run.by_domain[i].counted_j = NAN;
    }
    for (size_t i = 0; i < summary->channel_count; i++) {
        const em_energy *energy = &summary->energies[i];
        em__u128 uj = (em__u128)merge->silicons[i].pooled.energy_uj;
        int32_t domain = summary->channels[i].domain;
        total_uj += uj;
        domains_uj[domain] += uj;
        provenances_uj[energy->provenance] += uj;
        add_energy(&run.total, energy);
        add_energy(&run.by_domain[domain], energy);
        run.by_domain[domain].energy_j = run.by_domain[domain].counted_j = (double)domains_uj[domain] / EM__UJ_PER_J;
        run.carbon_g += merge->silicons[i].carbon_g;
        run.cost += merge->silicons[i].cost;
    }
    run.total.energy_j = run.total.counted_j = (double)total_uj / EM__UJ_PER_J;
    for (size_t i = 0; i < summary->channel_count; i++) {
        const em_energy *energy = &summary->energies[i];
        if (20 * energy->energy_j >= run.total.energy_j && energy->resolution > run.total.resolution) {
            run.total.resolution = energy->resolution;
        }
    }
    for (size_t i = 0; i < EM_PROVENANCES; i++) {
        run.by_provenance_j[i] = (double)provenances_uj[i] / EM__UJ_PER_J;
    }
    run.distinct = run.total;
    summary->groups[0] = run;
    set_total_reasons(merge, run.total.energy_j);
}

/* ------------------------------------------------------------------------------------------------------------- union */

static int pool_silicon(em__merge *merge, size_t index)
{
    em__silicon *silicon = &merge->silicons[index];
    const em__view_of *views = &merge->views[silicon->first];
    size_t room = 1;
    for (size_t i = 0; i < silicon->count; i++) {
        room += device_of(merge, &views[i])->point_count;
    }
    em__track_point *points = calloc(room + 1, sizeof *points);
    em__curve *curves = calloc(silicon->count + 1, sizeof *curves);
    em__piece *pieces = calloc(silicon->count + 1, sizeof *pieces);
    int status = points && curves && pieces ? EM_OK : EM_ERR_NO_MEMORY;
    size_t count = 0, used = 0;
    for (size_t i = 0, turns; status == EM_OK && i < silicon->count; i += turns) {
        for (turns = 1; i + turns < silicon->count && views[i + turns].part == views[i].part; turns++) {
        }
        curves[count] = curve_of(merge, &views[i], turns, points + used);
        if (turns > 1) {
            add_turns(merge, &views[i], turns, &curves[count], points + used);
        }
        used += curves[count++].count;
    }
    if (status == EM_OK) {
        const char *name = merge->parts[views[0].part].summary->names[views[0].channel];
        em__pool_outcome outcome = em__pool(curves, count, pieces, merge->is_shared, &silicon->pooled);
        status = outcome == EM__POOL_OK ? set_points(merge->summary, index, pieces, &silicon->pooled)
                                        : refuse(merge, name, outcome, &silicon->pooled);
    }
    for (size_t i = 0; status == EM_OK && i < silicon->pooled.piece_count; i++) {
        const em_group *run = &merge->parts[pieces[i].curve->part].summary->groups[0];
        if (run->total.energy_j > 0) {
            double part = em__joules(pieces[i].energy_uj) / run->total.energy_j;
            silicon->carbon_g += run->carbon_g > 0 ? part * run->carbon_g : 0;
            silicon->cost += part * run->cost;
        }
    }
    free(points);
    free(curves);
    free(pieces);
    return status;
}

int em__merge_devices(em__merge *merge)
{
    for (size_t i = 0; i < merge->silicon_count; i++) {
        int status = pool_silicon(merge, i);
        if (status != EM_OK) {
            return status;
        }
        set_energy(merge, i);
        set_channel(merge, i);
        set_reasons(merge, i);
        if (merge->summary->failed) {
            return EM_ERR_NO_MEMORY;
        }
    }
    for (size_t i = 0; i < merge->count; i++) {
        merge->has_shared |= merge->is_shared[i];
    }
    set_run(merge);
    return EM_OK;
}
