/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The fallback models against sums worked out by hand, and what they take for which machine. */
#include "probing.h"

#include "sensors/tdp_model.h"

static const char sensor[] = "tdp";

enum { MS = 1000000 };
static const uint64_t second_ns = 1000000000;

/* ------------------------------------------------------------------------------------------------------- the curves */

/* The published fit: 0.15, 0.33, 0.62, 1.03 at 0, 10, 50, 100 %, straight between. */
static void test_cpu_curve(void)
{
    static const struct {
        double utilisation;
        uint64_t mw;
    } points[] = {{0.0, 15000},  {0.05, 24000}, {0.1, 33000},   {0.3, 47500}, {0.5, 62000},      {0.75, 82500},
                  {1.0, 103000}, {-1.0, 15000}, {17.0, 103000}, {NAN, 15000}, {INFINITY, 103000}};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        CHECK_INT(em__tdp_cpu_mw(100.0, points[i].utilisation), points[i].mw);
    }
    uint64_t last = 0;
    for (int i = 0; i <= 1000; i++) {
        uint64_t mw = em__tdp_cpu_mw(100.0, i / 1000.0);
        CHECK(mw > last);
        last = mw;
    }
    CHECK_INT(em__tdp_cpu_mw(2 * 65.0, 0.5), 80600);
    CHECK_INT(em__tdp_cpu_mw(NAN, 0.5), 0);
    CHECK_INT(em__tdp_cpu_mw(-5.0, 0.5), 0);
}

/* Limit × (0.10 + 0.65 u), and × 0.65 where u is unknown. */
static void test_gpu_curve(void)
{
    CHECK_INT(em__tdp_gpu_mw(200.0, NAN), 130000);
    CHECK_INT(em__tdp_gpu_mw(200.0, 0.0), 20000);
    CHECK_INT(em__tdp_gpu_mw(200.0, 0.5), 85000);
    CHECK_INT(em__tdp_gpu_mw(200.0, 1.0), 150000);
    CHECK_INT(em__tdp_gpu_mw(200.0, 3.0), 150000);
}

static void test_integral_is_exact(void)
{
    em__tdp_energy energy = {0};
    em__tdp_integrate(&energy, 5, 333);
    for (uint64_t ns = 6; ns <= 3000005; ns++) {
        em__tdp_integrate(&energy, ns, 333);
    }
    CHECK_INT(energy.total_uj, 999); /* 333 mW × 3 ms */
    em__tdp_integrate(&energy, 10, 333);
    CHECK_INT(energy.total_uj, 999);
    em__tdp_energy longest = {0};
    em__tdp_integrate(&longest, 0, 0);
    em__tdp_integrate(&longest, 100 * 86400 * second_ns, 100000000);
    CHECK_INT(longest.total_uj, 864000000000000000); /* 100 kW × 100 days */
}

/* ------------------------------------------------------------------------------------------------ a machine at work */

typedef struct {
    em__host *host;
    em__probe probe;
    em__device *device;
    int cpus;
    uint64_t now_ns;
    double busy, idle; /* ticks so far */
} rig;

static void write_stat(rig *r)
{
    char text[200];
    snprintf(text, sizeof text, "cpu  %llu 0 0 %llu 0 0 0 0 0 0\ncpu0 1 2 3 4\n", (unsigned long long)r->busy,
             (unsigned long long)r->idle);
    put(r->host, "/proc/stat", text);
    em__machine_set_clock(r->host, r->now_ns, r->now_ns, r->now_ns);
}

static rig start_rig(int cpus)
{
    rig r = {.host = empty_machine(0), .cpus = cpus, .now_ns = 77 * second_ns, .busy = 100, .idle = 900};
    char cpuinfo[4096] = "";
    for (int i = 0; i < cpus; i++) {
        snprintf(cpuinfo + strlen(cpuinfo), sizeof cpuinfo - strlen(cpuinfo), "processor: %d\nphysical id: 0\n\n", i);
    }
    put(r.host, "/proc/cpuinfo", cpuinfo);
    write_stat(&r);
    em__selection selection = everything();
    selection.cpu_tdp_w = 65.0;
    CHECK_INT(em__sensor_tdp.probe(r.host, &selection, &r.probe), EM_OK);
    CHECK(channel_named(&r.probe, "cpu-0/model", &r.device) != NULL);
    return r;
}

