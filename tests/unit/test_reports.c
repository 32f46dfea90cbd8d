/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reports against kept documents (tests/unit/golden; EM_REFRESH=1 writes them anew), which the Python tests read with
 * Python's own json. Quantities against figures worked by hand, times against the C library's calendar. */
#include "metrics/items.h"
#include "metrics/summary.h"
#include "reports/doctor.h"
#include "reports/layout.h"
#include "reports/sensors.h"
#include "reports/summary.h"

#include "check.h"

#include <stdlib.h>
#include <time.h>

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *content = calloc(1, 1 << 16);
    if (file && content) {
        size_t length = fread(content, 1, (1 << 16) - 1, file);
        content[length] = '\0';
    }
    if (file) {
        fclose(file);
    }
    return content;
}

static void expect_golden(char *text, size_t length, const char *name)
{
    const char *root = getenv("EM_SOURCE_DIR");
    char path[512];
    snprintf(path, sizeof path, "%s/tests/unit/golden/%s", root ? root : ".", name);
    if (!CHECK(text != NULL)) {
        return;
    }
    CHECK_INT(strlen(text), length);
    if (getenv("EM_REFRESH")) {
        FILE *file = fopen(path, "wb");
        if (CHECK(file != NULL)) {
            fwrite(text, 1, length, file);
            fclose(file);
        }
    }
    char *golden = read_file(path);
    if (!CHECK(golden != NULL && strcmp(text, golden) == 0)) {
        printf("# %s is not\n%s\n", path, text);
    }
    free(golden);
    free(text);
}

/* ---------------------------------------------------------------------------------------------------------- sensors */

static const em_channel machine[] = {
    {.name = "cpu-0/package",
     .sensor = "rapl-powercap",
     .source = "/sys/class/powercap/intel-rapl:0",
     .device_name = "Intel(R) Xeon(R) Gold 5118 CPU @ 2.30GHz",
     .reason = "",
     .domain = EM_DOMAIN_CPU,
     .kind = EM_KIND_COUNTER,
     .role = EM_ROLE_COUNTED,
     .of = -1},
    {.name = "cpu-0/core",
     .sensor = "rapl-powercap",
     .source = "/sys/class/powercap/intel-rapl:0:0",
     .device_name = "",
     .reason = "inside cpu-0/package",
     .domain = EM_DOMAIN_CPU,
     .kind = EM_KIND_COUNTER,
     .role = EM_ROLE_PART,
     .of = 0},
    {.name = "cpu-0/package@rapl-powercap",
     .sensor = "rapl-powercap",
     .source = "/sys/class/powercap/intel-rapl-mmio:0",
     .device_name = NULL,
     .reason = "the same silicon as cpu-0/package",
     .domain = EM_DOMAIN_CPU,
     .kind = EM_KIND_COUNTER,
     .role = EM_ROLE_MIRROR,
     .of = 0},
    {.name = "platform/psys",
     .sensor = "rapl-powercap",
     .source = "/sys/class/powercap/intel-rapl:1",
     .reason = "holds more than CPUs, memory and GPUs, so it is never added",
     .domain = EM_DOMAIN_PLATFORM,
     .kind = EM_KIND_COUNTER,
     .role = EM_ROLE_PLATFORM,
     .of = -1},
    {.name = "gpu-0/board",
     .sensor = "nvml",
     .source = "nvml:GPU-5d2b0f4a-1111-2222-3333-444455556666",
     .device_name = "NVIDIA \"H200\"\n\x1b[31m\xff\xc2\x9b",
     .uuid = "GPU-5d2b0f4a-1111-2222-3333-444455556666",
     .domain = EM_DOMAIN_GPU,
     .kind = EM_KIND_GAUGE,
     .role = EM_ROLE_COUNTED,
     .of = -1},
    {.name = "cpu-1/package",
     .sensor = "rapl-powercap",
     .source = "/sys/class/powercap/intel-rapl:2",
     .reason =
         "reading /sys/class/powercap/intel-rapl:2/energy_uj gives EIO, an input/output error; the firmware or the "
         "virtual machine does not answer for this socket, so it is left out",
     .domain = EM_DOMAIN_CPU,
     .kind = EM_KIND_COUNTER,
     .role = EM_ROLE_UNREADABLE,
     .status = EM_ERR_BROKEN,
     .of = -1},
    {.name = "cpu-1/core",
     .sensor = "rapl-powercap",
     .source = "/sys/class/powercap/intel-rapl:2:0",
     .reason =
         "reading /sys/class/powercap/intel-rapl:2/energy_uj gives EIO, an input/output error; the firmware or the "
         "virtual machine does not answer for this socket, so it is left out",
     .domain = EM_DOMAIN_CPU,
     .kind = EM_KIND_COUNTER,
     .role = EM_ROLE_UNREADABLE,
     .status = EM_ERR_BROKEN,
     .of = -1},
    {.name = "a-channel-with-a-name-that-is-longer-than-its-column@rapl-powercap#2",
     .sensor = "tdp",
     .source = "/proc/stat",
     .domain = EM_DOMAIN_OTHER,
     .kind = EM_KIND_MODEL,
     .role = EM_ROLE_COUNTED,
     .of = 99},
};
enum { MACHINE = sizeof machine / sizeof *machine };

