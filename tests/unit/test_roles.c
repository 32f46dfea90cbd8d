/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Every joule once: machines of which it is known what each channel measures, and random ones checked silicon by
 * silicon. */
#include "metrics/roles.h"

#include "check.h"
#include "energy_meter.h"

#include <stdlib.h>

enum { MOST = 40 };
enum { PERF = 10, POWERCAP = 20, MMIO = 21, NVML = 30, AMDGPU = 40, TDP = 90 };

typedef struct {
    const char *name;
    em__covers covers;
    int rank, package, die;
    int32_t status; /* of the reading */
    int gpu;
    const char *expected; /* "counted", "part of X", "mirror of X", "platform", "unreadable", "missing" */
    const char *unique;   /* expected name, where it differs */
    const char *pci, *uuid;
} row;

static const char *const sensor_names[] = {[PERF / 10] = "rapl-perf",
                                           [POWERCAP / 10] = "rapl-powercap",
                                           [NVML / 10] = "nvml",
                                           [AMDGPU / 10] = "amdgpu",
                                           [TDP / 10] = "tdp"};

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
        snprintf(f->pci, sizeof f->pci, "%s", rows[i].pci ? rows[i].pci : "");
        snprintf(f->uuid, sizeof f->uuid, "%s", rows[i].uuid ? rows[i].uuid : "");
        f->covers = rows[i].covers;
        f->kind = rows[i].rank == TDP ? EM_KIND_MODEL : EM_KIND_COUNTER;
        f->status = rows[i].status;
        f->package = rows[i].package;
        f->die = rows[i].die;
        f->gpu = f->covers == EM__COVERS_BOARD ? rows[i].gpu : -1;
        candidates[i] = (em__candidate){.facts = f,
                                        .sensor = sensor_names[rows[i].rank / 10],
                                        .rank = rows[i].rank,
                                        .is_readable = f->status == EM_OK};
    }
}

static void describe(size_t i, char *text, size_t size)
{
    static const char *const words[] = {"counted", "part", "platform", "mirror", "unreadable"};
    const em__role *role = &roles[i];
    snprintf(text, size, "%s%s%s", role->is_missing ? "missing" : words[role->role], role->of < 0 ? "" : " of ",
             role->of < 0 ? "" : roles[role->of].name);
    CHECK(!role->is_missing || role->role == EM_ROLE_UNREADABLE);
}

static void expect(const row rows[], size_t count)
{
    build(rows, count);
    em__roles_resolve(candidates, count, roles);
    for (size_t i = 0; i < count; i++) {
        char found[160];
        describe(i, found, sizeof found);
        if (!CHECK_TEXT(found, rows[i].expected)) {
            printf("# channel %s: %s\n", roles[i].name, roles[i].reason);
        }
        CHECK_TEXT(roles[i].name, rows[i].unique ? rows[i].unique : rows[i].name);
    }
}
#define EXPECT(rows) expect((rows), sizeof(rows) / sizeof *(rows))

#define PACKAGE(p) EM__COVERS_PACKAGE, POWERCAP, p, -1
#define DIE(p, d) EM__COVERS_DIE, POWERCAP, p, d
#define ALIAS(p, d) EM__COVERS_DIE_ALIAS, POWERCAP, p, d
#define DRAM(p, d) EM__COVERS_DRAM, POWERCAP, p, d
#define CORE(p, d) EM__COVERS_CORE, POWERCAP, p, d
#define UNCORE(p) EM__COVERS_UNCORE, POWERCAP, p, -1
#define PSYS EM__COVERS_PLATFORM, POWERCAP, -1, -1
#define MODEL EM__COVERS_ALL_CPUS, TDP, -1, -1
#define MEMORY EM__COVERS_ALL_MEMORY, TDP, -1, -1
#define BOARD(rank) EM__COVERS_BOARD, rank, -1, -1
#define DENIED EM_ERR_PERMISSION
#define BROKEN EM_ERR_BROKEN

