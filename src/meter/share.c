/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Readings of CPU time as events, paid from a bucket of their own. */
#include "core/units.h"
#include "meter/meter.h"

enum { LONGEST_NS = 1000000000, SHARE_OF_TIME = 10000, MOST_READINGS = 10, RESERVE = 5 };

void em__share_init(em__share *share)
{
    pthread_mutex_init(&share->lock, NULL);
}

int em__share_open(em__share *share, em__host *host)
{
    return em__cpu_time_open(host, &share->source);
}

void em__share_close(em__share *share)
{
    pthread_mutex_lock(&share->lock);
    em__cpu_time_close(share->source);
    share->source = NULL;
    pthread_mutex_unlock(&share->lock);
}

void em__share_free(em__share *share)
{
    em__cpu_time_close(share->source);
    pthread_mutex_destroy(&share->lock);
}

/* With its lock held. */
static void read_now(em_meter *meter, int is_baseline)
{
    em__share *share = &meter->share;
    uint64_t used_us[EM__HIDDEN_COUNT], begin_ns = em__meter_now(meter);
    int error = em__cpu_time_read(share->source, is_baseline, &used_us[EM__HIDDEN_PROCESS], &used_us[EM__HIDDEN_BUSY]);
    uint64_t end_ns = em__meter_now(meter);
    uint64_t cost_ns = end_ns - begin_ns, earned_ns = (begin_ns - share->read_ns) / SHARE_OF_TIME;
    /* A reading in which another process had the CPU must not count for more. */
    share->cost_ns = share->cost_ns && cost_ns > 2 * share->cost_ns ? 2 * share->cost_ns : cost_ns;
    uint64_t most_ns = MOST_READINGS * share->cost_ns;
    share->credit_ns = share->credit_ns + earned_ns < most_ns ? share->credit_ns + earned_ns : most_ns;
    share->credit_ns -= share->credit_ns < share->cost_ns ? share->credit_ns : share->cost_ns;
    share->read_ns = begin_ns;
    share->is_fresh = is_baseline;
    em__door_lock(meter);
    for (size_t i = 0; i < EM__HIDDEN_COUNT && error == 0; i++) {
        em__event event = {.kind = EM__EVENT_READING,
                           .t_ns = begin_ns + (end_ns - begin_ns) / 2,
                           .channel = meter->channel_count + i,
                           .reading = {.value = used_us[i]}};
        em__door_apply(meter, &event);
    }
    em__door_unlock(meter);
}

/* With its lock held. */
static int is_due(em_meter *meter, uint64_t now_ns)
{
    const em__share *share = &meter->share;
    uint64_t since_ns = now_ns > share->read_ns ? now_ns - share->read_ns : 0;
    if (!share->source) {
        return 0;
    }
    if (atomic_exchange(&meter->share.is_asked, 0)) {
        return 1;
    }
    uint64_t credit_ns = share->credit_ns + since_ns / SHARE_OF_TIME;
    if (credit_ns < share->cost_ns) {
        return 0;
    }
    em__door_lock(meter);
    const em__edge *newest = meter->ledger.timeline.tail;
    int is_awaited = newest && newest->t_ns > share->read_ns;
    em__door_unlock(meter);
    return is_awaited || share->is_fresh || (since_ns >= LONGEST_NS && credit_ns >= RESERVE * share->cost_ns);
}

void em__share_step(em_meter *meter, uint64_t now_ns)
{
    if (pthread_mutex_trylock(&meter->share.lock) != 0) {
        return; /* A caller ends a pause this very moment. */
    }
    if (is_due(meter, now_ns)) {
        read_now(meter, 0);
    }
    pthread_mutex_unlock(&meter->share.lock);
}

void em__share_begin(em_meter *meter)
{
    pthread_mutex_lock(&meter->share.lock);
    if (meter->share.source) {
        read_now(meter, 1);
    }
    pthread_mutex_unlock(&meter->share.lock);
}
