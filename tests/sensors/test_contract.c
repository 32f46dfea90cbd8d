/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What every sensor of the registry has to keep, whatever the machine does: asked of all of them alike, through a host
 * that counts what is opened and closed. */
#include "counting_host.h"
#include "probing.h"
#include "sensors/tape.h"

/* ---------------------------------------------------------------------------------------- a machine that has it all */

#define CLASS "/sys/class/powercap/"
#define UNIT "/sys/bus/event_source/devices/power/"
#define TOPOLOGY "/sys/devices/system/cpu/cpu0/topology/"
#define SCALE "2.3283064365386962890625e-10"
#define PCI "/sys/bus/pci/devices/0000:3b:00.0/"
#define CHIP "/sys/class/hwmon/hwmon"
#define BATTERY "/sys/class/power_supply/BAT0/"

/* gpu_metrics 1.4, little-endian: 48 W, and 77 units of energy. */
static const char gpu_table[40] = "\x28\0\1\4\0\0\0\0\0\0\x30\0\0\0\0\0\0\0\0\0\0\0\0\0\x4D";

static const struct {
    const char *path, *content;
} rich[] = {
    {"/proc/stat", "cpu  1000 0 500 9000 10 0 5 0 0 0\ncpu0 1 2 3 4\n"},
    {"/proc/cpuinfo", "processor: 0\nvendor_id: GenuineIntel\nmodel name: Intel(R) Core(TM) i7\nphysical id: 0\n\n"
                      "processor: 1\nphysical id: 0\n"},
    {CLASS "intel-rapl/enabled", "1\n"},
    {CLASS "intel-rapl:0/name", "package-0\n"},
    {CLASS "intel-rapl:0/energy_uj", "123456789\n"},
    {CLASS "intel-rapl:0/max_energy_range_uj", "262143328850\n"},
    {CLASS "intel-rapl:0/constraint_0_power_limit_uw", "125000000\n"},
    {CLASS "intel-rapl:0:0/name", "dram\n"},
    {CLASS "intel-rapl:0:0/energy_uj", "3456789\n"},
    {CLASS "intel-rapl:0:0/max_energy_range_uj", "65712999613\n"},
    {CLASS "intel-rapl:1/name", "psys\n"},
    {CLASS "intel-rapl:1/energy_uj", "9999\n"},
    {CLASS "intel-rapl:1/max_energy_range_uj", "262143328850\n"},
    {UNIT "type", "31\n"},
    {UNIT "cpumask", "0\n"},
    {UNIT "events/energy-pkg", "event=0x02\n"},
    {UNIT "events/energy-pkg.scale", SCALE "\n"},
    {UNIT "events/energy-pkg.unit", "Joules\n"},
    {UNIT "events/energy-ram", "event=0x03\n"},
    {UNIT "events/energy-ram.scale", SCALE "\n"},
    {UNIT "events/energy-ram.unit", "Joules\n"},
    {UNIT "events/energy-psys", "event=0x05\n"},
    {UNIT "events/energy-psys.scale", SCALE "\n"},
    {UNIT "events/energy-psys.unit", "Joules\n"},
    {TOPOLOGY "physical_package_id", "0\n"},
    {TOPOLOGY "die_id", "0\n"},
    {PCI "vendor", "0x10de\n"},
    {PCI "class", "0x030200\n"},
    {PCI "device", "0x2330\n"},
    {"/sys/class/dmi/id/chassis_type", "3\n"},
    {"/sys/class/power_supply/AC/type", "Mains\n"},
    {BATTERY "type", "Battery\n"},
    {BATTERY "status", "Discharging\n"},
    {BATTERY "current_now", "-756000\n"},
    {BATTERY "voltage_now", "12600000\n"},
    {CHIP "0/name", "amdgpu\n"},
    {CHIP "0/power1_average", "41045000\n"},
    {CHIP "0/power1_cap", "155000000\n"},
    {CHIP "0/power1_label", "PPT\n"},
    {CHIP "0/device/uevent", "DRIVER=amdgpu\nPCI_ID=1002:67DF\nPCI_SLOT_NAME=0000:09:00.0\n"},
    {CHIP "0/device/power/runtime_status", "active\n"},
    {CHIP "0/device/gpu_metrics", gpu_table},
    {CHIP "1/name", "xe\n"},
    {CHIP "1/energy1_input", "77\n"},
    {CHIP "1/energy1_label", "card\n"},
    {CHIP "1/energy2_input", "29523753173\n"},
    {CHIP "1/energy2_label", "pkg\n"},
    {CHIP "1/device/uevent", "PCI_SLOT_NAME=0000:0b:00.0\n"},
    {CHIP "2/name", "ina3221\n"},
    {CHIP "2/in1_label", "VDD_IN\n"},
    {CHIP "2/in1_enable", "1\n"},
    {CHIP "2/in1_input", "5016\n"},
    {CHIP "2/curr1_input", "962\n"},
    {CHIP "3/device/name", "power_meter\n"},
    {CHIP "3/device/power1_average", "104000000\n"},
    {CHIP "3/device/power1_oem_info", "Grace Power Socket 1\n"},
    {CLASS "dtpm:0/name", "soc\n"},
    {CLASS "dtpm:0/power_uw", "4200000\n"},
    {CLASS "dtpm:0/max_power_range_uw", "10000000\n"},
    {CLASS "dtpm:0:0/name", "package\n"},
    {CLASS "dtpm:0:0/power_uw", "3900000\n"},
    {"/run/meter/wall", "1388.25\n"},
    {"/run/meter/bmc", "212.5 W\n"},
};
enum {
    RICH = sizeof rich / sizeof rich[0],
    MODELS = 1, /* the GPU's needs no file */
    EVENTS = 3, /* nor do perf events once they are open */
    CHANNELS =
        8 + 9 + 2, /* events, zones, two models; battery, amdgpu (2), xe (2), INA3221, power meter, dtpm (2); files */
    WRITTEN = 2    /* files that others write */
};

