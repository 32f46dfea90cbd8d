/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Files that results and traces go to. */
#include "output.h"

#include "args.h"
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *remedy(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "give a file in a folder that exists";
    case EISDIR:
        return "give the name of a file";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return "give a file on a disk with room";
    case EPIPE:
        return "give a reader that stays until the end";
    case EBADF:
        return "give -o FILE";
    default:
        return "give a file that you may write to";
    }
}

int output_open(output *ret_output, const char *command, const char *path, int otherwise)
{
    int is_standard = !path || strcmp(path, "-") == 0;
    *ret_output = (output){.command = command, .path = is_standard ? NULL : path, .descriptor = otherwise};
    if (is_standard) {
        ret_output->descriptor = path ? STDOUT_FILENO : otherwise;
        if (ret_output->descriptor == STDOUT_FILENO && fcntl(STDOUT_FILENO, F_GETFL) < 0) {
            args_say(command, "stdout is closed; %s", remedy(EBADF));
            return EXIT_FAILED;
        }
        return 0;
    }
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY;
    ret_output->descriptor = open(path, flags | O_EXCL, 0666);
    ret_output->is_new = ret_output->descriptor >= 0;
    if (ret_output->descriptor < 0 && errno == EEXIST) {
        ret_output->descriptor = open(path, flags, 0666);
    }
    if (ret_output->descriptor < 0) {
        args_say(command, "-o %s: %s; %s", path[0] ? path : "''", strerror(errno), remedy(errno));
        return EXIT_FAILED;
    }
    return 0;
}

static int write_all(int descriptor, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t done = write(descriptor, text, length);
        if (done < 0 && errno != EINTR) {
            return errno;
        }
        text += done > 0 ? done : 0;
        length -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

int output_write(output *to, const char *text, size_t length)
{
    struct stat status;
    int error = 0;
    if (to->path && fstat(to->descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
        error = ftruncate(to->descriptor, 0) < 0 || lseek(to->descriptor, 0, SEEK_SET) < 0 ? errno : 0;
    }
    to->is_new = 0;
    error = error ? error : write_all(to->descriptor, text, length);
    if (to->path) {
        error = close(to->descriptor) < 0 && !error ? errno : error;
        to->descriptor = -1;
    }
    if (!error) {
        return 0;
    }
    if (to->descriptor != STDERR_FILENO) {
        int is_result_lost = to->path != NULL;
        args_say(to->command, "%s%s: %s; %s. What was measured follows", is_result_lost ? "-o " : "",
                 is_result_lost ? to->path : "stdout", strerror(error), remedy(error));
        write_all(STDERR_FILENO, text, length);
    }
    return EXIT_FAILED;
}

void output_close(output *to)
{
    if (to->path && to->descriptor >= 0) {
        close(to->descriptor);
        to->descriptor = -1;
        if (to->is_new) {
            unlink(to->path);
        }
    }
}

int output_create_trace(const char *command, const char *option, const char *path)
{
    struct stat status;
    int is_other = stat(path, &status) == 0 && !S_ISREG(status.st_mode);
    int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (is_other ? 0 : O_CREAT | O_EXCL);
    int descriptor = open(path, flags, 0600);
    if (descriptor < 0) {
        args_say(command, "%s %s: %s; %s", option, path[0] ? path : "''", strerror(errno),
                 errno == EEXIST ? "remove it, or give the name of a new file" : remedy(errno));
    }
    return descriptor;
}

void output_discard_trace(const char *path, int descriptor)
{
    struct stat status;
    int is_file = descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    if (descriptor >= 0) {
        close(descriptor);
    }
    if (is_file) {
        unlink(path);
    }
}
