/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Totals by domain and provenance, their completeness and resolution, and the worked values of uncertainty (case A9 and
 * measurement.md §7). */
#include "check.h"
#include "metrics/uncertainty.h"
#include "rig/channel.h"
#include "rig/random.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { MOST = 12 };

static em__channel facts[MOST];
static em__member members[MOST];
static em__sum sums[MOST];
static em__ensemble ensemble;

static void begin(size_t count)
{
    memset(facts, 0, sizeof facts);
    memset(sums, 0, sizeof sums);
    ensemble = (em__ensemble){.members = members, .count = count};
    for (size_t i = 0; i < count; i++) {
        facts[i] = (em__channel){.scale_num = 1, .scale_den = 1, .refresh_ns = MS, .gain = 0.05};
        members[i] = (em__member){.facts = &facts[i], .role = EM_ROLE_COUNTED, .is_active = 1};
    }
}

static em__totals totals_of(uint64_t duration_ns)
{
    em__totals totals;
    for (size_t i = 0; i < ensemble.count; i++) {
        sums[i].is_counted = members[i].role == EM_ROLE_COUNTED;
    }
    em__energy_totals(&ensemble, sums, duration_ns, &totals);
    return totals;
}

/* ----------------------------------------------------------------------------------------------------------- totals */

static void test_domains_and_provenances_add_up(void)
{
    static const int32_t roles[] = {EM_ROLE_COUNTED,  EM_ROLE_COUNTED, EM_ROLE_PART,
                                    EM_ROLE_PLATFORM, EM_ROLE_MIRROR,  EM_ROLE_UNREADABLE};
    for (int run = 0; run < 2000; run++) {
        int64_t expected_uj = 0;
        begin(MOST);
        for (size_t i = 0; i < MOST; i++) {
            facts[i].domain = (int32_t)rig_random_below(5);
            facts[i].kind = (int32_t)rig_random_below(3);
            members[i].role = roles[rig_random_below(6)];
            sums[i].energy_uj = (int64_t)rig_random_below(UINT64_C(1) << 50);
            sums[i].counted_uj = members[i].role == EM_ROLE_COUNTED ? sums[i].energy_uj : 0;
            expected_uj += sums[i].counted_uj;
        }
        em__totals totals = totals_of(S);
        double domains_j = 0, provenances_j = 0;
        for (size_t i = 0; i < EM_DOMAINS; i++) {
            domains_j += isnan(totals.by_domain[i].energy_j) ? 0 : totals.by_domain[i].energy_j;
        }
        for (size_t i = 0; i < EM_PROVENANCES; i++) {
            provenances_j += totals.by_provenance_j[i];
        }
        double expected_j = (double)expected_uj / 1e6;
        CHECK_NEAR(totals.total.energy_j, expected_j, 1e-12 * expected_j);
        CHECK_NEAR(domains_j, expected_j, 1e-12 * expected_j);
        CHECK_NEAR(provenances_j, expected_j, 1e-12 * expected_j);
    }
}

static void test_only_what_is_counted_enters(void)
{
    begin(4);
    for (size_t i = 0; i < 4; i++) {
        sums[i].energy_uj = 1000000;
    }
    sums[0].counted_uj = 1000000;
    members[1].role = EM_ROLE_PART;
    members[2].role = EM_ROLE_PLATFORM;
    members[3].role = EM_ROLE_MIRROR;
    sums[3].counted_uj = 400000; /* it was counted for a while */
    facts[2].domain = EM_DOMAIN_PLATFORM;
    facts[3].kind = EM_KIND_GAUGE;
    em__totals totals = totals_of(S);
    CHECK_NEAR(totals.total.energy_j, 1.4, 1e-12);
    CHECK_NEAR(totals.by_provenance_j[EM_FROM_MEASURED], 1, 1e-12);
    CHECK_NEAR(totals.by_provenance_j[EM_FROM_INTEGRATED], 0.4, 1e-12);
    CHECK_INT(totals.total.provenance, EM_FROM_INTEGRATED);
    CHECK(isnan(totals.by_domain[EM_DOMAIN_PLATFORM].energy_j));
    em_energy energy;
    em__energy_channel(&members[2], &sums[2], S, &energy);
    CHECK_NEAR(energy.energy_j, 1, 1e-12);
    CHECK(isnan(energy.counted_j));
    em__energy_channel(&members[3], &sums[3], S, &energy);
    CHECK_NEAR(energy.counted_j, 0.4, 1e-12);
    members[2].is_active = 0;
    em__energy_channel(&members[2], &sums[2], S, &energy);
    CHECK(isnan(energy.energy_j));
}

