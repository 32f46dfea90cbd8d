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

/* The step of a count, wrapped where that is possible. 0: one that cannot be told, as timeline/counter has it: it is
 * further than any power explains, or the count may have gone round unseen. */
static int find_step(const em__channel *facts, const em__tape_reading *from, const em__tape_reading *to,
                     uint64_t *ret_step)
{
    uint64_t step = to->value - from->value, elapsed_ns = to->t_ns - from->t_ns;
    int goes_round = facts->range > 0 && !facts->is_endless;
    if (to->value < from->value) {
        if (!goes_round || from->value > facts->range) {
            return 0;
        }
        step = facts->range - from->value + (facts->unit ? facts->unit : 1) + to->value;
    }
    *ret_step = step;
    if (facts->ceiling_mw == 0) {
        return 1;
    }
    uint64_t most_uj = em__scale(elapsed_ns + facts->refresh_ns, facts->ceiling_mw, EM__MW_NS_PER_UJ);
    uint64_t round_uj = em__scale(facts->range, facts->scale_num, facts->scale_den);
    return em__scale(step, facts->scale_num, facts->scale_den) <= most_uj &&
           (!goes_round || elapsed_ns <= em__scale(round_uj, EM__MW_NS_PER_UJ, facts->ceiling_mw));
}

/* So far behind a count. */
static uint64_t go_on(const em__channel *facts, uint64_t value, uint64_t part)
{
    uint64_t unit = facts->unit ? facts->unit : 1;
    if (facts->range == 0 || facts->is_endless || value > facts->range || part <= facts->range - value) {
        return value + part;
    }
    uint64_t over = part - (facts->range - value);
    return over > unit ? over - unit : 0;
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
    uint64_t step;
    if (from->facts.kind != EM_KIND_GAUGE && next != last && next->outcome == EM__READ_OK && t_ns >= last->t_ns &&
        find_step(&from->facts, last, next, &step)) {
        uint64_t part = em__scale(step, t_ns - last->t_ns, next->t_ns - last->t_ns);
        return (em__reading){.value = go_on(&from->facts, last->value, part)};
    }
    if (away_ns > stale_ns) {
        return (em__reading){.outcome = EM__READ_AGAIN, .status = EM_ERR_READ};
    }
    return (em__reading){.value = last->value};
}
