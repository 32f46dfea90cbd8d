/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Windows as they end: which lines a file gets, when, and what happens where it takes none. 120 W all the time. */
#include "metering.h"

#include "core/json.h"
#include "meter/lister.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TEXT = 1 << 20 };

static int file;
static char *text; /* what the file holds */

static void begin_listing(int descriptor, int32_t format)
{
    em_options options = default_options();
    file = descriptor;
    CHECK(file >= 0);
    options.windows_fd = file;
    options.windows_format = format;
    text = calloc(1, TEXT);
    begin_simple_with(&options);
}

static int memory_file(void)
{
    return memfd_create("windows", MFD_CLOEXEC);
}

/* How many lines. */
static size_t look(void)
{
    ssize_t length = pread(file, text, TEXT - 1, 0);
    size_t count = 0;
    text[length > 0 ? length : 0] = '\0';
    for (const char *at = text; (at = strchr(at, '\n')); at++) {
        count++;
    }
    return count;
}

static const char *line_at(size_t index)
{
    const char *at = text;
    for (; index > 0 && at; index--) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return at ? at : "";
}

static void end_listing(void)
{
    end_all();
    close(file);
    free(text);
}

static em__json *parse(size_t index)
{
    em__json *json = NULL;
    const char *line = line_at(index);
    CHECK_INT(em__json_parse(line, strcspn(line, "\n"), &json, NULL), 0);
    return json;
}

static double number(const em__json *json, const char *key)
{
    return em__json_number(em__json_member(em__json_root(json), key));
}

static void batch_of(uint64_t length_ns)
{
    em_window batch = begin_window(EM_WINDOW_BATCH, NULL);
    pass(length_ns);
    end_window(batch);
}

static void test_a_line_comes_when_its_values_are_final(void)
{
    begin_listing(memory_file(), EM_FORMAT_JSON);
    em_window run = begin_window(EM_WINDOW_RUN, NULL), batch = begin_window(EM_WINDOW_BATCH, "a\nb");
    pass(250 * MS);
    CHECK_INT(em_window_set_items(meter, batch, 60), EM_OK);
    end_window(batch);
    CHECK_INT(look(), 0); /* Whatever end has read, it writes nothing. */
    pass(300 * MS);
    em_result result = result_of(batch);
    CHECK_INT(result.is_final, 1);
    CHECK_INT(look(), 1);
    em__json *json = parse(0);
    const em__json_node *root = em__json_root(json);
    CHECK_TEXT(em__json_member(root, "kind")->text, "batch");
    CHECK_TEXT(em__json_member(root, "name")->text, "a\nb");
    CHECK_NEAR(number(json, "duration_s"), 0.25, 1e-12);
    CHECK(number(json, "energy_j") == result.total.energy_j);
    CHECK_NEAR(number(json, "energy_j"), 30, 1e-5);
    CHECK(number(json, "uncertainty_j") == result.total.uncertainty_j);
    CHECK_NEAR(number(json, "energy_per_item_j"), 0.5, 1e-6);
    CHECK_NEAR(number(json, "carbon_g"), 30 / 3.6e6 * 450, 1e-9);
    const em__json_node *basis = em__json_member(root, "carbon_basis");
    CHECK_NEAR(em__json_number(em__json_member(basis, "g_per_kwh")), 450, 0);
    const em__json_node *channels = em__json_member(root, "channels");
    CHECK_NEAR(em__json_number(em__json_member(em__json_member(channels, "cpu-0/package"), "energy_j")), 25, 1e-5);
    CHECK_NEAR(em__json_number(em__json_member(em__json_member(channels, "cpu-0/dram"), "energy_j")), 5, 1e-5);
    em__json_destroy(json);
    CHECK_INT(result_of(run).is_open, 1);
    CHECK_INT(em_meter_close(meter, S), EM_OK);
    CHECK_INT(look(), 2);
    CHECK(strncmp(line_at(1), "{\"kind\":\"run\",\"name\":null,\"count\":1,", 36) == 0);
    CHECK_INT(em_meter_windows_status(meter, NULL), EM_OK);
    end_listing();
}

static void test_each_window_has_one_line_in_the_order_of_ends(void)
{
    begin_listing(memory_file(), EM_FORMAT_CSV);
    CHECK_INT(look(), 1);
    CHECK(strncmp(text, "kind,name,count,started_at,duration_s,energy_j,", 46) == 0);
    em_window epoch = begin_window(EM_WINDOW_EPOCH, "=1+1"), cancelled = begin_window(EM_WINDOW_OTHER, "never");
    for (uint64_t i = 1; i <= 3; i++) {
        batch_of(i * 100 * MS);
    }
    CHECK_INT(em_window_cancel(meter, cancelled), EM_OK);
    em_window next = 0;
    em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_OTHER, .name = "a,\"b\""};
    CHECK_INT(em_window_lap(meter, epoch, &spec, NULL, &next), EM_OK);
    pass(100 * MS);
    end_window(next);
    pass(500 * MS);
    CHECK_INT(look(), 6);
    CHECK(strncmp(line_at(1), "batch,,1,2023-11-14T22:30:00.000000Z,0.1,12,", 44) == 0);
    CHECK(strncmp(line_at(3), "batch,,1,2023-11-14T22:30:00.300000Z,0.3,36,", 44) == 0);
    CHECK(strncmp(line_at(4), "epoch,'=1+1,1,2023-11-14T22:30:00.000000Z,0.6,72,", 49) == 0);
    CHECK(strncmp(line_at(5), "window,\"a,\"\"b\"\"\",1,", 19) == 0);
    CHECK(strstr(line_at(5), "\r\n") != NULL);
    end_listing();
}