static void two_sockets_and_their_memory(void)
{
    static const row rows[] = {{"cpu-0/package", PACKAGE(0), EM_OK, .expected = "counted"},
                               {"cpu-0/dram", DRAM(0, -1), EM_OK, .expected = "counted"},
                               {"cpu-1/package", PACKAGE(1), EM_OK, .expected = "counted"},
                               {"cpu-1/dram", DRAM(1, -1), EM_OK, .expected = "counted"},
                               {"cpu-0/model", MODEL, EM_OK, .expected = "mirror of cpu-0/package"}};
    EXPECT(rows);
    CHECK_TEXT(roles[0].reason, "");
}

static void hybrid_laptop_with_mmio_copy_and_psys(void)
{
    static const row rows[] = {{"cpu-0/package", EM__COVERS_PACKAGE, MMIO, 0, -1, EM_OK, 0, "mirror of cpu-0/package",
                                "cpu-0/package@rapl-powercap", NULL, NULL},
                               {"cpu-0/package", PACKAGE(0), EM_OK, .expected = "counted"},
                               {"cpu-0/core", CORE(0, -1), EM_OK, .expected = "part of cpu-0/package"},
                               {"cpu-0/uncore", UNCORE(0), EM_OK, .expected = "part of cpu-0/package"},
                               {"platform/psys", PSYS, EM_OK, .expected = "platform"}};
    EXPECT(rows);
}

static void amd_dies_are_one_counter(void)
{
    static const row rows[] = {
        {"cpu-0/die-1", ALIAS(0, 1), EM_OK, .expected = "mirror of cpu-0/die-0"},
        {"cpu-0/core", CORE(0, 1), EM_OK, .expected = "part of cpu-0/die-0", .unique = "cpu-0/core#2"},
        {"cpu-0/die-0", ALIAS(0, 0), EM_OK, .expected = "counted"},
        {"cpu-0/core", CORE(0, 0), EM_OK, .expected = "part of cpu-0/die-0"},
        {"cpu-1/die-0", ALIAS(1, 0), BROKEN, .expected = "unreadable"},
        {"cpu-1/die-1", ALIAS(1, 1), EM_OK, .expected = "counted"},
        {"cpu-1/die-2", ALIAS(1, 2), EM_OK, .expected = "mirror of cpu-1/die-1"},
        {"cpu-1/dram", DRAM(1, 0), EM_OK, .expected = "counted"},
        {"cpu-1/dram", DRAM(1, 1), EM_OK, .expected = "mirror of cpu-1/dram", .unique = "cpu-1/dram@rapl-powercap"}};
    EXPECT(rows);
    CHECK_TEXT(roles[5].reason, "stands in for cpu-1/die-0, which cannot be read");
}

static void a_plain_package_wins_over_its_aliases(void)
{
    static const row rows[] = {{"cpu-0/die-0", ALIAS(0, 0), EM_OK, .expected = "mirror of cpu-0/package"},
                               {"cpu-0/die-1", ALIAS(0, 1), EM_OK, .expected = "mirror of cpu-0/package"},
                               {"cpu-0/package", PACKAGE(0), EM_OK, .expected = "counted"}};
    EXPECT(rows);
}

static void intel_dies_are_added(void)
{
    static const row rows[] = {{"cpu-0/die-0", DIE(0, 0), EM_OK, .expected = "counted"},
                               {"cpu-0/dram", DRAM(0, 0), EM_OK, .expected = "counted"},
                               {"cpu-0/die-1", DIE(0, 1), EM_OK, .expected = "counted"},
                               {"cpu-0/dram", DRAM(0, 1), EM_OK, .expected = "counted", .unique = "cpu-0/dram#2"},
                               {"cpu-0/core", CORE(0, 1), EM_OK, .expected = "part of cpu-0/die-1"},
                               {"cpu-1/die-0", DIE(1, 0), BROKEN, .expected = "missing"},
                               {"cpu-1/die-1", DIE(1, 1), EM_OK, .expected = "counted"}};
    EXPECT(rows);
}

