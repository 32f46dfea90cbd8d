/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whole meters in real time, with real threads and clocks, on machines whose energy is known in closed form. About eight
 * seconds; the first argument is how many times as long, the second a seed. What a busy machine spoils is tried again;
 * what must hold at any time is checked in every try. */
#include "check.h"
#include "meter/meter.h"
#include "rig/fake_host.h"
#include "rig/random.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum { TRIES = 4, MOST_WINDOWS = 4096 };

static double longer = 1;
static char script[64];
static int (*read_count)(unsigned index);

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * S + (uint64_t)now.tv_nsec;
}

static void pause_for(uint64_t duration_ns)
{
    struct timespec duration = {.tv_sec = (time_t)(duration_ns / S), .tv_nsec = (long)(duration_ns % S)};
    nanosleep(&duration, NULL);
}

/* Boards whose time begins now; what it answers is that time. */
static uint64_t play(const char *boards)
{
    uint64_t start_ns = now_ns();
    FILE *file = fopen(script, "w");
    if (!file || fprintf(file, "start %llu\n%s", (unsigned long long)start_ns, boards) < 0 || fclose(file) != 0) {
        abort();
    }
    return start_ns;
}

/* Of the running system: its own loader finds the stand-in. */
static em_meter *meter_on_boards(uint64_t interval_ns)
{
    em_options options;
    em_meter *meter = NULL;
    em_options_init(&options, sizeof options);
    options.sample_interval_ns = interval_ns;
    options.measure = 1u << EM_DOMAIN_GPU;
    if (!CHECK_INT(em_meter_create(&options, NULL, &meter), EM_OK)) {
        exit(1);
    }
    return meter;
}

static em_window begin_window(em_meter *meter, int32_t kind)
{
    em_spec spec = {.size = sizeof spec, .kind = kind};
    em_window window = 0;
    CHECK_INT(em_window_begin(meter, &spec, &window), EM_OK);
    return window;
}

static em_result final_result(em_meter *meter, em_window window)
{
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_settle(meter, window, 10 * S), EM_OK);
    CHECK_INT(em_window_result(meter, window, &result), EM_OK);
    CHECK_INT(result.is_final, 1);
    return result;
}

/* Truth of a window; origin_ns: when the wave's time was 0. */
static double truth_j(const wave *power, const em_result *result, uint64_t origin_ns)
{
    uint64_t begin_ns = result->begin_ns - origin_ns;
    return wave_energy_j(power, begin_ns, begin_ns + result->duration_ns);
}

typedef struct {
    double total, mean, worst; /* errors, as parts of the truth */
} errors;

/* Windows of random lengths around length_ns, back to back inside one of kind RUN. */
static errors measure_windows(em_meter *meter, const wave *power, uint64_t origin_ns, uint64_t length_ns,
                              double seconds)
{
    em_window windows[MOST_WINDOWS];
    int count = 0;
    uint64_t end_ns = now_ns() + (uint64_t)(seconds * 1e9);
    em_window run = begin_window(meter, EM_WINDOW_RUN);
    em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_BATCH, .keep = 1};
    CHECK_INT(em_window_begin(meter, &spec, &windows[count]), EM_OK);
    while (now_ns() < end_ns && count < MOST_WINDOWS - 1) {
        pause_for(length_ns / 2 + rig_random_below(length_ns));
        CHECK_INT(em_window_lap(meter, windows[count], &spec, NULL, &windows[count + 1]), EM_OK);
        count++;
    }
    CHECK_INT(em_window_end(meter, windows[count++], NULL), EM_OK);
    CHECK_INT(em_window_end(meter, run, NULL), EM_OK);
    em_result whole = final_result(meter, run);
    errors found = {.total = whole.total.energy_j / truth_j(power, &whole, origin_ns) - 1};
    double sum_j = 0;
    uint64_t sum_ns = 0;
    for (int i = 0; i < count; i++) {
        em_result result = final_result(meter, windows[i]);
        double error = fabs(result.total.energy_j / truth_j(power, &result, origin_ns) - 1);
        found.mean += error / count;
        found.worst = error > found.worst ? error : found.worst;
        sum_j += result.total.energy_j;
        sum_ns += result.duration_ns;
        CHECK_INT(result.is_complete, 1);
        CHECK_INT(result.total.status, EM_OK);
        CHECK_INT(result.total.gap_ns, 0);
        CHECK_INT(result.total.provenance, EM_FROM_MEASURED);
        CHECK_INT((result.total.notes & (EM_NOTE_BIT(EM_NOTE_PINNED) | EM_NOTE_BIT(EM_NOTE_GAP))) != 0, 0);
        CHECK(result.total.energy_j >= 0);
    }
    double outside_s = (double)(whole.duration_ns - sum_ns) / 1e9; /* microseconds at both ends of the run */
    /* Between two updates whose instants are off, power is interpolated at up to twice the wave's. */
    CHECK_NEAR(sum_j, whole.total.energy_j, 2 * power->high_w * outside_s + count * 1e-6);
    CHECK_INT(whole.total.gap_ns, 0);
    CHECK_NEAR(whole.by_provenance_j[EM_FROM_MEASURED], whole.total.energy_j, 1e-9);
    printf("# %d windows: total %+.3f %%, mean %.3f %%, worst %.3f %%\n", count, 100 * found.total, 100 * found.mean,
           100 * found.worst);
    return found;
}