/* As many at one time as no sampler would ever leave: what is too much is told. */
static void test_what_comes_too_fast(void)
{
    begin_listing(memory_file(), EM_FORMAT_JSON);
    for (size_t i = 0; i < EM__LISTER_MOST + 100; i++) {
        em_window window = begin_window(EM_WINDOW_BATCH, NULL);
        rig_host_advance(machine, 1000);
        end_window(window);
        if (i % 500 == 0) {
            CHECK_INT(em_window_settle(meter, 0, 0), EM_OK);
        }
    }
    CHECK_INT(em_window_settle(meter, 0, 0), EM_OK);
    CHECK_INT(meter->ledger.listed_count, EM__LISTER_MOST);
    em__lister_write(meter->lister, meter, S);
    CHECK_INT(meter->ledger.listed_count, 0);
    free(text);
    text = calloc(16, TEXT);
    ssize_t length = pread(file, text, 16 * TEXT - 1, 0);
    size_t lines = 0;
    for (ssize_t i = 0; i < length; i++) {
        lines += text[i] == '\n';
    }
    CHECK_INT(lines, EM__LISTER_MOST);
    em_error error = {.size = sizeof error};
    CHECK_INT(em_meter_windows_status(meter, &error), EM_ERR_SYSTEM);
    CHECK(strstr(error.text, "100 windows have no line") == error.text);
    em_summary *summary = NULL;
    em_group group = {.size = sizeof group};
    size_t index = 0;
    CHECK_INT(em_summary_create(meter, S, &summary), EM_OK);
    CHECK_INT(em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index), EM_OK);
    CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
    CHECK_INT(group.count, EM__LISTER_MOST + 100);
    em_summary_destroy(summary);
    CHECK(meter->ledger.store.live <= EM_KEPT_WINDOWS + 2);
    end_listing();
}

static void test_a_full_disk_takes_nothing_from_the_numbers(void)
{
    begin_listing(open("/dev/full", O_WRONLY | O_CLOEXEC), EM_FORMAT_JSON);
    for (int i = 0; i < 5; i++) {
        batch_of(250 * MS);
    }
    pass(300 * MS);
    em_error error = {.size = sizeof error};
    CHECK_INT(em_meter_windows_status(meter, &error), EM_ERR_SYSTEM);
    CHECK(strstr(error.text, "No space left on device") != NULL);
    CHECK_TEXT(error.argument, "windows_fd");
    CHECK_INT(meter->ledger.listed_count, 0);
    batch_of(250 * MS);
    CHECK_INT(em_window_settle(meter, 0, S), EM_OK);
    CHECK_INT(meter->ledger.listed_count, 0);
    em_window last;
    CHECK_INT(em_window_last(meter, EM_WINDOW_BATCH, NULL, &last), EM_OK);
    CHECK_NEAR(final_result(last).total.energy_j, 30, 1e-5);
    end_listing();
}

/* A pipe that nobody reads for a while, and then one whose reader is gone. */
static void test_a_pipe(void)
{
    int ends[2];
    size_t got = 0, lines = 0;
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    begin_listing(ends[1], EM_FORMAT_JSON);
    for (int i = 0; i < 30; i++) {
        batch_of(100 * MS);
    }
    pass(300 * MS);
    for (int round = 0; round < 60; round++) {
        ssize_t part = read(ends[0], text + got, 4096);
        got += part > 0 ? (size_t)part : 0;
        em__meter_step(meter);
        lines = 0;
        for (size_t i = 0; i < got; i++) {
            lines += text[i] == '\n';
        }
        if (lines == 30) {
            break;
        }
    }
    CHECK_INT(lines, 30);
    CHECK_INT(text[got - 1], '\n');
    CHECK_INT(em_meter_windows_status(meter, NULL), EM_OK);
    close(ends[0]);
    batch_of(100 * MS);
    pass(500 * MS);
    em_error error = {.size = sizeof error};
    CHECK_INT(em_meter_windows_status(meter, &error), EM_ERR_SYSTEM);
    CHECK(strstr(error.text, "Broken pipe") != NULL);
    end_listing();
}

static void test_bad_options(void)
{
    em_options options = default_options();
    em_error error = {.size = sizeof error};
    begin_machine("GenuineIntel");
    options.windows_fd = 12345;
    CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, &error, &meter), EM_ERR_INVALID);
    CHECK_TEXT(error.text, "windows_fd is 12345");
    CHECK_TEXT(error.remedy, "give a file descriptor that is open for writing, or -1");
    options.windows_fd = options.trace_fd = memory_file();
    CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, &error, &meter), EM_ERR_INVALID);
    CHECK(strstr(error.text, ", as is trace_fd") != NULL);
    options.trace_fd = -1;
    options.windows_format = EM_FORMAT_TEXT;
    CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, &error, &meter), EM_ERR_INVALID);
    CHECK_TEXT(error.text, "windows_format is 0");
    close(options.windows_fd);
    rig_host_destroy(machine);
}

int main(void)
{
    RUN(test_a_line_comes_when_its_values_are_final);
    RUN(test_each_window_has_one_line_in_the_order_of_ends);
    RUN(test_what_comes_too_fast);
    RUN(test_a_full_disk_takes_nothing_from_the_numbers);
    RUN(test_a_pipe);
    RUN(test_bad_options);
    return CHECK_DONE();
}
