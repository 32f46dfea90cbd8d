/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Windows over channels of known power: nothing is lost, invented or counted twice, also where channels fail, end and
 * come back. Cases A4, A12 and A13. */
#include "check.h"
#include "core/text.h"
#include "rig/channel.h"

#include <errno.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static rig_ledger rig;

static void read_until(uint64_t from_ns, uint64_t to_ns, uint64_t every_ns)
{
    for (uint64_t t_ns = from_ns; t_ns <= to_ns; t_ns += every_ns) {
        rig_ledger_read_all(&rig, t_ns);
    }
}

static int32_t role_of(size_t channel)
{
    em_channel described;
    em__ledger_channel(&rig.ledger, channel, &described);
    return described.role;
}

static rig_channel package(int32_t place, const wave *power)
{
    return rig_channel_make("cpu-0/package", EM__COVERS_PACKAGE, place, EM_KIND_COUNTER, (rig_source){.wave = power});
}

static em_result final_result(em_window window, em_energy *channels)
{
    em_result result = rig_ledger_result(&rig, window, 1000000 * S, channels);
    CHECK_INT(result.is_final, 1);
    return result;
}

/* ---------------------------------------------------------------------------------------------------------- totals */

static void test_each_joule_once(void)
{
    wave constant = wave_constant(100);
    rig_channel channels[8];
    size_t count = 0;
    for (int32_t socket = 0; socket < 2; socket++) {
        rig_channel copy = channels[count++] = package(socket, &constant);
        copy.rank = 21;
        channels[count++] = copy;
        channels[count++] =
            rig_channel_make("dram", EM__COVERS_DRAM, socket, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    }
    channels[count++] =
        rig_channel_make("platform/psys", EM__COVERS_PLATFORM, -1, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    channels[count++] =
        rig_channel_make("cpu-0/core", EM__COVERS_CORE, 0, EM_KIND_COUNTER, (rig_source){.wave = &constant});
    rig_ledger_init(&rig, channels, count, NULL);
    read_until(S, 2 * S, 100 * MS);
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 2 * S);
    read_until(2100 * MS, 5 * S, 100 * MS);
    rig_ledger_end(&rig, window, 5 * S);
    read_until(5100 * MS, 5200 * MS, 100 * MS);
    em_energy energies[8];
    em_result result = final_result(window, energies);
    CHECK_NEAR(result.total.energy_j, 4 * 300, 1e-9);
    CHECK_NEAR(result.by_domain[EM_DOMAIN_CPU].energy_j, 600, 1e-9);
    CHECK_NEAR(result.by_domain[EM_DOMAIN_DRAM].energy_j, 600, 1e-9);
    CHECK(isnan(result.by_domain[EM_DOMAIN_GPU].energy_j));
    CHECK_NEAR(result.by_provenance_j[EM_FROM_MEASURED], 1200, 1e-9);
    for (size_t i = 0; i < count; i++) {
        CHECK_NEAR(energies[i].energy_j, 300, 1e-9); /* what is not counted is shown too */
    }
    CHECK_INT(result.is_complete, 1);
    CHECK_NEAR(result.carbon_g, 1200 / 3.6e6 * 450, 1e-12);
    rig_ledger_free(&rig);
}

/* ------------------------------------------------------------------------------------------------- changes of roles */

/* The mirror shows 2 % more, so that a result tells who was counted when. */
static void test_a_mirror_takes_over_and_gives_back(void)
{
    wave constant = wave_constant(100);
    rig_channel channels[2] = {package(0, &constant), package(0, &constant)};
    channels[1].rank = 21;
    channels[1].source.gain_error = 0.02;
    rig_source_fault(&channels[0].source, (rig_fault){.kind = RIG_VANISH, .from_ns = 4950 * MS, .to_ns = 7950 * MS});
    rig_ledger_init(&rig, channels, 2, NULL);
    CHECK_INT(role_of(0), EM_ROLE_COUNTED);
    CHECK_INT(role_of(1), EM_ROLE_MIRROR);
    rig_ledger_read_all(&rig, S);
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, S);
    read_until(1100 * MS, 5000 * MS, 100 * MS);
    CHECK_INT(role_of(0), EM_ROLE_UNREADABLE);
    CHECK_INT(role_of(1), EM_ROLE_COUNTED);
    em_window inside = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, 5000 * MS);
    read_until(5100 * MS, 6000 * MS, 100 * MS);
    rig_ledger_end(&rig, inside, 6000 * MS);
    read_until(6100 * MS, 8000 * MS, 100 * MS);
    CHECK_INT(role_of(0), EM_ROLE_COUNTED);
    CHECK_INT(role_of(1), EM_ROLE_MIRROR);
    read_until(8100 * MS, 9000 * MS, 100 * MS);
    rig_ledger_end(&rig, window, 9 * S);
    read_until(9100 * MS, 9200 * MS, 100 * MS);
    em_energy energies[2];
    em_result result = final_result(window, energies);
    /* The original until its last reading at 4.9 s, the mirror from 5 s to 8 s, the original again. */
    CHECK_NEAR(result.total.energy_j, 390 + 3 * 102 + 100, 2e-6);
    CHECK_NEAR(energies[0].counted_j, 490, 2e-6);
    CHECK_NEAR(energies[1].counted_j, 306, 2e-6);
    CHECK_NEAR(energies[1].energy_j, 816, 2e-6);
    CHECK_INT(result.is_complete, 0);
    CHECK_INT(result.total.gap_ns, 100 * MS); /* 4.9 s to 5 s */
    CHECK_INT(energies[0].status, EM_ERR_GONE);
    result = final_result(inside, energies);
    CHECK_NEAR(result.total.energy_j, 102, 2e-6);
    CHECK_INT(result.is_complete, 1);
    rig_ledger_free(&rig);
}

