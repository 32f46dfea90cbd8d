/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What is said of a time before there is a good point on both sides of it: after counts that cannot be placed, between two
 * readings of a board whose counter is spared for a while, before a model's or a counter's first power. */
#include "check.h"
#include "rig/channel.h"
#include "timeline/shape.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { PATIENCE_NS = 1000000000, POWER_W = 300, PERIOD_MS = 20 };

static em__added read_into(em__series *series, const rig_channel *channel, uint64_t t_ns)
{
    em__reading reading = rig_channel_read(channel, t_ns);
    return em__series_add(series, t_ns, &reading, PATIENCE_NS);
}

/* Reads as the sampler does, each 50 ms or when it is asked to, until the updates have been known for a while. */
static uint64_t learn_updates(em__series *series, const rig_channel *channel)
{
    uint64_t now_ns = S, due_ns = S;
    while (now_ns < 5 * S) {
        read_into(series, channel, now_ns);
        due_ns += now_ns >= due_ns ? 50 * MS : 0;
        now_ns = em__phase_plan(&series->phase, now_ns, due_ns);
    }
    CHECK_INT(series->phase.is_known, 1);
    return now_ns;
}

/* ---------------------------------------------------------------------------------------------- counts without a place */

/* Read just when it updates, a count may be of this update or of the one before: it is no point, and still it tells what
 * was used. Estimates carry on from there, off by an update at most; without it they would go on from the last point, and
 * show what was used since then twice. */
