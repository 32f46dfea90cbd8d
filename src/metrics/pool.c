/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The union of curves: a chain of as few of them as cover it, since each joint has to be interpolated. */
#include "metrics/pool.h"

#include "core/units.h"

#include <math.h>
#include <stdlib.h>

/* What a time that was printed in seconds and read again may be off by. */
enum { TIME_ROUNDING_NS = 1000 };
static const double energy_rounding_j = 2e-3;

/* The point at or before t_ns; t_ns lies inside the curve. */
static size_t find(const em__curve *curve, uint64_t t_ns)
{
    size_t low = 0, high = curve->count - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (curve->points[middle].t_ns <= t_ns) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

int64_t em__curve_at(const em__curve *curve, uint64_t t_ns)
{
    if (t_ns <= curve->begin_ns || curve->count < 2) {
        return t_ns <= curve->begin_ns ? 0 : curve->energy_uj;
    }
    if (t_ns >= curve->end_ns) {
        return curve->energy_uj;
    }
    size_t i = find(curve, t_ns);
    const em__track_point *a = &curve->points[i], *b = &curve->points[i + 1];
    if (b->t_ns <= a->t_ns || b->energy_uj <= a->energy_uj) {
        return a->energy_uj;
    }
    return a->energy_uj +
           (int64_t)em__scale((uint64_t)(b->energy_uj - a->energy_uj), t_ns - a->t_ns, b->t_ns - a->t_ns);
}

static double power_of(const em__curve *curve, size_t i)
{
    const em__track_point *a = &curve->points[i], *b = &curve->points[i + 1];
    double seconds = (double)(b->t_ns - a->t_ns) / (double)EM__NS_PER_S;
    return seconds > 0 ? (double)(b->energy_uj - a->energy_uj) / EM__UJ_PER_J / seconds : 0;
}

static int is_close(uint64_t a, uint64_t b)
{
    return (a > b ? a - b : b - a) <= TIME_ROUNDING_NS;
}

/* The interval that t_ns lies inside of; SIZE_MAX: at a point or outside, where nothing is interpolated. */
static size_t bracket(const em__curve *curve, uint64_t t_ns)
{
    if (curve->count < 2 || t_ns <= curve->begin_ns || t_ns >= curve->end_ns) {
        return SIZE_MAX;
    }
    size_t i = find(curve, t_ns);
    return is_close(curve->points[i].t_ns, t_ns) || is_close(curve->points[i + 1].t_ns, t_ns) ? SIZE_MAX : i;
}

/* Of docs/measurement.md §7: T |ΔP| / √30 where both neighbours tell ΔP, else T P / √12. */
double em__curve_doubt(const em__curve *curve, uint64_t t_ns)
{
    size_t i = bracket(curve, t_ns);
    if (i == SIZE_MAX) {
        return 0;
    }
    double width_s = (double)(curve->points[i + 1].t_ns - curve->points[i].t_ns) / (double)EM__NS_PER_S;
    if (i == 0 || i + 2 >= curve->count) {
        return width_s * power_of(curve, i) / sqrt(12);
    }
    double before_w = power_of(curve, i - 1), own_w = power_of(curve, i), after_w = power_of(curve, i + 1);
    double step_w = fmax(fabs(after_w - before_w), fmax(fabs(own_w - before_w), fabs(after_w - own_w)));
    return width_s * step_w / sqrt(30);
}

/* The most that interpolating may miss. */
static double slack(const em__curve *curve, uint64_t t_ns)
{
    size_t i = bracket(curve, t_ns);
    return i == SIZE_MAX ? 0 : (double)(curve->points[i + 1].energy_uj - curve->points[i].energy_uj) / EM__UJ_PER_J;
}

static int by_begin(const void *left, const void *right)
{
    const em__curve *a = left, *b = right;
    if (a->begin_ns != b->begin_ns) {
        return a->begin_ns < b->begin_ns ? -1 : 1;
    }
    return a->end_ns != b->end_ns ? (a->end_ns > b->end_ns ? -1 : 1) : (a->part > b->part) - (a->part < b->part);
}

static em__pool_outcome find_shared(const em__curve *curves, size_t count, char *is_shared, em__pooled *pooled)
{
    const em__curve *last = &curves[0]; /* of those before, the one that ends last */
    for (size_t i = 1; i < count; i++) {
        const em__curve *curve = &curves[i];
        if (curve->begin_ns + TIME_ROUNDING_NS < last->end_ns && curve->end_ns > curve->begin_ns) {
            is_shared[curve->part] = is_shared[last->part] = 1;
            if (curve->count < 2 || last->count < 2 || !curve->is_whole || !last->is_whole) {
                int is_second = curve->count < 2 || !curve->is_whole;
                pooled->clash[0] = is_second ? curve : last;
                pooled->clash[1] = is_second ? last : curve;
                return EM__POOL_SHAPELESS;
            }
        }
        last = curve->end_ns > last->end_ns ? curve : last;
    }
    return EM__POOL_OK;
}

static void add_piece(em__piece *pieces, em__pooled *pooled, const em__curve *curve, uint64_t from_ns)
{
    em__piece piece = {.curve = curve, .from_ns = from_ns, .to_ns = curve->end_ns};
    piece.energy_uj = curve->energy_uj - (is_close(from_ns, curve->begin_ns) ? 0 : em__curve_at(curve, from_ns));
    pieces[pooled->piece_count++] = piece;
}

static void chain(const em__curve *curves, size_t count, em__piece *pieces, em__pooled *pooled)
{
    uint64_t t_ns = curves[0].begin_ns;
    for (size_t next = 0; next < count;) {
        const em__curve *best = NULL;
        while (next < count && curves[next].begin_ns <= t_ns) {
            best = !best || curves[next].end_ns > best->end_ns ? &curves[next] : best;
            next++;
        }
        if (best && (best->end_ns > t_ns || pooled->piece_count == 0)) {
            add_piece(pieces, pooled, best, t_ns > best->begin_ns ? t_ns : best->begin_ns);
            t_ns = best->end_ns > t_ns ? best->end_ns : t_ns;
        } else if (next < count) {
            t_ns = curves[next].begin_ns > t_ns ? curves[next].begin_ns : t_ns;
        }
    }
}

static void sum_up(const em__piece *pieces, em__pooled *pooled)
{
    double gain_j = 0, edge_variance = 0;
    for (size_t i = 0; i < pooled->piece_count; i++) {
        const em__piece *piece = &pieces[i];
        double doubt_j = 2 * em__curve_doubt(piece->curve, piece->from_ns);
        pooled->energy_uj = em__add_uj(pooled->energy_uj, piece->energy_uj);
        pooled->covered_ns += piece->to_ns - piece->from_ns;
        gain_j += piece->curve->gain * (double)piece->energy_uj / EM__UJ_PER_J;
        edge_variance += piece->curve->edge_j * piece->curve->edge_j + doubt_j * doubt_j;
    }
    pooled->gain_j = gain_j;
    pooled->edge_j = sqrt(edge_variance);
}

static int contradicts(const em__curve *curve, const em__piece *piece, em__pooled *pooled)
{
    uint64_t from_ns = curve->begin_ns > piece->from_ns ? curve->begin_ns : piece->from_ns;
    uint64_t to_ns = curve->end_ns < piece->to_ns ? curve->end_ns : piece->to_ns;
    if (curve == piece->curve || to_ns <= from_ns + TIME_ROUNDING_NS) {
        return 0;
    }
    const em__curve *other = piece->curve;
    double mine_j = (double)(em__curve_at(curve, to_ns) - em__curve_at(curve, from_ns)) / EM__UJ_PER_J;
    double theirs_j = (double)(em__curve_at(other, to_ns) - em__curve_at(other, from_ns)) / EM__UJ_PER_J;
    double explained_j = energy_rounding_j + curve->gain * mine_j + other->gain * theirs_j + curve->edge_j +
                         other->edge_j + slack(curve, from_ns) + slack(curve, to_ns) + slack(other, from_ns) +
                         slack(other, to_ns);
    if (fabs(mine_j - theirs_j) <= explained_j) {
        return 0;
    }
    pooled->clash[0] = curve;
    pooled->clash[1] = other;
    pooled->clash_j[0] = mine_j;
    pooled->clash_j[1] = theirs_j;
    pooled->clash_from_ns = from_ns;
    pooled->clash_to_ns = to_ns;
    return 1;
}

em__pool_outcome em__pool(em__curve *curves, size_t count, em__piece *pieces, char *is_shared, em__pooled *ret_pooled)
{
    em__pooled pooled = {.piece_count = 0};
    qsort(curves, count, sizeof *curves, by_begin);
    em__pool_outcome outcome = find_shared(curves, count, is_shared, &pooled);
    if (outcome == EM__POOL_OK) {
        chain(curves, count, pieces, &pooled);
        sum_up(pieces, &pooled);
    }
    for (size_t i = 0; outcome == EM__POOL_OK && i < count; i++) {
        for (size_t k = 0; k < pooled.piece_count; k++) {
            if (contradicts(&curves[i], &pieces[k], &pooled)) {
                outcome = EM__POOL_CONTRADICTION;
                break;
            }
        }
    }
    *ret_pooled = pooled;
    return outcome;
}