static void test_a_model_takes_over_from_the_instant_of_the_loss(void)
{
    wave constant = wave_constant(100), modelled = wave_constant(60);
    rig_channel channels[2] = {package(0, &constant), rig_channel_make("cpu-0/model", EM__COVERS_ALL_CPUS, 0,
                                                                       EM_KIND_MODEL, (rig_source){.wave = &modelled})};
    rig_source_fault(&channels[0].source,
                     (rig_fault){.kind = RIG_FAIL, .from_ns = 3050 * MS, .to_ns = 1000 * S, .error = EIO});
    rig_ledger_init(&rig, channels, 2, NULL);
    CHECK_INT(em__ledger_is_read(&rig.ledger, 1), 0);
    rig_ledger_read_all(&rig, S);
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, S);
    read_until(1100 * MS, 4100 * MS, 100 * MS); /* failing since 3.1 s, ended at 4.1 s */
    CHECK_INT(em__ledger_is_read(&rig.ledger, 1), 1);
    CHECK_INT(role_of(1), EM_ROLE_COUNTED);
    read_until(4200 * MS, 6 * S, 100 * MS);
    rig_ledger_end(&rig, window, 6 * S);
    read_until(6100 * MS, 6200 * MS, 100 * MS);
    em_energy energies[2];
    em_result result = final_result(window, energies);
    CHECK_NEAR(energies[0].counted_j, 200, 2e-6); /* to its last reading at 3 s */
    CHECK_NEAR(energies[1].counted_j, 114, 2e-6); /* from its first reading at 4.1 s, in the same round */
    CHECK_NEAR(result.total.energy_j, 314, 2e-6);
    CHECK_INT(result.is_complete, 0);
    CHECK_INT(result.total.provenance, EM_FROM_ESTIMATED);
    CHECK_NEAR(result.by_provenance_j[EM_FROM_MEASURED], 200, 2e-6);
    CHECK_NEAR(result.by_provenance_j[EM_FROM_ESTIMATED], 114, 2e-6);
    rig_ledger_free(&rig);
}

/* Edges that still wait when roles change belong to the old ones. */
static void test_roles_change_with_edges_pending(void)
{
    wave constant = wave_constant(100);
    rig_channel channels[2] = {package(0, &constant), package(1, &constant)};
    rig_source_fault(&channels[1].source, (rig_fault){.kind = RIG_VANISH, .from_ns = 2050 * MS, .to_ns = 1000 * S});
    rig_ledger_init(&rig, channels, 2, NULL);
    read_until(S, 2 * S, 100 * MS);
    em_window first = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 2010 * MS);
    rig_ledger_end(&rig, first, 2020 * MS);
    em_window across = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 2030 * MS);
    rig_ledger_read(&rig, 0, 2100 * MS);
    CHECK_INT(rig_ledger_result(&rig, first, 2100 * MS, NULL).is_final, 0);
    rig_ledger_read(&rig, 1, 2100 * MS);
    read_until(2200 * MS, 3 * S, 100 * MS);
    rig_ledger_end(&rig, across, 3 * S);
    read_until(3100 * MS, 3100 * MS, 100 * MS);
    em_energy energies[2];
    em_result result = final_result(first, energies);
    CHECK_NEAR(energies[0].energy_j, 1, 2e-6);
    CHECK_NEAR(energies[1].energy_j, 0, 2e-6); /* gone before it was read again: a gap, no guess */
    CHECK_INT(result.is_complete, 0);
    result = final_result(across, energies);
    CHECK_NEAR(energies[0].energy_j, 97, 2e-6);
    CHECK_NEAR(energies[1].energy_j, 0, 2e-6);
    CHECK_NEAR(result.total.energy_j, 97, 2e-6);
    CHECK_INT(energies[1].gap_ns, 970 * MS);
    rig_ledger_free(&rig);
}