static void test_what_is_missing_is_said(void)
{
    begin(2);
    facts[1].domain = EM_DOMAIN_DRAM;
    sums[0].counted_uj = sums[1].counted_uj = 1000000;
    CHECK_INT(totals_of(S).is_complete, 1);
    sums[1].status = EM_ERR_RESET;
    sums[1].missing_ns = 70;
    em__totals totals = totals_of(S);
    CHECK_INT(totals.is_complete, 0);
    CHECK_INT(totals.total.status, EM_ERR_RESET);
    CHECK_INT(totals.total.gap_ns, 70);
    CHECK_INT(totals.by_domain[EM_DOMAIN_DRAM].status, EM_ERR_RESET);
    CHECK_INT(totals.by_domain[EM_DOMAIN_CPU].status, EM_OK);
    begin(0);
    ensemble.unmeasured[EM_DOMAIN_GPU] = EM_ERR_NO_LIBRARY;
    totals = totals_of(S);
    CHECK_INT(totals.is_complete, 0);
    CHECK_INT(totals.total.status, EM_ERR_NO_LIBRARY);
    CHECK_NEAR(totals.total.energy_j, 0, 0);
}

/* Fine from 50 update periods on, coarse from 5; of a total the worst among channels with 5 % of it. */
static void test_resolution(void)
{
    begin(2);
    sums[0].period_ns = sums[1].period_ns = 1e8F;
    sums[0].counted_uj = 95000001;
    sums[1].counted_uj = 4999999;
    CHECK_INT(totals_of(5000 * MS).total.resolution, EM_RESOLUTION_FINE);
    CHECK_INT(totals_of(4999 * MS).total.resolution, EM_RESOLUTION_COARSE);
    CHECK_INT(totals_of(500 * MS).total.resolution, EM_RESOLUTION_COARSE);
    CHECK_INT(totals_of(499 * MS).total.resolution, EM_RESOLUTION_BELOW);
    CHECK_INT(totals_of(0).total.resolution, EM_RESOLUTION_BELOW);
    sums[0].period_ns = 1e6F;
    CHECK_INT(totals_of(499 * MS).total.resolution, EM_RESOLUTION_FINE); /* the slow one has less than 5 % */
    sums[1].counted_uj = 5000000;
    sums[0].counted_uj = 95000000;
    CHECK_INT(totals_of(499 * MS).total.resolution, EM_RESOLUTION_BELOW);
    sums[0].counted_uj = sums[1].counted_uj = 0;
    CHECK_INT(totals_of(499 * MS).total.resolution, EM_RESOLUTION_BELOW); /* a zero is no better than its sensor */
    begin(1);
    members[0].role = EM_ROLE_UNREADABLE;
    CHECK_INT(totals_of(5000 * MS).total.resolution, EM_RESOLUTION_BELOW); /* nor one that nothing gave */
}

/* ------------------------------------------------------------------------------------------------------ uncertainty */

typedef struct {
    double power_w, seconds, period_s, step_uj, gain;
    double energy_j, edge_j, u_j, expanded_percent, edge_percent;
} worked;

/* measurement.md §7; energy, edge part and u in J, k = 1, then U in percent of the energy. */
static const worked values[] = {{300, 10, 0.1, 1000, 0.05, 3000, 12.247, 150.5, 10.0, 0.82},
                                {300, 1, 0.1, 1000, 0.05, 300, 12.247, 19.37, 12.9, 8.16},
                                {150, 1, 0.001, 61, 0.05, 150, 0.0612, 7.500, 10.0, 0.0816}};

