/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Chips, GPUs and batteries: values that are known from the recordings, devices that sleep, and chips that change their
 * number. */
#include "probing.h"

#include "sensors/hwmon_scan.h"

#define CHIP "/sys/class/hwmon/hwmon"
#define SUPPLY "/sys/class/power_supply/"
static uint64_t mw_of(const em__channel *channel, em__reading reading)
{
    return reading.value * channel->scale_num / channel->scale_den;
}

static em__probe probe_of(em__host *host)
{
    em__selection selection = everything();
    em__probe probe = {0};
    CHECK_INT(em__sensors_probe(host, &selection, &probe), EM_OK);
    CHECK(probe.hwmon == NULL);
    return probe;
}

static em__reading reading_of(const em__probe *probe, const char *name)
{
    em__reading out[EM__DEVICE_CHANNELS] = {0};
    em__device *device = NULL;
    const em__channel *channel = channel_named(probe, name, &device);
    if (!CHECK(channel != NULL)) {
        printf("#   there is no %s\n", name);
        return (em__reading){.outcome = EM__READ_NONE};
    }
    size_t index = (size_t)(channel - device->channels);
    device->ops->read(device, EM__CHANNEL_BIT(index), out);
    return out[index];
}

/* -1: no value. */
static long long value_of(const em__probe *probe, const char *name)
{
    em__reading reading = reading_of(probe, name);
    return reading.outcome == EM__READ_OK ? (long long)reading.value : -1;
}

/* The milliwatts that the boards' tools showed, and the batteries' own. */
static void test_values_of_recordings(void)
{
    static const struct {
        const char *machine, *channel;
        double mw, tolerance_mw;
    } known[] = {
        {"jetson-agx-orin-ina3221", "module-0/vdd_gpu_soc", 5139, 20},
        {"jetson-agx-orin-ina3221", "module-0/vdd_cpu_cv", 3268, 20},
        {"jetson-agx-orin-ina3221", "module-0/vin_sys_5v0", 5500, 20},
        {"jetson-orin-nano-ina3221", "module-0/vdd_in", 4824, 20},
        {"battery-dell-xps-current-now-times-voltage", "platform/battery", 9525.6, 1},
        {"battery-thinkpad-bat0-power-now", "platform/battery", 4830, 1},
        {"apple-silicon-asahi-macsmc-hwmon", "platform/battery", 9120, 1},
        {"amdgpu-rx7900xtx", "gpu-0/board", 68000, 0.5},
        {"amdgpu-mi300x-power1-input", "gpu-0/board", 717000, 0.5},
        {"amdgpu-mi300x-4-gpu-metrics-kfd", "gpu-0/power", 717000, 0.5},
        {"amdgpu-navi10-gpu-metrics-without-energy", "gpu-0/board", 12000, 0.5},
        {"amdgpu-apu-vangogh-steamdeck", "cpu-0/package", 3218, 0.5},
        {"nvidia-gh200-grace-hopper-module-power", "cpu-0/package", 104000, 0.5},
        {"ampere-altra-hwmon", "cpu-0/rail-io", 14000, 0.5},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        em__host *host = recorded_machine(known[i].machine, 0);
        em__probe probe = probe_of(host);
        em__reading reading = reading_of(&probe, known[i].channel);
        const em__channel *channel = channel_named(&probe, known[i].channel, NULL);
        CHECK_INT(reading.outcome, EM__READ_OK);
        CHECK_INT(channel ? channel->kind : -1, EM_KIND_GAUGE);
        CHECK_NEAR(channel ? (double)mw_of(channel, reading) : 0, known[i].mw, known[i].tolerance_mw);
        em__sensors_free(&probe);
        em__host_unref(host);
    }
}