/* What becomes of a channel later changes nothing of a window that is final: no number, note or reason. */
static void test_a_final_window_stays(void)
{
    wave square = wave_square(90, 380, 0.9, 0.5, 0);
    rig_source source = {.wave = &square, .period_ns = 20 * MS}, power = {.wave = &square, .period_ns = 100 * MS};
    rig_channel channels[2] = {rig_channel_make("gpu-0/board", EM__COVERS_BOARD, 0, EM_KIND_COUNTER, source),
                               rig_channel_make("gpu-0/power", EM__COVERS_BOARD, 0, EM_KIND_GAUGE, power)};
    rig_source_fault(&channels[0].source, (rig_fault){.kind = RIG_VANISH, .from_ns = 5 * S, .to_ns = 1000 * S});
    rig_ledger_init(&rig, channels, 2, NULL);
    read_until(S, 2 * S, 50 * MS);
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, 2 * S);
    read_until(2050 * MS, 3 * S, 50 * MS);
    rig_ledger_end(&rig, window, 3 * S);
    read_until(3050 * MS, 4 * S, 50 * MS);
    em_energy before[2], after[2];
    em_result first = final_result(window, before);
    CHECK_INT(role_of(1), EM_ROLE_MIRROR);
    read_until(4050 * MS, 6 * S, 50 * MS);
    CHECK_INT(role_of(1), EM_ROLE_COUNTED);
    em_result later = final_result(window, after);
    CHECK(memcmp(&first.total, &later.total, sizeof first.total) == 0);
    CHECK(memcmp(first.by_domain, later.by_domain, sizeof first.by_domain) == 0);
    CHECK(memcmp(before, after, sizeof before) == 0);
    CHECK(isnan(after[1].counted_j));
    rig_ledger_free(&rig);
}

/* -------------------------------------------------------------------------------------------------------------- A12 */

typedef struct {
    rig_fault fault;
    double lost_j; /* at most */
    int32_t status;
} accident;

static void test_a12_a_flagged_gap_and_no_invented_joule(void)
{
    static const accident accidents[] = {
        {{.kind = RIG_FAIL, .from_ns = 3050 * MS, .to_ns = 3150 * MS, .error = EIO}, 0, EM_ERR_READ},
        {{.kind = RIG_RESET, .from_ns = 3050 * MS}, 10, EM_ERR_RESET},
        {{.kind = RIG_JUMP, .from_ns = 3050 * MS, .amount = UINT64_C(100000000000)}, 10, EM_ERR_RESET},
        {{.kind = RIG_VANISH, .from_ns = 3050 * MS, .to_ns = 3150 * MS}, 20, EM_ERR_GONE}};
    for (size_t i = 0; i < sizeof accidents / sizeof accidents[0]; i++) {
        wave constant = wave_constant(100);
        rig_channel channel = package(0, &constant);
        channel.source.start = 50000000;
        rig_source_fault(&channel.source, accidents[i].fault);
        rig_ledger_init(&rig, &channel, 1, NULL);
        read_until(S, 2 * S, 100 * MS);
        em_window whole = rig_ledger_begin(&rig, EM_WINDOW_EPOCH, NULL, 2 * S);
        em_window before = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, 2 * S);
        read_until(2100 * MS, 2500 * MS, 100 * MS);
        rig_ledger_end(&rig, before, 2500 * MS);
        read_until(2600 * MS, 4000 * MS, 100 * MS);
        em_window after = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, 4000 * MS);
        read_until(4100 * MS, 5000 * MS, 100 * MS);
        rig_ledger_end(&rig, after, 5 * S);
        rig_ledger_end(&rig, whole, 5 * S);
        read_until(5100 * MS, 5100 * MS, 100 * MS);
        em_result result = final_result(whole, NULL);
        CHECK_NEAR(result.total.energy_j, 300 - accidents[i].lost_j, 1e-5);
        CHECK_INT(result.is_complete, 0);
        CHECK_INT(result.total.status, accidents[i].status);
        CHECK(result.total.gap_ns >= 100 * MS && result.total.gap_ns <= 200 * MS);
        CHECK(result.total.notes & EM_NOTE_BIT(EM_NOTE_GAP));
        result = final_result(before, NULL);
        CHECK_NEAR(result.total.energy_j, 50, 1e-5);
        CHECK_INT(result.is_complete, 1);
        result = final_result(after, NULL);
        CHECK_NEAR(result.total.energy_j, 100, 1e-5);
        CHECK_INT(result.is_complete, 1);
        rig_ledger_free(&rig);
    }
}

