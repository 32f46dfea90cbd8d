/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A trace in the place of a machine: a user's own windows on it measure what the waves behind the recording used. */
#include "probing.h"
#include "unit/metering.h"

#include "rig/random.h"
#include "sensors/tape.h"

#include <fcntl.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LENGTH_S = 60, ZONES = 3 };

static wave waves[ZONES];

static int new_file(void)
{
    int descriptor = memfd_create("trace", MFD_CLOEXEC);
    if (descriptor < 0) {
        abort();
    }
    return descriptor;
}

/* A minute of three zones, of which the first wraps every 4 s or so, with one run of all the time. */
static int record(uint64_t idle_from_ns, uint64_t idle_ns)
{
    int descriptor = new_file();
    waves[0] = wave_square(40, 160, 7, 0.5, 0);
    waves[1] = wave_sine(20, 10, 11, 0);
    waves[2] = wave_constant(30);
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &waves[0], .period_ns = MS, .range = 400000000});
    put_zone("intel-rapl:0:1", "dram", (rig_source){.wave = &waves[1], .period_ns = MS, .range = 65712999613});
    put_zone("intel-rapl:0:0", "core", (rig_source){.wave = &waves[2], .period_ns = MS, .range = 65712999613});
    em_options options = default_options();
    options.trace_fd = descriptor;
    begin_meter(&options);
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    pass(idle_from_ns);
    if (idle_ns > 0) {
        end_window(run);
        pass(idle_ns);
        run = begin_window(EM_WINDOW_RUN, NULL);
    }
    pass(LENGTH_S * S - idle_from_ns - idle_ns);
    end_window(run);
    end_all();
    return descriptor;
}

static int begin_replay(int descriptor, em_error *error)
{
    static wave live;
    live = wave_constant(999);
    begin_machine("AuthenticAMD");
    rig_host_advance(machine, 4321 * S);
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &live, .range = 262143999938});
    em_options options = default_options();
    options.replay_fd = descriptor;
    if (lseek(descriptor, 0, SEEK_SET) != 0) {
        abort();
    }
    meter = NULL;
    return em__meter_create_on(rig_host_base(machine), &options, error, &meter);
}

static double truth_j(size_t zone, uint64_t from_ns, uint64_t to_ns)
{
    return wave_energy_j(&waves[zone], 1000 * S + from_ns, 1000 * S + to_ns);
}

static em_channel channel_of(size_t index)
{
    em_channel channel = {.size = sizeof channel, .name = ""};
    CHECK_INT(em_meter_channel(meter, index, &channel), EM_OK);
    return channel;
}

static void a_recorded_machine_is_measured_again(void)
{
    static const int32_t roles[ZONES] = {EM_ROLE_COUNTED, EM_ROLE_PART, EM_ROLE_COUNTED};
    int descriptor = record(0, 0);
    CHECK_INT(begin_replay(descriptor, NULL), EM_OK);
    uint64_t start_ns = now();
    CHECK_INT(em_meter_channel_count(meter), ZONES);
    for (size_t i = 0; i < ZONES; i++) {
        em_channel channel = channel_of(i);
        CHECK_INT(channel.role, roles[i]);
        CHECK_TEXT(channel.sensor, "rapl-powercap");
        CHECK(strncmp(channel.source, "replay:/sys/class/powercap/intel-rapl:0", 39) == 0);
    }
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    while (now() < start_ns + 50 * S) {
        em_window window = begin_window(EM_WINDOW_OTHER, NULL);
        uint64_t from_ns = now() - start_ns;
        pass((500 + 700 * (from_ns / S % 5)) * MS);
        end_window(window);
        uint64_t to_ns = now() - start_ns;
        pass(500 * MS);
        em_result result = result_of(window);
        double package_j = truth_j(0, from_ns, to_ns), memory_j = truth_j(1, from_ns, to_ns);
        CHECK_NEAR(result.by_domain[EM_DOMAIN_CPU].energy_j, package_j, 13); /* a step of 120 W within 0.1 s */
        CHECK_NEAR(result.by_domain[EM_DOMAIN_DRAM].energy_j, memory_j, 0.5);
        CHECK_INT(result.is_complete, 1);
    }
    CHECK_NEAR(result_of(run).total.energy_j, truth_j(0, 0, now() - start_ns) + truth_j(1, 0, now() - start_ns), 14);
    pass(20 * S);
    em_result result = result_of(run);
    CHECK_INT(result.is_complete, 0);
    CHECK_NEAR(result.total.energy_j, truth_j(0, 0, LENGTH_S * S) + truth_j(1, 0, LENGTH_S * S), 26);
    for (size_t i = 0; i < ZONES; i++) {
        CHECK_INT(channel_of(i).role, EM_ROLE_UNREADABLE);
        CHECK_INT(channel_of(i).status, EM_ERR_GONE);
    }
    end_window(run);
    end_all();
    close(descriptor);
}

