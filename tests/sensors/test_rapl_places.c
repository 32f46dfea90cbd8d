/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* rapl-powercap where the machine does not tell what a zone is: no vendor, or no name. */
#include "rapl_rig.h"
#include "sensors/rapl_place.h"

#define OTHER "/sys/class/powercap/intel-rapl:1"

/* Where no vendor is known, dies that count alike are one counter: 0.1 % and 1 J apart at most, in one range. */
static void test_values_decide_what_a_die_is(void)
{
    static const struct {
        const char *cpuinfo, *second, *range;
        int covers;
    } cases[] = {
        {NULL, "100000000000", "262143328850", EM__COVERS_DIE_ALIAS},
        {"processor\t: 0\n", "100101000000", "262143328850", EM__COVERS_DIE_ALIAS},
        {NULL, "100102000000", "262143328850", EM__COVERS_DIE},
        {NULL, "99898000000", "262143328850", EM__COVERS_DIE},
        {NULL, "100000000000", "262143999938", EM__COVERS_DIE},
        {NULL, NULL, "262143328850", EM__COVERS_DIE},
        {"processor\t: 0\nvendor_id\t: GenuineIntel\n", "100000000000", "262143328850", EM__COVERS_DIE},
        {"processor\t: 0\nvendor_id\t: AuthenticAMD\n", "3000000", "262143328850", EM__COVERS_DIE_ALIAS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__host *host = one_zone(ZONE, "package-0-die-0\n");
        put(host, ZONE "/energy_uj", "100000000000\n");
        put(host, OTHER "/name", "package-0-die-1\n");
        put(host, OTHER "/max_energy_range_uj", cases[i].range);
        if (cases[i].second) {
            put(host, OTHER "/energy_uj", cases[i].second);
        } else {
            put_broken(host, OTHER "/energy_uj", EIO);
        }
        if (cases[i].cpuinfo) {
            put(host, "/proc/cpuinfo", cases[i].cpuinfo);
        }
        em__probe probe = probe_rapl(host, UINT32_MAX);
        printf("# case %zu\n", i);
        CHECK_INT(channel_named(&probe, "cpu-0/die-0", NULL)->covers, cases[i].covers);
        CHECK_INT(channel_named(&probe, "cpu-0/die-1", NULL)->covers, cases[i].covers);
        finish(host, &probe);
    }
    em__host *host = one_zone(ZONE, "package-0-die-0\n"); /* one of them has just wrapped */
    put(host, ZONE "/energy_uj", "262143328000\n");
    put(host, OTHER "/name", "package-0-die-1\n");
    put(host, OTHER "/max_energy_range_uj", "262143328850\n");
    put(host, OTHER "/energy_uj", "2000\n");
    em__probe probe = probe_rapl(host, UINT32_MAX);
    CHECK_INT(channel_named(&probe, "cpu-0/die-1", NULL)->covers, EM__COVERS_DIE_ALIAS);
    finish(host, &probe);
}

/* docs/measurement.md §2 rule 13 and §7: 20 %, where SGX is on; a client's memory is less sure than that anyway. */
static void test_energies_that_are_blurred(void)
{
    static const struct {
        const char *vendor, *flags, *name;
        double gain;
        int is_blurred;
    } cases[] = {
        {"GenuineIntel", "fpu sgx sgx_lc", "package-0", 0.20, 1},
        {"GenuineIntel", "fpu sgx_lc", "package-0", 0.05, 0},
        {"GenuineIntel", "fpu", "package-0", 0.05, 0},
        {"AuthenticAMD", "fpu sgx", "package-0", 0.05, 0},
        {"GenuineIntel", "sgx", "psys", 0.05, 0},
        {"GenuineIntel", "sgx", "package-0-die-0", 0.20, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        em__host *host = one_zone(ZONE, cases[i].name);
        put(host, ZONE ":0/name", "dram\n");
        put(host, ZONE ":0/energy_uj", "1\n");
        snprintf(text, sizeof text, "processor: 0\nvendor_id: %s\nmodel name: Xeon\nflags: %s\n", cases[i].vendor,
                 cases[i].flags);
        put(host, "/proc/cpuinfo", text);
        em__probe probe = probe_rapl(host, UINT32_MAX);
        printf("# case %zu\n", i);
        const em__channel *zone = &probe.devices[0]->channels[0];
        CHECK_NEAR(zone->gain, cases[i].gain, 0);
        CHECK_INT((zone->notes & EM_NOTE_BIT(EM_NOTE_BLURRED)) != 0, cases[i].is_blurred);
        finish(host, &probe);
    }
    em__cpuinfo cpus = {.vendor = "GenuineIntel", .has_sgx = 1};
    CHECK_NEAR(em__rapl_gain(EM__ZONE_DRAM, 0, &cpus), 0.20, 0);
    CHECK_NEAR(em__rapl_gain(EM__ZONE_DRAM, 1, &cpus), 0.22, 0);
}

/* A second socket whose name cannot be had is not silently left out of what the first one gives. */
static void test_unnamed_beside_a_zone(void)
{
    static const struct {
        const char *name; /* NULL: none */
        unsigned mode;
        int error, is_dangling, status;
        const char *remedy;
    } cases[] = {
        {"junk\n", 0444, 0, 0, EM_ERR_BROKEN, "dmesg"},
        {"", 0444, 0, 0, EM_ERR_BROKEN, "dmesg"},
        {"dram\n", 0444, 0, 0, EM_ERR_BROKEN, "dmesg"},
        {NULL, 0, 0, 0, EM_ERR_BROKEN, "dmesg"},
        {"", 0444, EIO, 0, EM_ERR_BROKEN, "dmesg"},
        {"", 0444, EACCES, 0, EM_ERR_PERMISSION, "chmod a+r " OTHER "/name"},
        {"package-1\n", 0400, 0, 0, EM_ERR_PERMISSION, "chmod a+r " OTHER "/name"},
        {NULL, 0, 0, 1, EM_ERR_MASKED, "systempaths=unconfined"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__host *host = empty_machine(1);
        put(host, ZONE "/name", "package-0\n");
        put(host, ZONE "/energy_uj", "1000\n");
        if (cases[i].is_dangling) {
            em__machine_set_link(host, OTHER, "../../devices/virtual/powercap/intel-rapl/intel-rapl:1");
        } else {
            put(host, OTHER "/energy_uj", "2000\n");
            put(host, OTHER ":0/name", "dram\n");
            put(host, "/sys/class/powercap/intel-rapl-mmio:0/name", "junk\n");
        }
        if (cases[i].name) {
            const char *name = cases[i].name;
            em__machine_set_file(host, OTHER "/name", name, strlen(name), cases[i].mode, cases[i].error);
        }
        em__probe probe = probe_rapl(host, UINT32_MAX);
        em__device *device = NULL;
        const em__channel *channel = channel_named(&probe, "cpu/intel-rapl:1", &device);
        printf("# case %zu\n", i);
        CHECK_INT(probe.device_count, 2);
        if (CHECK(channel != NULL)) {
            CHECK_TEXT(channel->source, OTHER);
            CHECK_INT(channel->domain, EM_DOMAIN_CPU);
            CHECK_INT(channel->covers, EM__COVERS_PACKAGE);
            CHECK_INT(channel->package, 4097);
            CHECK_INT(channel->status, cases[i].status);
            CHECK(strstr(channel->reason, cases[i].remedy) != NULL);
            CHECK_INT(read_one(device).outcome, EM__READ_GONE);
            CHECK_INT(read_one(device).status, cases[i].status);
            CHECK(device->ops->revive(device) != 0);
        }
        em__sensors_free(&probe);
        probe = probe_rapl(host, 1u << EM_DOMAIN_DRAM);
        CHECK(channel_named(&probe, "cpu/intel-rapl:1", NULL) == NULL);
        finish(host, &probe);
    }
}

/* A subzone without a name beside its named package may be the package's memory. */
static void test_unnamed_below_a_zone(void)
{
    em__host *host = empty_machine(0);
    put(host, ZONE "/name", "package-0\n");
    put(host, ZONE "/energy_uj", "1000\n");
    put(host, ZONE ":0/name", "junk\n");
    put(host, ZONE ":0/energy_uj", "500\n");
    em__probe probe = probe_rapl(host, UINT32_MAX);
    const em__channel *channel = channel_named(&probe, "cpu/intel-rapl:0:0", NULL);
    CHECK_INT(probe.device_count, 2);
    if (CHECK(channel != NULL)) {
        CHECK_INT(channel->domain, EM_DOMAIN_DRAM);
        CHECK_INT(channel->status, EM_ERR_BROKEN);
    }
    finish(host, &probe);
}

int main(void)
{
    RUN(test_values_decide_what_a_die_is);
    RUN(test_energies_that_are_blurred);
    RUN(test_unnamed_beside_a_zone);
    RUN(test_unnamed_below_a_zone);
    return CHECK_DONE();
}
