/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Two runs, or several of each: who used less, and whether that is more than the doubt (docs/measurement.md §7). */
#include "core/text.h"
#include "metrics/repeat.h"
#include "metrics/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const em_runs *runs;
    double energy_j, duration_s, edge_j, scatter_j2, freedom;
} side_of;

static double or_nothing(double value)
{
    return isfinite(value) ? value : 0;
}

static int is_counted(const em_summary *summary, size_t channel)
{
    return isfinite(summary->devices[channel].counted_j);
}

static int is_same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* The channel of the same name that entered the total; -1. */
static int64_t find(const em_summary *summary, const char *name)
{
    for (size_t i = 0; i < summary->channel_count; i++) {
        if (is_counted(summary, i) && is_same_text(summary->names[i], name)) {
            return (int64_t)i;
        }
    }
    return -1;
}

static int is_same_device(const em_channel *a, const em_channel *b)
{
    return is_same_text(a->uuid, b->uuid) && is_same_text(a->device_name, b->device_name);
}

static int refuse(em_error *ret_error, char side, size_t index, const char *what, const char *name)
{
    char argument[32];
    em__print(argument, sizeof argument, "%c[%zu]", side, index);
    return em__summary_refuse(ret_error, EM_ERR_INVALID, argument,
                              "compare runs of one machine, or force it: what sensors are off by then does not cancel",
                              "%s %.80s", what, name ? name : "that is unknown");
}

/* Whether all that is in one is in the other, measured in the same way. */
static int check_channels(const em_summary *one, const em_summary *first, char side, size_t index, em_error *ret_error)
{
    for (size_t i = 0; i < first->channel_count; i++) {
        if (!is_counted(first, i)) {
            continue;
        }
        const char *name = first->names[i];
        int64_t at = find(one, name);
        if (at < 0) {
            return refuse(ret_error, side, index, "it lacks a channel that the first one has:", name);
        }
        if (!is_same_device(&first->channels[i], &one->channels[at])) {
            return refuse(ret_error, side, index, "a channel is of another device than the first one's:", name);
        }
        if (first->energies[i].provenance != one->energies[at].provenance) {
            return refuse(ret_error, side, index, "a channel was measured in another way than the first one's:", name);
        }
    }
    return EM_OK;
}

static int check_one(const em_summary *one, const em_summary *first, char side, size_t index, em_error *ret_error)
{
    if (!one->facts.host || !first->facts.host || strcmp(one->facts.host, first->facts.host) != 0) {
        return refuse(ret_error, side, index, "it is of another host than the first one:", one->facts.host);
    }
    int status = check_channels(one, first, side, index, ret_error);
    if (status != EM_OK) {
        return status;
    }
    for (size_t i = 0; i < one->channel_count; i++) {
        if (is_counted(one, i) && find(first, one->names[i]) < 0) {
            return refuse(ret_error, side, index, "it has a channel that the first one lacks:", one->names[i]);
        }
    }
    return EM_OK;
}

static int check_all(const em_runs *a, const em_runs *b, em_error *ret_error)
{
    const em_summary *first = a->summaries[0];
    int status = EM_OK;
    for (size_t i = 1; status == EM_OK && i < a->count; i++) {
        status = check_one(a->summaries[i], first, 'a', i, ret_error);
    }
    for (size_t i = 0; status == EM_OK && i < b->count; i++) {
        status = check_one(b->summaries[i], first, 'b', i, ret_error);
    }
    return status;
}

/* Gain variance of what both have counts for the difference alone; of a model, which is off by different parts at
 * different loads, as far as the loads are alike. */
static double shared_gain_j2(double a_j, double b_j, int is_model, double likeness)
{
    double apart_j = b_j - a_j;
    return is_model ? a_j * a_j + b_j * b_j - 2 * likeness * a_j * b_j : apart_j * apart_j;
}

/* The mean of a channel's gain part, by name and device as in like; what is of another device is none. */
static double mean_gain_j(const em_runs *runs, const em_summary *like, size_t channel)
{
    double sum_j = 0;
    for (size_t i = 0; i < runs->count; i++) {
        const em_summary *one = runs->summaries[i];
        int64_t at = find(one, like->names[channel]);
        if (at >= 0 && is_same_device(&like->channels[channel], &one->channels[at]) &&
            is_same_text(one->facts.host, like->facts.host)) {
            sum_j += or_nothing(one->energies[at].gain_j);
        }
    }
    return sum_j / (double)runs->count;
}

