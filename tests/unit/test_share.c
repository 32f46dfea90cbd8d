/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Who used the CPUs: trees of processes written by hand, whose times are known to the tick. */
#include "metering.h"

#include "metrics/share.h"
#include "sensors/cpu_time.h"

#include <math.h>
#include <string.h>

enum { SELF = 100, MOST = 16, TICK_US = 10000 };

/* Ticks. waited: by children that ended. is_gone: it was waited for or nobody asked. */
typedef struct {
    int pid, parent, is_gone;
    uint64_t used, waited, start;
} process;

static process all[MOST];
static int count;
static uint64_t others; /* ticks of everybody else */
static int has_lists;

static void put_text(const char *path, const char *text)
{
    rig_host_put(machine, path, text);
}

static void write_children(int pid, const char *folder)
{
    char path[96], text[256] = "";
    for (int i = 0; i < count; i++) {
        if (all[i].parent == pid && !all[i].is_gone) {
            snprintf(text + strlen(text), sizeof text - strlen(text), "%d ", all[i].pid);
        }
    }
    snprintf(path, sizeof path, "/proc/%d/task/%s/children", pid, folder);
    put_text(path, text);
}

static void write_all(void)
{
    char path[96], text[256], number[16];
    uint64_t busy = others;
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%d (a b) S %d 1 1 0 -1 0 0 0 0 0 %llu 0 %llu 0 20 0 1 0 %llu 1 2 3\n", all[i].pid,
                 all[i].parent, (unsigned long long)all[i].used, (unsigned long long)all[i].waited,
                 (unsigned long long)all[i].start);
        snprintf(path, sizeof path, "/proc/%d/stat", all[i].pid);
        put_text(path, all[i].is_gone ? "" : text);
        snprintf(number, sizeof number, "%d", all[i].pid);
        if (has_lists && !all[i].is_gone) {
            write_children(all[i].pid, number);
        }
        if (all[i].pid == SELF) {
            put_text("/proc/self/stat", text);
        }
        busy += all[i].used;
    }
    snprintf(text, sizeof text, "cpu  %llu 0 0 %llu 0 0 0 0 0 0\n", (unsigned long long)busy,
             (unsigned long long)(now() / (10 * MS)));
    put_text("/proc/stat", text);
}

static process *spawn(int pid, int parent)
{
    all[count] = (process){.pid = pid, .parent = parent, .start = now() / (10 * MS)};
    return &all[count++];
}

/* Its parent waits for it, or it vanishes untold. */
static void end_process(process *p, int is_waited_for)
{
    p->is_gone = 1;
    for (int i = 0; i < count && is_waited_for; i++) {
        if (all[i].pid == p->parent) {
            all[i].waited += p->used + p->waited;
        }
    }
}

static process *begin_tree(int with_lists)
{
    static const wave flat = {.low_w = 50, .high_w = 50};
    memset(all, 0, sizeof all);
    count = 0;
    others = 5000;
    has_lists = with_lists;
    begin_machine("GenuineIntel");
    put_zone("intel-rapl:0", "package-0", (rig_source){.wave = &flat, .range = 262143999938});
    process *self = spawn(SELF, 1);
    self->used = 700;
    self->start = 10;
    write_all();
    return self;
}

static void tick(uint64_t ns)
{
    rig_host_advance(machine, ns);
    write_all();
}

static uint64_t process_ticks(em__cpu_time_source *source, int is_baseline)
{
    uint64_t process_us = 0, busy_us = 0;
    CHECK_INT(em__cpu_time_read(source, is_baseline, &process_us, &busy_us), 0);
    return process_us / TICK_US;
}

/* ------------------------------------------------------------------------------------------------- the tree of processes */

