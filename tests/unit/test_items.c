/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Energy per item at a known power of 120 W: 250 ms are 30 J. */
#include "metering.h"

#include "core/text.h"
#include "metrics/items.h"

#include <math.h>
#include <string.h>

static em_summary *summary_of(void)
{
    em_summary *summary = NULL;
    CHECK_INT(em_summary_create(meter, S, &summary), EM_OK);
    return summary;
}

static em_group group_of(const em_summary *summary, int32_t kind)
{
    size_t index = 0;
    em_group group = {.size = sizeof group};
    CHECK_INT(kind == EM_WINDOW_RUN ? EM_OK : em_summary_find(summary, kind, NULL, &index), EM_OK);
    CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
    return group;
}

static em_group group_now(int32_t kind)
{
    em_summary *summary = summary_of();
    em_group group = group_of(summary, kind);
    em_summary_destroy(summary);
    return group;
}

/* items below 0: none. */
static em_window batch_of(int64_t items)
{
    em_window batch = begin_window(EM_WINDOW_BATCH, NULL);
    pass(250 * MS);
    if (items >= 0) {
        CHECK_INT(em_window_set_items(meter, batch, 7), EM_OK);
        CHECK_INT(em_window_set_items(meter, batch, (uint64_t)items), EM_OK);
    }
    end_window(batch);
    return batch;
}

static void expect_none(const em_per_item *each)
{
    CHECK_INT(each->windows, 0);
    CHECK(isnan(each->energy_j) && isnan(each->uncertainty_j));
    CHECK(isnan(each->items_per_j) && isnan(each->items_per_j_uncertainty));
}

static void test_a_window_of_items(void)
{
    begin_simple();
    em_result result = final_result(batch_of(64));
    CHECK_INT(result.items, 64);
    CHECK_INT(result.per_item.windows, 1);
    CHECK_NEAR(result.total.energy_j, 30, 1e-5);
    CHECK_NEAR(result.per_item.energy_j, 0.46875, 1e-6);
    CHECK_NEAR(result.per_item.items_per_j, 64 / 30.0, 1e-6);
    CHECK(result.total.uncertainty_j > 0);
    CHECK_NEAR(result.per_item.uncertainty_j * 64, result.total.uncertainty_j, 1e-12);
    CHECK_NEAR(result.per_item.items_per_j_uncertainty / result.per_item.items_per_j,
               result.total.uncertainty_j / result.total.energy_j, 1e-12);
    result = final_result(batch_of(-1));
    CHECK_INT(result.items, 0);
    expect_none(&result.per_item);
    result = final_result(batch_of(0));
    CHECK_INT(result.per_item.windows, 1);
    CHECK(isnan(result.per_item.energy_j) && isnan(result.per_item.items_per_j));
    end_all();
}

static void test_a_group_counts_windows_with_items_alone(void)
{
    begin_simple();
    batch_of(64);
    batch_of(-1);
    batch_of(0);
    em_group group = group_now(EM_WINDOW_BATCH);
    CHECK_INT(group.count, 3);
    CHECK_INT(group.items, 64);
    CHECK_INT(group.per_item.windows, 2);
    CHECK_NEAR(group.total.energy_j, 90, 1e-5);
    CHECK_NEAR(group.per_item.energy_j, 60 / 64.0, 1e-6); /* What no item came out of was used all the same. */
    CHECK_NEAR(group.per_item.items_per_j, 64 / 60.0, 1e-6);
    CHECK_INT(em_meter_reset(meter), EM_OK);
    pass(200 * MS);
    batch_of(-1);
    group = group_now(EM_WINDOW_BATCH);
    CHECK_INT(group.items, 0);
    expect_none(&group.per_item);
    end_all();
}

static void test_the_run_counts_its_own_items(void)
{
    begin_simple();
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    batch_of(64);
    em_group group = group_now(EM_WINDOW_RUN);
    expect_none(&group.per_item);
    CHECK_INT(em_window_set_items(meter, run, 100), EM_OK);
    group = group_now(EM_WINDOW_RUN);
    CHECK_INT(group.items, 100);
    CHECK_NEAR(group.per_item.energy_j, group.total.energy_j / 100, 1e-12);
    em_window other = begin_window(EM_WINDOW_RUN, NULL);
    pass(250 * MS);
    group = group_now(EM_WINDOW_RUN);
    expect_none(&group.per_item); /* Part of its time has items, and nobody knows how many the rest has. */
    CHECK_INT(em_window_set_items(meter, other, 20), EM_OK);
    end_window(other);
    group = group_now(EM_WINDOW_RUN);
    CHECK_INT(group.items, 120);
    CHECK_INT(group.per_item.windows, 2);
    CHECK_INT(em_meter_reset(meter), EM_OK);
    CHECK_INT(result_of(run).per_item.windows, 0);
    pass(250 * MS);
    CHECK_INT(em_window_set_items(meter, run, 50), EM_OK);
    pass(250 * MS);
    group = group_now(EM_WINDOW_RUN);
    CHECK_INT(group.items, 50);
    CHECK_NEAR(group.per_item.energy_j, 60 / 50.0, 1e-5);
    end_all();
}

