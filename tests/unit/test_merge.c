/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Summaries read back and merged, against closed forms: what devices used over the union of the processes' time. */
#include "check.h"
#include "core/text.h"
#include "energy_meter.h"
#include "rig/random.h"

#include <stdlib.h>

/* A device of constant power with a step; energies are its integral, whoever looks. */
typedef struct {
    const char *channel, *uuid, *provenance;
    double before_w, after_w, step_s, factor; /* factor: what this process makes of it */
    int points;                               /* 0: none, and the energy alone */
} device;

typedef struct {
    const char *host, *boot_id;
    int pid;
    double begin_s, end_s;
    device devices[4];
    size_t count;
    int batches;
    double batch_j, g_per_kwh;
    int is_patchy; /* half of the time is between windows */
} process;

static double integral(const device *of, double from_s, double to_s)
{
    double before_s = fmax(0, fmin(to_s, of->step_s) - from_s), after_s = fmax(0, to_s - fmax(from_s, of->step_s));
    return (before_s * of->before_w + after_s * of->after_w) * (of->factor > 0 ? of->factor : 1);
}

static void add(em__text *text, const char *key, double value)
{
    em__text_add(text, key);
    em__text_number(text, value);
}

static void write_group(em__text *text, const process *from)
{
    em__text_format(text, "{\"count\":%d,", from->batches);
    add(text, "\"total_duration_s\":", 0.5 * from->batches);
    add(text, ",\"total_energy_j\":", from->batch_j);
    add(text, ",\"total_carbon_g\":", from->batch_j / 3.6e6 * from->g_per_kwh);
    add(text, ",\"distinct_energy_j\":", from->batch_j);
    em__text_add(text, ",\"uncertainty_j\":5.0,\"uncertainty_gain_j\":4.0,\"uncertainty_edge_j\":3.0}");
}

static char *json_of(const process *from, size_t *ret_length)
{
    em__text text = {0};
    double total_j = 0;
    for (size_t i = 0; i < from->count; i++) {
        total_j += integral(&from->devices[i], from->begin_s, from->end_s);
    }
    em__text_add(&text, "{\"schema\":1,\"device\":\"gpu\",\"gpu_name\":null,\"gpu_shared\":true,"
                        "\"batch_summary\":");
    write_group(&text, from);
    em__text_add(&text, ",\"epoch_summary\":");
    write_group(&text, &(process){.g_per_kwh = 1});
    em__text_add(&text, ",\"windows\":{\"val\":");
    write_group(&text, from);
    add(&text, "},\"run\":{\"duration_s\":", (from->end_s - from->begin_s) * (from->is_patchy ? 0.5 : 1));
    add(&text, ",\"energy_j\":", total_j);
    add(&text, ",\"carbon_g\":", total_j / 3.6e6 * from->g_per_kwh);
    em__text_add(&text, ",\"cpu_energy_j\":null,\"gpu_energy_j\":null,\"dram_energy_j\":null,\"other_energy_j\":null,"
                        "\"energy_by_provenance\":{\"measured\":0,\"integrated\":0,\"estimated\":0},"
                        "\"uncertainty_j\":1,\"uncertainty_gain_j\":1,\"uncertainty_edge_j\":1,\"resolution\":\"fine\","
                        "\"reasons\":[\"a sentence of the total\"],\"complete\":true,\"missing\":[],\"final\":true,"
                        "\"process_cpu_share\":0.25,\"in_epochs_j\":1,\"in_batches_j\":2,\"outside_windows_j\":3,"
                        "\"channels\":{");
    for (size_t i = 0; i < from->count; i++) {
        double energy_j = integral(&from->devices[i], from->begin_s, from->end_s);
        em__text_format(&text, "%s\"%s\":{\"provenance\":\"%s\"", i ? "," : "", from->devices[i].channel,
                        from->devices[i].provenance);
        add(&text, ",\"energy_j\":", energy_j);
        add(&text, ",\"uncertainty_gain_j\":", 0.1 * energy_j);
        em__text_add(&text, ",\"uncertainty_j\":null,\"uncertainty_edge_j\":0.3,\"resolution\":\"fine\","
                            "\"reasons\":[\"a sentence of the channel\"],\"update_period_s\":0.001,"
                            "\"update_period_from\":\"measured\"}");
    }
    add(&text, "}},\"carbon_basis\":{\"g_per_kwh\":", from->g_per_kwh);
    em__text_add(&text, ",\"source\":\"user\",\"year\":null,\"is_default\":false},"
                        "\"tdp\":{\"cpu\":null,\"gpu\":null,\"unused\":[]},"
                        "\"overhead\":{\"fraction\":0.001,\"limit\":0.001,\"caller_s\":0.01,\"sync_s\":0.0},"
                        "\"scope\":{\"host\":");
    em__text_json(&text, from->host);
    em__text_add(&text, ",\"boot_id\":");
    em__text_json(&text, from->boot_id);
    em__text_format(&text, ",\"pid\":%d,\"started_at\":\"2026-03-01T12:00:%02d.000000Z\"", from->pid,
                    (int)from->begin_s % 60);
    add(&text, ",\"t_begin\":", from->begin_s);
    add(&text, ",\"t_end\":", from->end_s);
    em__text_add(&text, ",\"devices\":[");
    for (size_t i = 0; i < from->count; i++) {
        const device *of = &from->devices[i];
        em__text_format(&text, "%s{\"channel\":\"%s\",\"uuid\":", i ? "," : "", of->channel);
        em__text_json(&text, of->uuid);
        add(&text, ",\"name\":\"\",\"energy_j\":", integral(of, from->begin_s, from->end_s));
        em__text_add(&text, ",\"points\":[");
        for (int k = 0; k < of->points; k++) {
            double t_s = from->begin_s + (from->end_s - from->begin_s) * k / (of->points - 1);
            add(&text, k ? ",[" : "[", t_s);
            add(&text, ",", integral(of, from->begin_s, t_s));
            em__text_add(&text, "]");
        }
        em__text_add(&text, "]}");
    }
    em__text_add(&text, "]}}");
    return em__text_finish(&text, ret_length);
}

