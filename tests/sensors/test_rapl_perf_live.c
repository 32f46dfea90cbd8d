/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* rapl-perf on the perf events of the running kernel. A directory says that the unit of type 1, the kernel's own
 * software unit, counts energy: its cpu-clock counts each nanosecond of a CPU, so 1e-9 J a count are 1 W. */
#include "probing.h"

#include "meter/meter.h"
#include "platform/host_system.h"
#include "tree.h"

#include <time.h>

#define UNIT "/sys/bus/event_source/devices/power/"

enum { SOFTWARE = 1, CPU_CLOCK = 0, DUMMY = 9 /* counts nothing */ };
enum { BUSY_NS = 50000000 };

static em__host_ops ops;
static int refused; /* 0, or what perf_event_open answers here */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now); /* no daemon bends it, as none bends the kernel's clock of CPUs */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void work(uint64_t span_ns)
{
    for (uint64_t begin_ns = now_ns(); now_ns() - begin_ns < span_ns;) {
    }
}

/* The tree as root, with the events of the running kernel. */
static em__host *open_tree(void)
{
    em__host *host = NULL;
    if (em__host_open(tree_top, 0, NULL, NULL, 0, &host) < 0) {
        abort();
    }
    CHECK(host->ops->perf_open == NULL);
    ops = *host->ops;
    ops.perf_open = em__system_perf_open;
    ops.perf_join = em__system_perf_join;
    ops.perf_read = em__system_perf_read;
    ops.perf_close = em__system_perf_close;
    host->ops = &ops;
    return host;
}

static void put_event(const char *name, int config)
{
    char path[128], text[32];
    snprintf(path, sizeof path, UNIT "events/%s", name);
    snprintf(text, sizeof text, "event=0x%02x\n", config);
    tree_file(path, text, 0444);
    snprintf(path, sizeof path, UNIT "events/%s.scale", name);
    tree_file(path, "1e-9\n", 0444);
    snprintf(path, sizeof path, UNIT "events/%s.unit", name);
    tree_file(path, "Joules\n", 0444);
}

static void put_unit(int memory)
{
    char type[16];
    snprintf(type, sizeof type, "%d\n", SOFTWARE);
    tree_file(UNIT "type", type, 0444);
    tree_file(UNIT "cpumask", "0\n", 0444);
    tree_file("/sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n", 0444);
    put_event("energy-pkg", CPU_CLOCK);
    put_event("energy-ram", memory);
}

/* What the counter grew by lies between the shortest and the longest time that the two reads can be apart. */
static void check_group(int memory, double memory_w)
{
    put_unit(memory);
    em__host *host = open_tree();
    em__selection selection = everything();
    em__probe probe = {0};
    CHECK_INT(em__sensor_rapl_perf.probe(host, &selection, &probe), EM_OK);
    em__device *device = NULL;
    if (CHECK(channel_named(&probe, "cpu-0/package", &device) != NULL) && CHECK_INT(device->channel_count, 2)) {
        em__reading from[2], to[2];
        uint64_t t[4];
        CHECK_INT(device->channels[0].scale_num, 1);
        CHECK_INT(device->channels[0].scale_den, 1000);
        t[0] = now_ns();
        device->ops->read(device, EM__EVERY_CHANNEL, from);
        t[1] = now_ns();
        work(BUSY_NS);
        t[2] = now_ns();
        device->ops->read(device, EM__EVERY_CHANNEL, to);
        t[3] = now_ns();
        double least = (double)(t[2] - t[1]), most = (double)(t[3] - t[0]), slew = 1e-4 * most;
        for (size_t i = 0; i < 2; i++) {
            double watts = device->channels[i].covers == EM__COVERS_PACKAGE ? 1 : memory_w;
            double counted = (double)(to[i].value - from[i].value);
            CHECK_INT(from[i].outcome, EM__READ_OK);
            CHECK_INT(to[i].outcome, EM__READ_OK);
            if (!CHECK(counted >= watts * (least - slew) && counted <= watts * (most + slew))) {
                printf("# %s: %.0f ns counted in %.0f … %.0f\n", device->channels[i].name, counted, least, most);
            }
        }
    }
    em__sensors_free(&probe);
    CHECK_INT(host->references, 1);
    em__host_unref(host);
}

static void a_group_counts_each_of_its_events(void)
{
    check_group(CPU_CLOCK, 1);
    check_group(DUMMY, 0);
}

