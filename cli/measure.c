/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The options of every command that measures: their ranges, and what the library calls them. */
#include "measure.h"

#include "cmd.h"

#include <stdio.h>
#include <string.h>

const args_option measure_options[MEASURE_COUNT] = {
    [MEASURE_LOCATION] = {"--location", "PLACE", "whose electricity: FR, US-CA, aws:eu-west-1 ..."},
    [MEASURE_CARBON] = {"--carbon", "G_PER_KWH", "the electricity's g CO2e/kWh, if you know it"},
    [MEASURE_PUE] = {"--pue", "FACTOR", "of the data centre, 1 to 10; default: the place's or 1"},
    [MEASURE_PRICE] = {"--price", "PER_KWH", "show what the energy costs, in your currency"},
    [MEASURE_EMBODIED] = {"--embodied", "KG/YEARS", "of making the machine, and how long it serves"},
    [MEASURE_CPU_TDP] = {"--cpu-tdp", "WATTS", "of one CPU, where it must be estimated"},
    [MEASURE_GPU_TDP] = {"--gpu-tdp", "WATTS", "of one GPU, where it must be estimated"},
    [MEASURE_GPUS] = {"--gpus", "WHICH", "visible (default), all, local_rank, 0,2 or UUIDs"},
    [MEASURE_CHANNELS] = {"--channels", "PATTERNS", "count or leave out: \"+platform/psys,-gpu-1*\""},
    [MEASURE_FILE] = CMD_FILE,
    [MEASURE_ROOT] = {"--root", "DIR|FILE.json", "measure a tree like /, or a recorded machine"},
    [MEASURE_AS_USER] = {"--as-user", NULL, "with --root: as an ordinary user could read it"},
    [MEASURE_INTERVAL] = {"--interval", "SECONDS", "time between readings, 0.001 to 60; default 0.1"},
};

/* What the library calls it, and what is said of it. */
static const struct {
    const char *argument, *option;
} names[] = {
    {"gpus", "--gpus"},         {"channels", "--channels"}, {"root", "--root"},
    {"gpu_tdp_w", "--gpu-tdp"}, {"cpu_tdp_w", "--cpu-tdp"},
};

static int take_location(em_options *options, const char *command, const char *value)
{
    em_error error = {.size = sizeof error};
    em_carbon carbon = {.size = sizeof carbon};
    em_options asked;
    em_options_init(&asked, sizeof asked);
    asked.location = options->location = value;
    if (em_carbon_find(&asked, &error, &carbon) == EM_OK) {
        return 0;
    }
    int is_suggestion = strncmp(error.remedy, "the nearest", 11) == 0;
    args_say(command, "--location '%s' is not known; %s", value,
             is_suggestion ? error.remedy
                           : "give a country as FR, a state as US-CA, a region as aws:eu-west-1, or --carbon");
    return EXIT_USAGE;
}

static int take_embodied(em_options *options, const char *command, const char *value)
{
    char kg[32];
    const char *slash = strchr(value, '/');
    size_t length = slash ? (size_t)(slash - value) : 0;
    if (!slash || length >= sizeof kg) {
        args_say(command, "--embodied '%s': give kg CO2e and years, as 1000/4", value);
        return EXIT_USAGE;
    }
    memcpy(kg, value, length);
    kg[length] = '\0';
    int wrong = args_number(command, "--embodied", kg, 0, 1e9, &options->embodied_kg);
    return wrong ? wrong : args_number(command, "--embodied", slash + 1, 0.001, 100, &options->lifetime_years);
}

int measure_take(em_options *options, const char *command, int which, const char *value)
{
    const char *name = which >= 0 && which < MEASURE_COUNT ? measure_options[which].name : "";
    double number = 0;
    int wrong = 0;
    switch (which) {
    case MEASURE_CARBON:
        wrong = args_number(command, name, value, 0, 1e5, &options->carbon_g_per_kwh);
        break;
    case MEASURE_INTERVAL:
        wrong = args_seconds(command, name, value, 0.001, 60, &number);
        options->sample_interval_ns = wrong ? options->sample_interval_ns : (uint64_t)(number * 1e9 + 0.5);
        break;
    case MEASURE_LOCATION:
        return take_location(options, command, value);
    case MEASURE_PUE:
        wrong = args_number(command, name, value, 1, 10, &options->pue);
        break;
    case MEASURE_PRICE:
        wrong = args_number(command, name, value, 0, 1e6, &options->price_per_kwh);
        break;
    case MEASURE_EMBODIED:
        return take_embodied(options, command, value);
    case MEASURE_CPU_TDP:
        wrong = args_number(command, name, value, 0.001, 1e5, &options->cpu_tdp_w);
        break;
    case MEASURE_GPU_TDP:
        wrong = args_number(command, name, value, 0.001, 1e5, &options->gpu_tdp_w);
        break;
    case MEASURE_GPUS:
        options->gpus = value;
        break;
    case MEASURE_CHANNELS:
        options->channels = value;
        break;
    case MEASURE_FILE:
        return cmd_file(command, options, value);
    case MEASURE_ROOT:
        cmd_root(options, value);
        break;
    case MEASURE_AS_USER:
        options->flags |= EM_AS_USER;
        break;
    default:
        return EXIT_USAGE;
    }
    return wrong;
}

static const struct {
    const char *word;
    int32_t format;
} formats[] = {{"text", EM_FORMAT_TEXT},
               {"json", EM_FORMAT_JSON},
               {"csv", EM_FORMAT_CSV},
               {"model-card", EM_FORMAT_MODEL_CARD},
               {"boamps", EM_FORMAT_BOAMPS}};
enum { FORMATS = sizeof formats / sizeof *formats };

int measure_format(const char *command, const char *word, int32_t *ret_format)
{
    char known[128] = "";
    size_t length = 0;
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcmp(word, formats[i].word) == 0) {
            *ret_format = formats[i].format;
            return 0;
        }
        const char *joint = i == 0 ? "" : i + 1 == FORMATS ? " or " : ", ";
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", joint, formats[i].word);
    }
    const char *near = args_nearest(word, formats, FORMATS, sizeof *formats);
    if (near) {
        args_say(command, "--format '%s' is unknown; did you mean %s?", word, near);
    } else {
        args_say(command, "--format '%s' is unknown; give %s", word, known);
    }
    return EXIT_USAGE;
}

int measure_say(const char *command, int status, const em_error *error)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i].argument);
        if (strcmp(error->argument, names[i].argument) == 0 && strncmp(error->text, names[i].argument, length) == 0) {
            args_say(command, "%s%s%s%s", names[i].option, error->text + length, error->remedy[0] ? "; " : "",
                     error->remedy);
            return EXIT_FAILED;
        }
    }
    return cmd_say_error(command, status, error);
}
