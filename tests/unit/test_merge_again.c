/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Merges of any processes, in any number of steps, against the integral over the union of their time. */
#include "merging.h"
#include "rig/random.h"

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
        double until_s[3] = {0}, joules = 0;
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

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(merged_ones_merge_again);
    RUN(merges_of_hosts_merge_again);
    RUN(random_spans);
    return CHECK_DONE();
}
