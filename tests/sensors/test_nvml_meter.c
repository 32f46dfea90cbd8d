/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whole meters on boards of the stand-in, by a clock that the test drives: boards that leave and come back, counters that
 * fall short, and how often each is read. */
#include "meter/meter.h"
#include "nvml_rig.h"
#include "rig/wave.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static em__host *host;
static em_meter *meter;
static uint64_t now_ns;

static void set_time(uint64_t t_ns)
{
    now_ns = t_ns;
    em__machine_set_clock(host, t_ns, t_ns, t_ns);
    rig.set_clock(t_ns);
}

static void begin_meter(const char *boards)
{
    em_options options;
    em_options_init(&options, sizeof options);
    host = rig_host(NULL);
    script(boards);
    set_time(100 * S);
    options.measure = 1u << EM_DOMAIN_GPU;
    if (!CHECK_INT(em__meter_create_on(host, &options, NULL, &meter), EM_OK)) {
        exit(1);
    }
}

static void end_meter(void)
{
    em_meter_destroy(meter);
    em__host_unref(host);
}

/* A round every 100 ms, as the sampler's thread makes them. */
static void pass(uint64_t elapsed_ns)
{
    for (uint64_t end_ns = now_ns + elapsed_ns; now_ns < end_ns;) {
        set_time(now_ns + 100 * MS);
        em__sampler_tick(meter->sampler, now_ns, 0, 0);
        em__meter_calls.step(meter, now_ns);
    }
}

static em_window begin_window(const char *name)
{
    em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_OTHER, .keep = 1, .name = name};
    em_window window = 0;
    CHECK_INT(em_window_begin(meter, &spec, &window), EM_OK);
    return window;
}

static em_result end_window(em_window window, em_energy channels[4])
{
    em_result result = {.size = sizeof result, .channels = channels, .channels_capacity = channels ? 4 : 0};
    CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
    pass(3 * S);
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.is_final, 1);
    return result;
}

static em_channel listed(size_t index)
{
    em_channel channel = {.size = sizeof channel};
    CHECK_INT(em_meter_channel(meter, index, &channel), EM_OK);
    return channel;
}

static void test_each_joule_once(void)
{
    begin_meter("board name=\"NVIDIA H200\" watts=300 update_ms=0\n"
                "board name=\"NVIDIA GeForce RTX 4090\" watts=200 update_ms=0\n");
    CHECK_INT(em_meter_channel_count(meter), 4);
    static const char *const names[] = {"gpu-0/board", "gpu-0/power", "gpu-1/board", "gpu-1/power"};
    for (size_t i = 0; i < 4; i++) {
        CHECK_TEXT(listed(i).name, names[i]);
        CHECK_INT(listed(i).role, i % 2 ? EM_ROLE_MIRROR : EM_ROLE_COUNTED);
        CHECK_INT(listed(i).of, i % 2 ? (int32_t)i - 1 : -1);
    }
    int before[2] = {rig.read_count(0), rig.read_count(1)};
    em_window window = begin_window(NULL);
    pass(10 * S);
    CHECK_INT(rig.read_count(1) - before[1], 11);
    CHECK(rig.read_count(0) - before[0] >= 100);
    em_energy channels[4];
    em_result result = end_window(window, channels);
    CHECK_NEAR(result.total.energy_j, 5000, 0.1);
    CHECK_NEAR(channels[1].energy_j, 3000, 31); /* but for a round: this clock stands still while a window begins */
    CHECK_NEAR(channels[3].energy_j, 2000, 21);
    CHECK_INT(result.is_complete, 1);
    CHECK_INT(result.total.provenance, EM_FROM_MEASURED);
    end_meter();
}

/* Lost at 110 s, back at 165 s with a counter that began anew: a gap with its name, no joule invented, the other board
 * untouched, and a new segment from when it was found again. */