enum { MOST = 8 };
static em_summary *parts[MOST];
static em_error error;

static em_summary *read_one(const process *from)
{
    size_t length = 0;
    char *text = json_of(from, &length);
    em_summary *summary = NULL;
    error = (em_error){.size = sizeof error};
    if (!CHECK_INT(em_summary_parse(text, length, &error, &summary), EM_OK)) {
        printf("# %s; %s\n# %s\n", error.text, error.remedy, text);
    }
    free(text);
    return summary;
}

/* NULL: refused, and error says why. */
static em_summary *merge(const process *from, size_t count)
{
    em_summary *merged = NULL;
    for (size_t i = 0; i < count; i++) {
        parts[i] = read_one(&from[i]);
    }
    error = (em_error){.size = sizeof error};
    int status = em_summary_merge((const em_summary *const *)parts, count, &error, &merged);
    CHECK(status == EM_OK ? merged != NULL : status == EM_ERR_INVALID && merged == NULL && error.text[0]);
    CHECK(status == EM_OK || (error.remedy[0] && strncmp(error.argument, "parts[", 6) == 0));
    for (size_t i = 0; i < count; i++) {
        em_summary_destroy(parts[i]);
    }
    return merged;
}

static em_group run_of(const em_summary *summary)
{
    em_group run = {.size = sizeof run};
    CHECK_INT(em_summary_group(summary, 0, &run), EM_OK);
    return run;
}

static em_group batches_of(const em_summary *summary)
{
    size_t index = 0;
    em_group group = {.size = sizeof group};
    CHECK_INT(em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index), EM_OK);
    CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
    return group;
}

#define CPU(points) {"cpu-0/package", NULL, "measured", 100, 100, 0, 1, points}
#define GPU(points) {"gpu-0/board", "GPU-a", "measured", 50, 450, 20, 1, points}

