/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Parsers of what the system says: pure, for any bytes. 0 or -EINVAL (-ERANGE: too large); outputs untouched then. */
#ifndef EM_PLATFORM_PARSE_H
#define EM_PLATFORM_PARSE_H

#include <stddef.h>
#include <stdint.h>

/* One unsigned decimal number, white space around it, nothing else. */
int em__parse_u64(const char *text, size_t length, uint64_t *ret_value);

/* The same with an optional sign in front. */
int em__parse_i64(const char *text, size_t length, int64_t *ret_value);

/* An attribute of a hwmon chip: "power1_average", "in3_label". */
typedef enum { EM__HWMON_POWER, EM__HWMON_ENERGY, EM__HWMON_IN, EM__HWMON_CURR } em__hwmon_type;
typedef enum {
    EM__HWMON_INPUT = 1,
    EM__HWMON_AVERAGE = 2,
    EM__HWMON_LABEL = 4,
    EM__HWMON_ENABLE = 8,
    EM__HWMON_CAP = 16,
    EM__HWMON_MAX = 32,
    EM__HWMON_OEM_INFO = 64
} em__hwmon_file;
typedef struct {
    em__hwmon_type type;
    int32_t number; /* 0 … 9999 */
    em__hwmon_file file;
} em__hwmon_attribute;
int em__parse_hwmon_attribute(const char *name, em__hwmon_attribute *ret_attribute);

/* The address of a PCI function at the end of a path or alone: "0000:c1:00.0". Its first byte, or NULL. */
const char *em__parse_pci(const char *text, size_t length);

/* The label of a chip's channel against a pattern, letter by letter, capital or not. '#': digits; '*' at the end: any
 * rest. ret_number: what the digits say, -1 without them. */
int em__parse_label(const char *label, const char *pattern, int32_t *ret_number);

/* amdgpu's gpu_metrics, binary: power and energy as far as the chip gives them. */
typedef struct {
    uint64_t energy;   /* since the driver was loaded, in 2^-16 J (15.259 µJ) where is_stated */
    uint64_t power_mw; /* now, of the board; of an APU its own share of the socket */
    int32_t has_energy, has_power;
    int32_t is_stated; /* the kernel states the unit of the energy; without it, it may be anything */
} em__gpu_metrics;
int em__parse_gpu_metrics(const char *bytes, size_t length, em__gpu_metrics *ret_metrics);

/* The name file of a powercap zone. */
typedef enum {
    EM__ZONE_PACKAGE,
    EM__ZONE_DIE,
    EM__ZONE_CORE,
    EM__ZONE_UNCORE,
    EM__ZONE_DRAM,
    EM__ZONE_PSYS
} em__zone_kind;
typedef struct {
    em__zone_kind kind;
    int32_t number, die; /* package-N[-die-M], psys[-N]; -1 where there is none */
} em__zone_name;
int em__parse_zone_name(const char *text, em__zone_name *ret_name);

/* A zone's directory: "intel-rapl:0", "intel-rapl-mmio:0:1", "intel-rapl:a" (numbers are hexadecimal). */
typedef struct {
    char control_type[32];
    int32_t depth; /* 0: the control type itself, 1: zone, 2: subzone */
    uint32_t zone[2];
} em__zone_path;
int em__parse_zone_path(const char *name, em__zone_path *ret_path);

/* The first line of /proc/stat, in clock ticks, guest time not counted twice. steal is in total, never in busy. */
typedef struct {
    uint64_t busy, total, steal;
} em__cpu_time;
int em__parse_cpu_time(const char *text, size_t length, em__cpu_time *ret_time);

/* /proc/PID/stat. Times in clock ticks. */
typedef struct {
    uint64_t pid, parent;
    uint64_t used;   /* by the process itself, all its threads, kernel included */
    uint64_t waited; /* by its children that it has waited for, and theirs */
    uint64_t start;  /* since boot: with pid, what tells it from a later process */
} em__process_time;
int em__parse_process_time(const char *text, size_t length, em__process_time *ret_time);

/* /proc/cpuinfo. */
typedef struct {
    char vendor[16];    /* "GenuineIntel"; "" unknown */
    char model[128];    /* "model name"; "" unknown */
    uint32_t cpus;      /* logical ones listed */
    uint32_t packages;  /* distinct physical ids; 0: none listed */
    int32_t is_virtual; /* flag hypervisor, or more physical ids than half the CPUs */
    int32_t has_sgx;    /* flag sgx: the CPU has it, and the firmware turned it on */
} em__cpuinfo;
int em__parse_cpuinfo(const char *text, size_t length, em__cpuinfo *ret_info);

/* An event of a performance monitoring unit: "event=0x02", and nothing beside it. */
int em__parse_event(const char *text, size_t length, uint64_t *ret_config);
/* "0,24", "0-3,8": at most capacity CPUs (-ERANGE) in the order of the list. */
int em__parse_cpu_list(const char *text, size_t length, uint32_t cpus[], size_t capacity, size_t *ret_count);
/* A decimal number above 0, "2.3283064365386962890625e-10", times 10^shift, as a fraction in lowest terms: exact, or
 * where that does not fit rounded to as many digits as do, 12 at least (-ERANGE). */
int em__parse_scale(const char *text, size_t length, int shift, uint64_t *ret_num, uint64_t *ret_den);
/* What a meter writes: "123.456", "1.5e3", "12.5 kWh" (no other word than this unit), white space around it. ret_value:
 * the number times 10^shift, cut to an integer; ret_step: the same of one in the last digit shown, 1 at least. -ERANGE:
 * below 0, or too large. */
int em__parse_quantity(const char *text, size_t length, const char *unit, int shift, uint64_t *ret_value,
                       uint64_t *ret_step);

/* How many tasks SLURM has on a node, by its number: "4(x2),3" says 4, 4 and 3. Beyond the list: the last. */
int em__parse_tasks(const char *text, size_t length, uint64_t node, uint64_t *ret_tasks);

/* The properties of a node of KFD, the kernel's list of what ROCm computes on: lines "name value". */
typedef struct {
    uint32_t simds;    /* 0: no GPU */
    uint32_t domain;   /* of the PCI bus */
    uint32_t location; /* bus << 8 | device << 3 | function */
} em__kfd_node;
int em__parse_kfd_node(const char *text, size_t length, em__kfd_node *ret_node);

/* /proc/self/mountinfo: whose image the root file system is layered from. */
typedef enum { EM__ROOT_PLAIN, EM__ROOT_DOCKER, EM__ROOT_PODMAN, EM__ROOT_CONTAINERD } em__root_image;
int em__parse_mounts(const char *text, size_t length, em__root_image *ret_root);

#endif