static void test_a12_a_range_that_nobody_knows(void)
{
    wave constant = wave_constant(100);
    rig_channel channel = package(0, &constant);
    channel.source.range = 1000000000;
    channel.source.start = 950000000;
    channel.facts.range = 0;
    rig_ledger_init(&rig, &channel, 1, NULL);
    rig_ledger_read_all(&rig, S);
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, S);
    read_until(1100 * MS, 3 * S, 100 * MS); /* it wraps at 0.5 s, before the window, and at 10.5 s */
    rig_ledger_end(&rig, window, 3 * S);
    em_window across = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 3 * S);
    read_until(3100 * MS, 12 * S, 100 * MS);
    rig_ledger_end(&rig, across, 12 * S);
    read_until(12100 * MS, 12100 * MS, 100 * MS);
    CHECK_NEAR(final_result(window, NULL).total.energy_j, 200, 1e-5);
    em_result result = final_result(across, NULL);
    CHECK_NEAR(result.total.energy_j, 900 - 10, 1e-5);
    CHECK_INT(result.total.status, EM_ERR_RESET);
    CHECK_INT(result.total.gap_ns, 100 * MS);
    rig_ledger_free(&rig);
}

/* ----------------------------------------------------------------------------------------------------- odd windows */

static void test_a_window_without_length(void)
{
    wave constant = wave_constant(100);
    rig_channel channel = package(0, &constant);
    channel.source.period_ns = channel.facts.refresh_ns = MS;
    rig_ledger_init(&rig, &channel, 1, NULL);
    read_until(S, 2 * S, 100 * MS);
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 2050 * MS);
    rig_ledger_end(&rig, window, 2050 * MS);
    read_until(2100 * MS, 2100 * MS, 100 * MS);
    em_result result = final_result(window, NULL);
    CHECK_INT(result.duration_ns, 0);
    CHECK_NEAR(result.total.energy_j, 0, 0);
    CHECK_INT(result.total.resolution, EM_RESOLUTION_BELOW);
    CHECK_INT(result.is_complete, 1);
    CHECK(isfinite(result.total.uncertainty_j) && result.total.uncertainty_j > 0);
    rig_ledger_free(&rig);
}

/* A4: no update of the counter lies in the window. */
static void test_a4_no_silent_zero(void)
{
    wave constant = wave_constant(300);
    rig_channel channel = package(0, &constant);
    channel.source.period_ns = channel.facts.refresh_ns = 100 * MS;
    rig_ledger_init(&rig, &channel, 1, NULL);
    for (int32_t kind = EM_KIND_COUNTER; kind <= EM_KIND_GAUGE; kind++) {
        read_until(S, 2000 * MS, 50 * MS); /* too far apart to learn when it updates */
        rig_ledger_read_all(&rig, 2005 * MS);
        em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 2010 * MS);
        rig_ledger_end(&rig, window, 2030 * MS);
        rig_ledger_read_all(&rig, 2060 * MS);
        em_result result = final_result(window, NULL);
        CHECK_NEAR(result.total.energy_j, kind == EM_KIND_COUNTER ? 0 : 6, 1e-5);
        CHECK_INT(result.total.resolution, EM_RESOLUTION_BELOW);
        CHECK_INT(result.by_domain[EM_DOMAIN_CPU].resolution, EM_RESOLUTION_BELOW);
        CHECK(result.total.edge_j >= fabs(6 - result.total.energy_j)); /* the truth is 6 J */
        rig_ledger_free(&rig);
        channel.facts.kind = EM_KIND_GAUGE;
        rig_ledger_init(&rig, &channel, 1, NULL);
    }
    rig_ledger_free(&rig);
}

