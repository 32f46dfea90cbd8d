/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A recorded machine holds what stands still; what moves is written into the answer of each read. */
#include "rig/fake_host_inside.h"

#include "platform/host_system.h"
#include "platform/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TICKS_PER_S = 100 };

struct rig_file {
    em__file base;
    em__file *still;
    rig_moving *zone; /* NULL: it stands still */
    uint64_t opened_ns;
};

static const uint64_t wall_offset_ns = UINT64_C(1700000000) * 1000000000;

static rig_host *rig_of(em__host *host)
{
    return (rig_host *)host;
}

/* ------------------------------------------------------------------------------------------------------------- clocks */

static uint64_t now_of(rig_host *rig)
{
    if (rig->is_live) {
        return em__system_monotonic_ns(&rig->base);
    }
    pthread_mutex_lock(&rig->lock);
    uint64_t now_ns = rig->now_ns;
    pthread_mutex_unlock(&rig->lock);
    return now_ns;
}

static uint64_t asleep_of(rig_host *rig)
{
    pthread_mutex_lock(&rig->lock);
    uint64_t asleep_ns = rig->asleep_ns;
    pthread_mutex_unlock(&rig->lock);
    return asleep_ns;
}

static uint64_t monotonic_ns(em__host *host)
{
    rig_host *rig = rig_of(host);
    uint64_t now_ns = now_of(rig);
    if (rig->is_live) {
        return now_ns;
    }
    pthread_mutex_lock(&rig->lock);
    rig->now_ns += rig->clock_cost_ns;
    pthread_mutex_unlock(&rig->lock);
    return now_ns;
}

static uint64_t boottime_ns(em__host *host)
{
    return now_of(rig_of(host)) + asleep_of(rig_of(host));
}

static uint64_t wall_ns(em__host *host)
{
    return boottime_ns(host) + wall_offset_ns;
}

/* -------------------------------------------------------------------------------------------------------------- files */

int rig_inside_error(const rig_fault *fault)
{
    return fault->kind == RIG_FAIL ? -fault->error : -ENODEV;
}

static int open_file(em__host *host, const char *path, em__file **ret_file)
{
    rig_host *rig = rig_of(host);
    uint64_t now_ns = now_of(rig);
    rig_moving *zone = NULL;
    for (size_t i = 0; i < rig->zone_count; i++) {
        if (strcmp(rig->zones[i].path, path) == 0) {
            zone = &rig->zones[i];
        }
    }
    const rig_fault *fault = zone ? rig_source_failure(&zone->source, now_ns, now_ns) : NULL;
    if (fault && fault->kind == RIG_VANISH) {
        return -ENOENT;
    }
    em__file *still;
    int error = rig->still->ops->open(rig->still, path, &still);
    if (error < 0) {
        return error;
    }
    struct rig_file *file = malloc(sizeof *file);
    must(file != NULL);
    *file = (struct rig_file){.base = {host}, .still = still, .zone = zone, .opened_ns = now_ns};
    *ret_file = &file->base;
    return 0;
}

static int answer(char *buffer, size_t capacity, const char *text)
{
    size_t length = strlen(text);
    memcpy(buffer, text, length < capacity ? length : capacity);
    return (int)(length < capacity ? length : capacity);
}

/* Idle and busy ticks as the kernel shows them: since boot, summed over all CPUs, cut to whole ones. */
static void print_stat(const rig_moving *zone, uint64_t now_ns, char *text, size_t size)
{
    double total = (double)now_ns / 1e9 * (double)TICKS_PER_S * zone->cpus;
    double busy = wave_energy_j(zone->source.wave, 0, now_ns) * (double)TICKS_PER_S * zone->cpus;
    snprintf(text, size, "cpu  %llu 0 0 %llu 0 0 0 0 0 0\n", (unsigned long long)busy,
             (unsigned long long)(total - busy));
}

void rig_inside_pay(rig_host *rig, rig_moving *zone)
{
    pthread_mutex_lock(&rig->lock);
    int waits = zone->is_blocked;
    zone->reads++;
    rig->now_ns += zone->cost_ns;
    rig->blocked += waits;
    while (zone->is_blocked) {
        pthread_cond_wait(&rig->changed, &rig->lock);
    }
    rig->blocked -= waits;
    pthread_mutex_unlock(&rig->lock);
}

