/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the meter costs its caller and its machine, beside what nobody can avoid: the clock and the reads themselves. Each
 * question is a word of the command line; answers are lines of "name value". bench/overhead.py asks them on a machine of
 * files that it mounts over this one's. */
#include "energy_meter.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 20000, MOST = 64, ZONE_PATH = 96, RECORDED = 4000000 };
#define NS_PER_S INT64_C(1000000000)

/* ------------------------------------------------------------------------------------------------ what nobody can avoid */

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double now_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

/* The library's reads of files, counted and timed in the thread that asks for windows; and, in a recording, every thread's
 * waits and reads, so that they can be done again without the library. */
static _Thread_local struct {
    int is_on;
    long reads;
    double read_s;
} spy;

typedef enum { WAIT_UNTIL, READ_FILE, READ_BOARD } act_kind;

typedef struct {
    act_kind kind;
    int64_t amount; /* the deadline in ns, the file, the count of fields */
    void *board;
} act;

static struct {
    int is_on;
    size_t count;
    act acts[RECORDED];
} tape;

static void record(act_kind kind, int64_t amount, void *board)
{
    if (__atomic_load_n(&tape.is_on, __ATOMIC_ACQUIRE)) {
        size_t at = __atomic_fetch_add(&tape.count, 1, __ATOMIC_RELAXED);
        if (at < RECORDED) {
            tape.acts[at] = (act){kind, amount, board};
        }
    }
}

static void hear(void *board, int count)
{
    record(READ_BOARD, count, board);
}

ssize_t pread(int file, void *buffer, size_t size, off_t offset)
{
    record(READ_FILE, file, NULL);
    if (!spy.is_on) {
        return syscall(SYS_pread64, file, buffer, size, offset);
    }
    double start_s = now_s();
    ssize_t got = syscall(SYS_pread64, file, buffer, size, offset);
    spy.read_s += now_s() - start_s;
    spy.reads++;
    return got;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock, const struct timespec *deadline)
{
    record(WAIT_UNTIL, (int64_t)deadline->tv_sec * NS_PER_S + deadline->tv_nsec, NULL);
    int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    return real(condition, lock, deadline);
}

static double clock_ns(void)
{
    double start_s = now_s(), end_s = start_s;
    for (int i = 0; i < 10 * CALLS; i++) {
        end_s = now_s();
    }
    return (end_s - start_s) / (10 * CALLS) * 1e9;
}

static void zone_path(int zone, char path[ZONE_PATH])
{
    snprintf(path, ZONE_PATH, "/sys/class/powercap/intel-rapl:%d/energy_uj", zone);
}

static double pread_ns(void)
{
    char buffer[64], path[ZONE_PATH];
    zone_path(0, path);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    file = file < 0 ? open("/proc/stat", O_RDONLY | O_CLOEXEC) : file;
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

/* ------------------------------------------------------------------------------------------------------------- the meter */

static em_meter *make_meter(uint32_t flags, uint64_t interval_ns)
{
    em_options options;
    em_meter *meter = NULL;
    em_options_init(&options, sizeof options);
    options.flags = flags;
    options.sample_interval_ns = interval_ns ? interval_ns : options.sample_interval_ns;
    em_error error = {.size = sizeof error};
    if (em_meter_create(&options, &error, &meter) != EM_OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return meter;
}

static em_window begin(em_meter *meter)
{
    em_window window;
    if (em_window_begin(meter, NULL, &window) != EM_OK) {
        exit(1);
    }
    return window;
}

static void end(em_meter *meter, em_window window)
{
    if (em_window_end(meter, window, NULL) != EM_OK) {
        exit(1);
    }
}

/* The least mean of some rounds: what others do to the machine is not the question. */
static void show_pair(const char *title, uint32_t flags)
{
    enum { ROUNDS = 20 };
    double least_s = 1e9, least_read_s = 0;
    long reads = 0;
    em_meter *meter = make_meter(flags, 0);
    begin(meter);
    for (int round = 0; round < ROUNDS; round++) {
        spy.is_on = 1;
        spy.reads = 0;
        spy.read_s = 0;
        double start_s = now_s();
        for (int i = 0; i < CALLS; i++) {
            end(meter, begin(meter));
        }
        double mean_s = (now_s() - start_s) / CALLS;
        spy.is_on = 0;
        reads += spy.reads;
        if (mean_s - spy.read_s / CALLS < least_s - least_read_s) {
            least_s = mean_s;
            least_read_s = spy.read_s / CALLS;
        }
    }
    em_meter_destroy(meter);
    printf("%s_pair_ns %.1f\n%s_read_ns %.1f\n%s_reads_per_pair %.6f\n", title, least_s * 1e9, title,
           least_read_s * 1e9, title, (double)reads / CALLS / ROUNDS);
}

static void show_pairs(void)
{
    printf("clock_ns %.1f\npread_ns %.1f\n", clock_ns(), pread_ns());
    show_pair("never", EM_EDGES_NEVER);
    show_pair("budget", 0);
    show_pair("always", EM_EDGES_ALWAYS);
}

/* ---------------------------------------------------------------------------------------------------------- it stays flat */

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &pages, &resident) != 2) {
        exit(1);
    }
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE) / 1024;
}

static void show_windows(long count)
{
    em_meter *meter = make_meter(0, 0);
    begin(meter);
    long each = count / 10;
    for (int part = 0; part < 10; part++) {
        double start_s = now_s();
        for (long i = 0; i < each; i++) {
            end(meter, begin(meter));
        }
        printf("windows_%ld_ns %.1f\nwindows_%ld_kib %ld\n", (part + 1) * each,
               (now_s() - start_s) / (double)each * 1e9, (part + 1) * each, resident_kib());
        fflush(stdout);
    }
    em_meter_destroy(meter);
}

