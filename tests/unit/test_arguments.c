/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Wrong arguments are refused in words and touch nothing; structs of other sizes are cut or left as they are. */
#include "metering.h"

static wave constant;

static void begin_one(void)
{
    constant = wave_constant(100);
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &constant, .range = 262143999938});
    begin_meter(NULL);
}

/* ----------------------------------------------------------------------------------------------------------- options */

static void check_refused(const em_options *options, const char *argument)
{
    em_meter *untouched = (em_meter *)&constant;
    em_error error = {.size = sizeof error};
    CHECK_INT(em__meter_create_on(rig_host_base(machine), options, &error, &untouched), EM_ERR_INVALID);
    CHECK(untouched == (em_meter *)&constant);
    CHECK_INT(error.status, EM_ERR_INVALID);
    CHECK_TEXT(error.argument, argument);
    CHECK(error.text[0] != '\0');
    CHECK(error.remedy[0] != '\0');
    CHECK_INT(em__meter_create_on(rig_host_base(machine), options, NULL, &untouched), EM_ERR_INVALID);
}

static void test_options(void)
{
    static const double wrong_w[] = {0, -1, -0.0, INFINITY, -INFINITY, 100000.1, 1e300};
    begin_machine("GenuineIntel");
    em_options options = default_options();
    static const uint64_t wrong_ns[] = {0, 1, MS - 1, 60 * S + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof wrong_ns / sizeof wrong_ns[0]; i++) {
        options.sample_interval_ns = wrong_ns[i];
        check_refused(&options, "sample_interval_ns");
    }
    for (size_t i = 0; i < sizeof wrong_w / sizeof wrong_w[0]; i++) {
        options = default_options();
        options.cpu_tdp_w = wrong_w[i];
        check_refused(&options, "cpu_tdp_w");
        options = default_options();
        options.gpu_tdp_w = wrong_w[i];
        check_refused(&options, "gpu_tdp_w");
        if (wrong_w[i] != 0) {
            options = default_options();
            options.carbon_g_per_kwh = wrong_w[i];
            check_refused(&options, "carbon_g_per_kwh");
        }
    }
    options = default_options();
    options.measure = 0;
    check_refused(&options, "measure");
    options.measure = 1u << 31;
    check_refused(&options, "measure");
    options = default_options();
    options.measure = 1u << EM_DOMAIN_CPU;
    options.require = 1u << EM_DOMAIN_GPU;
    check_refused(&options, "require");
    options = default_options();
    options.flags = 1u << 20;
    check_refused(&options, "flags");
    options = default_options();
    options.flags = EM_EDGES_ALWAYS | EM_EDGES_NEVER;
    check_refused(&options, "flags");
    static const double wrong_limits[] = {NAN, -1e-9, 1.000001, INFINITY, -INFINITY, 1e300};
    for (size_t i = 0; i < sizeof wrong_limits / sizeof wrong_limits[0]; i++) {
        options = default_options();
        options.overhead_limit = wrong_limits[i];
        check_refused(&options, "overhead_limit");
    }
    options = default_options();
    options.gpus = "";
    check_refused(&options, "gpus");
    options.gpus = NULL;
    check_refused(&options, "gpus");
    static const char *const wrong_channels[] = {"cpu-0/package", "+",        "-",        ",",
                                                 "-cpu-*,",       "+nothing", "+a****b*", " +a"};
    for (size_t i = 0; i < sizeof wrong_channels / sizeof *wrong_channels; i++) {
        options = default_options();
        options.channels = wrong_channels[i];
        check_refused(&options, "channels");
    }
    rig_host_destroy(machine);
}