static void intel_dies_beside_their_package(void)
{
    static const row readable[] = {{"cpu-0/package", PACKAGE(0), EM_OK, .expected = "counted"},
                                   {"cpu-0/die-0", DIE(0, 0), EM_OK, .expected = "part of cpu-0/package"},
                                   {"cpu-0/die-1", DIE(0, 1), BROKEN, .expected = "unreadable"},
                                   {"cpu-0/dram", DRAM(0, -1), EM_OK, .expected = "counted"},
                                   {"cpu-0/die-0/dram", DRAM(0, 0), EM_OK, .expected = "part of cpu-0/dram"}};
    static const row broken[] = {{"cpu-0/package", PACKAGE(0), BROKEN, .expected = "unreadable"},
                                 {"cpu-0/die-0", DIE(0, 0), EM_OK, .expected = "counted"},
                                 {"cpu-0/die-1", DIE(0, 1), EM_OK, .expected = "counted"},
                                 {"cpu-0/dram", DRAM(0, -1), BROKEN, .expected = "unreadable"},
                                 {"cpu-0/die-0/dram", DRAM(0, 0), EM_OK, .expected = "counted"}};
    EXPECT(readable);
    EXPECT(broken);
}

static void one_socket_is_unreadable(void)
{
    static const row rows[] = {{"cpu-0/package", PACKAGE(0), BROKEN, .expected = "missing"},
                               {"cpu-0/core", CORE(0, -1), EM_OK, .expected = "part of cpu-0/package"},
                               {"cpu-0/dram", DRAM(0, -1), EM_OK, .expected = "counted"},
                               {"cpu-1/package", PACKAGE(1), EM_OK, .expected = "counted"},
                               {"cpu-1/dram", DRAM(1, -1), BROKEN, .expected = "missing"},
                               {"cpu-0/model", MODEL, EM_OK, .expected = "mirror of cpu-1/package"}};
    EXPECT(rows);
    CHECK_TEXT(roles[1].reason, "inside cpu-0/package, which cannot be read; a part never stands for its whole");
    CHECK_TEXT(roles[5].reason, "covers all CPUs, so it would count cpu-1/package twice");
}

static void an_ordinary_user_gets_the_model_alone(void)
{
    static const row rows[] = {{"cpu-0/package", PACKAGE(0), DENIED, .expected = "unreadable"},
                               {"cpu-0/core", CORE(0, -1), DENIED, .expected = "unreadable"},
                               {"cpu-0/dram", DRAM(0, -1), EM_OK, .expected = "part of cpu-0/model"},
                               {"platform/psys", PSYS, DENIED, .expected = "unreadable"},
                               {"cpu-0/model", MODEL, EM_OK, .expected = "counted"}};
    static const row alone[] = {{"cpu-0/package", PACKAGE(0), DENIED, .expected = "missing"},
                                {"cpu-0/package", EM__COVERS_PACKAGE, MMIO, 0, -1, DENIED, 0, "unreadable",
                                 "cpu-0/package@rapl-powercap", NULL, NULL},
                                {"cpu-0/dram", DRAM(0, -1), EM_OK, .expected = "counted"},
                                {"platform/psys", PSYS, EM_OK, .expected = "platform"},
                                {"cpu-0/core", CORE(0, -1), EM_OK, .expected = "part of cpu-0/package"}};
    EXPECT(rows);
    CHECK_TEXT(roles[0].reason, em_status_text(EM_ERR_PERMISSION));
    EXPECT(alone);
}

