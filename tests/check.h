/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Checks for the C tests, and a TAP report of them. A failed check says where and what, and the test goes on. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <math.h>
#include <stdio.h>
#include <string.h>

static int check_failed, check_number, check_failures;

#define CHECK(condition) check_that((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define CHECK_INT(actual, expected) check_int((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)
#define CHECK_NEAR(actual, expected, tolerance)                                                                        \
    check_near((actual), (expected), (tolerance), #actual, __FILE__, __LINE__)
#define CHECK_TEXT(actual, expected) check_text((actual), (expected), #actual, __FILE__, __LINE__)
#define RUN(test) check_run(#test, test)
#define SKIP(test, why) printf("ok %d - %s # SKIP %s\n", ++check_number, #test, (why))
#define CHECK_DONE() (printf("1..%d\n", check_number), check_failures != 0)

static inline int check_that(int holds, const char *what, const char *file, int line)
{
    if (!holds) {
        check_failed = 1;
        printf("# %s:%d: not true: %s\n", file, line, what);
    }
    return holds;
}

static inline int check_int(long long actual, long long expected, const char *what, const char *file, int line)
{
    if (actual != expected) {
        check_failed = 1;
        printf("# %s:%d: %s is %lld, expected %lld\n", file, line, what, actual, expected);
    }
    return actual == expected;
}

static inline int check_near(double actual, double expected, double tolerance, const char *what, const char *file,
                             int line)
{
    int holds = fabs(actual - expected) <= tolerance;
    if (!holds) {
        check_failed = 1;
        printf("# %s:%d: %s is %.9g, expected %.9g within %.3g\n", file, line, what, actual, expected, tolerance);
    }
    return holds;
}

static inline int check_text(const char *actual, const char *expected, const char *what, const char *file, int line)
{
    int holds = actual && expected ? strcmp(actual, expected) == 0 : actual == expected;
    if (!holds) {
        check_failed = 1;
        printf("# %s:%d: %s is \"%s\", expected \"%s\"\n", file, line, what, actual ? actual : "(null)",
               expected ? expected : "(null)");
    }
    return holds;
}

static inline void check_run(const char *name, void (*test)(void))
{
    check_failed = 0;
    test();
    check_failures += check_failed;
    printf("%s %d - %s\n", check_failed ? "not ok" : "ok", ++check_number, name);
    fflush(stdout);
}

#endif
