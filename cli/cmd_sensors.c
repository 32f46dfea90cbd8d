/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter sensors: what this machine, a directory like it or a recorded one gives, and what is missing and why. */
#include "args.h"
#include "cmd.h"
#include "energy_meter.h"

enum { HELP, JSON, ROOT, AS_USER, CHANNELS, FILE_OF, REPLAY };

static const args_option options[] = {
    [HELP] = {"--help", NULL, "show this"},
    [JSON] = {"--json", NULL, "print JSON (schema 1) instead of a table"},
    [ROOT] = CMD_ROOT,
    [CHANNELS] = {"--channels", "PATTERNS", "count or leave out: \"+platform/psys,-cpu-*\""},
    [FILE_OF] = CMD_FILE,
    [REPLAY] = CMD_REPLAY,
    [AS_USER] = CMD_AS_USER,
};

static int show(const em_options *chosen, int32_t format)
{
    em_error error = {.size = sizeof error};
    em_meter *meter = NULL;
    int status = em_meter_create(chosen, &error, &meter);
    if (status != EM_OK) {
        return cmd_say_error("sensors", status, &error);
    }
    return cmd_show("sensors", meter, EM_SENSORS, format);
}

int cmd_sensors(int argc, char **argv)
{
    args_line args = {"sensors", argc, argv, 1, options, sizeof options / sizeof *options, NULL, 0, 0};
    em_options chosen;
    cmd_options(&chosen);
    int32_t format = EM_FORMAT_TEXT;
    const char *value = NULL;
    int result = 0;
    for (int option; (option = args_next(&args, &value)) != ARGS_END && result == 0;) {
        switch (option) {
        case HELP:
            cmd_free_options(&chosen);
            return args_help(&args, "energy-meter sensors [OPTION]...",
                             "Lists what can be measured, how each number enters the total, and for what is\n"
                             "missing the reason and the remedy.");
        case JSON:
            format = EM_FORMAT_JSON;
            break;
        case ROOT:
            cmd_root(&chosen, value);
            break;
        case CHANNELS:
            chosen.channels = value;
            break;
        case FILE_OF:
            result = cmd_file("sensors", &chosen, value);
            break;
        case REPLAY:
            result = cmd_replay("sensors", &chosen, value);
            break;
        case AS_USER:
            chosen.flags |= EM_AS_USER;
            break;
        default:
            result = EXIT_USAGE;
        }
    }
    result = result ? result : cmd_check_root("sensors", &chosen);
    result = result ? result : show(&chosen, format);
    cmd_free_options(&chosen);
    return result;
}
