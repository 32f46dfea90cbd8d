/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/*
 * The script of the stand-in for NVML, and what its boards measure. One statement a line, # begins a comment:
 *
 *     start NS                  time 0 is this CLOCK_MONOTONIC, not that of nvmlInit
 *     init CODE                 nvmlInit answers this code (18: version mismatch)
 *     count N                   claims to have N boards, whatever is listed
 *     null                      hands out NULL as every handle, and calls that a success
 *     garbage                   names and UUIDs fill their buffers to the brim, with bytes that are no text
 *     board KEY=VALUE …         one board, in the order of NVML's indices; values with blanks in "quotes"
 *
 *     name=NVIDIA H200  uuid=GPU-…  pci=00000000:3B:00.0  cc=9.0 (compute capability)
 *     watts=W                   constant power, or watts=LOW:HIGH:PERIOD_MS:DUTY_PERCENT, which begins with HIGH
 *     wave=SHAPE:…              its power; several add up (tests/rig/wave.h): constant:W square:LOW:HIGH:PERIOD_MS:DUTY_PERCENT
 *                               ramp:FROM:TO:BEGIN_S:END_S sine:MEAN:AMPLITUDE:PERIOD_MS burst:BASE:BURST:BEGIN_S:END_S
 *     base_mj=1000000           what the counter starts from
 *     update_ms=100             how often counter and gauge move; 0: always
 *     jitter_ms=0               standard deviation of each update of the counter from its place; less than update_ms / 6
 *     phase_ms=0                an update happens at this time
 *     gauge_ms=MS               how often the gauge moves, where that is not update_ms
 *     average_ms=0              the gauge shows the mean over this time before its update; less than its update period:
 *                               it samples a part of the time
 *     lag_ms=0                  and this much earlier
 *     unit=1                    the gauge's and the counter's smallest step, in mW and mJ
 *     gain=PERCENT[:PERCENT]    counter and gauge show so much more than the truth
 *     short=PERCENT:HZ          the counter loses so much of what is used while it is read more often than HZ
 *     freeze_s=FROM:TO          the counter stands still in that time, and then shows all that it missed
 *     stamps=no                 fields carry no time
 *     stamp_back_s=AT:BY        the clock of the fields' times is set back
 *     energy=yes|no|CODE        the counter; power= likewise for the gauge
 *     energy_until_s=T          from then on the counter is not supported
 *     limit=W|no                the enforced limit; util=PERCENT|no the utilisation
 *     fields=yes|no             whether nvmlDeviceGetFieldValues knows the counter (83) and the gauge (186)
 *     most=W                    the largest limit that can be set
 *     handle=CODE               the board cannot be opened
 *     slices=MIG-…,MIG-…        the board is cut into these
 *     lost_s=FROM[:TO]          GPU_IS_LOST in that time
 *     fail_s=FROM:TO:CODE       counter and gauge answer CODE in that time
 *     restart_s=T               the driver is loaded anew at T: the counter falls to 0
 *     slow_us=N                 a call that reads sleeps so long
 *     cost_us=N                 a call that reads is busy so long, and shows the middle of that time
 *     hang_s=FROM:FOR           a reading that begins after FROM takes FOR seconds, once
 */
#include "nvml_script.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Doubles carry a day's energy to a thousandth of this: what lies so close below a whole step is that step. */
static const double rounding = 1e-6;

/* ---------------------------------------------------------------------------------------------------------- the script */

static int word_code(const char *value, int *ret_code)
{
    *ret_code = strcmp(value, "yes") == 0 ? OK : strcmp(value, "no") == 0 ? NOT_SUPPORTED : atoi(value);
    return 1;
}

/* Up to four numbers divided by colons. */
static int numbers(const char *value, double out[4])
{
    int count = 0;
    for (char *end; count < 4; value = end + 1) {
        out[count++] = strtod(value, &end);
        if (*end != ':') {
            break;
        }
    }
    return count;
}

static int add_wave(struct board *board, wave part)
{
    if (board->wave_count == WAVES) {
        return 0;
    }
    board->waves[board->wave_count++] = part;
    return 1;
}

static int set_watts(struct board *board, const double n[4], int count)
{
    return add_wave(board, count == 4 ? wave_square(n[0], n[1], n[2] / 1e3, n[3] / 100, 0) : wave_constant(n[0]));
}

