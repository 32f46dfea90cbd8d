/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Looks energies up between samples of power, and scales them. */
#include "timeline/shape.h"

#include "core/units.h"

#include <math.h>
#include <string.h>

enum { LEAST_SAMPLES = 3 };

static void forget(em__shape *shape, size_t count)
{
    shape->count -= count;
    memmove(shape->samples, shape->samples + count, shape->count * sizeof shape->samples[0]);
}

void em__shape_add(em__shape *shape, const em__point *sample, uint64_t needed_ns)
{
    size_t old = 0;
    while (old + 1 < shape->count && shape->samples[old + 1].t_ns < needed_ns) {
        old++;
    }
    forget(shape, old);
    em__point *last = shape->count ? &shape->samples[shape->count - 1] : NULL;
    int is_close = shape->count > 1 && sample->gap_ns == last->gap_ns &&
                   sample->t_ns < shape->samples[shape->count - 2].t_ns + shape->stride_ns;
    if (is_close || (last && sample->t_ns <= last->t_ns)) {
        *last = *sample; /* Its energy holds that of the one it replaces. */
        return;
    }
    if (shape->count == EM__SHAPE_SAMPLES) {
        shape->stride_ns = 2 * (last->t_ns - shape->samples[0].t_ns) / EM__SHAPE_SAMPLES;
        for (size_t i = 0; i < EM__SHAPE_SAMPLES / 2; i++) {
            shape->samples[i] = shape->samples[2 * i + 1];
        }
        shape->count /= 2;
    }
    shape->samples[shape->count++] = *sample;
}

static uint64_t lag_ns(const em__shape *shape)
{
    return (shape->facts->refresh_ns + shape->facts->average_ns) / 2;
}

uint64_t em__shape_known_ns(const em__shape *shape)
{
    uint64_t newest_ns = shape->count ? shape->samples[shape->count - 1].t_ns : 0, late_ns = lag_ns(shape);
    return newest_ns > late_ns ? newest_ns - late_ns : 0;
}

/* As the gauge shows a time of the truth; beyond the samples with the power at their end. count > 0. */
static em__point look(const em__shape *shape, uint64_t t_ns)
{
    uint64_t shown_ns = t_ns + lag_ns(shape);
    size_t after = 0;
    while (after < shape->count && shape->samples[after].t_ns < shown_ns) {
        after++;
    }
    em__point point = shape->samples[after < shape->count ? after : shape->count - 1];
    if (after == 0 || after == shape->count) {
        uint64_t apart_ns = after == 0 ? point.t_ns - shown_ns : shown_ns - point.t_ns;
        int64_t apart_uj = (int64_t)em__scale(point.power_mw, apart_ns, EM__MW_NS_PER_UJ);
        point.energy_uj += after == 0 ? -apart_uj : apart_uj;
        return point;
    }
    const em__point *before = &shape->samples[after - 1];
    double width = (double)(point.t_ns - before->t_ns), part = (double)(shown_ns - before->t_ns);
    double start = (double)before->power_mw, slope = ((double)point.power_mw - start) / width;
    double most_uj = (double)(point.energy_uj - before->energy_uj), whole = start + 0.5 * slope * width;
    /* What was passed over between the two is in the energy, not in their powers. */
    double share = whole > 0 ? (start + 0.5 * slope * part) / whole : 1;
    point.energy_uj = before->energy_uj + (int64_t)(most_uj * fmin(share * part / width, 1));
    point.spread_uj2 = before->spread_uj2 + (point.spread_uj2 - before->spread_uj2) * part / width;
    point.power_mw = (uint64_t)(start + slope * part);
    return point;
}

static size_t samples_between(const em__shape *shape, uint64_t from_ns, uint64_t to_ns)
{
    size_t count = 0;
    for (size_t i = 0; i < shape->count; i++) {
        count += shape->samples[i].t_ns > from_ns && shape->samples[i].t_ns <= to_ns;
    }
    return count;
}

/* Mean square of how far the samples are from a power. */
static double swing2(const em__shape *shape, uint64_t from_ns, uint64_t to_ns, double mean_mw)
{
    double sum = 0, count = 0;
    for (size_t i = 0; i < shape->count; i++) {
        if (shape->samples[i].t_ns > from_ns && shape->samples[i].t_ns <= to_ns) {
            double off_mw = (double)shape->samples[i].power_mw - mean_mw;
            sum += off_mw * off_mw;
            count++;
        }
    }
    return sum / count;
}

int em__shape_part(const em__shape *shape, const em__point *from, const em__point *to, uint64_t t_ns,
                   int64_t *ret_part_uj, em__doubt *ret_doubt)
{
    if (samples_between(shape, from->t_ns, to->t_ns) < LEAST_SAMPLES) {
        return 0;
    }
    em__point begin = look(shape, from->t_ns), at = look(shape, t_ns), end = look(shape, to->t_ns);
    int64_t whole_uj = end.energy_uj - begin.energy_uj, part_uj = at.energy_uj - begin.energy_uj;
    if (begin.gap_ns != end.gap_ns || whole_uj <= 0 || part_uj < 0 || part_uj > whole_uj) {
        return 0;
    }
    int64_t counted_uj = to->energy_uj - from->energy_uj;
    double scale = (double)counted_uj / (double)whole_uj, width = (double)(to->t_ns - from->t_ns);
    /* Known at both ends of the bracket: what the samples may have missed is largest in between. */
    double before = at.spread_uj2 - begin.spread_uj2, after = end.spread_uj2 - at.spread_uj2;
    double missed = before + after > 0 ? before * after / (before + after) : 0;
    double mean_mw = (double)whole_uj / width * (double)EM__MW_NS_PER_UJ, off_mw = (double)at.power_mw - mean_mw;
    double late = (double)shape->facts->refresh_ns / sqrt(12.0) * off_mw / (double)EM__MW_NS_PER_UJ;
    *ret_part_uj = (int64_t)em__scale((uint64_t)counted_uj, (uint64_t)part_uj, (uint64_t)whole_uj);
    double power_mw = sqrt(off_mw * off_mw + swing2(shape, from->t_ns, to->t_ns, mean_mw));
    *ret_doubt = (em__doubt){.energy_uj = scale * sqrt(missed + late * late), .power_mw = scale * power_mw};
    return 1;
}

int64_t em__shape_energy_uj(const em__shape *shape, uint64_t from_ns, uint64_t to_ns)
{
    return shape->count ? look(shape, to_ns).energy_uj - look(shape, from_ns).energy_uj : 0;
}
