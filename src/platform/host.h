/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The outside world as one reference-counted struct: files below a root, clocks, vendor libraries, threads and the
 * environment that a caller handed in. The live system, a recorded machine and the fakes of the tests all are one. */
#ifndef EM_PLATFORM_HOST_H
#define EM_PLATFORM_HOST_H

#include <stddef.h>
#include <stdint.h>

typedef struct em__host em__host;
typedef struct em__file em__file; /* an open file; each kind of host derives its own from it */
typedef struct em__perf em__perf; /* perf events that are read together; derived from as files are */

/* What a performance monitoring unit counts on one CPU, whoever runs there. */
typedef struct {
    uint32_t type; /* of the unit, as its folder says */
    int32_t cpu;
    uint64_t config;
} em__perf_event;

enum { EM__PERF_MOST = 8 };

typedef struct {
    uint64_t running_ns;            /* how long it has counted; stands still when nothing does */
    uint64_t values[EM__PERF_MOST]; /* since it was opened, in the order of open and join */
} em__perf_counts;

typedef enum { EM__LOOK_FILE, EM__LOOK_DIRECTORY, EM__LOOK_LINK, EM__LOOK_OTHER } em__look_type;

typedef struct {
    em__look_type type;
    unsigned mode; /* as of chmod */
} em__look;

/* Every call that can fail returns 0 (or a length) or a negative errno. Any thread may call. Paths begin with "/", else
 * -EINVAL. None of them waits for a file: what is no regular file is never read. */
typedef struct {
    void (*destroy)(em__host *host);
    /* -EISDIR: a directory. -EINVAL: a pipe, socket or device. */
    int (*open)(em__host *host, const char *path, em__file **ret_file);
    /* From the file's beginning, whatever was read before, until its end or capacity. The length, with no NUL. */
    int (*read)(em__file *file, char *buffer, size_t capacity);
    void (*close)(em__file *file);
    /* Calls back with each entry's name but . and .., sorted by bytes; a nonzero answer stops and is returned.
     * The callback may use the host. */
    int (*list)(em__host *host, const char *path, int (*entry)(void *context, const char *name), void *context);
    /* The target as readlink prints it, ended by NUL: its length; -EINVAL: no link; -ENAMETOOLONG. */
    int (*link)(em__host *host, const char *path, char *buffer, size_t capacity);
    uint64_t (*monotonic_ns)(em__host *host); /* CLOCK_MONOTONIC */
    uint64_t (*boottime_ns)(em__host *host);  /* CLOCK_BOOTTIME: goes on in suspend */
    uint64_t (*wall_ns)(em__host *host);      /* CLOCK_REALTIME */
    /* NULL members: this host offers no libraries. */
    void *(*library_open)(em__host *host, const char *name);
    void *(*library_symbol)(em__host *host, void *library, const char *name);
    void (*library_close)(em__host *host, void *library);
    /* Starts a detached thread with all signals blocked. */
    int (*thread_start)(em__host *host, void (*body)(void *), void *argument);
    /* 0 if the path can be followed to anything. NULL: decided by open and list. */
    int (*exists)(em__host *host, const char *path);
    /* What is there, a link at the end not followed. Opens nothing. NULL: this host cannot be recorded. */
    int (*look)(em__host *host, const char *path, em__look *ret_look);
    /* NULL members: this host offers no perf events. A group begins with one event; others of the same unit and CPU
     * join it, EM__PERF_MOST in all (-E2BIG). -EACCES: the kernel asks for more rights; -EPERM, -ENOSYS: a filter of
     * system calls refuses as well. */
    int (*perf_open)(em__host *host, const em__perf_event *event, em__perf **ret_group);
    int (*perf_join)(em__perf *group, const em__perf_event *event);
    /* -ENODEV: its CPU or its unit is no longer there. */
    int (*perf_read)(em__perf *group, em__perf_counts *ret_counts);
    void (*perf_close)(em__perf *group);
} em__host_ops;

struct em__file {
    em__host *host;
};

struct em__perf {
    em__host *host;
};

struct em__host {
    const em__host_ops *ops;
    int references;     /* atomic; the last em__host_unref destroys */
    int shortage;       /* atomic: -ENOMEM, -EMFILE or -ENFILE; since it was set to 0, so much was not to be had, and
                           what seems not to be there may be */
    int is_live;        /* root "/": sensors of the running system may ask the vendor's library */
    char **environment; /* copies of "NAME=value", ended by NULL; may be NULL */
};

/* root "/" or NULL: the live system. A directory: files below it, and links never lead out of it; clocks and threads
 * are the live system's. A file that ends in .json: a recorded machine. as_user: files that their mode does not let
 * others read answer -EACCES, whoever runs this. environment as in em_options. -errno; ret_text (may be NULL) then says
 * in a sentence what was wrong with the root. */
int em__host_open(const char *root, int as_user, const char *const *environment, char *ret_text, size_t text_size,
                  em__host **ret_host);
em__host *em__host_ref(em__host *host);
void em__host_unref(em__host *host); /* NULL is ignored */

/* For other kinds of host: sets up the base (one reference, a copy of the environment). -ENOMEM. */
int em__host_init(em__host *host, const em__host_ops *ops, const char *const *environment);
void em__host_free_environment(em__host *host);

/* For all kinds of host: answers error, and keeps in mind what ran out. */
int em__host_answer(em__host *host, int error);

/* Conveniences over the ops. */
/* The whole of a small file, ended by NUL, trailing white space cut. Length or -errno; -EFBIG if it does not fit
 * (capacity is larger than the file). */
int em__host_text(em__host *host, const char *path, char *buffer, size_t capacity);
/* A file with one unsigned decimal number. 0 or -errno; -EINVAL: garbage. */
int em__host_u64(em__host *host, const char *path, uint64_t *ret_value);
/* 0 if the path can be followed to a file, directory or device, readable or not, else -errno. Never reads. */
int em__host_exists(em__host *host, const char *path);
/* The value of a variable in the environment that was handed in; NULL: not set. */
const char *em__host_variable(const em__host *host, const char *name);

#endif
