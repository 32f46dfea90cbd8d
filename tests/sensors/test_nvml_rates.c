/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A board's counter and its power: what each look at it asks for, how often it may, and what the stand-in's boards show
 * when they are imperfect. */
#include "nvml_rig.h"

static int (*call_count)(unsigned index);

static em__channel *board_of(em__probe *probe, em__device **ret_device)
{
    em__channel *channel = channel_named(probe, "gpu-0/board", ret_device);
    if (!CHECK(channel)) {
        exit(1);
    }
    return channel;
}

static em__reading read_at(em__host *host, em__device *device, size_t channel, double seconds)
{
    em__reading readings[2] = {{0}};
    rig_time(host, seconds);
    device->ops->read(device, EM__CHANNEL_BIT(channel), readings);
    return readings[channel];
}

static double joules_between(em__host *host, em__device *device, double from_s, double to_s)
{
    uint64_t from_mj = read_at(host, device, 0, from_s).value, to_mj = read_at(host, device, 0, to_s).value;
    return (double)(to_mj - from_mj) / 1e3;
}

static void test_counter_and_power(void)
{
    static const struct {
        const char *text;
        uint64_t interval_s;
        int is_shaped;
    } cases[] = {
        {"board name=\"NVIDIA H200\" watts=300", 0, 0},
        {"board name=\"NVIDIA GeForce RTX 4090\" watts=300 limit=450", 1, 1},
        {"board name=\"NVIDIA A10\" watts=300 fields=no", 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__probe probe;
        em__device *device;
        em__host *host = rig_boards(cases[i].text, &probe);
        const em__channel *counter = board_of(&probe, &device), *gauge = channel_named(&probe, "gpu-0/power", NULL);
        printf("# %s\n", cases[i].text);
        if (CHECK(gauge == counter + 1)) {
            CHECK_INT(counter->kind, EM_KIND_COUNTER);
            CHECK_INT(counter->gauge, 1);
            CHECK_INT(counter->shaped_by, cases[i].is_shaped ? 1 : 0);
            CHECK_INT(counter->interval_ns, cases[i].interval_s * 1000000000);
            CHECK_INT(gauge->kind, EM_KIND_GAUGE);
            CHECK_INT(gauge->interval_ns, 0);
            CHECK_INT(gauge->covers, EM__COVERS_BOARD);
            CHECK_TEXT(gauge->uuid, counter->uuid);
            CHECK_INT(gauge->notes & EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER), 0);
            em__reading readings[2] = {{0}};
            int calls = call_count(0), reads = rig.read_count(0);
            rig_time(host, 10);
            device->ops->read(device, 2, readings);
            CHECK_INT(call_count(0) - calls, 1);
            CHECK_INT(rig.read_count(0) - reads, 0);
            CHECK_INT(readings[1].value, 300000);
            device->ops->read(device, 3, readings);
            CHECK_INT(call_count(0) - calls, i < 2 ? 2 : 3); /* both fields in one */
            CHECK_INT(rig.read_count(0) - reads, 1);
            CHECK_INT(readings[0].value, 1000000 + 3000000);
            CHECK_INT(readings[1].value, 300000);
        }
        rig_done(host, &probe);
    }
}

