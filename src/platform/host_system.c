/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The live system, and a directory that stands for its root: files, clocks, vendor libraries, threads. */
#include "platform/host_system.h"

#include "platform/walk.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 1 << 20, MOST_ENTRIES = 1 << 16, MOST_READ = 1 << 30 };

struct system_host {
    em__host base;
    int root; /* the directory that stands for "/"; -1: the live system */
    int as_user;
    int own_walk;
};

struct system_file {
    em__file base;
    int descriptor;
    int is_sysfs;
};

static void destroy(em__host *base)
{
    struct system_host *host = (struct system_host *)base;
    if (host->root >= 0) {
        close(host->root);
    }
    em__host_free_environment(base);
    free(host);
}

/* A descriptor or -errno; O_CLOEXEC is added. */
static int open_path(struct system_host *host, const char *path, int flags)
{
    if (path[0] != '/') {
        return -EINVAL;
    }
    if (host->root >= 0) {
        return em__host_answer(&host->base, em__walk_open(host->root, path, flags, host->own_walk));
    }
    int descriptor = open(path, flags | O_CLOEXEC);
    return descriptor >= 0 ? descriptor : em__host_answer(&host->base, -errno);
}

static int check_regular(int descriptor, int as_user)
{
    struct stat status;
    if (fstat(descriptor, &status) < 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
    }
    return as_user && !(status.st_mode & S_IROTH) ? -EACCES : 0;
}

static int open_regular(struct system_host *host, const char *path)
{
    /* O_NONBLOCK: the opening of a pipe would wait for its other end. */
    int descriptor = open_path(host, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    int error = descriptor < 0 ? descriptor : check_regular(descriptor, host->as_user);
    if (descriptor == -ENXIO || descriptor == -ENODEV) {
        return -EINVAL; /* a socket, or a device without a driver */
    }
    if (descriptor >= 0 && error < 0) {
        close(descriptor);
    }
    return error < 0 ? error : descriptor;
}

static int open_file(em__host *base, const char *path, em__file **ret_file)
{
    int descriptor = open_regular((struct system_host *)base, path);
    if (descriptor < 0) {
        return descriptor;
    }
    struct system_file *file = malloc(sizeof *file);
    if (!file) {
        close(descriptor);
        return em__host_answer(base, -ENOMEM);
    }
    struct statfs where;
    file->base.host = base;
    file->descriptor = descriptor;
    file->is_sysfs = fstatfs(descriptor, &where) == 0 && where.f_type == SYSFS_MAGIC;
    *ret_file = &file->base;
    return 0;
}

static int read_descriptor(int descriptor, char *buffer, size_t capacity, int stop_at_short)
{
    size_t length = 0;
    capacity = capacity > MOST_READ ? MOST_READ : capacity;
    while (length < capacity) {
        ssize_t got = pread(descriptor, buffer + length, capacity - length, (off_t)length);
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        if (got == 0) {
            break;
        }
        if (got > 0) {
            length += (size_t)got;
            if (stop_at_short) {
                break;
            }
        }
    }
    return (int)length;
}

static int read_file(em__file *base, char *buffer, size_t capacity)
{
    struct system_file *file = (struct system_file *)base;
    /* sysfs gives an attribute, at most a page, in one answer: asking for the end would double the cost of a reading. */
    return read_descriptor(file->descriptor, buffer, capacity, file->is_sysfs);
}

static void close_file(em__file *base)
{
    struct system_file *file = (struct system_file *)base;
    close(file->descriptor);
    free(file);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int read_names(DIR *directory, char ***ret_names, size_t *ret_count)
{
    char **names = NULL;
    size_t count = 0, capacity = 0;
    int error = 0;
    struct dirent *found;
    while (!error && (errno = 0, found = readdir(directory))) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) {
            continue;
        }
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 32;
            char **larger = capacity > MOST_ENTRIES ? NULL : realloc(names, capacity * sizeof *names);
            if (!larger) {
                error = capacity > MOST_ENTRIES ? -E2BIG : -ENOMEM;
                break;
            }
            names = larger;
        }
        names[count] = strdup(found->d_name);
        error = names[count] ? 0 : -ENOMEM;
        count += names[count] != NULL;
    }
    if (!error && errno) {
        error = -errno;
    }
    *ret_names = names;
    *ret_count = count;
    return error;
}

