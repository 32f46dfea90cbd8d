/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a summary freezes: groups, unions of time, the run and its points, and all of it after starting over. */
#include "check.h"
#include "metrics/summary.h"
#include "rig/channel.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static rig_ledger rig;
static wave constant;

static void begin_channels(size_t count)
{
    rig_channel channels[2];
    constant = wave_constant(100);
    for (size_t i = 0; i < count; i++) {
        channels[i] = rig_channel_make("package", EM__COVERS_PACKAGE, (int32_t)i, EM_KIND_COUNTER,
                                       (rig_source){.wave = &constant});
    }
    rig_ledger_init(&rig, channels, count, NULL);
}

static void read_until(uint64_t from_ns, uint64_t to_ns)
{
    for (uint64_t t_ns = from_ns; t_ns <= to_ns; t_ns += 100 * MS) {
        rig_ledger_read_all(&rig, t_ns);
    }
}

static void mark_and_read(uint64_t t_ns)
{
    CHECK_INT(rig_ledger_apply(&rig, (em__event){.kind = EM__EVENT_MARK, .t_ns = t_ns}), EM_OK);
    rig_ledger_read_all(&rig, t_ns);
    rig_ledger_read_all(&rig, t_ns + 100 * MS);
}

static em_group group_at(const em_summary *summary, size_t index)
{
    em_group group = {.size = sizeof group};
    CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
    return group;
}

static em_group group_of(const em_summary *summary, int32_t kind, const char *name)
{
    size_t index = 0;
    CHECK_INT(em_summary_find(summary, kind, name, &index), EM_OK);
    return group_at(summary, index);
}

/* Batches 2 … 5 s and 4 … 6 s, an epoch 2 … 6.5 s, in a run of 1 … 8 s, at 200 W in two sockets. */
static void make_run(void)
{
    begin_channels(2);
    rig_ledger_read_all(&rig, S);
    em_window run = rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
    read_until(1100 * MS, 2000 * MS);
    em_window epoch = rig_ledger_begin(&rig, EM_WINDOW_EPOCH, NULL, 2 * S);
    em_window first = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, 2 * S);
    read_until(2100 * MS, 4000 * MS);
    em_window second = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, 4 * S);
    read_until(4100 * MS, 5000 * MS);
    rig_ledger_end(&rig, first, 5 * S);
    read_until(5100 * MS, 6000 * MS);
    rig_ledger_end(&rig, second, 6 * S);
    em_window named = rig_ledger_begin(&rig, EM_WINDOW_BATCH, "val", 6 * S);
    read_until(6100 * MS, 6500 * MS);
    rig_ledger_end(&rig, named, 6500 * MS);
    rig_ledger_end(&rig, epoch, 6500 * MS);
    read_until(6600 * MS, 8000 * MS);
    CHECK(run != 0);
}

static void test_groups_unions_and_the_run(void)
{
    make_run();
    mark_and_read(8 * S);
    em_summary *summary = rig_ledger_summary(&rig);
    CHECK_INT(em_summary_group_count(summary), 4);
    em_group run = group_at(summary, 0), batches = group_of(summary, EM_WINDOW_BATCH, NULL);
    CHECK_INT(run.kind, EM_WINDOW_RUN);
    CHECK_INT(run.duration_ns, 7 * S);
    CHECK_NEAR(run.total.energy_j, 1400, 1e-5);
    CHECK_INT(batches.count, 2);
    CHECK_INT(batches.duration_ns, 5 * S);
    CHECK_INT(batches.distinct_ns, 4 * S);
    CHECK_NEAR(batches.total.energy_j, 1000, 1e-5);
    CHECK_NEAR(batches.distinct.energy_j, 800, 1e-5);
    CHECK_NEAR(batches.carbon_g, 1000 / 3.6e6 * 450, 1e-9);
    CHECK_NEAR(group_of(summary, EM_WINDOW_BATCH, "val").total.energy_j, 100, 1e-5);
    CHECK_NEAR(group_of(summary, EM_WINDOW_EPOCH, NULL).total.energy_j, 900, 1e-5);
    const em__summary_facts *facts = &summary->facts;
    CHECK_NEAR(facts->in_epochs_j, 900, 1e-5);
    CHECK_NEAR(facts->in_batches_j, 900, 1e-5); /* 2 … 6.5 s, named ones too */
    CHECK_NEAR(facts->outside_windows_j, 500, 1e-5);
    CHECK_INT(facts->begin_ns, S);
    CHECK_INT(facts->end_ns, 8 * S);
    CHECK_INT(facts->run_is_complete, 1);
    CHECK_INT(facts->run_is_final, 1);
    double sum_j = 0;
    for (size_t i = 0; i < 2; i++) {
        em_energy energy;
        CHECK_INT(em_summary_energy(summary, 0, i, &energy), EM_OK);
        CHECK_NEAR(energy.energy_j, facts->devices[i].counted_j, 1e-9);
        sum_j += facts->devices[i].counted_j;
    }
    CHECK_NEAR(sum_j, run.total.energy_j, 1e-9);
    em_summary_destroy(summary);
    rig_ledger_free(&rig);
}

