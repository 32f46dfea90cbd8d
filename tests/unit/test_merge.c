/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Summaries read back and merged, against closed forms: what devices used over the union of the processes' time. */
#include "merging.h"
#include "rig/random.h"

#include <stdlib.h>

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
    CHECK(strstr(run.process_cpu_share_reason, "these are several") != NULL);
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

int main(void)
{
    RUN(four_with_different_spans);
    RUN(nested);
    RUN(one_after_another);
    RUN(different_hosts);
    RUN(the_same_by_other_names);
    RUN(models_count_once);
    RUN(what_cannot_be_resolved);
    RUN(one_that_measured_nothing);
    RUN(what_was_written_reads_as_the_same);
    RUN(what_is_wrong_is_named);
    return CHECK_DONE();
}
