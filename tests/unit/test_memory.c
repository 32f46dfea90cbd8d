/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Memory runs out at every place that asks for some, one at a time, and from there on: calls say so or do without,
 * nothing leaks, a result that does not say so is the one with memory, and afterwards all works again. */
#include "../sensors/nvml_rig.h"
#include "meter/meter.h"
#include "replaying.h"
#include "rig/random.h"
#include "rig/scarce_memory.h"
#include "tree.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { TEXT_BYTES = 1 << 20 };

/* ------------------------------------------------------------------------------------------------------- the outcome */

/* What a scenario came to: every text that it was given, or that something was refused. */
static struct {
    int refused;
    size_t length;
    char text[TEXT_BYTES], clean[TEXT_BYTES];
} outcome;

/* 1: it went well. */
static int note(int status)
{
    if (!CHECK(status == EM_OK || status == EM_ERR_NO_MEMORY || status == EM_ERR_SYSTEM)) {
        printf("# status %d\n", status);
    }
    outcome.refused += status != EM_OK;
    return status == EM_OK;
}

static int note_error(int status, const em_error *error)
{
    CHECK(status == EM_OK || status == EM_ERR_NO_MEMORY || error->text[0] != '\0');
    return note(status);
}

static void add(const char *text)
{
    size_t length = strlen(text);
    if (outcome.length + length >= TEXT_BYTES) {
        abort();
    }
    memcpy(outcome.text + outcome.length, text, length + 1);
    outcome.length += length;
}

/* Takes the text over. */
static void take(int status, char **text)
{
    if (note(status)) {
        add(*text);
        em_text_destroy(*text);
    } else {
        CHECK(*text == NULL);
    }
}

static void cut_out(char *start, const char *end)
{
    memmove(start, end, strlen(end) + 1);
}

/* A gauge that could not be read the last time tells no power now; the next reading does. */
static void forget_powers(void)
{
    static const char text[] = " W now", json[] = "\"power_w\":";
    for (char *end; (end = strstr(outcome.text, text));) {
        char *start = end;
        while (start > outcome.text && *start != ';') {
            start--;
        }
        cut_out(start, end + strlen(text));
    }
    for (char *start; (start = strstr(outcome.text, json));) {
        cut_out(start, start + strcspn(start, ","));
    }
}

static void run(void (*scenario)(void))
{
    void *frames[FRAMES];
    memory.depth = backtrace(frames, FRAMES);
    outcome.refused = 0;
    outcome.length = 0;
    outcome.text[0] = '\0';
    memory.met = 0;
    memory.has_failed = 0;
    memory.is_on = 1;
    scenario();
    memory.is_on = 0;
    forget_powers();
}

static void run_failing(void (*scenario)(void), size_t number, uint32_t time, int is_lasting)
{
    long live = memory.live;
    memory.hash = memory.places[number].hash;
    memory.time = time;
    memory.is_lasting = is_lasting;
    int failed_before = check_failed;
    check_failed = 0;
    run(scenario);
    CHECK_INT(memory.live, live);
    CHECK(memory.has_failed);
    CHECK(outcome.refused > 0 || strcmp(outcome.text, outcome.clean) == 0);
    if (check_failed) {
        printf("# place %zu, time %u of %u%s, refused %d\n", number, time, memory.places[number].times,
               is_lasting ? ", and from then on" : "", outcome.refused);
        for (size_t i = 0; outcome.refused == 0 && outcome.clean[i]; i++) {
            if (outcome.clean[i] != outcome.text[i]) {
                printf("# here: %.200s\n# not: %.200s\n", outcome.text + (i > 30 ? i - 30 : 0),
                       outcome.clean + (i > 30 ? i - 30 : 0));
                break;
            }
        }
    }
    check_failed |= failed_before;
}

/* Each place the first time that it is reached, and another time, and each for good. */
static void sweep(const char *name, void (*scenario)(void))
{
    memory.hash = 0;
    memory.count = 0;
    memory.is_lasting = 0;
    run(scenario);
    CHECK_INT(outcome.refused, 0);
    memcpy(outcome.clean, outcome.text, outcome.length + 1);
    unsigned long times = 0;
    for (size_t i = 0; i < memory.count; i++) {
        uint32_t reached = memory.places[i].times;
        times += reached;
        run_failing(scenario, i, 0, 0);
        run_failing(scenario, i, 0, 1);
        if (reached > 1) {
            run_failing(scenario, i, 1 + (uint32_t)rig_random_below(reached - 1), 0);
        }
    }
    memory.hash = 0;
    run(scenario);
    CHECK_INT(outcome.refused, 0);
    CHECK_TEXT(outcome.text, outcome.clean);
    printf("# %s: %zu places, reached %lu times, %zu bytes of text\n", name, memory.count, times, outcome.length);
}

