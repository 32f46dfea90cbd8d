/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What begin and end cost their caller: beside one look at the clock and one pread of a counter's file, on a folder laid
 * out like a machine with as many RAPL zones as asked for (12); and what they take of the time with windows of 5 ms back
 * to back. Prints a table; the files stand still, so no energy is shown. */
#include "energy_meter.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 20000, ROUNDS = 5, SHORT_NS = 5000000, ROW_S = 10 };

static char root[] = "/tmp/energy-meter-bench-XXXXXX", path[256];

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static FILE *create(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = strchr(path + sizeof root, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static void put(const char *folder, const char *name, const char *text)
{
    char whole[128];
    snprintf(whole, sizeof whole, "sys/class/powercap/%s/%s", folder, name);
    FILE *file = create(whole);
    fprintf(file, "%s\n", text);
    fclose(file);
}

static void make_machine(int zones)
{
    if (!mkdtemp(root)) {
        perror(root);
        exit(1);
    }
    FILE *cpus = create("proc/cpuinfo");
    put("intel-rapl", "enabled", "1");
    for (int i = 0; i < zones; i++) {
        char folder[32], name[32];
        snprintf(folder, sizeof folder, "intel-rapl:%x", (unsigned)i);
        snprintf(name, sizeof name, "package-%d", i);
        put(folder, "name", name);
        put(folder, "max_energy_range_uj", "262143999938");
        put(folder, "constraint_0_power_limit_uw", "125000000");
        put(folder, "energy_uj", "123456789012");
        fprintf(cpus, "processor\t: %d\nvendor_id\t: GenuineIntel\nmodel name\t: Bench CPU\nphysical id\t: %d\n\n", i,
                i);
    }
    fclose(cpus);
}

static em_meter *make_meter(uint32_t flags)
{
    em_options options;
    em_meter *meter = NULL;
    em_options_init(&options, sizeof options);
    options.root = root;
    options.flags = flags;
    em_error error = {.size = sizeof error};
    if (em_meter_create(&options, &error, &meter) != EM_OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return meter;
}

static void begin_and_end(em_meter *meter)
{
    em_window window;
    if (em_window_begin(meter, NULL, &window) != EM_OK || em_window_end(meter, window, NULL) != EM_OK) {
        exit(1);
    }
}

/* The least mean of some rounds: what others do to the machine is not the question. */
static double pair_ns(uint32_t flags)
{
    double least_s = 1e9;
    em_meter *meter = make_meter(flags);
    em_window run;
    em_window_begin(meter, NULL, &run);
    for (int round = 0; round < ROUNDS; round++) {
        double start_s = now_s();
        for (int i = 0; i < CALLS; i++) {
            begin_and_end(meter);
        }
        double mean_s = (now_s() - start_s) / CALLS;
        least_s = mean_s < least_s ? mean_s : least_s;
    }
    em_meter_destroy(meter);
    return least_s * 1e9;
}

static double clock_ns(void)
{
    double start_s = now_s(), end_s = start_s;
    for (int i = 0; i < 10 * CALLS; i++) {
        end_s = now_s();
    }
    return (end_s - start_s) / (10 * CALLS) * 1e9;
}

static double pread_ns(void)
{
    char buffer[64];
    snprintf(path, sizeof path, "%s/sys/class/powercap/intel-rapl:0/energy_uj", root);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    double start_s = now_s();
    for (int i = 0; i < CALLS; i++) {
        if (pread(file, buffer, sizeof buffer, 0) <= 0) {
            exit(1);
        }
    }
    double mean_s = (now_s() - start_s) / CALLS;
    close(file);
    return mean_s * 1e9;
}

/* Windows of 5 ms, back to back: the share of the time that this thread spent inside the calls, and what the meter
 * itself says of it. */
static void show_row(uint32_t flags, const char *title)
{
    em_meter *meter = make_meter(flags);
    em_summary *summary = NULL;
    em_overhead told = {.size = sizeof told};
    double start_s = now_s(), inside_s = 0;
    while (now_s() - start_s < ROW_S) {
        struct timespec pause = {.tv_nsec = SHORT_NS};
        em_window window;
        double enter_s = now_s();
        em_window_begin(meter, NULL, &window);
        inside_s += now_s() - enter_s;
        nanosleep(&pause, NULL);
        enter_s = now_s();
        em_window_end(meter, window, NULL);
        inside_s += now_s() - enter_s;
    }
    double elapsed_s = now_s() - start_s;
    em_summary_create(meter, 0, &summary);
    em_summary_overhead(summary, &told);
    printf("windows of 5 ms, %-7s %9.4f %% of the time; as told %.4f %%\n", title, 100 * inside_s / elapsed_s,
           100 * told.fraction);
    em_summary_destroy(summary);
    em_meter_destroy(meter);
}

int main(int argc, char **argv)
{
    static const char *const titles[] = {"never", "budget", "always"};
    static const uint32_t flags[] = {EM_EDGES_NEVER, 0, EM_EDGES_ALWAYS};
    int zones = argc > 1 ? atoi(argv[1]) : 12;
    make_machine(zones);
    double clock = clock_ns(), read = pread_ns();
    printf("%d zones; clock %.0f ns, pread %.0f ns\n", zones, clock, read);
    for (int i = 0; i < 3; i++) {
        double pair = pair_ns(flags[i]);
        printf("begin + end, edges %-7s %9.0f ns: %.1f x (clock + pread)\n", titles[i], pair, pair / (clock + read));
    }
    for (int i = 0; i < 3; i++) {
        show_row(flags[i], titles[i]);
    }
    char command[64 + sizeof root];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command) != 0;
}
