/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The tables of amdgpu: laid out by the compiler from the fields that the kernel's header lists, and one of a real board. */
#include "check.h"
#include "platform/parse.h"

#include <errno.h>
#include <stddef.h>

#define HEADER                                                                                                         \
    uint16_t size;                                                                                                     \
    uint8_t format, content
#define STATE_OF_4 uint16_t temperatures[3], power, activity[2]

typedef struct {
    HEADER;
    uint16_t temperatures[6], activity[3], power;
    uint64_t energy, clock;
    uint16_t average_clocks[7], clocks[7];
    uint32_t throttle;
    uint16_t fan, link_width, link_speed, padding;
    uint32_t activities[2];
    uint16_t memory[4];
} v1_1;

typedef struct {
    v1_1 begin;
    uint64_t stamp;
} v1_2;

typedef struct {
    v1_2 begin;
    uint16_t volts[3], padding;
    uint64_t throttle;
} v1_3;

typedef struct {
    HEADER;
    STATE_OF_4;
    uint16_t vcn[4];
    uint64_t energy, clock;
    uint32_t throttle, lock;
    uint16_t links[4];
    uint32_t activities[2];
    uint64_t pcie[5], xgmi[16], stamp;
    uint16_t clocks[21], padding;
} v1_4;

typedef struct {
    HEADER;
    STATE_OF_4;
    uint16_t vcn[4], jpeg[32];
    uint64_t energy, clock;
    uint32_t throttle, lock;
    uint16_t links[4];
    uint32_t activities[2];
    uint64_t pcie[5];
    uint32_t naks[2];
    uint64_t xgmi[16], stamp;
    uint16_t clocks[21], padding;
} v1_5;

typedef struct {
    HEADER;
    STATE_OF_4;
    uint16_t vcn[4], jpeg[32];
    uint64_t energy, clock;
    uint32_t accumulations, residencies[5], throttle, lock;
    uint16_t links[4];
    uint32_t activities[2];
    uint64_t pcie[5];
    uint32_t naks[2];
    uint64_t xgmi[16], stamp;
    uint16_t clocks[21], padding;
} v1_6_of_old;

typedef struct {
    uint32_t busy[8];
    uint16_t jpeg[32], vcn[4];
    uint64_t accumulated[8];
} partition;

typedef struct {
    HEADER;
    STATE_OF_4;
    uint64_t energy, clock;
    uint32_t accumulations, residencies[5], lock;
    uint16_t links[4];
    uint32_t activities[2];
    uint64_t pcie[5];
    uint32_t naks[2];
    uint64_t xgmi[16], stamp;
    uint16_t clocks[21], partitions;
    partition each[8];
    uint32_t recoveries;
} v1_6;

/* 1.8 differs behind the energy alone. */
typedef struct {
    HEADER;
    STATE_OF_4;
    uint64_t bandwidth, energy, clock, rest[271];
} v1_7;

typedef struct {
    HEADER;
    uint16_t temperatures[12], activity[2];
    uint64_t clock;
    uint16_t power, powers[11], clocks[22];
    uint32_t throttle;
    uint16_t fan, padding[3];
    uint64_t throttles;
    uint16_t averages[12], volts[3], amperes[3];
} v2_4;

typedef struct {
    HEADER;
    uint16_t temperatures[19], activity[10], busy[16], memory[4];
    uint64_t clock;
    uint32_t socket;
    uint16_t ipu;
    uint32_t power, graphics, board, cores;
    uint16_t each_core[16], system, limits[2], clocks[8], targets[16], most[2];
    uint32_t throttles[7], filter;
} v3_0;

typedef union {
    struct {
        HEADER;
    } header;
    v1_1 v1_1;
    v1_2 v1_2;
    v1_3 v1_3;
    v1_4 v1_4;
    v1_5 v1_5;
    v1_6_of_old old_v1_6;
    v1_6 v1_6;
    v1_7 v1_7;
    v2_4 v2_4;
    v3_0 v3_0;
    char bytes[4096];
} table;

