/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Adds up what a changing tree of processes has used, so that nothing of a child is counted twice or lost when it ends:
 * its time is then either in what its parent has waited for, or nowhere. */
#include "sensors/cpu_time.h"

#include "core/text.h"
#include "core/units.h"
#include "energy_meter.h"
#include "platform/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STAT_BYTES = 1024, PATH_BYTES = 96, LIST_BYTES = 4096, MOST_CHILDREN = 512, MOST_FILES = 1024 };
enum { MOST_PROCESSES = 2048, MOST_DEPTH = 32, US_PER_TICK = 10000, NS_PER_TICK = 10000000, LOOKS_SHARE = 40000 };

struct em__cpu_time_source {
    em__host *host;
    em__file *machine, *self;
    em__process_time last;      /* of this process */
    em__process_time *children; /* living descendants that are known; start 0: just found */
    size_t child_count;
    uint64_t used_ticks, busy_ticks; /* handed out last */
    uint64_t look_ns;                /* when to look for descendants next */
    uint64_t began_ticks;            /* since boot: the last baseline */
    int has_lists;                   /* the kernel lists a thread's children */
    size_t files_left;               /* of one look */
};

static int read_file(em__file *file, char *text, size_t size)
{
    return file->host->ops->read(file, text, size);
}

static int read_machine(em__cpu_time_source *source, uint64_t *ret_busy)
{
    char text[STAT_BYTES];
    em__cpu_time time;
    int length = read_file(source->machine, text, sizeof text);
    if (length < 0) {
        return length;
    }
    if (em__parse_cpu_time(text, (size_t)length, &time) < 0) {
        return -EILSEQ;
    }
    *ret_busy = time.busy;
    return 0;
}

static int read_self(em__cpu_time_source *source, em__process_time *ret_time)
{
    char text[STAT_BYTES];
    int length = read_file(source->self, text, sizeof text);
    if (length < 0) {
        return length;
    }
    return em__parse_process_time(text, (size_t)length, ret_time) < 0 ? -EILSEQ : 0;
}

static int read_process(em__host *host, uint64_t pid, em__process_time *ret_time)
{
    char path[PATH_BYTES], text[STAT_BYTES];
    em__print(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    int length = em__host_text(host, path, text, sizeof text);
    if (length < 0) {
        return length;
    }
    return em__parse_process_time(text, (size_t)length, ret_time) < 0 || ret_time->pid != pid ? -EILSEQ : 0;
}

/* ------------------------------------------------------------------------------------------------ finding descendants */

static void add_child(em__cpu_time_source *source, uint64_t pid)
{
    for (size_t i = 0; i < source->child_count; i++) {
        if (source->children[i].pid == pid) {
            return;
        }
    }
    if (pid != source->last.pid && source->child_count < MOST_CHILDREN) {
        source->children[source->child_count++] = (em__process_time){.pid = pid};
    }
}

typedef struct {
    em__cpu_time_source *source;
    uint64_t pid;
} task_look;

/* "4711 4712 ", the children of one thread. */
static int look_at_task(void *context, const char *name)
{
    task_look *look = context;
    em__cpu_time_source *source = look->source;
    char path[PATH_BYTES], text[LIST_BYTES];
    uint64_t pid;
    if (source->files_left == 0) {
        return 1;
    }
    source->files_left--;
    em__print(path, sizeof path, "/proc/%llu/task/%s/children", (unsigned long long)look->pid, name);
    if (em__host_text(source->host, path, text, sizeof text) < 0) {
        return 0;
    }
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, " ");
        if (em__parse_u64(at, length, &pid) == 0) {
            add_child(source, pid);
        }
        at += length + strspn(at + length, " ");
    }
    return 0;
}

static void look_at_tasks(em__cpu_time_source *source, uint64_t pid)
{
    char path[PATH_BYTES];
    task_look look = {source, pid};
    em__print(path, sizeof path, "/proc/%llu/task", (unsigned long long)pid);
    source->host->ops->list(source->host, path, look_at_task, &look);
}

typedef struct {
    em__host *host;
    em__process_time *all;
    size_t count;
} process_list;

static int note_process(void *context, const char *name)
{
    process_list *list = context;
    uint64_t pid;
    if (em__parse_u64(name, strlen(name), &pid) < 0) {
        return 0;
    }
    list->count += read_process(list->host, pid, &list->all[list->count]) == 0;
    return list->count == MOST_PROCESSES;
}

static int is_member(const em__cpu_time_source *source, uint64_t pid)
{
    for (size_t i = 0; i < source->child_count; i++) {
        if (source->children[i].pid == pid) {
            return 1;
        }
    }
    return pid == source->last.pid;
}

/* A kernel without CONFIG_PROC_CHILDREN tells only each process's parent. */
static void look_at_all(em__cpu_time_source *source)
{
    process_list list = {source->host, malloc(MOST_PROCESSES * sizeof *list.all), 0};
    if (!list.all) {
        return;
    }
    source->host->ops->list(source->host, "/proc", note_process, &list);
    size_t before = source->child_count + 1;
    for (int depth = 0; depth < MOST_DEPTH && before != source->child_count; depth++) {
        before = source->child_count;
        for (size_t i = 0; i < list.count; i++) {
            if (is_member(source, list.all[i].parent)) {
                add_child(source, list.all[i].pid);
            }
        }
    }
    free(list.all);
}

