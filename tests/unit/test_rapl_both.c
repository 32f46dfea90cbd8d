/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whole meters where RAPL can be read in two ways: the better one counts, the other stands in, and no joule twice. */
#include "metering.h"

#include <errno.h>

static wave package_w, memory_w, platform_w;
static size_t events[2], zones[2];

/* One socket of 100 W and its 20 W of memory, by perf (zones 0 and 1) and by powercap. A powercap gain of 1.5 would tell
 * by whom a joule was counted. */
static void begin_both(double powercap_gain)
{
    package_w = wave_constant(100);
    memory_w = wave_constant(20);
    platform_w = wave_constant(0.5);
    begin_machine("GenuineIntel");
    rig_host_put_stat(machine, &platform_w, 8);
    rig_event event = {.unit = "power", .type = 31, .die = -1};
    event.event = "energy-pkg";
    event.config = 2;
    event.source = (rig_source){.wave = &package_w, .period_ns = MS};
    events[0] = rig_host_put_event(machine, &event);
    event.event = "energy-ram";
    event.config = 3;
    event.source.wave = &memory_w;
    events[1] = rig_host_put_event(machine, &event);
    rig_source source = {.wave = &package_w, .period_ns = MS, .range = 262143999938, .gain_error = powercap_gain};
    zones[0] = put_zone("intel-rapl:0", "package-0", source);
    source.wave = &memory_w;
    source.range = 65712999613;
    zones[1] = put_zone("intel-rapl:0:0", "dram", source);
}

static em_channel channel_called(const char *name)
{
    em_channel channel = {.size = sizeof channel};
    for (size_t i = 0; i < em_meter_channel_count(meter); i++) {
        CHECK_INT(em_meter_channel(meter, i, &channel), EM_OK);
        if (strcmp(channel.name, name) == 0) {
            return channel;
        }
    }
    CHECK_TEXT("no such channel", name);
    return (em_channel){.role = -1, .sensor = "", .reason = ""};
}

static const em__absence *absence_of(const char *sensor)
{
    for (size_t i = 0; i < meter->absence_count; i++) {
        if (strcmp(meter->absences[i].sensor, sensor) == 0) {
            return &meter->absences[i];
        }
    }
    return NULL;
}

static em_result measure(uint64_t span_ns)
{
    em_window window = begin_window(EM_WINDOW_EPOCH, NULL);
    pass(span_ns);
    end_window(window);
    pass(200 * MS);
    return final_result(window);
}

static void perf_counts_and_powercap_mirrors(void)
{
    begin_both(0.5);
    begin_meter(NULL);
    em_channel package = channel_called("cpu-0/package"), mirror = channel_called("cpu-0/package@rapl-powercap");
    CHECK_TEXT(package.sensor, "rapl-perf");
    CHECK_INT(package.role, EM_ROLE_COUNTED);
    CHECK_TEXT(mirror.sensor, "rapl-powercap");
    CHECK_INT(mirror.role, EM_ROLE_MIRROR);
    CHECK_INT(channel_called("cpu-0/dram").role, EM_ROLE_COUNTED);
    CHECK_INT(channel_called("cpu-0/dram@rapl-powercap").role, EM_ROLE_MIRROR);
    CHECK(absence_of("rapl-perf") == NULL && absence_of("rapl-powercap") == NULL);
    em_result result = measure(10 * S);
    CHECK_NEAR(result.total.energy_j, 1200, 1e-3);
    CHECK_NEAR(result.by_domain[EM_DOMAIN_CPU].energy_j, 1000, 1e-3);
    CHECK_NEAR(result.by_domain[EM_DOMAIN_DRAM].energy_j, 200, 1e-3);
    CHECK_NEAR(result.by_provenance_j[EM_FROM_MEASURED], 1200, 1e-3);
    CHECK_INT(result.is_complete, 1);
    end_all();
}

/* From the instant that perf is lost its mirror counts, with its own 1.5 times as much; what came before stays. */
static void powercap_takes_over(void)
{
    begin_both(0.5);
    for (size_t i = 0; i < 2; i++) {
        rig_source_fault(rig_host_source(machine, events[i]),
                         (rig_fault){.kind = RIG_VANISH, .from_ns = 1005 * S, .to_ns = UINT64_MAX});
    }
    begin_meter(NULL);
    em_window window = begin_window(EM_WINDOW_EPOCH, NULL);
    pass(10 * S);
    CHECK_INT(channel_called("cpu-0/package").role, EM_ROLE_UNREADABLE);
    CHECK_INT(channel_called("cpu-0/package").status, EM_ERR_GONE);
    CHECK_INT(channel_called("cpu-0/package@rapl-powercap").role, EM_ROLE_COUNTED);
    CHECK_INT(channel_called("cpu-0/dram@rapl-powercap").role, EM_ROLE_COUNTED);
    em_window later = begin_window(EM_WINDOW_BATCH, NULL);
    pass(4 * S);
    end_window(later);
    end_window(window);
    pass(200 * MS);
    em_result result = final_result(window), after = final_result(later);
    CHECK_NEAR(after.total.energy_j, 1.5 * 120 * 4, 1e-3);
    CHECK_INT(after.is_complete, 1);
    CHECK_NEAR(result.total.energy_j, 120 * 5 + 1.5 * 120 * 9, 0.1 * 1.5 * 120);
    CHECK_NEAR(result.by_provenance_j[EM_FROM_ESTIMATED], 0, 1e-9);
    end_all();
}