static const em_file written[WRITTEN] = {{"/run/meter/wall", "Wh", NULL, NULL, NULL},
                                         {"/run/meter/bmc", "W", NULL, "gpu", NULL}};

static void put_rich(em__host *host, int i)
{
    size_t length = rich[i].content == gpu_table ? sizeof gpu_table : strlen(rich[i].content);
    if (em__machine_set_file(host, rich[i].path, rich[i].content, length, 0444, 0) < 0) {
        abort();
    }
}

static em__host *rich_machine(void)
{
    em__host *host = empty_machine(0);
    for (int i = 0; i < RICH; i++) {
        put_rich(host, i);
    }
    em__machine_set_clock(host, 1000000000, 1000000000, 1000000000);
    return host;
}

/* -------------------------------------------------------------------------------------------- what must always hold */

static int is_absence_status(int status)
{
    return status <= EM_ERR_NO_DRIVER && status >= EM_ERR_GONE;
}

static void check_channel(const em__device *device, const em__channel *channel)
{
    int is_named = channel->name[0] && strchr(channel->name, '/');
    CHECK(is_named);
    CHECK(channel->source[0] != '\0');
    CHECK(channel->domain >= EM_DOMAIN_CPU && channel->domain <= EM_DOMAIN_OTHER);
    CHECK(channel->kind >= EM_KIND_COUNTER && channel->kind <= EM_KIND_MODEL);
    CHECK(channel->scale_num > 0 && channel->scale_den > 0);
    CHECK(channel->gain > 0.0 && channel->gain < 1.0);
    CHECK(channel->status == EM_OK || is_absence_status(channel->status));
    CHECK(channel->status == EM_OK || channel->reason[0] != '\0');
    CHECK((channel->kind == EM_KIND_MODEL) == !isnan(channel->tdp_each_w));
    CHECK((channel->kind == EM_KIND_MODEL) == (channel->tdp_from[0] != '\0'));
    CHECK((channel->kind == EM_KIND_MODEL) == ((channel->notes & EM_NOTE_BIT(EM_NOTE_MODEL)) != 0));
    CHECK(device->rank > 0 && device->ops->read && device->ops->destroy);
    int32_t own = (int32_t)(channel - device->channels), gauge = own + channel->gauge;
    CHECK(channel->shaped_by == 0 || channel->shaped_by == channel->gauge);
    CHECK(channel->gauge == 0 ||
          (channel->kind == EM_KIND_COUNTER && gauge >= 0 && (size_t)gauge < device->channel_count &&
           device->channels[gauge].kind == EM_KIND_GAUGE));
}

