/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* NVML names processes by the ids of the first process namespace; elsewhere they compare to nothing, or are left out. */
#include "sensors/nvml_holders.h"

#include "core/text.h"
#include "platform/parse.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 64, MOST = 1024, MOST_PARENTS = 64, STAT_BYTES = 1024, PATH_BYTES = 64 };

typedef struct {
    em__holders base;
    em__nvml *nvml;
    nvml_handle handle;
} board_holders;

/* PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h. */
static int is_first_namespace(em__host *host)
{
    char target[PATH_BYTES];
    return host->ops->link(host, "/proc/self/ns/pid", target, sizeof target) > 0 &&
           strcmp(target, "pid:[4026531836]") == 0;
}

static int read_process(em__host *host, const char *name, em__process_time *ret_process)
{
    char path[PATH_BYTES], text[STAT_BYTES];
    em__print(path, sizeof path, "/proc/%s/stat", name);
    int length = em__host_text(host, path, text, sizeof text);
    return length < 0 ? length : em__parse_process_time(text, (size_t)length, ret_process);
}

/* A process that cannot be looked at is another user's, or has just ended. */
static int is_ours(em__host *host, uint64_t self, uint64_t pid)
{
    for (int i = 0; i < MOST_PARENTS && pid != self; i++) {
        char name[24];
        em__process_time process;
        em__print(name, sizeof name, "%llu", (unsigned long long)pid);
        if (pid <= 1 || read_process(host, name, &process) < 0) {
            return 0;
        }
        pid = process.parent;
    }
    return pid == self;
}

/* An NVML code; ret_processes is freed by the caller. What is more than fits is asked for once more. */
static int list_processes(const board_holders *holders, int list, unsigned int *ret_count, nvml_process **ret_processes)
{
    int code = NVML_INSUFFICIENT_SIZE;
    nvml_process *processes = NULL;
    unsigned int count = 0;
    for (unsigned int capacity = FEW; capacity <= MOST && code == NVML_INSUFFICIENT_SIZE; capacity *= MOST / FEW) {
        free(processes);
        processes = calloc(capacity, sizeof *processes);
        if (!processes) {
            return NVML_UNKNOWN;
        }
        count = capacity;
        code = holders->nvml->processes[list](holders->handle, &count, processes);
        if (code == NVML_OK && count > capacity) {
            code = NVML_UNKNOWN;
        }
    }
    if (code != NVML_OK) {
        free(processes);
        return code;
    }
    *ret_count = count;
    *ret_processes = processes;
    return NVML_OK;
}

/* 1, 0, or -1: it cannot be told. */
static int has_stranger(const board_holders *holders, int list, uint64_t self)
{
    nvml_process *processes;
    unsigned int count;
    int code = list_processes(holders, list, &count, &processes), is_shared = 0;
    if (code != NVML_OK) {
        int is_without = code == NVML_NOT_SUPPORTED || code == NVML_FUNCTION_NOT_FOUND;
        return list != NVML_COMPUTES && is_without ? 0 : -1; /* Most boards neither draw nor have an MPS server. */
    }
    for (unsigned int i = 0; i < count && !is_shared; i++) {
        is_shared = !is_ours(holders->nvml->host, self, processes[i].pid);
    }
    free(processes);
    return is_shared;
}

static int ask(em__holders *base)
{
    board_holders *holders = (board_holders *)base;
    em__host *host = holders->nvml->host;
    em__process_time self;
    int is_shared = 0;
    if (!is_first_namespace(host) || read_process(host, "self", &self) < 0) {
        return -1;
    }
    for (int list = NVML_COMPUTES; list < NVML_PROCESS_LISTS && is_shared != 1; list++) {
        int found = holders->nvml->processes[list] ? has_stranger(holders, list, self.pid) : 0;
        is_shared = found == 0 ? is_shared : found;
    }
    return is_shared;
}

static void destroy(em__holders *base)
{
    board_holders *holders = (board_holders *)base;
    em__nvml_unref(holders->nvml);
    free(holders);
}

em__holders *em__nvml_holders(em__nvml *nvml, nvml_handle handle)
{
    board_holders *made = nvml->processes[NVML_COMPUTES] ? calloc(1, sizeof *made) : NULL;
    if (!made) {
        return NULL;
    }
    *made = (board_holders){.base = {ask, destroy}, .nvml = em__nvml_ref(nvml), .handle = handle};
    return &made->base;
}