/* Published: Yang, Adamek, Armour, "Part-time Power Measurements", SC 2024. */
static void test_what_the_gauge_averages_over(void)
{
    static const struct {
        const char *text;
        uint64_t average_ms;
    } cases[] = {
        {"board cc=8.0", 25},
        {"board cc=9.0", 25},
        {"board cc=7.0", 10},
        {"board cc=6.0", 10},
        {"board cc=7.5", 100},
        {"board cc=8.6", 100},
        {"board cc=8.9", 100},
        {"board cc=10.0", 0},
        {"board cc=8.0 fields=no", 25},
        {"board cc=9.0 fields=no", 1000},
        {"board cc=8.6 fields=no", 1000},
        {"board cc=7.5 fields=no", 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__probe probe;
        em__host *host = rig_boards(cases[i].text, &probe);
        const em__channel *gauge = channel_named(&probe, "gpu-0/power", NULL);
        printf("# %s\n", cases[i].text);
        if (CHECK(gauge)) {
            CHECK_INT(gauge->average_ns, cases[i].average_ms * 1000000);
            CHECK_INT(gauge[-1].average_ns, 0);
        }
        rig_done(host, &probe);
    }
}

/* Either may fail without the other. */
static void test_one_field_fails(void)
{
    em__probe probe;
    em__device *device;
    em__host *host = rig_boards("board watts=9000:100:1000:50 limit=no update_ms=0\n", &probe);
    board_of(&probe, &device);
    em__reading readings[2];
    rig_time(host, 1.2);
    device->ops->read(device, 3, readings);
    CHECK_INT(readings[0].outcome, EM__READ_OK);
    CHECK_INT(readings[1].outcome, EM__READ_OK);
    CHECK_INT(readings[1].value, 100000);
    rig_time(host, 1.7);
    device->ops->read(device, 3, readings);
    CHECK_INT(readings[0].outcome, EM__READ_OK);
    CHECK_INT(readings[1].outcome, EM__READ_AGAIN); /* 9 kW */
    rig_done(host, &probe);
}

/* Ranks of one node measure the same boards, so each takes its share of a slow board's rate. */
static void test_ranks_share_a_board(void)
{
    static const struct {
        const char *variables[3];
        uint64_t interval_s;
    } cases[] = {
        {{"LOCAL_WORLD_SIZE=8"}, 8},
        {{"SLURM_NTASKS_PER_NODE=4"}, 4},
        {{"SLURM_STEP_TASKS_PER_NODE=4(x2),3", "SLURM_NODEID=2"}, 3},
        {{"SLURM_NTASKS_PER_NODE=4", "LOCAL_WORLD_SIZE=2"}, 2},
        {{"OMPI_COMM_WORLD_LOCAL_SIZE=3"}, 3},
        {{"LOCAL_WORLD_SIZE=0"}, 1},
        {{"LOCAL_WORLD_SIZE=many", "OMPI_COMM_WORLD_LOCAL_SIZE=99999999999999999999"}, 1},
        {{NULL}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__probe probe;
        em__host *host = rig_host(cases[i].variables);
        em__selection selection = everything();
        script("board name=\"NVIDIA L4\"\nboard name=\"NVIDIA H200\"\n");
        CHECK_INT(rig_probe(host, &selection, &probe), EM_OK);
        const em__channel *slow = channel_named(&probe, "gpu-0/board", NULL);
        const em__channel *fast = channel_named(&probe, "gpu-1/board", NULL);
        if (CHECK(slow && fast)) {
            CHECK_INT(slow->interval_ns, cases[i].interval_s * 1000000000);
            CHECK_INT(fast->interval_ns, 0);
        }
        rig_done(host, &probe);
    }
}

/* ---------------------------------------------------------------------------------------- the stand-in's imperfections */

static void test_waves_and_their_energy(void)
{
    static const struct {
        const char *text;
        double from_s, to_s, joules;
    } cases[] = {
        {"wave=constant:250", 2, 6, 1000},
        {"wave=square:90:380:900:55", 0, 9, 9 * (0.55 * 380 + 0.45 * 90)},
        {"wave=ramp:100:300:10:20", 5, 25, 5 * 100 + 10 * 200 + 5 * 300},
        {"wave=sine:200:50:1000", 3, 7, 800},
        {"wave=sine:200:50:1000", 3, 3.5, 100 + 50 / 3.14159265358979},
        {"wave=burst:60:400:4:6", 3, 8, 3 * 60 + 2 * 400},
        {"wave=constant:100 wave=burst:0:200:1:2 wave=sine:0:20:500", 0, 4, 600},
        {"wave=constant:250 gain=4", 2, 6, 1040},
        {"wave=constant:250 unit=50000", 2, 6.1, 1000}, /* 50 J steps */
        {"wave=constant:250 freeze_s=4:5", 2, 4.5, 500},
        {"wave=constant:250 freeze_s=4:5", 2, 6, 1000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[160];
        em__probe probe;
        em__device *device;
        snprintf(text, sizeof text, "board update_ms=0 %s\n", cases[i].text);
        em__host *host = rig_boards(text, &probe);
        board_of(&probe, &device);
        printf("# %s\n", cases[i].text);
        CHECK_NEAR(joules_between(host, device, cases[i].from_s, cases[i].to_s), cases[i].joules, 0.0021);
        rig_done(host, &probe);
    }
}

static void test_updates_and_the_gauge(void)
{
    em__probe probe;
    em__device *device;
    em__host *host =
        rig_boards("board wave=ramp:0:1000:0:10 update_ms=20 phase_ms=7 gauge_ms=100 average_ms=25 lag_ms=75"
                   " gain=0:10 stamp_back_s=5:3600\n",
                   &probe);
    board_of(&probe, &device);
    /* 100 W/s: 50 t² J. Updates at 7 ms and every 20 ms: 2.047 is one. */
    CHECK_INT(read_at(host, device, 0, 2.0469).value - 1000000, 205436); /* 50 × 2.027² */
    CHECK_INT(read_at(host, device, 0, 2.0471).value - 1000000, 209510);
    /* At 2.007 the gauge shows the mean of 1.907 … 1.932, 10 % too much. */
    CHECK_INT(read_at(host, device, 1, 2.1).value, 211145);
    CHECK_INT(read_at(host, device, 1, 2.0069).value, 211145 - 11000);
    uint64_t before = read_at(host, device, 0, 4.9).stamp, after = read_at(host, device, 0, 5.1).stamp;
    CHECK_INT(before - after, 3599800000);
    rig_done(host, &probe);
}

/* As published of an RTX 4090: 13 % missing at 10 readings a second, nothing at one. */
static void test_a_counter_that_falls_short(void)
{
    em__probe probe;
    em__device *device;
    em__host *host = rig_boards("board watts=100 update_ms=0 short=13:5\n", &probe);
    board_of(&probe, &device);
    uint64_t first = read_at(host, device, 0, 10).value, last = first;
    for (int i = 1; i <= 100; i++) {
        uint64_t value = read_at(host, device, 0, 10 + i * 0.1).value;
        CHECK(value >= last);
        last = value;
    }
    CHECK_NEAR((double)(last - first) / 1e3, 870, 0.01);
    for (int i = 1; i <= 10; i++) {
        last = read_at(host, device, 0, 20 + i).value;
    }
    CHECK_NEAR((double)(last - first) / 1e3, 1870, 0.01);
    rig_done(host, &probe);
}

int main(void)
{
    rig_start();
    rig_find(dlopen(rig.library, RTLD_NOW | RTLD_LOCAL), "fake_nvml_call_count", &call_count);
    RUN(test_counter_and_power);
    RUN(test_what_the_gauge_averages_over);
    RUN(test_one_field_fails);
    RUN(test_ranks_share_a_board);
    RUN(test_waves_and_their_energy);
    RUN(test_updates_and_the_gauge);
    RUN(test_a_counter_that_falls_short);
    rig_end();
    return CHECK_DONE();
}