static process plain(int pid, double begin_s, double end_s)
{
    return (process){.host = "node",
                     .boot_id = "boot-1",
                     .pid = pid,
                     .begin_s = begin_s,
                     .end_s = end_s,
                     .devices = {CPU(33), GPU(33)},
                     .count = 2,
                     .batches = 4,
                     .batch_j = 40,
                     .g_per_kwh = 360};
}

static const device cpu = CPU(0), gpu = GPU(0);

static void four_with_different_spans(void)
{
    const process ranks[] = {plain(1, 10, 30), plain(2, 11, 33.5), plain(3, 9.25, 28), plain(4, 12, 36)};
    em_summary *merged = merge(ranks, 4);
    if (!CHECK(merged != NULL)) {
        printf("# %s\n", error.text);
        return;
    }
    em_group run = run_of(merged);
    double cpu_j = integral(&cpu, 9.25, 36), gpu_j = integral(&gpu, 9.25, 36);
    CHECK_NEAR(run.by_domain[EM_DOMAIN_CPU].energy_j, cpu_j, 1e-5);
    CHECK_NEAR(run.by_domain[EM_DOMAIN_GPU].energy_j, gpu_j, 0.003 * gpu_j);
    CHECK_NEAR(run.total.energy_j, cpu_j + gpu_j, 0.003 * gpu_j);
    CHECK_NEAR((double)run.duration_ns, 26.75e9, 2);
    CHECK_NEAR(run.carbon_g, run.total.energy_j / 1e4, 1e-9);
    CHECK(isnan(run.process_cpu_share));
    /* Gain is common to all that measured the device, and independent between devices. */
    CHECK_NEAR(run.by_domain[EM_DOMAIN_CPU].gain_j, 0.1 * cpu_j, 1e-4);
    CHECK_NEAR(run.total.gain_j, 0.1 * sqrt(cpu_j * cpu_j + gpu_j * gpu_j), 1);
    CHECK(run.by_domain[EM_DOMAIN_CPU].edge_j >= 0.3);
    em_energy package;
    CHECK_INT(em_summary_energy(merged, 0, 0, &package), EM_OK);
    CHECK_NEAR(package.uncertainty_j, sqrt(package.gain_j * package.gain_j + package.edge_j * package.edge_j), 1e-9);
    em_group batches = batches_of(merged);
    CHECK_INT(batches.count, 16);
    CHECK_INT(batches.duration_ns, 8000000000);
    CHECK(isnan(batches.total.energy_j));
    int32_t is_shared = 7;
    CHECK_INT(em_summary_gpu_shared(merged, &is_shared), EM_OK);
    CHECK_INT(is_shared, -1);
    char *text = NULL;
    CHECK_INT(em_summary_format(merged, EM_FORMAT_JSON, &text, NULL), EM_OK);
    CHECK(strstr(text, "\"num_batches\":16") && strstr(text, "\"total_energy_j\":null"));
    CHECK(strstr(text, "\"in_batches_j\":null") && strstr(text, "each joule once") && strstr(text, "\"pid\":null"));
    CHECK(strstr(text, "a sentence of the total") && strstr(text, "cpu-0/package: a sentence of the channel"));
    CHECK(!strstr(text, ":nan") && !strstr(text, ":inf"));
    em_text_destroy(text);
    em_summary_destroy(merged);
}

/* One that covers all the others is the answer, exactly. */
static void nested(void)
{
    const process ranks[] = {plain(2, 12, 30), plain(1, 10, 40), plain(3, 15, 16)};
    em_summary *merged = merge(ranks, 3);
    if (CHECK(merged != NULL)) {
        CHECK_NEAR(run_of(merged).total.energy_j, integral(&cpu, 10, 40) + integral(&gpu, 10, 40), 1e-5);
        CHECK_NEAR(run_of(merged).by_domain[EM_DOMAIN_GPU].edge_j, 0.3, 1e-9);
    }
    em_summary_destroy(merged);
}