static void modelled_memory_counts_where_nothing_else_holds_it(void)
{
    static const row beside[] = {{"cpu-0/package", PACKAGE(0), EM_OK, .expected = "counted"},
                                 {"cpu-1/package", PACKAGE(1), EM_OK, .expected = "counted"},
                                 {"cpu-0/model", MODEL, EM_OK, .expected = "mirror of cpu-0/package"},
                                 {"dram/model", MEMORY, EM_OK, .expected = "counted"}};
    static const row measured[] = {{"cpu-0/package", PACKAGE(0), EM_OK, .expected = "counted"},
                                   {"cpu-0/dram", DRAM(0, -1), DENIED, .expected = "missing"},
                                   {"cpu-1/package", PACKAGE(1), EM_OK, .expected = "counted"},
                                   {"cpu-1/dram", DRAM(1, -1), EM_OK, .expected = "counted"},
                                   {"dram/model", MEMORY, EM_OK, .expected = "mirror of cpu-1/dram"}};
    static const row denied[] = {{"cpu-0/package", PACKAGE(0), EM_OK, .expected = "counted"},
                                 {"cpu-0/dram", DRAM(0, -1), DENIED, .expected = "unreadable"},
                                 {"dram/model", MEMORY, EM_OK, .expected = "counted"}};
    static const row whole[] = {{"cpu-0/package", PACKAGE(0), DENIED, .expected = "unreadable"},
                                {"cpu-0/dram", DRAM(0, -1), DENIED, .expected = "unreadable"},
                                {"cpu-0/model", MODEL, EM_OK, .expected = "counted"},
                                {"dram/model", MEMORY, EM_OK, .expected = "part of cpu-0/model"}};
    EXPECT(beside);
    CHECK_TEXT(roles[3].reason, "estimated, since no memory can be read");
    EXPECT(measured);
    CHECK_TEXT(roles[4].reason, "covers all memory, so it would count cpu-1/dram twice");
    EXPECT(denied);
    EXPECT(whole);
    CHECK_TEXT(roles[3].reason, "cpu-0/model is of the whole machine, memory included");
}

static void what_the_options_leave_out_is_not_missing(void)
{
    static const row rows[] = {{"cpu-0/package", PACKAGE(0), EM_ERR_NOT_SELECTED, .expected = "unreadable"},
                               {"gpu-0/board", BOARD(NVML), EM_OK, .expected = "counted"}};
    EXPECT(rows);
}

static void copies_of_one_place_by_several_sensors(void)
{
    static const row rows[] = {
        {"cpu-0/package", PACKAGE(0), EM_OK, .expected = "mirror of cpu-0/package",
         .unique = "cpu-0/package@rapl-powercap"},
        {"cpu-0/package", EM__COVERS_PACKAGE, MMIO, 0, -1, EM_OK, 0, "mirror of cpu-0/package",
         "cpu-0/package@rapl-powercap#2", NULL, NULL},
        {"cpu-0/package", EM__COVERS_PACKAGE, PERF, 0, -1, EM_OK, 0, "counted", NULL, NULL, NULL},
        {"cpu-0/core", CORE(0, -1), EM_OK, .expected = "part of cpu-0/package", .unique = "cpu-0/core@rapl-powercap"},
        {"cpu-0/core", EM__COVERS_CORE, PERF, 0, -1, EM_OK, 0, "part of cpu-0/package", NULL, NULL, NULL},
        {"cpu-0/package", EM__COVERS_PACKAGE, AMDGPU, 0, -1, EM_OK, 0, "mirror of cpu-0/package",
         "cpu-0/package@amdgpu", NULL, NULL}};
    EXPECT(rows);
}