static void test_a_board_that_comes_back(void)
{
    begin_meter("board name=\"NVIDIA H200\" watts=300 update_ms=0 lost_s=110:165 restart_s=150\n"
                "board name=\"NVIDIA H200\" watts=100 update_ms=0\n");
    em_window window = begin_window("across"), early = begin_window("early");
    pass(5 * S);
    em_result result = end_window(early, NULL);
    CHECK_NEAR(result.total.energy_j, 2000, 0.1);
    pass(12 * S); /* 120 s */
    CHECK_INT(listed(0).status, EM_ERR_GONE);
    CHECK(strstr(listed(0).reason, em_status_text(EM_ERR_GONE)) != NULL);
    CHECK_INT(listed(2).status, EM_OK);
    em_window away = begin_window("away");
    pass(10 * S);
    result = end_window(away, NULL);
    CHECK_INT(result.is_complete, 0);
    CHECK_INT(result.total.status, EM_ERR_GONE);
    CHECK_NEAR((double)result.total.gap_ns / 1e9, 10, 0.01);
    CHECK_NEAR(result.total.energy_j, 1000, 0.1);
    pass(50 * S);
    CHECK_INT(listed(0).status, EM_OK);
    em_window late = begin_window("late");
    pass(10 * S);
    result = end_window(late, NULL);
    CHECK_NEAR(result.total.energy_j, 4000, 0.1);
    CHECK_INT(result.is_complete, 1);
    em_energy channels[4];
    uint64_t end_ns = now_ns;
    result = end_window(window, channels);
    CHECK_INT(result.is_complete, 0);
    CHECK_INT(result.total.status, EM_ERR_GONE);
    CHECK(channels[0].notes & EM_NOTE_BIT(EM_NOTE_GAP));
    CHECK_INT(channels[2].gap_ns, 0);
    double gap_s = (double)channels[0].gap_ns / 1e9, whole_s = (double)(end_ns - 100 * S) / 1e9;
    CHECK(gap_s >= 55 && gap_s <= 62); /* looked for once a minute */
    CHECK_NEAR(channels[0].energy_j, 300 * (whole_s - gap_s), 0.5);
    CHECK_NEAR(channels[2].energy_j, 100 * whole_s, 0.5);
    em_summary *summary = NULL;
    char *text = NULL;
    CHECK_INT(em_summary_create(meter, 0, &summary), EM_OK);
    if (CHECK(summary) && CHECK_INT(em_summary_format(summary, EM_FORMAT_JSON, &text, NULL), EM_OK)) {
        const char *missing = strstr(text, "\"missing\"");
        CHECK(missing && strstr(missing, "gpu-0/board"));
        em_text_destroy(text);
    }
    em_summary_destroy(summary);
    end_meter();
}

/* The counter alone goes: its power stands in for it from then on. */
static void test_the_power_stands_in(void)
{
    begin_meter("board name=\"NVIDIA H200\" watts=300 update_ms=0 energy_until_s=110\n");
    em_window window = begin_window(NULL);
    pass(20 * S);
    em_result result = end_window(window, NULL);
    CHECK_INT(listed(0).status, EM_ERR_NOT_SUPPORTED);
    CHECK_INT(listed(1).role, EM_ROLE_COUNTED);
    CHECK_NEAR(result.total.energy_j, 6000, 35);
    CHECK(result.by_provenance_j[EM_FROM_MEASURED] > 2900 && result.by_provenance_j[EM_FROM_INTEGRATED] > 2900);
    end_meter();
}

/* A data-centre board that loses 13 % when its counter is read at every sample: found out after a minute and two
 * comparisons, and right from then on. */
static void test_a_board_that_falls_short(void)
{
    begin_meter("board name=\"NVIDIA H200\" watts=400 limit=700 update_ms=0 short=13:5\n");
    em_window first = begin_window("first");
    pass(30 * S);
    em_result result = end_window(first, NULL);
    CHECK_NEAR(result.total.energy_j, 12000 * 0.87, 60);
    CHECK_INT(result.total.notes & EM_NOTE_BIT(EM_NOTE_FALLS_SHORT), 0);
    em_window whole = begin_window("whole");
    pass(80 * S);
    em_window last = begin_window("last");
    int before = rig.read_count(0);
    pass(100 * S);
    CHECK(rig.read_count(0) - before <= 101);
    result = end_window(last, NULL);
    CHECK_NEAR(result.total.energy_j, 40000, 40);
    CHECK(result.total.notes & EM_NOTE_BIT(EM_NOTE_FALLS_SHORT));
    result = end_window(whole, NULL);
    CHECK(result.total.notes & EM_NOTE_BIT(EM_NOTE_FALLS_SHORT));
    end_meter();
}