/* A whole meter, with its own threads and clocks: one watt for as long as the window lasts. */
static void a_window_of_one_watt(void)
{
    put_unit(DUMMY);
    em__host *host = open_tree();
    em_options options;
    em_options_init(&options, sizeof options);
    options.sample_interval_ns = 10000000;
    em_meter *meter = NULL;
    if (CHECK_INT(em__meter_create_on(host, &options, NULL, &meter), EM_OK)) {
        em_window window = 0;
        em_result result = {.size = sizeof result};
        CHECK_INT(em_window_begin(meter, NULL, &window), EM_OK);
        work(4 * BUSY_NS);
        CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
        CHECK_INT(em_window_settle(meter, window, 5000000000), EM_OK);
        CHECK_INT(em_window_result(meter, window, &result), EM_OK);
        double duration_s = (double)result.duration_ns / 1e9;
        CHECK_NEAR(result.total.energy_j, duration_s, 0.01 * duration_s);
        CHECK(duration_s >= 4e-9 * (double)BUSY_NS);
        CHECK_INT(result.is_complete, 0); /* The memory's event is one that never counts. */
        CHECK_INT(result.by_domain[EM_DOMAIN_CPU].status, EM_OK);
        CHECK_INT(result.by_domain[EM_DOMAIN_DRAM].status, EM_ERR_STALLED);
    }
    em_meter_destroy(meter);
    em__host_unref(host);
}

/* What the kernel refuses comes back as it said it, and leaves nothing open. */
static void errors_of_the_kernel(void)
{
    em__host *host = open_tree();
    em__perf *group = NULL;
    CHECK(host->ops->perf_open(host, &(em__perf_event){SOFTWARE, 1 << 30, CPU_CLOCK}, &group) < 0);
    CHECK(host->ops->perf_open(host, &(em__perf_event){0x7ffffff0, 0, 0}, &group) < 0);
    CHECK(group == NULL);
    if (!refused && CHECK_INT(host->ops->perf_open(host, &(em__perf_event){SOFTWARE, 0, CPU_CLOCK}, &group), 0)) {
        em__perf_counts counts = {0};
        CHECK(host->ops->perf_join(group, &(em__perf_event){0x7ffffff0, 0, 0}) < 0);
        for (int i = 1; i < EM__PERF_MOST; i++) {
            CHECK_INT(host->ops->perf_join(group, &(em__perf_event){SOFTWARE, 0, DUMMY}), 0);
        }
        CHECK_INT(host->ops->perf_join(group, &(em__perf_event){SOFTWARE, 0, DUMMY}), -E2BIG);
        CHECK_INT(host->ops->perf_read(group, &counts), 0);
        CHECK(counts.values[0] > 0 && counts.values[1] == 0 && counts.running_ns > 0);
        host->ops->perf_close(group);
    }
    em__host_unref(host);
}

/* Who is asked to be another user is answered as one: allowed only where the kernel lets all users. */
static void another_user(void)
{
    char text[16] = "";
    em__host *host = NULL;
    em__perf *group = NULL;
    CHECK_INT(em__host_open("/", 1, NULL, NULL, 0, &host), 0);
    CHECK(em__host_text(host, "/proc/sys/kernel/perf_event_paranoid", text, sizeof text) > 0);
    int error = host->ops->perf_open(host, &(em__perf_event){SOFTWARE, 0, CPU_CLOCK}, &group);
    CHECK_INT(error, atoi(text) > 0 ? -EACCES : refused);
    if (error == 0) {
        host->ops->perf_close(group);
    }
    em__host_unref(host);
}

int main(void)
{
    if (tree_begin() < 0) {
        return 1;
    }
    em__perf *group = NULL;
    refused = em__system_perf_open(NULL, &(em__perf_event){SOFTWARE, 0, CPU_CLOCK}, &group);
    if (refused) {
        char why[128];
        snprintf(why, sizeof why, "perf_event_open of a whole CPU is refused here: %s", strerror(-refused));
        SKIP(a_group_counts_each_of_its_events, why);
        SKIP(a_window_of_one_watt, why);
    } else {
        em__system_perf_close(group);
        RUN(a_group_counts_each_of_its_events);
        RUN(a_window_of_one_watt);
    }
    RUN(errors_of_the_kernel);
    RUN(another_user);
    tree_end();
    return CHECK_DONE();
}
