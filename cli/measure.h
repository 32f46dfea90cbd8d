/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The options of every command that measures, and the words that name formats. */
#ifndef CLI_MEASURE_H
#define CLI_MEASURE_H

#include "args.h"
#include "energy_meter.h"

/* Those of carbon come first: report takes these alone. */
enum {
    MEASURE_LOCATION,
    MEASURE_CARBON,
    MEASURE_PUE,
    MEASURE_PRICE,
    MEASURE_EMBODIED,
    MEASURE_CARBON_COUNT,
    MEASURE_CPU_TDP = MEASURE_CARBON_COUNT,
    MEASURE_GPU_TDP,
    MEASURE_GPUS,
    MEASURE_CHANNELS,
    MEASURE_FILE,
    MEASURE_ROOT,
    MEASURE_AS_USER,
    MEASURE_INTERVAL, /* the last one: watch has its own */
    MEASURE_COUNT
};
extern const args_option measure_options[MEASURE_COUNT];

/* Takes one of them over; cmd_free_options frees what it took. 0, or an exit status after saying what is wrong. */
int measure_take(em_options *options, const char *command, int which, const char *value);

/* EM_FORMAT_… of a word, as "json". 0, or EXIT_USAGE after naming those that there are. */
int measure_format(const char *command, const char *word, int32_t *ret_format);

/* Why a meter could not be created, in the words of the command's options. EXIT_FAILED. */
int measure_say(const char *command, int status, const em_error *error);

#endif
