/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Numbers of outside meters: what they are worth by the definition of their units, and what files do to their readers. */
#include "probing.h"
#include "tree.h"
#include "unit/metering.h"

#include <math.h>

#define PATH "/run/meter/wall"

static em__probe probe_files(em__host *host, const em_file *files, size_t count, int status)
{
    em__selection selection = everything();
    em__probe probe = {0};
    selection.files = files;
    selection.file_count = count;
    CHECK_INT(em__sensor_file.probe(host, &selection, &probe), status);
    return probe;
}

static double worth(const em__channel *channel, uint64_t raw)
{
    return (double)raw * (double)channel->scale_num / (double)channel->scale_den;
}

/* ----------------------------------------------------------------------------------------------------------- numbers */

/* 1 kWh is 3.6 MJ. */
static void units_are_worth_what_they_are(void)
{
    static const struct {
        const char *unit, *text;
        int32_t kind;
        double expected; /* µJ or mW */
    } cases[] = {{"J", "123.456\n", EM_KIND_COUNTER, 123456000},
                 {"kJ", "1.5", EM_KIND_COUNTER, 1.5e9},
                 {"mJ", "77.5 mJ", EM_KIND_COUNTER, 77500},
                 {"uJ", "18000000000000000001", EM_KIND_COUNTER, 18000000000000000001.0},
                 {"Wh", "0.25\n", EM_KIND_COUNTER, 900e6},
                 {"kWh", "3.141592653\n", EM_KIND_COUNTER, 3.141592653 * 3.6e12},
                 {"W", "350.25 W\n", EM_KIND_GAUGE, 350250},
                 {"kW", "1.2e-1", EM_KIND_GAUGE, 120000},
                 {"mW", "4200", EM_KIND_GAUGE, 4200},
                 {"uW", "5000000", EM_KIND_GAUGE, 5000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em__host *host = empty_machine(0);
        put(host, PATH, cases[i].text);
        em_file file = {.path = PATH, .unit = cases[i].unit};
        em__probe probe = probe_files(host, &file, 1, EM_OK);
        if (CHECK_INT(probe.device_count, 1)) {
            const em__channel *channel = &probe.devices[0]->channels[0];
            em__reading reading = read_one(probe.devices[0]);
            CHECK_INT(channel->kind, cases[i].kind);
            CHECK_INT(channel->status, EM_OK);
            CHECK_INT(reading.outcome, EM__READ_OK);
            CHECK_NEAR(worth(channel, reading.value), cases[i].expected, cases[i].expected * 1e-15);
            CHECK_TEXT(channel->name, "platform/wall");
            CHECK_TEXT(channel->source, PATH);
            CHECK_INT(channel->domain, EM_DOMAIN_PLATFORM);
        }
        em__sensors_free(&probe);
        em__host_unref(host);
    }
}

static void the_last_digit_is_the_unit(void)
{
    em__host *host = empty_machine(0);
    em_file files[] = {{.path = "/a", .unit = "W"}, {.path = "/b", .unit = "kWh"}};
    put(host, "/a", "350.2\n");
    put(host, "/b", "12.34\n");
    em__probe probe = probe_files(host, files, 2, EM_OK);
    CHECK_NEAR(worth(channel_named(&probe, "platform/a", NULL), channel_named(&probe, "platform/a", NULL)->unit), 100,
               0);
    CHECK_NEAR(worth(channel_named(&probe, "platform/b", NULL), channel_named(&probe, "platform/b", NULL)->unit), 36e9,
               0);
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* ------------------------------------------------------------------------------------------------------- what is said */

static void wrong_words_are_named(void)
{
    static const struct {
        em_file file;
        const char *argument, *value, *remedy;
    } cases[] = {{{NULL, "W", NULL, NULL, NULL}, "files[1].path", "\"\"", "begins with '/'"},
                 {{"wall", "W", NULL, NULL, NULL}, "files[1].path", "\"wall\"", "begins with '/'"},
                 {{PATH, NULL, NULL, NULL, NULL}, "files[1].unit", "\"\"", "kWh"},
                 {{PATH, "Watt", NULL, NULL, NULL}, "files[1].unit", "\"Watt\"", "kWh"},
                 {{PATH, "Wh", "gauge", NULL, NULL}, "files[1].kind", "Wh is the unit of a counter", "gauge has W"},
                 {{PATH, "W", "sum", NULL, NULL}, "files[1].kind", "\"sum\"", "gauge has W"},
                 {{PATH, "W", NULL, "network", NULL}, "files[1].domain", "\"network\"", "\"other\""},
                 {{PATH, "W", NULL, NULL, ""}, "files[1].name", "\"\"", "letters"},
                 {{PATH, "W", NULL, NULL, "a/b"}, "files[1].name", "\"a/b\"", "letters"},
                 {{PATH, "W", NULL, NULL, "a,b"}, "files[1].name", "\"a,b\"", "letters"},
                 {{"/run/meter/", "W", NULL, NULL, NULL}, "files[1].name", "\"\"", "letters"},
                 {{"/else/wall", "W", NULL, NULL, NULL}, "files[1].name", PATH " has already", "its own"},
                 {{PATH, "W", NULL, NULL, "12345678901234567890123456789012"}, "files[1].name", "12345", "31 letters"}};
    em__host *host = empty_machine(0);
    put(host, PATH, "1\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        em_file files[] = {{.path = PATH, .unit = "W"}, cases[i].file};
        em__probe probe = probe_files(host, files, 2, EM_ERR_INVALID);
        CHECK_TEXT(probing_error.argument, cases[i].argument);
        CHECK(strstr(probing_error.text, cases[i].value) != NULL);
        CHECK(strstr(probing_error.remedy, cases[i].remedy) != NULL);
        em__sensors_free(&probe);
    }
    em__host_unref(host);
}

static void names_of_files_become_names_of_channels(void)
{
    em__host *host = empty_machine(0);
    const em_file files[] = {{"/x/wall power, room*1.txt", "W", "gauge", NULL, NULL},
                             {"/x/b", "kWh", "counter", "other", "network"},
                             {"/x/a-name-of-more-than-thirty-one-letters", "W", NULL, "gpu", NULL}};
    em__probe probe = probe_files(host, files, 3, EM_OK);
    CHECK(channel_named(&probe, "platform/wall_power__room_1.txt", NULL) != NULL);
    CHECK(channel_named(&probe, "other/network", NULL) != NULL);
    CHECK(channel_named(&probe, "gpu/a-name-of-more-than-thirty-one-", NULL) != NULL);
    em__sensors_free(&probe);
    em__host_unref(host);
}

/* ----------------------------------------------------------------------------------------------- files of the system */

static em__host *tree_host(void)
{
    em__host *host = NULL;
    if (tree_begin() < 0 || mkdir(tree_path("/run"), 0755) < 0 ||
        em__host_open(tree_top, 0, NULL, NULL, 0, &host) < 0) {
        abort();
    }
    return host;
}

static void write_to(const char *path, const char *text)
{
    FILE *file = fopen(tree_path(path), "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
        abort();
    }
}

static void put_in_place(const char *path, const char *text)
{
    char draft[PATH_MAX];
    write_to("/run/draft", text);
    snprintf(draft, sizeof draft, "%s", tree_path("/run/draft"));
    CHECK_INT(rename(draft, tree_path(path)), 0);
}

/* What is no file is told apart at once: opening a pipe without a writer would wait for ever. */
static void what_is_no_file_is_never_waited_for(void)
{
    static const em_file files[] = {{"/run/pipe", "W", NULL, NULL, NULL},    {"/run/folder", "W", NULL, NULL, NULL},
                                    {"/run/nowhere", "W", NULL, NULL, NULL}, {"/run/empty", "W", NULL, NULL, NULL},
                                    {"/run/words", "W", NULL, NULL, NULL},   {"/run/long", "W", NULL, NULL, NULL},
                                    {"/run/power", "W", NULL, NULL, NULL}};
    static const struct {
        int status;
        const char *reason;
    } expected[] = {{EM_ERR_NOT_SUPPORTED, "regular file"}, {EM_ERR_NOT_SUPPORTED, "folder"},
                    {EM_ERR_NOT_SUPPORTED, "no such file"}, {EM_ERR_BROKEN, "empty"},
                    {EM_ERR_BROKEN, "no number in W"},      {EM_ERR_BROKEN, "more than one number"},
                    {EM_ERR_BROKEN, "more than 1 MW"}};
    em__host *host = tree_host();
    CHECK_INT(mkfifo(tree_path("/run/pipe"), 0666), 0);
    CHECK_INT(mkdir(tree_path("/run/folder"), 0755), 0);
    write_to("/run/empty", "");
    write_to("/run/words", "12.5 kW\n");
    write_to("/run/long", "1                                                               2\n");
    write_to("/run/power", "1000001\n");
    em__probe probe = probe_files(host, files, 7, EM_OK);
    for (size_t i = 0; i < 7 && CHECK_INT(probe.device_count, 7); i++) {
        const em__channel *channel = &probe.devices[i]->channels[0];
        CHECK_INT(channel->status, expected[i].status);
        if (!CHECK(strstr(channel->reason, expected[i].reason) && strstr(channel->reason, files[i].path))) {
            printf("# %s\n", channel->reason);
        }
        CHECK_INT(read_one(probe.devices[i]).outcome, EM__READ_GONE);
    }
    CHECK(absence_of(&probe, "file", EM_ERR_NOT_SUPPORTED) != NULL);
    em__sensors_free(&probe);
    em__host_unref(host);
    tree_end();
}

static void a_file_may_be_replaced_and_may_vanish(void)
{
    em__host *host = tree_host();
    em_file file = {.path = "/run/power", .unit = "W"};
    put_in_place("/run/power", "100\n");
    em__probe probe = probe_files(host, &file, 1, EM_OK);
    em__device *device = probe.devices[0];
    CHECK_INT(read_one(device).value, 100000000);
    put_in_place("/run/power", "101\n");
    CHECK_INT(read_one(device).value, 101000000);
    write_to("/run/power", "102\n");
    CHECK_INT(read_one(device).value, 102000000);
    write_to("/run/power", "10"); /* its newline is not written yet, nor may all of its digits be */
    CHECK_INT(read_one(device).outcome, EM__READ_AGAIN);
    write_to("/run/power", "");
    CHECK_INT(read_one(device).outcome, EM__READ_AGAIN);
    CHECK_INT(unlink(tree_path("/run/power")), 0);
    CHECK_INT(read_one(device).outcome, EM__READ_AGAIN);
    CHECK_INT(mkfifo(tree_path("/run/power"), 0666), 0);
    CHECK_INT(read_one(device).outcome, EM__READ_AGAIN);
    CHECK_INT(unlink(tree_path("/run/power")), 0);
    write_to("/run/other", "103 W\n");
    CHECK_INT(symlink("other", tree_path("/run/power")), 0);
    CHECK_INT(read_one(device).value, 103000000);
    put_in_place("/run/power", "99999999999999999999999999\n");
    CHECK_INT(read_one(device).outcome, EM__READ_AGAIN);
    put_in_place("/run/power", "104\n");
    CHECK_INT(read_one(device).value, 104000000);
    em__sensors_free(&probe);
    em__host_unref(host);
    tree_end();
}

/* -------------------------------------------------------------------------------------------------- in a whole meter */

static double wall_w; /* what the meter at the wall sees */
static double wall_j;

/* Time passes in steps of 100 ms, and the outside meter writes all that it has seen every so many of them. */
static void run_wall(const char *path, double unit_j, int decimals, int every, int steps)
{
    static int step;
    for (int i = 0; i < steps; i++) {
        rig_host_advance(machine, 100 * MS);
        wall_j += wall_w / 10;
        if (++step % every == 0) {
            char text[64];
            double scale = pow(10, decimals);
            snprintf(text, sizeof text, "%.*f\n", decimals, floor(wall_j / unit_j * scale) / scale);
            rig_host_put(machine, path, text);
        }
        em__meter_step(meter);
    }
}

static em_options with_files(const em_file *files, size_t count)
{
    em_options options = default_options();
    options.files = files;
    options.file_count = count;
    return options;
}

static em_energy energy_of(em_window window, const char *name)
{
    em_energy energies[16], found = {.energy_j = NAN};
    em_result result = {.size = sizeof result, .channels = energies, .channels_capacity = 16};
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    for (size_t i = 0; i < result.channels_count; i++) {
        em_channel channel = {.size = sizeof channel};
        em_meter_channel(meter, i, &channel);
        found = strcmp(channel.name, name) == 0 ? energies[i] : found;
    }
    return found;
}

static em_channel channel_of(const char *name)
{
    em_channel channel = {.size = sizeof channel, .name = ""};
    for (size_t i = 0; i < em_meter_channel_count(meter); i++) {
        em_meter_channel(meter, i, &channel);
        if (strcmp(channel.name, name) == 0) {
            return channel;
        }
    }
    CHECK_TEXT("", name);
    return channel;
}

/* 250 W, of which the meter writes every 10 s what it has counted, in steps of 36 J: windows of 7 s, which lie between two
 * updates or across one, get their part. */
static void a_slow_counter_has_a_period(void)
{
    static const em_file file = {PATH, "Wh", "counter", "other", NULL};
    begin_machine("GenuineIntel");
    wall_w = 250;
    wall_j = 5e6;
    rig_host_put(machine, PATH, "1388.88\n");
    em_options options = with_files(&file, 1);
    begin_meter(&options);
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    run_wall(PATH, 3600, 2, 100, 350);
    for (int i = 0; i < 10; i++) {
        em_window window = begin_window(EM_WINDOW_OTHER, NULL);
        run_wall(PATH, 3600, 2, 100, 70);
        end_window(window);
        run_wall(PATH, 3600, 2, 100, 130);
        em_result result = result_of(window);
        CHECK_INT(result.is_final, 1);
        CHECK_NEAR(result.total.energy_j, 250 * 7, 60);
        CHECK_NEAR(energy_of(window, "other/wall").energy_j, 250 * 7, 60);
    }
    CHECK_NEAR((double)channel_of("other/wall").period_ns / 1e9, 10, 0.2);
    CHECK_INT(channel_of("other/wall").role, EM_ROLE_COUNTED);
    CHECK_INT(channel_of("other/wall").notes, 0);
    end_window(run);
    end_all();
}

/* A reset is a gap, a half-written number nothing at all, and neither is ever energy. */
static void what_goes_back_is_a_gap(void)
{
    static const em_file file = {PATH, "J", NULL, "other", NULL};
    begin_machine("GenuineIntel");
    wall_w = 100;
    wall_j = 50000;
    rig_host_put(machine, PATH, "50000.0\n");
    em_options options = with_files(&file, 1);
    begin_meter(&options);
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    run_wall(PATH, 1, 1, 1, 100);
    rig_host_advance(machine, 100 * MS);
    wall_j += wall_w / 10;
    rig_host_put(machine, PATH, "51\n");
    em__meter_step(meter);
    run_wall(PATH, 1, 1, 1, 99);
    CHECK_NEAR(energy_of(run, "other/wall").energy_j, 100 * 20, 11);
    wall_j = 0; /* begins anew */
    run_wall(PATH, 1, 1, 1, 100);
    em_energy energy = energy_of(run, "other/wall");
    CHECK_NEAR(energy.energy_j, 100 * 30, 41);
    CHECK(energy.gap_ns > 0 && energy.gap_ns < 1000 * MS);
    CHECK(energy.notes & EM_NOTE_BIT(EM_NOTE_GAP));
    wall_j += 1e12; /* 10 s at 100 GW */
    run_wall(PATH, 1, 1, 1, 100);
    CHECK_NEAR(energy_of(run, "other/wall").energy_j, 100 * 40, 71);
    end_window(run);
    end_all();
}

static void a_file_that_vanishes_ends_and_comes_back(void)
{
    static const em_file file = {PATH, "W", NULL, "cpu", "bmc"};
    static wave utilisation;
    begin_machine("GenuineIntel");
    utilisation = wave_constant(0.5);
    rig_host_put_stat(machine, &utilisation, 8);
    rig_host_put(machine, PATH, "150\n");
    em_options options = with_files(&file, 1);
    options.cpu_tdp_w = 65;
    begin_meter(&options);
    CHECK_INT(channel_of("cpu/bmc").role, EM_ROLE_COUNTED);
    CHECK_INT(channel_of("cpu-0/model").role, EM_ROLE_MIRROR);
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    pass(10 * S);
    CHECK_NEAR(result_of(run).total.energy_j, 1500, 1);
    rig_host_put(machine, PATH, "nothing\n");
    pass(10 * S);
    CHECK_INT(channel_of("cpu/bmc").role, EM_ROLE_UNREADABLE);
    CHECK_INT(channel_of("cpu-0/model").role, EM_ROLE_COUNTED);
    rig_host_put(machine, PATH, "150\n");
    pass(10 * S);
    CHECK_INT(channel_of("cpu/bmc").role, EM_ROLE_COUNTED);
    em_energy energy = energy_of(run, "cpu/bmc");
    CHECK_NEAR(energy.energy_j, 150 * 20, 150 * 0.5);
    end_window(run);
    end_all();
}

/* A meter at the wall stands beside the components; what stands for a domain gives way to what the machine measures. */
static void domains_count_once(void)
{
    static const em_file files[] = {{"/run/wall", "W", NULL, NULL, NULL},   {"/run/cpu", "W", NULL, "cpu", NULL},
                                    {"/run/g0", "W", NULL, "gpu", NULL},    {"/run/g1", "W", NULL, "gpu", NULL},
                                    {"/run/net", "W", NULL, "other", NULL}, {"/run/dimms", "W", NULL, "dram", NULL}};
    static const double watts[] = {500, 77, 200, 100, 10, 5};
    static wave package;
    package = wave_constant(80);
    for (int has_rapl = 0; has_rapl < 2; has_rapl++) {
        begin_machine("GenuineIntel");
        for (int i = 0; i < 6; i++) {
            char text[32];
            snprintf(text, sizeof text, "%g\n", watts[i]);
            rig_host_put(machine, files[i].path, text);
        }
        if (has_rapl) {
            put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &package, .range = 262143999938});
        }
        em_options options = with_files(files, 6);
        begin_meter(&options);
        CHECK_INT(channel_of("platform/wall").role, EM_ROLE_PLATFORM);
        CHECK_INT(channel_of("cpu/cpu").role, has_rapl ? EM_ROLE_MIRROR : EM_ROLE_COUNTED);
        CHECK_INT(channel_of("dram/dimms").role, EM_ROLE_COUNTED);
        em_window run = begin_window(EM_WINDOW_RUN, NULL);
        pass(10 * S);
        em_result result = result_of(run);
        CHECK_NEAR(result.total.energy_j, 10 * ((has_rapl ? 80 : 77) + 200 + 100 + 10 + 5), 20);
        CHECK_NEAR(result.by_domain[EM_DOMAIN_GPU].energy_j, 3000, 2);
        CHECK_NEAR(energy_of(run, "platform/wall").energy_j, 5000, 2);
        CHECK_TEXT(em_meter_device(meter), "gpu");
        end_window(run);
        end_all();
    }
}

