/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* How the parts of a merge saw a device: curves of its energy. */
#include "core/units.h"
#include "metrics/energy.h"
#include "metrics/merge.h"

#include <math.h>
#include <stdlib.h>

enum { BREAK_UJ = 2000 /* what an energy may be off that was printed and read again */ };

static int64_t uj_of(double energy_j)
{
    return isfinite(energy_j) ? (int64_t)llround(energy_j * EM__UJ_PER_J) : 0;
}

static const em__summary_device *device_of(const em__merge *merge, const em__view_of *view)
{
    return &merge->parts[view->part].summary->devices[view->channel];
}

static double positive(double value)
{
    return isfinite(value) && value > 0 ? value : 0;
}

/* A part's own view of a silicon: one channel, or several that took turns. */
static em__curve curve_of(const em__merge *merge, const em__view_of *views, size_t count, em__track_point *points)
{
    const em__part *part = &merge->parts[views[0].part];
    em__curve curve = {.part = views[0].part, .begin_ns = part->begin_ns, .end_ns = part->end_ns, .points = points};
    curve.is_whole = part->is_whole;
    double gain_j = 0, edge_variance = 0;
    for (size_t i = 0; i < count; i++) {
        const em_energy *energy = &merge->parts[views[i].part].summary->energies[views[i].channel];
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

/* A curve that was merged before, as those that its breaks lie between. Where the spans are not those of its energy, it
 * stays one. The points lie in points. */
static size_t cut(const em__summary_device *device, const em__curve *whole, em__curve *curves, em__track_point *points)
{
    size_t used = 0;
    int64_t sum_uj = 0;
    for (size_t i = 0; i < device->span_count; i++) {
        const em__summary_span *span = &device->spans[i];
        em__curve *curve = &curves[i];
        int64_t before_uj = em__curve_at(whole, span->from_ns);
        *curve = *whole;
        curve->begin_ns = span->from_ns;
        curve->end_ns = span->to_ns;
        curve->energy_uj = em__curve_at(whole, span->to_ns) - before_uj;
        curve->edge_j = whole->edge_j / sqrt((double)device->span_count);
        curve->points = &points[used];
        points[used++] = (em__track_point){span->from_ns, 0};
        for (size_t k = 0; k < whole->count; k++) {
            const em__track_point *point = &whole->points[k];
            if (point->t_ns > span->from_ns && point->t_ns < span->to_ns) {
                points[used++] = (em__track_point){point->t_ns, point->energy_uj - before_uj};
            }
        }
        points[used++] = (em__track_point){span->to_ns, curve->energy_uj};
        curve->count = (size_t)(&points[used] - curve->points);
        sum_uj = em__add_uj(sum_uj, curve->energy_uj);
    }
    int64_t lost_uj = whole->energy_uj - sum_uj;
    if (lost_uj > BREAK_UJ * (int64_t)device->span_count) {
        curves[0] = *whole;
        return 1;
    }
    return device->span_count;
}

int em__merge_curves(const em__merge *merge, const em__silicon *silicon, em__curve **ret_curves, size_t *ret_count,
                     em__track_point **ret_points)
{
    const em__view_of *views = &merge->views[silicon->first];
    size_t room = 1, most = 1, count = 0, used = 0;
    for (size_t i = 0; i < silicon->count; i++) {
        const em__summary_device *device = device_of(merge, &views[i]);
        room += 2 * device->point_count + 2 * device->span_count;
        most += 1 + device->span_count;
    }
    em__track_point *points = calloc(room, sizeof *points);
    em__curve *curves = calloc(most, sizeof *curves);
    *ret_points = points;
    *ret_curves = curves;
    if (!points || !curves) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0, turns; i < silicon->count; i += turns) {
        const em__summary_device *device = device_of(merge, &views[i]);
        for (turns = 1; i + turns < silicon->count && views[i + turns].part == views[i].part; turns++) {
        }
        em__curve curve = curve_of(merge, &views[i], turns, points + used);
        if (turns > 1) {
            add_turns(merge, &views[i], turns, &curve, points + used);
        }
        used += curve.count;
        if (turns == 1 && device->span_count > 1 && curve.count > 1) {
            size_t pieces = cut(device, &curve, &curves[count], points + used);
            used += curve.count + 2 * device->span_count;
            count += pieces;
        } else {
            curves[count++] = curve;
        }
    }
    *ret_count = count;
    return EM_OK;
}