static const em_absence absences[] = {
    {.status = EM_ERR_PERMISSION,
     .sensor = "rapl-powercap",
     .reason = "the energy counters are readable by root alone, as kernels since 5.10 have them",
     .hint = "let a group read them (as root):\nchgrp -R power /sys/class/powercap/*/energy_uj && chmod g+r "
             "/sys/class/powercap/*/energy_uj, and know that counters can leak secrets (CVE-2020-8694)"},
    {.status = EM_ERR_NO_LIBRARY, .sensor = "nvml", .reason = "libnvidia-ml.so.1 is not installed", .hint = ""},
    {.status = -12345, .sensor = NULL, .reason = NULL, .hint = NULL},
};

static void sensors_for_machines(void)
{
    size_t length = 0;
    char *text = em__reports_sensors(machine, MACHINE, absences, 3, EM_FORMAT_JSON, &length);
    expect_golden(text, length, "sensors.json");
}

static void sensors_for_people(void)
{
    size_t length = 0;
    char *text = em__reports_sensors(machine, MACHINE, absences, 3, EM_FORMAT_TEXT, &length);
    CHECK(text && !strchr(text, '\x1b') && !strchr(text, '\xff') && !strstr(text, "\xc2\x9b"));
    for (const char *line = text; line && *line; line += strcspn(line, "\n") + 1) {
        char copy[512];
        snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), line);
        CHECK(em__reports_width(copy) <= EM__LINE);
        CHECK(copy[0] == '\0' || copy[strlen(copy) - 1] != ' ');
    }
    expect_golden(text, length, "sensors.txt");
}

/* What was learned of the machine above while it was measured. */
static void learned(em_channel channels[MACHINE])
{
    memcpy(channels, machine, sizeof machine);
    for (size_t i = 0; i < MACHINE; i++) {
        channels[i].power_w = NAN;
    }
    channels[0].read_cost_ns = 1234;
    channels[0].period_ns = 1000000;
    channels[0].notes = EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED);
    channels[0].power_w = 51.25;
    channels[4].read_cost_ns = 2500000;
    channels[4].period_ns = 100300000;
    channels[4].notes = EM_NOTE_BIT(EM_NOTE_MIG) | EM_NOTE_BIT(EM_NOTE_DISAGREES) | UINT64_C(1) << 62;
    channels[5].status = EM_ERR_PERMISSION;
    channels[5].sensor = "rapl-perf";
    channels[7].notes = EM_NOTE_BIT(EM_NOTE_MODEL) | EM_NOTE_BIT(EM_NOTE_TDP_DEFAULT);
    channels[7].period_ns = 10000000;
}

static void the_doctor_for_machines(void)
{
    size_t length = 0;
    em_channel channels[MACHINE];
    learned(channels);
    char *text = em__reports_doctor(channels, MACHINE, absences, 3, NULL, EM_FORMAT_JSON, &length);
    expect_golden(text, length, "doctor.json");
}

