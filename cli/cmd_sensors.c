/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter sensors: what this machine, a directory like it or a recorded one gives, and what is missing and why. */
#include "args.h"
#include "cmd.h"
#include "energy_meter.h"

enum { HELP, JSON, ROOT, AS_USER, CHANNELS };

static const args_option options[] = {
    [HELP] = {"--help", NULL, "show this"},
    [JSON] = {"--json", NULL, "print JSON (schema 1) instead of a table"},
    [ROOT] = {"--root", "DIR|FILE.json", "look at a tree like /, or at a recorded machine"},
    [CHANNELS] = {"--channels", "PATTERNS", "count or leave out: \"+platform/psys,-cpu-*\""},
    [AS_USER] = {"--as-user", NULL, "with --root: as an ordinary user could read it"},
};

static int show(const em_options *chosen, int32_t format)
{
    em_error error = {.size = sizeof error};
    em_meter *meter = NULL;
    int status = em_meter_create(chosen, &error, &meter);
    if (status != EM_OK) {
        return cmd_say_error("sensors", status, &error);
    }
    char *text = NULL;
    size_t length = 0;
    status = em_meter_format(meter, EM_SENSORS, format, &text, &length);
    int result = status == EM_OK ? cmd_print(text, length) : cmd_say_error("sensors", status, &error);
    em_text_destroy(text);
    em_meter_destroy(meter);
    return result;
}

int cmd_sensors(int argc, char **argv)
{
    args_line args = {"sensors", argc, argv, 1, options, sizeof options / sizeof *options, NULL, 0, 0};
    em_options chosen;
    cmd_options(&chosen);
    int32_t format = EM_FORMAT_TEXT;
    const char *value = NULL;
    for (int option; (option = args_next(&args, &value)) != ARGS_END;) {
        switch (option) {
        case HELP:
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
        case AS_USER:
            chosen.flags |= EM_AS_USER;
            break;
        default:
            return EXIT_USAGE;
        }
    }
    if (cmd_check_root("sensors", &chosen) != 0) {
        return EXIT_USAGE;
    }
    return show(&chosen, format);
}
