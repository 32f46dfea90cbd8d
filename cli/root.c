/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the commands that look at a machine share: which machine, as whom, and what the library answers. */
#include "args.h"
#include "cmd.h"

#include <unistd.h>

void cmd_options(em_options *ret_options)
{
    em_options_init(ret_options, sizeof *ret_options);
    ret_options->environment = (const char *const *)environ;
    ret_options->root = NULL;
}

void cmd_root(em_options *options, const char *root)
{
    options->root = root;
    options->environment = NULL;
}

int cmd_check_root(const char *command, const em_options *options)
{
    if (options->root && !options->root[0]) {
        args_say(command, "--root is empty; give a directory laid out like /, or a recorded machine (FILE.json)");
        return EXIT_USAGE;
    }
    if (options->flags & EM_AS_USER && !options->root) {
        args_say(command, "--as-user reads the modes of a recorded machine; add --root FILE.json");
        return EXIT_USAGE;
    }
    return 0;
}

int cmd_say_error(const char *command, int status, const em_error *error)
{
    const char *text = error->text[0] ? error->text : em_status_text(status);
    args_say(command, "%s%s%s", text, error->remedy[0] ? "; " : "", error->remedy);
    return EXIT_FAILED;
}

int cmd_show(const char *command, em_meter *meter, int32_t what, int32_t format)
{
    em_error error = {.size = sizeof error};
    char *text = NULL;
    size_t length = 0;
    int status = em_meter_format(meter, what, format, &text, &length);
    int result = status == EM_OK ? cmd_print(text, length) : cmd_say_error(command, status, &error);
    em_text_destroy(text);
    em_meter_destroy(meter);
    return result;
}
