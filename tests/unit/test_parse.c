/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The parsers, on what kernels print (their documentation and published captures) and on what they never should. */
#include "check.h"
#include "platform/parse.h"

#include <errno.h>
#include <stdlib.h>

static void refuses_u64(const char *text, size_t length, int expected)
{
    uint64_t value = 7;
    CHECK_INT(em__parse_u64(text, length, &value), expected);
    CHECK_INT(value, 7);
}

static void unsigned_numbers(void)
{
    uint64_t value = 7;
    CHECK_INT(em__parse_u64("262143328850\n", 13, &value), 0);
    CHECK_INT(value, 262143328850);
    CHECK_INT(em__parse_u64(" \t0007 \n", 8, &value), 0);
    CHECK_INT(value, 7);
    CHECK_INT(em__parse_u64("18446744073709551615", 20, &value), 0);
    CHECK(value == UINT64_MAX);
    CHECK_INT(em__parse_u64("12345", 2, &value), 0);
    CHECK_INT(value, 12);
    refuses_u64("18446744073709551616", 20, -ERANGE);
    refuses_u64("99999999999999999999999999", 26, -ERANGE);
    refuses_u64("99999999999999999999999999x", 27, -EINVAL);
    refuses_u64("", 0, -EINVAL);
    refuses_u64(" \n", 2, -EINVAL);
    refuses_u64("-1", 2, -EINVAL);
    refuses_u64("+1", 2, -EINVAL);
    refuses_u64("0x10", 4, -EINVAL);
    refuses_u64("1 2", 3, -EINVAL);
    refuses_u64("1\0", 2, -EINVAL);
    refuses_u64("1.5", 3, -EINVAL);
    refuses_u64("<no data>", 9, -EINVAL);
}

static void check_zone(const char *text, em__zone_kind kind, int number, int die)
{
    em__zone_name name;
    if (CHECK_INT(em__parse_zone_name(text, &name), 0)) {
        CHECK_INT(name.kind, kind);
        CHECK_INT(name.number, number);
        CHECK_INT(name.die, die);
    }
}

static void zone_names(void)
{
    check_zone("package-0", EM__ZONE_PACKAGE, 0, -1);
    check_zone("package-15\n", EM__ZONE_PACKAGE, 15, -1);
    check_zone("package-1-die-3", EM__ZONE_DIE, 1, 3);
    check_zone("core", EM__ZONE_CORE, -1, -1);
    check_zone("uncore", EM__ZONE_UNCORE, -1, -1);
    check_zone("dram", EM__ZONE_DRAM, -1, -1);
    check_zone("psys", EM__ZONE_PSYS, -1, -1);
    check_zone("psys-1", EM__ZONE_PSYS, 1, -1);
    check_zone("package-2147483647", EM__ZONE_PACKAGE, INT32_MAX, -1);
    static const struct {
        const char *text;
        int error;
    } wrong[] = {
        {"", -EINVAL},
        {"package", -EINVAL},
        {"package-", -EINVAL},
        {"package-x", -EINVAL},
        {"package-0x", -EINVAL},
        {"package-0-die", -EINVAL},
        {"package-0-die-", -EINVAL},
        {"package-0-die-1-", -EINVAL},
        {"package--1", -EINVAL},
        {"package-0 1", -EINVAL},
        {" package-0", -EINVAL},
        {"cores", -EINVAL},
        {"cor", -EINVAL},
        {"psys-", -EINVAL},
        {"psys-1-die-0", -EINVAL},
        {"Package-0", -EINVAL},
        {"package-2147483648", -ERANGE},
        {"package-0-die-99999999999999999999999", -ERANGE},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        em__zone_name name = {EM__ZONE_DRAM, 5, 6};
        if (!CHECK_INT(em__parse_zone_name(wrong[i].text, &name), wrong[i].error)) {
            printf("# in: %s\n", wrong[i].text);
        }
        CHECK(name.kind == EM__ZONE_DRAM && name.number == 5 && name.die == 6);
    }
}