static void one_after_another(void)
{
    process ranks[] = {plain(2, 30, 40), plain(1, 10, 20)};
    ranks[0].devices[0].points = ranks[1].devices[1].points = 0; /* nothing overlaps, so nothing needs them */
    ranks[0].is_patchy = 1;
    em_summary *merged = merge(ranks, 2);
    if (!CHECK(merged != NULL)) {
        return;
    }
    em_group run = run_of(merged), batches = batches_of(merged);
    CHECK_NEAR(run.total.energy_j, 2000 + 500 + 4500, 1e-5);
    CHECK_NEAR((double)run.duration_ns, 15e9, 2);
    CHECK_NEAR(batches.total.energy_j, 80, 1e-9);
    CHECK_NEAR(batches.carbon_g, 80e-4, 1e-9);
    CHECK_NEAR(batches.total.gain_j, 8, 1e-9);
    CHECK_NEAR(batches.total.edge_j, 3 * sqrt(2), 1e-9);
    em_summary_destroy(merged);
}

static void different_hosts(void)
{
    process ranks[] = {plain(1, 10, 30), plain(1, 10, 30), plain(1, 10.5, 29)};
    ranks[1].host = "other";
    ranks[1].boot_id = "boot-2";
    ranks[2].host = "node"; /* a twin by name alone */
    ranks[2].boot_id = "boot-3";
    em_summary *merged = merge(ranks, 3);
    if (!CHECK(merged != NULL)) {
        return;
    }
    em_group run = run_of(merged), batches = batches_of(merged);
    CHECK_NEAR(run.total.energy_j,
               2 * (integral(&cpu, 10, 30) + integral(&gpu, 10, 30)) + integral(&cpu, 10.5, 29) +
                   integral(&gpu, 10.5, 29),
               1e-4);
    CHECK_NEAR((double)run.duration_ns, 20e9, 1e9); /* at the same time, by the wall */
    CHECK_NEAR(batches.total.energy_j, 120, 1e-9);
    CHECK_NEAR(batches.total.gain_j, 4 * sqrt(3), 1e-9); /* different devices */
    CHECK_INT(em_summary_channel_count(merged), 6);
    em_channel channel = {.size = sizeof channel};
    CHECK_INT(em_summary_channel(merged, 0, &channel), EM_OK);
    CHECK_TEXT(channel.name, "node-boot-1/cpu-0/package");
    CHECK_INT(em_summary_channel(merged, 2, &channel), EM_OK);
    CHECK_TEXT(channel.name, "other/cpu-0/package");
    em_summary *again = NULL;
    char *text = NULL;
    size_t length = 0;
    CHECK_INT(em_summary_format(merged, EM_FORMAT_JSON, &text, &length), EM_OK);
    CHECK_INT(em_summary_parse(text, length, &error, &again), EM_OK);
    em_summary_destroy(again);
    em_text_destroy(text);
    em_summary_destroy(merged);
}

/* Containers number boards anew; a UUID is the board. A fallback's name adds the sensor to the same silicon. */
static void the_same_by_other_names(void)
{
    process ranks[] = {plain(1, 10, 30), plain(2, 10, 30), plain(3, 10, 30)};
    ranks[1].devices[1].channel = "gpu-3/board";
    ranks[1].devices[0].channel = "cpu-0/package@rapl-powercap";
    ranks[2].devices[1].uuid = "GPU-b"; /* another board of the same name */
    em_summary *merged = merge(ranks, 3);
    if (CHECK(merged != NULL)) {
        CHECK_NEAR(run_of(merged).total.energy_j, integral(&cpu, 10, 30) + 2 * integral(&gpu, 10, 30), 1e-4);
        em_channel channel = {.size = sizeof channel};
        CHECK_INT(em_summary_channel(merged, 1, &channel), EM_OK);
        CHECK_TEXT(channel.name, "gpu-0/board");
        CHECK_INT(em_summary_channel(merged, 2, &channel), EM_OK);
        CHECK_TEXT(channel.name, "gpu-0/board#GPU-b");
    }
    em_summary_destroy(merged);
}

