/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/*
 * Who holds the boards of the stand-in, from the file that EM_FAKE_NVML_PROCESSES names, read at every call: a line
 * "BOARD PID" is a process that computes, "code N" what a call for those answers, "claim N" the count it gives, "hang MS"
 * how long it takes. "draws " before any of these: of the processes that draw; "mps ": of the clients of an MPS server.
 * Without the variable the driver lists no processes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

/* nvmlProcessInfo_v2_t. */
struct process {
    unsigned pid;
    unsigned long long memory;
    unsigned gpu_instance, compute_instance;
};

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle);
EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, struct process *processes);
EXPORT int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, struct process *processes);
EXPORT int nvmlDeviceGetMPSComputeRunningProcesses_v3(void *handle, unsigned *count, struct process *processes);
EXPORT int fake_nvml_process_calls(void);

static int calls;

EXPORT int fake_nvml_process_calls(void)
{
    return __atomic_load_n(&calls, __ATOMIC_SEQ_CST);
}

/* What follows the list's word; NULL: the line is of another list. */
static const char *of_list(const char *line, const char *list)
{
    size_t length = strlen(list);
    int is_word = line[0] == 'd' || line[0] == 'm';
    return length ? (strncmp(line, list, length) == 0 ? line + length : NULL) : is_word ? NULL : line;
}

static int answer(const char *list, void *handle, unsigned *count, struct process *processes)
{
    const char *path = getenv("EM_FAKE_NVML_PROCESSES"), *words;
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[64];
    unsigned number, pid, found = 0, capacity = *count;
    int code = 0;
    long claim = -1, hang_ms = 0;
    __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (!file) {
        return 3;
    }
    while (fgets(line, sizeof line, file)) {
        void *board;
        words = of_list(line, list);
        if (!words || sscanf(words, "code %d", &code) == 1 || sscanf(words, "claim %ld", &claim) == 1 ||
            sscanf(words, "hang %ld", &hang_ms) == 1 || sscanf(words, "%u %u", &number, &pid) != 2 ||
            nvmlDeviceGetHandleByIndex_v2(number, &board) != 0 || board != handle) {
            continue;
        }
        if (found < capacity) {
            processes[found] = (struct process){.pid = pid, .gpu_instance = ~0u, .compute_instance = ~0u};
        }
        found++;
    }
    fclose(file);
    struct timespec pause = {hang_ms / 1000, hang_ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
    *count = claim >= 0 ? (unsigned)claim : found;
    return code ? code : found > capacity ? 7 : 0;
}

EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, struct process *processes)
{
    return answer("", handle, count, processes);
}

EXPORT int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, struct process *processes)
{
    return answer("draws ", handle, count, processes);
}

EXPORT int nvmlDeviceGetMPSComputeRunningProcesses_v3(void *handle, unsigned *count, struct process *processes)
{
    return answer("mps ", handle, count, processes);
}
