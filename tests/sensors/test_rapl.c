/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* rapl-powercap on recorded machines, whose recorders said what each zone is, and on zones made to fail. */
#include "rapl_rig.h"

static const char sensor[] = "rapl-powercap";

/* ------------------------------------------------------------------------------------------------ recorded machines */

/* Zones of the documents' "expect": which list, and what a zone in it has to be. */
static int is_counted(const em__channel *channel)
{
    return channel->status == EM_OK && (channel->covers == EM__COVERS_PACKAGE || channel->covers == EM__COVERS_DIE ||
                                        channel->covers == EM__COVERS_DIE_ALIAS || channel->covers == EM__COVERS_DRAM);
}

static int is_part(const em__channel *channel)
{
    return channel->covers == EM__COVERS_CORE || channel->covers == EM__COVERS_UNCORE;
}

static int is_platform(const em__channel *channel)
{
    return channel->covers == EM__COVERS_PLATFORM && channel->domain == EM_DOMAIN_PLATFORM;
}

static size_t check_list(const em__json_node *expect, const char *list, const em__probe *probe,
                         int (*holds)(const em__channel *))
{
    size_t count = 0;
    const em__json_node *node = em__json_member(expect, list);
    for (const em__json_node *zone = node ? node->first : NULL; zone; zone = zone->next, count++) {
        const em__channel *channel = channel_at(probe, zone->text, NULL);
        if (!CHECK(channel != NULL) || !CHECK(holds(channel))) {
            printf("#   %s in %s\n", zone->text, list);
        }
    }
    return count;
}

/* A mirror is an alias of the same socket, or the same name behind its original in rank. */
static size_t check_duplicates(const em__json_node *expect, const em__probe *probe)
{
    size_t count = 0;
    const em__json_node *node = em__json_member(expect, "duplicate");
    for (const em__json_node *pair = node ? node->first : NULL; pair; pair = pair->next, count++) {
        em__device *mirror = NULL, *original = NULL;
        const em__channel *copy = channel_at(probe, pair->key, &mirror);
        const em__channel *of = channel_at(probe, pair->text, &original);
        if (!CHECK(copy && of)) {
            continue;
        }
        CHECK_INT(copy->package, of->package);
        if (copy->covers == EM__COVERS_DIE_ALIAS) {
            CHECK_INT(of->covers, EM__COVERS_DIE_ALIAS);
        } else {
            CHECK(strcmp(copy->name, of->name) == 0 && mirror->rank > original->rank);
        }
    }
    return count;
}

static size_t check_unreadable(const em__json_node *expect, const em__probe *probe)
{
    size_t count = 0;
    const em__json_node *node = em__json_member(expect, "unreadable");
    for (const em__json_node *pair = node ? node->first : NULL; pair; pair = pair->next, count++) {
        em__device *device = NULL;
        const em__channel *channel = channel_at(probe, pair->key, &device);
        if (!CHECK(channel != NULL)) {
            continue;
        }
        CHECK_INT(channel->status, strcmp(pair->text, "EACCES") == 0 ? EM_ERR_PERMISSION : EM_ERR_BROKEN);
        CHECK(channel->reason[0] != '\0');
        CHECK_INT(read_one(device).outcome, EM__READ_GONE);
    }
    return count;
}

/* What the document records of a zone's file, through the class folder's link. */
static const em__json_node *recorded_file(const em__json_node *root, const char *zone, const char *file)
{
    char path[512];
    const em__json_node *link = em__json_member(em__json_member(root, "links"), zone);
    if (link) {
        snprintf(path, sizeof path, "/sys/%s/%s", link->text + strlen("../../"), file);
    } else {
        snprintf(path, sizeof path, "%s/%s", zone, file);
    }
    return em__json_member(em__json_member(root, "files"), path);
}