static void powercap_counts_where_perf_is_refused(void)
{
    begin_both(0);
    rig_host_put(machine, "/proc/sys/kernel/perf_event_paranoid", "3\n");
    rig_host_refuse_events(machine, -EACCES);
    begin_meter(NULL);
    CHECK_TEXT(channel_called("cpu-0/package").sensor, "rapl-powercap");
    CHECK_INT(channel_called("cpu-0/package").role, EM_ROLE_COUNTED);
    const em__absence *absence = absence_of("rapl-perf");
    if (CHECK(absence != NULL)) {
        CHECK_INT(absence->status, EM_ERR_PERMISSION);
        CHECK(strstr(absence->reason, "perf_event_paranoid is 3") != NULL);
        CHECK(strstr(absence->hint, "sysctl kernel.perf_event_paranoid=0") != NULL);
    }
    em_result result = measure(10 * S);
    CHECK_NEAR(result.total.energy_j, 1200, 1e-3);
    CHECK_INT(result.is_complete, 1);
    end_all();
}

/* Powercap is forbidden, perf is not: nothing is missing, and no model is added. */
static void perf_counts_where_powercap_is_forbidden(void)
{
    begin_both(0);
    for (size_t i = 0; i < 2; i++) {
        rig_source_fault(rig_host_source(machine, zones[i]),
                         (rig_fault){.kind = RIG_FAIL, .to_ns = UINT64_MAX, .error = EACCES});
    }
    begin_meter(NULL);
    CHECK_TEXT(channel_called("cpu-0/package").sensor, "rapl-perf");
    CHECK_INT(channel_called("cpu-0/package").role, EM_ROLE_COUNTED);
    CHECK_INT(channel_called("cpu-0/package@rapl-powercap").role, EM_ROLE_UNREADABLE);
    CHECK_INT(channel_called("cpu-0/model").role, EM_ROLE_MIRROR);
    em_result result = measure(10 * S);
    CHECK_NEAR(result.total.energy_j, 1200, 1e-3);
    CHECK_NEAR(result.by_provenance_j[EM_FROM_ESTIMATED], 0, 1e-9);
    CHECK_INT(result.is_complete, 1);
    end_all();
}

/* A wrap that the kernel missed, or a register that sleep has cleared, shows as 2^32 steps too many: no such power
 * exists, so it is a gap. And the values go on beyond what the hardware's counter could show. */
static void what_the_kernel_lost_is_no_energy(void)
{
    begin_both(0);
    for (size_t i = 0; i < 2; i++) {
        rig_source_fault(rig_host_source(machine, events[i]),
                         (rig_fault){.kind = RIG_JUMP, .from_ns = 1005 * S + 50 * MS, .amount = 262143999938});
    }
    begin_meter(NULL);
    em_result result = measure(10 * S);
    CHECK(result.total.energy_j <= 1200.001 && result.total.energy_j >= 1200 - 12.001);
    CHECK((result.total.notes & EM_NOTE_BIT(EM_NOTE_GAP)) != 0 || result.total.gap_ns > 0);
    result = measure(10 * S);
    CHECK_NEAR(result.total.energy_j, 1200, 1e-3);
    CHECK_INT(result.is_complete, 1);
    end_all();
}

/* docs/measurement.md §2 rule 8: the hardware's 32 bits go round at full power in range / ceiling. */
static void it_is_read_before_the_hardware_goes_round(void)
{
    begin_machine("AuthenticAMD");
    package_w = wave_constant(100);
    rig_host_put_event(machine, &(rig_event){.unit = "power",
                                             .event = "energy-pkg",
                                             .type = 31,
                                             .config = 2,
                                             .die = -1,
                                             .source = {.wave = &package_w, .period_ns = MS}});
    begin_meter(NULL);
    CHECK_NEAR((double)meter->slots[0]->longest_ns, 65536.0 / (4 * 2000) * 1e9, 1e3);
    /* 65,536 J pass at 100 W in 655 s; the values go on. */
    em_result result = measure(2000 * S);
    CHECK_NEAR(result.total.energy_j, 200000, 1e-2);
    CHECK_INT(result.is_complete, 1);
    end_all();
}

int main(void)
{
    RUN(perf_counts_and_powercap_mirrors);
    RUN(powercap_takes_over);
    RUN(powercap_counts_where_perf_is_refused);
    RUN(perf_counts_where_powercap_is_forbidden);
    RUN(what_the_kernel_lost_is_no_energy);
    RUN(it_is_read_before_the_hardware_goes_round);
    return CHECK_DONE();
}