/* While nobody asked, nothing was read: counters make up for it, as long as they do not go round more than once. */
static void a_pause_of_the_recording(void)
{
    int descriptor = record(20 * S, 20 * S);
    CHECK_INT(begin_replay(descriptor, NULL), EM_OK);
    uint64_t start_ns = now();
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    pass(50 * S);
    em_energy energies[ZONES];
    em_result result = {.size = sizeof result, .channels = energies, .channels_capacity = ZONES};
    CHECK_INT(em_window_result(meter, run, &result), EM_OK);
    CHECK_NEAR(energies[2].energy_j, truth_j(1, 0, now() - start_ns), 1);
    CHECK(energies[0].gap_ns > 15 * S); /* it wrapped unseen */
    CHECK(energies[0].energy_j <= truth_j(0, 0, now() - start_ns));
    end_window(run);
    end_all();
    close(descriptor);
}

static void a_replay_is_of_no_boot(void)
{
    int descriptor = record(0, 0);
    CHECK_INT(begin_replay(descriptor, NULL), EM_OK);
    em_window run = begin_window(EM_WINDOW_RUN, NULL);
    pass(5 * S);
    end_window(run);
    em_summary *summary = NULL, *merged = NULL;
    char *text = NULL;
    CHECK_INT(em_summary_create(meter, S, &summary), EM_OK);
    CHECK_INT(em_summary_format(summary, EM_FORMAT_JSON, &text, NULL), EM_OK);
    CHECK(strstr(text, "\"boot_id\":null") != NULL);
    em_error error = {.size = sizeof error};
    const em_summary *parts[] = {summary, summary};
    CHECK_INT(em_summary_merge(parts, 2, &error, &merged), EM_ERR_INVALID);
    em_text_destroy(text);
    em_summary_destroy(summary);
    end_all();
    close(descriptor);
}

/* What it says of other sensors, and what does not go together. */
static void nothing_is_mixed(void)
{
    static const em_file file = {"/run/wall", "W", NULL, NULL, NULL};
    int descriptor = record(0, 0);
    CHECK_INT(begin_replay(descriptor, NULL), EM_OK);
    for (size_t i = 0; i < em_meter_absence_count(meter); i++) {
        em_absence absence = {.size = sizeof absence};
        CHECK_INT(em_meter_absence(meter, i, &absence), EM_OK);
        CHECK_INT(absence.status, EM_ERR_NOT_SELECTED);
        CHECK(strcmp(absence.sensor, "replay") != 0);
    }
    CHECK(em_meter_absence_count(meter) > 5);
    end_all();
    em_error error = {.size = sizeof error};
    em_meter *made = NULL;
    em_options options = default_options();
    options.replay_fd = descriptor;
    options.files = &file;
    options.file_count = 1;
    CHECK_INT(em_meter_create(&options, &error, &made), EM_ERR_INVALID);
    CHECK_TEXT(error.argument, "replay_fd");
    CHECK(strstr(error.text, "files") != NULL);
    options.file_count = 0;
    options.root = "/tmp";
    CHECK_INT(em_meter_create(&options, &error, &made), EM_ERR_INVALID);
    CHECK(strstr(error.text, "/tmp") != NULL);
    options.root = "/";
    options.replay_fd = 987;
    CHECK_INT(em_meter_create(&options, &error, &made), EM_ERR_INVALID);
    CHECK_TEXT(error.text, "replay_fd is 987");
    CHECK(made == NULL);
    close(descriptor);
}