/* Every channel says what its files say, and a user can read it exactly where the recorded mode lets others read. */
static void check_facts(const em__json_node *root, const em__probe *probe, int as_user)
{
    for (size_t i = 0; i < probe->device_count; i++) {
        em__device *device = probe->devices[i];
        const em__channel *channel = &device->channels[0];
        const em__json_node *energy = recorded_file(root, channel->source, "energy_uj");
        const em__json_node *range = recorded_file(root, channel->source, "max_energy_range_uj");
        if (!CHECK(energy && range)) {
            continue;
        }
        const em__json_node *content = em__json_member(energy, "content");
        const char *mode = em__json_member(energy, "mode")->text;
        int is_open = !as_user || (mode[strlen(mode) - 1] - '0') & 4;
        CHECK_INT(channel->range, strtoull(em__json_member(range, "content")->text, NULL, 10));
        if (!is_open) {
            CHECK_INT(channel->status, EM_ERR_PERMISSION);
            CHECK(strstr(channel->reason, "sudo chmod") != NULL);
            CHECK_INT(read_one(device).status, EM_ERR_PERMISSION);
        } else if (content->type == EM__JSON_STRING) {
            CHECK_INT(channel->status, EM_OK);
            CHECK_INT(read_one(device).outcome, EM__READ_OK);
            CHECK_INT(read_one(device).value, strtoull(content->text, NULL, 10));
        }
    }
}

static void check_recorded(const char *name, size_t channels, int absence)
{
    for (int as_user = 0; as_user < 2; as_user++) {
        char path[512];
        size_t length, listed = 0;
        em__json *json = NULL;
        snprintf(path, sizeof path, "%s/%s.json", EM_TEST_MACHINES, name);
        char *text = load_file(path, &length);
        CHECK_INT(em__json_parse(text, length, &json, NULL), 0);
        const em__json_node *root = em__json_root(json), *expect = em__json_member(root, "expect");
        em__host *host = recorded_machine(name, as_user);
        em__probe probe = probe_rapl(host, UINT32_MAX);
        CHECK_INT(probe.device_count, channels);
        check_facts(root, &probe, as_user);
        if (!as_user) {
            listed += check_list(expect, "sum", &probe, is_counted);
            listed += check_list(expect, "informational", &probe, is_part);
            listed += check_list(expect, "platform", &probe, is_platform);
            listed += check_duplicates(expect, &probe);
            listed += check_unreadable(expect, &probe);
            CHECK(listed <= channels);
            CHECK_INT(probe.absence_count, absence ? 1 : 0);
        }
        CHECK(!absence || absence_of(&probe, sensor, absence) != NULL);
        finish(host, &probe);
        em__json_destroy(json);
        free(text);
    }
}

static void test_recorded_machines(void)
{
    check_recorded("intel-xeon-2s-gold-5118", 4, 0);
    check_recorded("intel-laptop-alderlake-zenbook-ux3402za-mmio", 4, 0);
    check_recorded("intel-laptop-psys-energy-0400-ls-lr", 4, 0);
    check_recorded("prometheus-procfs-skylake-95w-plus-hex-zone", 3, 0);
    check_recorded("amd-threadripper-1950x-die-mirror", 2, 0);
    check_recorded("amd-epyc-zen4-2s-8ccd-kernel-6.9-ccd-zones", 32, 0);
    check_recorded("intel-xeon-cascadelake-ap-multi-die", 8, 0);
    check_recorded("rapl-energy-read-eio-and-enodata", 3, 0);
    check_recorded("container-dangling-powercap-symlinks", 0, EM_ERR_MASKED);
    check_recorded("intel-rapl-control-type-without-zones", 0, EM_ERR_NO_ZONES);
    check_recorded("vm-no-powercap-tesla-t4", 0, EM_ERR_NO_DRIVER);
}

static void check_source(const em__probe *probe, const char *name, const char *source, int domain)
{
    const em__channel *channel = channel_named(probe, name, NULL);
    if (!CHECK(channel != NULL)) {
        printf("#   %s\n", name);
        return;
    }
    CHECK_TEXT(channel->source, source);
    CHECK_INT(channel->domain, domain);
    CHECK_INT(channel->kind, EM_KIND_COUNTER);
    CHECK_INT(channel->scale_num, channel->scale_den);
}