static void stop_rig(rig *r)
{
    em__sensors_free(&r->probe);
    CHECK_INT(r->host->references, 1);
    em__host_unref(r->host);
}

/* The machine works at a utilisation for a while; answers the counter. */
static uint64_t work(rig *r, uint64_t ns, double utilisation)
{
    double ticks = (double)ns / 1e7 * r->cpus;
    r->now_ns += ns;
    r->busy += ticks * utilisation;
    r->idle += ticks * (1 - utilisation);
    write_stat(r);
    em__reading reading = read_one(r->device);
    CHECK_INT(reading.outcome, EM__READ_OK);
    return reading.value;
}

/* 65 W × f(0.5) = 40.3 W, whatever the interval of the readings. */
static void test_constant_load(void)
{
    static const uint64_t intervals_ms[] = {10, 50, 100, 1000, 10000};
    for (size_t i = 0; i < sizeof intervals_ms / sizeof intervals_ms[0]; i++) {
        rig r = start_rig(4);
        CHECK_INT(read_one(r.device).value, 0);
        uint64_t uj = 0;
        for (uint64_t ms = 0; ms < 20000; ms += intervals_ms[i]) {
            uj = work(&r, intervals_ms[i] * MS, 0.5);
        }
        CHECK_NEAR((double)uj, 20 * 40.3e6, 20 * 40.3e6 * 0.001);
        stop_rig(&r);
    }
}

/* Between evaluations the energy stands, and says of which instant it is: with one CPU, every 20 ticks of 10 ms. */
static void test_evaluations(void)
{
    rig r = start_rig(1);
    em__reading first = read_one(r.device);
    CHECK_INT(first.value, 0);
    CHECK_INT(first.stamp, r.now_ns);
    for (int i = 1; i <= 100; i++) {
        uint64_t began_ns = 77 * second_ns, whole = (uint64_t)(i / 20) * 20;
        CHECK_NEAR((double)work(&r, 10 * MS, 1.0), 66.95e4 * (double)whole, 1.0); /* 65 W × 1.03 × 10 ms each */
        CHECK_INT(read_one(r.device).stamp, began_ns + whole * 10 * MS);
    }
    stop_rig(&r);
}

/* A step of the load: the counter never falls, and at the end of each stretch it is at the closed form. */
static void test_steps(void)
{
    for (int cpus = 1; cpus <= 16; cpus *= 2) {
        rig r = start_rig(cpus);
        uint64_t last = read_one(r.device).value, fell = 0;
        for (int half = 0; half < 10; half++) {
            for (int i = 0; i < 100; i++) {
                uint64_t now = work(&r, 10 * MS, half % 2 ? 0.0 : 1.0);
                fell += now < last;
                last = now;
            }
        }
        CHECK_INT(fell, 0);
        double expected = 5 * 65e6 * 1.03 + 5 * 65e6 * 0.15;
        CHECK_NEAR((double)last, expected, expected * 0.01);
        stop_rig(&r);
    }
}

/* The mean since boot (here 10 %) stands for what the first ticks do not tell, but only where no more come. */
static void test_first_stretch(void)
{
    rig r = start_rig(1);
    CHECK_INT(read_one(r.device).value, 0);
    CHECK_INT(work(&r, 100 * MS, 0.1), 0);
    r.now_ns += second_ns;
    write_stat(&r);
    CHECK_NEAR((double)read_one(r.device).value, 65e6 * 0.33 * 1.1, 1.0);
    stop_rig(&r);
}

/* Ten seconds without a tick go at the last known power, in steps of at least a second; then ticks count again. */
static void test_clock_without_ticks(void)
{
    rig r = start_rig(4);
    read_one(r.device);
    uint64_t before = work(&r, second_ns, 1.0), after = before;
    for (int i = 0; i < 100; i++) {
        r.now_ns += 100 * MS;
        write_stat(&r);
        after = read_one(r.device).value;
    }
    CHECK_NEAR((double)(after - before), 10 * 66.95e6, 1.1 * 66.95e6);
    uint64_t stood_ns = 79 * second_ns + 9 * second_ns; /* evaluated until here at least */
    em__reading reading = read_one(r.device);
    CHECK(reading.stamp >= stood_ns - second_ns && reading.stamp <= r.now_ns);
    double lacking_s = (double)(r.now_ns - reading.stamp) / 1e9, resumed = 0;
    for (int i = 0; i < 100; i++) {
        resumed = (double)work(&r, 100 * MS, 0.0);
    }
    CHECK_NEAR(resumed - (double)after, (10 + lacking_s) * 9.75e6, 10.0);
    stop_rig(&r);
}

