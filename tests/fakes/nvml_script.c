/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/*
 * The script of the stand-in for NVML, and what its boards measure. One statement a line, # begins a comment:
 *
 *     init CODE                 nvmlInit answers this code (18: version mismatch)
 *     count N                   claims to have N boards, whatever is listed
 *     null                      hands out NULL as every handle, and calls that a success
 *     garbage                   names and UUIDs fill their buffers to the brim, with bytes that are no text
 *     board KEY=VALUE …         one board, in the order of NVML's indices; values with blanks in "quotes"
 *
 *     name=NVIDIA H200  uuid=GPU-…  pci=00000000:3B:00.0  cc=9.0 (compute capability)
 *     watts=W                   constant power, or watts=LOW:HIGH:PERIOD_MS:DUTY_PERCENT, which begins with HIGH
 *     base_mj=1000000           what the counter starts from
 *     update_ms=100             how often counter and gauge move; 0: always
 *     energy=yes|no|CODE        the counter; power= likewise for the gauge
 *     limit=W|no                the enforced limit; util=PERCENT|no the utilisation
 *     fields=yes|no             whether nvmlDeviceGetFieldValues knows the counter (83) and the gauge (186)
 *     most=W                    the largest limit that can be set
 *     handle=CODE               the board cannot be opened
 *     slices=MIG-…,MIG-…        the board is cut into these
 *     lost_s=FROM[:TO]          GPU_IS_LOST in that time
 *     fail_s=FROM:TO:CODE       counter and gauge answer CODE in that time
 *     restart_s=T               the driver is loaded anew at T: the counter falls to 0
 *     slow_us=N                 what a reading takes
 *     hang_s=FROM:FOR           a reading that begins after FROM takes FOR seconds, once
 */
#include "nvml_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

enum { PJ_PER_MJ = 1000000000 };

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

static int set_watts(struct board *board, const double n[4], int count)
{
    board->low_mw = board->high_mw = (unsigned)(n[0] * 1000 + 0.5);
    if (count == 4) {
        board->high_mw = (unsigned)(n[1] * 1000 + 0.5);
        board->period_ns = (uint64_t)(n[2] * (double)NS_PER_MS);
        board->duty = (unsigned)n[3];
    }
    return 1;
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
    } else if (strcmp(key, "most") == 0) {
        board->most_mw = (unsigned)(n[0] * 1000);
    } else if (strcmp(key, "handle") == 0) {
        board->handle = (int)n[0];
    } else if (strcmp(key, "slow_us") == 0) {
        board->slow_us = (unsigned)n[0];
    } else if (strcmp(key, "restart_s") == 0) {
        board->restart_ns = from;
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
                            .low_mw = 100000,
                            .high_mw = 100000,
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

uint64_t board_update_ns(const struct board *board, uint64_t t_ns)
{
    return board->update_ns ? t_ns - t_ns % board->update_ns : t_ns;
}

unsigned board_power_mw(const struct board *board, uint64_t t_ns)
{
    if (!board->period_ns) {
        return board->low_mw;
    }
    return t_ns % board->period_ns < board->period_ns * board->duty / 100 ? board->high_mw : board->low_mw;
}

/* From 0 to t, exactly: mW × ns is pJ. */
static u128 energy_pj(const struct board *board, uint64_t t_ns)
{
    if (!board->period_ns) {
        return (u128)board->low_mw * t_ns;
    }
    uint64_t on = board->period_ns * board->duty / 100, whole = t_ns / board->period_ns, rest = t_ns % board->period_ns;
    uint64_t high = whole * on + (rest < on ? rest : on);
    return (u128)board->high_mw * high + (u128)board->low_mw * (t_ns - high);
}

uint64_t board_counter_mj(const struct board *board, uint64_t t_ns)
{
    if (t_ns >= board->restart_ns) {
        return (uint64_t)((energy_pj(board, t_ns) - energy_pj(board, board->restart_ns)) / PJ_PER_MJ);
    }
    return board->base_mj + (uint64_t)(energy_pj(board, t_ns) / PJ_PER_MJ);
}