/* expected_j: of every channel; NAN: they differ. */
static void check_points(const em_summary *summary, double expected_j)
{
    const em__summary_facts *facts = &summary->facts;
    for (size_t i = 0; i < summary->channel_count; i++) {
        const em__summary_device *device = &facts->devices[i];
        CHECK(device->point_count >= 2 && device->point_count <= 64);
        CHECK_INT(device->points[0].t_ns, facts->begin_ns);
        CHECK_NEAR(device->points[0].energy_j, 0, 0);
        for (size_t p = 1; p < device->point_count; p++) {
            CHECK(device->points[p].t_ns > device->points[p - 1].t_ns);
            CHECK(device->points[p].energy_j >= device->points[p - 1].energy_j);
        }
        const em__summary_point *last = &device->points[device->point_count - 1];
        CHECK_INT(last->t_ns, facts->end_ns);
        CHECK_NEAR(last->energy_j, device->counted_j, 0);
        CHECK_NEAR(last->energy_j, isnan(expected_j) ? device->counted_j : expected_j, 1e-5);
    }
}

static void test_without_a_run_window_it_is_the_union_of_all(void)
{
    begin_channels(1);
    rig_ledger_read_all(&rig, S);
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t begin_ns = S + 10 * i * S;
        em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, "w", begin_ns);
        read_until(begin_ns + 100 * MS, begin_ns + 2 * S);
        rig_ledger_end(&rig, window, begin_ns + 2 * S);
        read_until(begin_ns + 2100 * MS, begin_ns + 10 * S);
    }
    em_summary *summary = rig_ledger_summary(&rig);
    em_group run = group_at(summary, 0);
    em_energy energy;
    CHECK_INT(run.duration_ns, 6 * S);
    CHECK_NEAR(run.total.energy_j, 600, 1e-5);
    CHECK_INT(em_summary_energy(summary, 0, 0, &energy), EM_OK);
    CHECK_NEAR(energy.energy_j, 600, 1e-5);
    CHECK_NEAR(summary->facts.outside_windows_j, 0, 1e-9);
    check_points(summary, 600);
    em_summary_destroy(summary);
    rig_ledger_free(&rig);
}

/* Without a run window, what fails between windows is nobody's loss; in a window it is the run's too. */
static void test_gaps_of_the_run(void)
{
    begin_channels(1);
    rig_source *source = &rig.channels[0].source;
    rig_source_fault(source, (rig_fault){.kind = RIG_FAIL, .from_ns = 3400 * MS, .to_ns = 3600 * MS});
    rig_source_fault(source, (rig_fault){.kind = RIG_FAIL, .from_ns = 6500 * MS, .to_ns = 6600 * MS});
    rig_ledger_read_all(&rig, S);
    em_window first = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, S);
    read_until(1100 * MS, 3 * S);
    rig_ledger_end(&rig, first, 3 * S);
    read_until(3100 * MS, 5 * S);
    em_window second = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 5 * S);
    read_until(5100 * MS, 6 * S);
    em_summary *summary = rig_ledger_summary(&rig);
    CHECK_INT(group_at(summary, 0).total.status, EM_OK);
    CHECK_INT(group_at(summary, 0).total.gap_ns, 0);
    CHECK_INT(summary->facts.run_is_complete, 1);
    em_summary_destroy(summary);
    read_until(6100 * MS, 7 * S);
    rig_ledger_end(&rig, second, 7 * S);
    read_until(7100 * MS, 7100 * MS);
    summary = rig_ledger_summary(&rig);
    em_group run = group_at(summary, 0), windows = group_of(summary, EM_WINDOW_OTHER, NULL);
    CHECK_INT(run.total.status, EM_ERR_READ);
    CHECK_INT(run.total.gap_ns, 200 * MS);
    CHECK_INT(windows.total.gap_ns, 200 * MS);
    CHECK_INT(windows.distinct.gap_ns, 200 * MS);
    CHECK_NEAR(run.total.energy_j, 400, 1e-5);
    CHECK_INT(summary->facts.run_is_complete, 0);
    em_summary_destroy(summary);
    rig_ledger_free(&rig);
}

