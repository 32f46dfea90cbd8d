/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the tests of whole meters share: a machine of the rig, a meter on it, and rounds of its sampler by hand. */
#ifndef TESTS_UNIT_METERING_H
#define TESTS_UNIT_METERING_H

#include "check.h"
#include "meter/meter.h"
#include "rig/fake_host.h"

#include <stdlib.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static rig_host *machine;
static em_meter *meter;

/* An empty machine of two sockets, at 1000 s. */
static inline void begin_machine(const char *vendor)
{
    machine = rig_host_create(1000 * S);
    rig_host_put_cpus(machine, vendor, "Rig CPU", 2, 8);
}

static inline size_t put_zone(const char *folder, const char *name, rig_source source)
{
    return rig_host_put_zone(machine, &(rig_zone){.folder = folder, .name = name, .limit_w = 125, .source = source});
}

static inline em_options default_options(void)
{
    em_options options;
    em_options_init(&options, sizeof options);
    options.carbon_g_per_kwh = 450;
    return options;
}

static inline void begin_meter(const em_options *options)
{
    em_options defaults = default_options();
    meter = NULL;
    if (!CHECK_INT(em__meter_create_on(rig_host_base(machine), options ? options : &defaults, NULL, &meter), EM_OK)) {
        abort();
    }
}

/* A meter on one socket of 100 W and its 20 W of memory: zones 0 and 1. */
static inline void begin_simple_with(const em_options *options)
{
    static wave package, memory;
    package = wave_constant(100);
    memory = wave_constant(20);
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &package, .range = 262143999938});
    put_zone("intel-rapl:0:0", "dram", (rig_source){.wave = &memory, .range = 65712999613});
    begin_meter(options);
}

static inline void begin_simple(void)
{
    begin_simple_with(NULL);
}

static inline void end_all(void)
{
    em_meter_destroy(meter);
    rig_host_destroy(machine);
}

static inline uint64_t now(void)
{
    return rig_host_now(machine);
}

/* Time passes, with a round every 100 ms. */
static inline void pass(uint64_t elapsed_ns)
{
    uint64_t end_ns = now() + elapsed_ns;
    while (now() + 100 * MS <= end_ns) {
        rig_host_advance(machine, 100 * MS);
        em__meter_step(meter);
    }
    rig_host_advance(machine, end_ns > now() ? end_ns - now() : 0);
}

static inline em_window begin_window(int32_t kind, const char *name)
{
    em_spec spec = {.size = sizeof spec, .kind = kind, .name = name};
    em_window window = 0;
    CHECK_INT(em_window_begin(meter, &spec, &window), EM_OK);
    return window;
}

static inline void end_window(em_window window)
{
    CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
}

static inline em_result result_of(em_window window)
{
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    return result;
}

static inline em_result final_result(em_window window)
{
    CHECK_INT(em_window_settle(meter, window, S), EM_OK);
    em_result result = result_of(window);
    CHECK_INT(result.is_final, 1);
    return result;
}

#endif
