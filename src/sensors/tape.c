/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Recorded readings, looked up by time. */
#include "sensors/tape.h"

#include "core/units.h"
#include "energy_meter.h"

#include <stdlib.h>

enum { MEDIAN_OF = 1024, STALE_PERIODS = 4 };
#define STALE_LEAST_NS UINT64_C(1000000000)

em__tape *em__tape_create(size_t channel_count)
{
    em__tape *tape = calloc(1, sizeof *tape);
    em__tape_channel *channels = calloc(channel_count + 1, sizeof *channels);
    if (!tape || !channels) {
        free(tape);
        free(channels);
        return NULL;
    }
    *tape = (em__tape){.references = 1, .channels = channels, .channel_count = channel_count};
    return tape;
}

em__tape *em__tape_ref(em__tape *tape)
{
    __atomic_add_fetch(&tape->references, 1, __ATOMIC_RELAXED);
    return tape;
}

void em__tape_unref(em__tape *tape)
{
    if (!tape || __atomic_sub_fetch(&tape->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (size_t i = 0; i < tape->channel_count; i++) {
        free(tape->channels[i].readings);
    }
    free(tape->channels);
    free(tape->host);
    free(tape);
}

int em__tape_add(em__tape *tape, size_t channel, uint64_t t_ns, const em__reading *reading)
{
    em__tape_channel *to = &tape->channels[channel];
    if (tape->reading_count == EM__TAPE_READINGS) {
        return EM_ERR_INVALID;
    }
    if (to->count == to->capacity) {
        size_t wider = to->capacity ? 2 * to->capacity : 64;
        em__tape_reading *larger = realloc(to->readings, wider * sizeof *larger);
        if (!larger) {
            return EM_ERR_NO_MEMORY;
        }
        to->readings = larger;
        to->capacity = wider;
    }
    to->readings[to->count++] = (em__tape_reading){t_ns, reading->value, reading->outcome, reading->status};
    tape->begin_ns = tape->reading_count == 0 || t_ns < tape->begin_ns ? t_ns : tape->begin_ns;
    tape->end_ns = t_ns > tape->end_ns ? t_ns : tape->end_ns;
    tape->reading_count++;
    return EM_OK;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

int em__tape_finish(em__tape *tape)
{
    uint64_t *apart_ns = calloc(MEDIAN_OF, sizeof *apart_ns);
    if (!apart_ns) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < tape->channel_count; i++) {
        em__tape_channel *channel = &tape->channels[i];
        size_t count = 0;
        for (size_t k = 1; k < channel->count && count < MEDIAN_OF; k++) {
            apart_ns[count++] = channel->readings[k].t_ns - channel->readings[k - 1].t_ns;
        }
        qsort(apart_ns, count, sizeof *apart_ns, compare);
        channel->apart_ns = count > 0 ? apart_ns[count / 2] : 0;
    }
    free(apart_ns);
    return EM_OK;
}

/* The last reading at or before a time; what comes before the first is the first. */
static size_t find(const em__tape_channel *channel, uint64_t t_ns)
{
    size_t low = 0, high = channel->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (channel->readings[middle].t_ns <= t_ns) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The step of a count, wrapped where that is possible. 0: none, or one that no power explains, which stays as it is. */
static uint64_t step_of(const em__channel *facts, const em__tape_reading *from, const em__tape_reading *to)
{
    uint64_t step = to->value - from->value;
    if (to->value < from->value) {
        if (facts->range == 0 || facts->is_endless || from->value > facts->range || to->value > facts->range) {
            return 0;
        }
        step = facts->range - from->value + (facts->unit ? facts->unit : 1) + to->value;
    }
    uint64_t most_uj = em__scale(to->t_ns - from->t_ns + facts->refresh_ns, facts->ceiling_mw, EM__MW_NS_PER_UJ);
    return facts->ceiling_mw > 0 && em__scale(step, facts->scale_num, facts->scale_den) > most_uj ? 0 : step;
}

static uint64_t count_at(const em__channel *facts, const em__tape_reading *from, const em__tape_reading *to,
                         uint64_t t_ns)
{
    uint64_t value = from->value, step = step_of(facts, from, to);
    if (t_ns <= from->t_ns || t_ns >= to->t_ns || step == 0) {
        return t_ns >= to->t_ns ? to->value : value;
    }
    uint64_t part = em__scale(step, t_ns - from->t_ns, to->t_ns - from->t_ns);
    uint64_t unit = facts->unit ? facts->unit : 1;
    if (facts->range > 0 && !facts->is_endless && value <= facts->range && part > facts->range - value) {
        uint64_t over = part - (facts->range - value);
        return over > unit ? over - unit : 0;
    }
    return value + part;
}

em__reading em__tape_at(const em__tape *tape, size_t channel, uint64_t t_ns)
{
    const em__tape_channel *from = &tape->channels[channel];
    if (from->count == 0 || t_ns > tape->end_ns) {
        return (em__reading){.outcome = EM__READ_GONE, .status = EM_ERR_GONE};
    }
    size_t i = find(from, t_ns);
    const em__tape_reading *last = &from->readings[i], *next = i + 1 < from->count ? last + 1 : last;
    uint64_t stale_ns = STALE_PERIODS * from->apart_ns;
    uint64_t away_ns = t_ns > last->t_ns ? t_ns - last->t_ns : last->t_ns - t_ns;
    stale_ns = stale_ns > STALE_LEAST_NS ? stale_ns : STALE_LEAST_NS;
    if (last->outcome != EM__READ_OK) {
        return (em__reading){.outcome = last->outcome, .status = last->status};
    }
    int is_line =
        from->facts.kind != EM_KIND_GAUGE && next != last && next->outcome == EM__READ_OK && t_ns >= last->t_ns;
    if (!is_line && away_ns > stale_ns) {
        return (em__reading){.outcome = EM__READ_AGAIN, .status = EM_ERR_READ};
    }
    return (em__reading){.value = is_line ? count_at(&from->facts, last, next, t_ns) : last->value};
}
