/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The fallback models: power from a thermal design power and a utilisation, and energy from power and time. */
#include "sensors/tdp_model.h"

#include <math.h>

enum { PJ_PER_UJ = 1000000, NS_PER_S = 1000000000, UJ_PER_MW_S = 1000 };

/* No machine draws 10 MW; the bound keeps mW × ns within 64 bits. */
static const double most_mw = 1e10;
/* Time without ticks for so long goes at the last known power: /proc/stat does not move. */
static const uint64_t longest_wait_ns = NS_PER_S;

static uint64_t milliwatts(double watts)
{
    double value = watts * 1000.0 + 0.5;
    if (!(value > 0.0)) {
        return 0;
    }
    return (uint64_t)(value < most_mw ? value : most_mw);
}

static double held_to_one(double utilisation)
{
    if (!(utilisation > 0.0)) {
        return 0.0;
    }
    return utilisation < 1.0 ? utilisation : 1.0;
}

uint64_t em__tdp_cpu_mw(double tdp_w_total, double utilisation)
{
    static const struct {
        double utilisation, fraction;
    } knots[] = {{0.0, 0.15}, {0.1, 0.33}, {0.5, 0.62}, {1.0, 1.03}};
    double at = held_to_one(utilisation);
    int i = 1;
    while (at > knots[i].utilisation) {
        i++;
    }
    double along = (at - knots[i - 1].utilisation) / (knots[i].utilisation - knots[i - 1].utilisation);
    double fraction = knots[i - 1].fraction + along * (knots[i].fraction - knots[i - 1].fraction);
    return milliwatts(tdp_w_total * fraction);
}

uint64_t em__tdp_gpu_mw(double limit_w, double utilisation)
{
    return milliwatts(limit_w * (isnan(utilisation) ? 0.65 : 0.10 + 0.65 * held_to_one(utilisation)));
}

/* Kernel and firmware keep up to 3 % for themselves: the next of 16 sizes between two powers of two is what was put in. */
static double installed_gib(uint64_t total_kib)
{
    double gib = (double)total_kib / 1048576.0, power = 1.0;
    while (power * 2.0 <= gib) {
        power *= 2.0;
    }
    double step = power / 16.0;
    return ceil(gib / step) * step;
}

/* Up to 64 GB 3 W for 8 GB (Crucial; Tom's Hardware measured 0.37 to 0.38 W/GB in 2014). Above, where that would give
 * 768 W for 2 TB, CodeCarbon 3's guess of modules: 5 W each on x86, 1.5 W on Arm, and the more of them, the less each. */
em__tdp_memory em__tdp_dram(uint64_t total_kib, int is_x86)
{
    em__tdp_memory memory = {.installed_gib = installed_gib(total_kib)};
    if (memory.installed_gib <= 64.0) {
        memory.power_w = 0.375 * memory.installed_gib;
        return memory;
    }
    double each_w = is_x86 ? 5.0 : 1.5;
    memory.module_gib = 16;
    while (memory.module_gib < 128 && memory.module_gib * 2 <= memory.installed_gib / 8.0) {
        memory.module_gib *= 2;
    }
    double modules = memory.installed_gib > 128.0 ? ceil(memory.installed_gib / memory.module_gib) : 8.0;
    memory.modules = modules < 32.0 ? (unsigned)modules : 32;
    for (unsigned i = 1; i <= memory.modules; i++) {
        memory.power_w += each_w * (i <= 4 ? 1.0 : i <= 8 ? 0.9 : i <= 16 ? 0.8 : 0.7);
    }
    return memory;
}

void em__tdp_integrate(em__tdp_energy *energy, uint64_t now_ns, uint64_t power_mw)
{
    if (!energy->is_started) {
        energy->is_started = 1;
        energy->last_ns = now_ns;
        return;
    }
    if (now_ns <= energy->last_ns) {
        return;
    }
    uint64_t elapsed_ns = now_ns - energy->last_ns;
    uint64_t carry = energy->carry + elapsed_ns % NS_PER_S * power_mw;
    energy->total_uj += elapsed_ns / NS_PER_S * power_mw * UJ_PER_MW_S + carry / PJ_PER_UJ;
    energy->carry = carry % PJ_PER_UJ;
    energy->last_ns = now_ns;
}

static double utilisation_between(em__cpu_time from, em__cpu_time to)
{
    uint64_t busy = to.busy > from.busy ? to.busy - from.busy : 0;
    return to.total > from.total ? (double)busy / (double)(to.total - from.total) : 0.0;
}

uint64_t em__tdp_cpu_step(em__tdp_cpu *cpu, uint64_t now_ns, em__cpu_time time)
{
    if (!cpu->is_started) {
        cpu->is_started = 1;
        cpu->from = time;
        cpu->power_mw = em__tdp_cpu_mw(cpu->total_w, utilisation_between((em__cpu_time){.busy = 0}, time));
        em__tdp_integrate(&cpu->energy, now_ns, cpu->power_mw);
    }
    if (time.total < cpu->from.total) {
        cpu->from = time;
    }
    if (time.total - cpu->from.total >= cpu->full_ticks) {
        cpu->power_mw = em__tdp_cpu_mw(cpu->total_w, utilisation_between(cpu->from, time));
        cpu->from = time;
        em__tdp_integrate(&cpu->energy, now_ns, cpu->power_mw);
    } else if (now_ns > cpu->energy.last_ns + longest_wait_ns) {
        em__tdp_integrate(&cpu->energy, now_ns, cpu->power_mw);
    }
    return cpu->energy.total_uj;
}