/* Idle and iowait are known to step back on real kernels. */
static void test_backward_counters(void)
{
    rig r = start_rig(4);
    read_one(r.device);
    uint64_t before = work(&r, second_ns, 0.5);
    r.idle -= 500;
    uint64_t after = work(&r, 10 * MS, 0.5);
    CHECK_INT(after, before);
    after = work(&r, second_ns, 0.5);
    CHECK_NEAR((double)(after - before), 1.01 * 40.3e6, 1e5);
    before = after;
    r.busy -= 100;
    after = work(&r, second_ns, 0.0);
    CHECK_NEAR((double)(after - before), 9.75e6, 1e5);
    r.busy = r.idle = 0;
    CHECK(work(&r, second_ns, 0.5) >= after);
    r.busy = 1.7e19;
    r.idle = 1e18;
    CHECK(work(&r, second_ns, 0.0) >= after);
    stop_rig(&r);
}

static void test_bad_readings(void)
{
    static const char *const garbage[] = {"",
                                          "\n",
                                          "cpu\n",
                                          "cpu a b c d\n",
                                          "intr 1 2 3 4\n",
                                          "cpu0 1 2 3 4\n",
                                          "cpu 99999999999999999999999 0 0 0 0 0 0 0\n",
                                          "cpu 18446744073709551615 18446744073709551615 0 5 0 0 0 0\n",
                                          "cpu 1 2 3"};
    rig r = start_rig(2);
    read_one(r.device);
    uint64_t before = work(&r, second_ns, 0.5);
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        put(r.host, "/proc/stat", garbage[i]);
        if (!CHECK_INT(read_one(r.device).outcome, EM__READ_AGAIN)) {
            printf("#   %s\n", garbage[i]);
        }
    }
    /* The ticks went on meanwhile, so the counter makes up for the time. */
    CHECK_NEAR((double)(work(&r, second_ns, 0.5) - before), 40.3e6, 10.0);
    em__machine_remove(r.host, "/proc/stat");
    CHECK_INT(read_one(r.device).outcome, EM__READ_GONE);
    CHECK(r.device->ops->revive(r.device) != 0);
    write_stat(&r);
    CHECK_INT(r.device->ops->revive(r.device), 0);
    CHECK_INT(read_one(r.device).outcome, EM__READ_OK);
    stop_rig(&r);
}

/* --------------------------------------------------------------------------------------------- which power it takes */

typedef struct {
    const char *path, *content;
} fact;

static void check_power(const fact *facts, double given_w, double each_w, double count, const char *from,
                        uint64_t notes)
{
    em__host *host = empty_machine(0);
    put(host, "/proc/stat", "cpu 1 2 3 4 5 6 7 8\n");
    for (; facts->path; facts++) {
        put(host, facts->path, facts->content);
    }
    em__selection selection = everything();
    em__probe probe = {0};
    selection.cpu_tdp_w = given_w;
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    const em__channel *channel = channel_named(&probe, "cpu-0/model", NULL);
    if (CHECK(channel != NULL)) {
        CHECK_NEAR(channel->tdp_each_w, each_w, 0);
        CHECK_NEAR(channel->tdp_count, count, 0);
        CHECK_TEXT(channel->tdp_from, from);
        CHECK_INT(channel->notes, notes | EM_NOTE_BIT(EM_NOTE_MODEL) | EM_NOTE_BIT(EM_NOTE_WHOLE_MACHINE));
        CHECK_TEXT(channel->source, "/proc/stat");
        CHECK_INT(channel->kind, EM_KIND_MODEL);
        CHECK_INT(channel->covers, EM__COVERS_ALL_CPUS);
        CHECK_NEAR(channel->gain, 0.30, 0);
        CHECK(strstr(channel->reason, from) && strstr(channel->reason, "whole machine without GPUs"));
    }
    em__sensors_free(&probe);
    em__host_unref(host);
}