static int set_wave(struct board *board, const char *value)
{
    double n[4] = {0};
    size_t length = strcspn(value, ":");
    int count = value[length] ? numbers(value + length + 1, n) : 0;
    if (strncmp(value, "constant:", length + 1) == 0 && count == 1) {
        return add_wave(board, wave_constant(n[0]));
    }
    if (strncmp(value, "square:", length + 1) == 0 && count == 4) {
        return add_wave(board, wave_square(n[0], n[1], n[2] / 1e3, n[3] / 100, 0));
    }
    if (strncmp(value, "ramp:", length + 1) == 0 && count == 4) {
        return add_wave(board, wave_ramp(n[0], n[1], n[2], n[3]));
    }
    if (strncmp(value, "sine:", length + 1) == 0 && count == 3) {
        return add_wave(board, wave_sine(n[0], n[1], n[2] / 1e3, 0));
    }
    return strncmp(value, "burst:", length + 1) == 0 && count == 4 &&
           add_wave(board, wave_burst(n[0], n[1], n[2], n[3]));
}

static int set_text(struct board *board, const char *key, const char *value)
{
    if (strcmp(key, "name") == 0) {
        return snprintf(board->name, TEXT, "%s", value) > 0;
    }
    if (strcmp(key, "uuid") == 0) {
        return snprintf(board->uuid, TEXT, "%s", value) > 0;
    }
    if (strcmp(key, "pci") == 0) {
        return sscanf(value, "%x:%x:%x", &board->domain, &board->bus, &board->device) == 3;
    }
    if (strcmp(key, "cc") == 0) {
        return sscanf(value, "%d.%d", &board->major, &board->minor) == 2;
    }
    if (strcmp(key, "energy") == 0) {
        return word_code(value, &board->energy);
    }
    if (strcmp(key, "power") == 0) {
        return word_code(value, &board->power);
    }
    if (strcmp(key, "fields") == 0) {
        return word_code(value, &board->fields);
    }
    if (strcmp(key, "stamps") == 0) {
        return word_code(value, &board->stamps);
    }
    if (strcmp(key, "wave") == 0) {
        return set_wave(board, value);
    }
    if (strcmp(key, "slices") == 0) {
        for (const char *at = value; at && board->slice_count < SLICES;
             at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
            snprintf(board->slices[board->slice_count++].uuid, TEXT, "%.*s", (int)strcspn(at, ","), at);
        }
        return 1;
    }
    return 0;
}

static int set_number(struct board *board, const char *key, const char *value)
{
    double n[4] = {0};
    int count = numbers(value, n);
    uint64_t from = (uint64_t)(n[0] * (double)NS_PER_S), to = (uint64_t)(n[1] * (double)NS_PER_S);
    if (strcmp(key, "watts") == 0) {
        return set_watts(board, n, count);
    }
    if (strcmp(key, "base_mj") == 0) {
        board->base_mj = (unsigned)n[0];
    } else if (strcmp(key, "update_ms") == 0) {
        board->update_ns = (uint64_t)(n[0] * (double)NS_PER_MS);
    } else if (strcmp(key, "jitter_ms") == 0) {
        board->jitter_ns = (uint64_t)(n[0] * (double)NS_PER_MS);
    } else if (strcmp(key, "phase_ms") == 0) {
        board->phase_ns = (uint64_t)(n[0] * (double)NS_PER_MS);
    } else if (strcmp(key, "gauge_ms") == 0) {
        board->gauge_ns = (uint64_t)(n[0] * (double)NS_PER_MS), board->has_gauge_period = 1;
    } else if (strcmp(key, "average_ms") == 0) {
        board->average_ns = (uint64_t)(n[0] * (double)NS_PER_MS);
    } else if (strcmp(key, "lag_ms") == 0) {
        board->lag_ns = (uint64_t)(n[0] * (double)NS_PER_MS);
    } else if (strcmp(key, "unit") == 0) {
        board->unit = n[0] >= 1 ? n[0] : 1;
    } else if (strcmp(key, "gain") == 0) {
        board->gain = n[0] / 100, board->gauge_gain = count > 1 ? n[1] / 100 : n[0] / 100;
    } else if (strcmp(key, "short") == 0) {
        board->loss = n[0] / 100, board->loss_below_ns = (uint64_t)((double)NS_PER_S / n[1]);
    } else if (strcmp(key, "freeze_s") == 0) {
        board->freeze_ns = from, board->thaw_ns = to;
    } else if (strcmp(key, "stamp_back_s") == 0) {
        board->stamp_back_ns = from, board->stamp_back_by_ns = to;
    } else if (strcmp(key, "cost_us") == 0) {
        board->cost_ns = (uint64_t)(n[0] * 1e3);
    } else if (strcmp(key, "most") == 0) {
        board->most_mw = (unsigned)(n[0] * 1000);
    } else if (strcmp(key, "handle") == 0) {
        board->handle = (int)n[0];
    } else if (strcmp(key, "slow_us") == 0) {
        board->slow_us = (unsigned)n[0];
    } else if (strcmp(key, "restart_s") == 0) {
        board->restart_ns = from;
    } else if (strcmp(key, "energy_until_s") == 0) {
        board->energy_until_ns = from;
    } else if (strcmp(key, "lost_s") == 0) {
        board->lost_ns = from, board->back_ns = count > 1 ? to : UINT64_MAX;
    } else if (strcmp(key, "fail_s") == 0) {
        board->fail_ns = from, board->mend_ns = to, board->fail = (int)n[2];
    } else if (strcmp(key, "hang_s") == 0) {
        board->hang_ns = from, board->hang_for_ns = to;
    } else {
        return 0;
    }
    return 1;
}