static int read_file(em__file *base, char *buffer, size_t capacity)
{
    struct rig_file *file = (struct rig_file *)base;
    rig_host *rig = rig_of(base->host);
    if (!file->zone) {
        return file->still->host->ops->read(file->still, buffer, capacity);
    }
    /* As a read of a fixed cost: the value is of its middle. */
    uint64_t now_ns = now_of(rig) + file->zone->cost_ns / 2;
    rig_inside_pay(rig, file->zone);
    const rig_source *source = &file->zone->source;
    const rig_fault *fault = rig_source_failure(source, file->opened_ns, now_ns);
    char text[128];
    if (fault && fault->kind == RIG_GARBAGE) {
        return answer(buffer, capacity, "garbage\n");
    }
    if (fault) {
        return rig_inside_error(fault);
    }
    if (file->zone->cpus > 0) {
        print_stat(file->zone, now_ns, text, sizeof text);
    } else {
        snprintf(text, sizeof text, "%llu\n", (unsigned long long)rig_source_counter(source, now_ns));
    }
    return answer(buffer, capacity, text);
}

static void close_file(em__file *base)
{
    struct rig_file *file = (struct rig_file *)base;
    file->still->host->ops->close(file->still);
    free(file);
}

static int list(em__host *host, const char *path, int (*entry)(void *context, const char *name), void *context)
{
    em__host *still = rig_of(host)->still;
    return still->ops->list(still, path, entry, context);
}

static int read_link(em__host *host, const char *path, char *buffer, size_t capacity)
{
    em__host *still = rig_of(host)->still;
    return still->ops->link(still, path, buffer, capacity);
}

/* ------------------------------------------------------------------------------------------------------------ threads */

struct task {
    rig_host *rig;
    void (*body)(void *argument);
    void *argument;
};

static void count_threads(rig_host *rig, int change)
{
    pthread_mutex_lock(&rig->lock);
    rig->threads += change;
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static void run_task(void *argument)
{
    struct task task = *(struct task *)argument;
    free(argument);
    task.body(task.argument);
    count_threads(task.rig, -1);
    em__host_unref(&task.rig->base);
}

static int thread_start(em__host *host, void (*body)(void *), void *argument)
{
    struct task *task = malloc(sizeof *task);
    must(task != NULL);
    *task = (struct task){rig_of(em__host_ref(host)), body, argument};
    count_threads(task->rig, 1);
    int error = em__system_thread_start(host, run_task, task);
    if (error < 0) {
        count_threads(task->rig, -1);
        em__host_unref(host);
        free(task);
    }
    return error;
}

/* ------------------------------------------------------------------------------------------------------ life and parts */

static void destroy(em__host *host)
{
    rig_host *rig = rig_of(host);
    em__host_unref(rig->still);
    em__host_free_environment(host);
    pthread_cond_destroy(&rig->changed);
    pthread_mutex_destroy(&rig->lock);
    free(rig);
}

#define FILES_AND_CLOCKS                                                                                               \
    .destroy = destroy, .open = open_file, .read = read_file, .close = close_file, .list = list, .link = read_link,    \
    .monotonic_ns = monotonic_ns, .boottime_ns = boottime_ns, .wall_ns = wall_ns

static const em__host_ops driven_ops = {FILES_AND_CLOCKS};
static const em__host_ops live_ops = {FILES_AND_CLOCKS, .thread_start = thread_start};

#define PERF                                                                                                           \
    .perf_open = rig_perf_open, .perf_join = rig_perf_join, .perf_read = rig_perf_read, .perf_close = rig_perf_close

static const em__host_ops driven_perf_ops = {FILES_AND_CLOCKS, PERF};
static const em__host_ops live_perf_ops = {FILES_AND_CLOCKS, .thread_start = thread_start, PERF};

static rig_host *create(int is_live, uint64_t start_ns)
{
    rig_host *rig = calloc(1, sizeof *rig);
    must(rig && em__host_init(&rig->base, is_live ? &live_ops : &driven_ops, NULL) == 0);
    must(em__machine_create(0, NULL, &rig->still) == 0);
    pthread_mutex_init(&rig->lock, NULL);
    pthread_cond_init(&rig->changed, NULL);
    rig->is_live = is_live;
    rig->now_ns = start_ns;
    return rig;
}

void rig_inside_offer_events(rig_host *rig)
{
    rig->base.ops = rig->is_live ? &live_perf_ops : &driven_perf_ops;
}

rig_host *rig_host_create(uint64_t start_ns)
{
    return create(0, start_ns);
}

rig_host *rig_host_create_live(void)
{
    return create(1, 0);
}

em__host *rig_host_base(rig_host *rig)
{
    return &rig->base;
}

void rig_host_destroy(rig_host *rig)
{
    em__host_unref(&rig->base);
}

uint64_t rig_host_now(rig_host *rig)
{
    return now_of(rig);
}

void rig_host_advance(rig_host *rig, uint64_t elapsed_ns)
{
    pthread_mutex_lock(&rig->lock);
    rig->now_ns += elapsed_ns;
    pthread_mutex_unlock(&rig->lock);
}

void rig_host_set_clock_cost(rig_host *rig, uint64_t cost_ns)
{
    pthread_mutex_lock(&rig->lock);
    rig->clock_cost_ns = cost_ns;
    pthread_mutex_unlock(&rig->lock);
}

void rig_host_suspend(rig_host *rig, uint64_t elapsed_ns)
{
    pthread_mutex_lock(&rig->lock);
    rig->asleep_ns += elapsed_ns;
    pthread_mutex_unlock(&rig->lock);
}

static void put(rig_host *rig, const char *path, const char *content, int error)
{
    must(em__machine_set_file(rig->still, path, content, strlen(content), 0444, error) == 0);
}

void rig_host_put(rig_host *rig, const char *path, const char *content)
{
    put(rig, path, content, 0);
}

void rig_host_put_cpus(rig_host *rig, const char *vendor, const char *model, int sockets, int cpus)
{
    char text[16384];
    size_t length = 0;
    for (int i = 0; i < cpus && length < sizeof text; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "processor\t: %d\nvendor_id\t: %s\nmodel name\t: %s\nphysical id\t: %d\n\n", i,
                                   vendor, model, i % sockets);
    }
    must(length < sizeof text);
    put(rig, "/proc/cpuinfo", text, 0);
}

