/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Overlap that places do not tell: feeds of a socket, modules, things inside things, and what a user overrules. Random
 * machines are checked against the silicon that each channel is made to cover. */
#include "metrics/roles.h"

#include "check.h"
#include "energy_meter.h"
#include "rig/random.h"

enum { MOST = 24 };
enum { POWERCAP = 20, NVML = 30, HWMON = 50, TDP = 90 };

typedef struct {
    const char *name;
    em__covers covers;
    int rank, package, number, thing, inside;
    int32_t domain, status;
    const char *expected;
} row;

static em__channel facts[MOST];
static em__candidate candidates[MOST];
static em__role roles[MOST];

static void build(const row rows[], size_t count)
{
    memset(facts, 0, sizeof facts);
    for (size_t i = 0; i < count; i++) {
        em__channel *f = &facts[i];
        snprintf(f->name, sizeof f->name, "%s", rows[i].name);
        snprintf(f->source, sizeof f->source, "/source/%zu", i);
        f->covers = rows[i].covers;
        f->kind = rows[i].rank == TDP ? EM_KIND_MODEL : EM_KIND_GAUGE;
        f->domain = rows[i].domain;
        f->status = rows[i].status;
        f->package = rows[i].package;
        f->die = rows[i].number;
        f->gpu = f->covers == EM__COVERS_BOARD ? rows[i].number : -1;
        f->thing = rows[i].thing;
        f->inside = rows[i].inside;
        candidates[i] =
            (em__candidate){.facts = f, .sensor = "sensor", .rank = rows[i].rank, .is_readable = f->status == EM_OK};
    }
}

static void expect(const row rows[], size_t count)
{
    static const char *const words[] = {"counted", "part", "platform", "mirror", "unreadable"};
    build(rows, count);
    em__roles_resolve(candidates, count, roles);
    for (size_t i = 0; i < count; i++) {
        char found[160];
        const em__role *role = &roles[i];
        snprintf(found, sizeof found, "%s%s%s", role->is_missing ? "missing" : words[role->role],
                 role->of < 0 ? "" : " of ", role->of < 0 ? "" : roles[role->of].name);
        if (!CHECK_TEXT(found, rows[i].expected)) {
            printf("# channel %s: %s\n", role->name, role->reason);
        }
    }
}
#define EXPECT(rows) expect((rows), sizeof(rows) / sizeof *(rows))

#define CPU EM_DOMAIN_CPU
#define GPU EM_DOMAIN_GPU
#define OTHER EM_DOMAIN_OTHER
#define ALL EM_DOMAIN_PLATFORM
#define RAIL(package, number) EM__COVERS_RAIL, HWMON, package, number, 0, 0
#define PACKAGE(rank) EM__COVERS_PACKAGE, rank, 0, -1, 0, 0
#define MODULE EM__COVERS_MODULE, HWMON, -1, -1, 0, 0
#define MODEL EM__COVERS_ALL_CPUS, TDP, -1, -1, 0, 0
#define TOLD EM__COVERS_DOMAIN, 46, -1, -1, 0, 0
#define BOARD EM__COVERS_BOARD, NVML, -1, 0, 0, 0
#define DENIED EM_ERR_PERMISSION

static void feeds_are_added_where_nothing_holds_them(void)
{
    static const row alone[] = {{"rail-core", RAIL(0, 0), CPU, EM_OK, "counted"},
                                {"rail-soc", RAIL(0, 1), CPU, EM_OK, "counted"},
                                {"core", EM__COVERS_CORE, HWMON, 0, -1, 0, 0, CPU, EM_OK, "part of rail-core"},
                                {"model", MODEL, CPU, EM_OK, "mirror of rail-core"}};
    static const row beside[] = {{"rail-core", RAIL(0, 0), CPU, EM_OK, "part of package"},
                                 {"rail-soc", RAIL(0, 1), CPU, EM_OK, "part of package"},
                                 {"package", PACKAGE(POWERCAP), CPU, EM_OK, "counted"}};
    static const row denied[] = {{"rail-core", RAIL(0, 0), CPU, EM_OK, "counted"},
                                 {"rail-soc", RAIL(0, 1), CPU, EM_ERR_BROKEN, "missing"},
                                 {"package", PACKAGE(POWERCAP), CPU, DENIED, "unreadable"},
                                 {"model", MODEL, CPU, EM_OK, "mirror of rail-core"}};
    static const row silent[] = {{"rail-core", RAIL(0, 0), CPU, EM_ERR_BROKEN, "unreadable"},
                                 {"rail-gpu", RAIL(0, 1), GPU, EM_OK, "counted"},
                                 {"model", MODEL, CPU, EM_OK, "counted"}};
    EXPECT(alone);
    EXPECT(beside);
    EXPECT(denied);
    EXPECT(silent);
}