static void check_tree(int with_lists)
{
    process *self = begin_tree(with_lists);
    process *old = spawn(101, SELF);
    old->used = 400;
    write_all();
    em__cpu_time_source *source = NULL;
    CHECK_INT(em__cpu_time_open(rig_host_base(machine), &source), EM_OK);
    if (!CHECK(source != NULL)) {
        end_all();
        return;
    }
    tick(10 * MS);
    uint64_t begin = process_ticks(source, 1);
    self->used += 30;
    tick(S);
    CHECK_INT(process_ticks(source, 0) - begin, 30); /* what the child used before is nobody's */
    old->used += 50;
    self->used += 20;
    tick(S);
    CHECK_INT(process_ticks(source, 0) - begin, 100);
    process *child = spawn(102, SELF), *grandchild = spawn(103, 102);
    spawn(200, 1)->used = 900; /* a stranger */
    child->used = 11;
    grandchild->used = 7;
    tick(2 * S);
    CHECK_INT(process_ticks(source, 0) - begin, 118);
    grandchild->used += 5;
    end_process(grandchild, 1); /* all 12 are in what the child waited for */
    child->used += 1;
    tick(2 * S);
    CHECK_INT(process_ticks(source, 0) - begin, 124);
    child->used += 3;
    end_process(child, 1); /* 15 of its own, 12 of the grandchild's */
    tick(2 * S);
    CHECK_INT(process_ticks(source, 0) - begin, 127);
    end_process(old, 0); /* nobody waited: what it used last is unknown, what it used before stays */
    self->used += 9;
    tick(2 * S);
    CHECK_INT(process_ticks(source, 0) - begin, 136);
    process *brief = spawn(104, SELF);
    brief->used = 40;
    end_process(brief, 1); /* between two readings */
    tick(2 * S);
    CHECK_INT(process_ticks(source, 0) - begin, 176);
    spawn(102, SELF)->used = 4; /* a number that was another's */
    tick(2 * S);
    CHECK_INT(process_ticks(source, 0) - begin, 180);
    put_text("/proc/self/stat", "garbage");
    uint64_t none = 7;
    CHECK(em__cpu_time_read(source, 0, &none, &none) < 0);
    CHECK_INT(none, 7);
    write_all();
    CHECK_INT(process_ticks(source, 0) - begin, 180);
    em__cpu_time_close(source);
    rig_host_destroy(machine);
}

static void test_a_tree_by_lists(void)
{
    check_tree(1);
}

static void test_a_tree_by_parents(void)
{
    check_tree(0);
}

/* Descendants are looked for in 0.0025 % of the time: after a look of 100 µs not before 4 s, of 10 µs after a second. */
static void test_how_often_descendants_are_looked_for(void)
{
    static const struct {
        uint64_t cost_ns, rest_ns;
    } looks[] = {{100000, 4 * S}, {10000, S}};
    for (size_t i = 0; i < 2; i++) {
        em__cpu_time_source *source = NULL;
        begin_tree(0);
        CHECK_INT(em__cpu_time_open(rig_host_base(machine), &source), EM_OK);
        rig_host_set_clock_cost(machine, looks[i].cost_ns);
        uint64_t looked_ns = now(), begin = process_ticks(source, 1);
        tick(50 * MS);
        spawn(101, SELF)->used = 40;
        tick(looked_ns + looks[i].rest_ns - 10 * MS - now());
        CHECK_INT(process_ticks(source, 0) - begin, 0);
        tick(looked_ns + looks[i].rest_ns + 10 * MS - now());
        CHECK_INT(process_ticks(source, 0) - begin, 40);
        em__cpu_time_close(source);
        rig_host_destroy(machine);
    }
}

static void test_no_process(void)
{
    em__cpu_time_source *source;
    begin_machine("GenuineIntel");
    CHECK_INT(em__cpu_time_open(rig_host_base(machine), &source), EM_OK);
    CHECK(source == NULL);
    put_text("/proc/stat", "cpu 1 2 3 4\n");
    CHECK_INT(em__cpu_time_open(rig_host_base(machine), &source), EM_OK);
    CHECK(source == NULL);
    put_text("/proc/self/stat", "nothing\n");
    CHECK_INT(em__cpu_time_open(rig_host_base(machine), &source), EM_OK);
    CHECK(source == NULL);
    em__cpu_time_close(NULL);
    rig_host_destroy(machine);
}

/* --------------------------------------------------------------------------------------------------------- in windows */

/* A tenth of a second: so many ticks of this process, a child's and others'. */
static void work(process *self, process *child, uint64_t mine, uint64_t childs, uint64_t theirs)
{
    self->used += mine;
    child->used += childs;
    others += theirs;
    tick(100 * MS);
    em__meter_step(meter);
}

