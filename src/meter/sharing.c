/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One look at a time; a thread that hangs in one keeps only this object alive. */
#include "meter/sharing.h"

#include "core/units.h"
#include "meter/meter.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    em__holders *holders;
    size_t channel; /* the device's first */
    int is_wanted;  /* in the look under way */
} item;

struct em__sharing {
    pthread_mutex_t lock; /* of what follows; never held in a call of a driver */
    pthread_cond_t changed;
    em__host *host;
    int references, is_looking, is_closed, answer, has_looked;
    item *items;
    size_t count;
};

em__sharing *em__sharing_create(em__host *host, const em__probe *probe)
{
    em__sharing *sharing = calloc(1, sizeof *sharing);
    item *items = calloc(probe->device_count + 1, sizeof *items);
    if (!sharing || !items) {
        free(sharing);
        free(items);
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sharing->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&sharing->lock, NULL);
    sharing->host = em__host_ref(host);
    sharing->references = 1;
    sharing->items = items;
    for (size_t i = 0, channel = 0; i < probe->device_count; i++) {
        em__device *device = probe->devices[i];
        em__holders *holders = device->ops->holders ? device->ops->holders(device) : NULL;
        if (holders) {
            items[sharing->count++] = (item){.holders = holders, .channel = channel};
        }
        channel += device->channel_count;
    }
    return sharing;
}

/* With the lock held and no look under way. */
static void drop_holders(em__sharing *sharing)
{
    for (size_t i = 0; i < sharing->count; i++) {
        sharing->items[i].holders->destroy(sharing->items[i].holders);
    }
    sharing->count = 0;
}

/* With the lock held, which it gives up. */
static void drop_reference(em__sharing *sharing)
{
    int is_last = --sharing->references == 0;
    if (is_last) {
        drop_holders(sharing);
    }
    pthread_mutex_unlock(&sharing->lock);
    if (is_last) {
        pthread_mutex_destroy(&sharing->lock);
        pthread_cond_destroy(&sharing->changed);
        em__host_unref(sharing->host);
        free(sharing->items);
        free(sharing);
    }
}

static void note_answer(em__sharing *sharing, int answer)
{
    int is_worse = !sharing->has_looked || answer == 1 || (answer < 0 && sharing->answer == 0);
    sharing->answer = is_worse ? answer : sharing->answer;
    sharing->has_looked = 1;
}

static void look(void *argument)
{
    em__sharing *sharing = argument;
    int answer = 0, wanted = 0;
    for (size_t i = 0; i < sharing->count; i++) {
        const item *next = &sharing->items[i];
        if (next->is_wanted && answer != 1) {
            int found = next->holders->ask(next->holders);
            answer = found == 0 ? answer : found;
        }
        wanted += next->is_wanted;
    }
    pthread_mutex_lock(&sharing->lock);
    note_answer(sharing, wanted ? answer : -1);
    sharing->is_looking = 0;
    if (sharing->is_closed) {
        drop_holders(sharing);
    }
    pthread_cond_broadcast(&sharing->changed);
    drop_reference(sharing);
}

/* A counted GPU that no driver tells of leaves the answer unknown. */
static int choose(em__sharing *sharing, em_meter *meter)
{
    size_t counted = 0, known = 0;
    em__door_lock(meter);
    for (size_t i = 0; i < meter->channel_count; i++) {
        counted += meter->facts[i].domain == EM_DOMAIN_GPU && meter->ledger.timeline.is_counted[i];
    }
    for (size_t i = 0; i < sharing->count; i++) {
        sharing->items[i].is_wanted = meter->ledger.timeline.is_counted[sharing->items[i].channel];
        known += (size_t)sharing->items[i].is_wanted;
    }
    em__door_unlock(meter);
    return known > 0 && known == counted;
}

void em__sharing_look(em__sharing *sharing, em_meter *meter, uint64_t patience_ns)
{
    pthread_mutex_lock(&sharing->lock);
    if (!sharing->is_looking && !sharing->is_closed && sharing->count > 0) {
        if (!choose(sharing, meter)) {
            note_answer(sharing, -1);
        }
        sharing->is_looking = 1;
        sharing->references++;
        int is_threaded = patience_ns > 0 && sharing->host->ops->thread_start &&
                          sharing->host->ops->thread_start(sharing->host, look, sharing) == 0;
        if (!is_threaded) {
            pthread_mutex_unlock(&sharing->lock);
            look(sharing);
            pthread_mutex_lock(&sharing->lock);
        }
    }
    uint64_t until_ns = sharing->host->ops->monotonic_ns(sharing->host) + patience_ns;
    struct timespec deadline = {.tv_sec = (time_t)(until_ns / EM__NS_PER_S),
                                .tv_nsec = (long)(until_ns % EM__NS_PER_S)};
    int error = 0;
    while (sharing->is_looking && error == 0) {
        error = pthread_cond_timedwait(&sharing->changed, &sharing->lock, &deadline);
    }
    if (sharing->is_looking) {
        note_answer(sharing, -1);
    }
    pthread_mutex_unlock(&sharing->lock);
}

int em__sharing_answer(em__sharing *sharing)
{
    pthread_mutex_lock(&sharing->lock);
    int answer = sharing->has_looked ? sharing->answer : -1;
    pthread_mutex_unlock(&sharing->lock);
    return answer;
}

void em__sharing_forget(em__sharing *sharing)
{
    pthread_mutex_lock(&sharing->lock);
    sharing->has_looked = 0;
    pthread_mutex_unlock(&sharing->lock);
}

void em__sharing_close(em__sharing *sharing)
{
    pthread_mutex_lock(&sharing->lock);
    sharing->is_closed = 1;
    if (!sharing->is_looking) {
        drop_holders(sharing);
    }
    pthread_mutex_unlock(&sharing->lock);
}

void em__sharing_release(em__sharing *sharing)
{
    if (sharing) {
        pthread_mutex_lock(&sharing->lock);
        drop_reference(sharing);
    }
}