/* A sensor either has a readable channel or says why not. */
static void check_presence(const em__probe *probe, const em__sensor *sensor)
{
    int readable = 0, explained = 0;
    for (size_t i = 0; i < probe->device_count; i++) {
        for (size_t j = 0; j < probe->devices[i]->channel_count; j++) {
            readable +=
                strcmp(probe->devices[i]->sensor, sensor->name) == 0 && probe->devices[i]->channels[j].status == EM_OK;
        }
    }
    for (size_t i = 0; i < probe->absence_count; i++) {
        explained += strcmp(probe->absences[i].sensor, sensor->name) == 0;
    }
    if (!CHECK(readable > 0 || explained > 0)) {
        printf("#   %s is silent\n", sensor->name);
    }
}

static void check_probe(const em__probe *probe)
{
    for (size_t i = 0; i < probe->device_count; i++) {
        for (size_t j = 0; j < probe->devices[i]->channel_count; j++) {
            check_channel(probe->devices[i], &probe->devices[i]->channels[j]);
        }
    }
    for (size_t i = 0; i < probe->absence_count; i++) {
        CHECK(is_absence_status(probe->absences[i].status));
        CHECK(probe->absences[i].reason[0] != '\0');
        CHECK(probe->absences[i].hint[0] != '\0' || probe->absences[i].status == EM_ERR_NOT_SELECTED);
    }
    for (size_t i = 0; em__sensor_at(i); i++) {
        check_presence(probe, em__sensor_at(i));
    }
}

/* Channels that were not asked for stay as they were. */
static void check_wanted(em__device *device)
{
    em__reading before[EM__DEVICE_CHANNELS], out[EM__DEVICE_CHANNELS];
    memset(before, 0xA5, sizeof before);
    for (size_t i = 0; i < device->channel_count; i++) {
        memcpy(out, before, sizeof out);
        device->ops->read(device, EM__CHANNEL_BIT(i), out);
        for (size_t j = 0; j < device->channel_count; j++) {
            CHECK_INT(memcmp(&out[j], &before[j], sizeof out[j]) == 0, i != j);
        }
    }
}

/* Reads every device a few times; answers how many values came. */
static int check_readings(const em__probe *probe)
{
    int values = 0;
    for (size_t i = 0; i < probe->device_count; i++) {
        em__device *device = probe->devices[i];
        em__reading out[EM__DEVICE_CHANNELS];
        check_wanted(device);
        for (int round = 0; round < 3; round++) {
            memset(out, 0xA5, sizeof out);
            device->ops->read(device, EM__EVERY_CHANNEL, out);
            for (size_t j = 0; j < device->channel_count; j++) {
                const em__channel *channel = &device->channels[j];
                CHECK(out[j].outcome == EM__READ_OK || out[j].outcome == EM__READ_AGAIN ||
                      out[j].outcome == EM__READ_GONE);
                CHECK((out[j].outcome == EM__READ_OK) == (out[j].status == EM_OK));
                CHECK(channel->status == EM_OK || out[j].outcome == EM__READ_GONE);
                CHECK(out[j].outcome != EM__READ_OK || channel->range == 0 || channel->is_endless ||
                      out[j].value <= channel->range);
                values += out[j].outcome == EM__READ_OK;
            }
        }
    }
    return values;
}

static em__probe probe_all(em__host *host)
{
    em__selection selection = everything();
    selection.files = written;
    selection.file_count = em__host_exists(host, written[0].path) == 0 ? WRITTEN : 0;
    em__probe probe = {0};
    CHECK_INT(em__sensors_probe(host, &selection, &probe), EM_OK);
    check_probe(&probe);
    return probe;
}

/* Frees all and sees that nothing is left open and nobody holds the host. */
static void finish(counting_host *host, em__probe *probe)
{
    em__sensors_free(probe);
    CHECK_INT(host->opened, host->closed);
    CHECK_INT(host->base.references, 1);
    em__host_unref(&host->base);
}

/* ------------------------------------------------------------------------------------------------------------ cases */