enum { WATTS = 717, COUNT = 987654321 };

/* As the driver begins: all ones, then the header. */
static table blank(size_t size, int format, int content)
{
    table made;
    memset(&made, 0xFF, sizeof made);
    made.header.size = (uint16_t)size;
    made.header.format = (uint8_t)format;
    made.header.content = (uint8_t)content;
    return made;
}

static void check_table(const table *made, uint64_t power_mw, uint64_t energy, int is_stated)
{
    em__gpu_metrics metrics;
    if (!CHECK_INT(em__parse_gpu_metrics(made->bytes, made->header.size, &metrics), 0)) {
        printf("# revision %d.%d\n", made->header.format, made->header.content);
        return;
    }
    CHECK_INT(metrics.has_power, power_mw > 0);
    CHECK_INT(metrics.power_mw, power_mw);
    CHECK_INT(metrics.has_energy, energy > 0);
    CHECK_INT(energy > 0 ? metrics.energy : 0, energy);
    CHECK_INT(metrics.is_stated, is_stated);
}

#define CHECK_LAYOUT(type, member, format, content, mw_each, is_stated)                                                \
    do {                                                                                                               \
        table made = blank(sizeof(type), format, content);                                                             \
        check_table(&made, 0, 0, is_stated);                                                                           \
        made.member.power = WATTS;                                                                                     \
        check_table(&made, WATTS * UINT64_C(mw_each), 0, is_stated);                                                   \
    } while (0)
#define CHECK_COUNTER(type, member, format, content, is_stated)                                                        \
    do {                                                                                                               \
        table made = blank(sizeof(type), format, content);                                                             \
        made.member.energy = COUNT;                                                                                    \
        check_table(&made, 0, COUNT, is_stated);                                                                       \
    } while (0)

static void power(void)
{
    CHECK_LAYOUT(v1_1, v1_1, 1, 1, 1000, 0);
    CHECK_LAYOUT(v1_2, v1_2.begin, 1, 2, 1000, 0);
    CHECK_LAYOUT(v1_3, v1_3.begin.begin, 1, 3, 1000, 0);
    CHECK_LAYOUT(v1_4, v1_4, 1, 4, 1000, 1);
    CHECK_LAYOUT(v1_5, v1_5, 1, 5, 1000, 1);
    CHECK_LAYOUT(v1_6_of_old, old_v1_6, 1, 6, 1000, 1);
    CHECK_LAYOUT(v1_6, v1_6, 1, 6, 1000, 1);
    CHECK_LAYOUT(v1_7, v1_7, 1, 7, 1000, 1);
    CHECK_LAYOUT(v1_7, v1_7, 1, 8, 1000, 1);
    CHECK_LAYOUT(v2_4, v2_4, 2, 4, 1, 0);
    CHECK_LAYOUT(v3_0, v3_0, 3, 0, 1, 0);
}

static void energy(void)
{
    CHECK_COUNTER(v1_1, v1_1, 1, 1, 0);
    CHECK_COUNTER(v1_2, v1_2.begin, 1, 2, 0);
    CHECK_COUNTER(v1_3, v1_3.begin.begin, 1, 3, 0);
    CHECK_COUNTER(v1_4, v1_4, 1, 4, 1);
    CHECK_COUNTER(v1_5, v1_5, 1, 5, 1);
    CHECK_COUNTER(v1_6_of_old, old_v1_6, 1, 6, 1);
    CHECK_COUNTER(v1_6, v1_6, 1, 6, 1);
    CHECK_COUNTER(v1_7, v1_7, 1, 7, 1);
    CHECK_COUNTER(v1_7, v1_7, 1, 8, 1);
}

/* The sizes that the kernel's own tables have, as published dumps show the first two. */
static void sizes(void)
{
    CHECK_INT(sizeof(v1_1), 96);
    CHECK_INT(sizeof(v1_3), 120);
    CHECK_INT(sizeof(v1_4), 288);
    CHECK_INT(sizeof(v1_6), 1664);
    CHECK_INT(sizeof(v1_7), 2208);
    CHECK_INT(sizeof(v2_4), 168);
}

