/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Repeated and compared runs against closed forms, and Student's t against published quantiles. */
#include "merging.h"
#include "metrics/repeat.h"

static em_runs one(const em_summary *const *summary, const char *name)
{
    return (em_runs){summary, 1, name};
}

/* NIST/SEMATECH e-Handbook 1.3.6.7.2, columns 0.975: those that the code's table does not hold. */
static void quantiles_of_student(void)
{
    static const double published[][2] = {{31, 2.040}, {40, 2.021}, {60, 2.000}, {100, 1.984}, {1e6, 1.960}};
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        CHECK_NEAR(em__student_t(published[i][0]), published[i][1], 6e-4);
    }
    CHECK_NEAR(em__student_t(4.99), 2.776, 1e-9);
    CHECK_NEAR(em__student_t(1), 12.706, 1e-9);
    CHECK_NEAR(em__student_t(NAN), 12.706, 1e-9);
}

/* 100, 110 and 120 W for 10 s: deviation 10 W, interval t(2) × 10 / √3. */
static void spread_of_three(void)
{
    em_summary *summaries[3];
    em_repeat repeat = {.size = sizeof repeat};
    for (size_t i = 0; i < 3; i++) {
        process run = plain(1, 10, 20);
        run.count = 1;
        run.devices[0].before_w = run.devices[0].after_w = 100 + 10 * (double)i;
        summaries[i] = read_one(&run);
    }
    const em_runs runs = {(const em_summary *const *)summaries, 3, NULL};
    CHECK_INT(em_summary_repeat(&runs, &repeat), EM_OK);
    CHECK_INT(repeat.count, 3);
    CHECK_NEAR(repeat.energy_j.mean, 1100, 1e-6);
    CHECK_NEAR(repeat.energy_j.sd, 100, 1e-6);
    CHECK_NEAR(repeat.energy_j.interval, 4.303 * 100 / sqrt(3), 1e-3);
    CHECK_NEAR(repeat.power_w.mean, 110, 1e-6);
    CHECK_NEAR(repeat.duration_s.sd, 0, 1e-9);
    CHECK_NEAR(repeat.carbon_g.mean, 1100 / 3.6e6 * 360, 1e-9);
    char *text = NULL;
    size_t length = 0;
    em_summary *again = NULL;
    CHECK_INT(em_summary_repeat_format(&runs, EM_FORMAT_JSON, &text, &length), EM_OK);
    for (size_t i = 0; i < 3 && text; i++) {
        error = (em_error){.size = sizeof error};
        if (CHECK_INT(em_summary_parse_run(text, length, i, &error, &again), EM_OK)) {
            CHECK_NEAR(run_of(again).total.energy_j, 1000 + 100 * (double)i, 1e-6);
            em_summary_destroy(again);
        }
    }
    CHECK_INT(em_summary_parse_run(text, length, 3, &error, &again), EM_ERR_UNKNOWN);
    em_text_destroy(text);
    for (size_t i = 0; i < 3; i++) {
        em_summary_destroy(summaries[i]);
    }
}

static em_comparison compare(const process *a, const process *b, uint32_t flags, int expected)
{
    const em_summary *of_a = read_one(a), *of_b = read_one(b);
    const em_runs side_a = one(&of_a, "a"), side_b = one(&of_b, "b");
    em_comparison comparison = {.size = sizeof comparison};
    error = (em_error){.size = sizeof error};
    CHECK_INT(em_summary_compare(&side_a, &side_b, flags, &error, &comparison), expected);
    em_summary_destroy((em_summary *)(uintptr_t)of_a);
    em_summary_destroy((em_summary *)(uintptr_t)of_b);
    return comparison;
}

/* CPU 100 W and GPU 50 W, for 8 and for 10 s; each gain is a tenth, and the run's edges are 1 J. */
static void shared_gain_cancels(void)
{
    process a = plain(1, 10, 20), b = plain(2, 10, 18);
    em_comparison is = compare(&a, &b, 0, EM_OK);
    double gain_j = sqrt(20 * 20 + 10 * 10), edge_j = sqrt(2);
    CHECK_NEAR(is.difference_j, -300, 1e-6);
    CHECK_NEAR(is.ratio, 0.8, 1e-9);
    CHECK_NEAR(is.gain_j, gain_j, 1e-6);
    CHECK_NEAR(is.edge_j, edge_j, 1e-6);
    CHECK_NEAR(is.uncertainty_j, sqrt(gain_j * gain_j + 2), 1e-6);
    CHECK(isnan(is.scatter_j));
    CHECK_INT(is.stands, 1);
    CHECK_INT(is.is_comparable, 1);
    b.end_s = 20.001;
    CHECK_INT(compare(&a, &b, 0, EM_OK).stands, 0);
}

/* A model is off by different parts at different loads: 100 W against 50 W share half of what they are off by. */
static void a_model_cancels_as_far_as_loads_are_alike(void)
{
    process a = plain(1, 10, 20), b = plain(2, 10, 20);
    a.count = b.count = 1;
    a.devices[0].provenance = b.devices[0].provenance = "estimated";
    CHECK_NEAR(compare(&a, &b, 0, EM_OK).gain_j, 0, 1e-6);
    b.devices[0].before_w = b.devices[0].after_w = 50;
    CHECK_NEAR(compare(&a, &b, 0, EM_OK).gain_j, sqrt(100 * 100 + 50 * 50 - 2 * 0.5 * 100 * 50), 1e-6);
}

