/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Writes that never wait for a reader and never raise a signal. */
#include "platform/stream.h"

#include "core/text.h"
#include "platform/host_system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000, LONGEST_MS = 60000 };

int em__stream_check(int descriptor, int for_writing)
{
    int flags = fcntl(descriptor, F_GETFL);
    int mode = flags & O_ACCMODE;
    return flags >= 0 && (mode == O_RDWR || mode == (for_writing ? O_WRONLY : O_RDONLY)) ? 0 : -EBADF;
}

static int wait_writable(int descriptor, uint64_t until_ns)
{
    uint64_t now_ns = em__system_monotonic_ns(NULL);
    uint64_t left_ms = until_ns > now_ns ? (until_ns - now_ns) / NS_PER_MS + 1 : 0;
    struct pollfd one = {.fd = descriptor, .events = POLLOUT};
    return poll(&one, 1, left_ms < LONGEST_MS ? (int)left_ms : LONGEST_MS) > 0;
}

/* A pipe that says it is writable takes PIPE_BUF bytes without waiting. 0 or -errno. */
static int write_some(int descriptor, const char *bytes, size_t length, uint64_t until_ns, size_t *ret_written)
{
    struct stat status;
    int is_file = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    for (*ret_written = 0; *ret_written < length;) {
        size_t left = length - *ret_written;
        if (!is_file && !wait_writable(descriptor, until_ns)) {
            return 0;
        }
        ssize_t done = write(descriptor, bytes + *ret_written, is_file || left < PIPE_BUF ? left : PIPE_BUF);
        if (done < 0 && errno != EINTR) {
            return errno == EAGAIN ? 0 : -errno;
        }
        *ret_written += done > 0 ? (size_t)done : 0;
    }
    return 0;
}

int64_t em__stream_write(int descriptor, const void *bytes, size_t length, uint64_t patience_ns)
{
    static const int numbers[] = {SIGPIPE, SIGXFSZ};
    sigset_t raised, pending, callers;
    const struct timespec at_once = {0};
    uint64_t now_ns = em__system_monotonic_ns(NULL);
    uint64_t until_ns = patience_ns < UINT64_MAX - now_ns ? now_ns + patience_ns : UINT64_MAX;
    size_t written;
    sigemptyset(&raised);
    for (size_t i = 0; i < 2; i++) {
        sigaddset(&raised, numbers[i]);
    }
    pthread_sigmask(SIG_BLOCK, &raised, &callers);
    sigpending(&pending);
    int error = write_some(descriptor, bytes, length, until_ns, &written);
    for (size_t i = 0; i < 2; i++) {
        if (sigismember(&pending, numbers[i])) {
            sigdelset(&raised, numbers[i]); /* That one is somebody else's. */
        }
    }
    if (error < 0) {
        sigtimedwait(&raised, NULL, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &callers, NULL);
    return error < 0 && written == 0 ? error : (int64_t)written;
}

int64_t em__stream_read(int descriptor, void *buffer, size_t capacity)
{
    ssize_t got;
    do {
        got = read(descriptor, buffer, capacity);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

void em__stream_error(int error, char *text, size_t size)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    em__copy(text, size, plain ? strerror_l(error, plain) : "out of memory");
    if (plain) {
        freelocale(plain);
    }
}