static void boards_are_matched_by_what_they_are(void)
{
    static const row rows[] = {
        {"gpu-0/board", BOARD(NVML), EM_OK, 0, "counted", NULL, "0000:3b:00.0", "GPU-a"},
        {"gpu-1/board", BOARD(NVML), BROKEN, 1, "unreadable", NULL, "0000:5e:00.0", "GPU-b"},
        {"gpu-1/model", BOARD(TDP), EM_OK, 7, "counted", NULL, "0000:5e:00.0", NULL},
        {"gpu-0/model", BOARD(TDP), EM_OK, 0, "mirror of gpu-0/board", NULL, NULL, NULL},
        {"gpu-0/board", BOARD(AMDGPU), EM_OK, 0, "counted", "gpu-0/board@amdgpu", "0000:c1:00.0", NULL},
        {"gpu-2/board", BOARD(NVML), BROKEN, 2, "missing", NULL, NULL, "GPU-c"},
        {"gpu-9/board", BOARD(AMDGPU), EM_OK, 9, "mirror of gpu-0/board", NULL, NULL, "GPU-a"}};
    EXPECT(rows);
    CHECK_TEXT(roles[2].reason, "stands in for gpu-1/board, which cannot be read");
}

static void a_third_channel_tells_that_two_are_one(void)
{
    static const row rows[] = {{"gpu-0/board", BOARD(AMDGPU), EM_OK, 0, "counted", NULL, "0000:3b:00.0", NULL},
                               {"gpu-4/board", BOARD(TDP), EM_OK, 4, "mirror of gpu-0/board", NULL, NULL, "GPU-a"},
                               {"gpu-8/board", BOARD(NVML), BROKEN, 8, "unreadable", NULL, "0000:3b:00.0", "GPU-a"}};
    EXPECT(rows);
}

static void a_mirror_is_promoted_and_keeps_its_name(void)
{
    static const row rows[] = {{"cpu-0/package", PACKAGE(0), EM_OK, .expected = "counted"},
                               {"cpu-0/package", EM__COVERS_PACKAGE, MMIO, 0, -1, EM_OK, 0, "mirror of cpu-0/package",
                                "cpu-0/package@rapl-powercap", NULL, NULL},
                               {"cpu-0/core", CORE(0, -1), EM_OK, .expected = "part of cpu-0/package"},
                               {"cpu-0/dram", DRAM(0, -1), EM_OK, .expected = "counted"},
                               {"cpu-0/model", MODEL, EM_OK, .expected = "mirror of cpu-0/package"}};
    EXPECT(rows);
    static const char *const gone[2][5] = {
        {"unreadable", "counted", "part of cpu-0/package@rapl-powercap", "counted",
         "mirror of cpu-0/package@rapl-powercap"},
        {"unreadable", "unreadable", "part of cpu-0/package", "part of cpu-0/model", "counted"}};
    for (size_t step = 0; step < 2; step++) {
        candidates[step].is_readable = 0;
        em__role before[5];
        memcpy(before, roles, sizeof before);
        em__roles_resolve(candidates, 5, roles);
        for (size_t i = 0; i < 5; i++) {
            char found[160];
            describe(i, found, sizeof found);
            CHECK_TEXT(found, gone[step][i]);
            CHECK_TEXT(roles[i].name, before[i].name);
        }
    }
    CHECK_TEXT(roles[0].reason, "its readings ended while it was measured");
}

static void names_stay_unique_at_any_length(void)
{
    static const row rows[] = {{"a", PSYS, EM_OK, .expected = "platform"},
                               {"a#2", PSYS, EM_OK, .expected = "platform"},
                               {"a", PSYS, EM_OK, .expected = "platform", .unique = "a#3"},
                               {"a#2", PSYS, EM_OK, .expected = "platform", .unique = "a#2#2"}};
    EXPECT(rows);
    static row nameless[12];
    for (size_t i = 0; i < 12; i++) {
        nameless[i] = (row){"", PSYS, EM_OK, .expected = "platform"};
    }
    build(nameless, 12);
    for (size_t i = 0; i < 12; i++) {
        memset(facts[i].name, 'n', sizeof facts[i].name - 1);
        candidates[i].sensor = "a-sensor-with-a-name-that-is-much-longer-than-any-name-of-a-sensor-should-be";
        candidates[i].rank = (int)i;
        if (i >= 8) {
            facts[i].name[0] = '\0';
        }
    }
    em__roles_resolve(candidates, 12, roles);
    for (size_t i = 0; i < 12; i++) {
        for (size_t j = 0; j < i; j++) {
            CHECK(strcmp(roles[i].name, roles[j].name) != 0 && roles[i].name[0] && roles[j].name[0]);
        }
    }
}

