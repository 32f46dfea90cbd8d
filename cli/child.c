/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Starts the command, waits for it, and hands on to it what is sent to us. */
#include "child.h"

#include "args.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWN_FAILURE = 125, SIGNALLED = 128, STAT_SIZE = 512 };

static int is_end(int number)
{
    return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

/* Faults are ours, SIGKILL and SIGSTOP nobody's; SIGCONT works by being sent, whoever handles it. */
static int is_passed(int number)
{
    static const int kept[] = {SIGKILL, SIGSTOP, SIGCONT, SIGSEGV, SIGBUS, SIGFPE,
                               SIGILL,  SIGTRAP, SIGABRT, SIGSYS,  SIGPIPE};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (number == kept[i]) {
            return 0;
        }
    }
    return number < 32 || (number >= SIGRTMIN && number <= SIGRTMAX);
}

void child_prepare(child *of)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    *of = (child){.pid = -1};
    sigemptyset(&of->passed);
    for (int number = 1; number <= SIGRTMAX; number++) {
        if (is_passed(number)) {
            sigaddset(&of->passed, number);
        }
    }
    sigaction(SIGCHLD, &standard, &of->child_action); /* Where it is ignored, no status can be waited for. */
    sigprocmask(SIG_BLOCK, &of->passed, &of->before);
    sigdelset(&of->before, SIGPIPE); /* Blocked by main. */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* Only what may be called between fork and exec. */
static _Noreturn void become(const child *of, char *const *command, int report)
{
    sigaction(SIGCHLD, &of->child_action, NULL);
    sigprocmask(SIG_SETMASK, &of->before, NULL);
    execvp(command[0], command);
    int error = errno;
    if (write(report, &error, sizeof error) != sizeof error) {
        _exit(OWN_FAILURE);
    }
    _exit(CHILD_NOT_RUN);
}

/* The command's errno where it could not be run; 0: it runs. */
static int outcome(int report)
{
    int error = 0;
    ssize_t got;
    do {
        got = read(report, &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    return got == sizeof error ? error : 0;
}

int child_start(child *of, char *const *command)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        args_say("run", "no pipe could be made: %s", strerror(errno));
        return OWN_FAILURE;
    }
    of->pid = fork();
    if (of->pid == 0) {
        become(of, command, ends[1]);
    }
    int error = errno;
    close(ends[1]);
    if (of->pid < 0) {
        close(ends[0]);
        args_say("run", "%s could not be started: %s; end other processes, or raise ulimit -u", command[0],
                 strerror(error));
        return OWN_FAILURE;
    }
    error = outcome(ends[0]);
    close(ends[0]);
    if (!error) {
        return 0;
    }
    while (waitpid(of->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    of->pid = -1;
    args_say("run", "%s: %s; give the name or the path of a program", command[0][0] ? command[0] : "''",
             error == ENOENT ? "no such command" : strerror(error));
    return error == ENOENT ? CHILD_NOT_FOUND : CHILD_NOT_RUN;
}

static int is_from_terminal(int number)
{
    return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/* Reaps whatever has ended. 1: the command has, with *ret_status. */
static int reap(const child *of, int *ret_status)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0 || (pid < 0 && errno == EINTR);) {
        if (pid != of->pid) {
            continue;
        }
        if (!WIFSTOPPED(status)) {
            *ret_status = WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
            return 1;
        }
        if (is_from_terminal(WSTOPSIG(status))) {
            /* The shell waits for us: it must see us stopped. Whoever wakes us up means the command. */
            kill(getpid(), SIGSTOP);
            kill(of->pid, SIGCONT);
        }
    }
    return 0;
}

int child_wait(child *of)
{
    int status = OWN_FAILURE;
    siginfo_t info;
    while (!reap(of, &status)) {
        int number = sigwaitinfo(&of->passed, &info);
        if (number <= 0 || number == SIGCHLD) {
            continue;
        }
        of->is_interrupted |= is_end(number);
        /* What the kernel sends for the terminal goes to the whole group, so that the command has it already. */
        if (info.si_code <= 0 && info.si_pid != of->pid) {
            kill(of->pid, number);
        }
    }
    return status;
}

/* pid, name, state and parent, as in "12 (name) S 1 …"; the name may hold anything. 0: it is gone. */
static int look_up(const char *pid, char name[STAT_SIZE], char *ret_state, long *ret_parent)
{
    char path[64], text[STAT_SIZE];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor < 0 ? -1 : read(descriptor, text, sizeof text - 1);
    if (descriptor >= 0) {
        close(descriptor);
    }
    text[length > 0 ? length : 0] = '\0';
    char *open_mark = strchr(text, '('), *end = strrchr(text, ')');
    if (!open_mark || !end || end < open_mark || sscanf(end + 1, " %c %ld", ret_state, ret_parent) != 2) {
        return 0;
    }
    size_t size = (size_t)(end - open_mark - 1);
    memcpy(name, open_mark + 1, size);
    name[size] = '\0';
    for (char *letter = name; *letter; letter++) {
        *letter = (unsigned char)*letter < ' ' || *letter == 0x7f ? '?' : *letter;
    }
    return 1;
}

char *child_left(void)
{
    char *text = NULL;
    size_t length = 0, count = 0;
    pid_t ended;
    do {
        ended = waitpid(-1, NULL, WNOHANG);
    } while (ended > 0 || (ended < 0 && errno == EINTR));
    if (ended < 0) {
        return NULL;
    }
    FILE *list = open_memstream(&text, &length);
    DIR *processes = list ? opendir("/proc") : NULL;
    for (struct dirent *entry; processes && (entry = readdir(processes));) {
        char name[STAT_SIZE], state;
        long parent;
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && look_up(entry->d_name, name, &state, &parent) &&
            parent == (long)getpid() && state != 'Z') {
            fprintf(list, "%s%s (pid %.20s)", count++ ? ", " : "", name, entry->d_name);
        }
    }
    if (processes) {
        closedir(processes);
    }
    if (!list || fclose(list) != 0 || count == 0) {
        free(text);
        return NULL;
    }
    return text;
}
