/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whole meters on machines of known power: from the powercap files to results and summaries. */
#include "metering.h"
#include "metrics/summary.h"
#include "rig/memory.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static wave constant;

/* ------------------------------------------------------------------------------------------------------------- A13 */

typedef struct {
    const char *folder, *name;
    double power_w;
    int32_t role;
} zone;

static void check_machine(const char *vendor, const zone *zones, size_t count, double cpu_w, double dram_w)
{
    wave waves[16];
    begin_machine(vendor);
    for (size_t i = 0; i < count; i++) {
        waves[i] = wave_constant(zones[i].power_w);
        put_zone(zones[i].folder, zones[i].name, (rig_source){.wave = &waves[i], .range = 65532610987, .unit = 15.258});
    }
    begin_meter(NULL);
    for (size_t i = 0; i < count; i++) {
        char source[64];
        snprintf(source, sizeof source, "/sys/class/powercap/%s", zones[i].folder);
        for (size_t c = 0; c < em_meter_channel_count(meter); c++) {
            em_channel channel = {.size = sizeof channel};
            CHECK_INT(em_meter_channel(meter, c, &channel), EM_OK);
            if (strcmp(channel.source, source) == 0 && !CHECK_INT(channel.role, zones[i].role)) {
                printf("# %s, which is %s\n", channel.name, zones[i].name);
            }
        }
    }
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pass(1000 * S); /* which goes round every range at least once */
    end_window(window);
    pass(100 * MS);
    em_result result = final_result(window);
    CHECK_NEAR(result.total.energy_j, 1000 * (cpu_w + dram_w), 0.001);
    CHECK_NEAR(result.by_domain[EM_DOMAIN_CPU].energy_j, 1000 * cpu_w, 0.001);
    CHECK(dram_w > 0 ? fabs(result.by_domain[EM_DOMAIN_DRAM].energy_j - 1000 * dram_w) < 0.001
                     : isnan(result.by_domain[EM_DOMAIN_DRAM].energy_j));
    CHECK_INT(result.is_complete, 1);
    CHECK_INT(result.total.provenance, EM_FROM_MEASURED);
    end_all();
}

static void test_a13_intel_server(void)
{
    static const zone zones[] = {{"intel-rapl:0", "package-1", 120, EM_ROLE_COUNTED},
                                 {"intel-rapl:0:0", "dram", 21, EM_ROLE_COUNTED},
                                 {"intel-rapl:1", "package-0", 90, EM_ROLE_COUNTED},
                                 {"intel-rapl:1:0", "core", 95, EM_ROLE_PART},
                                 {"intel-rapl:1:1", "dram", 17, EM_ROLE_COUNTED},
                                 {"intel-rapl:2", "psys", 300, EM_ROLE_PLATFORM},
                                 {"intel-rapl-mmio:0", "package-0", 91, EM_ROLE_MIRROR},
                                 {"intel-rapl-mmio:1", "package-1", 121, EM_ROLE_MIRROR}};
    check_machine("GenuineIntel", zones, 8, 210, 38);
}

static void test_a13_dies_are_added_or_are_one(void)
{
    static const zone intel[] = {{"intel-rapl:0", "package-0-die-0", 70, EM_ROLE_COUNTED},
                                 {"intel-rapl:1", "package-0-die-1", 80, EM_ROLE_COUNTED}};
    static const zone amd[] = {{"intel-rapl:0", "package-0-die-0", 70, EM_ROLE_COUNTED},
                               {"intel-rapl:1", "package-0-die-1", 70, EM_ROLE_MIRROR},
                               {"intel-rapl:2", "package-1-die-0", 50, EM_ROLE_COUNTED},
                               {"intel-rapl:3", "package-1-die-1", 50, EM_ROLE_MIRROR}};
    check_machine("GenuineIntel", intel, 2, 150, 0);
    check_machine("AuthenticAMD", amd, 4, 120, 0);
}

/* --------------------------------------------------------------------------------------------------------- measuring */

