/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Fork detection, with the page that the kernel wipes and, built in a second time, without it. */
#include "check.h"
#include "platform/process.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* As on a kernel that knows no MADV_WIPEONFORK. */
#define em__process_generation generation_without_page
#define madvise(address, length, advice) ((advice) == MADV_WIPEONFORK ? -1 : madvise(address, length, advice))
#define em__process_id id_without_page
uint64_t generation_without_page(void);
int64_t id_without_page(void);
#include "platform/process.c"
#undef em__process_generation
#undef em__process_id
#undef madvise

typedef uint64_t (*generation_call)(void);

static void *ask(void *call)
{
    uint64_t *answer = malloc(sizeof *answer);
    if (answer) {
        *answer = (*(generation_call *)call)();
    }
    return answer;
}

static void check_same_in_all_threads(generation_call call)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, ask, &call), 0);
    }
    for (int i = 0; i < 8; i++) {
        void *answer;
        pthread_join(threads[i], &answer);
        CHECK(answer && *(uint64_t *)answer == call());
        free(answer);
    }
    CHECK(call() != 0);
}

/* What a child made by fork sees: 0 if all is well. silent: generations between that never ask. */
static int child_differs(generation_call call, uint64_t parents, int silent)
{
    pid_t child = fork();
    if (child == 0) {
        int verdict;
        if (silent > 0) {
            verdict = child_differs(call, parents, silent - 1);
        } else {
            uint64_t mine = call();
            verdict = mine == 0 || mine == parents || mine != call();
        }
        _exit(verdict);
    }
    int status;
    return child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status);
}

static void check_fork(generation_call call)
{
    uint64_t mine = call();
    CHECK_INT(child_differs(call, mine, 0), 0);
    CHECK_INT(child_differs(call, mine, 1), 0);
    CHECK_INT(child_differs(call, mine, 2), 0);
    CHECK(call() == mine);
}

/* A meter of the parent must look foreign to a grandchild, whichever of both asked before. */
static void check_grandchild(generation_call call)
{
    uint64_t parents = call();
    pid_t child = fork();
    if (child == 0) {
        uint64_t mine = call();
        pid_t grandchild = fork();
        if (grandchild == 0) {
            uint64_t last = call();
            _exit(last == 0 || last == mine || last == parents);
        }
        int status;
        _exit(waitpid(grandchild, &status, 0) != grandchild || status != 0);
    }
    int status = 1;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
}

static void with_a_wiped_page(void)
{
    check_same_in_all_threads(em__process_generation);
    check_fork(em__process_generation);
    check_grandchild(em__process_generation);
}

static void without_it(void)
{
    check_same_in_all_threads(generation_without_page);
    check_fork(generation_without_page);
    check_grandchild(generation_without_page);
    CHECK(atomic_load(&shared.page) == &no_page);
}

int main(void)
{
    RUN(with_a_wiped_page);
    RUN(without_it);
    return CHECK_DONE();
}