/* The limits themselves are allowed, and an intensity of 0. */
static void test_options_at_their_limits(void)
{
    begin_machine("GenuineIntel");
    em_options options = default_options();
    options.sample_interval_ns = MS;
    options.cpu_tdp_w = options.gpu_tdp_w = 100000;
    options.carbon_g_per_kwh = 0;
    options.overhead_limit = 0;
    begin_meter(&options);
    em_meter_destroy(meter);
    options.sample_interval_ns = 60 * S;
    options.cpu_tdp_w = 1e-9;
    options.carbon_g_per_kwh = 100000;
    options.overhead_limit = 1;
    begin_meter(&options);
    em_meter_destroy(meter);
    rig_host_destroy(machine);
}

static void test_create_without_outputs(void)
{
    em_error error = {.size = 4}; /* too small to be one */
    em_options options = default_options();
    CHECK_INT(em_meter_create(NULL, NULL, NULL), EM_ERR_INVALID);
    options.size = 3;
    CHECK_INT(em_meter_create(&options, NULL, &meter), EM_ERR_INVALID);
    options = default_options();
    options.root = "/no/such/folder";
    CHECK_INT(em_meter_create(&options, &error, &meter), EM_ERR_INVALID);
    CHECK_INT(error.status, 0);
    error.size = sizeof error;
    CHECK_INT(em_meter_create(&options, &error, &meter), EM_ERR_INVALID);
    CHECK_TEXT(error.argument, "root");
    CHECK(strstr(error.text, "/no/such/folder") != NULL);
    em_options_init(NULL, 100);
    em_options_init(&options, 0);
}

static void test_what_is_required(void)
{
    em_error error = {.size = sizeof error};
    em_options options = default_options();
    constant = wave_constant(100);
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &constant});
    options.require = 1u << EM_DOMAIN_CPU;
    begin_meter(&options);
    em_meter_destroy(meter);
    meter = NULL;
    options.require |= 1u << EM_DOMAIN_DRAM;
    CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, &error, &meter), EM_ERR_UNAVAILABLE);
    CHECK(meter == NULL);
    CHECK_TEXT(error.argument, "require");
    CHECK(strstr(error.text, "require names \"dram\"") != NULL);
    CHECK(strstr(error.remedy, "energy-meter sensors") && strstr(error.remedy, "leave \"dram\" out of require"));
    rig_host_destroy(machine);
    /* A model is no reading. */
    static wave half;
    half = wave_constant(0.5);
    begin_machine("GenuineIntel");
    rig_host_put_stat(machine, &half, 8);
    options.require = 1u << EM_DOMAIN_CPU;
    CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, &error, &meter), EM_ERR_UNAVAILABLE);
    CHECK(strstr(error.text, "/sys/class/powercap does not exist") != NULL);
    CHECK(strstr(error.remedy, "modprobe") && strstr(error.remedy, "leave \"cpu\" out of require"));
    rig_host_destroy(machine);
}

/* ----------------------------------------------------------------------------------------------------------- windows */

static void test_wrong_windows(void)
{
    static char too_long[300];
    memset(too_long, 'x', 299);
    begin_one();
    em_window window = 77;
    em_spec specs[] = {{sizeof(em_spec), -1, 0, NULL},
                       {sizeof(em_spec), EM_WINDOW_RUN + 1, 0, NULL},
                       {sizeof(em_spec), EM_WINDOW_BATCH, 0, too_long},
                       {sizeof(em_spec), EM_WINDOW_BATCH, 0, too_long + 43},
                       {4, EM_WINDOW_BATCH, 0, NULL}};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        CHECK_INT(em_window_begin(meter, &specs[i], &window), EM_ERR_INVALID);
        CHECK_INT(window, 77);
    }
    CHECK_INT(em_window_begin(meter, NULL, NULL), EM_ERR_INVALID);
    CHECK_INT(em_window_begin(NULL, NULL, &window), EM_ERR_INVALID);
    CHECK_INT(em__ledger_open_count(&meter->ledger), 0);
    specs[3].name = too_long + 44; /* 255 bytes */
    CHECK_INT(em_window_begin(meter, &specs[3], &window), EM_OK);
    CHECK_TEXT(result_of(window).name, too_long + 44);
    CHECK_INT(em_window_settle(meter, window, 0), EM_ERR_INVALID); /* it is open */
    em_window next = 78;
    CHECK_INT(em_window_lap(meter, window, &specs[0], NULL, &next), EM_ERR_INVALID);
    CHECK_INT(em_window_lap(meter, window, NULL, NULL, NULL), EM_ERR_INVALID);
    CHECK_INT(next, 78);
    CHECK_INT(result_of(window).is_open, 1);
    CHECK_INT(em_window_last(meter, 4, NULL, &next), EM_ERR_INVALID);
    CHECK_INT(em_window_last(meter, -2, NULL, &next), EM_ERR_INVALID);
    CHECK_INT(em_window_last(meter, -1, NULL, NULL), EM_ERR_INVALID);
    CHECK_INT(next, 78);
    end_all();
}

