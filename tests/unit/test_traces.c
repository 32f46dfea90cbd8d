/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Kept traces of sensors that misbehave (tests/traces), replayed: what is known of the true energy, and the summary that
 * is kept beside each. EM_REFRESH=1 writes the summaries anew, EM_REFRESH=traces the traces too. */
#include "check.h"
#include "meter/replay.h"
#include "meter/tracer.h"
#include "rig/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

/* All begin at 1000 s, with one window from a read to another 10 s later; reads are 100 ms apart. */
static const uint64_t start_ns = 1000 * S, length_ns = 10 * S, step_ns = 100 * MS;

/* -------------------------------------------------------------------------------------------------------- writing one */

typedef struct {
    rig_ledger rig;
    em__tracer *tracer;
    int descriptor;
} tape;

static char *path_of(const char *name, const char *ending)
{
    static char path[4096];
    const char *root = getenv("EM_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/tests/traces/%s%s", root ? root : ".", name, ending);
    return path;
}

static void begin_tape(tape *t, const char *name, const rig_channel *channels, size_t count)
{
    static const uint64_t no_costs[RIG_CHANNELS];
    em__surroundings around = {
        .host = "rig", .pid = 1, .carbon = {.source = "user"}, .overhead_limit = NAN, .costs_ns = no_costs};
    rig_ledger_init(&t->rig, channels, count, NULL);
    t->descriptor = open(path_of(name, ".trace"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (t->descriptor < 0 || em__tracer_create(t->descriptor, &t->rig.ledger.setup, &around, &t->tracer) != EM_OK) {
        abort();
    }
}

static uint64_t enter(tape *t, em__event event)
{
    CHECK_INT(em__ledger_enter(&t->rig.ledger, &event), EM_OK);
    em__tracer_event(t->tracer, &event);
    return event.window;
}

/* stamp: the devices' own time. */
static void read_all(tape *t, uint64_t t_ns, uint64_t stamp)
{
    for (size_t i = 0; i < t->rig.count; i++) {
        em__reading reading = rig_channel_read(&t->rig.channels[i], t_ns);
        reading.stamp = stamp;
        if (em__ledger_is_read(&t->rig.ledger, i)) {
            enter(t, (em__event){.kind = EM__EVENT_READING, .t_ns = t_ns, .channel = i, .reading = reading});
        }
    }
    enter(t, (em__event){.kind = EM__EVENT_SETTLE});
}

static void end_tape(tape *t)
{
    em__tracer_end(t->tracer);
    em__tracer_destroy(t->tracer);
    rig_ledger_free(&t->rig);
    close(t->descriptor);
}

typedef void (*disturb)(tape *t, uint64_t t_ns, uint64_t *ret_stamp);

/* between: called before each read; NULL: nothing happens. */
static void record(const char *name, const rig_channel *channels, size_t count, disturb between)
{
    tape t;
    uint64_t window = 0;
    begin_tape(&t, name, channels, count);
    enter(&t, (em__event){.kind = EM__EVENT_RESUME, .t_ns = start_ns});
    for (uint64_t t_ns = start_ns; t_ns <= start_ns + length_ns + 2 * step_ns; t_ns += step_ns) {
        uint64_t stamp = t_ns / 1000;
        if (between) {
            between(&t, t_ns, &stamp);
        }
        read_all(&t, t_ns, stamp);
        if (t_ns == start_ns) {
            window = enter(&t, (em__event){.kind = EM__EVENT_BEGIN, .t_ns = t_ns, .name = "window"});
        } else if (t_ns == start_ns + length_ns) {
            enter(&t, (em__event){.kind = EM__EVENT_END, .t_ns = t_ns, .window = window});
        }
    }
    end_tape(&t);
}

/* ------------------------------------------------------------------------------------------------------- replaying one */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 16);
    if (file && text) {
        text[fread(text, 1, (1 << 16) - 1, file)] = '\0';
    }
    if (file) {
        fclose(file);
    }
    return text;
}