static void test_names(void)
{
    static const struct {
        const char *machine, *name, *source;
        int domain;
    } expected[] = {
        {"intel-xeon-2s-gold-5118", "cpu-0/package", "/sys/class/powercap/intel-rapl:0", EM_DOMAIN_CPU},
        {"intel-xeon-2s-gold-5118", "cpu-1/dram", "/sys/class/powercap/intel-rapl:1:0", EM_DOMAIN_DRAM},
        {"intel-laptop-psys-energy-0400-ls-lr", "platform/psys", "/sys/class/powercap/intel-rapl:1",
         EM_DOMAIN_PLATFORM},
        {"intel-laptop-psys-energy-0400-ls-lr", "cpu-0/core", "/sys/class/powercap/intel-rapl:0:0", EM_DOMAIN_CPU},
        {"intel-laptop-psys-energy-0400-ls-lr", "cpu-0/uncore", "/sys/class/powercap/intel-rapl:0:1", EM_DOMAIN_CPU},
        {"prometheus-procfs-skylake-95w-plus-hex-zone", "cpu-10/package", "/sys/class/powercap/intel-rapl:a",
         EM_DOMAIN_CPU},
        {"amd-threadripper-1950x-die-mirror", "cpu-0/die-1", "/sys/class/powercap/intel-rapl:1", EM_DOMAIN_CPU},
        {"amd-epyc-zen4-2s-8ccd-kernel-6.9-ccd-zones", "cpu-1/die-7", "/sys/class/powercap/intel-rapl:f",
         EM_DOMAIN_CPU},
        {"amd-epyc-zen4-2s-8ccd-kernel-6.9-ccd-zones", "cpu-1/die-2/core", "/sys/class/powercap/intel-rapl:a:0",
         EM_DOMAIN_CPU},
        {"intel-xeon-cascadelake-ap-multi-die", "cpu-1/die-0", "/sys/class/powercap/intel-rapl:2", EM_DOMAIN_CPU},
        {"intel-xeon-cascadelake-ap-multi-die", "cpu-1/die-0/dram", "/sys/class/powercap/intel-rapl:2:0",
         EM_DOMAIN_DRAM},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        em__host *host = recorded_machine(expected[i].machine, 0);
        em__probe probe = probe_rapl(host, UINT32_MAX);
        check_source(&probe, expected[i].name, expected[i].source, expected[i].domain);
        finish(host, &probe);
    }
}

static void test_vendor_decides_what_a_die_is(void)
{
    em__host *host = recorded_machine("intel-xeon-cascadelake-ap-multi-die", 0);
    em__probe probe = probe_rapl(host, UINT32_MAX);
    CHECK_INT(channel_named(&probe, "cpu-1/die-1", NULL)->covers, EM__COVERS_DIE);
    CHECK_INT(channel_named(&probe, "cpu-1/die-1/dram", NULL)->die, 1);
    em__sensors_free(&probe);
    put(host, "/proc/cpuinfo", "processor\t: 0\nvendor_id\t: HygonGenuine\n");
    probe = probe_rapl(host, UINT32_MAX);
    CHECK_INT(channel_named(&probe, "cpu-1/die-1", NULL)->covers, EM__COVERS_DIE_ALIAS);
    finish(host, &probe);
}