static void test_windows(void)
{
    process *self = begin_tree(1), *child = spawn(101, SELF);
    write_all();
    begin_meter(NULL);
    CHECK_INT(em_meter_channel_count(meter), 2);
    em_window run = begin_window(EM_WINDOW_RUN, NULL), first = begin_window(EM_WINDOW_EPOCH, NULL);
    for (int i = 0; i < 20; i++) {
        work(self, child, 4, 2, 2); /* 75 % */
    }
    end_window(first);
    em_window second = begin_window(EM_WINDOW_EPOCH, NULL), brief = begin_window(EM_WINDOW_OTHER, "brief");
    work(self, child, 1, 1, 6);
    end_window(brief);
    for (int i = 0; i < 19; i++) {
        work(self, child, 1, 1, 6); /* 25 % */
    }
    end_window(second);
    work(self, child, 1, 1, 6);
    /* The edge in the middle is met by the reading of the round after it. */
    em_result a = final_result(first), b = final_result(second);
    CHECK_NEAR(a.process_cpu_share, 0.75, 0.03);
    CHECK_NEAR(b.process_cpu_share, 0.25, 0.03);
    CHECK(isnan(final_result(brief).process_cpu_share)); /* 0.1 s */
    CHECK(strstr(final_result(brief).process_cpu_share_reason, "shorter than 0.2 s") != NULL);
    CHECK(a.process_cpu_share_reason == NULL);
    end_window(run);
    em_summary *summary;
    CHECK_INT(em_summary_create(meter, S, &summary), EM_OK);
    em_group group = {.size = sizeof group};
    CHECK_INT(em_summary_group(summary, 0, &group), EM_OK);
    CHECK_NEAR(group.process_cpu_share, 0.5, 0.02);
    size_t index = 0;
    CHECK_INT(em_summary_find(summary, EM_WINDOW_EPOCH, NULL, &index), EM_OK);
    CHECK_INT(em_summary_group(summary, index, &group), EM_OK);
    CHECK_NEAR(group.process_cpu_share, 0.5, 0.02);
    CHECK_INT(em_summary_channel_count(summary), 2);
    char *text;
    CHECK_INT(em_summary_format(summary, EM_FORMAT_JSON, &text, NULL), EM_OK);
    CHECK(strstr(text, "\"process_cpu_share\":0.") != NULL && strstr(text, "hidden") == NULL);
    em_text_destroy(text);
    em_summary_destroy(summary);
    end_all();
}

/* What happens in a pause, or while the machine sleeps, is nobody's. */
static void test_pauses(void)
{
    process *self = begin_tree(1), *child = spawn(101, SELF);
    write_all();
    begin_meter(NULL);
    end_window(begin_window(EM_WINDOW_OTHER, NULL));
    for (int i = 0; i < 30; i++) {
        work(self, child, 0, 0, 10);
    }
    CHECK(meter->is_parked);
    self->used += 1000;
    process *late = spawn(102, SELF);
    late->used = 500;
    tick(10 * S);
    em_window window = begin_window(EM_WINDOW_EPOCH, NULL);
    for (int i = 0; i < 20; i++) {
        late->used += 1;
        work(self, child, 3, 0, 4);
        if (i == 10) {
            rig_host_suspend(machine, 100 * S);
        }
    }
    end_window(window);
    work(self, child, 3, 0, 5);
    CHECK_NEAR(final_result(window).process_cpu_share, 0.5, 0.04);
    end_all();
}

static void test_unknown(void)
{
    begin_simple();
    em_window window = begin_window(EM_WINDOW_EPOCH, NULL);
    pass(3 * S);
    end_window(window);
    pass(S);
    CHECK(isnan(final_result(window).process_cpu_share));
    end_all();
    em__sum mine = {.energy_uj = 100000}, busy = {.energy_uj = 500000, .updates = 1};
    CHECK_NEAR(em__share_of(&mine, &busy, S), 0.2, 1e-12);
    CHECK(em__share_unknown(&mine, &busy, S) == NULL);
    CHECK(isnan(em__share_of(&mine, &busy, S / 10)));
    mine.gap_ns = 1;
    CHECK(isnan(em__share_of(&mine, &busy, S)));
    CHECK(strstr(em__share_unknown(&mine, &busy, S), "no reading") != NULL);
    mine = (em__sum){.energy_uj = 600000};
    CHECK_NEAR(em__share_of(&mine, &busy, S), 1, 0);
    busy.edges_ns = 2e9F;
    CHECK(isnan(em__share_of(&mine, &busy, 19 * S)));
    CHECK(strstr(em__share_unknown(&mine, &busy, 19 * S), "edges") != NULL);
    CHECK_NEAR(em__share_of(&mine, &busy, 20 * S), 1, 0);
    busy = (em__sum){.energy_uj = 100000, .updates = 1};
    CHECK(isnan(em__share_of(&mine, &busy, S)));
    CHECK(strstr(em__share_unknown(&mine, &busy, S), "busy for less") != NULL);
}

int main(void)
{
    RUN(test_a_tree_by_lists);
    RUN(test_a_tree_by_parents);
    RUN(test_how_often_descendants_are_looked_for);
    RUN(test_no_process);
    RUN(test_windows);
    RUN(test_pauses);
    RUN(test_unknown);
    return CHECK_DONE();
}