/* Pauses between windows, and the readings that begin anew after them, leave the run complete. */
static void test_pauses_are_no_gaps(void)
{
    begin_channels(1);
    for (uint64_t i = 1; i <= 3; i++) {
        uint64_t t_ns = 1000 * i * S;
        CHECK_INT(rig_ledger_apply(&rig, (em__event){.kind = EM__EVENT_RESUME, .t_ns = t_ns}), EM_OK);
        rig_ledger_read_all(&rig, t_ns + 5000);
        em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, t_ns + 9000);
        rig_ledger_end(&rig, window, t_ns + 9000 + S);
        rig_ledger_read_all(&rig, t_ns + 2 * S);
        CHECK_INT(rig_ledger_apply(&rig, (em__event){.kind = EM__EVENT_PARK, .t_ns = t_ns + 3 * S}), EM_OK);
    }
    em_summary *summary = rig_ledger_summary(&rig);
    em_group run = group_at(summary, 0);
    CHECK_NEAR(run.total.energy_j, 300, 1e-4);
    CHECK_INT(run.total.status, EM_OK);
    CHECK_INT(run.total.notes & EM_NOTE_BIT(EM_NOTE_GAP), 0);
    CHECK_INT(summary->facts.run_is_complete, 1);
    CHECK_INT(summary->facts.missing_count, 0);
    CHECK_NEAR(group_of(summary, EM_WINDOW_OTHER, NULL).total.energy_j, 300, 1e-4);
    em_summary_destroy(summary);
    rig_ledger_free(&rig);
}

/* Points lie on the line of constant power, however often they were thinned, and spread over the whole run. */
static void test_points_of_a_growing_run(void)
{
    begin_channels(2);
    rig_ledger_read_all(&rig, S);
    rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
    uint64_t t_ns = S + 100 * MS;
    for (uint64_t end_ns = 2 * S; end_ns < 3000 * S; end_ns *= 3) {
        for (; t_ns <= end_ns; t_ns += 100 * MS) {
            rig_ledger_read_all(&rig, t_ns);
        }
        mark_and_read(end_ns);
        t_ns = end_ns + 200 * MS;
        em_summary *summary = rig_ledger_summary(&rig);
        check_points(summary, 100.0 * (double)(end_ns - S) / 1e9);
        const em__summary_device *device = &summary->facts.devices[0];
        uint64_t widest_ns = 0;
        for (size_t p = 1; p < device->point_count; p++) {
            uint64_t step_ns = device->points[p].t_ns - device->points[p - 1].t_ns;
            widest_ns = step_ns > widest_ns ? step_ns : widest_ns;
            CHECK_NEAR(device->points[p].energy_j, 100.0 * (double)(device->points[p].t_ns - S) / 1e9, 1e-5);
        }
        CHECK(widest_ns <= 300 * MS || widest_ns <= (end_ns - S) / 10);
        em_summary_destroy(summary);
    }
    rig_ledger_free(&rig);
}

/* A mirror that takes over half-way has points from its own begin on only. */
static void test_points_across_a_change_of_roles(void)
{
    constant = wave_constant(100);
    rig_channel channels[2] = {
        rig_channel_make("package", EM__COVERS_PACKAGE, 0, EM_KIND_COUNTER, (rig_source){.wave = &constant}),
        rig_channel_make("package", EM__COVERS_PACKAGE, 0, EM_KIND_COUNTER, (rig_source){.wave = &constant})};
    channels[1].rank = 21;
    rig_source_fault(&channels[0].source, (rig_fault){.kind = RIG_VANISH, .from_ns = 6 * S, .to_ns = 1000 * S});
    rig_ledger_init(&rig, channels, 2, NULL);
    rig_ledger_read_all(&rig, S);
    rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
    read_until(1100 * MS, 11 * S);
    mark_and_read(11 * S);
    em_summary *summary = rig_ledger_summary(&rig);
    check_points(summary, NAN);
    const em__summary_device *devices = summary->facts.devices;
    CHECK_NEAR(devices[0].counted_j, 490, 1e-5); /* its last reading is of 5.9 s */
    CHECK_NEAR(devices[1].counted_j, 500, 1e-5);
    for (size_t p = 0; p < devices[1].point_count; p++) {
        double expected_j = devices[1].points[p].t_ns < 6 * S ? 0 : (double)(devices[1].points[p].t_ns - 6 * S) / 1e7;
        CHECK_NEAR(devices[1].points[p].energy_j, expected_j, 1e-5);
    }
    CHECK_NEAR(group_at(summary, 0).total.energy_j, 990, 1e-5);
    CHECK_INT(summary->facts.run_is_complete, 0);
    CHECK_INT(summary->facts.missing_count, 1);
    CHECK_TEXT(summary->facts.missing[0].channel, "package");
    em_summary_destroy(summary);
    rig_ledger_free(&rig);
}