static void test_ranks_ascend(void)
{
    CHECK(em__sensor_at(0) != NULL);
    for (size_t i = 1; em__sensor_at(i); i++) {
        CHECK(em__sensor_at(i)->rank > em__sensor_at(i - 1)->rank);
    }
}

static void test_empty_root(void)
{
    counting_host *host = count_on(empty_machine(0));
    em__probe probe = probe_all(&host->base);
    CHECK_INT(probe.device_count, 0);
    finish(host, &probe);
}

static void test_recorded_machines(void)
{
    static const char *const machines[] = {
        "amd-epyc-zen4-2s-8ccd-kernel-6.9-ccd-zones",
        "amd-threadripper-1950x-die-mirror",
        "container-dangling-powercap-symlinks",
        "intel-laptop-alderlake-zenbook-ux3402za-mmio",
        "intel-laptop-psys-energy-0400-ls-lr",
        "intel-rapl-control-type-without-zones",
        "intel-xeon-2s-gold-5118",
        "intel-xeon-cascadelake-ap-multi-die",
        "prometheus-procfs-skylake-95w-plus-hex-zone",
        "rapl-energy-read-eio-and-enodata",
        "vm-no-powercap-tesla-t4",
        "amd-epyc-7281-2s-zenpower",
        "amd-epyc-7h12-2s-amd-energy-hwmon",
        "amdgpu-apu-vangogh-steamdeck",
        "amdgpu-mi250-secondary-die-zero",
        "amdgpu-mi250x-2-gpu-metrics",
        "amdgpu-mi300x-4-gpu-metrics-kfd",
        "amdgpu-navi10-gpu-metrics-without-energy",
        "intel-2-arc-b580-and-integrated",
        "amdgpu-r7-240-label-without-value",
        "ampere-altra-hwmon",
        "apple-silicon-asahi-macsmc-hwmon",
        "arm-dtpm-power-uw-zones",
        "battery-on-ac-power-now-zero-plus-hwmon-mirror",
        "corsair-psu-hwmon-total-and-rails",
        "intel-arc-b580-xe-6.16-card-energy-zero",
        "jetson-agx-orin-ina3221",
        "kepler-hwmon-testdata",
        "nvidia-grace-superchip-2s-acpi-power-meter",
        "raspberry-pi-5-no-power-sysfs",
    };
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        for (int as_user = 0; as_user < 2; as_user++) {
            counting_host *host = count_on(recorded_machine(machines[i], as_user));
            em__probe probe = probe_all(&host->base);
            check_readings(&probe);
            finish(host, &probe);
        }
    }
}

/* A reading costs no path look-up, so a running meter survives a changed root, and is cheap. But for what others write:
 * that may be replaced at any time. */
static void test_readings_open_nothing(void)
{
    counting_host *host = count_on(rich_machine());
    em__probe probe = probe_all(&host->base);
    int opened = host->opened, listed = host->listed;
    CHECK_INT(check_readings(&probe), 3 * CHANNELS);
    CHECK_INT(host->opened, opened + WRITTEN * (3 + 1));
    CHECK_INT(host->listed, listed);
    finish(host, &probe);
}

static const int errors[] = {EACCES, EPERM, EIO, ENODATA, EINVAL, ENODEV, ENOENT, EOPNOTSUPP};
enum { ERRORS = sizeof errors / sizeof errors[0] };

static void test_unreadable_from_the_start(void)
{
    for (int e = 0; e < ERRORS; e++) {
        em__host *machine = rich_machine();
        for (int i = 0; i < RICH; i++) {
            put_broken(machine, rich[i].path, errors[e]);
        }
        counting_host *host = count_on(machine);
        em__probe probe = probe_all(&host->base);
        CHECK_INT(check_readings(&probe), 0);
        finish(host, &probe);
    }
}

static void test_one_file_unreadable(void)
{
    for (int i = 0; i < RICH; i++) {
        for (int e = 0; e < ERRORS; e++) {
            em__host *machine = rich_machine();
            put_broken(machine, rich[i].path, errors[e]);
            counting_host *host = count_on(machine);
            em__probe probe = probe_all(&host->base);
            check_readings(&probe);
            finish(host, &probe);
        }
    }
}

