/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The sampler's two threads. */
#include "sampler/state.h"

#include "core/units.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HANG_INTERVALS = 5 };

static uint64_t now_of(const em__sampler *sampler)
{
    return sampler->host->ops->monotonic_ns(sampler->host);
}

uint64_t em__sampler_hang_ns(const em__sampler *sampler)
{
    uint64_t intervals_ns = HANG_INTERVALS * sampler->interval_ns;
    return intervals_ns > EM__NS_PER_S ? intervals_ns : EM__NS_PER_S;
}

static void wait_until(em__sampler *sampler, uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX) {
        pthread_cond_wait(&sampler->changed, &sampler->lock);
        return;
    }
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / EM__NS_PER_S),
                                .tv_nsec = (long)(deadline_ns % EM__NS_PER_S)};
    pthread_cond_timedwait(&sampler->changed, &sampler->lock, &deadline);
}

static void watch(void *argument);

/* Called and left with the lock held. 1: the thread was replaced and must not touch anything but its reference. */
static int sample(em__sampler *sampler, uint64_t ticket)
{
    while (!sampler->is_stopped) {
        uint64_t now_ns = now_of(sampler), next_ns = em__sampler_next_ns(sampler);
        int is_due = sampler->is_kicked || now_ns >= next_ns;
        if (sampler->is_parked || (!is_due && !sampler->is_nudged)) {
            wait_until(sampler, sampler->is_parked ? UINT64_MAX : next_ns);
            continue;
        }
        int is_forced = sampler->is_kicked;
        uint64_t wakes = sampler->wakes;
        sampler->is_kicked = sampler->is_nudged = 0;
        pthread_mutex_unlock(&sampler->lock);
        if (is_due && em__sampler_tick(sampler, now_ns, is_forced, ticket)) {
            return 1;
        }
        int may_park = sampler->calls.step(sampler->context, now_of(sampler));
        pthread_mutex_lock(&sampler->lock);
        sampler->is_parked = may_park && wakes == sampler->wakes;
    }
    return 0;
}

static void run_sampling(em__sampler *sampler, uint64_t ticket)
{
    if (sample(sampler, ticket) == 0) {
        sampler->thread_count--;
        pthread_cond_broadcast(&sampler->changed);
        pthread_mutex_unlock(&sampler->lock);
    }
    em__sampler_release(sampler);
}

static void sample_first(void *argument)
{
    em__sampler *sampler = argument;
    pthread_mutex_lock(&sampler->lock);
    run_sampling(sampler, 1);
}

/* With the lock held: what the sampling thread reads is given up, and its thread with it. */
static em__slot *take_hung(em__sampler *sampler)
{
    em__slot *slot = em__slot_hold(sampler->reading);
    atomic_store(&slot->is_retired, 1);
    sampler->reading = NULL;
    sampler->ticket++;
    sampler->thread_count--;
    return slot;
}

static int start(em__sampler *sampler, void (*body)(void *))
{
    atomic_fetch_add(&sampler->references, 1);
    sampler->thread_count++;
    if (sampler->host->ops->thread_start(sampler->host, body, sampler) != 0) {
        sampler->thread_count--;
        atomic_fetch_sub(&sampler->references, 1);
        return EM_ERR_SYSTEM;
    }
    return EM_OK;
}

static void watch(void *argument)
{
    em__sampler *sampler = argument;
    pthread_mutex_lock(&sampler->lock);
    while (!sampler->is_stopped) {
        uint64_t now_ns = now_of(sampler), limit_ns = em__sampler_hang_ns(sampler);
        if (!sampler->reading || now_ns - sampler->reading_since_ns < limit_ns) {
            uint64_t from_ns = sampler->reading ? sampler->reading_since_ns : now_ns;
            wait_until(sampler, sampler->is_parked ? UINT64_MAX : from_ns + limit_ns);
            continue;
        }
        em__slot *slot = take_hung(sampler);
        uint64_t ticket = sampler->ticket;
        start(sampler, watch); /* Should it fail, sampling goes on unwatched. */
        pthread_mutex_unlock(&sampler->lock);
        sampler->calls.retire(sampler->context, slot, now_ns);
        em__slot_release(slot);
        pthread_mutex_lock(&sampler->lock);
        run_sampling(sampler, ticket);
        return;
    }
    sampler->thread_count--;
    pthread_cond_broadcast(&sampler->changed);
    pthread_mutex_unlock(&sampler->lock);
    em__sampler_release(sampler);
}