/* A round whenever one is due. */
static void pass_as_planned(uint64_t elapsed_ns)
{
    uint64_t end_ns = now_ns + elapsed_ns;
    for (uint64_t next_ns; (next_ns = em__sampler_next_ns(meter->sampler)) <= end_ns;) {
        set_time(next_ns > now_ns ? next_ns : now_ns + 1000);
        em__sampler_tick(meter->sampler, now_ns, 0, 0);
        em__meter_calls.step(meter, now_ns);
    }
    set_time(end_ns);
}

/* Windows that leave a healthy board no rest: for ten seconds of half an hour it is read once a second all the same.
 * Windows then are less sharp, and say so, but no joule is lost or invented. */
static void test_comparing_costs_no_joule(void)
{
    enum { WINDOWS = 2400 };
    static em_window windows[WINDOWS];
    begin_meter("board name=\"NVIDIA H200\" limit=700 wave=square:200:600:900:55 update_ms=100 phase_ms=30\n");
    uint64_t begin_ns = now_ns;
    em_window whole = begin_window("whole");
    em_spec spec = {.size = sizeof spec, .keep = 1};
    CHECK_INT(em_window_begin(meter, &spec, &windows[0]), EM_OK);
    for (int i = 1; i < WINDOWS; i++) {
        pass_as_planned(600 * MS);
        CHECK_INT(em_window_lap(meter, windows[i - 1], &spec, NULL, &windows[i]), EM_OK);
    }
    pass_as_planned(600 * MS);
    CHECK_INT(em_window_end(meter, windows[WINDOWS - 1], NULL), EM_OK);
    CHECK_INT(em_window_end(meter, whole, NULL), EM_OK);
    uint64_t end_ns = now_ns;
    pass_as_planned(3 * S);
    double sum_j = 0, worst_j = 0;
    int spared = 0;
    wave power = wave_square(200, 600, 0.9, 0.55, 0);
    for (int i = 0; i < WINDOWS; i++) {
        em_result result = {.size = sizeof result};
        CHECK_INT(em_window_result(meter, windows[i], &result), EM_OK);
        CHECK_INT(result.is_final, 1);
        CHECK_INT(result.total.gap_ns, 0);
        CHECK_INT(result.total.notes & (EM_NOTE_BIT(EM_NOTE_FALLS_SHORT) | EM_NOTE_BIT(EM_NOTE_PINNED)), 0);
        int is_spared = (result.total.notes & EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER)) != 0;
        double error_j =
            result.total.energy_j - wave_energy_j(&power, result.begin_ns, result.begin_ns + result.duration_ns);
        sum_j += result.total.energy_j;
        spared += is_spared;
        worst_j = !is_spared && i > 10 && fabs(error_j) > worst_j ? fabs(error_j) : worst_j;
    }
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_result(meter, whole, &result), EM_OK);
    CHECK_NEAR(sum_j, result.total.energy_j, (double)WINDOWS * 1e-6);
    CHECK_NEAR(result.total.energy_j / wave_energy_j(&power, begin_ns, end_ns), 1, 0.001);
    printf("# %d windows of 0.6 s beside the comparison; worst error of the others %.2f J\n", spared, worst_j);
    CHECK(spared >= 16 && spared <= 22);
    CHECK(worst_j < 10);
    end_meter();
}

int main(void)
{
    rig_start();
    RUN(test_each_joule_once);
    RUN(test_a_board_that_comes_back);
    RUN(test_the_power_stands_in);
    RUN(test_a_board_that_falls_short);
    RUN(test_comparing_costs_no_joule);
    rig_end();
    return CHECK_DONE();
}
