/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whose processes compute on a GPU: a made machine with a tree of processes, and a driver that lists some of them. */
#include "sensors/nvml_rig.h"

#include "meter/meter.h"

static const char boards[] =
    "board name=\"NVIDIA H200\" uuid=GPU-1 pci=00000000:3B:00.0 cc=9.0 watts=300 update_ms=20\n"
    "board name=\"NVIDIA H200\" uuid=GPU-2 pci=00000000:5E:00.0 cc=9.0 watts=300 update_ms=20\n";
static char process_file[80];
static int (*process_calls)(void);

static void processes(const char *text)
{
    FILE *file = fopen(process_file, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
        abort();
    }
}

static void put_process(em__host *host, const char *name, int pid, int parent)
{
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/%s/stat", name);
    snprintf(text, sizeof text, "%d (x) S %d 1 1 0 -1 0 0 0 0 0 5 0 0 0 20 0 1 0 10 1 2 3\n", pid, parent);
    put(host, path, text);
}

/* This process is 100, its child 101, its grandchild 102; 200 is a stranger, 300 cannot be looked at. */
static em__host *make_host(const char *namespace)
{
    /* Threads of a meter before this may still give their host back: what they call is written once. */
    static em__host_ops ops;
    em__host *host = NULL;
    if (em__machine_create(0, NULL, &host) < 0) {
        abort();
    }
    if (!ops.open) {
        ops = *host->ops;
        ops.library_open = rig_open;
        ops.library_symbol = rig_symbol;
        ops.library_close = rig_close;
    }
    host->ops = &ops;
    put_process(host, "self", 100, 1);
    put_process(host, "100", 100, 1);
    put_process(host, "101", 101, 100);
    put_process(host, "102", 102, 101);
    put_process(host, "200", 200, 1);
    put_process(host, "400", 400, 401); /* a ring, as no kernel shows it */
    put_process(host, "401", 401, 400);
    put(host, "/proc/stat", "cpu 1 2 3 4\n");
    put(host, "/proc/cpuinfo", "processor: 0\n");
    if (namespace) {
        CHECK_INT(em__machine_set_link(host, "/proc/self/ns/pid", namespace), 0);
    }
    return host;
}

static em_meter *make_meter(em__host *host, const char *gpus)
{
    em_options options;
    em_meter *meter = NULL;
    em_options_init(&options, sizeof options);
    options.gpus = gpus;
    options.sample_interval_ns = 5000000;
    script(boards);
    CHECK_INT(em__meter_create_on(host, &options, NULL, &meter), EM_OK);
    return meter;
}

static int shared_in(em_meter *meter)
{
    em_summary *summary;
    int32_t shared = 7;
    CHECK_INT(em_summary_create(meter, 1000000000, &summary), EM_OK);
    CHECK_INT(em_summary_gpu_shared(summary, &shared), EM_OK);
    char *text;
    CHECK_INT(em_summary_format(summary, EM_FORMAT_JSON, &text, NULL), EM_OK);
    const char *word = shared == 1   ? "\"gpu_shared\":true"
                       : shared == 0 ? "\"gpu_shared\":false"
                                     : "\"gpu_shared\":null";
    CHECK(strstr(text, word) != NULL);
    em_text_destroy(text);
    em_summary_destroy(summary);
    return shared;
}

static void check_answer(const char *namespace, const char *gpus, const char *list, int expected)
{
    em__host *host = make_host(namespace);
    processes(list);
    em_meter *meter = make_meter(host, gpus);
    if (!CHECK_INT(shared_in(meter), expected)) {
        printf("#   %s\n", list);
    }
    em_meter_destroy(meter);
    em__host_unref(host);
    CHECK_INT(rig.open_count(), 0);
}

static void test_answers(void)
{
    const char *first = "pid:[4026531836]";
    check_answer(first, "all", "", 0);
    check_answer(first, "all", "0 100\n1 101\n0 102\n", 0);
    check_answer(first, "all", "1 200\n", 1);
    check_answer(first, "all", "0 100\n1 300\n", 1);
    check_answer(first, "all", "1 400\n", 1);
    check_answer(first, "all", "1 0\n", 1);
    check_answer(first, "0", "0 100\n1 200\n", 0); /* a board that is not counted */
    check_answer(first, "1", "0 100\n1 200\n", 1);
    check_answer("pid:[4026532201]", "all", "", -1);
    check_answer("pid:[4026532201]", "all", "1 200\n", -1);
    check_answer(NULL, "all", "1 200\n", -1);
    check_answer(first, "all", "code 3\n", -1);
    check_answer(first, "all", "code 999\n0 200\n", -1);
    check_answer(first, "all", "draws 0 200\n", 1); /* a desktop draws with what is measured */
    check_answer(first, "all", "0 100\ndraws 1 101\nmps 0 102\n", 0);
    check_answer(first, "all", "0 100\nmps 1 200\n", 1);
    check_answer(first, "0", "draws 1 200\nmps 1 200\n", 0);
    check_answer(first, "all", "0 100\ndraws code 3\nmps code 13\n", 0);
    check_answer(first, "all", "0 100\ndraws code 999\n", -1);
    check_answer(first, "all", "code 999\ndraws 0 200\n", 1);
    check_answer(first, "all", "claim 1000000000\n", -1);
    check_answer(first, "all", "claim 1000000000\ncode 7\n", -1);
}

