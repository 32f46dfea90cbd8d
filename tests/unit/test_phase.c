/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Learning when a counter updates, against the updates themselves: read when it asks, by a thread that wakes up late. */
#include "check.h"
#include "rig/random.h"
#include "timeline/phase.h"

#define MS 1e6
#define S 1e9

typedef struct {
    int reads, told, wrong;          /* wrong: off by more than half a period */
    double known_after_ns, worst_ns; /* of those told once it is known, and right */
    em__phase phase;
} outcome;

static double uniform(void)
{
    return rig_random_between(0, 1);
}

/* Updates every period from first on, for 20 s of readings at 20 Hz and whatever it asks for beside them. */
static outcome learn(double period_ns, double jitter_ns, double documented_ns, double late_ns)
{
    outcome result = {0};
    double begin_ns = 5 * S, first_ns = begin_ns - (1 + uniform()) * period_ns, t_ns = begin_ns, due_ns = t_ns;
    double next_update_ns = first_ns, nominal_ns = first_ns, place_ns = first_ns;
    em__phase_init(&result.phase, (uint64_t)documented_ns);
    while (t_ns < begin_ns + 20 * S) {
        int has_moved = 0;
        while (next_update_ns <= t_ns) {
            has_moved = 1;
            nominal_ns = place_ns;
            place_ns += period_ns;
            double noise = -6;
            for (int i = 0; i < 12; i++) {
                noise += uniform();
            }
            next_update_ns = place_ns + noise * jitter_ns;
        }
        int was_known = result.phase.is_known;
        double told_ns = (double)em__phase_read(&result.phase, (uint64_t)t_ns, has_moved);
        result.reads++;
        if (!was_known && result.phase.is_known && result.known_after_ns == 0) {
            result.known_after_ns = t_ns - begin_ns;
        }
        if (was_known && told_ns > 0 && t_ns > begin_ns + 2 * S) {
            double off_ns = fabs(told_ns - nominal_ns);
            result.told++;
            result.wrong += off_ns > period_ns / 2;
            result.worst_ns = off_ns <= period_ns / 2 && off_ns > result.worst_ns ? off_ns : result.worst_ns;
        }
        while (due_ns <= t_ns + 12.5 * MS) {
            due_ns += 50 * MS;
        }
        t_ns = (double)em__phase_plan(&result.phase, (uint64_t)t_ns, (uint64_t)due_ns) + late_ns * uniform();
    }
    return result;
}

static void check(const char *what, outcome o, double worst_ns, int most_reads)
{
    printf("# %s: known after %.0f ms, %d readings, worst %.3f ms, period %.4f ms\n", what, o.known_after_ns / MS,
           o.reads, o.worst_ns / MS, o.phase.period_ns / MS);
    CHECK(o.phase.is_known);
    CHECK(o.known_after_ns > 0 && o.known_after_ns < 1.2 * S);
    CHECK(o.told > 150);
    CHECK(o.wrong * 100 <= o.told);
    CHECK(o.worst_ns <= worst_ns);
    CHECK(o.reads <= most_reads); /* 400 are due anyway */
}

static void test_steady(void)
{
    check("20 ms", learn(20 * MS, 0, 20 * MS, 0.08 * MS), 1.5 * MS, 650);
    check("100 ms, documented as 20", learn(100 * MS, 0, 20 * MS, 0.08 * MS), 4 * MS, 900);
    check("25.3 ms", learn(25.3 * MS, 0, 20 * MS, 0.08 * MS), 1.5 * MS, 650);
    check("1 ms", learn(1 * MS, 0, 1 * MS, 0.08 * MS), 0.3 * MS, 650);
}

static void test_jittering(void)
{
    outcome o = learn(20 * MS, 2 * MS, 20 * MS, 0.08 * MS);
    printf("# 20 ms with 2 ms: %d of %d wrong, %d readings\n", o.wrong, o.told, o.reads);
    CHECK(o.told > 150 && o.wrong * 10 <= o.told);
    CHECK(o.reads <= 2000);
}

/* A counter that stands still is left alone, and nothing is claimed of it. */
static void test_standing(void)
{
    em__phase phase;
    em__phase_init(&phase, 20000000);
    uint64_t t_ns = 1000000000, due_ns = t_ns;
    int reads = 0;
    for (; t_ns < 61000000000; reads++) {
        CHECK_INT(em__phase_read(&phase, t_ns, 0), 0);
        due_ns += due_ns <= t_ns ? 50000000 : 0;
        t_ns = em__phase_plan(&phase, t_ns, due_ns);
    }
    CHECK(!phase.is_known);
    CHECK(reads > 1200 && reads < 4200);
}

static void test_undocumented(void)
{
    em__phase phase;
    em__phase_init(&phase, 0);
    CHECK_INT(em__phase_read(&phase, 1000, 1), 0);
    CHECK_INT(em__phase_plan(&phase, 1000, 77000), 77000);
}

int main(int argc, char **argv)
{
    rig_random_seed(argc > 1 ? strtoull(argv[1], NULL, 10) : 1); /* The bounds are of one draw; others come close. */
    RUN(test_steady);
    RUN(test_jittering);
    RUN(test_standing);
    RUN(test_undocumented);
    return CHECK_DONE();
}
