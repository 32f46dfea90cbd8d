/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The table of hwmon chips. Sources: the drivers' documentation in the kernel tree, the boards' manuals, and recorded
 * machines; see docs/sensors/hwmon.md. */
#include "sensors/hwmon_chips.h"

#include "energy_meter.h"

#include <string.h>

enum { P = EM__CHIP_POWER, E = EM__CHIP_ENERGY, V = EM__CHIP_VOLTS };
enum { CPU = EM_DOMAIN_CPU, GPU = EM_DOMAIN_GPU, ALL = EM_DOMAIN_PLATFORM, OTHER = EM_DOMAIN_OTHER };
enum {
    NEVER_ZERO = EM__CHIP_NEVER_ZERO,
    SLOW = EM__CHIP_SLOW,
    RARE = EM__CHIP_RARE,
    IN_TURN = EM__CHIP_IN_TURN,
    SPREAD = EM__CHIP_SPREAD,
    WHOLE = EM__CHIP_WHOLE,
    IN_WHOLE = EM__CHIP_IN_WHOLE,
    SAME = EM__CHIP_SAME_AS_WHOLE,
    WITH_MEMORY = EM__CHIP_WITH_MEMORY
};

#define PACKAGE EM__COVERS_PACKAGE, CPU, -1, "package"
#define INSIDE(word) EM__COVERS_CORE, CPU, -1, word
#define RAIL(number, domain) EM__COVERS_RAIL, domain, number, NULL
#define NAMED_RAIL(number, word) EM__COVERS_RAIL, CPU, number, word
#define MODULE EM__COVERS_MODULE, OTHER, -1, NULL
#define PIECE(rail) EM__COVERS_PIECE, OTHER, rail, NULL
#define PLATFORM EM__COVERS_PLATFORM, ALL, -1, NULL
#define IN_PLATFORM EM__COVERS_PIECE, ALL, -1, NULL