static void test_every_diagnosis_has_its_own_advice(void)
{
    static const struct {
        const char *machine;
        int as_user, status;
        const char *advice;
    } cases[] = {
        {"intel-xeon-2s-gold-5118", 1, EM_ERR_PERMISSION, "chmod a+r"},
        {"container-dangling-powercap-symlinks", 0, EM_ERR_MASKED, "systempaths=unconfined"},
        {"intel-rapl-control-type-without-zones", 0, EM_ERR_NO_ZONES, "dmesg"},
        {"vm-no-powercap-tesla-t4", 0, EM_ERR_NO_DRIVER, "virtual machine"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__host *host = recorded_machine(cases[i].machine, cases[i].as_user);
        em__probe probe = probe_rapl(host, UINT32_MAX);
        const em__absence *absence = absence_of(&probe, sensor, cases[i].status);
        if (CHECK(absence != NULL) && !CHECK(strstr(absence->hint, cases[i].advice) != NULL)) {
            printf("#   %s\n", absence->hint);
        }
        finish(host, &probe);
    }
    em__host *bare = empty_machine(0);
    em__probe probe = probe_rapl(bare, UINT32_MAX);
    const em__absence *absence = absence_of(&probe, sensor, EM_ERR_NO_DRIVER);
    CHECK(absence && strstr(absence->hint, "modprobe intel_rapl_msr") != NULL);
    finish(bare, &probe);
}

/* ------------------------------------------------------------------------------------------------- machines by hand */

static void test_reading_follows_the_file(void)
{
    static const struct {
        const char *content;
        em__outcome outcome;
    } contents[] = {
        {"2000\n", EM__READ_OK},
        {"", EM__READ_AGAIN},
        {"\n", EM__READ_AGAIN},
        {"-5\n", EM__READ_AGAIN},
        {"12 13\n", EM__READ_AGAIN},
        {"0x10\n", EM__READ_AGAIN},
        {"<no data>\n", EM__READ_AGAIN},
        {"18446744073709551616\n", EM__READ_AGAIN},
        {"18446744073709551615\n", EM__READ_AGAIN},
        {"262143328851\n", EM__READ_AGAIN},
        {"262143328850\n", EM__READ_OK},
        {"0\n", EM__READ_OK},
        {"                                                             1234567\n", EM__READ_AGAIN}, /* cut short */
    };
    em__host *host = one_zone(ZONE, "package-0\n");
    em__probe probe = probe_rapl(host, UINT32_MAX);
    em__device *device = probe.devices[0];
    CHECK_INT(read_one(device).value, 1000);
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        put(host, ZONE "/energy_uj", contents[i].content);
        if (!CHECK_INT(read_one(device).outcome, contents[i].outcome)) {
            printf("#   \"%s\"\n", contents[i].content);
        }
        CHECK_INT(read_one(device).status, contents[i].outcome == EM__READ_OK ? EM_OK : EM_ERR_READ);
    }
    put(host, ZONE "/energy_uj", "2000\n");
    CHECK_INT(read_one(device).value, 2000);
    finish(host, &probe);
}

static void test_errors_of_a_read(void)
{
    static const struct {
        int error;
        em__outcome outcome;
        int status;
    } errors[] = {
        {EIO, EM__READ_AGAIN, EM_ERR_READ},    {ENODATA, EM__READ_AGAIN, EM_ERR_READ},
        {EINVAL, EM__READ_AGAIN, EM_ERR_READ}, {EACCES, EM__READ_GONE, EM_ERR_PERMISSION},
        {ENODEV, EM__READ_GONE, EM_ERR_GONE},  {ENOENT, EM__READ_GONE, EM_ERR_GONE},
    };
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        em__host *host = one_zone(ZONE, "package-0\n");
        em__probe probe = probe_rapl(host, UINT32_MAX);
        put_broken(host, ZONE "/energy_uj", errors[i].error);
        CHECK_INT(read_one(probe.devices[0]).outcome, errors[i].outcome);
        CHECK_INT(read_one(probe.devices[0]).status, errors[i].status);
        finish(host, &probe);
    }
}

static void test_vanishes_and_comes_back(void)
{
    em__host *host = one_zone(ZONE, "package-0\n");
    em__probe probe = probe_rapl(host, UINT32_MAX);
    em__device *device = probe.devices[0];
    em__machine_remove(host, ZONE);
    CHECK_INT(read_one(device).outcome, EM__READ_GONE);
    CHECK_INT(read_one(device).status, EM_ERR_GONE);
    CHECK(device->ops->revive(device) != 0);
    CHECK_INT(read_one(device).outcome, EM__READ_GONE);
    put(host, ZONE "/energy_uj", "77\n");
    CHECK_INT(device->ops->revive(device), 0);
    CHECK_INT(read_one(device).value, 77);
    finish(host, &probe);
}

static void test_ranges(void)
{
    static const struct {
        const char *range;
        uint64_t expected;
    } ranges[] = {
        {"262143328850", 262143328850},
        {"262143999938", 262143999938},
        {"65712999613", 65712999613},
        {"65532610987", 65532610987},
        {"4294967295000000", 4294967295000000},
        {"0", 0},
        {"", 0},
        {"junk", 0},
        {"999", 0}, /* below the count of 1000 */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        em__host *host = one_zone(ZONE, "package-0\n");
        put(host, ZONE "/max_energy_range_uj", ranges[i].range);
        em__probe probe = probe_rapl(host, UINT32_MAX);
        CHECK_INT(probe.devices[0]->channels[0].range, ranges[i].expected);
        CHECK_INT(read_one(probe.devices[0]).value, 1000);
        finish(host, &probe);
    }
}