#define CPU(n, id, rest) "processor: " n "\nphysical id: " id "\n" rest "\n"
#define FOUR(rest) CPU("0", "0", rest) CPU("1", "0", rest) CPU("2", "0", rest) CPU("3", "0", rest)
#define TWO_SOCKETS CPU("0", "0", "") CPU("1", "0", "") CPU("2", "1", "") CPU("3", "1", "")
#define CPUINFO "/proc/cpuinfo"
#define CHASSIS "/sys/class/dmi/id/chassis_type"
#define SUPPLY "/sys/class/power_supply/BAT0/"
#define TOPOLOGY(n) "/sys/devices/system/cpu/cpu" n "/topology/physical_package_id"

static void test_classes(void)
{
    const uint64_t is_default = EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT);
    const char *laptop = "default for a laptop", *desktop = "default for a desktop", *server = "default for a server";
    fact plain[] = {{CPUINFO, FOUR("")}, {0}},
         xeon[] = {{CPUINFO, FOUR("model name: Intel(R) Xeon(R) CPU @ 2.20GHz\n")}, {0}},
         epyc[] = {{CPUINFO, FOUR("model name: AMD EPYC-Milan Processor\n")}, {0}},
         two[] = {{CPUINFO, TWO_SOCKETS}, {0}}, notebook[] = {{CPUINFO, FOUR("")}, {CHASSIS, "10\n"}, {0}},
         rack[] = {{CPUINFO, FOUR("")}, {CHASSIS, "23\n"}, {0}}, tower[] = {{CPUINFO, FOUR("")}, {CHASSIS, "7\n"}, {0}},
         junk[] = {{CPUINFO, FOUR("")}, {CHASSIS, "266\n"}, {0}},
         battery[] = {{CPUINFO, FOUR("")}, {SUPPLY "type", "Battery\n"}, {0}},
         mouse[] = {{CPUINFO, FOUR("")}, {SUPPLY "type", "Battery\n"}, {SUPPLY "scope", "Device\n"}, {0}},
         mains[] = {{CPUINFO, FOUR("")}, {SUPPLY "type", "Mains\n"}, {0}}, nothing[] = {{0}};
    check_power(plain, NAN, 65, 1, desktop, is_default);
    check_power(nothing, NAN, 65, 1, desktop, is_default);
    check_power(tower, NAN, 65, 1, desktop, is_default);
    check_power(junk, NAN, 65, 1, desktop, is_default);
    check_power(mains, NAN, 65, 1, desktop, is_default);
    check_power(mouse, NAN, 65, 1, desktop, is_default);
    check_power(battery, NAN, 28, 1, laptop, is_default);
    check_power(notebook, NAN, 28, 1, laptop, is_default);
    check_power(xeon, NAN, 150, 1, server, is_default);
    check_power(epyc, NAN, 150, 1, server, is_default);
    check_power(rack, NAN, 150, 1, server, is_default);
    check_power(two, NAN, 150, 2, server, is_default);
    check_power(two, 205, 205, 2, "given", 0);
    check_power(plain, 65, 65, 1, "given", 0);
}

/* As on the makers' data sheets: 125 W and 280 W a socket. */
static void test_models_of_the_table(void)
{
    fact xeon[] = {{CPUINFO, FOUR("model name: Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz\n")}, {0}};
    fact epycs[] = {{CPUINFO, CPU("0", "0", "model name: AMD EPYC 7763 64-Core Processor\n") CPU("1", "0", "")
                                  CPU("2", "1", "") CPU("3", "1", "")},
                    {0}};
    check_power(xeon, NAN, 125, 1, "intel xeon gold 6230 (Intel ARK)", 0);
    check_power(xeon, 105, 105, 1, "given", 0);
    check_power(epycs, NAN, 280, 2, "amd epyc 7763 (AMD product pages)", 0);
}

