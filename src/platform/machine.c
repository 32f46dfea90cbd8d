/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A recorded machine as a host: a tree in memory, with links followed as the kernel follows them. */
#include "platform/machine.h"

#include "platform/host_system.h"
#include "platform/machine_tree.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MONOTONIC, BOOTTIME, WALL, CLOCKS };

struct machine {
    em__host base;
    pthread_mutex_t lock;
    em__tree tree;
    int as_user;
    int has_clock;
    uint64_t clocks_ns[CLOCKS];
};

struct machine_file {
    em__file base;
    em__node *node; /* a reference */
};

static struct machine *lock_machine(em__host *host)
{
    struct machine *machine = (struct machine *)host;
    pthread_mutex_lock(&machine->lock);
    return machine;
}

static void unlock_machine(struct machine *machine)
{
    pthread_mutex_unlock(&machine->lock);
}

static void destroy(em__host *host)
{
    struct machine *machine = (struct machine *)host;
    em__tree_free(&machine->tree);
    pthread_mutex_destroy(&machine->lock);
    em__host_free_environment(host);
    free(machine);
}

static int open_node(struct machine *machine, const char *path, em__node **ret_node)
{
    em__node *node;
    int error = em__tree_find(&machine->tree, path, 1, &node);
    if (error < 0) {
        return error;
    }
    if (node->type == EM__NODE_DIRECTORY) {
        return -EISDIR;
    }
    if (machine->as_user && !(node->mode & 04)) {
        return -EACCES;
    }
    *ret_node = node;
    return 0;
}

static int open_file(em__host *host, const char *path, em__file **ret_file)
{
    struct machine_file *file = malloc(sizeof *file);
    if (!file) {
        return em__host_answer(host, -ENOMEM);
    }
    file->base.host = host;
    struct machine *machine = lock_machine(host);
    int error = open_node(machine, path, &file->node);
    if (error == 0) {
        em__node_ref(file->node);
    }
    unlock_machine(machine);
    if (error < 0) {
        free(file);
        return em__host_answer(host, error);
    }
    *ret_file = &file->base;
    return 0;
}

static int read_file(em__file *base, char *buffer, size_t capacity)
{
    struct machine *machine = lock_machine(base->host);
    const em__node *node = ((struct machine_file *)base)->node;
    int result;
    if (!node->parent || node->type != EM__NODE_FILE) {
        result = -ENODEV;
    } else if (node->error) {
        result = -node->error;
    } else {
        size_t length = node->length < capacity ? node->length : capacity;
        memcpy(buffer, node->content, length);
        result = (int)length;
    }
    unlock_machine(machine);
    return result;
}

static void close_file(em__file *base)
{
    struct machine *machine = lock_machine(base->host);
    em__node_unref(((struct machine_file *)base)->node);
    unlock_machine(machine);
    free(base);
}

static int list(em__host *host, const char *path, int (*entry)(void *context, const char *name), void *context)
{
    char **names = NULL;
    size_t count = 0;
    em__node *node;
    struct machine *machine = lock_machine(host);
    int result = em__tree_find(&machine->tree, path, 1, &node);
    if (result == 0) {
        result = em__node_names(node, &names, &count);
    }
    unlock_machine(machine);
    em__host_answer(host, result);
    for (size_t i = 0; i < count && result == 0; i++) {
        result = entry(context, names[i]);
    }
    free(names);
    return result;
}

static int read_link(em__host *host, const char *path, char *buffer, size_t capacity)
{
    em__node *node;
    struct machine *machine = lock_machine(host);
    int result = em__tree_find(&machine->tree, path, 0, &node);
    if (result == 0 && node->type != EM__NODE_LINK) {
        result = -EINVAL;
    } else if (result == 0 && node->length >= capacity) {
        result = -ENAMETOOLONG;
    } else if (result == 0) {
        memcpy(buffer, node->content, node->length + 1);
        result = (int)node->length;
    }
    unlock_machine(machine);
    return em__host_answer(host, result);
}

static int exists(em__host *host, const char *path)
{
    em__node *node;
    struct machine *machine = lock_machine(host);
    int error = em__tree_find(&machine->tree, path, 1, &node);
    unlock_machine(machine);
    return em__host_answer(host, error);
}