/* Twice the largest limit in W, held between 250 and 2000; memory 200; without a limit 1000. */
static void test_ceilings(void)
{
    static const struct {
        const char *name, *limits[3];
        uint64_t ceiling_w;
    } cases[] = {
        {"package-0", {"125000000", NULL, NULL}, 500},
        {"package-0", {"15000000", "30000000", "126000000"}, 500},
        {"package-0", {"350000000", "420000000", NULL}, 840},
        {"package-0", {"4090000000", "4090000000", NULL}, 4000},
        {"package-0", {"18446744073709551615", NULL, NULL}, 4000},
        {"package-0", {"", "350000000", NULL}, 700},
        {"package-0", {NULL, NULL, NULL}, 2000},
        {"psys", {"0", "0", NULL}, 2000},
        {"package-0-die-1", {"99999999999999999999999", NULL, NULL}, 2000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__host *host = one_zone(ZONE, cases[i].name);
        for (int j = 0; j < 3 && cases[i].limits[j]; j++) {
            char path[100];
            snprintf(path, sizeof path, ZONE "/constraint_%d_power_limit_uw", j);
            put(host, path, cases[i].limits[j]);
        }
        em__probe probe = probe_rapl(host, UINT32_MAX);
        CHECK_INT(probe.devices[0]->channels[0].ceiling_mw, cases[i].ceiling_w * 1000);
        finish(host, &probe);
    }
    em__host *host = recorded_machine("intel-xeon-2s-gold-5118", 0);
    em__probe probe = probe_rapl(host, UINT32_MAX);
    CHECK_INT(channel_named(&probe, "cpu-0/dram", NULL)->ceiling_mw, 400000);
    finish(host, &probe);
}

/* A file that cannot be read for a constraint says nothing against the zone. */
static void test_broken_constraint_disqualifies_nothing(void)
{
    em__host *host = one_zone(ZONE, "package-0\n");
    put_broken(host, ZONE "/constraint_0_power_limit_uw", ENODATA);
    put(host, ZONE "/constraint_1_power_limit_uw", "300000000\n");
    put(host, ZONE "/enabled", "0\n");
    em__probe probe = probe_rapl(host, UINT32_MAX);
    CHECK_INT(probe.devices[0]->channels[0].status, EM_OK);
    CHECK_INT(probe.devices[0]->channels[0].ceiling_mw, 600000);
    finish(host, &probe);
}

static void test_trees_without_links(void)
{
    static const char *const folders[] = {
        ZONE,
        "/sys/class/powercap/intel-rapl/intel-rapl:0",
        "/sys/devices/virtual/powercap/intel-rapl/intel-rapl:0",
    };
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        em__host *host = one_zone(folders[i], "package-3\n");
        char path[200];
        snprintf(path, sizeof path, "%s/intel-rapl:0:0/name", folders[i]);
        put(host, path, "dram\n");
        snprintf(path, sizeof path, "%s/intel-rapl:0:0/energy_uj", folders[i]);
        put(host, path, "55\n");
        em__probe probe = probe_rapl(host, UINT32_MAX);
        CHECK_INT(probe.device_count, 2);
        CHECK(channel_named(&probe, "cpu-3/package", NULL) != NULL);
        em__device *device = NULL;
        CHECK(channel_named(&probe, "cpu-3/dram", &device) != NULL);
        CHECK_INT(device ? read_one(device).value : 0, 55);
        CHECK_INT(probe.absence_count, 0);
        finish(host, &probe);
    }
}

static void test_names_that_nobody_knows(void)
{
    static const char *const names[] = {"",           "package-", "package-99999999999", "package-0-die-",
                                        "packages-0", "gpu",      "PACKAGE-0",           "package-0 core",
                                        "dram",       "core",     "package--1",          "psys-x"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        em__host *host = one_zone(ZONE, names[i]);
        em__probe probe = probe_rapl(host, UINT32_MAX);
        if (!CHECK_INT(probe.device_count, 0)) {
            printf("#   %s became %s\n", names[i], probe.devices[0]->channels[0].name);
        }
        CHECK(absence_of(&probe, sensor, EM_ERR_BROKEN) != NULL);
        finish(host, &probe);
    }
}