static int list(em__host *base, const char *path, int (*entry)(void *context, const char *name), void *context)
{
    int descriptor = open_path((struct system_host *)base, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    if (descriptor < 0) {
        return descriptor;
    }
    DIR *directory = fdopendir(descriptor);
    if (!directory) {
        int error = em__host_answer(base, -errno);
        close(descriptor);
        return error;
    }
    char **names;
    size_t count;
    int result = em__host_answer(base, read_names(directory, &names, &count));
    closedir(directory);
    if (result == 0 && count > 0) {
        qsort(names, count, sizeof *names, compare_names);
    }
    for (size_t i = 0; i < count; i++) {
        if (result == 0) {
            result = entry(context, names[i]);
        }
        free(names[i]);
    }
    free(names);
    return result;
}

static int read_link(em__host *base, const char *path, char *buffer, size_t capacity)
{
    int descriptor = open_path((struct system_host *)base, path, O_PATH | O_NOFOLLOW);
    if (descriptor < 0) {
        return descriptor;
    }
    int length = em__walk_target(descriptor, buffer, capacity);
    close(descriptor);
    return length;
}

static int exists(em__host *base, const char *path)
{
    int descriptor = open_path((struct system_host *)base, path, O_PATH);
    if (descriptor < 0) {
        return descriptor;
    }
    close(descriptor);
    return 0;
}

static int look(em__host *base, const char *path, em__look *ret_look)
{
    struct stat status;
    int descriptor = open_path((struct system_host *)base, path, O_PATH | O_NOFOLLOW);
    if (descriptor < 0) {
        return descriptor;
    }
    int error = fstat(descriptor, &status) < 0 ? -errno : 0;
    close(descriptor);
    if (error < 0) {
        return error;
    }
    *ret_look = (em__look){.type = S_ISREG(status.st_mode)   ? EM__LOOK_FILE
                                   : S_ISDIR(status.st_mode) ? EM__LOOK_DIRECTORY
                                   : S_ISLNK(status.st_mode) ? EM__LOOK_LINK
                                                             : EM__LOOK_OTHER,
                           .mode = status.st_mode & 07777};
    return 0;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t em__system_monotonic_ns(em__host *host)
{
    (void)host;
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t em__system_boottime_ns(em__host *host)
{
    (void)host;
    return clock_ns(CLOCK_BOOTTIME);
}

uint64_t em__system_wall_ns(em__host *host)
{
    (void)host;
    return clock_ns(CLOCK_REALTIME);
}

/* The loader tells in words alone why it cannot: whether a file could be opened at all is asked anew. */
static void *library_open(em__host *host, const char *name)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    int descriptor = library ? -1 : open("/", O_PATH | O_CLOEXEC);
    if (descriptor >= 0) {
        close(descriptor);
    } else if (!library) {
        em__host_answer(host, -errno);
    }
    return library;
}

static void *library_symbol(em__host *host, void *library, const char *name)
{
    (void)host;
    return dlsym(library, name);
}

static void library_close(em__host *host, void *library)
{
    (void)host;
    dlclose(library);
}

struct task {
    void (*body)(void *argument);
    void *argument;
};

static void *run_task(void *argument)
{
    struct task task = *(struct task *)argument;
    free(argument);
    task.body(task.argument);
    return NULL;
}

static int create_detached(struct task *task, size_t stack_size)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);
    if (error) {
        return -error;
    }
    error = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (!error && stack_size > 0) {
        error = pthread_attr_setstacksize(&attributes, stack_size);
    }
    if (!error) {
        error = pthread_create(&thread, &attributes, run_task, task);
    }
    pthread_attr_destroy(&attributes);
    return -error;
}

int em__system_thread_start(em__host *host, void (*body)(void *), void *argument)
{
    (void)host;
    struct task *task = malloc(sizeof *task);
    if (!task) {
        return -ENOMEM;
    }
    *task = (struct task){body, argument};
    sigset_t all, callers;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &callers);
    int error = create_detached(task, STACK_SIZE);
    if (error == -EINVAL) {
        /* The thread-local data of all loaded libraries lie on the stack too, and can be larger than it. */
        error = create_detached(task, 0);
    }
    pthread_sigmask(SIG_SETMASK, &callers, NULL);
    if (error < 0) {
        free(task);
    }
    return error;
}

static int perf_open(em__host *base, const em__perf_event *event, em__perf **ret_group)
{
    int is_denied = ((struct system_host *)base)->as_user && em__system_perf_is_private(base);
    return is_denied ? -EACCES : em__host_answer(base, em__system_perf_open(base, event, ret_group));
}

static int perf_join(em__perf *group, const em__perf_event *event)
{
    return em__host_answer(group->host, em__system_perf_join(group, event));
}

#define FILES_CLOCKS_THREADS                                                                                           \
    .destroy = destroy, .open = open_file, .read = read_file, .close = close_file, .list = list, .link = read_link,    \
    .monotonic_ns = em__system_monotonic_ns, .boottime_ns = em__system_boottime_ns, .wall_ns = em__system_wall_ns,     \
    .thread_start = em__system_thread_start, .exists = exists, .look = look

static const em__host_ops directory_ops = {FILES_CLOCKS_THREADS};
static const em__host_ops live_ops = {FILES_CLOCKS_THREADS,
                                      .library_open = library_open,
                                      .library_symbol = library_symbol,
                                      .library_close = library_close,
                                      .perf_open = perf_open,
                                      .perf_join = perf_join,
                                      .perf_read = em__system_perf_read,
                                      .perf_close = em__system_perf_close};

int em__system_open(const char *root, int is_live, int as_user, int own_walk, const char *const *environment,
                    em__host **ret_host)
{
    struct system_host *host = malloc(sizeof *host);
    if (!host) {
        return -ENOMEM;
    }
    int error = em__host_init(&host->base, is_live ? &live_ops : &directory_ops, environment);
    if (error < 0) {
        free(host);
        return error;
    }
    host->base.is_live = is_live;
    host->as_user = as_user;
    host->root = is_live ? -1 : open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    host->own_walk = own_walk;
    if (!is_live && host->root < 0) {
        error = -errno;
        destroy(&host->base);
        return error;
    }
    *ret_host = &host->base;
    return 0;
}

int em__system_load(const char *path, size_t limit, char **ret_text, size_t *ret_length)
{
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0) {
        return -errno;
    }
    struct stat status;
    int length = check_regular(descriptor, 0);
    char *text = NULL;
    if (length == 0 && fstat(descriptor, &status) == 0 && (uint64_t)status.st_size > limit) {
        length = -EFBIG;
    }
    if (length == 0) {
        size_t capacity = (size_t)status.st_size + 1;
        text = malloc(capacity + 1);
        length = text ? read_descriptor(descriptor, text, capacity, 0) : -ENOMEM;
    }
    close(descriptor);
    if (length < 0) {
        free(text);
        return length;
    }
    text[length] = '\0';
    *ret_text = text;
    *ret_length = (size_t)length;
    return 0;
}
