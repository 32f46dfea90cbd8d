/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whole meters where sensors fail, leave, come back or are not there: every gap is flagged, no joule invented. */
#include "metering.h"

#include <errno.h>

static wave constant;

static void test_a_zone_leaves_and_comes_back(void)
{
    begin_simple();
    rig_source *package = rig_host_source(machine, 0);
    uint64_t from_ns = now() + 10 * S;
    rig_source_fault(package, (rig_fault){.kind = RIG_VANISH, .from_ns = from_ns, .to_ns = from_ns + 30 * S});
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pass(20 * S);
    em_channel channel = {.size = sizeof channel};
    CHECK_INT(em_meter_channel(meter, 0, &channel), EM_OK);
    CHECK_INT(channel.status, EM_ERR_GONE);
    CHECK_INT(channel.role, EM_ROLE_UNREADABLE);
    CHECK(channel.reason[0] != '\0');
    pass(80 * S); /* tried again a minute after it left */
    CHECK_INT(em_meter_channel(meter, 0, &channel), EM_OK);
    CHECK_INT(channel.status, EM_OK);
    CHECK_INT(channel.role, EM_ROLE_COUNTED);
    end_window(window);
    pass(100 * MS);
    em_result result = final_result(window);
    CHECK_NEAR(result.by_domain[EM_DOMAIN_DRAM].energy_j, 2000, 1e-4);
    CHECK_NEAR(result.by_domain[EM_DOMAIN_CPU].energy_j, 100 * (9.9 + 30), 20); /* 60 s and a round are missing */
    CHECK_INT(result.is_complete, 0);
    CHECK_NEAR((double)result.total.gap_ns, 60e9, 0.3e9);
    end_all();
}

/* Busy CPUs: 103 % of the thermal design power, by the measurements behind the model. */
static void test_a_model_takes_over(void)
{
    static wave busy;
    em_options options = default_options();
    options.cpu_tdp_w = 100;
    constant = wave_constant(150);
    busy = wave_constant(1);
    machine = rig_host_create(1000 * S);
    rig_host_put_cpus(machine, "GenuineIntel", "Rig CPU", 1, 8);
    rig_host_put_stat(machine, &busy, 8);
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &constant, .range = 262143999938});
    begin_meter(&options);
    rig_source_fault(rig_host_source(machine, 1),
                     (rig_fault){.kind = RIG_VANISH, .from_ns = now() + 10 * S, .to_ns = now() + 1000 * S});
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pass(20 * S);
    end_window(window);
    pass(S);
    em_result result = final_result(window);
    CHECK_NEAR(result.by_provenance_j[EM_FROM_MEASURED], 1500, 16);
    CHECK_NEAR(result.by_provenance_j[EM_FROM_ESTIMATED], 1030, 16);
    CHECK_INT(result.total.provenance, EM_FROM_ESTIMATED);
    CHECK_INT(result.is_complete, 0);
    end_all();
}

/* The window began, but its first reading failed: what passed until the next is missing. */
static void test_the_first_reading_fails(void)
{
    begin_simple();
    for (size_t i = 0; i < 2; i++) {
        rig_source_fault(rig_host_source(machine, i),
                         (rig_fault){.kind = RIG_FAIL, .from_ns = now(), .to_ns = now() + 250 * MS, .error = EIO});
    }
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pass(S);
    end_window(window);
    pass(100 * MS);
    em_result result = final_result(window);
    CHECK_NEAR(result.total.energy_j, 120 * 0.7, 1e-4);
    CHECK_INT(result.total.gap_ns, 300 * MS);
    CHECK_INT(result.is_complete, 0);
    end_all();
}

static void test_a_suspend(void)
{
    begin_simple();
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pass(5 * S);
    rig_source_fault(rig_host_source(machine, 0), (rig_fault){.kind = RIG_RESET, .from_ns = now()});
    rig_host_suspend(machine, 7200 * S);
    pass(5 * S);
    end_window(window);
    pass(100 * MS);
    em_result result = final_result(window);
    CHECK_NEAR(result.total.energy_j, 1200 - 12, 1e-4); /* the interval in which it slept */
    CHECK_INT(result.total.status, EM_ERR_SUSPENDED);
    CHECK_INT(result.total.gap_ns, 100 * MS);
    CHECK_INT(result.is_complete, 0);
    end_all();
}

static void test_nothing_to_measure(void)
{
    em_options options = default_options();
    machine = rig_host_create(S);
    begin_meter(&options);
    CHECK_INT(em_meter_channel_count(meter), 0);
    CHECK(em_meter_absence_count(meter) >= 2);
    CHECK_TEXT(em_meter_device(meter), "cpu");
    CHECK(em_meter_gpu_name(meter) == NULL);
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    rig_host_advance(machine, S);
    end_window(window);
    em_result result = final_result(window);
    CHECK_NEAR(result.total.energy_j, 0, 0);
    CHECK_INT(result.is_complete, 0);
    CHECK(result.total.status != EM_OK);
    end_all();
    /* Only what this machine lacks is asked for. */
    options.measure = 1u << EM_DOMAIN_GPU;
    constant = wave_constant(100);
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &constant});
    begin_meter(&options);
    window = begin_window(EM_WINDOW_OTHER, NULL);
    rig_host_advance(machine, S);
    end_window(window);
    result = final_result(window);
    CHECK_NEAR(result.total.energy_j, 0, 0);
    CHECK_INT(result.is_complete, 0);
    end_all();
}

int main(void)
{
    RUN(test_a_zone_leaves_and_comes_back);
    RUN(test_a_model_takes_over);
    RUN(test_the_first_reading_fails);
    RUN(test_a_suspend);
    RUN(test_nothing_to_measure);
    return CHECK_DONE();
}