/* The first row that fits is taken. */
static const em__chip_rule rules[] = {
    /* AMD: amd_energy up to Linux 5.12, and its fork. */
    {"amd_energy", "Esocket#", E, PACKAGE, 0, 1, 2000, 0.05},
    {"amd_energy", "Ecore#", E, INSIDE(NULL), RARE | SPREAD, 1, 1000, 0.05},
    {"zenergy", "Esocket#", E, PACKAGE, 0, 1, 2000, 0.05},
    {"zenergy", "Ecore#", E, INSIDE(NULL), RARE | SPREAD, 1, 1000, 0.05},
    {"zenpower", "SVI2_P_Core", P, NAMED_RAIL(0, "rail-core"), NEVER_ZERO | IN_TURN, 1, 1000, 0.20},
    {"zenpower", "SVI2_P_SoC", P, NAMED_RAIL(1, "rail-soc"), NEVER_ZERO | IN_TURN, 1, 1000, 0.20},
    /* POWER: the operating system's view, and the BMC's. */
    {"ibmpowernv", "System", P | E, PLATFORM, WHOLE, 100, 100000, 0.05},
    {"ibmpowernv", "APSS 15", P | E, PLATFORM, SAME, 100, 100000, 0.05},
    {"ibmpowernv", "APSS #", P | E, IN_PLATFORM, IN_WHOLE | RARE, 100, 100000, 0.05},
    {"ibmpowernv", "Chip # *", P | E, INSIDE(NULL), RARE, 100, 2000, 0.05},
    {"ibmpowernv", "Chip #", P | E, PACKAGE, 0, 100, 2000, 0.05},
    {"occ", "#_system", P, PLATFORM, 0, 500, 100000, 0.05},
    {"occ", "#_proc", P, PACKAGE, 0, 500, 2000, 0.05},
    {"occ", "#_vdd", P, INSIDE(NULL), RARE, 500, 2000, 0.05},
    {"occ", "#_vdn", P, INSIDE(NULL), RARE, 500, 2000, 0.05},
    /* Ampere Altra and X-Gene: two feeds, whose sum is the socket. */
    {"altra_hwmon", "CPU power #", P, NAMED_RAIL(0, "rail-cpu"), NEVER_ZERO, 1, 1000, 0.05},
    {"altra_hwmon", "IO power #", P, NAMED_RAIL(1, "rail-io"), NEVER_ZERO, 1, 1000, 0.05},
    {"altra_hwmon", "Core Energy #", E, INSIDE(NULL), RARE | SPREAD, 1, 1000, 0.05},
    {"apm_xgene", "CPU power", P, NAMED_RAIL(0, "rail-cpu"), NEVER_ZERO | IN_TURN, 1000, 1000, 0.05},
    {"apm_xgene", "IO power", P, NAMED_RAIL(1, "rail-io"), NEVER_ZERO | IN_TURN, 1000, 1000, 0.05},
    /* Apple silicon: the system, and feeds inside it. */
    {"macsmc_hwmon", "Total System Power", P, PLATFORM, WHOLE | NEVER_ZERO, 1000, 1000, 0.05},
    {"macsmc_hwmon", "AC Input Power", P, PLATFORM, 0, 1000, 1000, 0.05},
    {"macsmc_hwmon", NULL, P, IN_PLATFORM, IN_WHOLE | RARE, 1000, 1000, 0.05},
    /* NVIDIA Grace names its ACPI power meters in oem_info. Elsewhere they measure the machine. */
    {"power_meter", "Grace Power Socket #", P, PACKAGE, NEVER_ZERO | WITH_MEMORY, 50, 2000, 0.05},
    {"power_meter", "CPU Power Socket #", P, INSIDE("cores"), NEVER_ZERO, 50, 2000, 0.05},
    {"power_meter", "SysIO Power Socket #", P, INSIDE("sysio"), NEVER_ZERO, 50, 2000, 0.05},
    {"power_meter", NULL, P, PLATFORM, NEVER_ZERO | SLOW, 1000, 100000, 0.05},
    /* NVIDIA Jetson. One rail feeds the module (Nano, TX2, Xavier NX, Orin NX and Nano), or several feed it together
     * (AGX Xavier, AGX Orin, AGX Thor). */
    {"ina3221", "NC", P | V, EM__COVERS_UNKNOWN, OTHER, -1, NULL, RARE, 0, 1, 0.05},
    {"ina3221", "VDD_IN", P | V, MODULE, NEVER_ZERO, 4, 200, 0.05},
    {"ina3221", "POM_5V_IN", P | V, MODULE, NEVER_ZERO, 4, 200, 0.05},
    {"ina3221", "VDD_CPU_CV", P | V, RAIL(0, CPU), 0, 4, 200, 0.05},
    {"ina3221", "VDD_GPU_SOC", P | V, RAIL(1, GPU), 0, 4, 200, 0.05},
    {"ina3221", "VIN_SYS_5V0", P | V, RAIL(2, OTHER), 0, 4, 200, 0.05},
    {"ina3221", "VDDQ_VDD2_1V8AO", P | V, PIECE(2), RARE, 4, 200, 0.05},
    {"ina3221", "VDD_GPU", P | V, RAIL(1, GPU), 0, 4, 200, 0.05},
    {"ina3221", "VDD_CPU_SOC_MSS", P | V, RAIL(0, CPU), 0, 4, 200, 0.05},
    {"ina3221", "CPU", P | V, RAIL(0, CPU), 0, 4, 200, 0.05},
    {"ina3221", "GPU", P | V, RAIL(1, GPU), 0, 4, 200, 0.05},
    {"ina3221", "SYS5V", P | V, RAIL(2, OTHER), 0, 4, 200, 0.05},
    {"ina3221", "SOC", P | V, RAIL(3, OTHER), 0, 4, 200, 0.05},
    {"ina3221", "CV", P | V, RAIL(4, OTHER), 0, 4, 200, 0.05},
    {"ina3221", "VDDRQ", P | V, RAIL(5, OTHER), 0, 4, 200, 0.05},
    {"ina3221", "VDD_*", P | V, PIECE(-1), RARE, 4, 200, 0.05},
    {"ina3221", "POM_5V_*", P | V, PIECE(-1), RARE, 4, 200, 0.05},
    {"ina3221", NULL, P | V, EM__COVERS_UNKNOWN, OTHER, -1, NULL, SLOW, 4, 1000, 0.05},
    /* Power supplies. */
    {"corsairpsu", "power total", P, PLATFORM, WHOLE | NEVER_ZERO | SLOW, 1000, 10000, 0.05},
    {"corsairpsu", NULL, P, IN_PLATFORM, IN_WHOLE | SLOW, 1000, 10000, 0.05},
    /* PMBus gives these labels, whatever the chip. A regulator on the board and a supply of the machine look alike. */
    {"*", "pin", P, PLATFORM, WHOLE | NEVER_ZERO | SLOW, 1000, 100000, 0.05},
    {"*", "pin#*", P, PLATFORM, NEVER_ZERO | SLOW, 1000, 100000, 0.05},
    {"*", "pout#*", P, IN_PLATFORM, IN_WHOLE | SLOW, 1000, 100000, 0.05},
};

const em__chip_rule *em__chip_rule_of(const em__hwmon_chip *chip, const char *label, uint32_t type, int32_t *ret_number)
{
    int32_t ignored;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const em__chip_rule *rule = &rules[i];
        *ret_number = -1;
        if (rule->types & type && em__parse_label(chip->name, rule->chip, &ignored) == 0 &&
            (!rule->label || em__parse_label(label, rule->label, ret_number) == 0)) {
            return rule;
        }
    }
    *ret_number = -1;
    return NULL;
}

int em__chip_is_elsewhere(const char *chip)
{
    static const char *const others[] = {"amdgpu", "i915", "xe", "i915_gt*"};
    int32_t ignored;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (em__parse_label(chip, others[i], &ignored) == 0) {
            return 1;
        }
    }
    return 0;
}