static void nothing_found(void)
{
    em__roles_resolve(NULL, 0, NULL);
}

/* ---------------------------------------------------------------------------------------------- silicon by silicon */

enum { PACKAGES = 3, DIES = 2, BOARDS = 3 };

static uint32_t random_state;
static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* One bit for each die's cores, each die's memory and each board: what the channel's joules are spent on. */
static uint32_t silicon_of(const em__channel *f)
{
    uint32_t die = f->die < 0 ? (1u << DIES) - 1 : 1u << f->die, shift = (uint32_t)f->package * DIES;
    switch (f->covers) {
    case EM__COVERS_PACKAGE:
    case EM__COVERS_DIE_ALIAS:
        return ((1u << DIES) - 1) << shift;
    case EM__COVERS_DIE:
        return die << shift;
    case EM__COVERS_DRAM:
        return die << (shift + PACKAGES * DIES);
    case EM__COVERS_BOARD:
        return 1u << (2 * PACKAGES * DIES + f->gpu);
    case EM__COVERS_ALL_CPUS:
        return (1u << (2 * PACKAGES * DIES)) - 1;
    default:
        return 0;
    }
}

static size_t random_machine(row rows[])
{
    static const em__covers intel[] = {EM__COVERS_PACKAGE, EM__COVERS_DIE, EM__COVERS_DRAM, EM__COVERS_CORE};
    static const em__covers amd[] = {EM__COVERS_PACKAGE, EM__COVERS_DIE_ALIAS, EM__COVERS_DIE_ALIAS, EM__COVERS_CORE};
    const em__covers *kinds = draw(2) ? intel : amd;
    size_t count = 1 + draw(14);
    for (size_t i = 0; i < count; i++) {
        row *r = &rows[i];
        *r = (row){.name = "x", .package = -1, .die = -1, .gpu = -1};
        r->status = draw(3) ? EM_OK : EM_ERR_BROKEN;
        uint32_t what = draw(8);
        if (what == 0) {
            r->covers = EM__COVERS_PLATFORM, r->rank = POWERCAP;
        } else if (what == 1) {
            r->covers = EM__COVERS_ALL_CPUS, r->rank = TDP;
        } else if (what == 2) {
            static const char *const slots[BOARDS] = {"0000:01:00.0", "0000:02:00.0", "0000:03:00.0"};
            static const char *const uuids[BOARDS] = {"GPU-1", "GPU-2", "GPU-3"};
            r->covers = EM__COVERS_BOARD, r->gpu = (int)draw(BOARDS);
            r->rank = draw(2) ? NVML : TDP;
            r->pci = slots[r->gpu], r->uuid = draw(2) ? uuids[r->gpu] : NULL;
        } else {
            r->covers = kinds[draw(4)];
            r->rank = draw(2) ? POWERCAP : draw(2) ? PERF : MMIO;
            r->package = (int)draw(PACKAGES);
            r->die =
                r->covers == EM__COVERS_PACKAGE || (r->covers == EM__COVERS_DRAM && draw(2)) ? -1 : (int)draw(DIES);
        }
    }
    return count;
}