static double gain_j2(const side_of *a, const side_of *b)
{
    const em_summary *first = a->runs->summaries[0], *other = b->runs->summaries[0];
    double a_w = a->energy_j / a->duration_s, b_w = b->energy_j / b->duration_s;
    double likeness = a_w > 0 && b_w > 0 && isfinite(a_w) && isfinite(b_w) ? fmin(a_w, b_w) / fmax(a_w, b_w) : 0;
    double sum_j2 = 0;
    for (size_t i = 0; i < first->channel_count; i++) {
        if (is_counted(first, i)) {
            int is_model = first->energies[i].provenance == EM_FROM_ESTIMATED;
            sum_j2 +=
                shared_gain_j2(mean_gain_j(a->runs, first, i), mean_gain_j(b->runs, first, i), is_model, likeness);
        }
    }
    for (size_t i = 0; i < other->channel_count; i++) {
        int64_t at = is_counted(other, i) ? find(first, other->names[i]) : -1;
        int is_shared = at >= 0 && is_same_device(&first->channels[at], &other->channels[i]) &&
                        is_same_text(first->facts.host, other->facts.host);
        if (is_counted(other, i) && !is_shared) {
            double alone_j = mean_gain_j(b->runs, other, i);
            sum_j2 += alone_j * alone_j;
        }
    }
    return sum_j2;
}

static int gather(side_of *side)
{
    em_repeat repeat = {.size = sizeof repeat};
    int status = em_summary_repeat(side->runs, &repeat);
    if (status != EM_OK) {
        return status;
    }
    double count = (double)repeat.count, edge_j2 = 0;
    for (size_t i = 0; i < repeat.count; i++) {
        double edge_j = or_nothing(side->runs->summaries[i]->groups[0].total.edge_j);
        edge_j2 += edge_j * edge_j;
    }
    side->energy_j = repeat.energy_j.mean;
    side->duration_s = repeat.duration_s.mean;
    side->edge_j = sqrt(edge_j2) / count;
    side->scatter_j2 = repeat.energy_j.sd * repeat.energy_j.sd / count; /* NAN of one run */
    side->freedom = count - 1;
    return EM_OK;
}

/* Welch: the 95 % interval of a difference of means whose variances are unknown. */
static double scatter_of(const side_of *a, const side_of *b)
{
    double sum = a->scatter_j2 + b->scatter_j2;
    double freedom =
        sum * sum / (a->scatter_j2 * a->scatter_j2 / a->freedom + b->scatter_j2 * b->scatter_j2 / b->freedom);
    return isnan(sum) ? NAN : sum > 0 ? em__student_t(freedom) * sqrt(sum) : 0;
}

static int is_given(const em_runs *runs)
{
    int is_whole = runs && runs->summaries && runs->count > 0;
    for (size_t i = 0; is_whole && i < runs->count; i++) {
        is_whole = runs->summaries[i] != NULL;
    }
    return is_whole;
}

int em_summary_compare(const em_runs *a, const em_runs *b, uint32_t flags, em_error *ret_error,
                       em_comparison *ret_comparison)
{
    if (!is_given(a) || !is_given(b) || !ret_comparison || ret_comparison->size < sizeof ret_comparison->size ||
        (flags & ~(uint32_t)EM_FORCE)) {
        return EM_ERR_INVALID;
    }
    int forced = (flags & EM_FORCE) != 0, is_comparable = check_all(a, b, forced ? NULL : ret_error) == EM_OK;
    if (!is_comparable && !forced) {
        return EM_ERR_INVALID;
    }
    side_of sides[2] = {{.runs = a}, {.runs = b}};
    int status = gather(&sides[0]);
    status = status ? status : gather(&sides[1]);
    if (status != EM_OK) {
        return status;
    }
    em_comparison answer = {.size = ret_comparison->size,
                            .difference_j = sides[1].energy_j - sides[0].energy_j,
                            .ratio = sides[0].energy_j > 0 ? sides[1].energy_j / sides[0].energy_j : NAN,
                            .gain_j = sqrt(gain_j2(&sides[0], &sides[1])),
                            .edge_j = sqrt(sides[0].edge_j * sides[0].edge_j + sides[1].edge_j * sides[1].edge_j),
                            .scatter_j = scatter_of(&sides[0], &sides[1]),
                            .is_comparable = is_comparable};
    double random_j = fmax(answer.edge_j, or_nothing(answer.scatter_j)); /* Edges differ from run to run, too. */
    answer.uncertainty_j = sqrt(answer.gain_j * answer.gain_j + random_j * random_j);
    answer.stands = fabs(answer.difference_j) > answer.uncertainty_j;
    memcpy(ret_comparison, &answer, answer.size < sizeof answer ? answer.size : sizeof answer);
    return EM_OK;
}