static void test_counts_that_cannot_be_placed(void)
{
    wave power = wave_constant(POWER_W);
    rig_source source = {.wave = &power, .period_ns = PERIOD_MS * MS, .phase_ns = 7 * MS};
    rig_channel channel = rig_channel_make("x", EM__COVERS_BOARD, 0, EM_KIND_COUNTER, source);
    em__series series;
    em__series_init(&series, &channel.facts);
    uint64_t now_ns = learn_updates(&series, &channel);
    em__point last = series.last;
    double last_j = wave_energy_j(&power, 0, last.t_ns);
    for (uint64_t n = 1; n <= 8; n++) {
        uint64_t update_ns = (now_ns / (PERIOD_MS * MS) + 2 * n) * PERIOD_MS * MS + 7 * MS, t_ns = update_ns + 1000;
        CHECK_INT(read_into(&series, &channel, t_ns), EM__ADDED_NOTHING);
        CHECK_INT(series.last.t_ns, last.t_ns);
        CHECK(series.known_ns > last.t_ns && series.known_ns < t_ns);
        for (uint64_t i = 0; i <= 30; i++) {
            em__doubt doubt;
            uint64_t at_ns = last.t_ns + (t_ns - last.t_ns) * i / 20;
            em__point point = em__series_estimate(&series, at_ns, &doubt);
            double used_j = (double)(point.energy_uj - last.energy_uj) / 1e6;
            CHECK_NEAR(used_j, wave_energy_j(&power, 0, at_ns) - last_j,
                       (double)POWER_W * 0.5 * (double)PERIOD_MS / 1000 + 0.1);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------ a spared counter */

/* A board whose counter may be read often, and is read once a second for a while. Its gauge shows a
 * third too much. */
static em__series counter_of_board, gauge_of_board;
static em__shape shape;

static void begin_board(const rig_channel channels[2])
{
    em__series_init(&counter_of_board, &channels[0].facts);
    em__series_init(&gauge_of_board, &channels[1].facts);
    shape = (em__shape){.facts = &channels[1].facts, .gauge = 1};
    counter_of_board.shape = &shape;
}

static void read_board(const rig_channel channels[2], uint64_t t_ns, int with_counter)
{
    if (with_counter) {
        read_into(&counter_of_board, &channels[0], t_ns);
    }
    if (read_into(&gauge_of_board, &channels[1], t_ns) == EM__ADDED_POINT) {
        em__shape_add(&shape, &gauge_of_board.last, counter_of_board.before.t_ns);
    }
}

static double mean_off_j(const rig_channel channels[2], uint64_t every_ns, uint64_t counter_every_ns,
                         double *ret_most_j)
{
    double off_j = 0, most_j = 0;
    uint64_t now_ns = S, counter_ns = S;
    int count = 0;
    begin_board(channels);
    for (; now_ns < 7 * S; now_ns += every_ns) {
        int with_counter = now_ns >= counter_ns;
        read_board(channels, now_ns, with_counter);
        counter_ns += with_counter ? counter_every_ns : 0;
        const em__point *from = &counter_of_board.previous, *to = &counter_of_board.last;
        for (int i = 1; with_counter && now_ns > 4 * S && i < 10; i++) {
            em__doubt doubt;
            uint64_t at_ns = from->t_ns + (to->t_ns - from->t_ns) * (uint64_t)i / 10;
            em__point point = em__series_at(&counter_of_board, at_ns, &doubt);
            double truth_j = wave_energy_j(channels[0].source.wave, from->t_ns, at_ns);
            double error_j = fabs((double)(point.energy_uj - from->energy_uj) / 1e6 - truth_j);
            off_j += error_j;
            most_j = fmax(most_j, error_j);
            count++;
        }
    }
    *ret_most_j = most_j;
    return off_j / count;
}

static void test_a_counter_that_is_spared_for_a_while(void)
{
    wave power = wave_square(90, 380, 0.9, 0.55, 0.05), more = wave_square(120, 507, 0.9, 0.55, 0.05);
    rig_channel channels[2] = {
        rig_channel_make("x", EM__COVERS_BOARD, 0, EM_KIND_COUNTER, (rig_source){.wave = &power}),
        rig_channel_make("x", EM__COVERS_BOARD, 0, EM_KIND_GAUGE, (rig_source){.wave = &more})};
    channels[0].facts.gauge = 1;
    double most_j, straight_most_j;
    double shaped_j = mean_off_j(channels, 10 * MS, S, &most_j);
    channels[1].source.wave = &(wave){.shape = WAVE_CONSTANT, .low_w = 250, .high_w = 250};
    double straight_j = mean_off_j(channels, 10 * MS, S, &straight_most_j);
    printf("# spared: %.2f J off, at most %.2f; on a straight line %.2f, %.2f\n", shaped_j, most_j, straight_j,
           straight_most_j);
    CHECK(straight_j > 15); /* 145 W × 0.5 s, from the middle of a second to its ends */
    CHECK(most_j < 4);      /* two steps, each between two samples: 290 W × 5 ms, and as much from the whole */
    /* Of points closer than that the counter knows better than a gauge that sees what is not there. */
    channels[0].source.wave = &(wave){.shape = WAVE_CONSTANT, .low_w = 250, .high_w = 250};
    channels[1].source.wave = &more;
    mean_off_j(channels, 10 * MS, 50 * MS, &most_j);
    CHECK(most_j < 0.01);
}

/* -------------------------------------------------------------------------------------------------- before the first power */

static em__added evaluate(em__series *series, uint64_t t_ns, uint64_t total_uj)
{
    em__reading reading = {.value = total_uj, .stamp = t_ns};
    return em__series_add(series, t_ns, &reading, PATIENCE_NS);
}

/* A model that was evaluated once has no power yet. An edge that cannot wait leaves a gap up to it: what the next
 * evaluation says of that time comes too late, and is not put anywhere else. */
static void test_a_model_is_pinned_before_its_first_power(void)
{
    rig_channel channel =
        rig_channel_make("x", EM__COVERS_PACKAGE, 0, EM_KIND_MODEL, (rig_source){.period_ns = 10 * MS});
    em__series series;
    em__series_init(&series, &channel.facts);
    CHECK_INT(evaluate(&series, S, 0), EM__ADDED_POINT);
    uint64_t gap_ns = series.last.gap_ns;
    int64_t energy_uj = series.last.energy_uj;
    em__series_pin(&series, 1040 * MS);
    CHECK_INT(series.last.gap_ns - gap_ns, 40 * MS);
    CHECK_INT(series.last.energy_uj, energy_uj);
    CHECK_INT(series.status, EM_ERR_READ);
    CHECK_INT(evaluate(&series, 1100 * MS, 10000000), EM__ADDED_POINT); /* 100 W */
    CHECK_INT(series.last.energy_uj - energy_uj, 6000000);
    CHECK_INT(series.last.gap_ns - gap_ns, 40 * MS);
    em__series_pin(&series, 1150 * MS); /* A power is known now. */
    CHECK_INT(series.last.energy_uj - energy_uj, 11000000);
    CHECK_INT(series.last.gap_ns - gap_ns, 40 * MS);
}

/* Nobody knows the power after a single count: it is any from 0 to the ceiling, which is twice what a device is made for,
 * so the truth lies within two standard deviations. As soon as a power is known it is doubted by a tenth. */
static void test_the_doubt_before_the_first_power(void)
{
    enum { CEILING_W = 500, AHEAD_MS = 40 };
    wave power = wave_constant(POWER_W);
    rig_channel channel = rig_channel_make("x", EM__COVERS_PACKAGE, 0, EM_KIND_COUNTER, (rig_source){.wave = &power});
    channel.facts.ceiling_mw = CEILING_W * 1000;
    em__series series;
    em__doubt doubt;
    em__series_init(&series, &channel.facts);
    read_into(&series, &channel, S);
    em__point before = series.last, point = em__series_estimate(&series, S + AHEAD_MS * MS, &doubt);
    double all_j = CEILING_W * AHEAD_MS / 1000.0;
    CHECK_INT(point.energy_uj, before.energy_uj);
    CHECK_NEAR(doubt.energy_uj / 1e6, all_j / sqrt(12.0), 1e-9);
    CHECK(2 * doubt.energy_uj / 1e6 >= all_j / 2);
    CHECK(2 * doubt.power_mw / 1e3 >= (double)CEILING_W / 2.0);
    read_into(&series, &channel, S + 100 * MS);
    point = em__series_estimate(&series, S + 100 * MS + AHEAD_MS * MS, &doubt);
    CHECK_INT(point.energy_uj - before.energy_uj, (100 + AHEAD_MS) * POWER_W * 1000);
    CHECK_NEAR(doubt.energy_uj / 1e6, (double)POWER_W / 10.0 * (double)AHEAD_MS / 1000.0, 1e-9);
}

int main(void)
{
    RUN(test_counts_that_cannot_be_placed);
    RUN(test_a_counter_that_is_spared_for_a_while);
    RUN(test_a_model_is_pinned_before_its_first_power);
    RUN(test_the_doubt_before_the_first_power);
    return CHECK_DONE();
}