static void test_unknown_windows(void)
{
    begin_one();
    em_window real = begin_window(EM_WINDOW_OTHER, NULL), unknown[] = {0, real + 1, UINT64_MAX}, next = 78;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        em_result result = {.size = sizeof result, .id = 5};
        CHECK_INT(em_window_end(meter, unknown[i], &result), EM_ERR_UNKNOWN);
        CHECK_INT(em_window_result(meter, unknown[i], &result), EM_ERR_UNKNOWN);
        CHECK_INT(em_window_lap(meter, unknown[i], NULL, &result, &next), EM_ERR_UNKNOWN);
        CHECK_INT(em_window_cancel(meter, unknown[i]), EM_ERR_UNKNOWN);
        CHECK_INT(em_window_set_items(meter, unknown[i], 1), EM_ERR_UNKNOWN);
        CHECK_INT(em_window_set_wait(meter, unknown[i], 1), EM_ERR_UNKNOWN);
        CHECK_INT(em_window_release(meter, unknown[i]), EM_ERR_UNKNOWN);
        if (unknown[i] != 0) {
            CHECK_INT(em_window_settle(meter, unknown[i], S), EM_ERR_UNKNOWN);
        }
        CHECK_INT(result.id, 5);
        CHECK_INT(next, 78);
    }
    end_window(real);
    CHECK_INT(em_window_end(meter, real, NULL), EM_ERR_ENDED);
    CHECK_INT(em_window_cancel(meter, real), EM_ERR_ENDED);
    CHECK_INT(em_window_set_wait(meter, real, 1), EM_ERR_ENDED);
    end_all();
}

/* ------------------------------------------------------------------------------------------------------------- sizes */

static void test_structs_of_other_sizes(void)
{
    begin_one();
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pass(S);
    end_window(window);
    pass(100 * MS);
    struct {
        em_result result;
        unsigned char tail[64];
    } large = {.result = {.size = sizeof large}};
    memset(large.tail, 0xAA, sizeof large.tail);
    CHECK_INT(em_window_result(meter, window, &large.result), EM_OK);
    CHECK_INT(large.result.size, sizeof large);
    CHECK_NEAR(large.result.total.energy_j, 100, 1e-4);
    for (size_t i = 0; i < sizeof large.tail; i++) {
        CHECK_INT(large.tail[i], 0xAA);
    }
    em_result small;
    memset(&small, 0xAA, sizeof small);
    small.size = offsetof(em_result, total);
    CHECK_INT(em_window_result(meter, window, &small), EM_OK);
    CHECK_INT(small.duration_ns, S);
    CHECK_INT(*(unsigned char *)&small.total, 0xAA);
    small.size = 8;
    CHECK_INT(em_window_result(meter, window, &small), EM_ERR_INVALID);
    CHECK_INT(em_window_result(meter, window, NULL), EM_ERR_INVALID);
    em_energy channels[3] = {{.energy_j = -1}, {.energy_j = -1}, {.energy_j = -1}};
    em_result result = {.size = sizeof result, .channels = channels, .channels_capacity = 3};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.channels_count, 1);
    CHECK_NEAR(channels[0].energy_j, 100, 1e-4);
    CHECK_NEAR(channels[1].energy_j, -1, 0);
    result.channels_capacity = 0;
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.channels_count, 0);
    em_channel channel = {.size = offsetof(em_channel, source), .source = "mine"};
    CHECK_INT(em_meter_channel(meter, 0, &channel), EM_OK);
    CHECK_TEXT(channel.name, "cpu-0/package");
    CHECK_TEXT(channel.source, "mine");
    CHECK_INT(em_meter_channel(meter, 1, &channel), EM_ERR_UNKNOWN);
    CHECK_INT(em_meter_channel(meter, 0, NULL), EM_ERR_INVALID);
    channel.size = 0;
    CHECK_INT(em_meter_channel(meter, 0, &channel), EM_ERR_INVALID);
    end_all();
}