static void the_doctor_for_people(void)
{
    size_t length = 0;
    em_channel channels[MACHINE];
    learned(channels);
    char *text = em__reports_doctor(channels, MACHINE, absences, 3, NULL, EM_FORMAT_TEXT, &length);
    CHECK(text && !strchr(text, '\x1b') && !strchr(text, '\xff') && !strstr(text, "\xc2\x9b"));
    expect_golden(text, length, "doctor.txt");
    text = em__reports_doctor(NULL, 0, NULL, 0, NULL, EM_FORMAT_TEXT, &length);
    CHECK_TEXT(text, "Nothing on this machine can be measured or estimated: the total is 0 J.\n");
    free(text);
}

static void nothing_found(void)
{
    size_t length = 0;
    char *json = em__reports_sensors(NULL, 0, NULL, 0, EM_FORMAT_JSON, &length);
    CHECK_TEXT(json, "{\"schema\":1,\"channels\":[],\n\"absent\":[]}\n");
    CHECK_INT(length, strlen(json));
    char *text = em__reports_sensors(NULL, 0, NULL, 0, EM_FORMAT_TEXT, NULL);
    CHECK_TEXT(text, "Nothing on this machine can be measured or estimated.\n");
    free(json);
    free(text);
}

/* ---------------------------------------------------------------------------------------------------------- summary */

#define MS UINT64_C(1000000)

static em_group group(int32_t kind, const char *name, uint64_t count, uint64_t duration_ns, double energy_j)
{
    em_group made = {.size = sizeof made, .kind = kind, .name = name, .count = count, .duration_ns = duration_ns};
    made.distinct_ns = duration_ns;
    made.process_cpu_share = NAN;
    made.total.energy_j = made.distinct.energy_j = energy_j;
    made.carbon_g = energy_j / 3.6e6 * 450;
    made.cost = made.embodied_g = NAN;
    for (size_t i = 0; i < EM_DOMAINS; i++) {
        made.by_domain[i].energy_j = NAN;
    }
    return made;
}

static em__summary_facts plain_facts(void)
{
    return (em__summary_facts){.device = "cpu",
                               .carbon = {.g_per_kwh = 450, .pue = 1, .source = "user", .pue_source = "assumed"},
                               .price_per_kwh = NAN,
                               .embodied_kg = NAN,
                               .lifetime_years = NAN,
                               .tdp_cpu = {.each_w = NAN},
                               .tdp_gpu = {.each_w = NAN},
                               .run_is_complete = 1,
                               .run_is_final = 1,
                               .gpu_shared = -1};
}