static void test_limits(void)
{
    begin_simple();
    em_window run = begin_window(EM_WINDOW_RUN, NULL), batch = begin_window(EM_WINDOW_BATCH, NULL);
    CHECK_INT(em_window_set_items(meter, batch, EM_MOST_ITEMS + 1), EM_ERR_INVALID);
    CHECK_INT(em_window_set_items(meter, batch, UINT64_MAX), EM_ERR_INVALID);
    CHECK_INT(result_of(batch).per_item.windows, 0);
    CHECK_INT(em_window_set_items(meter, batch, EM_MOST_ITEMS), EM_OK);
    CHECK_INT(em_window_set_items(meter, run, EM_MOST_ITEMS), EM_OK);
    pass(250 * MS);
    end_window(batch);
    batch_of(5);
    CHECK_INT(em_window_set_items(meter, batch, 1), EM_ERR_ENDED);
    CHECK_INT(group_now(EM_WINDOW_BATCH).items, EM_MOST_ITEMS);
    em_window cancelled = begin_window(EM_WINDOW_EPOCH, NULL);
    CHECK_INT(em_window_set_items(meter, cancelled, 3), EM_OK);
    CHECK_INT(em_window_cancel(meter, cancelled), EM_OK);
    CHECK_INT(em_window_set_items(meter, cancelled, 3), EM_ERR_EXPIRED);
    size_t index;
    em_summary *summary = summary_of();
    CHECK_INT(em_summary_find(summary, EM_WINDOW_EPOCH, NULL, &index), EM_ERR_UNKNOWN);
    em_summary_destroy(summary);
    end_all();
}

static void test_json_and_back(void)
{
    begin_simple();
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    CHECK_INT(em_window_set_items(meter, run, 199), EM_OK);
    batch_of(33);
    batch_of(-1);
    em_window named = begin_window(EM_WINDOW_OTHER, "val");
    pass(300 * MS);
    CHECK_INT(em_window_set_items(meter, named, 10), EM_OK);
    end_window(named);
    em_summary *summary = summary_of(), *again = NULL;
    char *text = NULL, *second = NULL;
    size_t length;
    CHECK_INT(em_summary_format(summary, EM_FORMAT_JSON, &text, &length), EM_OK);
    CHECK(strstr(text, "\"windows_with_items\":1,\"items\":33,\"energy_per_item_j\":0.9") != NULL);
    CHECK_INT(em_summary_parse(text, length, NULL, &again), EM_OK);
    CHECK_INT(em_summary_format(again, EM_FORMAT_JSON, &second, NULL), EM_OK);
    CHECK_TEXT(second, text);
    char *items = strstr(text, "\"items\":33");
    items[8] = '-'; /* -3 */
    em_error error = {.size = sizeof error};
    CHECK_INT(em_summary_parse(text, length, &error, &again), EM_ERR_INVALID);
    CHECK_TEXT(error.text, "batch_summary.items is -3, which no summary holds");
    em_text_destroy(text);
    em_text_destroy(second);
    em_summary_destroy(summary);
    em_summary_destroy(again);
    end_all();
}

/* Two ranks of one node, 0 … 250 ms and 250 … 500 ms, measured the same sockets one after the other. */
static void test_a_merge_adds_items(void)
{
    em_summary *parts[2], *merged = NULL;
    begin_simple();
    for (int i = 0; i < 2; i++) {
        em_window run = begin_window(EM_WINDOW_RUN, NULL);
        CHECK_INT(em_window_set_items(meter, run, i ? 40 : 20), EM_OK);
        batch_of(i ? 30 : 10);
        end_window(run);
        parts[i] = summary_of();
        parts[i]->facts.boot_id = "one";
        parts[i]->facts.pid = i;
        CHECK_INT(em_meter_reset(meter), EM_OK);
        pass(300 * MS);
    }
    CHECK_INT(em_summary_merge((const em_summary *const *)parts, 2, NULL, &merged), EM_OK);
    em_group batches = group_of(merged, EM_WINDOW_BATCH), run = group_of(merged, EM_WINDOW_RUN);
    CHECK_INT(batches.items, 40);
    CHECK_INT(batches.per_item.windows, 2);
    CHECK_NEAR(batches.per_item.energy_j, 60 / 40.0, 1e-5);
    CHECK_INT(run.items, 60);
    CHECK_NEAR(run.per_item.energy_j, run.total.energy_j / 60, 1e-12);
    em_summary_destroy(merged);
    parts[1]->groups[0].per_item.windows = 0;
    CHECK_INT(em_summary_merge((const em_summary *const *)parts, 2, NULL, &merged), EM_OK);
    run = group_of(merged, EM_WINDOW_RUN);
    CHECK_INT(run.items, 0);
    CHECK_INT(run.per_item.windows, 0);
    em_summary_destroy(merged);
    em_summary_destroy(parts[0]);
    em_summary_destroy(parts[1]);
    end_all();
}

int main(void)
{
    RUN(test_a_window_of_items);
    RUN(test_a_group_counts_windows_with_items_alone);
    RUN(test_the_run_counts_its_own_items);
    RUN(test_limits);
    RUN(test_json_and_back);
    RUN(test_a_merge_adds_items);
    return CHECK_DONE();
}
