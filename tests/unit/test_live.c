/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The live system as a host: its files, clocks, libraries and threads, and the environment that a caller hands in. */
#include "check.h"
#include "platform/host.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void the_environment_is_copied(void)
{
    char first[] = "CUDA_VISIBLE_DEVICES=0,1";
    const char *environment[] = {first, "EMPTY=", "CUDA=no", "CUDA_VISIBLE_DEVICES=later", "noequals", NULL};
    em__host *host;
    CHECK_INT(em__host_open(NULL, 0, environment, NULL, 0, &host), 0);
    memset(first, 'x', sizeof first - 1);
    environment[1] = NULL;
    CHECK_TEXT(em__host_variable(host, "CUDA_VISIBLE_DEVICES"), "0,1");
    CHECK_TEXT(em__host_variable(host, "EMPTY"), "");
    CHECK(em__host_variable(host, "CUDA_VISIBLE") == NULL);
    CHECK(em__host_variable(host, "noequals") == NULL);
    CHECK(em__host_ref(host) == host);
    em__host_unref(host);
    CHECK_TEXT(em__host_variable(host, "CUDA"), "no");
    em__host_unref(host);
    em__host_unref(NULL);
    CHECK_INT(em__host_open("/", 0, NULL, NULL, 0, &host), 0);
    CHECK(em__host_variable(host, "PATH") == NULL);
    em__host_unref(host);
}

static void the_live_system(void)
{
    char text[64];
    em__file *file;
    em__host *host;
    CHECK_INT(em__host_open("//", 0, NULL, NULL, 0, &host), 0);
    CHECK(host->is_live);
    CHECK_INT(host->ops->open(host, "/proc/stat", &file), 0);
    CHECK_INT(host->ops->read(file, text, sizeof text), sizeof text);
    CHECK(memcmp(text, "cpu ", 4) == 0);
    host->ops->close(file);
    CHECK_INT(em__host_text(host, "/dev/null", text, sizeof text), -EINVAL);
    CHECK_INT(em__host_text(host, "/proc", text, sizeof text), -EISDIR);
    CHECK_INT(em__host_text(host, "proc/stat", text, sizeof text), -EINVAL);
    CHECK_INT(em__host_exists(host, "/dev/null"), 0);
    CHECK_INT(em__host_exists(host, "/proc/self"), 0);
    CHECK(host->ops->link(host, "/proc/self", text, sizeof text) > 0);
    CHECK_INT(atoi(text), getpid());
    void *library = host->ops->library_open(host, "libc.so.6");
    if (CHECK(library != NULL)) {
        CHECK(host->ops->library_symbol(host, library, "getpid") != NULL);
        CHECK(host->ops->library_symbol(host, library, "no_such_symbol") == NULL);
        host->ops->library_close(host, library);
    }
    CHECK(host->ops->library_open(host, "libno-such-thing.so.9") == NULL);
    em__host_unref(host);
}

/* A process file answers in pieces of at most a page, cut between its lines. */
static void long_files_come_in_one_piece(void)
{
    enum { PAGES = 400 };
    em__host *host;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 1 << 20;
    char *text = malloc(size), last[32];
    char *pages = mmap(NULL, PAGES * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_INT(em__host_open(NULL, 0, NULL, NULL, 0, &host), 0);
    if (CHECK(text && pages != MAP_FAILED)) {
        for (size_t i = 0; i < PAGES; i += 2) {
            mprotect(pages + i * page, page, PROT_NONE);
        }
        CHECK(em__host_text(host, "/proc/self/maps", text, size) > PAGES * 20);
        for (size_t i = 0; i < PAGES; i++) {
            snprintf(last, sizeof last, "%zx-", (size_t)(pages + i * page));
            CHECK(strstr(text, last) != NULL);
        }
        munmap(pages, PAGES * page);
    }
    free(text);
    em__host_unref(host);
}

static void the_clocks(void)
{
    em__host *host;
    struct timespec before, after;
    CHECK_INT(em__host_open(NULL, 0, NULL, NULL, 0, &host), 0);
    static const clockid_t ids[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME};
    uint64_t (*const clocks[])(em__host *) = {host->ops->monotonic_ns, host->ops->boottime_ns, host->ops->wall_ns};
    for (int i = 0; i < 3; i++) {
        clock_gettime(ids[i], &before);
        uint64_t now_ns = clocks[i](host);
        clock_gettime(ids[i], &after);
        CHECK(now_ns >= (uint64_t)before.tv_sec * 1000000000u + (uint64_t)before.tv_nsec);
        CHECK(now_ns <= (uint64_t)after.tv_sec * 1000000000u + (uint64_t)after.tv_nsec);
    }
    em__host_unref(host);
}

struct seen {
    sem_t done;
    int blocked, is_detached;
    size_t stack_size;
};

static void look_around(void *context)
{
    struct seen *seen = context;
    sigset_t mask;
    pthread_attr_t attributes;
    int state = -1;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGCHLD, SIGUSR1, SIGPIPE, SIGPROF, SIGWINCH};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        seen->blocked += sigismember(&mask, numbers[i]);
    }
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &seen->stack_size);
    pthread_attr_getdetachstate(&attributes, &state);
    pthread_attr_destroy(&attributes);
    seen->is_detached = state == PTHREAD_CREATE_DETACHED;
    sem_post(&seen->done);
}

static void threads_take_no_signals(void)
{
    em__host *host;
    sigset_t before, after;
    struct seen seen = {.blocked = 0};
    CHECK_INT(em__host_open(NULL, 0, NULL, NULL, 0, &host), 0);
    sem_init(&seen.done, 0, 0);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    if (CHECK_INT(host->ops->thread_start(host, look_around, &seen), 0)) {
        while (sem_wait(&seen.done) != 0) {
        }
        CHECK_INT(seen.blocked, 9);
        CHECK_INT(seen.is_detached, 1);
        CHECK(seen.stack_size >= 128 << 10 && seen.stack_size <= 1 << 20);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    CHECK_INT(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
    sem_destroy(&seen.done);
    em__host_unref(host);
}

int main(void)
{
    RUN(the_environment_is_copied);
    RUN(the_live_system);
    RUN(long_files_come_in_one_piece);
    RUN(the_clocks);
    RUN(threads_take_no_signals);
    return CHECK_DONE();
}
