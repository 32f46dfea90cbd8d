/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* energy-meter doctor: measures for a second, then tells all that is known of each source; or records the machine. */
#include "args.h"
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HELP, JSON, ROOT, AS_USER, CHANNELS, SAVE, FORCE, FILE_OF, REPLAY, OPTIONS };
enum { LOOK_NS = 1200000000, INTERVAL_NS = 10000000 };

static const args_option options[OPTIONS] = {
    [HELP] = {"--help", NULL, "show this"},
    [JSON] = {"--json", NULL, "print JSON (schema 1) instead of text"},
    [ROOT] = CMD_ROOT,
    [AS_USER] = CMD_AS_USER,
    [CHANNELS] = {"--channels", "PATTERNS", "count or leave out: \"+platform/psys,-cpu-*\""},
    [FILE_OF] = CMD_FILE,
    [REPLAY] = CMD_REPLAY,
    [SAVE] = {"--save", "FILE.json", "record the machine; serial numbers are hashed"},
    [FORCE] = {"--force", NULL, "with --save: replace a file that is there"},
};

static const char advice[] = "give another name, or add --force";

/* A recorded machine stands still: nothing can be learned from reading it. */
static int is_recording(const char *root)
{
    struct stat status;
    return root && stat(root, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* While a window is open, the sampler learns what a read costs and when values change. */
static void learn(em_meter *meter)
{
    em_window window;
    struct timespec left = {LOOK_NS / 1000000000, LOOK_NS % 1000000000};
    if (em_window_begin(meter, NULL, &window) == EM_OK) {
        while (nanosleep(&left, &left) < 0 && errno == EINTR) {
        }
        em_window_end(meter, window, NULL);
    }
}

static int show(em_options *chosen, int32_t format)
{
    em_error error = {.size = sizeof error};
    em_meter *meter = NULL;
    chosen->sample_interval_ns = INTERVAL_NS;
    int status = em_meter_create(chosen, &error, &meter);
    if (status != EM_OK) {
        return cmd_say_error("doctor", status, &error);
    }
    if (!is_recording(chosen->root)) {
        learn(meter);
    }
    return cmd_show("doctor", meter, EM_DOCTOR, format);
}

static int write_all(int descriptor, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t done = write(descriptor, text, length);
        if (done < 0 && errno != EINTR) {
            return -1;
        }
        text += done > 0 ? done : 0;
        length -= done > 0 ? (size_t)done : 0;
    }
    return fchmod(descriptor, 0644) < 0 || fsync(descriptor) < 0 ? -1 : 0;
}

/* Whole or not at all: a reader never meets half a recording. Without force nothing is replaced, links neither. */
static int put_in_place(const char *draft, const char *path, int force)
{
    if (force) {
        return rename(draft, path);
    }
    struct stat status;
    if (link(draft, path) == 0) {
        return unlink(draft);
    }
    if (errno == EEXIST || lstat(path, &status) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(draft, path); /* A file system without hard links. */
}

static int save_text(const char *path, const char *text, size_t length, int force)
{
    size_t size = strlen(path) + sizeof ".XXXXXX";
    char *draft = malloc(size);
    if (!draft) {
        args_say("doctor", "memory could not be allocated");
        return EXIT_FAILED;
    }
    snprintf(draft, size, "%s.XXXXXX", path);
    int descriptor = mkstemp(draft);
    int failed = descriptor < 0;
    if (!failed) {
        failed = write_all(descriptor, text, length) < 0;
        failed |= close(descriptor) < 0;
        failed = failed || put_in_place(draft, path, force) < 0;
        int error = errno;
        if (failed) {
            unlink(draft);
        }
        errno = error;
    }
    free(draft);
    if (failed) {
        args_say("doctor", "--save %s: %s%s%s", path, strerror(errno), errno == EEXIST ? "; " : "",
                 errno == EEXIST ? advice : "");
        return EXIT_FAILED;
    }
    return 0;
}

static int save(const em_options *chosen, const char *path, int force)
{
    em_error error = {.size = sizeof error};
    char *text = NULL;
    size_t length = 0;
    int status = em_machine_record(chosen->root, &error, &text, &length);
    if (status != EM_OK) {
        return cmd_say_error("doctor", status, &error);
    }
    int result = save_text(path, text, length, force);
    em_text_destroy(text);
    if (result == 0) {
        args_say("doctor", "%s: %zu bytes; see it with energy-meter doctor --root %s", path, length, path);
    }
    return result;
}

/* 0, or EXIT_USAGE after saying what does not go together. */
static int check_save(const em_options *chosen, const char *path, int force, int is_json)
{
    const char *wrong = force && !path ? "--force replaces a recording; add --save FILE.json"
                        : path && (chosen->file_count > 0 || chosen->replay_fd >= 0)
                            ? "--save records the machine alone; leave --file and --replay out"
                        : path && !path[0]         ? "--save is empty; give a file's name"
                        : path && chosen->channels ? "--channels and --save do not go together: a recording holds "
                                                     "all channels"
                        : path && is_json          ? "--json and --save do not go together; save first"
                        : path && chosen->flags & EM_AS_USER ? "--as-user and --save do not go together: a "
                                                               "recording holds the modes, and shows both"
                                                             : NULL;
    if (wrong) {
        args_say("doctor", "%s", wrong);
        return EXIT_USAGE;
    }
    return 0;
}

int cmd_doctor(int argc, char **argv)
{
    args_line args = {"doctor", argc, argv, 1, options, OPTIONS, NULL, 0, 0};
    em_options chosen;
    cmd_options(&chosen);
    int32_t format = EM_FORMAT_TEXT;
    const char *value = NULL, *path = NULL;
    int force = 0, result = 0;
    for (int option; (option = args_next(&args, &value)) != ARGS_END && result == 0;) {
        switch (option) {
        case HELP:
            cmd_free_options(&chosen);
            return args_help(&args, "energy-meter doctor [OPTION]...",
                             "Measures for a second, then tells of every source what it gives, what a read\n"
                             "costs, how often it updates and how it enters the total, and for what is missing\n"
                             "why and the remedy. Or records the machine for a bug report.");
        case JSON:
            format = EM_FORMAT_JSON;
            break;
        case ROOT:
            cmd_root(&chosen, value);
            break;
        case AS_USER:
            chosen.flags |= EM_AS_USER;
            break;
        case FILE_OF:
            result = cmd_file("doctor", &chosen, value);
            break;
        case REPLAY:
            result = cmd_replay("doctor", &chosen, value);
            break;
        case CHANNELS:
            chosen.channels = value;
            break;
        case SAVE:
            path = value;
            break;
        case FORCE:
            force = 1;
            break;
        default:
            result = EXIT_USAGE;
        }
    }
    result = result ? result : check_save(&chosen, path, force, format == EM_FORMAT_JSON);
    result = result ? result : cmd_check_root("doctor", &chosen);
    if (result == 0) {
        result = path ? save(&chosen, path, force) : show(&chosen, format);
    }
    cmd_free_options(&chosen);
    return result;
}
