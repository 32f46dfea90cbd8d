/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* rapl-perf on machines whose units list events as Linux documents them, and on ones made to fail. */
#include "probing.h"

#include "rig/fake_host.h"

static const char sensor[] = "rapl-perf";
static const uint64_t second_ns = 1000000000;
static wave hundred_w;

#define UNIT "/sys/bus/event_source/devices/power"

static rig_host *machine(const char *vendor)
{
    hundred_w = wave_constant(100);
    rig_host *rig = rig_host_create(1000 * second_ns);
    rig_host_put_cpus(rig, vendor, "Rig CPU", 2, 8);
    return rig;
}

static size_t put_event(rig_host *rig, const char *name, uint64_t config, int cpu, int package, int die)
{
    return rig_host_put_event(rig, &(rig_event){.unit = "power",
                                                .event = name,
                                                .type = 31,
                                                .config = config,
                                                .cpu = cpu,
                                                .package = package,
                                                .die = die,
                                                .source = {.wave = &hundred_w, .period_ns = 1000000}});
}

static em__probe probe_perf(rig_host *rig)
{
    em__selection selection = everything();
    em__probe probe = {0};
    CHECK_INT(em__sensor_rapl_perf.probe(rig_host_base(rig), &selection, &probe), EM_OK);
    return probe;
}

static void finish(rig_host *rig, em__probe *probe)
{
    em__sensors_free(probe);
    CHECK_INT(rig_host_base(rig)->references, 1);
    rig_host_destroy(rig);
}

/* ------------------------------------------------------------------------------------------------------------- facts */