static int is_good(errors found, double total, double mean)
{
    return fabs(found.total) <= total && found.mean <= mean;
}

/* As an A100: gauge 25 of 100 ms, counter every 20 ms, 30 µs a call. */
static void a_fast_board(void)
{
    wave power = wave_square(90, 380, 0.9, 0.55, 0);
    errors found = {1, 1, 1};
    for (int i = 0; i < TRIES && !is_good(found, 0.01, 0.05); i++) {
        uint64_t origin_ns = play("board name=\"NVIDIA A100-SXM4-80GB\" cc=8.0 limit=400 most=400 cost_us=30"
                                  " wave=square:90:380:900:55 update_ms=20 phase_ms=13 gauge_ms=100 average_ms=25\n");
        em_meter *meter = meter_on_boards(50 * MS);
        found = measure_windows(meter, &power, origin_ns, 200 * MS, 1.8 * longer);
        em_meter_destroy(meter);
    }
    CHECK(is_good(found, 0.01, 0.05));
}

static void powercap_zones(void)
{
    wave power = wave_square(40, 120, 0.7, 0.5, 0);
    errors found = {1, 1, 1};
    for (int i = 0; i < TRIES && !is_good(found, 0.01, 0.02); i++) {
        em_meter *meter = NULL;
        em_options options;
        em_options_init(&options, sizeof options);
        options.sample_interval_ns = 50 * MS;
        rig_host *machine = rig_host_create_live();
        rig_host_put_cpus(machine, "GenuineIntel", "Rig CPU", 1, 4);
        rig_host_put_zone(machine, &(rig_zone){.folder = "intel-rapl:0",
                                               .name = "package-0",
                                               .limit_w = 125,
                                               .source = {.wave = &power, .period_ns = MS, .range = 262143999938}});
        CHECK_INT(em__meter_create_on(rig_host_base(machine), &options, NULL, &meter), EM_OK);
        found = measure_windows(meter, &power, 0, 150 * MS, 1.4 * longer);
        em_meter_destroy(meter);
        rig_host_destroy(machine);
    }
    CHECK(is_good(found, 0.01, 0.02));
}

/* One board that may be read once a second, and two meters of it: together they do. */
static void two_meters_on_a_slow_board(void)
{
    wave power = wave_constant(200);
    uint64_t origin_ns = play("board name=\"NVIDIA GeForce RTX 4090\" limit=450 watts=200 update_ms=20\n");
    em_meter *meters[2] = {meter_on_boards(50 * MS), meter_on_boards(50 * MS)};
    em_window windows[2];
    for (int i = 0; i < 2; i++) {
        windows[i] = begin_window(meters[i], EM_WINDOW_RUN);
    }
    int before = read_count(0);
    uint64_t begin_ns = now_ns();
    pause_for((uint64_t)(3.3 * longer * 1e9));
    int reads = read_count(0) - before;
    double seconds = (double)(now_ns() - begin_ns) / 1e9;
    printf("# %d readings of the counter in %.2f s\n", reads, seconds);
    CHECK(reads <= (int)seconds + 1);
    CHECK(reads >= (int)(seconds / 2) - 1);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(em_window_end(meters[i], windows[i], NULL), EM_OK);
    }
    for (int i = 0; i < 2; i++) {
        em_result result = final_result(meters[i], windows[i]);
        printf("# %.3f J instead of %.3f\n", result.total.energy_j, truth_j(&power, &result, origin_ns));
        CHECK_NEAR(result.total.energy_j / truth_j(&power, &result, origin_ns), 1, 0.02);
        CHECK_INT(result.total.gap_ns, 0);
        CHECK_INT(result.is_complete, 1);
        CHECK((result.total.notes & EM_NOTE_BIT(EM_NOTE_SLOW_COUNTER)) != 0);
        em_meter_destroy(meters[i]);
    }
}

/* The loader reads LD_LIBRARY_PATH when a program starts. */
static void start_with_library_path(char **arguments)
{
    const char *old = getenv("LD_LIBRARY_PATH");
    if (old && strncmp(old, EM_TEST_FAKES ":", sizeof EM_TEST_FAKES) == 0) {
        return;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s:%s", EM_TEST_FAKES, old ? old : "");
    setenv("LD_LIBRARY_PATH", path, 1);
    execv("/proc/self/exe", arguments);
}

int main(int count, char **arguments)
{
    start_with_library_path(arguments);
    longer = count > 1 ? atof(arguments[1]) : 1;
    rig_random_start(count > 2 ? 2 : 0, arguments + 1);
    void *library = dlopen(EM_TEST_FAKES "/libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "fake_nvml_read_count") : NULL;
    if (!symbol) {
        printf("Bail out! %s\n", dlerror());
        return 1;
    }
    memcpy(&read_count, &symbol, sizeof symbol);
    strcpy(script, "/tmp/energy-meter-boards-XXXXXX");
    int descriptor = mkstemp(script);
    if (descriptor < 0) {
        abort();
    }
    close(descriptor);
    setenv("EM_FAKE_NVML", script, 1);
    RUN(a_fast_board);
    RUN(powercap_zones);
    RUN(two_meters_on_a_slow_board);
    unlink(script);
    return CHECK_DONE();
}