static void models_count_once(void)
{
    process ranks[] = {plain(1, 10, 30), plain(2, 12, 32)};
    ranks[0].devices[0] = ranks[1].devices[0] = (device){"cpu-0/model", NULL, "estimated", 60, 60, 0, 1, 33};
    em_summary *merged = merge(ranks, 2);
    if (CHECK(merged != NULL)) {
        CHECK_NEAR(run_of(merged).by_domain[EM_DOMAIN_CPU].energy_j, 22 * 60, 1e-4);
        CHECK_NEAR(run_of(merged).by_provenance_j[EM_FROM_ESTIMATED], 22 * 60, 1e-4);
    }
    em_summary_destroy(merged);
}

static void refused(const process *ranks, size_t count, const char *word, const char *other)
{
    em_summary *merged = merge(ranks, count);
    CHECK(merged == NULL);
    if (!CHECK(strstr(error.text, word) && strstr(error.text, other))) {
        printf("# %s; %s\n", error.text, error.remedy);
    }
    em_summary_destroy(merged);
}

static void what_cannot_be_resolved(void)
{
    process ranks[] = {plain(4711, 10, 30), plain(4712, 12, 32)};
    ranks[1].devices[1].points = 0;
    refused(ranks, 2, "pid 4711 on node", "pid 4712 on node");
    CHECK(strstr(error.text, "gpu-0/board") && strstr(error.text, "no points"));
    CHECK_TEXT(error.argument, "parts[1]");

    process inside[] = {plain(4711, 10, 40), plain(4712, 12, 14), plain(4713, 20, 22)};
    inside[2].devices[0].points = 0; /* behind one that has ended, and yet in the first */
    refused(inside, 3, "pid 4711 on node", "pid 4713 on node");

    ranks[1] = plain(4712, 12, 32);
    ranks[1].devices[1].factor = 1.5; /* gains of 10 % each explain less */
    refused(ranks, 2, "contradict", "pid 4712 on node");
    ranks[1].devices[1].factor = 1.1;
    em_summary *merged = merge(ranks, 2);
    CHECK(merged != NULL);
    em_summary_destroy(merged);

    ranks[1] = plain(4712, 12, 32);
    ranks[1].is_patchy = 1;
    refused(ranks, 2, "pid 4712 on node", "left out the time");

    ranks[1] = plain(4712, 12, 32);
    ranks[1].devices[0] = (device){"cpu-0/model", NULL, "estimated", 60, 60, 0, 1, 33};
    refused(ranks, 2, "is a model in the summary of pid 4712", "pid 4711 on node");

    ranks[1] = plain(4711, 10, 31); /* the same meter, a second later */
    refused(ranks, 2, "the same meter", "pid 4711 on node");

    ranks[1] = plain(4712, 12, 32);
    ranks[1].boot_id = NULL;
    refused(ranks, 2, "boot_id", "pid 4712 on node");
    CHECK_INT(em_summary_merge(NULL, 0, &error, &merged), EM_ERR_INVALID);
    CHECK_INT(em_summary_merge(NULL, 0, NULL, &merged), EM_ERR_INVALID);
    CHECK_INT(em_summary_merge((const em_summary *const[]){NULL}, 1, &error, &merged), EM_ERR_INVALID);
}

/* A disabled meter's summary has no device and no boot, and stands in nobody's way. */
static void one_that_measured_nothing(void)
{
    process ranks[] = {plain(1, 10, 30), plain(2, 12, 132)};
    ranks[1].count = 0;
    ranks[1].boot_id = NULL;
    em_summary *merged = merge(ranks, 2);
    if (CHECK(merged != NULL)) {
        CHECK_NEAR(run_of(merged).total.energy_j, integral(&cpu, 10, 30) + integral(&gpu, 10, 30), 1e-4);
        CHECK_NEAR((double)run_of(merged).duration_ns, 20e9, 2);
    }
    em_summary_destroy(merged);
}