static void options_name_what_is_wrong(void)
{
    static const em_file files[] = {{PATH, "VA", NULL, NULL, NULL}};
    em_options options = with_files(files, 1);
    em_error error = {.size = sizeof error};
    em_meter *made = NULL;
    CHECK_INT(em_meter_create(&options, &error, &made), EM_ERR_INVALID);
    CHECK_TEXT(error.argument, "files[0].unit");
    CHECK_TEXT(error.text, "files[0].unit is \"VA\"");
    options.files = NULL;
    CHECK_INT(em_meter_create(&options, &error, &made), EM_ERR_INVALID);
    CHECK_TEXT(error.argument, "files");
    CHECK(made == NULL);
}

int main(void)
{
    RUN(units_are_worth_what_they_are);
    RUN(the_last_digit_is_the_unit);
    RUN(wrong_words_are_named);
    RUN(names_of_files_become_names_of_channels);
    RUN(what_is_no_file_is_never_waited_for);
    RUN(a_file_may_be_replaced_and_may_vanish);
    RUN(a_slow_counter_has_a_period);
    RUN(what_goes_back_is_a_gap);
    RUN(a_file_that_vanishes_ends_and_comes_back);
    RUN(domains_count_once);
    RUN(options_name_what_is_wrong);
    return CHECK_DONE();
}
