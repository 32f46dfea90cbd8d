/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Counters whose names lie: those that are one counter are found by their values, those that are two are not, and a part
 * that shows more than its whole is told. Loads are random; what is one and what is two is made so. */
#include "ledger/ledger.h"

#include "check.h"
#include "core/units.h"
#include "rig/random.h"

#include <stdlib.h>

enum { MS = 1000000, MOST = 8 };

static em__channel facts[MOST];
static const em__channel *pointers[MOST];
static const char *sensors[MOST];
static int ranks[MOST];

static void declare(size_t i, const char *name, em__covers covers, int32_t package, int32_t die)
{
    facts[i] = (em__channel){.domain = EM_DOMAIN_CPU,
                             .kind = EM_KIND_COUNTER,
                             .covers = covers,
                             .package = package,
                             .die = die,
                             .gpu = -1,
                             .scale_num = 1,
                             .scale_den = 1,
                             .range = 65532610987,
                             .unit = 15,
                             .refresh_ns = MS,
                             .ceiling_mw = 1000000,
                             .gain = 0.05,
                             .shaped_by = -1};
    snprintf(facts[i].name, sizeof facts[i].name, "%s", name);
    snprintf(facts[i].source, sizeof facts[i].source, "/zone/%zu", i);
    pointers[i] = &facts[i];
    sensors[i] = "rapl-powercap";
    ranks[i] = 20;
}

static em__ledger ledger;

static void begin(size_t count)
{
    em__ledger_setup setup = {.facts = pointers,
                              .sensors = sensors,
                              .ranks = ranks,
                              .count = count,
                              .interval_ns = 100 * MS,
                              .patience_ns = 3 * EM__NS_PER_S,
                              .rates = {400, 1, NAN, NAN, NAN}};
    CHECK_INT(em__ledger_init(&ledger, &setup), EM_OK);
}

static void read_at(size_t channel, uint64_t t_ns, uint64_t raw)
{
    em__event event = {.kind = EM__EVENT_READING,
                       .t_ns = t_ns,
                       .channel = channel,
                       .reading = {.value = raw % (facts[channel].range + facts[channel].unit)}};
    CHECK_INT(em__ledger_apply(&ledger, &event), EM_OK);
}

/* A counter that moves once a millisecond, of a load that changes every few seconds, read with some delay. */
typedef struct {
    double joules, watts;
    uint64_t t_ns, shown_uj;
} load;

static uint64_t count_at(load *of, uint64_t t_ns)
{
    for (; of->t_ns + MS <= t_ns; of->t_ns += MS) {
        of->joules += of->watts / 1000;
        of->shown_uj = (uint64_t)(of->joules * 1e6);
    }
    return of->shown_uj;
}

enum { SAME, COPY_OF_LOAD, NEARLY, APART };

/* Two sockets for so long; how the second counts. The roles in the end. */
static void run_two(int how, int seconds, int is_steady)
{
    load first = {.watts = 100, .t_ns = EM__NS_PER_S, .joules = rig_random_between(0, 1000)};
    load second = {.watts = 100, .t_ns = EM__NS_PER_S, .joules = how == NEARLY ? first.joules : 777};
    declare(0, "cpu-0/package", EM__COVERS_PACKAGE, 0, -1);
    declare(1, "cpu-1/package", EM__COVERS_PACKAGE, 1, -1);
    begin(2);
    for (int tick = 1; tick <= seconds * 10; tick++) {
        uint64_t t_ns = EM__NS_PER_S + (uint64_t)tick * 100 * MS + rig_random_below(MS);
        if (tick % 20 == 0 && !is_steady) {
            first.watts = rig_random_between(40, 200);
            second.watts = how == COPY_OF_LOAD ? first.watts
                           : how == NEARLY     ? first.watts * 1.01
                                               : rig_random_between(40, 200);
        }
        uint64_t later_ns = t_ns + 20000 + rig_random_below(200000);
        uint64_t one = count_at(&first, t_ns), two = count_at(how == SAME ? &first : &second, later_ns);
        read_at(0, t_ns, one);
        read_at(1, later_ns, two);
    }
}

