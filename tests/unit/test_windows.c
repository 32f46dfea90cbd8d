/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Case A8 at random: nested, adjoining and overlapping windows over channels that fail, jump, stop, leave and come back.
 * Children never exceed their parent, adjoining windows add up to the last unit, final values never change. */
#include "check.h"
#include "rig/channel.h"
#include "rig/random.h"

#include <errno.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static rig_ledger rig;

static rig_channel package(int32_t place, const wave *power)
{
    return rig_channel_make("cpu-0/package", EM__COVERS_PACKAGE, place, EM_KIND_COUNTER, (rig_source){.wave = power});
}

enum { MOST_WINDOWS = 400 };

typedef struct {
    em_window id;
    uint64_t begin_ns, end_ns;
    int64_t final_uj; /* -1: not final yet */
    int lapped;       /* the one before it ended where it begins */
} track;

static track tracks[MOST_WINDOWS];

static int64_t uj_of(double joules)
{
    return (int64_t)llround(joules * 1e6);
}

/* A final value never changes; no value is negative. */
static int check_results(size_t count, uint64_t now_ns)
{
    int is_right = 1;
    for (size_t i = 0; i < count; i++) {
        em_result result = rig_ledger_result(&rig, tracks[i].id, now_ns, NULL);
        int64_t uj = uj_of(result.total.energy_j);
        is_right &= uj >= 0 && (tracks[i].final_uj < 0 || (result.is_final && uj == tracks[i].final_uj));
        tracks[i].final_uj = result.is_final ? uj : tracks[i].final_uj;
        is_right &=
            uj_of(result.by_provenance_j[0]) + uj_of(result.by_provenance_j[1]) + uj_of(result.by_provenance_j[2]) ==
            uj;
    }
    return is_right;
}

static int check_nesting(size_t count)
{
    int is_right = 1;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int is_inside = tracks[j].begin_ns <= tracks[i].begin_ns && tracks[i].end_ns <= tracks[j].end_ns;
            is_right &= !is_inside || tracks[i].final_uj <= tracks[j].final_uj;
        }
    }
    return is_right;
}

/* From the first of a row of laps to its last. */
static int check_laps(size_t count)
{
    int is_right = 1;
    for (size_t i = 0; i < count; i++) {
        int64_t sum_uj = tracks[i].final_uj;
        uint64_t end_ns = tracks[i].end_ns;
        for (size_t j = i + 1; j < count && tracks[j].lapped; j++) {
            sum_uj += tracks[j].final_uj;
            end_ns = tracks[j].end_ns;
        }
        for (size_t j = 0; j < count; j++) {
            if (tracks[j].begin_ns == tracks[i].begin_ns && tracks[j].end_ns == end_ns) {
                is_right &= tracks[j].final_uj == sum_uj;
            }
        }
    }
    return is_right;
}

static em_window lap(em_window window, uint64_t now_ns)
{
    em__event end = {.kind = EM__EVENT_END, .t_ns = now_ns, .window = window};
    em__event begin = {.kind = EM__EVENT_BEGIN, .t_ns = now_ns, .window_kind = EM_WINDOW_BATCH};
    CHECK_INT(em__ledger_lap(&rig.ledger, &end, &begin), EM_OK);
    return begin.window;
}

static void random_machine(void)
{
    static wave square, sine;
    square = wave_square(40, 120, 0.7, 0.5, rig_random_between(0, 1));
    sine = wave_sine(200, 150, rig_random_between(0.1, 3), 0);
    rig_channel channels[5] = {package(0, &square), package(0, &square),
                               rig_channel_make("gpu-0/board", EM__COVERS_BOARD, 0, EM_KIND_GAUGE,
                                                (rig_source){.wave = &sine, .period_ns = 25 * MS}),
                               rig_channel_make("gpu-1/board", EM__COVERS_BOARD, 1, EM_KIND_COUNTER,
                                                (rig_source){.wave = &sine, .period_ns = 100 * MS, .unit = 1000}),
                               rig_channel_make("dram", EM__COVERS_DRAM, 0, EM_KIND_COUNTER,
                                                (rig_source){.wave = &square, .range = 60000000, .unit = 15.3})};
    channels[1].rank = 21;
    channels[1].source.gain_error = 0.03;
    channels[4].facts.unit = 15;
    for (size_t i = 0; i < 5; i++) {
        for (int n = 0; n < 2; n++) {
            uint64_t from_ns = S + rig_random_below(20 * S);
            rig_source_fault(&channels[i].source, (rig_fault){.kind = (rig_fault_kind)rig_random_below(6),
                                                              .from_ns = from_ns,
                                                              .to_ns = from_ns + rig_random_below(3 * S),
                                                              .error = EIO,
                                                              .amount = rig_random_below(50000000)});
        }
    }
    rig_ledger_init(&rig, channels, 5, NULL);
}

static void test_a8_random_windows_over_failing_channels(void)
{
    for (int set = 0; set < 60; set++) {
        random_machine();
        rig_ledger_read_all(&rig, S);
        uint64_t now_ns = S;
        size_t count = 0, open[16], open_count = 0;
        int is_right = 1;
        while (now_ns < 20 * S && count < MOST_WINDOWS - 1) {
            now_ns += rig_random_below(30) == 0 ? rig_random_below(2 * S) : rig_random_below(60 * MS);
            uint64_t choice = rig_random_below(10), chosen = open_count ? rig_random_below(open_count) : 0;
            if (choice < 4) {
                rig_ledger_read_all(&rig, now_ns);
            } else if (choice < 6 && open_count < 16) {
                tracks[count] = (track){rig_ledger_begin(&rig, (int32_t)rig_random_below(3), NULL, now_ns), now_ns,
                                        UINT64_MAX, -1, 0};
                open[open_count++] = count++;
            } else if (choice < 8 && open_count > 0) {
                rig_ledger_end(&rig, tracks[open[chosen]].id, now_ns);
                tracks[open[chosen]].end_ns = now_ns;
                open[chosen] = open[--open_count];
            } else if (choice == 8 && open_count > 0 && open[chosen] == count - 1) {
                tracks[count - 1].end_ns = now_ns;
                tracks[count] = (track){lap(tracks[count - 1].id, now_ns), now_ns, UINT64_MAX, -1, 1};
                open[chosen] = count++;
            } else if (rig_random_below(10) == 0) {
                rig_ledger_apply(&rig, (em__event){.kind = EM__EVENT_PIN, .t_ns = now_ns});
            } else if (rig_random_below(10) == 0) {
                rig_ledger_apply(&rig, (em__event){.kind = EM__EVENT_INTERRUPT, .status = EM_ERR_SUSPENDED});
            }
            is_right &= check_results(count, now_ns);
        }
        while (open_count > 0) {
            tracks[open[--open_count]].end_ns = now_ns;
            rig_ledger_end(&rig, tracks[open[open_count]].id, now_ns);
        }
        rig_ledger_apply(&rig, (em__event){.kind = EM__EVENT_PIN, .t_ns = now_ns});
        CHECK(is_right);
        CHECK(check_results(count, now_ns));
        CHECK_INT(em__ledger_is_settled(&rig.ledger), 1);
        CHECK(check_nesting(count));
        CHECK(check_laps(count));
        rig_ledger_free(&rig);
    }
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_a8_random_windows_over_failing_channels);
    return CHECK_DONE();
}