/* Starting over in the middle of everything: an open run, an open batch, and one that has ended but still waits. */
static void test_starting_over(void)
{
    make_run();
    em_window open = rig_ledger_begin(&rig, EM_WINDOW_BATCH, "open", 8 * S);
    em_window waits = rig_ledger_begin(&rig, EM_WINDOW_BATCH, "waits", 8 * S);
    rig_ledger_end(&rig, waits, 8050 * MS);
    CHECK_INT(rig_ledger_apply(&rig, (em__event){.kind = EM__EVENT_RESET, .t_ns = 8050 * MS}), EM_OK);
    read_until(8100 * MS, 9000 * MS);
    rig_ledger_end(&rig, open, 9 * S);
    read_until(9100 * MS, 10 * S);
    mark_and_read(10 * S);
    em_summary *summary = rig_ledger_summary(&rig);
    size_t index;
    CHECK_INT(em_summary_find(summary, EM_WINDOW_BATCH, "waits", &index), EM_ERR_UNKNOWN);
    CHECK_INT(em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index), EM_ERR_UNKNOWN);
    em_group run = group_at(summary, 0);
    CHECK_INT(run.duration_ns, 1950 * MS);
    CHECK_NEAR(run.total.energy_j, 390, 1e-4);
    CHECK_INT(summary->facts.begin_ns, 8050 * MS);
    CHECK_NEAR(group_of(summary, EM_WINDOW_BATCH, "open").total.energy_j, 200, 1e-4); /* counted whole */
    CHECK_NEAR(summary->facts.in_batches_j, 190, 1e-4);                               /* of the run alone */
    check_points(summary, 195);
    em_summary_destroy(summary);
    rig_ledger_free(&rig);
}

/* Without an open run window, the run is the union of all that comes. */
static void test_starting_over_after_a_run_has_ended(void)
{
    begin_channels(1);
    rig_ledger_read_all(&rig, S);
    em_window run = rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
    read_until(1100 * MS, 2000 * MS);
    rig_ledger_end(&rig, run, 2 * S);
    CHECK_INT(rig_ledger_apply(&rig, (em__event){.kind = EM__EVENT_RESET, .t_ns = 2 * S}), EM_OK);
    em_window batch = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, 2 * S);
    read_until(2100 * MS, 4000 * MS);
    rig_ledger_end(&rig, batch, 4 * S);
    read_until(4100 * MS, 4200 * MS);
    em_summary *summary = rig_ledger_summary(&rig);
    CHECK_NEAR(group_at(summary, 0).total.energy_j, 200, 1e-4);
    CHECK_INT(group_at(summary, 0).duration_ns, 2 * S);
    em_summary_destroy(summary);
    rig_ledger_free(&rig);
}

static void test_nothing_was_measured(void)
{
    begin_channels(1);
    em_summary *summary = rig_ledger_summary(&rig);
    CHECK_INT(em_summary_group_count(summary), 1);
    CHECK_NEAR(group_at(summary, 0).total.energy_j, 0, 0);
    CHECK_INT(group_at(summary, 0).duration_ns, 0);
    em_summary_destroy(summary);
    rig_ledger_free(&rig);

    em__ledger_setup setup = {.interval_ns = 100 * MS, .patience_ns = S, .rates = {450, 1, NAN, NAN, NAN}};
    setup.unmeasured[EM_DOMAIN_CPU] = EM_ERR_NO_DRIVER;
    rig_ledger_init(&rig, NULL, 0, &setup);
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, S);
    rig_ledger_end(&rig, window, 2 * S);
    em_result result = rig_ledger_result(&rig, window, 2 * S, NULL);
    CHECK_INT(result.is_final, 1);
    CHECK_INT(result.is_complete, 0);
    CHECK_INT(result.total.status, EM_ERR_NO_DRIVER);
    CHECK_NEAR(result.total.energy_j, 0, 0);
    CHECK_INT(result.duration_ns, S);
    summary = rig_ledger_summary(&rig);
    CHECK_NEAR(group_of(summary, EM_WINDOW_BATCH, NULL).total.energy_j, 0, 0);
    CHECK_INT(group_at(summary, 0).duration_ns, S);
    CHECK_INT(summary->facts.run_is_complete, 0);
    CHECK_INT(summary->facts.missing_count, 1);
    CHECK_TEXT(summary->facts.missing[0].channel, "cpu");
    CHECK_TEXT(summary->facts.missing[0].reason, em_status_text(EM_ERR_NO_DRIVER));
    em_summary_destroy(summary);
    rig_ledger_free(&rig);
}

int main(void)
{
    RUN(test_groups_unions_and_the_run);
    RUN(test_without_a_run_window_it_is_the_union_of_all);
    RUN(test_gaps_of_the_run);
    RUN(test_pauses_are_no_gaps);
    RUN(test_points_of_a_growing_run);
    RUN(test_points_across_a_change_of_roles);
    RUN(test_starting_over);
    RUN(test_starting_over_after_a_run_has_ended);
    RUN(test_nothing_was_measured);
    return CHECK_DONE();
}
