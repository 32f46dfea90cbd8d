/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* How much energy a trace may tell of: a unit of it is in every window that is open, and no sum of them may overflow. */
#include "check.h"
#include "meter/tracer.h"
#include "replaying.h"
#include "rig/channel.h"

#include <math.h>

#define S UINT64_C(1000000000)

enum { WINDOWS = 98 };

static void add(em__tracer *tracer, em__event event)
{
    em__tracer_event(tracer, &event);
}

/* A counter that grows by so much while so many windows are open, all from one instant to another. */
static int write_trace(uint64_t used_uj)
{
    static const uint64_t no_cost = 0, begin_ns = 1000 * S, end_ns = begin_ns + 40000000 * S;
    em__surroundings around = {.host = "rig", .pid = 1, .overhead_limit = NAN, .costs_ns = &no_cost};
    rig_channel channel = rig_channel_make("cpu-0/package", EM__COVERS_PACKAGE, 0, EM_KIND_COUNTER, (rig_source){0});
    rig_ledger rig;
    em__tracer *tracer = NULL;
    int descriptor = new_file();
    rig_ledger_init(&rig, &channel, 1, NULL);
    if (em__tracer_create(descriptor, &rig.ledger.setup, &around, &tracer) != EM_OK) {
        abort();
    }
    add(tracer, (em__event){.kind = EM__EVENT_RESUME, .t_ns = begin_ns});
    add(tracer, (em__event){.kind = EM__EVENT_READING, .t_ns = begin_ns});
    for (uint64_t i = 1; i <= WINDOWS; i++) {
        add(tracer, (em__event){.kind = EM__EVENT_BEGIN, .t_ns = begin_ns, .window = i});
    }
    add(tracer, (em__event){.kind = EM__EVENT_READING, .t_ns = end_ns, .reading = {.value = used_uj}});
    for (uint64_t i = 1; i <= WINDOWS; i++) {
        add(tracer, (em__event){.kind = EM__EVENT_END, .t_ns = end_ns, .window = i});
    }
    em__tracer_end(tracer);
    em__tracer_destroy(tracer);
    rig_ledger_free(&rig);
    return descriptor;
}

/* Of the windows; empty where none ended. */
static em_group replay(uint64_t used_uj)
{
    int descriptor = write_trace(used_uj);
    em_group group = {.size = sizeof group};
    em_trace *trace = NULL;
    em_summary *summary = NULL;
    size_t index = 0;
    lseek(descriptor, 0, SEEK_SET);
    CHECK_INT(em_trace_open(descriptor, NULL, &trace), EM_OK);
    CHECK_INT(em_trace_summary(trace, NULL, &summary), EM_OK);
    if (em_summary_find(summary, EM_WINDOW_OTHER, NULL, &index) == EM_OK) {
        CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
    }
    em_summary_destroy(summary);
    em_trace_destroy(trace);
    close(descriptor);
    return group;
}

/* 2^62 µJ in all: with 98 windows, the run and what is yet to come, a hundredth of it each. */
static void test_the_most_that_is_believed(void)
{
    const uint64_t least_refused_uj = (UINT64_C(1) << 62) / (WINDOWS + 2);
    em_group believed = replay(least_refused_uj - 1), refused = replay(least_refused_uj);
    CHECK_INT(believed.count, WINDOWS);
    CHECK_INT(believed.total.notes & EM_NOTE_BIT(EM_NOTE_TRUNCATED), 0);
    CHECK_NEAR(believed.total.energy_j, (double)(WINDOWS * least_refused_uj) / 1e6, 1e5);
    CHECK_INT(refused.count, 0);
}

int main(void)
{
    RUN(test_the_most_that_is_believed);
    return CHECK_DONE();
}