static void test_unreadable_in_mid_run(void)
{
    for (int e = 0; e < ERRORS; e++) {
        em__host *machine = rich_machine();
        counting_host *host = count_on(machine);
        em__probe probe = probe_all(&host->base);
        for (int i = 0; i < RICH; i++) {
            put_broken(machine, rich[i].path, errors[e]);
        }
        host->perf_error = -errors[e];
        CHECK_INT(check_readings(&probe), 3 * MODELS); /* the GPU's model needs no file */
        finish(host, &probe);
    }
}

static char flood[100000];

static void each_garbage(void (*body)(const char *content, size_t length))
{
    static const char *const texts[] = {"",
                                        "\n",
                                        " ",
                                        "-1",
                                        "+1",
                                        "1e9",
                                        "0x",
                                        "1 2",
                                        "nan",
                                        "\xff\xfe",
                                        "cpu",
                                        "cpu ",
                                        "processor",
                                        "processor:",
                                        ":",
                                        "package-",
                                        "package-0-die-",
                                        "0x10de\n0x10de",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "99999999999999999999999999",
                                        "cpu  18446744073709551615 18446744073709551615 1 1 1 1 1 1 1 1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        body(texts[i], strlen(texts[i]));
    }
    body("12\0"
         "34",
         5);
    memset(flood, '7', sizeof flood);
    body(flood, sizeof flood);
    memset(flood, 0, sizeof flood);
    body(flood, sizeof flood);
}

static void garbage_from_the_start(const char *content, size_t length)
{
    for (int i = -1; i < RICH; i++) {
        em__host *machine = rich_machine();
        for (int j = 0; j < RICH; j++) {
            if (i < 0 || i == j) {
                em__machine_set_file(machine, rich[j].path, content, length, 0444, 0);
            }
        }
        counting_host *host = count_on(machine);
        em__probe probe = probe_all(&host->base);
        check_readings(&probe);
        finish(host, &probe);
    }
}

static void garbage_in_mid_run(const char *content, size_t length)
{
    em__host *machine = rich_machine();
    counting_host *host = count_on(machine);
    em__probe probe = probe_all(&host->base);
    check_readings(&probe);
    for (int i = 0; i < RICH; i++) {
        em__machine_set_file(machine, rich[i].path, content, length, 0444, 0);
    }
    CHECK_INT(check_readings(&probe), 3 * (MODELS + EVENTS));
    finish(host, &probe);
}

static void test_garbage(void)
{
    each_garbage(garbage_from_the_start);
    each_garbage(garbage_in_mid_run);
}

static em__reading first_of(em__device *device)
{
    em__reading out[EM__DEVICE_CHANNELS];
    device->ops->read(device, EM__EVERY_CHANNEL, out);
    return out[0];
}

/* What vanishes is gone for good until it is revived, and is then read again. But for what others write: they may put it
 * back at any time. */
static void test_vanishing(void)
{
    static const char *const folders[] = {"/sys/class/powercap", "/proc", "/sys", "/"};
    for (size_t f = 0; f < sizeof folders / sizeof folders[0]; f++) {
        em__host *machine = rich_machine();
        counting_host *host = count_on(machine);
        em__probe probe = probe_all(&host->base);
        for (int i = 0; i < RICH; i++) {
            if (strcmp(folders[f], "/") == 0 || strncmp(rich[i].path, folders[f], strlen(folders[f])) == 0) {
                em__machine_remove(machine, rich[i].path);
            }
        }
        host->perf_error = em__host_exists(machine, UNIT "type") == 0 ? 0 : -ENODEV;
        for (size_t i = 0; i < probe.device_count; i++) {
            em__device *device = probe.devices[i];
            const char *source = device->channels[0].source;
            int was_removed = device->channels[0].kind != EM_KIND_MODEL || strcmp(source, "/proc/stat") == 0;
            was_removed =
                was_removed && (strcmp(folders[f], "/") == 0 || strncmp(source, folders[f], strlen(folders[f])) == 0);
            em__outcome lost = strcmp(device->sensor, "file") == 0 ? EM__READ_AGAIN : EM__READ_GONE;
            CHECK_INT(first_of(device).outcome, was_removed ? lost : EM__READ_OK);
            CHECK(!was_removed || !device->ops->revive || device->ops->revive(device) != 0);
            CHECK_INT(first_of(device).outcome, was_removed ? lost : EM__READ_OK);
        }
        for (int i = 0; i < RICH; i++) {
            put_rich(machine, i);
        }
        host->perf_error = 0;
        for (size_t i = 0; i < probe.device_count; i++) {
            if (probe.devices[i]->ops->revive) {
                CHECK_INT(probe.devices[i]->ops->revive(probe.devices[i]), 0);
            }
        }
        CHECK_INT(check_readings(&probe), 3 * CHANNELS);
        finish(host, &probe);
    }
}