static void test_cancelled_windows_leave_nothing(void)
{
    wave constant = wave_constant(100);
    rig_channel channel = package(0, &constant);
    rig_ledger_init(&rig, &channel, 1, NULL);
    read_until(S, 2 * S, 100 * MS);
    em_window settled = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, 2 * S);
    read_until(2100 * MS, 2100 * MS, 100 * MS);
    em_window pending = rig_ledger_begin(&rig, EM_WINDOW_BATCH, "p", 2150 * MS);
    em__event cancel = {.kind = EM__EVENT_CANCEL, .t_ns = 2160 * MS, .window = pending};
    CHECK_INT(rig_ledger_apply(&rig, cancel), EM_OK);
    cancel.window = settled;
    CHECK_INT(rig_ledger_apply(&rig, cancel), EM_OK);
    CHECK_INT(rig_ledger_apply(&rig, cancel), EM_ERR_EXPIRED);
    CHECK_INT(em__ledger_open_count(&rig.ledger), 0);
    read_until(2200 * MS, 2300 * MS, 100 * MS);
    CHECK_INT(em__ledger_is_settled(&rig.ledger), 1);
    em_window last;
    CHECK_INT(em__ledger_last(&rig.ledger, -1, NULL, &last), EM_ERR_UNKNOWN);
    em_summary *summary = rig_ledger_summary(&rig);
    em_group run = {.size = sizeof run};
    CHECK_INT(em_summary_group_count(summary), 1);
    CHECK_INT(em_summary_group(summary, 0, &run), EM_OK);
    CHECK_INT(run.duration_ns, 0);
    CHECK_NEAR(run.total.energy_j, 0, 0);
    em_summary_destroy(summary);
    rig_ledger_free(&rig);
}

/* A [1 s …, cancelled at 3 s] around B [1.3 … 1.8 s]: what remains is a run of B alone. */
static void test_the_run_begins_where_what_is_left_does(void)
{
    wave constant = wave_constant(100);
    rig_channel channel = package(0, &constant);
    for (int32_t kind = EM_WINDOW_EPOCH; kind <= EM_WINDOW_RUN; kind++) {
        rig_ledger_init(&rig, &channel, 1, NULL);
        read_until(500 * MS, S, 100 * MS);
        em_window around = rig_ledger_begin(&rig, kind, NULL, S);
        read_until(1100 * MS, 1300 * MS, 100 * MS);
        em_window inside = rig_ledger_begin(&rig, EM_WINDOW_BATCH, NULL, 1300 * MS);
        read_until(1400 * MS, 1800 * MS, 100 * MS);
        rig_ledger_end(&rig, inside, 1800 * MS);
        read_until(1900 * MS, 3 * S, 100 * MS);
        em__event cancel = {.kind = EM__EVENT_CANCEL, .t_ns = 3 * S, .window = around};
        CHECK_INT(rig_ledger_apply(&rig, cancel), EM_OK);
        em_summary *summary = rig_ledger_summary(&rig);
        em_group run = {.size = sizeof run};
        em_summary_group(summary, 0, &run);
        CHECK_INT(run.duration_ns, 500 * MS);
        CHECK_NEAR(run.total.energy_j, 50, 1e-5);
        CHECK_INT(summary->facts.begin_ns, 1300 * MS);
        em_summary_destroy(summary);
        rig_ledger_free(&rig);
    }
}

static void test_cancelled_names_give_their_place_back(void)
{
    rig_ledger_init(&rig, NULL, 0, NULL);
    char name[32];
    for (int i = 0; i < 1100; i++) {
        em__print(name, sizeof name, "tried %d", i);
        em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, name, S + (uint64_t)i);
        em__event cancel = {.kind = EM__EVENT_CANCEL, .t_ns = S + (uint64_t)i, .window = window};
        CHECK_INT(rig_ledger_apply(&rig, cancel), EM_OK);
    }
    em_window window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, "real", 2 * S);
    rig_ledger_end(&rig, window, 3 * S);
    CHECK_TEXT(rig_ledger_result(&rig, window, 3 * S, NULL).name, "real");
    rig_ledger_free(&rig);
}

int main(void)
{
    RUN(test_a_final_window_stays);
    RUN(test_each_joule_once);
    RUN(test_a_mirror_takes_over_and_gives_back);
    RUN(test_a_model_takes_over_from_the_instant_of_the_loss);
    RUN(test_roles_change_with_edges_pending);
    RUN(test_a12_a_flagged_gap_and_no_invented_joule);
    RUN(test_a12_a_range_that_nobody_knows);
    RUN(test_a_window_without_length);
    RUN(test_a4_no_silent_zero);
    RUN(test_cancelled_windows_leave_nothing);
    RUN(test_the_run_begins_where_what_is_left_does);
    RUN(test_cancelled_names_give_their_place_back);
    return CHECK_DONE();
}
