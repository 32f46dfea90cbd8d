/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The model of last resort: a CPU's thermal design power and how busy /proc/stat says the CPUs were. */
#include "core/text.h"
#include "data/power.h"
#include "sensors/cpu_limit.h"
#include "sensors/cpus.h"
#include "sensors/sensor.h"
#include "sensors/tdp_dram.h"
#include "sensors/tdp_gpu.h"
#include "sensors/tdp_model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The first line has at most 8 + 10 × 21 bytes. The rest, a line for each CPU, is not needed. */
enum { STAT_BYTES = 512, WORD_BYTES = 32, MOST_SOCKETS = 64 };

/* Ticks of /proc/stat are 10 ms on every CPU. With 20 of them, one tick is 5 % of utilisation: fewer would bend the
 * mean of the curve, which is steepest below 10 %, more would blur the steps of short windows. */
enum { FULL_TICKS = 20, TICKS_PER_S = 100 };

static const char stat_path[] = "/proc/stat";

/* ---------------------------------------------------------------------------------------------------------- reading */

typedef struct {
    em__device base;
    em__host *host;
    em__file *stat; /* NULL: gone */
    em__tdp_cpu model;
} cpu_device;

static int read_time(em__file *file, em__cpu_time *ret_time)
{
    char text[STAT_BYTES];
    int length = file->host->ops->read(file, text, sizeof text);
    if (length < 0) {
        return length;
    }
    return em__parse_cpu_time(text, (size_t)length, ret_time) < 0 ? -EILSEQ : 0;
}

static int open_stat(cpu_device *cpu, em__cpu_time *ret_time)
{
    em__file *file;
    int error = cpu->host->ops->open(cpu->host, stat_path, &file);
    if (error < 0) {
        return error;
    }
    error = read_time(file, ret_time);
    if (error < 0) {
        file->host->ops->close(file);
    } else {
        cpu->stat = file;
    }
    return error;
}

static void close_stat(cpu_device *cpu)
{
    if (cpu->stat) {
        cpu->host->ops->close(cpu->stat);
    }
    cpu->stat = NULL;
}

static void cpu_read(em__device *device, uint64_t wanted, em__reading out[])
{
    (void)wanted;
    cpu_device *cpu = (cpu_device *)device;
    em__cpu_time time;
    uint64_t before_ns = cpu->host->ops->monotonic_ns(cpu->host);
    int error = cpu->stat ? read_time(cpu->stat, &time) : -ENODEV;
    if (error < 0) {
        out[0] = em__reading_failed(error);
        return;
    }
    uint64_t after_ns = cpu->host->ops->monotonic_ns(cpu->host);
    uint64_t total_uj = em__tdp_cpu_step(&cpu->model, before_ns + (after_ns - before_ns) / 2, time);
    out[0] = (em__reading){.value = total_uj, .stamp = cpu->model.energy.last_ns};
}

static void cpu_destroy(em__device *device)
{
    cpu_device *cpu = (cpu_device *)device;
    close_stat(cpu);
    em__host_unref(cpu->host);
    em__device_free_channels(device);
    free(cpu);
}

static int cpu_revive(em__device *device)
{
    cpu_device *cpu = (cpu_device *)device;
    em__cpu_time time;
    close_stat(cpu);
    if (open_stat(cpu, &time) < 0) {
        return -1;
    }
    cpu->model = (em__tdp_cpu){.total_w = cpu->model.total_w, .full_ticks = cpu->model.full_ticks};
    return 0;
}

static const em__device_ops cpu_ops = {.read = cpu_read, .destroy = cpu_destroy, .revive = cpu_revive};

/* ------------------------------------------------------------------------------------------ sockets and their class */

typedef struct {
    em__host *host;
    uint64_t ids[MOST_SOCKETS];
    uint32_t sockets, cpus;
} topology;

static int note_cpu(void *context, const char *name)
{
    topology *top = context;
    char path[EM__SOURCE_SIZE + 64];
    uint64_t id;
    size_t length = strlen(name);
    if (strncmp(name, "cpu", 3) != 0 || length < 4 || length > 8 || strspn(name + 3, "0123456789") != length - 3) {
        return 0;
    }
    em__print(path, sizeof path, "/sys/devices/system/cpu/%s/topology/physical_package_id", name);
    if (em__host_u64(top->host, path, &id) < 0) {
        return 0;
    }
    top->cpus++;
    for (uint32_t i = 0; i < top->sockets; i++) {
        if (top->ids[i] == id) {
            return 0;
        }
    }
    if (top->sockets < MOST_SOCKETS) {
        top->ids[top->sockets++] = id;
    }
    return 0;
}