/* Other sensors go on when one cannot meet the selection: then nothing at all is left behind. */
static void test_refused_selection_leaves_nothing(void)
{
    counting_host *host = count_on(rich_machine());
    em__selection selection = everything();
    em__probe probe = {0};
    selection.gpus = "5";
    CHECK_INT(em__sensors_probe(&host->base, &selection, &probe), EM_ERR_INVALID);
    CHECK_INT(probe.device_count, 0);
    CHECK(probe.devices == NULL && probe.absences == NULL);
    CHECK(selection.error->text[0] != '\0');
    finish(host, &probe);
}

static void test_nothing_is_measured(void)
{
    counting_host *host = count_on(rich_machine());
    em__selection selection = everything();
    em__probe probe = {0};
    selection.measure = 0;
    CHECK_INT(em__sensors_probe(&host->base, &selection, &probe), EM_OK);
    check_probe(&probe);
    CHECK_INT(probe.device_count, 0);
    for (size_t i = 0; i < probe.absence_count; i++) {
        CHECK_INT(probe.absences[i].status, EM_ERR_NOT_SELECTED);
    }
    finish(host, &probe);
}

/* The same, from a tape of what the machine said, through no file of it; no other sensor is asked. */
static void test_a_trace_in_the_place_of_all(void)
{
    counting_host *host = count_on(rich_machine());
    em__probe live = probe_all(&host->base), probe = {0};
    em__tape *tape = em__tape_create(CHANNELS);
    em__reading out[EM__DEVICE_CHANNELS];
    size_t channel = 0;
    for (size_t i = 0; i < live.device_count; i++) {
        em__device *device = live.devices[i];
        device->ops->read(device, EM__EVERY_CHANNEL, out);
        for (size_t j = 0; j < device->channel_count; j++, channel++) {
            em__tape_channel *to = &tape->channels[channel];
            to->facts = device->channels[j];
            to->rank = device->rank;
            snprintf(to->sensor, sizeof to->sensor, "%s", device->sensor);
            CHECK_INT(em__tape_add(tape, channel, 5000000000 + i, &out[j]), EM_OK);
        }
    }
    CHECK_INT(channel, CHANNELS);
    CHECK_INT(em__tape_finish(tape), EM_OK);
    em__sensors_free(&live);
    em__selection selection = everything();
    selection.tape = tape;
    int opened = host->opened;
    CHECK_INT(em__sensors_probe(&host->base, &selection, &probe), EM_OK);
    em__tape_unref(tape);
    size_t sensors = 0, channels = 0;
    while (em__sensor_at(sensors)) {
        sensors++;
    }
    CHECK_INT(probe.absence_count, sensors - 1);
    for (size_t i = 0; i < probe.device_count; i++) {
        for (size_t j = 0; j < probe.devices[i]->channel_count; j++, channels++) {
            check_channel(probe.devices[i], &probe.devices[i]->channels[j]);
        }
    }
    CHECK_INT(channels, CHANNELS);
    CHECK_INT(check_readings(&probe), 3 * CHANNELS);
    CHECK_INT(host->opened, opened);
    finish(host, &probe);
}

int main(void)
{
    RUN(test_a_trace_in_the_place_of_all);
    RUN(test_ranks_ascend);
    RUN(test_empty_root);
    RUN(test_recorded_machines);
    RUN(test_readings_open_nothing);
    RUN(test_unreadable_from_the_start);
    RUN(test_one_file_unreadable);
    RUN(test_unreadable_in_mid_run);
    RUN(test_garbage);
    RUN(test_vanishing);
    RUN(test_refused_selection_leaves_nothing);
    RUN(test_nothing_is_measured);
    return CHECK_DONE();
}