static void summary_of_a_run(int32_t format, const char *golden)
{
    em_group groups[] = {
        group(EM_WINDOW_RUN, NULL, 1, 12500 * MS, 1000),       group(EM_WINDOW_OTHER, NULL, 7, 700 * MS, 70),
        group(EM_WINDOW_OTHER, "val", 1, 500 * MS, 62.382),    group(EM_WINDOW_OTHER, "*", 3, 3, 1e-9),
        group(EM_WINDOW_BATCH, NULL, 6, 1800000003, 600.5),    group(EM_WINDOW_BATCH, "val", 2, 250 * MS, 10),
        group(EM_WINDOW_EPOCH, NULL, 2, 2000 * MS, 700),       group(EM_WINDOW_EPOCH, "val", 1, 1, NAN),
        group(EM_WINDOW_EPOCH, "\"\\\n\xc3\xa9", 1, 1 * MS, 1)};
    groups[0].by_domain[EM_DOMAIN_CPU].energy_j = 200.25;
    groups[0].by_domain[EM_DOMAIN_GPU].energy_j = 799.75;
    groups[0].process_cpu_share = 0.625;
    groups[0].by_provenance_j[EM_FROM_MEASURED] = 200.25;
    groups[0].by_provenance_j[EM_FROM_INTEGRATED] = 799.75;
    em_channel channels[MACHINE];
    memcpy(channels, machine, sizeof channels);
    static em_energy energies[MACHINE * (sizeof groups / sizeof *groups)];
    const char *names[MACHINE];
    for (size_t i = 0; i < MACHINE; i++) {
        names[i] = channels[i].name;
        energies[i] = (em_energy){.energy_j = NAN, .counted_j = NAN};
    }
    groups[0].total = (em_energy){
        .energy_j = 1000, .uncertainty_j = 82, .gain_j = 80, .edge_j = 18, .resolution = EM_RESOLUTION_COARSE};
    /* 1000 J for 192 items, of which the batches took 600.5 J; 10 J ± 1 J for 20; 100 items whose energy nobody knows. */
    groups[0].items = 192;
    groups[0].per_item = em__per_item_of(1000.0 / 192, 82.0 / 192, 1);
    groups[4].items = 192;
    groups[4].per_item = em__per_item_of(600.5 / 192, 60.05 / 192, 6);
    groups[5].items = 20;
    groups[5].per_item = em__per_item_of(0.5, 0.05, 2);
    groups[8].items = 1000000;
    groups[8].per_item = em__per_item_of(1e-6, 2e-7, 1);
    energies[0] = (em_energy){.energy_j = 200.25,
                              .counted_j = 200.25,
                              .uncertainty_j = 20.03,
                              .gain_j = 20.025,
                              .edge_j = 0.25,
                              .period_ns = 1000123};
    energies[4] = (em_energy){.energy_j = 799.75,
                              .counted_j = 799.75,
                              .uncertainty_j = 80,
                              .gain_j = 77.5,
                              .edge_j = 18,
                              .resolution = EM_RESOLUTION_COARSE,
                              .notes = EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED) | EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER),
                              .provenance = EM_FROM_INTEGRATED,
                              .period_ns = 1000 * MS};
    const em_summary summary = {.groups = groups,
                                .group_count = sizeof groups / sizeof *groups,
                                .channels = channels,
                                .names = names,
                                .energies = energies,
                                .channel_count = MACHINE};
    const em__summary_point points[] = {
        {UINT64_C(9007199254740993), 0}, {UINT64_C(9007199260990993), 100}, {UINT64_C(9007211754740993), 200.25}};
    em__summary_device devices[MACHINE];
    for (size_t i = 0; i < MACHINE; i++) {
        devices[i] = (em__summary_device){.counted_j = NAN};
    }
    devices[0] = (em__summary_device){.counted_j = 200.25, .points = points, .point_count = 3};
    devices[4] = (em__summary_device){.counted_j = 799.75};
    const em__summary_missing missing[] = {{"cpu-1/package", "the source answers with an error or with garbage"}};
    em__summary_facts facts = plain_facts();
    facts.host = "node-7";
    facts.boot_id = "c0ffee00-0000-4000-8000-000000000001";
    facts.pid = 4711;
    facts.begin_ns = points[0].t_ns;
    facts.end_ns = points[2].t_ns;
    facts.begin_wall_ns = UINT64_C(1709164799123456789);
    facts.device = "gpu";
    facts.gpu_name = "NVIDIA H200";
    facts.gpu_shared = 1;
    facts.carbon.source = "Ember - Yearly Electricity Data";
    facts.carbon.zone = "IE";
    facts.carbon.zone_name = "Ireland";
    facts.carbon.location = "aws:eu-west-1";
    facts.carbon.method = "life-cycle";
    facts.carbon.pue_source = "AWS";
    facts.price_per_kwh = 0.3;
    facts.embodied_kg = 1000;
    facts.lifetime_years = 4;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        groups[i].cost = groups[i].total.energy_j / 3.6e6 * 0.3;
        groups[i].embodied_g = (double)groups[i].duration_ns / 1e9 / (4 * 365 * 86400.0) * 1e6;
    }
    facts.carbon.year = 2024;
    facts.in_epochs_j = 700;
    facts.in_batches_j = 610.5;
    facts.outside_windows_j = 299.5;
    facts.tdp_cpu = (em__summary_tdp){150, 2, "default for a server"};
    facts.tdp_unused[0] = "gpu_tdp_w";
    facts.tdp_unused_count = 1;
    facts.overhead = (em__summary_overhead){0.000125, 0.001, 0.0015625, 0.25};
    facts.run_is_complete = 0;
    facts.missing = missing;
    facts.missing_count = 1;
    facts.devices = devices;
    size_t length = 0;
    char *text = em__reports_summary(&summary, &facts, format, &length);
    expect_golden(text, length, golden);
}