static void a_module_holds_all_but_cards(void)
{
    static const row rows[] = {{"vdd_in", MODULE, OTHER, EM_OK, "counted"},
                               {"cpu", RAIL(0, 0), CPU, EM_OK, "part of vdd_in"},
                               {"soc", EM__COVERS_PIECE, HWMON, -1, -1, 0, 0, OTHER, EM_OK, "part of vdd_in"},
                               {"package", PACKAGE(POWERCAP), CPU, EM_OK, "part of vdd_in"},
                               {"gpu", BOARD, GPU, EM_OK, "part of vdd_in"},
                               {"model", MODEL, CPU, EM_OK, "mirror of vdd_in"}};
    static const row broken[] = {{"vdd_in", MODULE, OTHER, EM_ERR_BROKEN, "unreadable"},
                                 {"soc", EM__COVERS_PIECE, HWMON, -1, -1, 0, 0, OTHER, EM_OK, "platform"},
                                 {"model", MODEL, CPU, EM_OK, "counted"}};
    EXPECT(rows);
    EXPECT(broken);
    build(rows, sizeof rows / sizeof *rows);
    snprintf(facts[4].pci, sizeof facts[4].pci, "0000:01:00.0");
    em__roles_resolve(candidates, sizeof rows / sizeof *rows, roles);
    CHECK_INT(roles[4].role, EM_ROLE_COUNTED);
}

/* What a user told of counts where nothing measures it, in the place of models; it makes up for what cannot be read. */
static void what_a_user_told_of(void)
{
    static const row beside[] = {
        {"cpu", TOLD, CPU, EM_OK, "mirror of package"}, {"package", PACKAGE(POWERCAP), CPU, EM_OK, "counted"},
        {"gpu", TOLD, GPU, EM_OK, "mirror of board"},   {"board", BOARD, GPU, EM_OK, "counted"},
        {"net", TOLD, OTHER, EM_OK, "counted"},         {"dram", TOLD, EM_DOMAIN_DRAM, EM_OK, "counted"}};
    static const row alone[] = {{"cpu", TOLD, CPU, EM_OK, "counted"},
                                {"cpu2", TOLD, CPU, EM_OK, "counted"},
                                {"package", PACKAGE(POWERCAP), CPU, DENIED, "unreadable"},
                                {"model", MODEL, CPU, EM_OK, "mirror of cpu"},
                                {"gpu", TOLD, GPU, EM_OK, "counted"},
                                {"gpu-model", EM__COVERS_BOARD, TDP, -1, 0, 0, 0, GPU, EM_OK, "mirror of gpu"},
                                {"dimm", EM__COVERS_DRAM, POWERCAP, 0, -1, 0, 0, EM_DOMAIN_DRAM, EM_OK, "counted"},
                                {"dram", TOLD, EM_DOMAIN_DRAM, EM_OK, "mirror of dimm"}};
    static const row modelled[] = {{"cpu", TOLD, CPU, EM_ERR_BROKEN, "unreadable"},
                                   {"model", MODEL, CPU, EM_OK, "counted"},
                                   {"dram", TOLD, EM_DOMAIN_DRAM, EM_OK, "part of model"},
                                   {"gpu", TOLD, GPU, EM_ERR_BROKEN, "missing"},
                                   {"net", TOLD, OTHER, EM_ERR_BROKEN, "missing"}};
    static const row module[] = {{"vdd_in", MODULE, OTHER, EM_OK, "counted"},
                                 {"cpu", TOLD, CPU, EM_OK, "part of vdd_in"},
                                 {"gpu", TOLD, GPU, EM_OK, "part of vdd_in"},
                                 {"net", TOLD, OTHER, EM_OK, "counted"},
                                 {"model", MODEL, CPU, EM_OK, "mirror of vdd_in"}};
    EXPECT(beside);
    EXPECT(alone);
    EXPECT(modelled);
    EXPECT(module);
}