/* Nodes merge their own ranks, and the results merge into the same as all at once. */
static void merged_ones_merge_again(void)
{
    const process ranks[] = {plain(1, 10, 30), plain(2, 12, 34), plain(3, 15, 40)};
    em_summary *all = merge(ranks, 3), *two = merge(ranks, 2), *third = read_one(&ranks[2]), *both = NULL,
               *twice = NULL;
    if (!CHECK(all && two && third)) {
        return;
    }
    const em_summary *const pair[] = {two, third};
    if (CHECK_INT(em_summary_merge(pair, 2, &error, &both), EM_OK)) {
        CHECK_NEAR(run_of(both).total.energy_j, run_of(all).total.energy_j, 0.003 * run_of(all).total.energy_j);
        CHECK_INT(batches_of(both).count, 12);
    }
    const em_summary *const same[] = {both, third};
    CHECK_INT(em_summary_merge(same, 2, &error, &twice), EM_ERR_INVALID);
    CHECK(strstr(error.text, "the same meter"));
    em_summary_destroy(all);
    em_summary_destroy(two);
    em_summary_destroy(third);
    em_summary_destroy(both);
}

/* As a user keeps it between two merges. */
static em_summary *kept(em_summary *summary)
{
    em_summary *again = NULL;
    char *text = NULL;
    size_t length = 0;
    CHECK_INT(em_summary_format(summary, EM_FORMAT_JSON, &text, &length), EM_OK);
    error = (em_error){.size = sizeof error};
    if (!CHECK_INT(em_summary_parse(text, length, &error, &again), EM_OK)) {
        printf("# %s\n", error.text);
    }
    em_text_destroy(text);
    em_summary_destroy(summary);
    return again;
}

static em_summary *merge_two(const em_summary *one, const em_summary *other)
{
    const em_summary *const pair[] = {one, other};
    em_summary *both = NULL;
    error = (em_error){.size = sizeof error};
    if (!CHECK_INT(em_summary_merge(pair, 2, &error, &both), EM_OK)) {
        printf("# %s\n", error.text);
    }
    return both;
}