static void summary_for_machines(void)
{
    summary_of_a_run(EM_FORMAT_JSON, "summary.json");
}

static void summary_for_people(void)
{
    summary_of_a_run(EM_FORMAT_TEXT, "summary.txt");
}

static void summary_for_spreadsheets(void)
{
    summary_of_a_run(EM_FORMAT_CSV, "summary.csv");
}

static void summary_for_model_cards(void)
{
    summary_of_a_run(EM_FORMAT_MODEL_CARD, "model-card.md");
}

static void summary_for_boamps(void)
{
    summary_of_a_run(EM_FORMAT_BOAMPS, "boamps.json");
}

static void an_empty_run_divides_nothing_by_zero(void)
{
    em_group groups[] = {group(EM_WINDOW_RUN, NULL, 0, 0, NAN)};
    groups[0].carbon_g = INFINITY;
    const em_summary summary = {.groups = groups, .group_count = 1};
    em__summary_facts facts = plain_facts();
    facts.in_epochs_j = facts.in_batches_j = facts.outside_windows_j = NAN;
    size_t length = 0;
    char *json = em__reports_summary(&summary, &facts, EM_FORMAT_JSON, &length);
    expect_golden(json, length, "summary-empty.json");
    char *text = em__reports_summary(&summary, &facts, EM_FORMAT_TEXT, &length);
    CHECK(text && !strstr(text, "nan") && !strstr(text, "inf"));
    free(text);
    facts.carbon =
        (em_carbon){.g_per_kwh = 472.94, .pue = 1, .is_default = 1, .year = 2024, .source = "Ember", .zone = "WORLD"};
    text = em__reports_summary(&summary, &facts, EM_FORMAT_CSV, &length);
    expect_golden(text, length, "summary-empty.csv");
    text = em__reports_summary(&summary, &facts, EM_FORMAT_MODEL_CARD, &length);
    expect_golden(text, length, "model-card-empty.md");
    text = em__reports_summary(&summary, &facts, EM_FORMAT_BOAMPS, &length);
    expect_golden(text, length, "boamps-empty.json");
}

static void names_used_with_several_kinds_are_one(void)
{
    enum { NAMES = 500 };
    static em_group groups[1 + 3 * NAMES];
    static char names[NAMES][16];
    groups[0] = group(EM_WINDOW_RUN, NULL, 1, MS, 1);
    for (size_t i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof names[i], "w%zu", (i * 7919) % NAMES);
        for (size_t kind = 0; kind < 3; kind++) {
            groups[1 + kind * NAMES + i] = group((int32_t)kind, names[i], 1, MS, (double)i);
        }
    }
    const em_summary summary = {.groups = groups, .group_count = 1 + 3 * NAMES};
    const em__summary_facts facts = plain_facts();
    char *json = em__reports_summary(&summary, &facts, EM_FORMAT_JSON, NULL);
    size_t found = 0;
    for (const char *at = json; at && (at = strstr(at, "\"count\":3,")) != NULL; at++) {
        found++;
    }
    CHECK_INT(found, NAMES);
    CHECK(json && !strstr(json, "\"count\":1,"));
    free(json);
}

/* The years 1970 to 2514, leap days and ends of centuries among them. */
static void started_at_is_the_calendars_time(void)
{
    em_group groups[] = {group(EM_WINDOW_RUN, NULL, 1, MS, 1)};
    const em_summary summary = {.groups = groups, .group_count = 1};
    em__summary_facts facts = plain_facts();
    for (uint64_t seconds = 0; seconds < UINT64_C(17200000000); seconds += 86400 * 37 + 4321) {
        time_t when = (time_t)seconds;
        struct tm civil;
        char expected[64];
        gmtime_r(&when, &civil);
        strftime(expected, sizeof expected, "\"started_at\":\"%Y-%m-%dT%H:%M:%S.000001Z\"", &civil);
        facts.begin_wall_ns = seconds * 1000 * MS + 1999;
        char *json = em__reports_summary(&summary, &facts, EM_FORMAT_JSON, NULL);
        int holds = json && strstr(json, expected) != NULL;
        free(json);
        if (!CHECK(holds)) {
            printf("# %s\n", expected);
            return;
        }
    }
}