static void test_unreadable_at_the_start(void)
{
    static const struct {
        int error, status;
    } errors[] = {{EACCES, EM_ERR_PERMISSION}, {EINVAL, EM_ERR_BROKEN}, {EIO, EM_ERR_BROKEN}, {ENODATA, EM_ERR_BROKEN}};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        em__host *host = one_zone(ZONE, "package-0\n");
        put_broken(host, ZONE "/energy_uj", errors[i].error);
        em__probe probe = probe_rapl(host, UINT32_MAX);
        CHECK_INT(probe.devices[0]->channels[0].status, errors[i].status);
        const em__absence *absence = absence_of(&probe, sensor, errors[i].status);
        CHECK(absence && absence->reason[0] && absence->hint[0]);
        CHECK_INT(probe.absence_count, 1);
        finish(host, &probe);
    }
    em__host *host = one_zone(ZONE, "package-0\n");
    em__machine_remove(host, ZONE "/energy_uj");
    em__probe probe = probe_rapl(host, UINT32_MAX);
    CHECK_INT(probe.devices[0]->channels[0].status, EM_ERR_NOT_SUPPORTED);
    finish(host, &probe);
}

static void test_measure_leaves_out(void)
{
    em__host *host = recorded_machine("intel-xeon-2s-gold-5118", 0);
    em__probe probe = probe_rapl(host, 1u << EM_DOMAIN_DRAM);
    CHECK_INT(probe.device_count, 2);
    CHECK(channel_named(&probe, "cpu-1/dram", NULL) != NULL);
    em__sensors_free(&probe);
    probe = probe_rapl(host, 1u << EM_DOMAIN_GPU);
    CHECK_INT(probe.device_count, 0);
    CHECK(absence_of(&probe, sensor, EM_ERR_NOT_SELECTED) != NULL);
    finish(host, &probe);
}

/* Packages 5 %, memory of servers 10 %, of client CPUs 22 %. */
static void test_gains(void)
{
    em__host *host = recorded_machine("intel-xeon-2s-gold-5118", 0);
    em__probe probe = probe_rapl(host, UINT32_MAX);
    CHECK_NEAR(channel_named(&probe, "cpu-0/package", NULL)->gain, 0.05, 0);
    CHECK_NEAR(channel_named(&probe, "cpu-0/dram", NULL)->gain, 0.10, 0);
    em__sensors_free(&probe);
    put(host, "/sys/class/powercap/intel-rapl:0/intel-rapl:0:1/name", "uncore\n");
    probe = probe_rapl(host, UINT32_MAX);
    CHECK_NEAR(channel_named(&probe, "cpu-0/dram", NULL)->gain, 0.22, 0);
    CHECK_NEAR(channel_named(&probe, "cpu-1/dram", NULL)->gain, 0.10, 0);
    em__sensors_free(&probe);
    put(host, "/proc/cpuinfo", "processor: 0\nvendor_id: GenuineIntel\nmodel name: Intel(R) Core(TM) i5-9400F CPU\n");
    probe = probe_rapl(host, UINT32_MAX);
    CHECK_NEAR(channel_named(&probe, "cpu-1/dram", NULL)->gain, 0.22, 0);
    CHECK_TEXT(channel_named(&probe, "cpu-1/dram", NULL)->device_name, "Intel(R) Core(TM) i5-9400F CPU");
    finish(host, &probe);
}

int main(void)
{
    RUN(test_recorded_machines);
    RUN(test_names);
    RUN(test_vendor_decides_what_a_die_is);
    RUN(test_every_diagnosis_has_its_own_advice);
    RUN(test_reading_follows_the_file);
    RUN(test_errors_of_a_read);
    RUN(test_vanishes_and_comes_back);
    RUN(test_ranges);
    RUN(test_ceilings);
    RUN(test_broken_constraint_disqualifies_nothing);
    RUN(test_trees_without_links);
    RUN(test_names_that_nobody_knows);
    RUN(test_unreadable_at_the_start);
    RUN(test_measure_leaves_out);
    RUN(test_gains);
    return CHECK_DONE();
}