/* So many windows are open in a pair: each within the one before, or each ended before the one that began after it. */
static void show_open(int is_overlap)
{
    for (int open = 1; open <= MOST; open *= 2) {
        em_meter *meter = make_meter(EM_EDGES_NEVER, 0);
        int times = CALLS / 10 / open + 1;
        double least_s = 1e9;
        for (int round = 0; round < 10; round++) {
            double start_s = now_s();
            for (int i = 0; i < times; i++) {
                em_window windows[MOST];
                for (int j = 0; j < open; j++) {
                    windows[j] = begin(meter);
                }
                for (int j = 0; j < open; j++) {
                    end(meter, windows[is_overlap ? j : open - 1 - j]);
                }
            }
            double mean_s = (now_s() - start_s) / times / open;
            least_s = mean_s < least_s ? mean_s : least_s;
        }
        em_meter_destroy(meter);
        printf("%s_%d_ns %.1f\n", is_overlap ? "overlapping" : "nested", open, least_s * 1e9);
    }
}

/* ------------------------------------------------------------------------------------------------------------ the sampler */

/* What NVML declares, of which the calls below need only the places of some fields. */
typedef struct {
    unsigned field, scope;
    long long stamp_us, latency_us;
    int type, result;
    unsigned long long value;
} nvml_field;

static void *nvml_symbol(const char *name)
{
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW);
    return library ? dlsym(library, name) : NULL;
}

/* The same waits, to the same deadlines, and the same reads with the time before and after each, and nothing else. Of
 * deadlines that have passed when they come up there is none to wait for. */
static double run_bare(int64_t since_ns)
{
    int (*fields)(void *, int, nvml_field *);
    *(void **)&fields = nvml_symbol("nvmlDeviceGetFieldValues");
    volatile uint64_t sum = 0;
    int64_t later_ns = (int64_t)(now_s() * 1e9) - since_ns;
    double start_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < tape.count; i++) {
        act now = tape.acts[i];
        char text[64];
        nvml_field values[2] = {{.field = 83}, {.field = 186}};
        if (now.kind == WAIT_UNTIL) {
            int64_t until_ns = now.amount + later_ns;
            struct timespec until = {until_ns / NS_PER_S, until_ns % NS_PER_S};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
            continue;
        }
        sum += (uint64_t)now_s();
        if (now.kind == READ_FILE) {
            ssize_t got = pread((int)now.amount, text, sizeof text - 1, 0);
            text[got > 0 ? got : 0] = '\0';
            sum += strtoull(text, NULL, 10);
        } else {
            fields(now.board, (int)now.amount, values);
            sum += values[0].value;
        }
        sum += (uint64_t)now_s();
    }
    return seconds_of(CLOCK_THREAD_CPUTIME_ID) - start_s;
}

/* In turns, so that a slow spell of the machine meets both. The meter stays, so that its files and boards do. */
static void show_sampler(const char *title, uint64_t interval_ns, int rounds, int seconds)
{
    void (*listen)(void (*)(void *, int));
    *(void **)&listen = nvml_symbol("fake_nvml_listen");
    em_meter *meter = make_meter(EM_EDGES_NEVER, interval_ns);
    for (int i = 0; i < rounds; i++) {
        em_window window = begin(meter);
        sleep(2); /* Past the first look at everything. */
        tape.count = 0;
        if (listen) {
            listen(hear);
        }
        double start_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        int64_t since_ns = (int64_t)(now_s() * 1e9);
        __atomic_store_n(&tape.is_on, 1, __ATOMIC_RELEASE);
        sleep((unsigned)seconds);
        __atomic_store_n(&tape.is_on, 0, __ATOMIC_RELEASE);
        double used_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start_s;
        end(meter, window);
        sleep(2); /* Until it rests. */
        long waits = 0;
        for (size_t j = 0; j < tape.count; j++) {
            waits += tape.acts[j].kind == WAIT_UNTIL;
        }
        double bare_s = run_bare(since_ns);
        printf("%s_%d_meter_percent %.4f\n%s_%d_bare_percent %.4f\n%s_%d_waits_per_s %.1f\n%s_%d_reads_per_s %.1f\n",
               title, i, 100 * used_s / seconds, title, i, 100 * bare_s / seconds, title, i, (double)waits / seconds,
               title, i, (double)(tape.count - (size_t)waits) / seconds);
        fflush(stdout);
    }
    em_meter_destroy(meter);
}

static void show_first(void)
{
    double start_s = now_s();
    em_meter *meter = make_meter(0, 0);
    double made_s = now_s();
    end(meter, begin(meter));
    double ended_s = now_s();
    printf("create_ms %.3f\nfirst_window_ms %.3f\n", 1e3 * (made_s - start_s), 1e3 * (ended_s - start_s));
    em_meter_destroy(meter);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    long size = argc > 2 ? atol(argv[2]) : 0;
    if (strcmp(what, "pair") == 0) {
        show_pairs();
    } else if (strcmp(what, "windows") == 0) {
        show_windows(size ? size : 10000000);
    } else if (strcmp(what, "open") == 0) {
        show_open(0);
        show_open(1);
    } else if (strcmp(what, "sampler") == 0) {
        show_sampler("hz10", 100000000, 5, size ? (int)size : 20);
        show_sampler("hz1000", 1000000, 5, size ? (int)size : 10);
    } else if (strcmp(what, "first") == 0) {
        show_first();
    } else {
        fprintf(stderr, "usage: %s pair | windows [COUNT] | open | sampler [SECONDS] | first\n", argv[0]);
        return 2;
    }
    return 0;
}