static void check_silicon(size_t count)
{
    uint32_t counted = 0, twice = 0, measurable = 0, model = 0, lacking = 0, silent = 0, silent_model = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t silicon = silicon_of(&facts[i]);
        if (roles[i].role == EM_ROLE_COUNTED) {
            twice |= counted & silicon;
            counted |= silicon;
        }
        if (facts[i].covers == EM__COVERS_ALL_CPUS) {
            *(facts[i].status == EM_OK ? &model : &silent_model) |= silicon;
        } else if (facts[i].status == EM_OK) {
            measurable |= silicon;
        } else {
            silent |= silicon;
        }
        lacking |= roles[i].is_missing ? silicon : 0;
        CHECK((facts[i].status == EM_OK) == (roles[i].role != EM_ROLE_UNREADABLE));
        int32_t of = roles[i].of;
        CHECK(of >= -1 && of < (int32_t)count && of != (int32_t)i);
        if (roles[i].role == EM_ROLE_MIRROR) {
            CHECK(of >= 0 && roles[of].role != EM_ROLE_MIRROR && roles[of].role != EM_ROLE_UNREADABLE);
        }
        CHECK((roles[i].role == EM_ROLE_PART || roles[i].role == EM_ROLE_MIRROR) || of == -1);
        for (size_t j = 0; j < i; j++) {
            CHECK(strcmp(roles[i].name, roles[j].name) != 0);
        }
    }
    uint32_t cpus = (1u << (PACKAGES * DIES)) - 1;
    CHECK_INT(twice, 0);
    CHECK_INT(measurable & ~counted, 0);
    if (model && !(measurable & cpus)) {
        CHECK_INT(model & ~counted, 0);
    }
    /* What is named and nothing counts is told to be missing, but for a package one of whose dies is counted. */
    for (uint32_t package = 0; package < PACKAGES; package++) {
        uint32_t both = ((1u << DIES) - 1) << (package * DIES);
        for (uint32_t shift = 0; shift <= PACKAGES * DIES; shift += PACKAGES * DIES) {
            if ((silent & (both << shift)) && !(counted & (both << shift))) {
                CHECK((lacking & (both << shift)) != 0);
            }
        }
    }
    CHECK_INT(lacking & ~(silent | silent_model), 0);
}

static void random_machines_count_each_joule_once(void)
{
    for (random_state = 1; random_state < 20001;) {
        uint32_t seed = random_state;
        row rows[MOST];
        size_t count = random_machine(rows);
        build(rows, count);
        em__roles_resolve(candidates, count, roles);
        check_silicon(count);

        em__role kept[MOST];
        memcpy(kept, roles, sizeof kept);
        for (size_t i = 0; i < count; i++) {
            candidates[i].is_readable = draw(2) && facts[i].status == EM_OK;
        }
        em__roles_resolve(candidates, count, roles);
        for (size_t i = 0; i < count; i++) {
            CHECK(strcmp(roles[i].name, kept[i].name) == 0);
        }

        em__candidate turned[MOST];
        for (size_t i = 0; i < count; i++) {
            turned[i] = candidates[count - 1 - i];
            turned[i].is_readable = turned[i].facts->status == EM_OK;
        }
        em__roles_resolve(turned, count, roles);
        for (size_t i = 0; i < count; i++) {
            CHECK_INT(roles[count - 1 - i].role, kept[i].role);
            CHECK(strcmp(roles[count - 1 - i].name, kept[i].name) == 0);
        }
        if (check_failed) {
            printf("# seed %u\n", seed);
            return;
        }
        random_state = seed + 1;
    }
}

int main(void)
{
    RUN(two_sockets_and_their_memory);
    RUN(hybrid_laptop_with_mmio_copy_and_psys);
    RUN(amd_dies_are_one_counter);
    RUN(a_plain_package_wins_over_its_aliases);
    RUN(intel_dies_are_added);
    RUN(intel_dies_beside_their_package);
    RUN(one_socket_is_unreadable);
    RUN(an_ordinary_user_gets_the_model_alone);
    RUN(modelled_memory_counts_where_nothing_else_holds_it);
    RUN(what_the_options_leave_out_is_not_missing);
    RUN(copies_of_one_place_by_several_sensors);
    RUN(boards_are_matched_by_what_they_are);
    RUN(a_third_channel_tells_that_two_are_one);
    RUN(a_mirror_is_promoted_and_keeps_its_name);
    RUN(names_stay_unique_at_any_length);
    RUN(nothing_found);
    RUN(random_machines_count_each_joule_once);
    return CHECK_DONE();
}