static void what_is_of_another_machine_is_refused(void)
{
    const process a = plain(1, 10, 20);
    process others[4] = {plain(2, 10, 18), plain(2, 10, 18), plain(2, 10, 18), plain(2, 10, 18)};
    static const char *const words[4] = {"another host", "lacks a channel", "another device", "another way"};
    others[0].host = "elsewhere";
    others[1].count = 1;
    others[2].devices[1].uuid = "GPU-b";
    others[3].devices[1].provenance = "integrated";
    for (size_t i = 0; i < 4; i++) {
        compare(&a, &others[i], 0, EM_ERR_INVALID);
        CHECK(strstr(error.text, words[i]) != NULL);
        CHECK_TEXT(error.argument, "b[0]");
        CHECK_INT(compare(&a, &others[i], EM_FORCE, EM_OK).is_comparable, 0);
    }
    /* Nothing is shared: 100 and 50 J of gain there, 80 and 40 J here. */
    CHECK_NEAR(compare(&a, &others[0], EM_FORCE, EM_OK).gain_j, sqrt(100 * 100 + 50 * 50 + 80 * 80 + 40 * 40), 1e-6);
    /* The CPU alone is shared. */
    CHECK_NEAR(compare(&a, &others[2], EM_FORCE, EM_OK).gain_j, sqrt(20 * 20 + 50 * 50 + 40 * 40), 1e-6);
    compare(&others[1], &a, 0, EM_ERR_INVALID);
    CHECK(strstr(error.text, "the first one lacks") != NULL);
}

/* Of equal deviations of 10 J, three runs each: Welch gives 4 degrees, t = 2.776, and √(2/3) × 10 J of standard error. */
static void runs_that_scatter(void)
{
    em_summary *summaries[2][3];
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < 3; i++) {
            process run = plain(1, 10, 20);
            run.count = 1;
            run.devices[0].before_w = run.devices[0].after_w = 100 + (double)i + 2 * (double)side;
            summaries[side][i] = read_one(&run);
        }
    }
    const em_runs sides[] = {{(const em_summary *const *)summaries[0], 3, "a"},
                             {(const em_summary *const *)summaries[1], 3, "b"}};
    em_comparison is = {.size = sizeof is};
    CHECK_INT(em_summary_compare(&sides[0], &sides[1], 0, NULL, &is), EM_OK);
    CHECK_NEAR(is.difference_j, 20, 1e-6);
    CHECK_NEAR(is.scatter_j, 2.776 * 10 * sqrt(2.0 / 3), 1e-3);
    CHECK_NEAR(is.edge_j, sqrt(2.0 / 3), 1e-6);
    CHECK_NEAR(is.gain_j, 2, 1e-6);
    CHECK_NEAR(is.uncertainty_j, sqrt(4 + is.scatter_j * is.scatter_j), 1e-6);
    CHECK_INT(is.stands, 0);
    char *text = NULL;
    CHECK_INT(em_summary_compare_format(sides, 2, 0, EM_FORMAT_TEXT, NULL, &text, NULL), EM_OK);
    CHECK(text && strstr(text, "so neither used less") && !strstr(text, "one run alone"));
    em_text_destroy(text);
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < 3; i++) {
            em_summary_destroy(summaries[side][i]);
        }
    }
}

static void reports_name_the_side(void)
{
    process runs[3] = {plain(1, 10, 20), plain(2, 10, 18), plain(3, 10, 16)};
    const em_summary *summaries[3];
    em_runs sides[3];
    char *text = NULL;
    runs[2].host = "elsewhere";
    for (size_t i = 0; i < 3; i++) {
        summaries[i] = read_one(&runs[i]);
        sides[i] = one(&summaries[i], i == 1 ? "B.json" : NULL);
    }
    error = (em_error){.size = sizeof error};
    CHECK_INT(em_summary_compare_format(sides, 3, 0, EM_FORMAT_JSON, &error, &text, NULL), EM_ERR_INVALID);
    CHECK_TEXT(error.argument, "runs[2]");
    CHECK_INT(em_summary_compare_format(sides, 3, EM_FORCE, EM_FORMAT_JSON, &error, &text, NULL), EM_OK);
    CHECK(text && strstr(text, "\"least\":\"run 3\"") && strstr(text, "\"name\":\"B.json\",\"than\":\"run 1\""));
    em_text_destroy(text);
    CHECK_INT(em_summary_compare_format(sides, 1, 0, EM_FORMAT_JSON, &error, &text, NULL), EM_ERR_INVALID);
    CHECK_INT(em_summary_compare(&sides[0], NULL, 0, NULL, NULL), EM_ERR_INVALID);
    for (size_t i = 0; i < 3; i++) {
        em_summary_destroy((em_summary *)(uintptr_t)summaries[i]);
    }
}

int main(void)
{
    RUN(quantiles_of_student);
    RUN(spread_of_three);
    RUN(shared_gain_cancels);
    RUN(a_model_cancels_as_far_as_loads_are_alike);
    RUN(what_is_of_another_machine_is_refused);
    RUN(runs_that_scatter);
    RUN(reports_name_the_side);
    return CHECK_DONE();
}
