/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The fallback models: power from a thermal design power and a utilisation, and energy from power and time. Pure. */
#ifndef EM_SENSORS_TDP_MODEL_H
#define EM_SENSORS_TDP_MODEL_H

#include "platform/parse.h"

#include <stdint.h>

/* Median of the 197 NVIDIA boards of data/gpu_tdp.csv, for a board whose limit nobody knows. */
#define EM__TDP_GPU_DEFAULT_W 225.0
/* k = 1; the CPU curve errs 20 % on average over 229 published servers, which is U(k = 2) = 60 %. */
#define EM__TDP_CPU_GAIN 0.30
#define EM__TDP_GPU_GAIN 0.25
#define EM__TDP_DRAM_GAIN 0.25

/* Power of a machine without GPUs, at the wall. tdp_w_total: of all sockets. utilisation is held to 0 … 1; NAN: 0. */
uint64_t em__tdp_cpu_mw(double tdp_w_total, double utilisation);
/* Power of a board. utilisation NAN: unknown. */
uint64_t em__tdp_gpu_mw(double limit_w, double utilisation);

/* Modules as guessed from the size alone, of at most module_gib; modules 0: not guessed. */
typedef struct {
    double installed_gib, power_w;
    unsigned modules, module_gib;
} em__tdp_memory;

/* total_kib as /proc/meminfo shows it, which is a little less than what is installed. x86 or Arm. */
em__tdp_memory em__tdp_dram(uint64_t total_kib, int is_x86);

/* A growing energy. Begins as all zeros. */
typedef struct {
    uint64_t total_uj;
    uint64_t carry; /* below 1 µJ, in pJ */
    uint64_t last_ns;
    int is_started;
} em__tdp_energy;

/* Adds the energy since the last call at power_mw, exactly, carrying what is below 1 µJ. The first call only notes the
 * time; a clock that stepped back adds nothing. */
void em__tdp_integrate(em__tdp_energy *energy, uint64_t now_ns, uint64_t power_mw);

/* The CPU model's state. Begins as all zeros but total_w and full_ticks. */
typedef struct {
    double total_w;        /* TDP × count */
    uint64_t full_ticks;   /* fewer than these, over all CPUs, say nothing of the utilisation */
    em__tdp_energy energy; /* up to the last evaluation, which was at energy.last_ns */
    em__cpu_time from;     /* as read then */
    uint64_t power_mw;     /* of the stretch that ended then */
    int is_started;
} em__tdp_cpu;

/* Takes one reading of /proc/stat and answers the energy from the first one to the last evaluation: once full_ticks have
 * passed, their utilisation gives the power of all the time since the evaluation before. */
uint64_t em__tdp_cpu_step(em__tdp_cpu *cpu, uint64_t now_ns, em__cpu_time time);

#endif