/* ------------------------------------------------------------------------------------------------------ the scenarios */

static char *long_text; /* of a summary, or of a recorded machine */
static size_t long_length;
static em__host *host; /* whose clock is the test's */
static em__host_ops ops;
static uint64_t now_ns;
static em_meter *meter;

static void set_clock(uint64_t ns)
{
    now_ns = ns;
    em__machine_set_clock(host, ns, ns, UINT64_C(1700000000) * S + ns);
    rig.set_clock(ns);
}

static void put_counter(const char *path, uint64_t value)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%llu\n", (unsigned long long)value);
    int was_on = memory.is_on;
    memory.is_on = 0;
    em__machine_set_file(host, path, text, (size_t)length, 0444, 0);
    memory.is_on = was_on;
}

static void pass(uint64_t elapsed_ns)
{
    for (uint64_t end_ns = now_ns + elapsed_ns; now_ns < end_ns;) {
        set_clock(now_ns + 100 * MS);
        put_counter("/sys/class/powercap/intel-rapl:0/energy_uj", now_ns / 10);
        em__meter_step(meter);
    }
}

static void format_summary(em_summary *summary)
{
    for (int32_t format = EM_FORMAT_TEXT; format <= EM_FORMAT_BOAMPS; format++) {
        char *text = NULL;
        take(em_summary_format(summary, format, &text, NULL), &text);
    }
    char *text = NULL;
    take(em_summary_reasons(summary, 0, -1, &text, NULL), &text);
}

static void take_summary(void)
{
    em_summary *summary = NULL;
    if (note(em_summary_create(meter, S, &summary))) {
        format_summary(summary);
    }
    em_summary_destroy(summary);
}