static int has_channel(const em_summary *summary, const char *name)
{
    em_channel channel = {.size = sizeof channel};
    for (size_t i = 0; i < em_summary_channel_count(summary); i++) {
        em_summary_channel(summary, i, &channel);
        if (strcmp(channel.name, name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Nodes of a cluster in any order, in any number of steps: some hosts are in several of what is merged. */
static void merges_of_hosts_merge_again(void)
{
    static const char *const hosts[] = {"node-a", "node-b", "node-b"}, *const boots[] = {"boot-a", "boot-b", "boot-c"};
    for (int round = 0; round < 100; round++) {
        process ranks[6];
        double until_s[3] = {0}, joules = 0, joined_s = 0;
        for (size_t i = 0; i < 6; i++) {
            size_t boot = i < 3 ? i : (size_t)rig_random_below(3);
            double begin_s = 10 + (double)rig_random_below(30000) / 1e3;
            ranks[i] = plain((int)i + 1, begin_s, begin_s + 0.5 + (double)rig_random_below(15000) / 1e3);
            ranks[i].host = hosts[boot];
            ranks[i].boot_id = boots[boot];
            ranks[i].devices[1].before_w = ranks[i].devices[1].after_w = 300;
        }
        for (int step = 0; step < 56000; step++) {
            double t_s = 10 + step / 1e3 + 5e-4;
            int is_covered[3] = {0};
            for (size_t i = 0; i < 6; i++) {
                size_t boot = strcmp(ranks[i].boot_id, "boot-a") == 0   ? 0
                              : strcmp(ranks[i].boot_id, "boot-b") == 0 ? 1
                                                                        : 2;
                is_covered[boot] |= ranks[i].begin_s < t_s && t_s < ranks[i].end_s;
            }
            for (size_t boot = 0; boot < 3; boot++) {
                until_s[boot] += is_covered[boot] ? 1e-3 : 0;
            }
            joined_s += is_covered[0] || is_covered[1] || is_covered[2] ? 1e-3 : 0;
        }
        joules = 400 * (until_s[0] + until_s[1] + until_s[2]);
        em_summary *all = merge(ranks, 6), *left[6];
        for (size_t i = 0; i < 6; i++) {
            left[i] = read_one(&ranks[i]);
        }
        for (size_t count = 6; count > 1; count--) {
            size_t one = (size_t)rig_random_below(count),
                   other = (one + 1 + (size_t)rig_random_below(count - 1)) % count;
            em_summary *both = kept(merge_two(left[one], left[other]));
            em_summary_destroy(left[one]);
            em_summary_destroy(left[other]);
            left[one < other ? one : other] = both;
            left[one < other ? other : one] = left[count - 1];
        }
        em_summary *whole = left[0];
        CHECK_NEAR(run_of(all).total.energy_j, joules, 2e-3);
        CHECK_NEAR(run_of(whole).total.energy_j, joules, 5e-3);
        CHECK_NEAR((double)run_of(whole).duration_ns / 1e9, (double)run_of(all).duration_ns / 1e9, 1e-4);
        CHECK_INT(batches_of(whole).count, 24);
        CHECK_INT(em_summary_channel_count(whole), em_summary_channel_count(all));
        CHECK(has_channel(whole, "node-a/cpu-0/package") && has_channel(whole, "node-b-boot-c/gpu-0/board"));
        em_summary_destroy(all);
        em_summary_destroy(whole);
    }
}

/* Any number of processes with any spans, against the integral over their union. */
static void random_spans(void)
{
    for (int round = 0; round < 300; round++) {
        process ranks[MOST];
        size_t count = 1 + (size_t)rig_random_below(MOST);
        double edges[2 * MOST][2], truth_j = 0, until_s = 0;
        for (size_t i = 0; i < count; i++) {
            double begin_s = 10 + (double)rig_random_below(40000) / 1e3;
            double end_s = begin_s + 0.5 + (double)rig_random_below(20000) / 1e3;
            ranks[i] = plain((int)i + 1, begin_s, end_s);
            ranks[i].devices[1].before_w = 300; /* constant: what a line between points gives is exact */
            ranks[i].devices[1].after_w = 300;
            edges[i][0] = begin_s;
            edges[i][1] = end_s;
        }
        for (int step = 0; step < 71000; step++) {
            double t_s = 10 + step / 1e3 + 5e-4;
            int is_covered = 0;
            for (size_t i = 0; i < count; i++) {
                is_covered |= edges[i][0] < t_s && t_s < edges[i][1];
            }
            until_s += is_covered ? 1e-3 : 0;
        }
        truth_j = 400 * until_s;
        em_summary *merged = merge(ranks, count);
        if (CHECK(merged != NULL)) {
            CHECK_NEAR(run_of(merged).total.energy_j, truth_j, 1e-3);
            CHECK_NEAR((double)run_of(merged).duration_ns / 1e9, until_s, 1e-6);
        } else {
            printf("# %s\n", error.text);
        }
        em_summary_destroy(merged);
    }
}

/* ------------------------------------------------------------------------------------------------------------- parse */

static void expect_round_trip(const char *text, size_t length)
{
    em_summary *summary = NULL;
    char *again = NULL;
    error = (em_error){.size = sizeof error};
    if (!CHECK_INT(em_summary_parse(text, length, &error, &summary), EM_OK)) {
        printf("# %s; %s\n", error.text, error.remedy);
        return;
    }
    CHECK_INT(em_summary_format(summary, EM_FORMAT_JSON, &again, NULL), EM_OK);
    CHECK_TEXT(again, text);
    em_text_destroy(again);
    CHECK_INT(em_summary_format(summary, EM_FORMAT_TEXT, &again, NULL), EM_OK);
    em_text_destroy(again);
    em_summary_destroy(summary);
}

static void what_was_written_reads_as_the_same(void)
{
    static const char *const names[] = {"summary.json", "summary-empty.json"};
    for (size_t i = 0; i < 2; i++) {
        const char *root = getenv("EM_SOURCE_DIR");
        char path[512], text[1 << 16];
        snprintf(path, sizeof path, "%s/tests/unit/golden/%s", root ? root : ".", names[i]);
        FILE *file = fopen(path, "rb");
        size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
        text[length] = '\0';
        CHECK(length > 0);
        expect_round_trip(text, length);
        if (file) {
            fclose(file);
        }
    }
    const process ranks[] = {plain(1, 10, 30), plain(2, 12, 34)};
    em_summary *merged = merge(ranks, 2);
    char *text = NULL;
    size_t length = 0;
    CHECK_INT(em_summary_format(merged, EM_FORMAT_JSON, &text, &length), EM_OK);
    expect_round_trip(text, length);
    em_text_destroy(text);
    em_summary_destroy(merged);
}

static void spoil(const char *from, const char *to, const char *named)
{
    process one = plain(1, 10, 30);
    size_t length = 0;
    char *text = json_of(&one, &length), *place = strstr(text, from);
    em__text spoilt = {0};
    if (CHECK(place != NULL)) {
        em__text_bytes(&spoilt, text, (size_t)(place - text));
        em__text_add(&spoilt, to);
        em__text_add(&spoilt, place + strlen(from));
    }
    free(text);
    text = em__text_finish(&spoilt, &length);
    em_summary *summary = NULL;
    error = (em_error){.size = sizeof error};
    CHECK_INT(em_summary_parse(text, length, &error, &summary), EM_ERR_INVALID);
    CHECK(summary == NULL && error.remedy[0]);
    if (!strstr(error.text, named)) {
        CHECK_TEXT(error.text, named);
    }
    CHECK_INT(em_summary_parse(text, length, NULL, &summary), EM_ERR_INVALID);
    free(text);
}

static void what_is_wrong_is_named(void)
{
    spoil("{\"schema\":1", "{\"schema\":2", "schema is 2, and this version reads 1");
    spoil("\"schema\":1,", "", "schema is missing");
    spoil("{\"schema\"", "{\"schema", "no JSON at byte");
    spoil("\"run\":{", "\"run\":7,\"ran\":{", "run is 7, not an object");
    spoil("\"duration_s\":20", "\"duration_s\":\"long\"", "run.duration_s is long, not a number");
    spoil("\"duration_s\":20", "\"duration_s\":-1", "run.duration_s is -1");
    spoil("\"duration_s\":20", "\"duration_s\":1e300", "run.duration_s is 1e300");
    spoil("\"duration_s\":20", "\"duration\":20", "run.duration_s is missing");
    spoil("\"provenance\":\"measured\"", "\"provenance\":\"dreamt\"",
          "run.channels.cpu-0/package.provenance is \"dreamt\"");
    spoil("\"t_end\":30", "\"t_end\":9", "scope.t_end lies before scope.t_begin");
    spoil("\"started_at\":\"2026", "\"started_at\":\"x026", "scope.started_at is no time");
    spoil(",\"energy_j\":2000", ",\"energy_j\":2001", "cpu-0/package.energy_j is not that");
    spoil("{\"channel\":\"gpu-0/board\"", "{\"channel\":\"cpu-0/package\"", "channel is there twice");
    spoil("{\"channel\":\"gpu-0/board\"", "{\"channel\":\"gpu-9/board\"", "run.channels.gpu-9/board is missing");
    spoil("\"points\":[[10,0]", "\"points\":[[10]", "points holds what is no pair");
    spoil("\"points\":[[10,0]", "\"points\":[[29,0]", "points goes back");
    spoil("\"points\":[[10,0]", "\"points\":[[9,0]", "points goes beyond");
    spoil("\"count\":4", "\"count\":4.5", "batch_summary.count is not a whole number");
    spoil("\"reasons\":[\"", "\"reasons\":[7,\"", "reasons holds");
    spoil("{\"val\":{", "{\"val\":7,\"v\":{", "windows[\"val\"]. is no window");
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(four_with_different_spans);
    RUN(nested);
    RUN(one_after_another);
    RUN(different_hosts);
    RUN(the_same_by_other_names);
    RUN(models_count_once);
    RUN(what_cannot_be_resolved);
    RUN(one_that_measured_nothing);
    RUN(merged_ones_merge_again);
    RUN(merges_of_hosts_merge_again);
    RUN(random_spans);
    RUN(what_was_written_reads_as_the_same);
    RUN(what_is_wrong_is_named);
    return CHECK_DONE();
}
