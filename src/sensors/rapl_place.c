/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Names and limits of RAPL domains: the same for every way to read them, so that copies of one place are known as such. */
#include "sensors/rapl_place.h"

#include "core/text.h"
#include "energy_meter.h"

#include <errno.h>
#include <string.h>

enum { MOST_CONSTRAINTS = 8, MW_PER_W = 1000, UW_PER_MW = 1000 };

int em__rapl_is_amd(const em__cpuinfo *cpus)
{
    return strcmp(cpus->vendor, "AuthenticAMD") == 0 || strcmp(cpus->vendor, "HygonGenuine") == 0;
}

/* With SGX on, microcode since November 2020 filters what RAPL shows, whatever bit 0 of MSR 0xBC says. */
static int is_blurred(const em__cpuinfo *cpus)
{
    return cpus->has_sgx && strcmp(cpus->vendor, "GenuineIntel") == 0;
}

void em__rapl_describe(const em__zone_name *place, const em__cpuinfo *cpus, em__channel *channel)
{
    static const struct {
        const char *word;
        em__covers covers;
        int32_t domain;
    } kinds[] = {
        [EM__ZONE_PACKAGE] = {"package", EM__COVERS_PACKAGE, EM_DOMAIN_CPU},
        [EM__ZONE_DIE] = {"die", EM__COVERS_DIE, EM_DOMAIN_CPU},
        [EM__ZONE_CORE] = {"core", EM__COVERS_CORE, EM_DOMAIN_CPU},
        [EM__ZONE_UNCORE] = {"uncore", EM__COVERS_UNCORE, EM_DOMAIN_CPU},
        [EM__ZONE_DRAM] = {"dram", EM__COVERS_DRAM, EM_DOMAIN_DRAM},
        [EM__ZONE_PSYS] = {"psys", EM__COVERS_PLATFORM, EM_DOMAIN_PLATFORM},
    };
    const char *word = kinds[place->kind].word;
    channel->covers = kinds[place->kind].covers;
    channel->domain = kinds[place->kind].domain;
    channel->package = place->number;
    if (place->kind == EM__ZONE_PSYS) {
        em__copy(channel->name, sizeof channel->name, "platform/psys");
        if (place->number >= 0) {
            em__print(channel->name, sizeof channel->name, "platform/psys-%d", place->number);
        }
        return;
    }
    if (is_blurred(cpus)) {
        channel->notes |= EM_NOTE_BIT(EM_NOTE_BLURRED);
    }
    channel->die = place->die;
    if (place->kind == EM__ZONE_DIE) {
        em__print(channel->name, sizeof channel->name, "cpu-%d/die-%d", place->number, place->die);
        if (em__rapl_is_amd(cpus)) {
            channel->covers = EM__COVERS_DIE_ALIAS;
        }
    } else if (place->die >= 0) {
        em__print(channel->name, sizeof channel->name, "cpu-%d/die-%d/%s", place->number, place->die, word);
    } else {
        em__print(channel->name, sizeof channel->name, "cpu-%d/%s", place->number, word);
    }
}

/* Memory: 10 % on servers, 22 % on client CPUs: those have an uncore domain, or a name that is not a Xeon's. */
double em__rapl_gain(em__zone_kind kind, int has_graphics, const em__cpuinfo *cpus)
{
    int is_client = has_graphics || (cpus->model[0] && !strstr(cpus->model, "Xeon"));
    double gain = kind != EM__ZONE_DRAM ? 0.05 : is_client ? 0.22 : 0.10;
    return kind != EM__ZONE_PSYS && is_blurred(cpus) && gain < 0.20 ? 0.20 : gain;
}

/* Twice the largest limit, since real loads exceed limits for short, and real limits are junk at times. */
uint64_t em__rapl_ceiling_mw(em__host *host, em__zone_kind kind, const em__rapl_zone *zone)
{
    uint64_t largest_uw = 0;
    for (int i = 0; zone && i < MOST_CONSTRAINTS; i++) {
        char path[EM__SOURCE_SIZE + 40];
        uint64_t limit_uw;
        em__print(path, sizeof path, "%s/constraint_%d_power_limit_uw", zone->path, i);
        int error = em__host_u64(host, path, &limit_uw);
        if (error == -ENOENT) {
            break;
        }
        if (error == 0 && limit_uw > largest_uw) {
            largest_uw = limit_uw;
        }
    }
    int is_dram = kind == EM__ZONE_DRAM;
    uint64_t lowest = (is_dram ? 200 : 250) * MW_PER_W, unknown = (is_dram ? 200 : 1000) * MW_PER_W;
    uint64_t highest = 2000 * MW_PER_W, limit = largest_uw > 0 ? largest_uw / UW_PER_MW : unknown;
    limit = limit < lowest ? lowest : limit;
    return 2 * (limit > highest ? highest : limit);
}
