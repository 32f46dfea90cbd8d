/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Carbon, cost and embodied shares of merged summaries, against closed forms. */
#include "merging.h"

static const device cpu = CPU(0), gpu = GPU(0);

static process priced(int pid, double begin_s, double end_s)
{
    process made = plain(pid, begin_s, end_s);
    made.price = 0.25;
    made.embodied_kg = 1000;
    made.zone = "FR";
    return made;
}

static double used_j(double from_s, double to_s)
{
    return integral(&cpu, from_s, to_s) + integral(&gpu, from_s, to_s);
}

static em_carbon basis_of(const em_summary *merged)
{
    em_carbon carbon = {.size = sizeof carbon};
    CHECK_INT(em_summary_carbon(merged, &carbon), EM_OK);
    return carbon;
}

static void same_machine(void)
{
    const process ranks[] = {priced(1, 10, 30), priced(2, 15, 40)};
    em_summary *merged = merge(ranks, 2);
    if (!CHECK(merged != NULL)) {
        return;
    }
    em_group run = run_of(merged);
    CHECK_NEAR(run.cost, run.total.energy_j / 3.6e6 * 0.25, 1e-12);
    CHECK_NEAR(run.total.energy_j, used_j(10, 40), 0.003 * used_j(10, 40));
    CHECK_NEAR(run.embodied_g, 30 * 1e6 / FOUR_YEARS_S, 1e-9); /* One machine, from 10 to 40. */
    CHECK(isnan(batches_of(merged).cost) && isnan(batches_of(merged).embodied_g));
    CHECK_NEAR(basis_of(merged).g_per_kwh, 360, 0);
    CHECK_TEXT(basis_of(merged).zone, "FR");
    em_summary_destroy(merged);
}

static void two_machines(void)
{
    process ranks[] = {priced(1, 10, 30), priced(2, 15, 40)};
    ranks[1].host = "other";
    ranks[1].boot_id = "boot-2";
    ranks[1].embodied_kg = 500;
    ranks[1].zone = "PL";
    ranks[1].g_per_kwh = 720;
    em_summary *merged = merge(ranks, 2);
    if (!CHECK(merged != NULL)) {
        return;
    }
    em_group run = run_of(merged);
    CHECK_NEAR(run.cost, (used_j(10, 30) + used_j(15, 40)) / 3.6e6 * 0.25, 1e-9);
    CHECK_NEAR(run.carbon_g, (used_j(10, 30) * 360 + used_j(15, 40) * 720) / 3.6e6, 1e-6);
    CHECK_NEAR(run.embodied_g, (20 * 1e6 + 25 * 5e5) / FOUR_YEARS_S, 1e-9);
    CHECK_NEAR(batches_of(merged).cost, 2 * 40 / 3.6e6 * 0.25, 1e-15);
    CHECK_NEAR(batches_of(merged).embodied_g, (2 * 1e6 + 2 * 5e5) / FOUR_YEARS_S, 1e-12);
    em_carbon basis = basis_of(merged);
    CHECK(isnan(basis.g_per_kwh) && !basis.zone && !basis.source && !basis.is_default);
    char *text = NULL;
    CHECK_INT(em_summary_format(merged, EM_FORMAT_TEXT, &text, NULL), EM_OK);
    CHECK(text && strstr(text, "the processes' intensities of electricity differ"));
    em_text_destroy(text);
    em_summary_destroy(merged);
}

/* Prices may be of two currencies; one machine is not of two weights. */
static void what_differs_is_not_added(void)
{
    process ranks[] = {priced(1, 10, 30), priced(2, 15, 40)};
    ranks[1].price = 0.26;
    ranks[1].embodied_kg = 900;
    em_summary *merged = merge(ranks, 2);
    if (CHECK(merged != NULL)) {
        CHECK(isnan(run_of(merged).cost) && isnan(run_of(merged).embodied_g));
    }
    em_summary_destroy(merged);
}

static void what_nobody_gave_stays_unknown(void)
{
    const process ranks[] = {plain(1, 10, 30), plain(2, 31, 40)};
    em_summary *merged = merge(ranks, 2);
    if (CHECK(merged != NULL)) {
        CHECK(isnan(run_of(merged).cost) && isnan(run_of(merged).embodied_g));
        CHECK(isnan(batches_of(merged).cost) && isnan(batches_of(merged).embodied_g));
        CHECK_NEAR(basis_of(merged).pue, 1, 0); /* As documents without the key meant. */
    }
    em_summary_destroy(merged);
}

/* The same number at another place is another basis. */
static void zones_are_part_of_the_basis(void)
{
    process ranks[] = {priced(1, 10, 30), priced(2, 31, 40)};
    ranks[1].zone = "DE";
    em_summary *merged = merge(ranks, 2);
    if (CHECK(merged != NULL)) {
        CHECK(isnan(basis_of(merged).g_per_kwh));
        CHECK_NEAR(run_of(merged).carbon_g, used_j(10, 30) / 1e4 + used_j(31, 40) / 1e4, 1e-6);
    }
    em_summary_destroy(merged);
}

int main(void)
{
    RUN(same_machine);
    RUN(two_machines);
    RUN(what_differs_is_not_added);
    RUN(what_nobody_gave_stays_unknown);
    RUN(zones_are_part_of_the_basis);
    return CHECK_DONE();
}