static void read_back(int descriptor)
{
    static char text[1 << 16];
    ssize_t length = pread(descriptor, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    if (outcome.refused == 0) {
        add(text);
    }
}

static void use_windows(void)
{
    static const char *const names[] = {"load", NULL, "a name that is kept", "load"};
    em_window windows[4] = {0}, lap = 0;
    em_energy energies[16];
    for (size_t i = 0; i < 4; i++) {
        em_spec spec = {.size = sizeof spec, .kind = (int32_t)i % 3, .keep = i == 2, .name = names[i]};
        if (note(em_window_begin(meter, &spec, &windows[i]))) {
            note(em_window_set_items(meter, windows[i], 10 + i));
        }
        pass(300 * MS);
    }
    if (windows[1] && note(em_window_lap(meter, windows[1], NULL, NULL, &lap))) {
        windows[1] = lap;
    }
    for (size_t i = 0; i < 4; i++) {
        em_result result = {.size = sizeof result, .channels = energies, .channels_capacity = 16};
        char *text = NULL;
        if (windows[i] && note(em_window_end(meter, windows[i], &result))) {
            take(em_result_reasons(meter, &result, -1, &text, NULL), &text);
        }
        pass(200 * MS);
    }
}

/* Counters, a file, GPUs, a trace and a list of windows. */
static void a_whole_meter(void)
{
    static const em_file files[] = {{.path = "/run/wall", .unit = "W", .name = "wall"}};
    int trace = new_file(), lines = new_file();
    em_options options;
    em_error error = {.size = sizeof error};
    em_options_init(&options, sizeof options);
    options.files = files;
    options.file_count = 1;
    options.location = "aws:eu-west-3";
    options.channels = "-battery*,+cpu-0/package";
    options.trace_fd = trace;
    options.windows_fd = lines;
    options.flags = EM_MODEL_DRAM;
    set_clock(1000 * S);
    meter = NULL;
    if (note_error(em__meter_create_on(host, &options, &error, &meter), &error)) {
        for (size_t i = 0; i < em_meter_absence_count(meter); i++) {
            em_absence absence = {.size = sizeof absence};
            em_meter_absence(meter, i, &absence);
            add(absence.reason);
        }
        use_windows();
        take_summary();
        for (int32_t format = EM_FORMAT_TEXT; format <= EM_FORMAT_JSON; format++) {
            char *text = NULL;
            take(em_meter_format(meter, EM_DOCTOR, format, &text, NULL), &text);
        }
        note(em_meter_reset(meter));
        use_windows();
        note(em_meter_close(meter, S));
        take_summary();
        note_error(em_meter_trace_status(meter, &error), &error);
        note_error(em_meter_windows_status(meter, &error), &error);
        read_back(lines);
    } else {
        CHECK(meter == NULL);
    }
    em_meter_destroy(meter);
    close(trace);
    close(lines);
}

static void test_a_meter(void)
{
    host = rig_host(NULL);
    ops = *host->ops;
    put(host, "/proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Rig CPU\nphysical id\t: 0\n\n");
    put(host, "/proc/stat", "cpu  100 0 0 100 0 0 0 0 0 0\n");
    put(host, "/proc/meminfo", "MemTotal:       65536000 kB\n");
    put(host, "/proc/sys/kernel/hostname", "rig\n");
    put(host, "/proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n");
    put(host, "/proc/self/stat", "42 (rig) S 1 42 42 0 -1 0 0 0 0 0 10 10 0 0 20 0 1 0 100 0 0\n");
    put(host, "/sys/class/powercap/intel-rapl/enabled", "1\n");
    put(host, "/sys/class/powercap/intel-rapl:0/name", "package-0\n");
    put(host, "/sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n");
    put(host, "/sys/class/powercap/intel-rapl:0/energy_uj", "100\n");
    put(host, "/sys/class/hwmon/hwmon0/name", "corsairpsu\n");
    put(host, "/sys/class/hwmon/hwmon0/power1_input", "90000000\n");
    put(host, "/sys/class/hwmon/hwmon0/power1_label", "power total\n");
    put(host, "/run/wall", "150\n");
    script("board watts=300\nboard watts=200\n");
    sweep("a meter", a_whole_meter);
    em__host_unref(host);
}

static void a_recorded_machine(void)
{
    em_options options;
    em_error error = {.size = sizeof error};
    char path[512];
    char *text = NULL;
    em_options_init(&options, sizeof options);
    snprintf(path, sizeof path, "%s/%s.json", EM_TEST_MACHINES, "intel-laptop-alderlake-zenbook-ux3402za-mmio");
    options.root = path;
    em__host *played = NULL;
    int failure = em__host_open(path, 0, NULL, error.text, sizeof error.text, &played);
    if (!note_error(failure ? EM_ERR_NO_MEMORY : EM_OK, &error)) {
        CHECK_INT(failure, -ENOMEM);
        return;
    }
    ops = *played->ops;
    ops.thread_start = NULL;
    played->ops = &ops;
    em__machine_set_clock(played, S, S, S);
    meter = NULL;
    if (note_error(em__meter_create_on(played, &options, &error, &meter), &error)) {
        take(em_meter_format(meter, EM_SENSORS, EM_FORMAT_JSON, &text, NULL), &text);
    }
    em_meter_destroy(meter);
    em__host_unref(played);
}

static void test_recorded_machines(void)
{
    sweep("a recorded machine", a_recorded_machine);
}

static void a_machine_is_recorded(void)
{
    char *text = NULL;
    em_error error = {.size = sizeof error};
    take(em_machine_record(tree_top, &error, &text, NULL), &text);
    CHECK(outcome.refused == 0 || error.text[0]);
}

static void a_folder_is_the_root(void)
{
    em_error error = {.size = sizeof error};
    em__host *folder = NULL;
    char *text = NULL;
    int failure = em__host_open(tree_top, 0, NULL, error.text, sizeof error.text, &folder);
    if (!note_error(failure ? EM_ERR_NO_MEMORY : EM_OK, &error)) {
        CHECK_INT(failure, -ENOMEM);
        return;
    }
    ops = *folder->ops;
    ops.thread_start = NULL;
    folder->ops = &ops;
    meter = NULL;
    if (note_error(em__meter_create_on(folder, NULL, &error, &meter), &error)) {
        take(em_meter_format(meter, EM_SENSORS, EM_FORMAT_JSON, &text, NULL), &text);
    }
    em_meter_destroy(meter);
    em__host_unref(folder);
}

static void test_folders(void)
{
    if (tree_begin() < 0 || tree_file("/sys/class/powercap/intel-rapl/enabled", "1\n", 0444) < 0 ||
        tree_file("/sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/name", "package-0\n", 0444) < 0 ||
        tree_file("/sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj", "100\n", 0400) < 0 ||
        tree_file("/sys/class/hwmon/hwmon0/name", "amdgpu\n", 0444) < 0 ||
        tree_file("/sys/class/hwmon/hwmon0/power1_average", "30000000\n", 0444) < 0 ||
        tree_file("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\n\n", 0444) < 0 ||
        tree_link("/sys/class/powercap/intel-rapl:0", "../../devices/virtual/powercap/intel-rapl/intel-rapl:0") < 0) {
        abort();
    }
    sweep("recording", a_machine_is_recorded);
    sweep("a folder", a_folder_is_the_root);
    tree_end();
}

/* ------------------------------------------------------------------------------------------------- traces, summaries */

static int trace_descriptor;

static void write_trace(void)
{
    em_options options;
    em_options_init(&options, sizeof options);
    trace_descriptor = new_file();
    options.trace_fd = trace_descriptor;
    host = rig_host(NULL);
    put(host, "/proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Rig CPU\nphysical id\t: 0\n\n");
    put(host, "/sys/class/powercap/intel-rapl/enabled", "1\n");
    put(host, "/sys/class/powercap/intel-rapl:0/name", "package-0\n");
    put(host, "/sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n");
    put(host, "/sys/class/powercap/intel-rapl:0/energy_uj", "100\n");
    put(host, "/proc/sys/kernel/hostname", "rig\n");
    put(host, "/proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n");
    script("board watts=300\n");
    set_clock(1000 * S);
    if (!CHECK_INT(em__meter_create_on(host, &options, NULL, &meter), EM_OK)) {
        abort();
    }
    use_windows();
    em_meter_close(meter, S);
    em_summary *summary = NULL;
    CHECK_INT(em_summary_create(meter, S, &summary), EM_OK);
    CHECK_INT(em_summary_format(summary, EM_FORMAT_JSON, &long_text, &long_length), EM_OK);
    em_summary_destroy(summary);
    em_meter_destroy(meter);
    em__host_unref(host);
}

static void a_trace_is_read(void)
{
    em_error error = {.size = sizeof error};
    em_trace *trace = NULL;
    em_summary *summary = NULL;
    lseek(trace_descriptor, 0, SEEK_SET);
    if (note_error(em_trace_open(trace_descriptor, &error, &trace), &error) &&
        note_error(em_trace_summary(trace, &error, &summary), &error)) {
        format_summary(summary);
    }
    em_summary_destroy(summary);
    em_trace_destroy(trace);
}

static void part_of_a_trace_is_read(void)
{
    em_error error = {.size = sizeof error};
    em_trace *trace = NULL;
    em_summary *summary = NULL;
    em_options options;
    em_options_init(&options, sizeof options);
    options.location = "FR";
    lseek(trace_descriptor, 0, SEEK_SET);
    if (note_error(em_trace_open(trace_descriptor, &error, &trace), &error) &&
        note_error(em_trace_part(trace, S / 2, S, &options, &error, &summary), &error)) {
        format_summary(summary);
    }
    em_summary_destroy(summary);
    em_trace_destroy(trace);
}

static void test_traces(void)
{
    sweep("a trace", a_trace_is_read);
    sweep("a part of a trace", part_of_a_trace_is_read);
}

static void summaries_are_read(void)
{
    em_error error = {.size = sizeof error};
    em_summary *parts[2] = {NULL, NULL}, *merged = NULL;
    char *text = NULL;
    static char other[TEXT_BYTES];
    memcpy(other, long_text, long_length + 1);
    char *boot = strstr(other, "01234567-89ab"), *name = strstr(other, "\"rig\"");
    memcpy(boot, "11234567", 8);
    memcpy(name, "\"two\"", 5);
    int is_read = note_error(em_summary_parse(long_text, long_length, &error, &parts[0]), &error) &
                  note_error(em_summary_parse(other, long_length, &error, &parts[1]), &error);
    if (is_read && note_error(em_summary_merge((const em_summary *const *)parts, 2, &error, &merged), &error)) {
        format_summary(merged);
    }
    if (is_read) {
        const em_runs runs[] = {{(const em_summary *const *)parts, 2, "both"},
                                {(const em_summary *const *)parts, 1, "one"}};
        for (int32_t format = EM_FORMAT_TEXT; format <= EM_FORMAT_CSV; format++) {
            text = NULL;
            take(em_summary_repeat_format(&runs[0], format, &text, NULL), &text);
        }
        for (int32_t format = EM_FORMAT_TEXT; format <= EM_FORMAT_JSON; format++) {
            text = NULL;
            take(em_summary_compare_format(runs, 2, EM_FORCE, format, &error, &text, NULL), &text);
        }
    }
    em_summary_destroy(merged);
    em_summary_destroy(parts[0]);
    em_summary_destroy(parts[1]);
}

static void test_summaries(void)
{
    sweep("summaries", summaries_are_read);
}

int main(int argc, char **argv)
{
    void *frames[FRAMES];
    backtrace(frames, FRAMES); /* The first one loads a library. */
    rig_random_start(argc, argv);
    rig_start();
    RUN(test_a_meter);
    RUN(test_recorded_machines);
    RUN(test_folders);
    write_trace();
    RUN(test_traces);
    RUN(test_summaries);
    em_text_destroy(long_text);
    close(trace_descriptor);
    rig_end();
    return CHECK_DONE();
}