/* On Arm, cpuinfo names no sockets. The same rule holds there: many ids for few CPUs are a virtual machine's. */
static void complete(em__host *host, em__cpuinfo *cpus)
{
    topology top = {.host = host};
    if (cpus->packages == 0) {
        host->ops->list(host, "/sys/devices/system/cpu", note_cpu, &top);
        cpus->packages = top.sockets;
        cpus->cpus = cpus->cpus ? cpus->cpus : top.cpus;
        if (top.sockets > 1 && top.sockets > top.cpus / 2) {
            cpus->is_virtual = 1;
        }
    }
    cpus->packages = cpus->packages ? cpus->packages : 1;
    cpus->cpus = cpus->cpus ? cpus->cpus : 1;
}

/* The batteries of mice and keyboards have scope Device. */
static int stop_at_battery(void *context, const char *name)
{
    em__host *host = context;
    char path[EM__SOURCE_SIZE + 64], word[WORD_BYTES];
    em__print(path, sizeof path, "/sys/class/power_supply/%s/type", name);
    if (em__host_text(host, path, word, sizeof word) < 0 || strcmp(word, "Battery") != 0) {
        return 0;
    }
    em__print(path, sizeof path, "/sys/class/power_supply/%s/scope", name);
    return em__host_text(host, path, word, sizeof word) < 0 || strcmp(word, "Device") != 0;
}

typedef struct {
    const char *from;
    double each_w;
} tdp_class;

static tdp_class class_of(em__host *host, const em__cpuinfo *cpus)
{
    static const tdp_class laptop = {"default for a laptop", 28.0}, desktop = {"default for a desktop", 65.0},
                           server = {"default for a server", 150.0};
    /* Numbers of the SMBIOS specification, table "System Enclosure or Chassis Types". */
    static const unsigned char laptops[] = {8, 9, 10, 14, 30, 31, 32}, servers[] = {17, 23, 28, 29};
    uint64_t chassis = 0;
    if (em__host_u64(host, "/sys/class/dmi/id/chassis_type", &chassis) < 0 || chassis > 255) {
        chassis = 0;
    }
    if (memchr(servers, (int)chassis, sizeof servers) || cpus->packages > 1) {
        return server;
    }
    if (memchr(laptops, (int)chassis, sizeof laptops) ||
        host->ops->list(host, "/sys/class/power_supply", stop_at_battery, host) > 0) {
        return laptop;
    }
    if (strstr(cpus->model, "Xeon") || strstr(cpus->model, "EPYC") || strstr(cpus->model, "Ampere")) {
        return server;
    }
    return desktop;
}

/* ---------------------------------------------------------------------------------------------------------- probing */

/* What the model cannot see of this machine. */
static void add_doubts(em__host *host, const em__cpuinfo *cpus, em__cpu_time time, em__text *text)
{
    double limit = em__cpu_limit(host);
    if (cpus->is_virtual && time.steal > 0 && time.total > 0) {
        em__text_add(text, "; the host has taken ");
        em__text_fixed(text, 100.0 * (double)time.steal / (double)time.total, 1);
        em__text_add(text, " % of its time since boot (steal), which is not in it");
    }
    if (limit < cpus->cpus) {
        em__text_add(text, "; this process may use ");
        em__text_number(text, limit);
        em__text_format(text, " of %u CPUs, and the model is of all work on all of them", cpus->cpus);
    }
}

/* By the model's exact name; in a virtual machine its share of the CPU's threads, which takes a known number of cores. */
static int is_listed(const em__cpuinfo *cpus, em__power *ret_power)
{
    return em__power_of_cpu(cpus->model, ret_power) && (!cpus->is_virtual || ret_power->cores > 0);
}

