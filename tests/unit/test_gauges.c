/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whole meters on machines whose power is sampled from small files: what a window of constant power must have used, and that
 * neither a sleeping GPU nor a battery on mains makes it incomplete. */
#include "metering.h"

#define GPU "/sys/class/hwmon/hwmon3/"
#define BATTERY "/sys/class/power_supply/BAT0/"
#define INA "/sys/class/hwmon/hwmon1/"

static void put_gpu(const char *power, const char *state)
{
    rig_host_put(machine, GPU "name", "amdgpu\n");
    rig_host_put(machine, GPU "power1_average", power);
    rig_host_put(machine, GPU "power1_cap", "300000000\n");
    rig_host_put(machine, GPU "device/power/runtime_status", state);
}

static const em_energy *energy_of(const em_result *result, const char *name)
{
    for (size_t i = 0; i < em_meter_channel_count(meter) && i < result->channels_count; i++) {
        em_channel channel = {.size = sizeof channel};
        CHECK_INT(em_meter_channel(meter, i, &channel), EM_OK);
        if (strcmp(channel.name, name) == 0) {
            return &result->channels[i];
        }
    }
    return NULL;
}

static em_result measured(em_window window, em_energy *energies, size_t capacity)
{
    CHECK_INT(em_window_settle(meter, window, S), EM_OK);
    em_result result = {.size = sizeof result, .channels = energies, .channels_capacity = capacity};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    return result;
}

/* 68 W of a GPU for 10 s beside a package of 100 W; then the GPU sleeps for 5 s. The battery says nothing all the while. */
static void test_a_gpu_that_falls_asleep(void)
{
    static wave package;
    package = wave_constant(100);
    begin_machine("AuthenticAMD");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &package, .range = 65532610987});
    put_gpu("68000000\n", "active\n");
    rig_host_put(machine, BATTERY "type", "Battery\n");
    rig_host_put(machine, BATTERY "status", "Full\n");
    rig_host_put(machine, BATTERY "power_now", "0\n");
    begin_meter(NULL);
    em_energy energies[16];
    em_window window = begin_window(EM_WINDOW_OTHER, "awake");
    pass(10 * S);
    end_window(window);
    pass(S);
    em_result result = measured(window, energies, 16);
    const em_energy *gpu = energy_of(&result, "gpu-0/board"), *battery = energy_of(&result, "platform/battery");
    CHECK_NEAR(gpu ? gpu->energy_j : 0, 680.0, 0.5);
    CHECK_INT(gpu ? gpu->provenance : -1, EM_FROM_INTEGRATED);
    CHECK_NEAR(result.total.energy_j, 1680.0, 3.0);
    CHECK_INT(result.total.status, EM_OK); /* complete, whatever the battery says */
    CHECK(battery && isnan(battery->counted_j));
    put_gpu("68000000\n", "suspended\n");
    pass(S);
    window = begin_window(EM_WINDOW_OTHER, "asleep");
    pass(5 * S);
    end_window(window);
    pass(S);
    result = measured(window, energies, 16);
    gpu = energy_of(&result, "gpu-0/board");
    CHECK_NEAR(gpu ? gpu->energy_j : -1, 0.0, 1e-9);
    CHECK_INT(result.total.status, EM_OK);
    end_all();
}

/* 5 V and 1 A into a module: the whole total, whatever its rails show, and no model beside it. */
static void test_a_module(void)
{
    begin_machine("ARM");
    static const char *const files[] = {"in1_label", "in1_input", "curr1_input",
                                        "in2_label", "in2_input", "curr2_input"};
    static const char *const texts[] = {"VDD_IN\n", "5000\n", "1000\n", "VDD_SOC\n", "5000\n", "300\n"};
    rig_host_put(machine, INA "name", "ina3221\n");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[64];
        snprintf(path, sizeof path, INA "%s", files[i]);
        rig_host_put(machine, path, texts[i]);
    }
    rig_host_put(machine, "/proc/stat", "cpu  1000 0 500 9000 10 0 5 0 0 0\n");
    begin_meter(NULL);
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pass(20 * S);
    end_window(window);
    pass(S);
    em_result result = final_result(window);
    CHECK_NEAR(result.total.energy_j, 100.0, 0.01);
    CHECK_NEAR(result.by_domain[EM_DOMAIN_OTHER].energy_j, 100.0, 0.01);
    CHECK_INT(result.total.provenance, EM_FROM_INTEGRATED);
    end_all();
}

int main(void)
{
    RUN(test_a_gpu_that_falls_asleep);
    RUN(test_a_module);
    return CHECK_DONE();
}