static void test_one_counter_shown_twice(void)
{
    run_two(SAME, 30, 0);
    CHECK_INT(ledger.roles[1].role, EM_ROLE_COUNTED); /* too short to tell */
    em__ledger_free(&ledger);
    run_two(SAME, 180, 0);
    CHECK_INT(ledger.roles[0].role, EM_ROLE_COUNTED);
    CHECK_INT(ledger.roles[1].role, EM_ROLE_MIRROR);
    CHECK_INT(ledger.roles[1].of, 0);
    CHECK_TEXT(ledger.names[1], "cpu-1/package");
    CHECK(strstr(ledger.reasons[1], "one counter") != NULL);
    em__ledger_free(&ledger);
}

static void test_two_counters_stay_two(void)
{
    static const int ways[] = {COPY_OF_LOAD, NEARLY, APART};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        run_two(ways[i], 300, 0);
        CHECK_INT(ledger.roles[0].role, EM_ROLE_COUNTED);
        CHECK_INT(ledger.roles[1].role, EM_ROLE_COUNTED);
        em__ledger_free(&ledger);
    }
    run_two(SAME, 300, 1); /* nothing moved: who knows */
    CHECK_INT(ledger.roles[1].role, EM_ROLE_COUNTED);
    em__ledger_free(&ledger);
}

/* A window across the change adds both sides: from then on each joule once. */
static void test_energy_after_it_is_known(void)
{
    run_two(SAME, 180, 0);
    uint64_t t_ns = EM__NS_PER_S + 181 * EM__NS_PER_S;
    em__event start = {.kind = EM__EVENT_BEGIN, .t_ns = t_ns};
    read_at(0, t_ns - MS, 500000000);
    read_at(1, t_ns - MS, 500000000);
    CHECK_INT(em__ledger_apply(&ledger, &start), EM_OK);
    for (uint64_t i = 1; i <= 50; i++) {
        read_at(0, t_ns + i * 100 * MS, 500000000 + i * 10000000);
        read_at(1, t_ns + i * 100 * MS + 20000, 500000000 + i * 10000000);
    }
    em__event end = {.kind = EM__EVENT_END, .t_ns = t_ns + 5 * EM__NS_PER_S - 1, .window = start.window};
    CHECK_INT(em__ledger_apply(&ledger, &end), EM_OK);
    em__ledger_settle(&ledger, 100);
    em_energy channels[2];
    em_result result = {.size = sizeof result, .channels = channels, .channels_capacity = 2};
    CHECK_INT(em__ledger_result(&ledger, start.window, t_ns + 6 * EM__NS_PER_S, &result), EM_OK);
    CHECK_NEAR(result.total.energy_j, 500.0, 5.0);
    em__ledger_free(&ledger);
}

static void test_a_part_larger_than_its_whole(void)
{
    for (int is_wrong = 0; is_wrong < 2; is_wrong++) {
        declare(0, "cpu-0/package", EM__COVERS_PACKAGE, 0, -1);
        declare(1, "cpu-0/core", EM__COVERS_CORE, 0, -1);
        begin(2);
        for (uint64_t i = 1; i <= 900; i++) {
            uint64_t t_ns = EM__NS_PER_S + i * 100 * MS;
            read_at(0, t_ns, i * 5000000);
            read_at(1, t_ns + 20000, 9000000000 + i * (is_wrong ? 6000000 : 4900000));
            CHECK(i > 500 || !strstr(ledger.reasons[1], "wrong"));
        }
        CHECK_INT(strstr(ledger.reasons[1], "shows more energy than cpu-0/package") != NULL, is_wrong);
        CHECK_INT(strstr(ledger.reasons[0], "shows less energy than cpu-0/core") != NULL, is_wrong);
        CHECK_INT(ledger.roles[1].role, EM_ROLE_PART);
        em__ledger_free(&ledger);
    }
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_one_counter_shown_twice);
    RUN(test_two_counters_stay_two);
    RUN(test_energy_after_it_is_known);
    RUN(test_a_part_larger_than_its_whole);
    return CHECK_DONE();
}
