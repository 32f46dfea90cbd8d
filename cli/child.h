/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A command that runs as if nobody stood between it and the shell: in our process group, on our terminal. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct {
    sigset_t before, passed; /* the mask that we were started with; what is passed on to the command */
    struct sigaction child_action;
    pid_t pid;
    int is_interrupted; /* somebody wanted an end: SIGINT, SIGTERM or their like came */
} child;

enum { CHILD_NOT_RUN = 126, CHILD_NOT_FOUND = 127 };

/* Before threads are made: from here on no signal ends this process, and orphans of the command become ours. */
void child_prepare(child *of);
/* 0: it runs. CHILD_NOT_RUN or CHILD_NOT_FOUND, or EXIT_STATUS of a fork that failed, after saying why. */
int child_start(child *of, char *const *command);
/* Until it ends, passing signals on, and stopping where it stops. Its status as shells tell it: 128 + n for signal n. */
int child_wait(child *of);
/* "sleep (pid 4711), ..." of those that it left running; the caller's (free); NULL: none. */
char *child_left(void);

#endif
