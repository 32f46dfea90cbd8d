/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter: the table of commands. Data go to stdout, words to stderr; 1 is a failure, 2 a wrong call. */
#include "args.h"
#include "cmd.h"
#include "energy_meter.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *purpose;
} command;

static const command commands[] = {
    {"run", cmd_run, "measures while a command runs"},
    {"watch", cmd_watch, "power, energy and carbon live in the terminal"},
    {"record", cmd_record, "keeps all readings in a trace, until it is stopped"},
    {"report", cmd_report, "every report again from a trace, for other times too"},
    {"compare", cmd_compare, "which run used less, by how much, and whether that stands"},
    {"merge", cmd_merge, "one summary of those of several processes, each joule once"},
    {"sensors", cmd_sensors, "what can be measured here, and what is missing and why"},
    {"doctor", cmd_doctor, "the same with costs, periods and doubts; records a machine"},
    {"setup", cmd_setup, "prints how to let others than root read the counters"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

int cmd_print(const char *text, size_t length)
{
    if (fwrite(text, 1, length, stdout) == length && fflush(stdout) == 0 && !ferror(stdout)) {
        return 0;
    }
    args_say("", "stdout: %s", strerror(errno));
    return EXIT_FAILED;
}

static void print_usage(FILE *stream)
{
    fputs("usage: energy-meter COMMAND [OPTION]...\n"
          "       energy-meter --help | --version\n"
          "\n"
          "How much energy the CPUs, memory and GPUs of this machine use.\n"
          "\n",
          stream);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(stream, "  %-12s%s\n", commands[i].name, commands[i].purpose);
    }
    fputs("\nAs in: energy-meter run -- python train.py\n"
          "energy-meter COMMAND --help tells more of one, man energy-meter of all.\n",
          stream);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    sigset_t closed_pipe;
    sigemptyset(&closed_pipe);
    sigaddset(&closed_pipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &closed_pipe, NULL); /* A reader that left is an error with words, not a death. */
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0) {
        printf("energy-meter %s\n", em_version());
        return cmd_print("", 0);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_usage(stdout);
        return cmd_print("", 0);
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(word, commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }

    static const char *const switches[] = {"--help", "--version"};
    int is_option = word[0] == '-';
    const char *near = is_option ? args_nearest(word, switches, sizeof switches / sizeof *switches, sizeof *switches)
                                 : args_nearest(word, commands, COMMANDS, sizeof *commands);
    const char *kind = is_option ? "option" : "command";
    if (near) {
        args_say("", "unknown %s '%s'; did you mean %s?", kind, word, near);
    } else {
        args_say("", "unknown %s '%s'; see energy-meter --help", kind, word);
    }
    return EXIT_USAGE;
}
