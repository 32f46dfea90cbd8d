/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Energy to carbon: published figures (case A10, measurement.md §8). */
#include "check.h"
#include "data/intensity.h"
#include "metrics/carbon.h"

static void test_published_figures(void)
{
    CHECK_NEAR(em__carbon_g(62.382, 450), 0.0077978, 5.1e-8);
    /* 433,196 kWh at 57 g/kWh: 24,692 kg, as its authors print it. */
    CHECK_NEAR(em__carbon_g(433196 * 3.6e6, 57) / 1000, 24692, 0.5);
    CHECK_NEAR(em__carbon_g(3.6e6, 1), 1, 1e-15);
}

static void test_limits(void)
{
    CHECK_NEAR(em__carbon_g(0, 450), 0, 0);
    CHECK_NEAR(em__carbon_g(1e9, 0), 0, 0);
    CHECK_NEAR(em__carbon_g(1, 100000), 100000 / 3.6e6, 1e-15);
}

/* The world's average is one of a grid: between that of wind and that of coal. */
static void test_the_default_says_what_it_is(void)
{
    CHECK(em__intensity_world.g_per_kwh > 300 && em__intensity_world.g_per_kwh < 700);
    CHECK(em__intensity_world.year >= 2020 && em__intensity_world.year < 2100);
    CHECK(em__intensity_world.source && em__intensity_world.source[0]);
}

int main(void)
{
    RUN(test_published_figures);
    RUN(test_limits);
    RUN(test_the_default_says_what_it_is);
    return CHECK_DONE();
}