static void describe_power(em__host *host, const em__selection *selection, const em__cpuinfo *cpus, em__cpu_time time,
                           em__channel *channel)
{
    em__power table;
    int is_given = !isnan(selection->cpu_tdp_w), is_found = !is_given && is_listed(cpus, &table);
    tdp_class power = {"given", selection->cpu_tdp_w};
    const char *what = cpus->packages > 1 ? "sockets" : "socket";
    channel->tdp_count = cpus->packages;
    if (is_found) {
        power = (tdp_class){NULL, table.each_w};
        channel->tdp_count = cpus->is_virtual ? cpus->cpus / (2.0 * table.cores) : cpus->packages;
    } else if (cpus->is_virtual) {
        /* The median of published Xeon and EPYC processors with 16 cores and more. */
        if (!is_given) {
            power = (tdp_class){"default for a virtual CPU", 3.5};
        }
        channel->tdp_count = is_given ? 1 : cpus->cpus;
        what = is_given ? "virtual machine" : cpus->cpus > 1 ? "virtual CPUs" : "virtual CPU";
    } else if (!is_given) {
        power = class_of(host, cpus);
    }
    channel->tdp_each_w = power.each_w;
    if (is_found) {
        em__print(channel->tdp_from, sizeof channel->tdp_from, "%s (%s)", table.key, table.origin);
    } else {
        em__copy(channel->tdp_from, sizeof channel->tdp_from, power.from);
    }
    channel->notes = EM_NOTE_BIT(EM_NOTE_MODEL) | EM_NOTE_BIT(EM_NOTE_WHOLE_MACHINE) |
                     (is_given || is_found ? 0 : EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT)) |
                     (cpus->is_virtual ? EM_NOTE_BIT(EM_NOTE_VIRTUAL) : 0);
    em__text text = {0};
    em__text_number(&text, channel->tdp_each_w);
    em__text_add(&text, " W x ");
    if (is_found && cpus->is_virtual) {
        em__text_format(&text, "%u virtual CPUs of %u threads", cpus->cpus, 2 * table.cores);
        what = "";
    } else {
        em__text_number(&text, channel->tdp_count);
    }
    /* docs/measurement.md §5: the mean absolute error over 229 published servers is 20 %. */
    em__text_format(&text, "%s%s, %s%s; whole machine without GPUs; U = 60 %% (k = 2), from 229 published servers",
                    what[0] ? " " : "", what, is_found ? "table of models: " : "", channel->tdp_from);
    add_doubts(host, cpus, time, &text);
    char *reason = em__text_finish(&text, NULL);
    em__copy(channel->reason, sizeof channel->reason, reason ? reason : "");
    free(reason);
}

static int explain(em__probe *probe, int error)
{
    static const char hint[] = "mount proc at /proc (in a container without --read-only masks on it)";
    int is_denied = error == -EACCES || error == -EPERM;
    if (error == -ENOENT) {
        return em__probe_absent(probe, &em__sensor_tdp, EM_ERR_NOT_SUPPORTED, hint, "%s does not exist", stat_path);
    }
    return em__probe_absent(probe, &em__sensor_tdp, is_denied ? EM_ERR_PERMISSION : EM_ERR_BROKEN, hint, "%s %s: %s",
                            stat_path, is_denied ? "may not be read" : "cannot be used",
                            error == -EILSEQ ? "its first line holds no CPU times" : strerror(-error));
}

static int cpu_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    em__cpuinfo cpus;
    em__cpu_time time;
    if (!(selection->measure & 1u << EM_DOMAIN_CPU)) {
        return em__probe_absent(probe, &em__sensor_tdp, EM_ERR_NOT_SELECTED, "", "the options leave the CPU out");
    }
    if (em__cpus_read(host, &cpus) == -ENOMEM) {
        return EM_ERR_NO_MEMORY;
    }
    cpu_device *made = calloc(1, sizeof *made);
    if (!made || em__device_init(&made->base, &cpu_ops, &em__sensor_tdp, 1) != EM_OK) {
        free(made);
        return EM_ERR_NO_MEMORY;
    }
    made->host = em__host_ref(host);
    int error = open_stat(made, &time);
    if (error < 0) {
        cpu_destroy(&made->base);
        return error == -ENOMEM ? EM_ERR_NO_MEMORY : explain(probe, error);
    }
    complete(host, &cpus);
    em__channel *channel = &made->base.channels[0];
    em__copy(channel->name, sizeof channel->name, "cpu-0/model");
    em__copy(channel->source, sizeof channel->source, stat_path);
    em__copy(channel->device_name, sizeof channel->device_name, cpus.model);
    channel->domain = EM_DOMAIN_CPU;
    channel->kind = EM_KIND_MODEL;
    channel->covers = EM__COVERS_ALL_CPUS;
    channel->refresh_ns = (uint64_t)FULL_TICKS * 1000000000 / TICKS_PER_S / cpus.cpus;
    channel->gain = EM__TDP_CPU_GAIN;
    describe_power(host, selection, &cpus, time, channel);
    made->model = (em__tdp_cpu){.total_w = channel->tdp_each_w * channel->tdp_count, .full_ticks = FULL_TICKS};
    return em__probe_add(probe, &made->base);
}

static int tdp_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    int status = cpu_probe(host, selection, probe);
    status = status == EM_OK ? em__tdp_gpu_probe(host, selection, probe) : status;
    return status == EM_OK ? em__tdp_dram_probe(host, selection, probe) : status;
}

const em__sensor em__sensor_tdp = {"tdp", 90, tdp_probe};
