/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The errors of the meter against the rig's known truth, a line for each window; bench/accuracy.py makes docs/accuracy.md
 * of them. Arguments: seed (1), draws per sensor (5000), rounds of the short windows (10). */
#include "rig/channel.h"
#include "rig/fusion.h"
#include "rig/random.h"
#include "rig/trial.h"

#include <string.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static const uint32_t intervals_ms[] = {100, 50, 10, 1000};

static void print_draws(const rig_load_range *loads, uint32_t interval_ms, const char *only, size_t draws)
{
    for (size_t i = 0; i < RIG_SENSORS; i++) {
        for (size_t n = 0; n < draws && (!only || strcmp(rig_sensors[i].name, only) == 0); n++) {
            rig_trial trials[RIG_LENGTHS];
            rig_trial_run(&rig_sensors[i], loads, interval_ms, trials);
            for (size_t j = 0; j < RIG_LENGTHS; j++) {
                const rig_trial *t = &trials[j];
                printf("draw,%s-%u,%s,%u,%.9g,%.9g,%.6g,%.6g,%.6g\n", loads->name, interval_ms, rig_sensors[i].name,
                       rig_window_lengths_ms[j], t->truth_j, t->measured_j, t->edge_j, t->all_j, t->gain_error);
            }
        }
    }
}

static void print_fusion(size_t rounds)
{
    static rig_fused windows[RIG_FUSION_WINDOWS];
    for (size_t i = 0; i < RIG_FUSIONS; i++) {
        for (size_t round = 0; round < rounds; round++) {
            rig_fusion_run(&rig_fusions[i], windows);
            for (size_t n = 0; n < rig_fusions[i].windows; n++) {
                const rig_fused *w = &windows[n];
                printf("fusion,\"%s\",%u,%zu,%.9g,%.9g,%.9g,%.9g\n", rig_fusions[i].name, rig_fusions[i].window_ms,
                       round, w->truth_j, w->measured_j, w->raw_j, w->line_j);
            }
        }
    }
}

/* --------------------------------------------------------------------------------------------------- degenerate sensors */

typedef struct {
    const char *name;
    int32_t kind;
    int has_gauge;
    rig_source source; /* 200 W; a fault's times are from the begin of the program */
    rig_fault fault;
    uint64_t begin_ns, length_ns;
} degenerate;

static const degenerate degenerates[] = {
    {"counter stands still",
     EM_KIND_COUNTER,
     0,
     {0},
     {.kind = RIG_FREEZE, .from_ns = 20 * S, .to_ns = 60 * S},
     20 * S,
     15 * S},
    {"counter falls short by a quarter, beside its gauge",
     EM_KIND_COUNTER,
     1,
     {.gain_error = -0.25},
     {0},
     15 * S,
     10 * S},
    {"counter jumps by 50 kJ",
     EM_KIND_COUNTER,
     0,
     {0},
     {.kind = RIG_JUMP, .from_ns = 20 * S + 20 * MS, .amount = 50000000000},
     15 * S,
     10 * S},
    {"counter begins anew", EM_KIND_COUNTER, 0, {0}, {.kind = RIG_RESET, .from_ns = 20 * S + 20 * MS}, 15 * S, 10 * S},
    {"gauge frozen for 70 s", EM_KIND_GAUGE, 0, {0}, {0}, 71 * S, 10 * S},
    {"stamps go back by an hour",
     EM_KIND_COUNTER,
     0,
     {.has_stamps = 1},
     {.kind = RIG_STAMP, .from_ns = 20 * S, .amount = 3600 * S},
     15 * S,
     10 * S},
    {"board lost for 2 s",
     EM_KIND_COUNTER,
     0,
     {0},
     {.kind = RIG_VANISH, .from_ns = 18 * S + 20 * MS, .to_ns = 20 * S},
     15 * S,
     10 * S},
    {"counter wraps each 333 J", EM_KIND_COUNTER, 0, {.range = 333333333}, {0}, 15 * S, 10 * S},
    {"reads fail for half a second",
     EM_KIND_COUNTER,
     0,
     {0},
     {.kind = RIG_FAIL, .from_ns = 18 * S, .to_ns = 18500 * MS, .error = 5},
     15 * S,
     10 * S},
};

static void print_words(uint64_t notes)
{
#define EM_NOTE_WORD(name, bit, word, text, remedy)                                                                    \
    if (notes & EM_NOTE_BIT(name)) {                                                                                   \
        printf(" %s", word);                                                                                           \
    }
    EM_NOTE_LIST(EM_NOTE_WORD)
}

static void print_degenerate(const degenerate *d)
{
    static rig_ledger rig;
    wave power = wave_constant(200);
    rig_source source = d->source, gauge = {.wave = &power, .period_ns = 20 * MS};
    source.wave = &power;
    source.period_ns = 20 * MS;
    if (d->fault.from_ns) {
        rig_source_fault(&source, d->fault);
    }
    rig_channel channels[2] = {rig_channel_make("gpu-0/board", EM__COVERS_BOARD, 0, d->kind, source),
                               rig_channel_make("gpu-0/power", EM__COVERS_BOARD, 0, EM_KIND_GAUGE, gauge)};
    channels[0].facts.shaped_by = d->has_gauge ? 1 : 0;
    rig_ledger_init(&rig, channels, d->has_gauge ? 2 : 1, NULL);
    rig_ledger_begin(&rig, EM_WINDOW_RUN, NULL, S);
    em_window window = 0;
    uint64_t end_ns = d->begin_ns + d->length_ns, t_ns = S;
    for (; t_ns <= end_ns + 2 * S; t_ns += 50 * MS) {
        rig_ledger_read_all(&rig, t_ns);
        if (t_ns == d->begin_ns) {
            window = rig_ledger_begin(&rig, EM_WINDOW_OTHER, NULL, t_ns);
        } else if (t_ns == end_ns) {
            rig_ledger_end(&rig, window, t_ns);
        }
    }
    em_result result = rig_ledger_result(&rig, window, t_ns, NULL);
    printf("case,\"%s\",%.9g,%.9g,%s,", d->name, wave_energy_j(&power, d->begin_ns, end_ns), result.total.energy_j,
           em_status_word(result.total.status));
    print_words(result.total.notes & ~EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED));
    printf("\n");
    rig_ledger_free(&rig);
}

int main(int argc, char **argv)
{
    uint64_t numbers[3] = {1, 5000, 10};
    for (int i = 1; i < argc && i <= 3; i++) {
        numbers[i - 1] = strtoull(argv[i], NULL, 10);
    }
    rig_random_seed(numbers[0]);
    printf("# seed %llu\n", (unsigned long long)numbers[0]);
    for (size_t i = 0; i < sizeof intervals_ms / sizeof intervals_ms[0]; i++) {
        print_draws(&rig_loads, intervals_ms[i], NULL, numbers[1]);
        print_draws(&rig_other_loads, intervals_ms[i], NULL, numbers[1]);
    }
    print_draws(&rig_loads_near_100ms, 100, "counter-100ms", numbers[1]);
    print_fusion(numbers[2]);
    for (size_t i = 0; i < sizeof degenerates / sizeof degenerates[0]; i++) {
        print_degenerate(&degenerates[i]);
    }
    return 0;
}