static void test_batches_in_epochs(void)
{
    begin_simple();
    em_window last, run = begin_window(EM_WINDOW_RUN, NULL);
    CHECK_INT(em_window_last(meter, EM_WINDOW_BATCH, NULL, &last), EM_ERR_UNKNOWN);
    for (int e = 0; e < 2; e++) {
        em_window epoch = begin_window(EM_WINDOW_EPOCH, NULL);
        for (uint64_t b = 0; b < 3; b++) {
            em_window batch = begin_window(EM_WINDOW_BATCH, NULL);
            pass(250 * MS);
            CHECK_INT(em_window_set_items(meter, batch, 99), EM_OK);
            CHECK_INT(em_window_set_items(meter, batch, 32), EM_OK);
            end_window(batch);
            CHECK_INT(em_window_last(meter, EM_WINDOW_BATCH, NULL, &last), EM_OK);
            CHECK_INT(last, batch);
        }
        CHECK_INT(em_window_set_wait(meter, epoch, 5 * MS), EM_OK);
        end_window(epoch);
        em_result result = final_result(epoch);
        CHECK_NEAR(result.total.energy_j, 0.75 * 120, 1e-5);
        CHECK_INT(result.wait_ns, 5 * MS);
    }
    em_result result = final_result(last);
    CHECK_NEAR(result.total.energy_j, 30, 1e-5);
    CHECK_INT(result.items, 32);
    CHECK_INT(result.duration_ns, 250 * MS);
    CHECK_INT(em_window_set_items(meter, last, 1), EM_ERR_ENDED);
    CHECK_INT(em_window_last(meter, -1, NULL, &last), EM_OK);
    CHECK_INT(result_of(last).kind, EM_WINDOW_EPOCH);
    CHECK_INT(result_of(run).is_open, 1);
    em_summary *summary;
    CHECK_INT(em_summary_create(meter, S, &summary), EM_OK);
    size_t index;
    em_group group = {.size = sizeof group};
    CHECK_INT(em_summary_find(summary, EM_WINDOW_BATCH, NULL, &index), EM_OK);
    CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
    CHECK_INT(group.count, 6);
    CHECK_INT(group.items, 192);
    CHECK_NEAR(group.total.energy_j, 180, 1e-5);
    CHECK_INT(em_summary_group(summary, 0, &group), EM_OK);
    CHECK_NEAR(group.total.energy_j, 180, 1e-5);
    CHECK_INT(summary->facts.run_is_complete, 1);
    em_summary_destroy(summary);
    end_all();
}

static void test_a_lap_leaves_nothing_between(void)
{
    em_options options = default_options();
    options.flags = EM_EDGES_NEVER;
    begin_simple_with(&options);
    em_window first = begin_window(EM_WINDOW_BATCH, NULL), window = first, next = 0;
    for (int i = 0; i < 100; i++) {
        rig_host_advance(machine, 12345678);
        em_result result = {.size = sizeof result};
        em_spec spec = {.size = sizeof spec, .kind = EM_WINDOW_BATCH};
        CHECK_INT(em_window_lap(meter, window, &spec, &result, &next), EM_OK);
        CHECK_INT(result.duration_ns, 12345678);
        CHECK_INT(result.is_final, 0);
        CHECK_INT(em_window_end(meter, window, NULL), EM_ERR_ENDED);
        window = next;
        if (i % 9 == 0) {
            em__meter_step(meter);
        }
    }
    CHECK_INT(em_window_cancel(meter, next), EM_OK);
    CHECK_INT(em_window_result(meter, next, &(em_result){.size = sizeof(em_result)}), EM_ERR_EXPIRED);
    CHECK_INT(em_window_lap(meter, next, NULL, NULL, &window), EM_ERR_EXPIRED);
    pass(100 * MS);
    double sum_j = 0;
    for (em_window w = first; w < next; w++) {
        sum_j += final_result(w).total.energy_j;
    }
    CHECK_NEAR(sum_j, 120 * 1.2345678, 2e-4);
    end_all();
}

/* A part is read in the same round as what it lies in, so its figures are measured, not guessed: a step of 80 W
 * within 100 ms can shift 2 J at most, between two readings. */
