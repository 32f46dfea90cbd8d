/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* perf events of whole CPUs: counters that the kernel keeps and that nothing samples. */
#include "platform/host_system.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct group {
    em__perf base;
    size_t count;
    int descriptors[EM__PERF_MOST]; /* the first one's read answers for all */
};

int em__system_perf_is_private(em__host *host)
{
    char text[16];
    int length = em__host_text(host, "/proc/sys/kernel/perf_event_paranoid", text, sizeof text);
    return length <= 0 || (text[0] != '-' && strcmp(text, "0") != 0);
}

static int open_event(const em__perf_event *event, int leader)
{
    struct perf_event_attr what;
    memset(&what, 0, sizeof what);
    what.size = sizeof what;
    what.type = event->type;
    what.config = event->config;
    what.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_RUNNING;
    long descriptor = syscall(SYS_perf_event_open, &what, -1, event->cpu, leader, PERF_FLAG_FD_CLOEXEC);
    return descriptor < 0 ? -errno : (int)descriptor;
}

int em__system_perf_open(em__host *host, const em__perf_event *event, em__perf **ret_group)
{
    int descriptor = open_event(event, -1);
    if (descriptor < 0) {
        return descriptor;
    }
    struct group *group = calloc(1, sizeof *group);
    if (!group) {
        close(descriptor);
        return -ENOMEM;
    }
    group->base.host = host;
    group->descriptors[group->count++] = descriptor;
    *ret_group = &group->base;
    return 0;
}

int em__system_perf_join(em__perf *base, const em__perf_event *event)
{
    struct group *group = (struct group *)base;
    if (group->count == EM__PERF_MOST) {
        return -E2BIG;
    }
    int descriptor = open_event(event, group->descriptors[0]);
    if (descriptor < 0) {
        return descriptor;
    }
    group->descriptors[group->count++] = descriptor;
    return 0;
}

int em__system_perf_read(em__perf *base, em__perf_counts *ret_counts)
{
    struct group *group = (struct group *)base;
    uint64_t answer[2 + EM__PERF_MOST]; /* how many, the time, their values */
    ssize_t length;
    do {
        length = read(group->descriptors[0], answer, sizeof answer);
    } while (length < 0 && errno == EINTR);
    if (length <= 0) {
        return length < 0 ? -errno : -ENODEV; /* The kernel took the event away. */
    }
    if ((size_t)length != (2 + group->count) * sizeof answer[0] || answer[0] != group->count) {
        return -EIO;
    }
    *ret_counts = (em__perf_counts){.running_ns = answer[1]};
    memcpy(ret_counts->values, answer + 2, group->count * sizeof answer[0]);
    return 0;
}

void em__system_perf_close(em__perf *base)
{
    struct group *group = (struct group *)base;
    while (group->count > 0) {
        close(group->descriptors[--group->count]);
    }
    free(group);
}
