/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter setup --print: what an administrator may run so that others than root read the counters. Runs nothing. */
#include "args.h"
#include "cmd.h"

#include <string.h>

enum { HELP, PRINT, OPTIONS };

static const args_option options[OPTIONS] = {
    [HELP] = {"--help", NULL, "show this"},
    [PRINT] = {"--print", NULL, "print the commands; nothing is run"},
};

/* The same lines as in docs/sensors/rapl-powercap.md and rapl-perf.md; a test compares them. */
static const char text[] =
    "# Nothing has been run. Read, then run as an administrator what you want of it.\n"
    "#\n"
    "# Fine readings of a CPU's energy tell something about the data that other programs work on\n"
    "# (CVE-2020-8694, PLATYPUS). That is why root alone may read them since Linux 5.10. Where several\n"
    "# people share the machine, prefer the group.\n"
    "\n"
    "# 1. One group may read the RAPL counters, from now on. Log in again to be in the group.\n"
    "sudo groupadd --system rapl\n"
    "sudo usermod -aG rapl \"$USER\"\n"
    "printf '%s\\n' 'SUBSYSTEM==\"powercap\", ACTION==\"add\", KERNEL==\"intel-rapl*:*\", "
    "RUN+=\"/bin/chgrp rapl /sys%p/energy_uj\", RUN+=\"/bin/chmod g+r /sys%p/energy_uj\"' |\n"
    "    sudo tee /etc/udev/rules.d/70-rapl.rules\n"
    "sudo udevadm control --reload\n"
    "sudo udevadm trigger --subsystem-match=powercap --action=add\n"
    "\n"
    "# To undo it:\n"
    "#   sudo rm /etc/udev/rules.d/70-rapl.rules && sudo groupdel rapl\n"
    "#   sudo chmod go-r /sys/class/powercap/intel-rapl*/energy_uj\n"
    "\n"
    "# 2. Or one program may open perf events (for Python, a copy of the interpreter that only those\n"
    "#    may run whom you trust):\n"
    "# sudo setcap cap_perfmon=ep /path/to/program\n"
    "\n"
    "# 3. Or all users may open perf events of whole CPUs, until the next boot or from each boot on:\n"
    "# sudo sysctl kernel.perf_event_paranoid=0\n"
    "# echo 'kernel.perf_event_paranoid = 0' | sudo tee /etc/sysctl.d/70-perf.conf\n";

int cmd_setup(int argc, char **argv)
{
    args_line args = {"setup", argc, argv, 1, options, OPTIONS, NULL, 0, 0};
    const char *value = NULL;
    int print = 0;
    for (int option; (option = args_next(&args, &value)) != ARGS_END;) {
        if (option == HELP) {
            return args_help(&args, "energy-meter setup --print",
                             "Prints the udev rule and the commands that let a group read the CPU's energy\n"
                             "counters, and what perf events need instead. It runs and changes nothing.");
        }
        if (option != PRINT) {
            return EXIT_USAGE;
        }
        print = 1;
    }
    if (!print) {
        args_say("setup", "nothing to do; --print prints what an administrator may run");
        return EXIT_USAGE;
    }
    return cmd_print(text, strlen(text));
}