/* Four threads of a CPU with 64 cores and 128 threads; without the number of cores nobody knows the share. */
static void test_shares_of_the_table(void)
{
    const uint64_t is_virtual = EM_NOTE_BIT(EM_NOTE_VIRTUAL);
    fact epyc[] = {{CPUINFO, FOUR("model name: AMD EPYC 7763 64-Core Processor\nflags: fpu hypervisor lm\n")}, {0}};
    fact coreless[] = {{CPUINFO, FOUR("model name: AMD FX(tm)-8350\nflags: fpu hypervisor lm\n")}, {0}};
    fact hidden[] = {{CPUINFO, FOUR("model name: Intel(R) Xeon(R) CPU @ 2.20GHz\nflags: fpu hypervisor lm\n")}, {0}};
    check_power(epyc, NAN, 280, 4.0 / 128, "amd epyc 7763 (AMD product pages)", is_virtual);
    check_power(epyc, 30, 30, 1, "given", is_virtual);
    check_power(coreless, NAN, 3.5, 4, "default for a virtual CPU", is_virtual | EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT));
    check_power(hidden, NAN, 3.5, 4, "default for a virtual CPU", is_virtual | EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT));
}

/* Arm's cpuinfo names no sockets; the kernel's topology does. */
static void test_sockets_of_arm(void)
{
    fact arm[] = {{CPUINFO, "processor: 0\n\nprocessor: 1\n\nprocessor: 2\n\nprocessor: 3\n"},
                  {TOPOLOGY("0"), "36\n"},
                  {TOPOLOGY("1"), "36\n"},
                  {TOPOLOGY("2"), "4148\n"},
                  {TOPOLOGY("3"), "4148\n"},
                  {TOPOLOGY("4"), "-1\n"},
                  {0}};
    check_power(arm, 250, 250, 2, "given", 0);
    fact guest[] = {{CPUINFO, "processor: 0\n\nprocessor: 1\n"}, {TOPOLOGY("0"), "0\n"}, {TOPOLOGY("1"), "1\n"}, {0}};
    check_power(guest, NAN, 3.5, 2, "default for a virtual CPU",
                EM_NOTE_BIT(EM_NOTE_VIRTUAL) | EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT));
}