static void expect_kept(em_summary *summary, const char *name)
{
    char *text = NULL, *path = path_of(name, ".json");
    CHECK_INT(em_summary_format(summary, EM_FORMAT_JSON, &text, NULL), EM_OK);
    if (getenv("EM_REFRESH")) {
        FILE *file = fopen(path, "wb");
        CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
    }
    char *kept = read_file(path);
    CHECK_TEXT(text, kept);
    free(kept);
    em_text_destroy(text);
}

/* The window's group, and the run beside it. */
static em_group replay(const char *name)
{
    em_group group = {.size = sizeof group};
    em_trace *trace = NULL;
    em_summary *summary = NULL;
    size_t index = 0;
    int descriptor = open(path_of(name, ".trace"), O_RDONLY | O_CLOEXEC);
    if (CHECK(descriptor >= 0) && CHECK_INT(em_trace_open(descriptor, NULL, &trace), EM_OK) &&
        CHECK_INT(em_trace_summary(trace, NULL, &summary), EM_OK)) {
        expect_kept(summary, name);
        CHECK_INT(em_summary_find(summary, EM_WINDOW_OTHER, "window", &index), EM_OK);
        CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
        CHECK_INT(group.count, 1);
        CHECK_INT(group.duration_ns, length_ns);
        CHECK(!(group.total.notes & EM_NOTE_BIT(EM_NOTE_TRUNCATED)));
    }
    em_summary_destroy(summary);
    em_trace_destroy(trace);
    close(descriptor);
    return group;
}

static int is_recording(void)
{
    const char *refresh = getenv("EM_REFRESH");
    return refresh && strcmp(refresh, "traces") == 0;
}

/* ----------------------------------------------------------------------------------------------------------- the cases */

static wave steady; /* 200 W */

static rig_channel board(int32_t kind, rig_source source)
{
    steady = wave_constant(200);
    source.wave = source.wave ? source.wave : &steady;
    return rig_channel_make(kind == EM_KIND_GAUGE ? "gpu-0/power" : "gpu-0/board", EM__COVERS_BOARD, 0, kind, source);
}

static rig_channel with_fault(rig_channel channel, rig_fault fault)
{
    fault.from_ns += start_ns;
    fault.to_ns += start_ns;
    rig_source_fault(&channel.source, fault);
    return channel;
}

static rig_channel counter(rig_fault fault)
{
    return with_fault(board(EM_KIND_COUNTER, (rig_source){.period_ns = MS}), fault);
}

static em_group kept(const char *name, rig_channel channel, disturb between)
{
    if (is_recording()) {
        record(name, &channel, 1, between);
    }
    return replay(name);
}

static void test_an_unmoving_counter(void)
{
    em_group group =
        kept("unmoving-counter", counter((rig_fault){.kind = RIG_FREEZE, .from_ns = 0, .to_ns = 1000 * S}), NULL);
    CHECK_NEAR(group.total.energy_j, 0, 1e-9);
}

/* A quarter is missing in what it shows: the counter's own word, until something beside it says otherwise. */
static void test_a_counter_that_falls_short(void)
{
    rig_channel channels[] = {board(EM_KIND_COUNTER, (rig_source){.period_ns = 20 * MS, .gain_error = -0.25}),
                              board(EM_KIND_GAUGE, (rig_source){.period_ns = 20 * MS})};
    if (is_recording()) {
        record("short-counter", channels, 2, NULL);
    }
    em_group group = replay("short-counter");
    CHECK(group.total.energy_j > 0.74 * 2000 && group.total.energy_j < 2000.1);
}

static void test_a_jump(void)
{
    em_group group =
        kept("jump",
             counter((rig_fault){.kind = RIG_JUMP, .from_ns = 5 * S + 50 * MS, .amount = UINT64_C(50000000000)}), NULL);
    CHECK_NEAR(group.total.energy_j, 2000 - 20, 0.3);
    CHECK_INT(group.total.status, EM_ERR_RESET);
    CHECK_INT(group.total.gap_ns, step_ns);
}