/* ----------------------------------------------------------------------------------------------------------- layout */

static void quantities_have_three_figures(void)
{
    static const struct {
        em__quantity quantity;
        double value;
        const char *text;
    } cases[] = {
        {EM__QUANTITY_ENERGY, 62.382, "62.4 J"},
        {EM__QUANTITY_MASS, 0.0077978, "7.80 mg"},
        {EM__QUANTITY_ENERGY, 0.0123456, "12.3 mJ"},
        {EM__QUANTITY_ENERGY, 999.4, "999 J"},
        {EM__QUANTITY_ENERGY, 999.5, "1.00 kJ"},
        {EM__QUANTITY_ENERGY, 1e6, "278 Wh"},
        {EM__QUANTITY_ENERGY, 3.6e6, "1.00 kWh"},
        {EM__QUANTITY_ENERGY, 9.996, "10.0 J"},
        {EM__QUANTITY_ENERGY, 0, "0 J"},
        {EM__QUANTITY_MASS, 0, "0 g"},
        {EM__QUANTITY_POWER, 700, "700 W"},
        {EM__QUANTITY_POWER, 1250, "1.25 kW"},
        {EM__QUANTITY_TIME, 0.3, "300 ms"},
        {EM__QUANTITY_TIME, 90, "90.0 s"},
        {EM__QUANTITY_TIME, 1200, "20.0 min"},
        {EM__QUANTITY_TIME, 86400, "24.0 h"},
        {EM__QUANTITY_MASS, 24692000, "24.7 t"},
        {EM__QUANTITY_MASS, 28.538813, "28.5 g"},
        {EM__QUANTITY_ENERGY, -5.5, "-5.50 J"},
        {EM__QUANTITY_ENERGY, NAN, "-"},
        {EM__QUANTITY_POWER, INFINITY, "-"},
        {EM__QUANTITY_TIME, 1e-9, "0 s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buffer[EM__QUANTITY_SIZE];
        CHECK_TEXT(em__reports_quantity(cases[i].quantity, cases[i].value, buffer), cases[i].text);
    }
}

static void numbers_stay_real_and_exact(void)
{
    em__text text = {0};
    em__text_add(&text, "[");
    static const double values[] = {0, 450, -1, 0.1, 1e300, 1e-300, NAN, -INFINITY};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        em__reports_comma(&text);
        em__reports_real(&text, values[i]);
    }
    static const uint64_t times[] = {0, 1, 1000000000, 1500000000, UINT64_MAX};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        em__reports_comma(&text);
        em__reports_seconds(&text, times[i]);
    }
    char *written = em__text_finish(&text, NULL);
    CHECK_TEXT(written, "[0.0,450.0,-1.0,0.1,1e+300,1e-300,null,null,"
                        "0.0,0.000000001,1.0,1.5,18446744073.709551615");
    free(written);
}

static void words_of_unknown_values(void)
{
    CHECK_TEXT(em__reports_role(EM_ROLE_UNREADABLE), "unreadable");
    CHECK_TEXT(em__reports_role(5), "unknown");
    CHECK_TEXT(em__reports_domain(-1), "unknown");
    CHECK_TEXT(em__reports_kind(INT32_MAX), "unknown");
    CHECK_TEXT(em__reports_provenance(EM_FROM_ESTIMATED), "estimated");
}

int main(void)
{
    RUN(sensors_for_machines);
    RUN(sensors_for_people);
    RUN(the_doctor_for_machines);
    RUN(the_doctor_for_people);
    RUN(nothing_found);
    RUN(summary_for_machines);
    RUN(summary_for_people);
    RUN(summary_for_spreadsheets);
    RUN(summary_for_model_cards);
    RUN(summary_for_boamps);
    RUN(an_empty_run_divides_nothing_by_zero);
    RUN(names_used_with_several_kinds_are_one);
    RUN(started_at_is_the_calendars_time);
    RUN(quantities_have_three_figures);
    RUN(numbers_stay_real_and_exact);
    RUN(words_of_unknown_values);
    return CHECK_DONE();
}