/* More than fit at once, the last of them a stranger. */
static void test_many(void)
{
    char list[8192] = "";
    for (int i = 0; i < 100; i++) {
        snprintf(list + strlen(list), sizeof list - strlen(list), "0 %d\n", i < 99 ? 101 : 200);
    }
    check_answer("pid:[4026531836]", "all", list, 1);
    list[strlen(list) - 6] = '\0';
    check_answer("pid:[4026531836]", "all", list, 0);
}

/* The driver of another maker's board lists nobody: without it the answer is known, with it only that there is one. */
static void test_a_board_that_nobody_tells_of(void)
{
    static const struct {
        const char *channels, *list;
        int expected;
    } cases[] = {{"", "", -1}, {"", "1 200\n", 1}, {"-gpu-2/*", "", 0}};
    for (size_t i = 0; i < 3; i++) {
        em__host *host = make_host("pid:[4026531836]");
        put(host, "/sys/class/hwmon/hwmon3/name", "i915\n");
        put(host, "/sys/class/hwmon/hwmon3/energy1_input", "25637161804\n");
        put(host, "/sys/class/hwmon/hwmon3/power1_max", "55000000\n");
        processes(cases[i].list);
        script(boards);
        em_options options;
        em_meter *meter = NULL;
        em_options_init(&options, sizeof options);
        options.gpus = "all";
        options.channels = cases[i].channels;
        CHECK_INT(em__meter_create_on(host, &options, NULL, &meter), EM_OK);
        CHECK_INT(shared_in(meter), cases[i].expected);
        em_meter_destroy(meter);
        em__host_unref(host);
    }
}

/* Somebody who was there at the start counts, until the meter begins anew; nobody is looked for while it samples. */
static void test_looks(void)
{
    em__host *host = make_host("pid:[4026531836]");
    processes("1 200\n");
    em_meter *meter = make_meter(host, "all");
    int before = process_calls();
    em_window window;
    CHECK_INT(em_window_begin(meter, NULL, &window), EM_OK);
    for (int i = 0; i < 20; i++) {
        em_window lap;
        CHECK_INT(em_window_lap(meter, window, NULL, NULL, &lap), EM_OK);
        em_window_settle(meter, window, 50000000);
        window = lap;
    }
    em_window_end(meter, window, NULL);
    CHECK_INT(process_calls(), before);
    processes("");
    CHECK_INT(shared_in(meter), 1);
    CHECK(process_calls() > before);
    CHECK_INT(em_meter_reset(meter), EM_OK);
    CHECK_INT(shared_in(meter), 0);
    processes("0 200\n");
    CHECK_INT(shared_in(meter), 1);
    em_meter_close(meter, 0);
    before = process_calls();
    CHECK_INT(shared_in(meter), 1);
    CHECK_INT(process_calls(), before);
    em_meter_destroy(meter);
    em__host_unref(host);
    CHECK_INT(rig.open_count(), 0);
}

/* A driver that hangs in the look keeps neither the summary nor windows waiting. */
static void test_a_hang(void)
{
    em__host *host = make_host("pid:[4026531836]");
    processes("");
    em_meter *meter = make_meter(host, "0");
    processes("hang 900\n");
    uint64_t begin_ns = em__meter_now(meter);
    CHECK_INT(shared_in(meter), -1);
    em_window window;
    CHECK_INT(em_window_begin(meter, NULL, &window), EM_OK);
    CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
    CHECK(em__meter_now(meter) - begin_ns < 700000000);
    em_meter_destroy(meter);
    em__host_unref(host);
    for (int i = 0; i < 300 && rig.open_count() > 0; i++) {
        usleep(10000);
    }
    CHECK_INT(rig.open_count(), 0);
}

static void test_no_gpu(void)
{
    em__host *host = make_host("pid:[4026531836]");
    em_options options;
    em_meter *meter = NULL;
    em_options_init(&options, sizeof options);
    options.measure = 1u << EM_DOMAIN_CPU;
    CHECK_INT(em__meter_create_on(host, &options, NULL, &meter), EM_OK);
    CHECK_INT(shared_in(meter), -1);
    em_meter_destroy(meter);
    em__host_unref(host);
    CHECK_INT(em_summary_gpu_shared(NULL, NULL), EM_ERR_INVALID);
}

int main(void)
{
    rig_start();
    void *library = dlopen(rig.library, RTLD_NOW | RTLD_LOCAL);
    rig_find(library, "fake_nvml_process_calls", &process_calls);
    snprintf(process_file, sizeof process_file, "%s.processes", rig.script);
    setenv("EM_FAKE_NVML_PROCESSES", process_file, 1);
    RUN(test_answers);
    RUN(test_many);
    RUN(test_a_board_that_nobody_tells_of);
    RUN(test_looks);
    RUN(test_no_gpu);
    RUN(test_a_hang); /* its thread ends after it */
    unlink(process_file);
    rig_end();
    return CHECK_DONE();
}
