/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The bucket of the caller's time: what flows in, what is paid, and where it stops, worked by hand. */
#include "sampler/budget.h"

#include "check.h"
#include "rig/random.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static void test_it_begins_with_one_round_and_holds_ten(void)
{
    em__budget budget;
    em__budget_init(&budget, 0.001, 100 * S);
    CHECK_INT(em__budget_covers(&budget, 1), 0);
    em__budget_set_round(&budget, 12000);
    CHECK_INT(em__budget_covers(&budget, 12000), 1);
    CHECK_INT(em__budget_covers(&budget, 12001), 0);
    em__budget_fill(&budget, 101 * S); /* 1 ms would flow in */
    CHECK_INT(em__budget_covers(&budget, 120000), 1);
    CHECK_INT(em__budget_covers(&budget, 120001), 0);
    em__budget_set_round(&budget, 5000); /* a device was given up */
    em__budget_fill(&budget, 102 * S);
    CHECK_INT(em__budget_covers(&budget, 50000), 1);
    CHECK_INT(em__budget_covers(&budget, 50001), 0);
    em__budget_spend(&budget, 50000);
    CHECK_INT(em__budget_covers(&budget, 0), 1);
    CHECK_INT(em__budget_covers(&budget, 1), 0);
}

/* 5 ms bring 5 µs at 0.1 %. What begin and end take themselves is paid first. */
static void test_own_time_comes_first(void)
{
    em__budget budget;
    em__budget_init(&budget, 0.001, S);
    em__budget_set_round(&budget, 1000);
    em__budget_spend(&budget, 1000 + 3000);
    em__budget_fill(&budget, S + 5 * MS);
    CHECK_INT(em__budget_covers(&budget, 2000), 1);
    CHECK_INT(em__budget_covers(&budget, 2001), 0);
    em__budget_spend(&budget, -500); /* it was less, as the clock says afterwards */
    CHECK_INT(em__budget_covers(&budget, 2500), 1);
    em__budget_fill(&budget, S); /* a thread that took its time before another */
    CHECK_INT(em__budget_covers(&budget, 2500), 1);
    CHECK_INT(em__budget_covers(&budget, 2501), 0);
}

/* However the time is cut, no fraction of a nanosecond is lost or made. */
static void test_no_fraction_is_lost(void)
{
    em__budget budget;
    em__budget_init(&budget, 0.000000007, 0);
    em__budget_set_round(&budget, S);
    em__budget_spend(&budget, (int64_t)S);
    uint64_t now_ns = 0;
    while (now_ns < 1000 * MS) {
        now_ns += 1 + rig_random_below(3 * MS);
        em__budget_fill(&budget, now_ns);
        uint64_t due_ns = now_ns * 7 / S;
        CHECK_INT(em__budget_covers(&budget, due_ns), 1);
        CHECK_INT(em__budget_covers(&budget, due_ns + 1), 0);
    }
}

/* An hour at 15 % of own time is forgotten after a minute; ten seconds of it are not forgotten before they are paid. */
static void test_debts(void)
{
    em__budget budget;
    em__budget_init(&budget, 0.001, 0);
    em__budget_set_round(&budget, 10000);
    em__budget_spend(&budget, 10000 + 9 * (int64_t)MS);
    em__budget_fill(&budget, 9 * S);
    CHECK_INT(em__budget_covers(&budget, 1), 0);
    em__budget_fill(&budget, 9 * S + 1000);
    CHECK_INT(em__budget_covers(&budget, 1), 1);
    em__budget_spend(&budget, 540 * (int64_t)S);
    em__budget_fill(&budget, 69 * S + 1000);
    CHECK_INT(em__budget_covers(&budget, 1), 0);
    em__budget_fill(&budget, 69 * S + 2000);
    CHECK_INT(em__budget_covers(&budget, 1), 1);
}

static void test_limits(void)
{
    em__budget budget;
    em__budget_init(&budget, 0, 0);
    em__budget_set_round(&budget, 1000);
    em__budget_fill(&budget, UINT64_MAX);
    CHECK_INT(em__budget_covers(&budget, 0), 0);
    em__budget_init(&budget, 1, 0);
    em__budget_set_round(&budget, 1000 * S);
    em__budget_fill(&budget, UINT64_MAX);
    CHECK_INT(em__budget_covers(&budget, 10000 * S), 1);
    CHECK_INT(em__budget_covers(&budget, 10000 * S + 1), 0);
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_it_begins_with_one_round_and_holds_ten);
    RUN(test_own_time_comes_first);
    RUN(test_no_fraction_is_lost);
    RUN(test_debts);
    RUN(test_limits);
    return CHECK_DONE();
}