static void zone_directories_count_in_hexadecimal(void)
{
    em__zone_path path;
    CHECK_INT(em__parse_zone_path("intel-rapl", &path), 0);
    CHECK_TEXT(path.control_type, "intel-rapl");
    CHECK_INT(path.depth, 0);
    CHECK_INT(em__parse_zone_path("intel-rapl:a", &path), 0);
    CHECK_INT(path.depth, 1);
    CHECK_INT(path.zone[0], 10);
    CHECK_INT(em__parse_zone_path("intel-rapl-mmio:10:F", &path), 0);
    CHECK_TEXT(path.control_type, "intel-rapl-mmio");
    CHECK_INT(path.depth, 2);
    CHECK_INT(path.zone[0], 16);
    CHECK_INT(path.zone[1], 15);
    CHECK_INT(em__parse_zone_path("x:ffffffff", &path), 0);
    CHECK_INT(path.zone[0], UINT32_MAX);
    static const char *const wrong[] = {"",
                                        ":0",
                                        "intel-rapl:",
                                        "intel-rapl:0:",
                                        "intel-rapl:g",
                                        "intel-rapl:0 ",
                                        "intel-rapl:0:0:0",
                                        "intel-rapl:0x1",
                                        "intel-rapl/x",
                                        "intel-rapl:0/x",
                                        "abcdefghijklmnopqrstuvwxyzabcdef"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        em__zone_path kept = {"kept", 1, {2, 3}};
        if (!CHECK_INT(em__parse_zone_path(wrong[i], &kept), -EINVAL)) {
            printf("# in: %s\n", wrong[i]);
        }
        CHECK_TEXT(kept.control_type, "kept");
    }
    CHECK_INT(em__parse_zone_path("x:100000000", &path), -ERANGE);
}

static void check_times(const char *text, uint64_t busy, uint64_t total)
{
    em__cpu_time time;
    if (CHECK_INT(em__parse_cpu_time(text, strlen(text), &time), 0)) {
        CHECK_INT(time.busy, busy);
        CHECK_INT(time.total, total);
    }
}

static void cpu_times(void)
{
    /* user 1000 nice 200 system 300 idle 4000 iowait 500 irq 60 softirq 7 steal 80 guest 900 guest_nice 100 */
    check_times("cpu  1000 200 300 4000 500 60 7 80 900 100\ncpu0 1 1 1 1 1 1 1 1 1 1\n", 1567, 6147);
    check_times("cpu  1000 200 300 4000 500 60 7 80 900 100", 1567, 6147);
    check_times("cpu  1000 200 300 4000 500 60 7\n", 1567, 6067);
    check_times("cpu 1 2 3 4\n", 6, 10);
    check_times("cpu  0 0 0 0 0 0 0 0 0 0 5 future columns\n", 0, 0);
    static const char *const wrong[] = {"",
                                        "c",
                                        "cpu",
                                        "cpu\n",
                                        "cpu \n",
                                        "cpu  1 2 3\n",
                                        "cpu0 1 2 3 4 5 6 7 8\n",
                                        "intr 1 2 3 4",
                                        "cpu  1 2 -3 4\n",
                                        "cpu  1 2 x 4\n",
                                        "cpu  1 2 3 4x\n",
                                        "\ncpu  1 2 3 4\n",
                                        "cpu  1 2 3\n4 5 6 7\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        em__cpu_time time = {11, 12, 13};
        if (!CHECK_INT(em__parse_cpu_time(wrong[i], strlen(wrong[i]), &time), -EINVAL)) {
            printf("# in: %s\n", wrong[i]);
        }
        CHECK(time.busy == 11 && time.total == 12 && time.steal == 13);
    }
    em__cpu_time time;
    CHECK_INT(em__parse_cpu_time("cpu  1000 200 300 4000 500 60 7 80 900 100\n", 43, &time), 0);
    CHECK_INT(time.steal, 80);
    time = (em__cpu_time){11, 12, 13};
    CHECK_INT(em__parse_cpu_time("cpu  1 2 \0 4\n", 13, &time), -EINVAL);
    CHECK_INT(em__parse_cpu_time("cpu  18446744073709551615 1 0 0\n", 32, &time), -ERANGE);
    CHECK_INT(em__parse_cpu_time("cpu  99999999999999999999 1 0 0\n", 32, &time), -ERANGE);
    CHECK_INT(time.total, 12);
}

/* A line of a real process, whose name was set to "a) (b". */
static void process_times(void)
{
    const char *line =
        "4242 (a) (b) S 17 4242 4242 34816 -1 4194304 1500 200 3 4 700 80 9000 600 20 -5 3 0 123456 1 2 3\n";
    em__process_time time;
    if (CHECK_INT(em__parse_process_time(line, strlen(line), &time), 0)) {
        CHECK_INT(time.pid, 4242);
        CHECK_INT(time.parent, 17);
        CHECK_INT(time.used, 780);
        CHECK_INT(time.waited, 9600);
        CHECK_INT(time.start, 123456);
    }
    static const char *const wrong[] = {
        "",
        "4242",
        "4242 (a",
        "4242 (a)",
        "x (a) S 17 4242 4242 34816 -1 4194304 1500 200 3 4 700 80 9000 600 20 -5 3 0 1",
        "4242 (a) S 17 4242 4242 34816 -1 4194304 1500 200 3 4 700 80 9000 600 20 -5 3 0",
        "4242 (a) S 17 4242 4242 34816 -1 4194304 1500 200 3 4 -7 80 9000 600 20 -5 3 0 1",
        "4242 (a) S 17 4242 4242 34816 -1 4194304 1500 200 3 4 7x 80 9000 600 20 -5 3 0 1",
        "4242 a S 17 4242 4242 34816 -1 4194304 1500 200 3 4 7 80 9000 600 20 -5 3 0 1 2 3"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        time.pid = 7;
        if (!CHECK_INT(em__parse_process_time(wrong[i], strlen(wrong[i]), &time), -EINVAL)) {
            printf("# in: %s\n", wrong[i]);
        }
        CHECK_INT(time.pid, 7);
    }
}