static int set_gauge(struct board *board, const char *key, const char *value)
{
    int is_limit = strcmp(key, "limit") == 0;
    if (!is_limit && strcmp(key, "util") != 0) {
        return 0;
    }
    if (strcmp(value, "no") == 0) {
        *(is_limit ? &board->limit : &board->util) = NOT_SUPPORTED;
    } else if (is_limit) {
        board->limit = OK, board->limit_mw = (unsigned)(atof(value) * 1000);
    } else {
        board->util = OK, board->percent = (unsigned)atoi(value);
    }
    return 1;
}

/* The next KEY=VALUE, cut out of the line. */
static char *next_pair(char **line, char **ret_value)
{
    char *key = *line + strspn(*line, " \t");
    char *equals = strchr(key, '=');
    if (!*key || !equals) {
        return NULL;
    }
    *equals = '\0';
    char *value = equals + 1, *end;
    if (*value == '"') {
        end = strchr(++value, '"');
    } else {
        end = value + strcspn(value, " \t");
    }
    *line = end && *end ? end + 1 : value + strlen(value);
    if (end) {
        *end = '\0';
    }
    *ret_value = value;
    return key;
}

static int add_board(struct script *script, char *line)
{
    int number = script->count;
    if (number == BOARDS) {
        return 0;
    }
    struct board *board = &script->boards[script->count++];
    *board = (struct board){.name = "NVIDIA H200",
                            .bus = 1 + (unsigned)number,
                            .base_mj = 1000000,
                            .limit_mw = 700000,
                            .major = 9,
                            .update_ns = 100 * NS_PER_MS,
                            .unit = 1,
                            .freeze_ns = UINT64_MAX,
                            .energy_until_ns = UINT64_MAX,
                            .stamp_back_ns = UINT64_MAX,
                            .lost_ns = UINT64_MAX,
                            .back_ns = UINT64_MAX,
                            .restart_ns = UINT64_MAX,
                            .hang_ns = UINT64_MAX};
    snprintf(board->uuid, TEXT, "GPU-%08x-0000-0000-0000-000000000000", (unsigned)number);
    for (char *key, *value; (key = next_pair(&line, &value));) {
        if (!set_text(board, key, value) && !set_gauge(board, key, value) && !set_number(board, key, value)) {
            fprintf(stderr, "fake NVML: unknown key %s=%s\n", key, value);
            return 0;
        }
    }
    if (board->wave_count == 0) {
        add_wave(board, wave_constant(100));
    }
    return line[strspn(line, " \t")] == '\0';
}

