/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The memory's model: published figures of its two rules, and where a meter uses it. */
#include "probing.h"

#include "meter/meter.h"
#include "rig/fake_host.h"
#include "sensors/tdp_model.h"

static const uint64_t second_ns = 1000000000;

/* MemTotal of real machines, a little less than what is in them. CodeCarbon documents 38 W for 128 GB and for 8 x 128 GB,
 * and 70 W for 16 x 128 GB; 0.375 W/GB is 3 W for each 8 GB. */
static void test_rules(void)
{
    static const struct {
        uint64_t kib;
        int is_x86;
        double gib, w;
        unsigned modules;
    } machines[] = {{8388608, 1, 8, 3, 0},        {32786524, 1, 32, 12, 0},        {65688164, 1, 64, 24, 0},
                    {98304000, 1, 96, 38, 8},     {131841096, 1, 128, 38, 8},      {196483264, 1, 192, 54, 12},
                    {1056442128, 1, 1024, 38, 8}, {2113481856, 1, 2048, 70, 16},   {131841096, 0, 128, 11.4, 8},
                    {65688164, 0, 64, 24, 0},     {12884901888, 1, 12288, 126, 32}};
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        em__tdp_memory memory = em__tdp_dram(machines[i].kib, machines[i].is_x86);
        CHECK_NEAR(memory.installed_gib, machines[i].gib, 0);
        CHECK_NEAR(memory.power_w, machines[i].w, 1e-9);
        CHECK_INT(memory.modules, machines[i].modules);
    }
    CHECK(em__tdp_dram(1, 1).power_w < 0.1);
    CHECK(em__tdp_dram(UINT64_C(1) << 50, 1).power_w < 200);
}

static void test_only_when_asked_for(void)
{
    em__host *host = empty_machine(0);
    em__selection selection = everything();
    em__probe probe = {0};
    put(host, "/proc/meminfo", "MemTotal:       65688164 kB\nMemFree:  1 kB\n");
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK(channel_named(&probe, "dram/model", NULL) == NULL);
    em__sensors_free(&probe);
    selection.model_dram = 1;
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    const em__channel *channel = channel_named(&probe, "dram/model", NULL);
    if (CHECK(channel != NULL)) {
        CHECK_INT(channel->domain, EM_DOMAIN_DRAM);
        CHECK_INT(channel->kind, EM_KIND_MODEL);
        CHECK_NEAR(channel->gain, 0.25, 0);
        CHECK_TEXT(channel->reason, "24 W for 64 GB, 0.375 W each, whatever the load; U = 50 % (k = 2)");
    }
    em__sensors_free(&probe);
    em__host_unref(host);
}

static void test_no_meminfo(void)
{
    static const char *const contents[] = {"",
                                           "MemTotal: kB\n",
                                           "MemTotal: 0 kB\n",
                                           "MemFree: 1 kB\n",
                                           "MemTotal: 99999999999999999999999 kB\n",
                                           "MemTotal: 1e6 kB\n"};
    em__selection selection = everything();
    selection.model_dram = 1;
    for (size_t i = 0; i <= sizeof contents / sizeof contents[0]; i++) {
        em__host *host = empty_machine(0);
        em__probe probe = {0};
        int is_there = i < sizeof contents / sizeof contents[0];
        if (is_there) {
            put(host, "/proc/meminfo", contents[i]);
        }
        put(host, "/proc/stat", "cpu 1 2 3 4\n");
        CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
        CHECK(channel_named(&probe, "dram/model", NULL) == NULL);
        CHECK(absence_of(&probe, "tdp", is_there ? EM_ERR_BROKEN : EM_ERR_NOT_SUPPORTED) != NULL);
        em__sensors_free(&probe);
        em__host_unref(host);
    }
}

/* A machine of 64 GB with one package of 100 W and, with_dram, memory of 20 W. */
static em_result measure(int with_package, int with_dram, uint32_t flags, double *ret_dram_j)
{
    wave package = wave_constant(100), memory = wave_constant(20), idle = wave_constant(0);
    rig_host *rig = rig_host_create(second_ns);
    rig_host_put_cpus(rig, "GenuineIntel", "Rig CPU", 1, 4);
    rig_host_put(rig, "/proc/meminfo", "MemTotal:       65688164 kB\n");
    rig_host_put_stat(rig, &idle, 4);
    if (with_package) {
        rig_host_put_zone(rig, &(rig_zone){.folder = "intel-rapl:0",
                                           .name = "package-0",
                                           .limit_w = 125,
                                           .source = {.wave = &package, .range = 262143999938}});
    }
    if (with_dram) {
        rig_host_put_zone(
            rig,
            &(rig_zone){.folder = "intel-rapl:0:0", .name = "dram", .source = {.wave = &memory, .range = 65712999613}});
    }
    em_options options;
    em_meter *meter = NULL;
    em_options_init(&options, sizeof options);
    options.flags = flags;
    CHECK_INT(em__meter_create_on(rig_host_base(rig), &options, NULL, &meter), EM_OK);
    em_window window = 0;
    em_window_begin(meter, NULL, &window);
    for (int i = 0; i < 10; i++) {
        rig_host_advance(rig, second_ns / 10);
        em__meter_step(meter);
    }
    em_window_end(meter, window, NULL);
    em_window_settle(meter, window, second_ns);
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    *ret_dram_j = result.by_domain[EM_DOMAIN_DRAM].energy_j;
    em_meter_destroy(meter);
    rig_host_destroy(rig);
    return result;
}

static void test_in_a_meter(void)
{
    double dram_j;
    em_result result = measure(1, 0, EM_MODEL_DRAM, &dram_j);
    CHECK_NEAR(dram_j, 24, 1e-3);
    CHECK_NEAR(result.by_provenance_j[EM_FROM_ESTIMATED], 24, 1e-3);
    CHECK_NEAR(result.by_provenance_j[EM_FROM_MEASURED], 100, 1e-3);
    CHECK_INT(result.total.provenance, EM_FROM_ESTIMATED);
    CHECK_INT(result.is_complete, 1);
    result = measure(1, 0, 0, &dram_j);
    CHECK(isnan(dram_j));
    CHECK_NEAR(result.total.energy_j, 100, 1e-3);
    result = measure(1, 1, EM_MODEL_DRAM, &dram_j);
    CHECK_NEAR(dram_j, 20, 1e-3);
    result = measure(0, 0, EM_MODEL_DRAM, &dram_j);
    CHECK(isnan(dram_j));
    CHECK_NEAR(result.total.energy_j, 65 * 0.15, 0.01);
}

int main(void)
{
    RUN(test_rules);
    RUN(test_only_when_asked_for);
    RUN(test_no_meminfo);
    RUN(test_in_a_meter);
    return CHECK_DONE();
}