static void look(em__cpu_time_source *source, uint64_t now_ns)
{
    if (source->has_lists) {
        source->files_left = MOST_FILES;
        look_at_tasks(source, source->last.pid);
        for (size_t i = 0; i < source->child_count; i++) { /* which grows meanwhile */
            look_at_tasks(source, source->children[i].pid);
        }
    } else {
        look_at_all(source);
    }
    uint64_t cost_ns = source->host->ops->monotonic_ns(source->host) - now_ns;
    uint64_t pause_ns = cost_ns * LOOKS_SHARE;
    source->look_ns = now_ns + (pause_ns > EM__NS_PER_S ? pause_ns : EM__NS_PER_S);
}

/* Between two looks: a child of the main thread, as those that a framework forks mostly are. */
static void glance(em__cpu_time_source *source)
{
    char name[24];
    task_look look = {source, source->last.pid};
    source->files_left = 1;
    em__print(name, sizeof name, "%llu", (unsigned long long)source->last.pid);
    look_at_task(&look, name);
}

/* ------------------------------------------------------------------------------------------------------------ reading */

static uint64_t growth(uint64_t from, uint64_t to)
{
    return to > from ? to - from : 0;
}

/* What the tree has used since the last reading. Time of a child that ended is in what somebody has waited for, and it
 * was counted before; where nobody waited, it must not be taken off again. */
static uint64_t grow(em__cpu_time_source *source, const em__process_time *self)
{
    uint64_t used = 0, waited = 0, ended = 0;
    size_t kept = 0;
    for (size_t i = 0; i < source->child_count; i++) {
        em__process_time *last = &source->children[i], now;
        int is_new = last->start == 0;
        if (read_process(source->host, last->pid, &now) < 0 || (!is_new && now.start != last->start)) {
            ended += last->used + last->waited;
            continue;
        }
        /* A new one has used all its time since the last reading, unless it is older than what is measured. */
        if (!is_new || now.start >= source->began_ticks) {
            used += growth(last->used, now.used);
            waited += growth(last->waited, now.waited);
        }
        source->children[kept++] = now;
    }
    source->child_count = kept;
    /* A child may have been waited for after this process was read and before the child was. */
    em__process_time latest = *self;
    if (ended > waited + growth(source->last.waited, self->waited) && read_self(source, &latest) < 0) {
        latest = *self;
    }
    used += growth(source->last.used, latest.used);
    waited += growth(source->last.waited, latest.waited);
    source->last = latest;
    return used + growth(ended, waited);
}

int em__cpu_time_read(em__cpu_time_source *source, int is_baseline, uint64_t *ret_process_us, uint64_t *ret_busy_us)
{
    uint64_t busy, now_ns = source->host->ops->monotonic_ns(source->host);
    em__process_time self;
    int error = read_machine(source, &busy);
    error = error < 0 ? error : read_self(source, &self);
    if (error < 0) {
        return error;
    }
    if (is_baseline) {
        source->began_ticks = source->host->ops->boottime_ns(source->host) / NS_PER_TICK;
        look(source, now_ns); /* What a child has used so far is not this window's when it is waited for in it. */
    } else if (now_ns >= source->look_ns) {
        look(source, now_ns);
    } else if (source->has_lists) {
        glance(source);
    }
    source->used_ticks += grow(source, &self);
    source->busy_ticks = busy > source->busy_ticks ? busy : source->busy_ticks;
    *ret_process_us = source->used_ticks * US_PER_TICK;
    *ret_busy_us = em__scale(source->busy_ticks, US_PER_TICK, 1);
    return 0;
}

/* --------------------------------------------------------------------------------------------------------------- life */

int em__cpu_time_open(em__host *host, em__cpu_time_source **ret_source)
{
    char path[PATH_BYTES], text[STAT_BYTES];
    uint64_t busy;
    *ret_source = NULL;
    em__cpu_time_source *source = calloc(1, sizeof *source);
    em__process_time *children = calloc(MOST_CHILDREN, sizeof *children);
    if (!source || !children) {
        free(source);
        free(children);
        return EM_ERR_NO_MEMORY;
    }
    source->host = em__host_ref(host);
    source->children = children;
    if (host->ops->open(host, "/proc/stat", &source->machine) < 0) {
        source->machine = NULL;
    } else if (host->ops->open(host, "/proc/self/stat", &source->self) < 0) {
        source->self = NULL;
    }
    if (!source->self || read_machine(source, &busy) < 0 || read_self(source, &source->last) < 0) {
        em__cpu_time_close(source);
        return EM_OK;
    }
    em__print(path, sizeof path, "/proc/%llu/task/%llu/children", (unsigned long long)source->last.pid,
              (unsigned long long)source->last.pid);
    int length = em__host_text(host, path, text, sizeof text);
    source->has_lists = length >= 0 || length == -EFBIG;
    *ret_source = source;
    return EM_OK;
}

void em__cpu_time_close(em__cpu_time_source *source)
{
    if (!source) {
        return;
    }
    if (source->machine) {
        source->host->ops->close(source->machine);
    }
    if (source->self) {
        source->host->ops->close(source->self);
    }
    em__host_unref(source->host);
    free(source->children);
    free(source);
}