static int look(em__host *host, const char *path, em__look *ret_look)
{
    em__node *node;
    struct machine *machine = lock_machine(host);
    int error = em__tree_find(&machine->tree, path, 0, &node);
    if (error == 0) {
        *ret_look = (em__look){.type = node->type == EM__NODE_FILE   ? EM__LOOK_FILE
                                       : node->type == EM__NODE_LINK ? EM__LOOK_LINK
                                                                     : EM__LOOK_DIRECTORY,
                               .mode = node->mode};
    }
    unlock_machine(machine);
    return em__host_answer(host, error);
}

static uint64_t clock_of(em__host *host, int clock, uint64_t live_ns)
{
    struct machine *machine = lock_machine(host);
    uint64_t now_ns = machine->has_clock ? machine->clocks_ns[clock] : live_ns;
    unlock_machine(machine);
    return now_ns;
}

static uint64_t monotonic_ns(em__host *host)
{
    return clock_of(host, MONOTONIC, em__system_monotonic_ns(host));
}

static uint64_t boottime_ns(em__host *host)
{
    return clock_of(host, BOOTTIME, em__system_boottime_ns(host));
}

static uint64_t wall_ns(em__host *host)
{
    return clock_of(host, WALL, em__system_wall_ns(host));
}

static const em__host_ops machine_ops = {
    .destroy = destroy,
    .open = open_file,
    .read = read_file,
    .close = close_file,
    .list = list,
    .link = read_link,
    .monotonic_ns = monotonic_ns,
    .boottime_ns = boottime_ns,
    .wall_ns = wall_ns,
    .thread_start = em__system_thread_start,
    .exists = exists,
    .look = look,
};

int em__machine_create(int as_user, const char *const *environment, em__host **ret_host)
{
    struct machine *machine = calloc(1, sizeof *machine);
    if (!machine) {
        return -ENOMEM;
    }
    int error = em__tree_init(&machine->tree);
    if (error == 0) {
        error = em__host_init(&machine->base, &machine_ops, environment);
        if (error < 0) {
            em__tree_free(&machine->tree);
        }
    }
    if (error < 0) {
        free(machine);
        return error;
    }
    machine->as_user = as_user;
    pthread_mutex_init(&machine->lock, NULL);
    *ret_host = &machine->base;
    return 0;
}

int em__machine_parse(const char *text, size_t length, int as_user, const char *const *environment, char *ret_text,
                      size_t text_size, em__host **ret_host)
{
    em__host *host;
    int error = em__machine_create(as_user, environment, &host);
    if (error < 0) {
        if (ret_text && text_size > 0) {
            ret_text[0] = '\0';
        }
        return error;
    }
    error = em__recording_load(&((struct machine *)host)->tree, text, length, ret_text, text_size);
    if (error < 0) {
        em__host_unref(host);
        return error;
    }
    *ret_host = host;
    return 0;
}

int em__machine_set_file(em__host *host, const char *path, const char *content, size_t length, unsigned mode, int error)
{
    struct machine *machine = lock_machine(host);
    int result = em__tree_put(&machine->tree, path, EM__NODE_FILE, content, length, mode, error);
    unlock_machine(machine);
    return result;
}

int em__machine_set_link(em__host *host, const char *path, const char *target)
{
    struct machine *machine = lock_machine(host);
    int result = em__tree_put(&machine->tree, path, EM__NODE_LINK, target, strlen(target), 0777, 0);
    unlock_machine(machine);
    return result;
}

int em__machine_remove(em__host *host, const char *path)
{
    em__node *node;
    struct machine *machine = lock_machine(host);
    int error = em__tree_find(&machine->tree, path, 0, &node);
    if (error == 0 && !node->parent) {
        error = -EBUSY;
    } else if (error == 0) {
        em__node_detach(node);
    }
    unlock_machine(machine);
    return error;
}

void em__machine_set_clock(em__host *host, uint64_t new_monotonic_ns, uint64_t new_boottime_ns, uint64_t new_wall_ns)
{
    struct machine *machine = lock_machine(host);
    machine->has_clock = 1;
    machine->clocks_ns[MONOTONIC] = new_monotonic_ns;
    machine->clocks_ns[BOOTTIME] = new_boottime_ns;
    machine->clocks_ns[WALL] = new_wall_ns;
    unlock_machine(machine);
}