static void test_parts_are_measured(void)
{
    static wave core;
    constant = wave_constant(100);
    core = wave_burst(10, 90, 1001, 1002);
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &constant});
    put_zone("intel-rapl:0:0", "core", (rig_source){.wave = &core});
    begin_meter(NULL);
    for (int i = 0; i < 30; i++) {
        uint64_t begin_ns = now();
        em_window window = begin_window(EM_WINDOW_OTHER, NULL);
        pass(130 * MS);
        CHECK_INT(em_window_end(meter, window, NULL), EM_OK);
        pass(100 * MS);
        em_energy energies[2];
        em_result result = {.size = sizeof result, .channels = energies, .channels_capacity = 2};
        CHECK_INT(em_window_result(meter, window, &result), EM_OK);
        CHECK_INT(result.is_final, 1);
        CHECK_NEAR(energies[1].energy_j, wave_energy_j(&core, begin_ns, begin_ns + 130 * MS), 2.1);
        CHECK_INT(energies[1].notes & ~EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED), 0);
    }
    end_all();
}

/* What an hour's pause did to the counters, which went round meanwhile, is nobody's; and nothing is read in it. */
static void test_pauses(void)
{
    constant = wave_constant(100);
    begin_machine("GenuineIntel");
    size_t package = put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &constant, .range = 262143999938});
    begin_meter(NULL);
    for (int i = 0; i < 3; i++) {
        em_window window = begin_window(EM_WINDOW_OTHER, NULL);
        pass(500 * MS);
        end_window(window);
        pass(2 * S);
        uint64_t reads = rig_host_reads(machine, package);
        pass(3600 * S);
        CHECK_INT(rig_host_reads(machine, package), reads);
        CHECK_NEAR(final_result(window).total.energy_j, 50, 1e-4);
        CHECK_INT(final_result(window).is_complete, 1);
    }
    em_summary *summary;
    CHECK_INT(em_summary_create(meter, 0, &summary), EM_OK);
    CHECK_NEAR(summary->groups[0].total.energy_j, 150, 1e-3);
    CHECK_INT(summary->facts.run_is_complete, 1);
    em_summary_destroy(summary);
    em_channel channel = {.size = sizeof channel};
    CHECK_INT(em_meter_channel(meter, 0, &channel), EM_OK);
    CHECK(channel.energy_j >= 150 && channel.energy_j < 150 + 3 * 120); /* the second after each window too */
    end_all();
}

static void test_a_window_ends_before_its_first_round(void)
{
    em_options options = default_options();
    options.flags = EM_EDGES_NEVER;
    begin_simple_with(&options);
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    rig_host_advance(machine, 10 * MS);
    em_result result = {.size = sizeof result};
    CHECK_INT(em_window_end(meter, window, &result), EM_OK);
    CHECK_INT(result.is_final, 0);
    CHECK(result.total.notes & EM_NOTE_BIT(EM_NOTE_PROVISIONAL));
    rig_host_advance(machine, 10 * MS);
    result = final_result(window); /* which makes a round */
    CHECK_NEAR(result.total.energy_j, 1.2, 1e-5);
    CHECK_INT(result.total.notes, EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED)); /* Nobody has looked closely yet. */
    end_all();
}

static void test_starting_over_in_a_pause_and_in_a_window(void)
{
    begin_simple();
    end_window(begin_window(EM_WINDOW_OTHER, NULL));
    pass(3 * S);
    rig_host_advance(machine, 3600 * S);
    CHECK_INT(em_meter_reset(meter), EM_OK);
    CHECK_INT(em__ledger_is_settled(&meter->ledger), 1); /* nothing is read in a pause that it could wait for */
    em_window window = begin_window(EM_WINDOW_BATCH, NULL);
    pass(S);
    CHECK_INT(em_meter_reset(meter), EM_OK);
    pass(S);
    end_window(window);
    pass(100 * MS);
    em_summary *summary;
    CHECK_INT(em_summary_create(meter, S, &summary), EM_OK);
    CHECK_INT(em_summary_group_count(summary), 2);
    CHECK_NEAR(summary->groups[0].total.energy_j, 120, 1e-4);
    CHECK_NEAR(summary->groups[1].total.energy_j, 240, 1e-4);
    em_summary_destroy(summary);
    end_all();
}

/* --------------------------------------------------------------------------------------------------------------- life */