static void test_null_is_a_wrong_meter_and_nothing_to_destroy(void)
{
    em_window window = 77;
    em_summary *summary = NULL;
    char *text = NULL;
    size_t index = 5;
    em_meter_destroy(NULL);
    em_summary_destroy(NULL);
    em_text_destroy(NULL);
    CHECK_INT(em_meter_channel_count(NULL) + em_meter_absence_count(NULL) + em_summary_group_count(NULL), 0);
    CHECK_INT(em_window_end(NULL, 1, NULL), EM_ERR_INVALID);
    CHECK_INT(em_window_settle(NULL, 0, 0), EM_ERR_INVALID);
    CHECK_INT(em_meter_close(NULL, 0), EM_ERR_INVALID);
    CHECK_INT(em_meter_reset(NULL), EM_ERR_INVALID);
    CHECK_INT(em_summary_create(NULL, 0, &summary), EM_ERR_INVALID);
    CHECK_INT(em_summary_find(NULL, -1, NULL, &index), EM_ERR_INVALID);
    CHECK_INT(em_summary_format(NULL, EM_FORMAT_JSON, &text, NULL), EM_ERR_INVALID);
    CHECK_INT(em_meter_format(NULL, EM_SENSORS, EM_FORMAT_JSON, &text, NULL), EM_ERR_INVALID);
    begin_one();
    CHECK_INT(em_summary_create(meter, 0, NULL), EM_ERR_INVALID);
    CHECK_INT(em_meter_format(meter, EM_SENSORS, 7, &text, NULL), EM_ERR_INVALID);
    CHECK_INT(em_meter_format(meter, 7, EM_FORMAT_JSON, &text, NULL), EM_ERR_INVALID);
    CHECK_INT(em_meter_format(meter, EM_SENSORS, EM_FORMAT_JSON, NULL, NULL), EM_ERR_INVALID);
    CHECK_INT(em_summary_create(meter, 0, &summary), EM_OK);
    em_group group = {.size = sizeof group, .count = 5};
    em_energy energy = {.energy_j = -1};
    CHECK_INT(em_summary_group(summary, 1, &group), EM_ERR_UNKNOWN);
    CHECK_INT(em_summary_energy(summary, 0, 1, &energy), EM_ERR_UNKNOWN);
    CHECK_INT(em_summary_energy(summary, 1, 0, &energy), EM_ERR_UNKNOWN);
    CHECK_INT(em_summary_find(summary, -1, "x", &index), EM_ERR_UNKNOWN);
    CHECK_INT(em_summary_format(summary, 7, &text, NULL), EM_ERR_INVALID);
    CHECK_INT(group.count, 5);
    CHECK_NEAR(energy.energy_j, -1, 0);
    CHECK_INT(index, 5);
    CHECK(text == NULL && window == 77);
    em_summary_destroy(summary);
    end_all();
}

int main(void)
{
    RUN(test_options);
    RUN(test_options_at_their_limits);
    RUN(test_create_without_outputs);
    RUN(test_what_is_required);
    RUN(test_wrong_windows);
    RUN(test_unknown_windows);
    RUN(test_structs_of_other_sizes);
    RUN(test_null_is_a_wrong_meter_and_nothing_to_destroy);
    return CHECK_DONE();
}