static void test_counters_of_recordings(void)
{
    em__host *host = recorded_machine("intel-arc-b580-xe-6.16-card-energy-zero", 0);
    em__probe probe = probe_of(host);
    CHECK_INT(value_of(&probe, "gpu-0/package"), 29523753173);
    CHECK_INT(reading_of(&probe, "gpu-0/board").outcome, EM__READ_GONE);
    em__sensors_free(&probe);
    em__host_unref(host);
    host = recorded_machine("amd-epyc-7h12-2s-amd-energy-hwmon", 0);
    probe = probe_of(host);
    CHECK_INT(value_of(&probe, "cpu-1/package"), 51235345667);
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* 2^16 units are a joule: the table of the first board shows 94 W for an hour. */
static void test_energy_of_tables(void)
{
    em__host *host = recorded_machine("amdgpu-mi250x-2-gpu-metrics", 0);
    em__probe probe = probe_of(host);
    const em__channel *board = channel_named(&probe, "gpu-0/board", NULL);
    CHECK_INT(board->kind, EM_KIND_COUNTER);
    CHECK_INT(value_of(&probe, "gpu-0/board") * (long long)board->scale_num / (long long)board->scale_den,
              INT64_C(94) * 3600 * 1000000);
    CHECK_INT(channel_named(&probe, "gpu-1/board", NULL)->kind, EM_KIND_GAUGE);
    em__sensors_free(&probe);
    em__host_unref(host);
    host = recorded_machine("amdgpu-navi10-gpu-metrics-without-energy", 0);
    probe = probe_of(host);
    CHECK_INT(probe.device_count, 1);
    CHECK_INT(probe.devices[0]->channel_count, 1);
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* Where hwmon shows no power, the table's stands in; an APU's without either is no device. */
static void test_power_of_tables(void)
{
    static const char counts[40] = "\x28\0\1\4\0\0\0\0\0\0\x30\0\0\0\0\0\0\0\0\0\0\0\0\0\x4D";
    char shows[40], path[] = CHIP "0/device/gpu_metrics";
    memcpy(shows, counts, sizeof shows);
    memset(shows + 24, 0xFF, 8);
    for (int has_power = 0; has_power < 3; has_power++) {
        em__host *host = empty_machine(0);
        put(host, CHIP "0/name", "amdgpu\n");
        put(host, CHIP "0/power1_label", "PPT\n");
        em__machine_set_file(host, path, has_power == 2 ? counts : shows, has_power ? sizeof shows : 8, 0444, 0);
        em__probe probe = probe_of(host);
        const em__channel *board = channel_named(&probe, "gpu-0/board", NULL);
        CHECK_INT(board->status, has_power ? EM_OK : EM_ERR_NOT_SUPPORTED);
        CHECK_INT(board->kind, has_power == 2 ? EM_KIND_COUNTER : EM_KIND_GAUGE);
        CHECK_INT(value_of(&probe, "gpu-0/board"), has_power == 2 ? 77 : has_power == 1 ? 48000000 : -1);
        em__sensors_free(&probe);
        put(host, CHIP "0/in1_label", "vddnb\n");
        put(host, CHIP "0/in1_input", "700\n");
        probe = probe_of(host);
        CHECK_INT(channel_named(&probe, "cpu-0/package", NULL) != NULL, has_power > 0);
        em__sensors_free(&probe);
        em__host_unref(host);
    }
}

static em__host *two_gpus(const char *state)
{
    em__host *host = empty_machine(0);
    put(host, CHIP "0/name", "amdgpu\n");
    put(host, CHIP "0/power1_average", "41045000\n");
    put(host, CHIP "0/device/uevent", "PCI_SLOT_NAME=0000:09:00.0\n");
    put(host, CHIP "0/device/power/runtime_status", state);
    put(host, CHIP "1/name", "i915\n");
    put(host, CHIP "1/energy1_input", "5000000\n");
    put(host, CHIP "1/device/uevent", "PCI_SLOT_NAME=0000:0b:00.0\n");
    put(host, CHIP "1/device/power/runtime_status", state);
    return host;
}

/* A read of a sleeping GPU would wake it, or fail: the recording's values fail, so that a read would be seen. */
static void test_asleep_from_the_start(void)
{
    em__host *host = two_gpus("suspended\n");
    put_broken(host, CHIP "0/power1_average", EIO);
    put_broken(host, CHIP "0/power1_cap", EIO);
    put_broken(host, CHIP "1/energy1_input", EIO);
    em__probe probe = probe_of(host);
    CHECK_INT(value_of(&probe, "gpu-0/board"), 0);
    CHECK_INT(value_of(&probe, "gpu-1/board"), 0);
    const em__channel *board = channel_named(&probe, "gpu-0/board", NULL);
    CHECK(board && strstr(board->reason, "asleep"));
    put(host, CHIP "0/power1_average", "9000000\n");
    put(host, CHIP "1/energy1_input", "7000000\n");
    put(host, CHIP "0/device/power/runtime_status", "active\n");
    put(host, CHIP "1/device/power/runtime_status", "active\n");
    CHECK_INT(value_of(&probe, "gpu-0/board"), 9000000);
    CHECK_INT(value_of(&probe, "gpu-1/board"), 0); /* counts from where it woke */
    put(host, CHIP "1/energy1_input", "7000400\n");
    CHECK_INT(value_of(&probe, "gpu-1/board"), 400);
    em__sensors_free(&probe);
    em__host_unref(host);
}

static void test_falling_asleep(void)
{
    em__host *host = two_gpus("active\n");
    em__probe probe = probe_of(host);
    CHECK_INT(value_of(&probe, "gpu-0/board"), 41045000);
    put(host, CHIP "1/energy1_input", "5000900\n");
    CHECK_INT(value_of(&probe, "gpu-1/board"), 5000900);
    for (int i = 0; i < 2; i++) {
        const char *state = i ? "suspending\n" : "suspended\n";
        put(host, CHIP "0/device/power/runtime_status", state);
        put(host, CHIP "1/device/power/runtime_status", state);
        put_broken(host, CHIP "0/power1_average", EPERM);
        put_broken(host, CHIP "1/energy1_input", EPERM);
        CHECK_INT(value_of(&probe, "gpu-0/board"), 0);
        CHECK_INT(value_of(&probe, "gpu-1/board"), 5000900); /* it stands */
    }
    /* Asleep between the two reads: a gap, and not gone. */
    put(host, CHIP "0/device/power/runtime_status", "active\n");
    CHECK_INT(reading_of(&probe, "gpu-0/board").outcome, EM__READ_AGAIN);
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* hwmon numbers follow the order in which drivers are loaded, so another chip may have taken the number. */
static void test_another_chip_of_the_same_number(void)
{
    em__host *host = two_gpus("active\n");
    em__probe probe = probe_of(host);
    em__device *device = NULL;
    CHECK(channel_named(&probe, "gpu-0/board", &device) != NULL);
    em__machine_remove(host, CHIP "0/power1_average");
    CHECK_INT(reading_of(&probe, "gpu-0/board").outcome, EM__READ_GONE);
    put(host, CHIP "0/name", "nvme\n");
    put(host, CHIP "0/power1_average", "1\n");
    CHECK(device->ops->revive(device) != 0);
    put(host, CHIP "0/name", "amdgpu\n");
    put(host, CHIP "0/power1_average", "8000000\n");
    CHECK_INT(device->ops->revive(device), 0);
    CHECK_INT(value_of(&probe, "gpu-0/board"), 8000000);
    em__sensors_free(&probe);
    em__host_unref(host);
}

static void test_two_batteries(void)
{
    em__host *host = empty_machine(0);
    put(host, SUPPLY "BAT0/type", "Battery\n");
    put(host, SUPPLY "BAT0/status", "Discharging\n");
    put(host, SUPPLY "BAT0/power_now", "4000000\n");
    put(host, SUPPLY "BAT1/type", "Battery\n");
    put(host, SUPPLY "BAT1/status", "Discharging\n");
    put(host, SUPPLY "BAT1/power_now", "2500000\n");
    put(host, SUPPLY "mouse/type", "Battery\n");
    put(host, SUPPLY "mouse/scope", "Device\n");
    put(host, SUPPLY "mouse/status", "Discharging\n");
    put(host, SUPPLY "mouse/power_now", "100000\n");
    put(host, SUPPLY "AC/type", "Mains\n");
    em__probe probe = probe_of(host);
    CHECK_INT(value_of(&probe, "platform/battery"), 6500000);
    put(host, SUPPLY "BAT1/status", "Not charging\n");
    CHECK_INT(value_of(&probe, "platform/battery"), 4000000);
    put(host, SUPPLY "BAT0/status", "Charging\n");
    CHECK_INT(reading_of(&probe, "platform/battery").outcome, EM__READ_AGAIN);
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* What is over a slow bus or only shown does not cost a read at every sample. */
static void test_slow_channels(void)
{
    em__host *host = empty_machine(0);
    put(host, CHIP "0/name", "dps920ab\n");
    put(host, CHIP "0/power1_input", "300000000\n");
    put(host, CHIP "0/power1_label", "pin\n");
    put(host, CHIP "0/power2_input", "280000000\n");
    put(host, CHIP "0/power2_label", "pout1\n");
    em__probe probe = probe_of(host);
    const em__channel *in = channel_at(&probe, CHIP "0/power1_input", NULL);
    const em__channel *out = channel_at(&probe, CHIP "0/power2_input", NULL);
    CHECK(in && in->covers == EM__COVERS_PLATFORM && in->interval_ns >= 1000000000);
    CHECK(out && in && out->covers == EM__COVERS_PIECE && out->inside == in->thing && out->interval_ns >= 1000000000);
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* Links whose targets a container hides. */
static void test_masked_chips(void)
{
    em__host *host = empty_machine(0);
    CHECK_INT(em__machine_set_link(host, CHIP "0", "../../devices/platform/amd_energy.0/hwmon/hwmon0"), 0);
    em__probe probe = probe_of(host);
    CHECK(absence_of(&probe, "hwmon", EM_ERR_MASKED) != NULL);
    em__sensors_free(&probe);
    em__host_unref(host);
}

static void test_card_and_package(void)
{
    em__host *host = empty_machine(0);
    put(host, CHIP "0/name", "xe\n");
    put(host, CHIP "0/energy1_input", "500\n");
    put(host, CHIP "0/energy1_label", "card\n");
    put(host, CHIP "0/energy2_input", "400\n");
    put(host, CHIP "0/energy2_label", "pkg\n");
    em__probe probe = probe_of(host);
    const em__channel *card = channel_named(&probe, "gpu-0/board", NULL);
    const em__channel *package = channel_named(&probe, "gpu-0/package", NULL);
    CHECK(card && card->covers == EM__COVERS_BOARD && card->status == EM_OK);
    CHECK(card && package && package->covers == EM__COVERS_PIECE && package->inside == card->thing);
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* Chips sort by PCI address, whatever order their drivers came in. */
static void test_order_of_gpus(void)
{
    em__host *host = empty_machine(0);
    static const char *const addresses[] = {"0000:c1:00.0", "0000:05:00.0", "10000:01:00.0"};
    for (int i = 0; i < 3; i++) {
        char path[100], target[100];
        snprintf(path, sizeof path, "/sys/devices/%s/hwmon/hwmon%d/name", addresses[i], i);
        put(host, path, "amdgpu\n");
        snprintf(path, sizeof path, "/sys/devices/%s/hwmon/hwmon%d/power1_average", addresses[i], i);
        put(host, path, "1000000\n");
        snprintf(path, sizeof path, CHIP "%d", i);
        snprintf(target, sizeof target, "../../devices/%s/hwmon/hwmon%d", addresses[i], i);
        CHECK_INT(em__machine_set_link(host, path, target), 0);
    }
    em__probe probe = probe_of(host);
    static const char *const names[] = {"gpu-0/board", "gpu-1/board", "gpu-2/board"}, *const order[] = {
                                                                                          "0000:05:00.0",
                                                                                          "0000:c1:00.0",
                                                                                          "10000:01:00.0"};
    for (int i = 0; i < 3; i++) {
        const em__channel *board = channel_named(&probe, names[i], NULL);
        CHECK_TEXT(board ? board->pci : "", order[i]);
    }
    em__sensors_free(&probe);
    em__host_unref(host);
}

int main(void)
{
    RUN(test_values_of_recordings);
    RUN(test_counters_of_recordings);
    RUN(test_energy_of_tables);
    RUN(test_power_of_tables);
    RUN(test_asleep_from_the_start);
    RUN(test_falling_asleep);
    RUN(test_another_chip_of_the_same_number);
    RUN(test_two_batteries);
    RUN(test_slow_channels);
    RUN(test_masked_chips);
    RUN(test_card_and_package);
    RUN(test_order_of_gpus);
    return CHECK_DONE();
}