static em__cpuinfo cpuinfo(const char *text)
{
    em__cpuinfo info;
    memset(&info, 0xAA, sizeof info);
    CHECK_INT(em__parse_cpuinfo(text, strlen(text), &info), 0);
    return info;
}

static void cpuinfo_of_x86(void)
{
    char text[4096] = "";
    for (int cpu = 0; cpu < 8; cpu++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length,
                 "processor\t: %d\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n"
                 "model name\t: Intel(R) Xeon(R) Gold 5118 CPU @ 2.30GHz\nphysical id\t: %d\nsiblings\t: 4\n"
                 "flags\t\t: fpu vme nohypervisor hypervisors\npower management:\n\n",
                 cpu, cpu / 4);
    }
    em__cpuinfo info = cpuinfo(text);
    CHECK_TEXT(info.vendor, "GenuineIntel");
    CHECK_TEXT(info.model, "Intel(R) Xeon(R) Gold 5118 CPU @ 2.30GHz");
    CHECK_INT(info.cpus, 8);
    CHECK_INT(info.packages, 2);
    CHECK_INT(info.is_virtual, 0);
    info = cpuinfo("processor : 0\nprocessor : 1\nphysical id : 0\nphysical id : 0\nflags : fpu hypervisor lahf_lm\n");
    CHECK_INT(info.is_virtual, 1);
    CHECK_INT(info.packages, 1);
}

static void a_package_for_each_cpu_is_a_virtual_machine(void)
{
    char text[2048] = "";
    for (int cpu = 0; cpu < 28; cpu++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "processor\t: %d\nphysical id\t: %d\n\n", cpu, cpu);
    }
    em__cpuinfo info = cpuinfo(text);
    CHECK_INT(info.cpus, 28);
    CHECK_INT(info.packages, 28);
    CHECK_INT(info.is_virtual, 1);
    info = cpuinfo("processor:0\nphysical id:0\nprocessor:1\nphysical id:9\nprocessor:2\nphysical id:9\nprocessor:3\n");
    CHECK_INT(info.packages, 2);
    CHECK_INT(info.is_virtual, 0);
}

static void cpuinfo_of_arm(void)
{
    em__cpuinfo info = cpuinfo("processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n"
                               "CPU part\t: 0xd0c\n\nprocessor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n");
    CHECK_TEXT(info.vendor, "");
    CHECK_TEXT(info.model, "");
    CHECK_INT(info.cpus, 2);
    CHECK_INT(info.packages, 0);
    CHECK_INT(info.is_virtual, 0);
}

static void hostile_cpuinfo(void)
{
    em__cpuinfo info = {.cpus = 5};
    CHECK_INT(em__parse_cpuinfo("", 0, &info), -EINVAL);
    CHECK_INT(em__parse_cpuinfo("processor", 9, &info), -EINVAL);
    CHECK_INT(em__parse_cpuinfo("processors : 1\nvendor_id : x\n", 29, &info), -EINVAL);
    CHECK_INT(info.cpus, 5);
    info = cpuinfo("processor :\nphysical id : -1\nphysical id : x\nphysical id :\nvendor_id : "
                   "a vendor with far too long a name\n:\n");
    CHECK_INT(info.cpus, 1);
    CHECK_INT(info.packages, 0);
    CHECK_TEXT(info.vendor, "a vendor with f");
    CHECK_INT(em__parse_cpuinfo("processor:1\nmodel name: a\0b\n", 28, &info), 0);
    CHECK_TEXT(info.model, "a");
    size_t size = 2000 * 40;
    char *text = malloc(size);
    size_t length = 0;
    for (int cpu = 0; CHECK(text != NULL) && cpu < 2000; cpu++) {
        length += (size_t)snprintf(text + length, size - length, "processor:%d\nphysical id:%d\n", cpu, cpu);
    }
    CHECK_INT(em__parse_cpuinfo(text, length, &info), 0);
    CHECK_INT(info.cpus, 2000);
    CHECK_INT(info.packages, 1024);
    free(text);
}

int main(void)
{
    RUN(unsigned_numbers);
    RUN(zone_names);
    RUN(zone_directories_count_in_hexadecimal);
    RUN(cpu_times);
    RUN(process_times);
    RUN(cpuinfo_of_x86);
    RUN(a_package_for_each_cpu_is_a_virtual_machine);
    RUN(cpuinfo_of_arm);
    RUN(hostile_cpuinfo);
    return CHECK_DONE();
}