static void things_inside_things(void)
{
    static const row rows[] = {{"total", EM__COVERS_PLATFORM, HWMON, -1, -1, 1, 0, ALL, EM_OK, "platform"},
                               {"again", EM__COVERS_PLATFORM, HWMON + 1, -1, -1, 1, 0, ALL, EM_OK, "mirror of total"},
                               {"rail", EM__COVERS_PIECE, HWMON, -1, -1, 2, 1, ALL, EM_OK, "part of total"},
                               {"inner", EM__COVERS_PIECE, HWMON, -1, -1, 0, 2, ALL, EM_OK, "part of rail"},
                               {"lost", EM__COVERS_PIECE, HWMON, -1, -1, 0, 9, ALL, EM_OK, "platform"},
                               {"nobody", EM__COVERS_UNKNOWN, HWMON, -1, -1, 0, 0, OTHER, EM_OK, "platform"}};
    static const row dead[] = {{"total", EM__COVERS_PLATFORM, HWMON, -1, -1, 1, 0, ALL, EM_ERR_BROKEN, "unreadable"},
                               {"again", EM__COVERS_PLATFORM, HWMON + 1, -1, -1, 1, 0, ALL, EM_OK, "platform"},
                               {"rail", EM__COVERS_PIECE, HWMON, -1, -1, 2, 1, ALL, EM_OK, "part of again"}};
    EXPECT(rows);
    EXPECT(dead);
}

static void a_second_die_shows_on_the_first(void)
{
    static const row rows[] = {
        {"gpu-0/board", EM__COVERS_BOARD, HWMON, -1, 0, 7, 0, GPU, EM_OK, "counted"},
        {"gpu-1/board", EM__COVERS_BOARD, HWMON, -1, 1, 7, 0, GPU, EM_OK, "mirror of gpu-0/board"},
        {"gpu-2/board", EM__COVERS_BOARD, HWMON, -1, 2, 8, 0, GPU, EM_OK, "counted"}};
    EXPECT(rows);
}

static void a_socket_with_its_memory(void)
{
    static const row rows[] = {{"package", PACKAGE(HWMON), CPU, EM_OK, "counted"},
                               {"memory", EM__COVERS_ALL_MEMORY, TDP, -1, -1, 0, 0, EM_DOMAIN_DRAM, EM_OK, "counted"}};
    EXPECT(rows);
    facts[0].holds_memory = 1;
    em__roles_resolve(candidates, 2, roles);
    CHECK_INT(roles[1].role, EM_ROLE_MIRROR);
    CHECK_INT(roles[1].of, 0);
}

static void what_the_user_overrules(void)
{
    static const row rows[] = {{"package", PACKAGE(POWERCAP), CPU, EM_OK, "counted"},
                               {"psys", EM__COVERS_PLATFORM, POWERCAP, -1, -1, 0, 0, ALL, EM_OK, "platform"}};
    EXPECT(rows);
    facts[1].is_overruled = 1;
    em__roles_resolve(candidates, 2, roles);
    CHECK_INT(roles[0].role, EM_ROLE_COUNTED);
    CHECK_INT(roles[1].role, EM_ROLE_COUNTED);
    CHECK(strstr(roles[1].reason, "channels") != NULL);
    facts[1].status = EM_ERR_BROKEN;
    candidates[1].is_readable = 0;
    em__roles_resolve(candidates, 2, roles);
    CHECK_INT(roles[1].role, EM_ROLE_UNREADABLE);
}