/* Revision 1.9: 64 bits say unit, type, which and how many, and the values follow, packed. */
static size_t add_field(table *made, size_t at, unsigned unit, unsigned type, unsigned which, unsigned many,
                        uint64_t value, size_t bytes)
{
    uint64_t encoding = (uint64_t)unit << 24 | type << 20 | which << 10 | many;
    memcpy(made->bytes + at, &encoding, sizeof encoding);
    memcpy(made->bytes + at + 8, &value, bytes < 8 ? bytes : 8);
    return at + 8 + bytes;
}

static table self_told(unsigned temperatures, size_t *ret_size)
{
    enum { DEGREES = 2, W = 3, U16 = 2, U64 = 6, HOTSPOT = 0, SOCKET_POWER = 3, ENERGY = 7 };
    table made = blank(0, 1, 9);
    int32_t count = 3;
    memcpy(made.bytes + 4, &count, sizeof count);
    size_t at = add_field(&made, 8, DEGREES, U16, HOTSPOT, temperatures, 45, 2 * (size_t)temperatures);
    at = add_field(&made, at, W, U16, SOCKET_POWER, 1, WATTS, 2);
    at = add_field(&made, at, 0, U64, ENERGY, 1, COUNT, 8);
    made.header.size = (uint16_t)at;
    *ret_size = at;
    return made;
}

static void fields_that_tell_themselves(void)
{
    size_t size;
    em__gpu_metrics metrics;
    for (unsigned many = 0; many < 40; many++) {
        table made = self_told(many, &size);
        check_table(&made, WATTS * 1000, COUNT, 1);
    }
    table made = self_told(3, &size);
    for (size_t cut = 4; cut < size; cut++) {
        made.header.size = (uint16_t)cut;
        CHECK_INT(em__parse_gpu_metrics(made.bytes, sizeof made.bytes, &metrics), -EINVAL);
    }
    made.header.size = (uint16_t)size;
    int32_t counts[] = {-1, 4, 1025, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        memcpy(made.bytes + 4, &counts[i], sizeof counts[i]);
        CHECK_INT(em__parse_gpu_metrics(made.bytes, sizeof made.bytes, &metrics), -EINVAL);
    }
}

/* Decoded from a Radeon RX 5700 (Ricks-Lab/gpu-utils, issue 122): 12 W, and an energy that no board has used. */
static void a_real_board(void)
{
    table made = blank(120, 1, 3);
    made.v1_3.begin.begin.power = 12;
    made.v1_3.begin.begin.energy = UINT64_C(6294297477348589567);
    check_table(&made, 12000, UINT64_C(6294297477348589567), 0);
}

static void what_is_no_table(void)
{
    em__gpu_metrics metrics = {.energy = 77};
    table made = blank(120, 1, 3);
    static const struct {
        int size, format, content;
    } wrong[] = {{119, 1, 3}, {121, 1, 3}, {0, 1, 3},   {3, 1, 3},   {95, 1, 1},  {39, 1, 4},
                 {400, 1, 6}, {80, 1, 0},  {120, 2, 1}, {168, 2, 3}, {264, 4, 0}, {264, 255, 255}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        made = blank((size_t)wrong[i].size, wrong[i].format, wrong[i].content);
        CHECK_INT(em__parse_gpu_metrics(made.bytes, sizeof made.bytes, &metrics), -EINVAL);
    }
    made = blank(120, 1, 3);
    for (size_t length = 0; length < 120; length++) {
        CHECK_INT(em__parse_gpu_metrics(made.bytes, length, &metrics), -EINVAL);
    }
    CHECK_INT(metrics.energy, 77);
}

int main(void)
{
    RUN(sizes);
    RUN(power);
    RUN(energy);
    RUN(fields_that_tell_themselves);
    RUN(a_real_board);
    RUN(what_is_no_table);
    return CHECK_DONE();
}
