/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A machine whose counters follow waves. Its clock is the test's, and then it has no threads; or it is the real one,
 * with real threads. */
#ifndef TESTS_RIG_FAKE_HOST_H
#define TESTS_RIG_FAKE_HOST_H

#include "platform/host.h"
#include "rig/source.h"

typedef struct rig_host rig_host;

/* A driven clock begins at start_ns. These end the program when they cannot. */
rig_host *rig_host_create(uint64_t start_ns);
rig_host *rig_host_create_live(void);
em__host *rig_host_base(rig_host *rig); /* valid until destroy; whoever keeps it takes a reference */
void rig_host_destroy(rig_host *rig);   /* drops the creator's reference */

uint64_t rig_host_now(rig_host *rig);
void rig_host_advance(rig_host *rig, uint64_t elapsed_ns);
/* From now on each look at CLOCK_MONOTONIC takes so long: the time that the code under test itself needs. */
void rig_host_set_clock_cost(rig_host *rig, uint64_t cost_ns);
/* The machine sleeps: only CLOCK_BOOTTIME and the wall clock go on. */
void rig_host_suspend(rig_host *rig, uint64_t elapsed_ns);

/* A file that does not move. */
void rig_host_put(rig_host *rig, const char *path, const char *content);
/* /proc/cpuinfo of so many logical CPUs, spread over sockets. */
void rig_host_put_cpus(rig_host *rig, const char *vendor, const char *model, int sockets, int cpus);

/* /proc/stat: utilisation (a wave of 0 … 1, the machine's) in ticks of 10 ms, of so many CPUs. */
void rig_host_put_stat(rig_host *rig, const wave *utilisation, int cpus);

typedef struct {
    const char *folder; /* "intel-rapl:0", "intel-rapl:0:1", "intel-rapl-mmio:0" */
    const char *name;   /* "package-0", "dram" … */
    double limit_w;     /* its only constraint; 0: none */
    int range_error;    /* positive errno that reading the range gives; 0: it shows the source's */
    uint64_t cost_ns;   /* of one read of its energy: the driven clock goes on by it */
    rig_source source;
} rig_zone;

/* A zone of the powercap tree. Its number is what the calls below take. */
size_t rig_host_put_zone(rig_host *rig, const rig_zone *zone);

typedef struct {
    const char *unit, *event; /* "power", "energy-pkg" */
    uint32_t type;            /* of the unit */
    uint64_t config;
    int cpu;           /* the unit lists the CPUs of all its events */
    int package, die;  /* the CPU's place; die -1: the machine does not tell */
    const char *scale; /* NULL: the kernel's, 2^-32 J a count; "1e-6": the source's own µJ */
    rig_source source; /* counted from when it is opened */
} rig_event;

/* An event of a performance monitoring unit, and with the first one the right to open such events. A zone beside the
 * others: its number is what the calls below take. */
size_t rig_host_put_event(rig_host *rig, const rig_event *event);
/* What opening events answers from now on: 0 or a negative errno. */
void rig_host_refuse_events(rig_host *rig, int error);

/* The zone's source; change it only while nothing reads. */
rig_source *rig_host_source(rig_host *rig, size_t zone);
/* How often its energy was read. */
uint64_t rig_host_reads(rig_host *rig, size_t zone);

/* From now on a read of the zone's energy does not return before it is let go. */
void rig_host_block(rig_host *rig, size_t zone);
void rig_host_let_go(rig_host *rig, size_t zone);
/* Reads that wait to be let go. */
int rig_host_blocked(rig_host *rig);
/* Threads that were started and have not ended. */
int rig_host_threads(rig_host *rig);

#endif