static void test_after_close(void)
{
    begin_simple();
    em_window ended = begin_window(EM_WINDOW_BATCH, NULL), window;
    pass(S);
    end_window(ended);
    enum { OPEN = 2 * EM_KEPT_WINDOWS };
    static em_window open[OPEN];
    for (size_t i = 0; i < OPEN; i++) {
        open[i] = begin_window(EM_WINDOW_EPOCH, i % 2 ? "odd" : NULL);
    }
    pass(S);
    CHECK_INT(em_meter_close(meter, S), EM_OK);
    CHECK_INT(em_meter_close(meter, S), EM_OK);
    CHECK_INT(em_window_begin(meter, NULL, &window), EM_ERR_CLOSED);
    CHECK_INT(em_window_lap(meter, open[0], NULL, NULL, &window), EM_ERR_CLOSED);
    CHECK_INT(em_window_end(meter, open[0], NULL), EM_ERR_ENDED);
    CHECK_INT(em_meter_reset(meter), EM_ERR_CLOSED);
    rig_host_advance(machine, 100 * S);
    CHECK_NEAR(final_result(ended).total.energy_j, 120, 1e-4);
    for (size_t i = 0; i < OPEN; i++) {
        em_result result = final_result(open[i]);
        CHECK_INT(result.is_open, 0);
        CHECK_NEAR(result.total.energy_j, 120, 1e-3);
    }
    em_summary *summary;
    CHECK_INT(em_summary_create(meter, S, &summary), EM_OK);
    size_t index;
    CHECK_INT(em_summary_find(summary, EM_WINDOW_EPOCH, "odd", &index), EM_OK);
    CHECK_INT(summary->groups[index].count, OPEN / 2);
    em_summary_destroy(summary);
    em_channel channel = {.size = sizeof channel};
    CHECK_INT(em_meter_channel(meter, 0, &channel), EM_OK);
    CHECK_TEXT(channel.name, "cpu-0/package");
    em__meter_step(meter);
    end_all();
}

static void test_a_child_cannot_use_it(void)
{
    begin_simple();
    em_window window = begin_window(EM_WINDOW_OTHER, NULL);
    pid_t child = fork();
    if (child == 0) {
        em_window other = 77;
        em_result result = {.size = sizeof result};
        em_summary *summary = NULL;
        int fails = em_window_begin(meter, NULL, &other) != EM_ERR_FORKED || other != 77;
        fails |= em_window_end(meter, window, &result) != EM_ERR_FORKED;
        fails |= em_window_result(meter, window, &result) != EM_ERR_FORKED;
        fails |= em_summary_create(meter, 0, &summary) != EM_ERR_FORKED || summary;
        fails |= em_meter_reset(meter) != EM_ERR_FORKED || em_meter_close(meter, 0) != EM_ERR_FORKED;
        em_meter_destroy(meter);
        _exit(fails);
    }
    int status = -1;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    pass(S);
    end_window(window);
    pass(100 * MS);
    CHECK_NEAR(final_result(window).total.energy_j, 120, 1e-4);
    end_all();
}

static void test_a_hundred_thousand_windows_leave_nothing(void)
{
    size_t before = rig_memory_used(), early = 0;
    begin_simple();
    for (int i = 0; i < 100000; i++) {
        em_window batch = begin_window(EM_WINDOW_BATCH, i % 7 ? NULL : "named"), next;
        rig_host_advance(machine, 100000);
        if (i % 3 == 0) {
            CHECK_INT(em_window_lap(meter, batch, NULL, NULL, &next), EM_OK);
            batch = next;
        }
        em_result result = {.size = sizeof result};
        CHECK_INT(em_window_end(meter, batch, &result), EM_OK);
        if (i % 1000 == 0) {
            em__meter_step(meter);
            em_summary *summary;
            CHECK_INT(em_summary_create(meter, 0, &summary), EM_OK);
            em_summary_destroy(summary);
        }
        early = i == 20000 ? rig_memory_used() : early;
    }
    CHECK(rig_memory_used() <= early + 4096);
    end_all();
    CHECK(rig_memory_used() <= before + 16384); /* freed pieces that the allocator has at hand count too */
}

int main(void)
{
    RUN(test_a13_intel_server);
    RUN(test_a13_dies_are_added_or_are_one);
    RUN(test_batches_in_epochs);
    RUN(test_a_lap_leaves_nothing_between);
    RUN(test_parts_are_measured);
    RUN(test_pauses);
    RUN(test_a_window_ends_before_its_first_round);
    RUN(test_starting_over_in_a_pause_and_in_a_window);
    RUN(test_after_close);
    RUN(test_a_child_cannot_use_it);
    RUN(test_a_hundred_thousand_windows_leave_nothing);
    return CHECK_DONE();
}