/* Two sockets of three feeds each: bit 3 × socket + feed. A module is all of it. */
enum { SOCKETS = 2, FEEDS = 3, EVERYTHING = (1 << SOCKETS * FEEDS) - 1 };

static uint32_t silicon_of(const em__channel *f)
{
    uint32_t socket = f->package < 0 ? 0 : (uint32_t)f->package * FEEDS;
    switch (f->covers) {
    case EM__COVERS_RAIL:
        return 1u << (socket + (uint32_t)f->die);
    case EM__COVERS_PACKAGE:
        return ((1u << FEEDS) - 1) << socket;
    case EM__COVERS_MODULE:
    case EM__COVERS_ALL_CPUS:
        return EVERYTHING;
    default:
        return 0;
    }
}

static void random_feeds_count_each_joule_once(void)
{
    static const em__covers kinds[] = {EM__COVERS_RAIL,  EM__COVERS_RAIL,    EM__COVERS_PACKAGE, EM__COVERS_MODULE,
                                       EM__COVERS_PIECE, EM__COVERS_UNKNOWN, EM__COVERS_ALL_CPUS};
    for (int round = 0; round < 20000; round++) {
        row rows[MOST];
        size_t count = 1 + rig_random_below(12);
        for (size_t i = 0; i < count; i++) {
            row *r = &rows[i];
            em__covers covers = kinds[rig_random_below(sizeof kinds / sizeof *kinds)];
            *r = (row){.name = "x", .covers = covers, .package = -1, .number = -1, .domain = CPU};
            r->rank = covers == EM__COVERS_ALL_CPUS ? TDP : HWMON + (int)rig_random_below(3);
            r->status = rig_random_below(3) ? EM_OK : EM_ERR_BROKEN;
            if (covers == EM__COVERS_RAIL || covers == EM__COVERS_PACKAGE) {
                r->package = (int)rig_random_below(SOCKETS);
                r->number = covers == EM__COVERS_RAIL ? (int)rig_random_below(FEEDS) : -1;
            }
            r->thing = covers == EM__COVERS_PIECE ? 1 + (int)i : 0;
            r->inside = covers == EM__COVERS_PIECE && i > 0 ? (int)rig_random_below(i + 1) : 0;
        }
        build(rows, count);
        em__roles_resolve(candidates, count, roles);
        uint32_t counted = 0, twice = 0;
        for (size_t i = 0; i < count; i++) {
            uint32_t silicon = silicon_of(&facts[i]);
            if (roles[i].role == EM_ROLE_COUNTED) {
                twice |= counted & silicon;
                counted |= silicon;
            }
            CHECK(silicon || roles[i].role != EM_ROLE_COUNTED);
            CHECK((facts[i].status == EM_OK) == (roles[i].role != EM_ROLE_UNREADABLE));
            CHECK((roles[i].role == EM_ROLE_PART || roles[i].role == EM_ROLE_MIRROR) == (roles[i].of >= 0));
        }
        /* A model of everything stands for nothing where some feed is measured. */
        int has_model_alone = 1;
        for (size_t i = 0; i < count; i++) {
            int is_model = facts[i].covers == EM__COVERS_ALL_CPUS;
            has_model_alone &= facts[i].status != EM_OK || is_model || !silicon_of(&facts[i]);
        }
        uint32_t measured = 0;
        for (size_t i = 0; i < count; i++) {
            int is_model = facts[i].covers == EM__COVERS_ALL_CPUS;
            measured |= facts[i].status == EM_OK && (!is_model || has_model_alone) ? silicon_of(&facts[i]) : 0;
        }
        CHECK_INT(twice, 0);
        CHECK_INT(measured & ~counted, 0);
        if (check_failed) {
            printf("# round %d\n", round);
            return;
        }
    }
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(feeds_are_added_where_nothing_holds_them);
    RUN(a_module_holds_all_but_cards);
    RUN(what_a_user_told_of);
    RUN(things_inside_things);
    RUN(a_second_die_shows_on_the_first);
    RUN(a_socket_with_its_memory);
    RUN(what_the_user_overrules);
    RUN(random_feeds_count_each_joule_once);
    return CHECK_DONE();
}