int em__sampler_start_threads(em__sampler *sampler)
{
    pthread_mutex_lock(&sampler->lock);
    int status = start(sampler, sample_first);
    status = status ? status : start(sampler, watch);
    pthread_mutex_unlock(&sampler->lock);
    return status;
}

int em__sampler_create(em__host *host, em__slot *const *slots, size_t slot_count, uint64_t interval_ns,
                       const em__sampler_calls *calls, void *context, em__sampler **ret_sampler)
{
    em__sampler *sampler = calloc(1, sizeof *sampler);
    em__slot **copies = calloc(slot_count + 1, sizeof(em__slot *));
    pthread_condattr_t attributes;
    if (!sampler || !copies) {
        free(sampler);
        free(copies);
        return EM_ERR_NO_MEMORY;
    }
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&sampler->lock, NULL);
    pthread_cond_init(&sampler->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    atomic_init(&sampler->references, 1);
    sampler->host = em__host_ref(host);
    for (size_t i = 0; i < slot_count; i++) {
        copies[i] = em__slot_hold(slots[i]);
    }
    sampler->slots = copies;
    sampler->slot_count = slot_count;
    sampler->interval_ns = interval_ns;
    sampler->calls = *calls;
    sampler->context = context;
    sampler->ticket = 1;
    sampler->is_parked = 1;
    sampler->asleep_ns = em__sampler_asleep_ns(host);
    sampler->has_thread = host->ops->thread_start != NULL;
    if (sampler->has_thread && em__sampler_start_threads(sampler) != EM_OK) {
        em__sampler_destroy(sampler);
        return EM_ERR_SYSTEM;
    }
    *ret_sampler = sampler;
    return EM_OK;
}

void em__sampler_release(em__sampler *sampler)
{
    if (atomic_fetch_sub(&sampler->references, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < sampler->slot_count; i++) {
        em__slot_release(sampler->slots[i]);
    }
    free(sampler->slots);
    pthread_cond_destroy(&sampler->changed);
    pthread_mutex_destroy(&sampler->lock);
    em__host_unref(sampler->host);
    free(sampler);
}

void em__sampler_stop(em__sampler *sampler, uint64_t patience_ns)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->is_stopped = 1;
    pthread_cond_broadcast(&sampler->changed);
    uint64_t deadline_ns = now_of(sampler) + patience_ns;
    while (sampler->thread_count > 0) {
        uint64_t now_ns = now_of(sampler);
        if (sampler->reading && now_ns >= deadline_ns) {
            em__slot_release(take_hung(sampler));
            continue;
        }
        wait_until(sampler, now_ns < deadline_ns ? deadline_ns : now_ns + EM__NS_PER_S / 100);
    }
    pthread_mutex_unlock(&sampler->lock);
}

void em__sampler_destroy(em__sampler *sampler)
{
    if (sampler) {
        em__sampler_stop(sampler, 0);
        em__sampler_release(sampler);
    }
}

int em__sampler_has_thread(const em__sampler *sampler)
{
    return sampler->has_thread;
}

void em__sampler_wake(em__sampler *sampler, uint64_t now_ns)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->wakes++;
    if (sampler->is_parked) {
        for (size_t i = 0; i < sampler->slot_count; i++) {
            em__slot_restart(sampler->slots[i], now_ns, sampler->interval_ns);
        }
        sampler->asleep_ns = em__sampler_asleep_ns(sampler->host); /* A suspend in the pause concerns nobody. */
        sampler->is_parked = 0;
        pthread_cond_broadcast(&sampler->changed);
    }
    pthread_mutex_unlock(&sampler->lock);
}

void em__sampler_kick(em__sampler *sampler)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->is_kicked = 1;
    pthread_cond_broadcast(&sampler->changed);
    pthread_mutex_unlock(&sampler->lock);
}

void em__sampler_nudge(em__sampler *sampler)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->is_nudged = 1;
    pthread_cond_broadcast(&sampler->changed);
    pthread_mutex_unlock(&sampler->lock);
}