/* It shows 300 W for 5 s of 300 and 100 W. */
static void test_a_frozen_gauge(void)
{
    static wave square;
    square = wave_square(100, 300, 10, 0.5, 1000);
    rig_channel gauge = with_fault(board(EM_KIND_GAUGE, (rig_source){.wave = &square, .period_ns = 20 * MS}),
                                   (rig_fault){.kind = RIG_FREEZE, .from_ns = 4 * S, .to_ns = 1000 * S});
    em_group group = kept("frozen-gauge", gauge, NULL);
    CHECK(group.total.energy_j < 3000.1);
}

static void stamps_go_back(tape *t, uint64_t t_ns, uint64_t *ret_stamp)
{
    (void)t;
    *ret_stamp -= t_ns >= start_ns + 5 * S ? 3000000 : 0;
}

static void test_stamps_that_go_back(void)
{
    rig_channel channel = board(EM_KIND_COUNTER, (rig_source){.period_ns = MS});
    em_group group = kept("stamps-back", channel, stamps_go_back);
    CHECK_NEAR(group.total.energy_j, 2000, 0.3);
}

static void test_a_board_that_is_lost_and_comes_back(void)
{
    em_group group =
        kept("lost-and-back", counter((rig_fault){.kind = RIG_VANISH, .from_ns = 3 * S, .to_ns = 6 * S}), NULL);
    CHECK_INT(group.total.status, EM_ERR_GONE);
    CHECK(group.total.energy_j > 2000 - 3.2 * 200 && group.total.energy_j < 2000 - 2.9 * 200);
    CHECK_NEAR((double)group.total.gap_ns, 3e9, 0.21e9);
}

static void sleep_in_between(tape *t, uint64_t t_ns, uint64_t *ret_stamp)
{
    (void)ret_stamp;
    if (t_ns == start_ns + 5 * S) {
        enter(t, (em__event){.kind = EM__EVENT_INTERRUPT, .t_ns = t_ns, .status = EM_ERR_SUSPENDED});
    }
}

static void test_a_suspend(void)
{
    em_group group = kept("suspend", board(EM_KIND_COUNTER, (rig_source){.period_ns = MS}), sleep_in_between);
    CHECK_NEAR(group.total.energy_j, 2000 - 20, 0.3);
    CHECK_INT(group.total.status, EM_ERR_SUSPENDED);
    CHECK_INT(group.total.gap_ns, step_ns);
}

/* About 100 J in each turn of the counter. */
static void test_wraps(void)
{
    em_group group = kept(
        "wrap", board(EM_KIND_COUNTER, (rig_source){.period_ns = MS, .range = 333333333, .start = 300000000}), NULL);
    CHECK_NEAR(group.total.energy_j, 2000, 0.3);
    CHECK_INT(group.total.status, EM_OK);
}

static void test_a_reset(void)
{
    em_group group = kept("reset", counter((rig_fault){.kind = RIG_RESET, .from_ns = 5 * S + 50 * MS}), NULL);
    CHECK_NEAR(group.total.energy_j, 2000 - 20, 0.3);
    CHECK_INT(group.total.status, EM_ERR_RESET);
}

static void test_failed_reads(void)
{
    em_group group =
        kept("failed-reads", counter((rig_fault){.kind = RIG_FAIL, .from_ns = 3 * S, .to_ns = 3500 * MS, .error = EIO}),
             NULL);
    CHECK_NEAR(group.total.energy_j, 2000, 0.3);
}

int main(void)
{
    RUN(test_an_unmoving_counter);
    RUN(test_a_counter_that_falls_short);
    RUN(test_a_jump);
    RUN(test_a_frozen_gauge);
    RUN(test_stamps_that_go_back);
    RUN(test_a_board_that_is_lost_and_comes_back);
    RUN(test_a_suspend);
    RUN(test_wraps);
    RUN(test_a_reset);
    RUN(test_failed_reads);
    return CHECK_DONE();
}