static rig_moving *add_moving(rig_host *rig, const char *path)
{
    must(rig->zone_count < MOST_ZONES);
    rig_moving *zone = &rig->zones[rig->zone_count++];
    snprintf(zone->path, sizeof zone->path, "%s", path);
    put(rig, path, "0\n", 0);
    return zone;
}

void rig_host_put_stat(rig_host *rig, const wave *utilisation, int cpus)
{
    rig_moving *zone = add_moving(rig, "/proc/stat");
    zone->source = (rig_source){.wave = utilisation};
    zone->cpus = cpus;
}

static void put_number(rig_host *rig, const char *folder, const char *name, uint64_t value, int error)
{
    char path[PATH_BYTES], text[32];
    snprintf(path, sizeof path, "/sys/class/powercap/%s/%s", folder, name);
    snprintf(text, sizeof text, "%llu\n", (unsigned long long)value);
    put(rig, path, text, error);
}

size_t rig_host_put_zone(rig_host *rig, const rig_zone *zone)
{
    char path[PATH_BYTES], text[64], type[32];
    snprintf(type, sizeof type, "%.*s", (int)strcspn(zone->folder, ":"), zone->folder);
    snprintf(path, sizeof path, "/sys/class/powercap/%s/enabled", type);
    put(rig, path, "1\n", 0);
    snprintf(path, sizeof path, "/sys/class/powercap/%s/name", zone->folder);
    snprintf(text, sizeof text, "%s\n", zone->name);
    put(rig, path, text, 0);
    put_number(rig, zone->folder, "max_energy_range_uj", zone->source.range, zone->range_error);
    if (zone->limit_w > 0) {
        put_number(rig, zone->folder, "constraint_0_power_limit_uw", (uint64_t)(zone->limit_w * 1e6), 0);
    }
    snprintf(path, sizeof path, "/sys/class/powercap/%s/energy_uj", zone->folder);
    rig_moving *made = add_moving(rig, path);
    made->source = zone->source;
    made->cost_ns = zone->cost_ns;
    return (size_t)(made - rig->zones);
}

rig_source *rig_host_source(rig_host *rig, size_t zone)
{
    return &rig->zones[zone].source;
}

uint64_t rig_host_reads(rig_host *rig, size_t zone)
{
    pthread_mutex_lock(&rig->lock);
    uint64_t reads = rig->zones[zone].reads;
    pthread_mutex_unlock(&rig->lock);
    return reads;
}

static void set_blocked(rig_host *rig, size_t zone, int is_blocked)
{
    pthread_mutex_lock(&rig->lock);
    rig->zones[zone].is_blocked = is_blocked;
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

void rig_host_block(rig_host *rig, size_t zone)
{
    set_blocked(rig, zone, 1);
}

void rig_host_let_go(rig_host *rig, size_t zone)
{
    set_blocked(rig, zone, 0);
}

int rig_host_blocked(rig_host *rig)
{
    pthread_mutex_lock(&rig->lock);
    int blocked = rig->blocked;
    pthread_mutex_unlock(&rig->lock);
    return blocked;
}

int rig_host_threads(rig_host *rig)
{
    pthread_mutex_lock(&rig->lock);
    int threads = rig->threads;
    pthread_mutex_unlock(&rig->lock);
    return threads;
}
