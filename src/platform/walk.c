/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Paths below a root, followed by the kernel where it can (openat2, Linux 5.6) and one component at a time elsewhere. */
#include "platform/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_LINKS = 40, MOST_DEPTH = 64, MOST_TRIES = 4 }; /* 40 links: as the kernel */

/* Declared here, since the headers of an older kernel lack them. */
struct how {
    uint64_t flags, mode, resolve;
};
enum { OPENAT2 = 437, RESOLVE_NO_MAGIC_LINKS = 0x02, RESOLVE_IN_THE_ROOT = 0x10 };

static int kernel_open(int root, const char *path, int flags)
{
    struct how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_THE_ROOT | RESOLVE_NO_MAGIC_LINKS};
    for (int i = 0; i < MOST_TRIES; i++) {
        long descriptor = syscall(OPENAT2, root, path, &how, sizeof how);
        if (descriptor >= 0) {
            return (int)descriptor;
        }
        if (errno != EAGAIN && errno != EINTR) {
            break;
        }
    }
    return -errno;
}

int em__walk_target(int descriptor, char *buffer, size_t capacity)
{
    if (capacity == 0) {
        return -ENAMETOOLONG;
    }
    ssize_t length = readlinkat(descriptor, "", buffer, capacity);
    if (length < 0) {
        return errno == ENOENT ? -EINVAL : -errno; /* ENOENT: the kernel's word for "no link" where the path is empty */
    }
    if ((size_t)length >= capacity) {
        return -ENAMETOOLONG;
    }
    buffer[length] = '\0';
    return (int)length;
}

/* The directories from the root down to where the walk stands, so that ".." needs no help of the file system. */
struct walk {
    int stack[MOST_DEPTH];
    int depth;
    int links;
    char rest[PATH_MAX]; /* still to be followed */
};

static void climb(struct walk *walk, int depth)
{
    while (walk->depth > depth) {
        close(walk->stack[--walk->depth]);
    }
}

/* Puts the target of a link in front of what is left of the path. */
static int follow_link(struct walk *walk, int link, const char *rest)
{
    char target[PATH_MAX];
    int length = em__walk_target(link, target, sizeof target);
    if (length <= 0 || ++walk->links > MOST_LINKS) {
        return length < 0 ? length : length == 0 ? -ENOENT : -ELOOP;
    }
    size_t left = strlen(rest);
    if ((size_t)length + left >= sizeof walk->rest) {
        return -ENAMETOOLONG;
    }
    memmove(walk->rest + length, rest, left + 1);
    memcpy(walk->rest, target, (size_t)length);
    if (target[0] == '/') {
        climb(walk, 1);
    }
    return 0;
}

/* Opens a directory's entry without following it, and says what it is. */
static int open_entry(int directory, const char *name, mode_t *ret_type)
{
    struct stat status;
    int entry = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (entry < 0) {
        return -errno;
    }
    if (fstat(entry, &status) < 0) {
        int error = -errno;
        close(entry);
        return error;
    }
    *ret_type = status.st_mode & S_IFMT;
    return entry;
}

static int reopen(int directory, const char *name, int flags)
{
    int descriptor = openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC);
    return descriptor >= 0 ? descriptor : -errno;
}

/* One component. A descriptor if it was the last, -EINPROGRESS if the walk goes on in walk->rest, or -errno. */
static int step(struct walk *walk, int flags)
{
    char *name = walk->rest + strspn(walk->rest, "/");
    char *rest = name + strcspn(name, "/");
    int has_slash = *rest == '/';
    int is_last = rest[strspn(rest, "/")] == '\0';
    char component[NAME_MAX + 1];
    size_t length = (size_t)(rest - name);
    if (length > NAME_MAX) {
        return -ENAMETOOLONG;
    }
    memcpy(component, name, length);
    component[length] = '\0';
    int here = walk->stack[walk->depth - 1];
    if (length == 0) {
        return reopen(here, ".", flags);
    }
    if (strcmp(component, ".") == 0 || strcmp(component, "..") == 0) {
        /* Even "." asks for the right to search its directory. */
        if (faccessat(here, ".", X_OK, AT_EACCESS) < 0) {
            return -errno;
        }
        climb(walk, length == 2 && walk->depth > 1 ? walk->depth - 1 : walk->depth);
        memmove(walk->rest, rest, strlen(rest) + 1);
        return -EINPROGRESS;
    }
    mode_t type = 0;
    int entry = open_entry(here, component, &type);
    if (entry < 0) {
        return entry;
    }
    int result;
    if (type == S_IFLNK && (!is_last || has_slash || !(flags & O_NOFOLLOW))) {
        result = follow_link(walk, entry, rest);
        result = result < 0 ? result : -EINPROGRESS;
    } else if (is_last && !has_slash) {
        result = reopen(here, component, flags);
    } else if (type != S_IFDIR) {
        result = -ENOTDIR;
    } else if (walk->depth == MOST_DEPTH) {
        result = -ENAMETOOLONG;
    } else {
        walk->stack[walk->depth++] = entry;
        memmove(walk->rest, rest, strlen(rest) + 1);
        return -EINPROGRESS;
    }
    close(entry);
    return result;
}

static int own_open(int root, const char *path, int flags)
{
    struct walk walk;
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof walk.rest) {
        return length ? -ENAMETOOLONG : -ENOENT;
    }
    memcpy(walk.rest, path, length + 1);
    walk.stack[0] = root;
    walk.depth = 1;
    walk.links = 0;
    int result = -EINPROGRESS;
    while (result == -EINPROGRESS) {
        result = step(&walk, flags);
    }
    climb(&walk, 1);
    return result;
}

int em__walk_open(int root, const char *path, int flags, int own)
{
    int descriptor = own ? -ENOSYS : kernel_open(root, path, flags);
    /* EPERM: a filter of system calls that does not know it. EAGAIN: anything at all was renamed on this machine while
     * ".." was followed, which a busy one does all the time. */
    if (descriptor == -ENOSYS || descriptor == -EPERM || descriptor == -EAGAIN) {
        descriptor = own_open(root, path, flags);
    }
    return descriptor;
}
