/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* --file PATH,unit=W[,kind=gauge][,domain=gpu][,name=NAME]: a number that another meter writes; --replay FILE: a trace. */
#include "args.h"
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int say_no_memory(const char *command)
{
    args_say(command, "memory could not be allocated");
    return EXIT_FAILED;
}

/* A path of this shell's folder as one from "/", and yet with what follows it. */
static char *copy_whole(const char *text)
{
    char here[PATH_MAX] = "";
    char *folder = text[0] == '/' || getcwd(here, sizeof here) ? strdup(here) : NULL;
    size_t size = (folder ? strlen(folder) : 0) + strlen(text) + 2;
    char *whole = folder ? malloc(size) : NULL;
    if (whole) {
        snprintf(whole, size, "%s%s%s", folder, text[0] == '/' ? "" : "/", text);
    }
    free(folder);
    return whole;
}

/* Takes KEY=WORD off the end of a text, so that a path may have commas. 0: there is none. */
static int cut_word(char *text, em_file *file)
{
    const struct {
        const char *key;
        const char **word;
    } keys[] = {{"unit=", &file->unit}, {"kind=", &file->kind}, {"domain=", &file->domain}, {"name=", &file->name}};
    char *comma = strrchr(text, ',');
    for (size_t i = 0; comma && i < sizeof keys / sizeof *keys; i++) {
        size_t length = strlen(keys[i].key);
        if (strncmp(comma + 1, keys[i].key, length) == 0) {
            *keys[i].word = comma + 1 + length;
            *comma = '\0';
            return 1;
        }
    }
    return 0;
}

int cmd_file(const char *command, em_options *options, const char *text)
{
    em_file *files = realloc((void *)options->files, (options->file_count + 1) * sizeof *files);
    if (!files) {
        return say_no_memory(command);
    }
    options->files = files;
    char *whole = copy_whole(text);
    if (!whole) {
        return say_no_memory(command);
    }
    em_file *file = &files[options->file_count++];
    *file = (em_file){.path = whole};
    while (cut_word(whole, file)) {
    }
    if (!file->unit || !text[0] || text[0] == ',') {
        args_say(command,
                 "--file \"%s\" names no %s; give --file PATH,unit=UNIT, where UNIT is J, kJ, mJ, uJ, Wh or kWh for a "
                 "counter, W, kW, mW or uW for power",
                 text, file->unit ? "path" : "unit");
        return EXIT_USAGE;
    }
    return 0;
}

int cmd_replay(const char *command, em_options *options, const char *path)
{
    if (options->replay_fd >= 0) {
        close(options->replay_fd);
    }
    options->replay_fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (options->replay_fd < 0) {
        args_say(command, "--replay %s: %s; give a file that EnergyMeter(trace=...) wrote", path, strerror(errno));
        return EXIT_FAILED;
    }
    em_error error = {.size = sizeof error};
    em_trace *trace = NULL;
    int status = em_trace_open(options->replay_fd, &error, &trace);
    em_trace_destroy(trace);
    if (status == EM_OK && lseek(options->replay_fd, 0, SEEK_SET) < 0) {
        status = EM_ERR_INVALID;
        snprintf(error.text, sizeof error.text, " is no regular file");
    }
    if (status != EM_OK) {
        /* "descriptor 3 shows no trace" */
        size_t number = strncmp(error.text, "descriptor ", 11) == 0 ? 11 : 0;
        args_say(command, "--replay %s%s; give a file that EnergyMeter(trace=...) wrote", path,
                 error.text + number + (number ? strspn(error.text + number, "0123456789") : 0));
        return EXIT_FAILED;
    }
    return 0;
}

void cmd_free_options(em_options *options)
{
    for (size_t i = 0; i < options->file_count; i++) {
        free((char *)options->files[i].path);
    }
    free((void *)options->files);
    options->files = NULL;
    options->file_count = 0;
    if (options->replay_fd >= 0) {
        close(options->replay_fd);
        options->replay_fd = -1;
    }
}