static void test_worked_values(void)
{
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const worked *v = &values[i];
        double edge_uj = v->period_s * v->power_w / sqrt(12) * 1e6;
        em__variance variance = em__variance_of(v->energy_j, v->gain, 2 * edge_uj * edge_uj, v->step_uj);
        double both = variance.gain + variance.edge;
        CHECK_NEAR(sqrt(variance.edge), v->edge_j, 0.001 * v->edge_j);
        CHECK_NEAR(sqrt(both), v->u_j, 0.001 * v->u_j);
        CHECK_NEAR(100 * em__expanded(both) / v->energy_j, v->expanded_percent, 0.005 * v->expanded_percent);
        CHECK_NEAR(100 * em__expanded(variance.edge) / v->energy_j, v->edge_percent, 0.005 * v->edge_percent);
    }
}

/* The same through readings, edges that are readings, and a window's result. */
static void test_worked_values_of_windows(void)
{
    static rig_ledger rig;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const worked *v = &values[i];
        wave constant = wave_constant(v->power_w);
        uint64_t period_ns = (uint64_t)llround(v->period_s * 1e9), length_ns = (uint64_t)v->seconds * S;
        rig_channel channel = rig_channel_make("gpu-0/board", EM__COVERS_BOARD, 0, EM_KIND_COUNTER,
                                               (rig_source){.wave = &constant, .period_ns = period_ns});
        channel.facts.unit = (uint64_t)v->step_uj;
        rig_ledger_init(&rig, &channel, 1, NULL);
        em_window window = 0;
        for (uint64_t t_ns = S; t_ns <= 3 * S + length_ns; t_ns += 100 * MS) {
            rig_ledger_read_all(&rig, t_ns);
            if (t_ns == 2 * S) {
                window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, 2 * S);
            } else if (t_ns == 2 * S + length_ns) {
                rig_ledger_end(&rig, window, 2 * S + length_ns);
            }
        }
        em_result result = rig_ledger_result(&rig, window, 100 * S, NULL);
        CHECK_INT(result.is_final, 1);
        CHECK_NEAR(result.total.energy_j, v->energy_j, 1e-5);
        CHECK_NEAR(result.total.edge_j, 2 * v->edge_j, 0.001 * 2 * v->edge_j);
        CHECK_NEAR(result.total.gain_j, 2 * v->gain * v->energy_j, 1e-5);
        CHECK_NEAR(result.total.uncertainty_j, 2 * v->u_j, 0.001 * 2 * v->u_j);
        rig_ledger_free(&rig);
    }
}

/* Independent between devices: variances add. */
static void test_variances_add(void)
{
    begin(2);
    sums[0].counted_uj = 300000000;
    sums[1].counted_uj = 400000000;
    sums[0].edge_variance = 9e12;
    sums[1].edge_variance = 16e12;
    em__totals totals = totals_of(S);
    CHECK_NEAR(totals.total.gain_j, 2 * sqrt(15.0 * 15.0 + 20.0 * 20.0), 1e-9);
    CHECK_NEAR(totals.total.edge_j, 2 * 5, 1e-6);
    CHECK_NEAR(totals.total.uncertainty_j, 2 * sqrt(625.0 + 25.0), 1e-6);
    /* The smallest step of a counter counts as q²/6; a gauge has none. */
    facts[0].unit = facts[1].unit = 1000000;
    facts[1].kind = EM_KIND_GAUGE;
    CHECK_NEAR(totals_of(S).total.edge_j, 2 * sqrt(25.0 + 1.0 / 6), 1e-6);
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_domains_and_provenances_add_up);
    RUN(test_only_what_is_counted_enters);
    RUN(test_what_is_missing_is_said);
    RUN(test_resolution);
    RUN(test_worked_values);
    RUN(test_worked_values_of_windows);
    RUN(test_variances_add);
    return CHECK_DONE();
}