static int add_line(struct script *script, char *line)
{
    char word[16] = "";
    line[strcspn(line, "#\n")] = '\0';
    if (sscanf(line, "%15s", word) != 1) {
        return 1;
    }
    if (strcmp(word, "init") == 0) {
        return sscanf(line, " init %d", &script->init) == 1;
    }
    if (strcmp(word, "start") == 0) {
        return sscanf(line, " start %" SCNu64, &script->start_ns) == 1;
    }
    if (strcmp(word, "count") == 0) {
        return sscanf(line, " count %d", &script->claimed) == 1;
    }
    if (strcmp(word, "null") == 0) {
        return script->is_null = 1;
    }
    if (strcmp(word, "garbage") == 0) {
        return script->is_garbage = 1;
    }
    return strcmp(word, "board") == 0 && add_board(script, strstr(line, "board") + 5);
}

int script_read(struct script *ret_script)
{
    const char *path = getenv("EM_FAKE_NVML");
    memset(ret_script, 0, sizeof *ret_script);
    ret_script->claimed = -1;
    if (!path || !*path) {
        return NOT_LOADED;
    }
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "fake NVML: %s: %s\n", path, strerror(errno));
        return UNKNOWN;
    }
    char line[2048];
    int is_good = 1;
    while (is_good && fgets(line, sizeof line, file)) {
        is_good = add_line(ret_script, line);
    }
    fclose(file);
    if (!is_good) {
        fprintf(stderr, "fake NVML: %s: not understood: %s\n", path, line);
    }
    return is_good ? ret_script->init : UNKNOWN;
}

/* ------------------------------------------------------------------------------------------------------------- physics */

uint64_t board_update_ns(const struct board *board, int is_energy, uint64_t t_ns)
{
    uint64_t period_ns = !is_energy && board->has_gauge_period ? board->gauge_ns : board->update_ns;
    rig_source source = {
        .period_ns = period_ns, .phase_ns = board->phase_ns, .jitter_ns = is_energy ? board->jitter_ns : 0};
    uint64_t at_ns = rig_source_update_ns(&source, t_ns);
    if (is_energy && at_ns >= board->freeze_ns && at_ns < board->thaw_ns) {
        at_ns = rig_source_update_ns(&source, board->freeze_ns);
    }
    return at_ns;
}

long long board_stamp_us(const struct board *board, uint64_t at_ns)
{
    uint64_t back_ns = at_ns >= board->stamp_back_ns ? board->stamp_back_by_ns : 0;
    return board->stamps == OK ? 1700000000000000 + (long long)(at_ns / 1000) - (long long)(back_ns / 1000) : 0;
}

static double energy_mj(const struct board *board, uint64_t from_ns, uint64_t to_ns)
{
    wave power = wave_sum(board->waves, (size_t)board->wave_count);
    return wave_energy_j(&power, from_ns, to_ns) * 1e3;
}

static uint64_t whole_units(const struct board *board, double shown)
{
    return (uint64_t)(floor(shown / board->unit + rounding) * board->unit + rounding);
}

unsigned board_power_mw(const struct board *board, uint64_t at_ns)
{
    wave power = wave_sum(board->waves, (size_t)board->wave_count);
    uint64_t to_ns = at_ns > board->lag_ns ? at_ns - board->lag_ns : 0;
    double mw = wave_power_w(&power, to_ns) * 1e3;
    if (board->average_ns > 0 && to_ns >= board->average_ns) {
        mw = energy_mj(board, to_ns - board->average_ns, to_ns) / ((double)board->average_ns / 1e9);
    }
    return (unsigned)whole_units(board, (1 + board->gauge_gain) * mw + board->unit / 2);
}

uint64_t board_counter_mj(struct board *board, uint64_t t_ns, uint64_t at_ns)
{
    if (board->loss > 0 && board->read_ns > 0 && t_ns - board->read_ns < board->loss_below_ns) {
        board->lost_mj += board->loss * energy_mj(board, board->shown_ns, at_ns);
    }
    board->read_ns = t_ns;
    board->shown_ns = at_ns;
    int is_anew = at_ns >= board->restart_ns;
    double since_mj = energy_mj(board, is_anew ? board->restart_ns : 0, at_ns) - (is_anew ? 0 : board->lost_mj);
    return whole_units(board, (is_anew ? 0 : board->base_mj) + (1 + board->gain) * since_mj);
}
