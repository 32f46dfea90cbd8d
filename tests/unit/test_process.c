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
#define em__process_turn turn_without_page
#define em__process_borrow borrow_without_page
uint64_t generation_without_page(void);
int64_t id_without_page(void);
uint64_t turn_without_page(uint64_t key, uint64_t now_ns, uint64_t interval_ns);
void borrow_without_page(uint64_t key, uint64_t now_ns, uint64_t interval_ns);
#include "platform/process.c"
#undef em__process_generation
#undef em__process_id
#undef em__process_turn
#undef em__process_borrow
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

typedef uint64_t (*turn_call)(uint64_t key, uint64_t now_ns, uint64_t interval_ns);
typedef void (*borrow_call)(uint64_t key, uint64_t now_ns, uint64_t interval_ns);

enum { MOST_METERS = 8 };

/* Meters that come at once, each reads at its turns, late by as much as rounds are; over a minute: how often in all, and
 * how often the one that read least. */
static int read_for_a_minute(turn_call turn, borrow_call borrow, uint64_t key, int meters, int *ret_least)
{
    const uint64_t s = 1000000000, start_ns = 1000 * s, end_ns = start_ns + 60 * s;
    uint64_t next_ns[MOST_METERS], last_ns = 0;
    int reads = 0, counts[MOST_METERS] = {0};
    for (int i = 0; i < meters; i++) {
        borrow(key, start_ns, s);
        next_ns[i] = turn(key, start_ns, s);
        CHECK(next_ns[i] >= start_ns + s - s / 8);
    }
    for (;;) {
        int first = 0;
        for (int i = 1; i < meters; i++) {
            first = next_ns[i] < next_ns[first] ? i : first;
        }
        uint64_t now_ns = next_ns[first] + (uint64_t)(reads * 37 % 100) * 1000000;
        if (now_ns >= end_ns) {
            break;
        }
        reads++;
        counts[first]++;
        CHECK(now_ns > last_ns);
        last_ns = now_ns;
        next_ns[first] = turn(key, now_ns, s);
    }
    *ret_least = counts[0];
    for (int i = 1; i < meters; i++) {
        *ret_least = counts[i] < *ret_least ? counts[i] : *ret_least;
    }
    return reads;
}

static void check_turns(turn_call turn, borrow_call borrow)
{
    for (int meters = 1; meters <= MOST_METERS; meters++) {
        int least, reads = read_for_a_minute(turn, borrow, 1000 + (uint64_t)meters, meters, &least);
        CHECK(reads <= 60 && reads >= 50);
        CHECK(least >= 50 / meters - 1); /* nobody starves */
    }
    /* Boards do not wait for each other, and a time that cannot be of this clock is forgotten. */
    const uint64_t s = 1000000000;
    for (uint64_t key = 1; key < 200; key++) {
        CHECK_INT(turn(key, 10 * s, s), 10 * s + s - s / 8);
    }
    CHECK_INT(turn(5000, 100000 * s, s), 100000 * s + s - s / 8);
    CHECK_INT(turn(5000, 10 * s, s), 10 * s + s - s / 8);
    for (int i = 0; i < 100; i++) {
        borrow(6000, 10 * s, s);
    }
    CHECK_INT(turn(6000, 10 * s, s), 14 * s);
}

/* More boards than there is room for share what there is: later than they need be, never too often. */
static void check_crowd(turn_call turn)
{
    const uint64_t s = 1000000000;
    for (uint64_t key = 1; key < 2000; key++) {
        CHECK(turn(key * 7919, 500000 * s, s) >= 500000 * s + s - s / 8);
    }
}

static void turns_are_shared(void)
{
    check_turns(em__process_turn, em__process_borrow);
    check_turns(turn_without_page, borrow_without_page);
    /* A child has its own: the parent's are not kept up by it. */
    const uint64_t s = 1000000000;
    for (int i = 0; i < 20; i++) {
        em__process_turn(77, 10 * s, s);
    }
    pid_t child = fork();
    if (child == 0) {
        _exit(em__process_turn(77, 10 * s, s) != 10 * s + s - s / 8);
    }
    int status = 1;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    CHECK(em__process_turn(77, 10 * s, s) >= 30 * s);
    check_crowd(em__process_turn);
    check_crowd(turn_without_page);
}

int main(void)
{
    RUN(with_a_wiped_page);
    RUN(without_it);
    RUN(turns_are_shared);
    return CHECK_DONE();
}
