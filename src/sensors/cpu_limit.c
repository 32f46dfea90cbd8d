/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reads cgroup quotas of both versions, from the process's own group up to the root, and Cpus_allowed_list. */
#include "sensors/cpu_limit.h"

#include "core/text.h"
#include "platform/parse.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { TEXT_BYTES = 8192, PATH_BYTES = 1024, MOST_PARENTS = 32 };

static double lesser(double a, double b)
{
    return isnan(a) || b < a ? b : a;
}

/* "200000 100000": microseconds of CPU time in so many of time; "max 100000": none. */
static double quota_v2(em__host *host, const char *folder)
{
    char path[PATH_BYTES], text[64];
    uint64_t quota, period;
    em__print(path, sizeof path, "%s/cpu.max", folder);
    if (em__host_text(host, path, text, sizeof text) < 0) {
        return NAN;
    }
    char *space = strchr(text, ' ');
    if (!space || em__parse_u64(text, (size_t)(space - text), &quota) < 0 ||
        em__parse_u64(space + 1, strlen(space + 1), &period) < 0 || period == 0 || quota == 0) {
        return NAN;
    }
    return (double)quota / (double)period;
}

static double quota_v1(em__host *host, const char *folder)
{
    char path[PATH_BYTES];
    uint64_t quota, period;
    em__print(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (em__host_u64(host, path, &quota) < 0 || quota == 0) {
        return NAN; /* -1 is no limit, and no unsigned number. */
    }
    em__print(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    return em__host_u64(host, path, &period) < 0 || period == 0 ? NAN : (double)quota / (double)period;
}

/* The least quota from a group up to its root. In a container the path may be the host's: then only the root is found. */
static double least_quota(em__host *host, const char *base, const char *group,
                          double (*quota_of)(em__host *host, const char *folder))
{
    char folder[PATH_BYTES];
    em__print(folder, sizeof folder, "%s%s", base, group);
    double least = NAN;
    for (int i = 0; i < MOST_PARENTS; i++) {
        double quota = quota_of(host, folder);
        least = isnan(quota) ? least : lesser(least, quota);
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < strlen(base)) {
            break;
        }
        *slash = '\0';
    }
    return least;
}

static int has_cpu(const char *controllers)
{
    for (const char *at = controllers; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        if (strcspn(at, ",") == 3 && strncmp(at, "cpu", 3) == 0) {
            return 1;
        }
    }
    return 0;
}

/* A line is "id:controllers:path"; of version 2 there is one, without controllers. */
static double quota_of_line(em__host *host, char *line)
{
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    char base[PATH_BYTES];
    if (!group) {
        return NAN;
    }
    *controllers++ = *group++ = '\0';
    if (!controllers[0]) {
        return least_quota(host, "/sys/fs/cgroup", group, quota_v2);
    }
    em__print(base, sizeof base, "/sys/fs/cgroup/%s", controllers);
    return has_cpu(controllers) ? least_quota(host, base, group, quota_v1) : NAN;
}

/* "0-3,8" is five CPUs. */
static double count_list(const char *list)
{
    double count = 0;
    while (*list) {
        size_t length = strcspn(list, ","), digits = strspn(list, "0123456789");
        uint64_t first, last;
        if (em__parse_u64(list, digits, &first) < 0) {
            return NAN;
        }
        last = first;
        if (digits < length &&
            (list[digits] != '-' || em__parse_u64(list + digits + 1, length - digits - 1, &last) < 0)) {
            return NAN;
        }
        if (last < first || last > 1 << 20) {
            return NAN;
        }
        count += (double)(last - first + 1);
        list += length + (list[length] == ',');
    }
    return count > 0 ? count : NAN;
}

static double allowed(em__host *host, char *text)
{
    static const char key[] = "\nCpus_allowed_list:";
    if (em__host_text(host, "/proc/self/status", text, TEXT_BYTES) < 0) {
        return NAN;
    }
    char *at = strstr(text, key);
    if (!at) {
        return NAN;
    }
    at += sizeof key - 1;
    at += strspn(at, " \t");
    at[strcspn(at, "\n")] = '\0';
    return count_list(at);
}

double em__cpu_limit(em__host *host)
{
    char text[TEXT_BYTES];
    double least = allowed(host, text);
    if (em__host_text(host, "/proc/self/cgroup", text, sizeof text) < 0) {
        return least;
    }
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        double quota = quota_of_line(host, line);
        least = isnan(quota) ? least : lesser(least, quota);
    }
    return least;
}