/* Cut anywhere, it plays as far as it goes, or is refused in its beginning. */
static void what_was_cut_off_plays_as_far_as_it_goes(void)
{
    int descriptor = record(0, 0);
    off_t whole = lseek(descriptor, 0, SEEK_END);
    int played = 0, refused = 0;
    for (int i = 0; i < 20; i++) {
        em_error error = {.size = sizeof error};
        CHECK_INT(ftruncate(descriptor, whole - (off_t)(rig_random_below((uint64_t)whole / 20) +
                                                        (uint64_t)i * (uint64_t)whole / 21)),
                  0);
        int status = begin_replay(descriptor, &error);
        played += status == EM_OK;
        refused += status == EM_ERR_INVALID;
        CHECK(status == EM_OK || strcmp(error.argument, "replay_fd") == 0);
        if (status == EM_OK) {
            em_window run = begin_window(EM_WINDOW_RUN, NULL);
            pass(2 * S);
            end_window(run);
        }
        end_all();
        if (lseek(descriptor, 0, SEEK_END) < 4096) {
            break;
        }
    }
    CHECK(played > 0);
    printf("# %d played, %d refused\n", played, refused);
    close(descriptor);
}

/* ---------------------------------------------------------------------------------------------------------- the tape */

static void lines_and_steps(void)
{
    em__tape *tape = em__tape_create(2);
    static const struct {
        uint64_t t_ns, counter, gauge;
    } readings[] = {{10 * S, 100, 7}, {11 * S, 200, 9}, {12 * S, 900, 5}, {13 * S, 50, 6}};
    tape->channels[0].facts = (em__channel){.kind = EM_KIND_COUNTER, .scale_num = 1, .scale_den = 1, .range = 999};
    tape->channels[1].facts = (em__channel){.kind = EM_KIND_GAUGE, .scale_num = 1, .scale_den = 1};
    for (size_t i = 0; i < 4; i++) {
        em__reading counter = {.value = readings[i].counter}, gauge = {.value = readings[i].gauge};
        CHECK_INT(em__tape_add(tape, 0, readings[i].t_ns, &counter), EM_OK);
        CHECK_INT(em__tape_add(tape, 1, readings[i].t_ns, &gauge), EM_OK);
    }
    em__reading failed = {.outcome = EM__READ_AGAIN, .status = EM_ERR_READ}, late = {.value = 60};
    CHECK_INT(em__tape_add(tape, 0, 14 * S, &failed), EM_OK);
    CHECK_INT(em__tape_add(tape, 1, 14 * S, &failed), EM_OK);
    CHECK_INT(em__tape_add(tape, 0, 100 * S, &late), EM_OK);
    CHECK_INT(em__tape_finish(tape), EM_OK);
    CHECK_INT(em__tape_at(tape, 0, 10500 * MS).value, 150);
    CHECK_INT(em__tape_at(tape, 0, 11 * S).value, 200);
    CHECK_INT(em__tape_at(tape, 0, 12500 * MS).value, 975); /* half of 150 steps, the 100th of which is 0 */
    CHECK_INT(em__tape_at(tape, 0, 12800 * MS).value, 20);
    CHECK_INT(em__tape_at(tape, 1, 11999 * MS).value, 9);
    CHECK_INT(em__tape_at(tape, 1, 12 * S).value, 5);
    CHECK_INT(em__tape_at(tape, 1, 13500 * MS).value, 6);
    CHECK_INT(em__tape_at(tape, 0, 9500 * MS).value, 100);
    CHECK_INT(em__tape_at(tape, 0, 1 * S).outcome, EM__READ_AGAIN);
    CHECK_INT(em__tape_at(tape, 0, 14500 * MS).outcome, EM__READ_AGAIN);
    CHECK_INT(em__tape_at(tape, 0, 100 * S).value, 60);
    CHECK_INT(em__tape_at(tape, 0, 100 * S + 1).outcome, EM__READ_GONE);
    em__tape_unref(tape);
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(a_recorded_machine_is_measured_again);
    RUN(a_pause_of_the_recording);
    RUN(a_replay_is_of_no_boot);
    RUN(nothing_is_mixed);
    RUN(what_was_cut_off_plays_as_far_as_it_goes);
    RUN(lines_and_steps);
    return CHECK_DONE();
}