static void test_two_sockets(void)
{
    static const struct {
        const char *event, *name;
        int covers, domain;
        double gain;
    } rows[] = {
        {"energy-pkg", "package", EM__COVERS_PACKAGE, EM_DOMAIN_CPU, 0.05},
        {"energy-ram", "dram", EM__COVERS_DRAM, EM_DOMAIN_DRAM, 0.22},
        {"energy-cores", "core", EM__COVERS_CORE, EM_DOMAIN_CPU, 0.05},
        {"energy-gpu", "uncore", EM__COVERS_UNCORE, EM_DOMAIN_CPU, 0.05},
        {"energy-psys", "psys", EM__COVERS_PLATFORM, EM_DOMAIN_PLATFORM, 0.05},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    rig_host *rig = machine("GenuineIntel");
    for (int package = 0; package < 2; package++) {
        for (size_t i = 0; i < ROWS; i++) {
            put_event(rig, rows[i].event, 1 + i, 24 * package, package, 0);
        }
    }
    em__probe probe = probe_perf(rig);
    CHECK_INT(probe.device_count, 2); /* one read for each socket */
    CHECK_INT(probe.absence_count, 0);
    for (int package = 0; package < 2; package++) {
        for (size_t i = 0; i < ROWS; i++) {
            char name[64], source[256];
            snprintf(name, sizeof name, "cpu-%d/%s", package, rows[i].name);
            if (rows[i].covers == EM__COVERS_PLATFORM) {
                snprintf(name, sizeof name, package ? "platform/psys-1" : "platform/psys");
            }
            snprintf(source, sizeof source, UNIT "/events/%s@cpu%d", rows[i].event, 24 * package);
            const em__channel *channel = channel_named(&probe, name, NULL);
            if (!CHECK(channel != NULL)) {
                continue;
            }
            CHECK_TEXT(channel->source, source);
            CHECK_TEXT(channel->device_name, "Rig CPU");
            CHECK_INT(channel->covers, rows[i].covers);
            CHECK_INT(channel->domain, rows[i].domain);
            CHECK_INT(channel->kind, EM_KIND_COUNTER);
            CHECK_INT(channel->status, EM_OK);
            CHECK_INT(channel->package, i == 4 && !package ? -1 : package);
            CHECK_INT(channel->die, -1);
            CHECK_NEAR(channel->gain, rows[i].gain, 0);
            CHECK_INT(channel->scale_num, 15625); /* 2^-32 J */
            CHECK_INT(channel->scale_den, 67108864);
            CHECK_INT(channel->refresh_ns, 1000000);
            CHECK_INT(channel->is_endless, 1);
        }
    }
    finish(rig, &probe);
}

/* 65,536 J is the smallest range of the hardware, 2^32 steps of 15.3 µJ; powercap's zone may know better. */
static void test_limits_and_ranges_are_powercaps(void)
{
    rig_host *rig = machine("GenuineIntel");
    put_event(rig, "energy-pkg", 2, 0, 0, 0);
    put_event(rig, "energy-ram", 3, 0, 0, 0);
    put_event(rig, "energy-pkg", 2, 24, 1, 0);
    rig_source source = {.wave = &hundred_w, .range = 262143328850};
    rig_host_put_zone(rig,
                      &(rig_zone){.folder = "intel-rapl:1", .name = "package-0", .limit_w = 350, .source = source});
    source.range = 65712999613;
    rig_host_put_zone(rig, &(rig_zone){.folder = "intel-rapl:1:0", .name = "dram", .limit_w = 225, .source = source});
    em__probe probe = probe_perf(rig);
    const em__channel *package = channel_named(&probe, "cpu-0/package", NULL);
    const em__channel *memory = channel_named(&probe, "cpu-0/dram", NULL);
    const em__channel *other = channel_named(&probe, "cpu-1/package", NULL);
    if (CHECK(package && memory && other)) {
        CHECK_INT(package->ceiling_mw, 700000);
        CHECK_INT(memory->ceiling_mw, 450000);
        CHECK_INT(other->ceiling_mw, 2000000);
        CHECK_NEAR(ldexp((double)package->range, -32), 262143.32885, 1e-6);
        CHECK_NEAR(ldexp((double)memory->range, -32), 65712.999613, 1e-6);
        CHECK_NEAR(ldexp((double)other->range, -32), 65536, 1e-6);
        CHECK_NEAR(ldexp((double)package->unit, -32), 61.035e-6, 1e-9);
        CHECK_NEAR(ldexp((double)other->unit, -32), 15.2588e-6, 1e-9);
    }
    finish(rig, &probe);
}

static void test_dies(void)
{
    static const struct {
        const char *vendor;
        int dies[2], covers;
        const char *second;
    } cases[] = {
        {"GenuineIntel", {0, 1}, EM__COVERS_DIE, "cpu-0/die-1"},
        {"AuthenticAMD", {0, 7}, EM__COVERS_DIE_ALIAS, "cpu-0/die-7"},
        {"HygonGenuine", {0, 1}, EM__COVERS_DIE_ALIAS, "cpu-0/die-1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_host *rig = machine(cases[i].vendor);
        for (int j = 0; j < 2; j++) {
            put_event(rig, "energy-pkg", 2, 16 * j, 0, cases[i].dies[j]);
            put_event(rig, "energy-ram", 3, 16 * j, 0, cases[i].dies[j]);
        }
        em__probe probe = probe_perf(rig);
        const em__channel *first = channel_named(&probe, "cpu-0/die-0", NULL);
        const em__channel *second = channel_named(&probe, cases[i].second, NULL);
        CHECK_INT(probe.device_count, 2);
        CHECK(channel_named(&probe, "cpu-0/die-0/dram", NULL) != NULL);
        if (CHECK(first && second)) {
            CHECK_INT(first->covers, cases[i].covers);
            CHECK_INT(second->covers, cases[i].covers);
        }
        finish(rig, &probe);
    }
    rig_host *rig = machine(""); /* nobody knows whether they are one counter */
    put_event(rig, "energy-pkg", 2, 0, 0, 0);
    put_event(rig, "energy-pkg", 2, 16, 0, 1);
    em__probe probe = probe_perf(rig);
    CHECK_INT(probe.device_count, 0);
    CHECK(absence_of(&probe, sensor, EM_ERR_NOT_SUPPORTED) != NULL);
    finish(rig, &probe);
}

/* AMD's unit of cores lists every core: one of each package is shown, as powercap's core zone is. */
static void test_cores_of_amd(void)
{
    rig_host *rig = machine("AuthenticAMD");
    put_event(rig, "energy-pkg", 2, 0, 0, 0);
    put_event(rig, "energy-pkg", 2, 4, 1, 0);
    for (int cpu = 0; cpu < 8; cpu++) {
        rig_host_put_event(rig, &(rig_event){.unit = "power_core",
                                             .event = "energy-core",
                                             .type = 32,
                                             .config = 1,
                                             .cpu = cpu,
                                             .package = cpu / 4,
                                             .die = cpu / 2,
                                             .source = {.wave = &hundred_w}});
    }
    em__probe probe = probe_perf(rig);
    CHECK_INT(probe.device_count, 4);
    for (int package = 0; package < 2; package++) {
        char name[64];
        snprintf(name, sizeof name, "cpu-%d/core", package);
        const em__channel *core = channel_named(&probe, name, NULL);
        if (CHECK(core != NULL)) {
            CHECK_INT(core->covers, EM__COVERS_CORE);
            CHECK(strstr(core->reason, "one core") != NULL);
        }
    }
    finish(rig, &probe);
}

/* ---------------------------------------------------------------------------------------------------------- readings */

/* One read gives each event's own count. */
static void test_reading(void)
{
    wave fifty_w = wave_constant(50);
    rig_host *rig = machine("GenuineIntel");
    put_event(rig, "energy-ram", 3, 0, 0, 0);
    size_t package = put_event(rig, "energy-pkg", 2, 0, 0, 0);
    rig_host_source(rig, package)->wave = &fifty_w;
    em__probe probe = probe_perf(rig);
    rig_host_advance(rig, 10 * second_ns);
    em__device *device = NULL;
    CHECK(channel_named(&probe, "cpu-0/package", &device) != NULL);
    em__reading out[2] = {{0}};
    device->ops->read(device, EM__EVERY_CHANNEL, out);
    for (size_t i = 0; i < 2; i++) {
        const em__channel *channel = &device->channels[i];
        CHECK_INT(out[i].outcome, EM__READ_OK);
        CHECK_NEAR(ldexp((double)out[i].value, -32), channel->covers == EM__COVERS_PACKAGE ? 500 : 1000, 1e-5);
    }
    finish(rig, &probe);
}

/* An event that is refused stands beside those that are not: totals without it may lack something. */
static void test_one_event_is_refused(void)
{
    rig_host *rig = machine("GenuineIntel");
    size_t package = put_event(rig, "energy-pkg", 2, 0, 0, 0);
    put_event(rig, "energy-ram", 3, 0, 0, 0);
    rig_source_fault(rig_host_source(rig, package),
                     (rig_fault){.kind = RIG_FAIL, .to_ns = 1001 * second_ns, .error = EINVAL});
    em__probe probe = probe_perf(rig);
    em__device *device = NULL;
    const em__channel *refused = channel_named(&probe, "cpu-0/package", &device);
    CHECK_INT(probe.absence_count, 0);
    if (CHECK(refused != NULL)) {
        em__reading out[2];
        CHECK_INT(refused->status, EM_ERR_BROKEN);
        CHECK(refused->reason[0] != '\0');
        rig_host_advance(rig, 10 * second_ns);
        device->ops->read(device, EM__EVERY_CHANNEL, out);
        CHECK_INT(out[0].outcome, EM__READ_GONE);
        CHECK_INT(out[1].outcome, EM__READ_OK);
        CHECK_NEAR(ldexp((double)out[1].value, -32), 1000, 1e-5);
    }
    finish(rig, &probe);
}

static void test_vanishes_and_comes_back(void)
{
    rig_host *rig = machine("GenuineIntel");
    size_t package = put_event(rig, "energy-pkg", 2, 0, 0, 0);
    rig_fault fault = {.kind = RIG_VANISH, .from_ns = 1005 * second_ns, .to_ns = 1010 * second_ns};
    rig_source_fault(rig_host_source(rig, package), fault);
    em__probe probe = probe_perf(rig);
    em__device *device = probe.devices[0];
    rig_host_advance(rig, 4 * second_ns);
    CHECK_INT(read_one(device).outcome, EM__READ_OK);
    rig_host_advance(rig, 2 * second_ns);
    CHECK_INT(read_one(device).outcome, EM__READ_GONE);
    CHECK_INT(read_one(device).status, EM_ERR_GONE);
    CHECK(device->ops->revive(device) != 0);
    CHECK_INT(read_one(device).outcome, EM__READ_GONE);
    rig_host_advance(rig, 10 * second_ns);
    CHECK_INT(device->ops->revive(device), 0);
    rig_host_advance(rig, 2 * second_ns);
    em__reading reading = read_one(device);
    CHECK_INT(reading.outcome, EM__READ_OK);
    CHECK_NEAR(ldexp((double)reading.value, -32), 200, 1e-5); /* since it was opened again */
    finish(rig, &probe);
}

static uint64_t frozen_ns;
static int (*moving_read)(em__perf *, em__perf_counts *);
static int frozen_read(em__perf *group, em__perf_counts *ret_counts)
{
    int error = moving_read(group, ret_counts);
    ret_counts->running_ns = frozen_ns ? frozen_ns : ret_counts->running_ns;
    return error;
}

/* A package that went offline answers with its last values for ever: no energy is not what that means. */
static void test_standing_still(void)
{
    rig_host *rig = machine("GenuineIntel");
    put_event(rig, "energy-pkg", 2, 0, 0, 0);
    em__host *host = rig_host_base(rig);
    em__host_ops ops = *host->ops;
    moving_read = ops.perf_read;
    ops.perf_read = frozen_read;
    host->ops = &ops;
    frozen_ns = 0;
    em__probe probe = probe_perf(rig);
    em__device *device = probe.devices[0];
    for (int i = 0; i < 5; i++) {
        rig_host_advance(rig, second_ns / 20);
        CHECK_INT(read_one(device).outcome, EM__READ_OK);
        CHECK_INT(read_one(device).outcome, EM__READ_OK); /* twice in one instant */
    }
    frozen_ns = 250000000;
    CHECK_INT(read_one(device).outcome, EM__READ_OK);
    rig_host_advance(rig, second_ns / 20);
    CHECK_INT(read_one(device).outcome, EM__READ_GONE);
    CHECK_INT(read_one(device).status, EM_ERR_GONE);
    frozen_ns = 0;
    CHECK_INT(device->ops->revive(device), 0);
    rig_host_advance(rig, second_ns / 20);
    CHECK_INT(read_one(device).outcome, EM__READ_OK);
    finish(rig, &probe);
}

/* The unit's driver was loaded again: another type, and another CPU speaks for the package. */
static void test_another_type_after_a_reload(void)
{
    rig_host *rig = machine("GenuineIntel");
    size_t package = put_event(rig, "energy-pkg", 2, 0, 0, 0);
    rig_source_fault(rig_host_source(rig, package),
                     (rig_fault){.kind = RIG_VANISH, .from_ns = 1001 * second_ns, .to_ns = UINT64_MAX});
    em__probe probe = probe_perf(rig);
    em__device *device = probe.devices[0];
    rig_host_advance(rig, 2 * second_ns);
    CHECK_INT(read_one(device).outcome, EM__READ_GONE);
    rig_host_put_event(
        rig,
        &(rig_event){
            .unit = "power", .event = "energy-pkg", .type = 40, .config = 2, .cpu = 3, .source = {.wave = &hundred_w}});
    CHECK_INT(device->ops->revive(device), 0);
    rig_host_advance(rig, second_ns);
    CHECK_NEAR(ldexp((double)read_one(device).value, -32), 100, 1e-5);
    finish(rig, &probe);
}

/* ---------------------------------------------------------------------------------------------------------- absences */

static void test_every_diagnosis_has_its_own_advice(void)
{
    static const struct {
        int error, status;
        const char *seccomp, *hint;
    } cases[] = {
        {-EACCES, EM_ERR_PERMISSION, "Name:\tx\nSeccomp:\t2\n", "kernel.perf_event_paranoid=0"},
        {-EACCES, EM_ERR_PERMISSION, NULL, "cap_perfmon"},
        {-EACCES, EM_ERR_PERMISSION, NULL, "CVE-2020-8694"},
        {-EPERM, EM_ERR_PERMISSION, "Name:\tx\nSeccomp:\t0\nSeccomp_filters:\t0\n", "kernel.perf_event_paranoid=0"},
        {-EPERM, EM_ERR_PERMISSION, NULL, "kernel.perf_event_paranoid=0"},
        {-EPERM, EM_ERR_MASKED, "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n", "--cap-add PERFMON"},
        {-ENOSYS, EM_ERR_MASKED, NULL, "seccomp"},
        {-ENODEV, EM_ERR_NOT_SUPPORTED, NULL, "powercap"},
        {-ENOENT, EM_ERR_NOT_SUPPORTED, NULL, "powercap"},
        {-EINVAL, EM_ERR_BROKEN, NULL, "dmesg"},
        {-EMFILE, EM_ERR_BROKEN, NULL, "dmesg"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_host *rig = machine("GenuineIntel");
        put_event(rig, "energy-pkg", 2, 0, 0, 0);
        put_event(rig, "energy-pkg", 2, 8, 1, 0);
        rig_host_put(rig, "/proc/sys/kernel/perf_event_paranoid", "2\n");
        if (cases[i].seccomp) {
            rig_host_put(rig, "/proc/self/status", cases[i].seccomp);
        }
        rig_host_refuse_events(rig, cases[i].error);
        em__probe probe = probe_perf(rig);
        const em__absence *absence = absence_of(&probe, sensor, cases[i].status);
        printf("# %s\n", strerror(-cases[i].error));
        CHECK_INT(probe.device_count, 0);
        CHECK_INT(probe.absence_count, 1);
        if (CHECK(absence != NULL)) {
            CHECK(strstr(absence->hint, cases[i].hint) != NULL);
            CHECK((strstr(absence->reason, "perf_event_paranoid is 2)") != NULL) ==
                  (cases[i].status == EM_ERR_PERMISSION));
        }
        finish(rig, &probe);
    }
}

/* A host that offers no events: silent, unless there is a unit that nobody can ask. */
static void test_recorded_machines_offer_no_events(void)
{
    em__selection selection = everything();
    for (int has_unit = 0; has_unit < 2; has_unit++) {
        em__host *host = recorded_machine("intel-xeon-2s-gold-5118", 0);
        em__probe probe = {0};
        if (has_unit) {
            put(host, UNIT "/type", "31\n");
        }
        CHECK_INT(em__sensor_rapl_perf.probe(host, &selection, &probe), EM_OK);
        CHECK_INT(probe.device_count, 0);
        CHECK_INT(probe.absence_count, has_unit);
        CHECK((absence_of(&probe, sensor, EM_ERR_NOT_SUPPORTED) != NULL) == has_unit);
        em__sensors_free(&probe);
        em__host_unref(host);
    }
}

/* A unit is used whole or not at all, and what is left out is told beside what is not. */
static void test_half_a_unit(void)
{
    for (int has_cores = 0; has_cores < 2; has_cores++) {
        rig_host *rig = machine("AuthenticAMD");
        put_event(rig, "energy-pkg", 2, 0, 0, 0);
        put_event(rig, "energy-pkg", 2, 8, 1, 0);
        if (has_cores) {
            rig_event core = {.unit = "power_core", .event = "energy-core", .type = 32, .source = {.wave = &hundred_w}};
            rig_host_put_event(rig, &core);
        }
        rig_host_put(rig, "/sys/devices/system/cpu/cpu8/topology/physical_package_id", "x\n");
        em__probe probe = probe_perf(rig);
        CHECK_INT(probe.device_count, has_cores);
        CHECK(channel_named(&probe, "cpu-0/package", NULL) == NULL);
        CHECK_INT(probe.absence_count, 1);
        CHECK(absence_of(&probe, sensor, EM_ERR_BROKEN) != NULL);
        finish(rig, &probe);
    }
}

static void test_garbage_is_no_channel(void)
{
    static const struct {
        const char *file, *content;
    } cases[] = {
        {"type", "x\n"},
        {"type", "4294967296\n"},
        {"cpumask", "\n"},
        {"cpumask", "0-\n"},
        {"cpumask", "0-2147483647\n"},
        {"cpumask", "77\n"}, /* a CPU without a place */
        {"events/energy-pkg", "event=\n"},
        {"events/energy-pkg", "event=0x02,umask=0x01\n"},
        {"events/energy-pkg.scale", "0\n"},
        {"events/energy-pkg.scale", "nan\n"},
        {"events/energy-pkg.scale", "1e-400\n"},
        {"events/energy-pkg.scale", ""},
        {"events/energy-pkg.unit", "Watts\n"},
        {"events/energy-pkg.unit", "Joules/s\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[200];
        rig_host *rig = machine("GenuineIntel");
        put_event(rig, "energy-pkg", 2, 0, 0, 0);
        snprintf(path, sizeof path, UNIT "/%s", cases[i].file);
        rig_host_put(rig, path, cases[i].content);
        em__probe probe = probe_perf(rig);
        if (!CHECK_INT(probe.device_count, 0) || !CHECK(absence_of(&probe, sensor, EM_ERR_BROKEN) != NULL)) {
            printf("# %s: %s\n", cases[i].file, cases[i].content);
        }
        finish(rig, &probe);
    }
}

int main(void)
{
    RUN(test_two_sockets);
    RUN(test_limits_and_ranges_are_powercaps);
    RUN(test_dies);
    RUN(test_cores_of_amd);
    RUN(test_reading);
    RUN(test_one_event_is_refused);
    RUN(test_vanishes_and_comes_back);
    RUN(test_standing_still);
    RUN(test_another_type_after_a_reload);
    RUN(test_every_diagnosis_has_its_own_advice);
    RUN(test_recorded_machines_offer_no_events);
    RUN(test_half_a_unit);
    RUN(test_garbage_is_no_channel);
    return CHECK_DONE();
}