static void test_virtual_machines(void)
{
    const uint64_t is_virtual = EM_NOTE_BIT(EM_NOTE_VIRTUAL), is_default = EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT);
    fact flag[] = {{CPUINFO, FOUR("flags: fpu hypervisor lm\n")}, {0}},
         ids[] = {{CPUINFO, CPU("0", "0", "") CPU("1", "1", "") CPU("2", "2", "") CPU("3", "3", "")}, {0}};
    check_power(flag, NAN, 3.5, 4, "default for a virtual CPU", is_virtual | is_default);
    check_power(flag, 65, 65, 1, "given", is_virtual);
    check_power(ids, NAN, 3.5, 4, "default for a virtual CPU", is_virtual | is_default);
    check_power(ids, 65, 65, 1, "given", is_virtual);
    em__host *host = recorded_machine("vm-no-powercap-tesla-t4", 1);
    em__selection selection = everything();
    em__probe probe = {0};
    put(host, "/proc/stat", "cpu 1 2 3 4 5 6 7 8\n");
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    CHECK_NEAR(channel_named(&probe, "cpu-0/model", NULL)->tdp_count, 28, 0);
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* The reason beside the model, on a machine of four CPUs with these facts. */
static void check_doubt(int is_virtual, const char *stat, const char *cgroup, const char *path, const char *quota,
                        const char *status, const char *expected)
{
    em__host *host = empty_machine(0);
    em__selection selection = everything();
    em__probe probe = {0};
    put(host, "/proc/cpuinfo", is_virtual ? FOUR("flags: hypervisor\n") : FOUR(""));
    put(host, "/proc/stat", stat);
    put(host, "/proc/self/cgroup", cgroup);
    put(host, "/proc/self/status", status);
    if (path) {
        put(host, path, quota);
        put(host, "/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
    }
    CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
    const em__channel *channel = channel_named(&probe, "cpu-0/model", NULL);
    const char *known = "whole machine without GPUs; U = 60 % (k = 2), from 229 published servers";
    const char *found = channel ? strstr(channel->reason, known) : NULL;
    if (CHECK(found != NULL)) {
        CHECK_TEXT(found + strlen(known), expected);
    }
    em__sensors_free(&probe);
    em__host_unref(host);
}

static void test_what_it_cannot_see(void)
{
    const char *idle = "cpu 1 2 3 4 5 6 7 0\n", *stolen = "cpu 400 0 0 475 0 0 0 125\n", *v2 = "0::/a/b\n",
               *v1 = "4:memory:/x\n3:cpu,cpuacct:/docker\n0::/\n", *free_status = "Name:\tx\nCpus_allowed_list:\t0-3\n";
    const char *two = "; this process may use 2 of 4 CPUs, and the model is of all work on all of them";
    const char *part = "; this process may use 1.5 of 4 CPUs, and the model is of all work on all of them";
    check_doubt(0, idle, v2, NULL, NULL, free_status, "");
    check_doubt(0, stolen, v2, NULL, NULL, free_status, "");
    check_doubt(1, idle, v2, NULL, NULL, free_status, "");
    check_doubt(1, stolen, v2, NULL, NULL, free_status,
                "; the host has taken 12.5 % of its time since boot (steal), which is not in it");
    check_doubt(0, idle, v2, "/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n", free_status, part);
    check_doubt(0, idle, v2, "/sys/fs/cgroup/a/cpu.max", "150000 100000\n", free_status, part);
    check_doubt(0, idle, v2, "/sys/fs/cgroup/cpu.max", "150000 100000\n", free_status, part);
    check_doubt(0, idle, v2, "/sys/fs/cgroup/cpu.max", "max 100000\n", free_status, "");
    check_doubt(0, idle, v2, "/sys/fs/cgroup/cpu.max", "400000 100000\n", free_status, "");
    check_doubt(0, idle, v2, "/sys/fs/cgroup/cpu.max", "1 0\n", free_status, "");
    check_doubt(0, idle, v2, "/sys/fs/cgroup/cpu.max", "garbage\n", free_status, "");
    check_doubt(0, idle, v1, "/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "200000\n", free_status, two);
    check_doubt(0, idle, v1, "/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "-1\n", free_status, "");
    check_doubt(0, idle, "no colons\n:\n::\n", NULL, NULL, "Name:\tx\nCpus_allowed_list:\t0,3\nNext:\t1\n", two);
    check_doubt(0, idle, "", NULL, NULL, "Name:\tx\nCpus_allowed_list:\t3-0\n", "");
    check_doubt(0, idle, "", NULL, NULL, "Name:\tx\nCpus_allowed_list:\t0-99999999999999999999999\n", "");
}

static void test_no_stat(void)
{
    static const struct {
        const char *content;
        int error, status;
    } cases[] = {{NULL, 0, EM_ERR_NOT_SUPPORTED},
                 {"", 0, EM_ERR_BROKEN},
                 {"cpu x\n", 0, EM_ERR_BROKEN},
                 {"", EIO, EM_ERR_BROKEN},
                 {"", EACCES, EM_ERR_PERMISSION}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__host *host = empty_machine(0);
        em__selection selection = everything();
        em__probe probe = {0};
        if (cases[i].content) {
            em__machine_set_file(host, "/proc/stat", cases[i].content, strlen(cases[i].content), 0444, cases[i].error);
        }
        CHECK_INT(em__sensor_tdp.probe(host, &selection, &probe), EM_OK);
        CHECK_INT(probe.device_count, 0);
        const em__absence *absence = absence_of(&probe, sensor, cases[i].status);
        CHECK(absence && absence->hint[0]);
        em__sensors_free(&probe);
        em__host_unref(host);
    }
}

int main(void)
{
    RUN(test_cpu_curve);
    RUN(test_gpu_curve);
    RUN(test_integral_is_exact);
    RUN(test_constant_load);
    RUN(test_evaluations);
    RUN(test_steps);
    RUN(test_first_stretch);
    RUN(test_clock_without_ticks);
    RUN(test_backward_counters);
    RUN(test_bad_readings);
    RUN(test_classes);
    RUN(test_models_of_the_table);
    RUN(test_shares_of_the_table);
    RUN(test_sockets_of_arm);
    RUN(test_virtual_machines);
    RUN(test_what_it_cannot_see);
    RUN(test_no_stat);
    return CHECK_DONE();
}
