/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The diagnoses of rapl-perf: forbidden, filtered by a container, not counted, no unit. Each has its own advice. */
#include "sensors/rapl_perf_absence.h"

#include "core/text.h"

#include <string.h>

static const char permission_hint[] =
    "sudo sysctl kernel.perf_event_paranoid=0 (until the next boot), or give one program the right: sudo setcap "
    "cap_perfmon=ep PROGRAM. Both let users see what others' work does to the CPU's energy (CVE-2020-8694)";
static const char masked_hint[] =
    "start the container with --cap-add PERFMON (Docker, Podman) or capabilities: add: [PERFMON] (Kubernetes), or a "
    "seccomp profile that allows perf_event_open; the counters are those of the whole host";
static const char broken_hint[] =
    "look for RAPL in dmesg, and update the kernel; powercap is used where it can be read";

_Static_assert(sizeof permission_hint + 72 <= EM__TEXT_SIZE && sizeof masked_hint + 72 <= EM__TEXT_SIZE,
               "no hint may be cut, nor where it follows a reason");

/* 1: a filter of system calls stands between, as containers have. */
static int is_filtered(em__host *host)
{
    static char key[] = "Seccomp:";
    char text[8192];
    int length = em__host_text(host, "/proc/self/status", text, sizeof text);
    const char *line = length > 0 ? strstr(text, key) : NULL;
    return line && strspn(line + sizeof key - 1, " \t0\n") < strcspn(line + sizeof key - 1, "\n");
}

static int32_t status_of(em__host *host, int error)
{
    switch (error) {
    case -EACCES:
        return EM_ERR_PERMISSION;
    case -EPERM:
        return is_filtered(host) ? EM_ERR_MASKED : EM_ERR_PERMISSION;
    case -ENOSYS:
        return EM_ERR_MASKED;
    case -ENOENT:
    case -ENODEV:
    case -ENXIO:
    case -EOPNOTSUPP:
        return EM_ERR_NOT_SUPPORTED;
    default:
        return EM_ERR_BROKEN;
    }
}

static const char *hint_of(int32_t status)
{
    return status == EM_ERR_PERMISSION ? permission_hint : status == EM_ERR_MASKED ? masked_hint : broken_hint;
}

void em__rapl_explain_event(em__host *host, int error, em__channel *channel)
{
    channel->status = status_of(host, error);
    em__print(channel->reason, sizeof channel->reason, "the kernel does not open this event: %s; %s",
              error == EM__RAPL_NO_EVENT ? "its files do not tell how" : strerror(-error), hint_of(channel->status));
}

int em__rapl_explain_events(em__probe *probe, em__host *host, int error, size_t left_out)
{
    const em__sensor *self = &em__sensor_rapl_perf;
    char level[16];
    int32_t status = status_of(host, error);
    const char *hint = hint_of(status);
    if (error == 0) {
        return left_out ? em__probe_absent(probe, self, EM_ERR_NOT_SELECTED, "", "the options leave CPUs out")
                        : em__probe_absent(probe, self, EM_ERR_NO_ZONES, broken_hint,
                                           "%s/power* list no events of energy", EM__RAPL_UNITS);
    }
    if (error == EM__RAPL_NO_VENDOR) {
        return em__probe_absent(probe, self, EM_ERR_NOT_SUPPORTED, "mount /proc, so that /proc/cpuinfo can be read",
                                "no vendor is known, and with it not whether the dies of a package share a counter");
    }
    if (error == EM__RAPL_NO_EVENT) {
        return em__probe_absent(probe, self, status, hint, "the files below %s/power* do not tell how to count energy",
                                EM__RAPL_UNITS);
    }
    if (status == EM_ERR_PERMISSION) {
        int length = em__host_text(host, "/proc/sys/kernel/perf_event_paranoid", level, sizeof level);
        return em__probe_absent(probe, self, status, hint,
                                "this user may not open perf events of whole CPUs (kernel.perf_event_paranoid is %s)",
                                length > 0 ? level : "unknown");
    }
    if (status == EM_ERR_MASKED) {
        return em__probe_absent(probe, self, status, hint, "this container refuses perf_event_open: %s",
                                strerror(-error));
    }
    return em__probe_absent(probe, self, status, hint, "the kernel lists events of energy and does not open them: %s",
                            strerror(-error));
}

int em__rapl_explain_units(em__probe *probe, em__host *host, const em__rapl_pmus *pmus, const em__cpuinfo *cpus)
{
    const em__sensor *self = &em__sensor_rapl_perf;
    if (!host->ops->perf_open) {
        return pmus->count == 0 ? EM_OK
                                : em__probe_absent(probe, self, EM_ERR_NOT_SUPPORTED, "measure with root /",
                                                   "perf events are those of the running system, and the root that "
                                                   "was given is another");
    }
    if (pmus->error < 0 && pmus->error != -ENOENT) {
        return em__probe_absent(probe, self, status_of(host, pmus->error), "let this user list the folder",
                                "%s cannot be listed: %s", EM__RAPL_UNITS, strerror(-pmus->error));
    }
    return em__probe_absent(
        probe, self, EM_ERR_NO_DRIVER,
        cpus->is_virtual ? "measure on the host: hypervisors pass no energy counters into a virtual machine"
                         : "sudo modprobe rapl (a kernel with CONFIG_PERF_EVENTS_INTEL_RAPL)",
        "%s holds no unit named power%s", EM__RAPL_UNITS, cpus->is_virtual ? ", and this is a virtual machine" : "");
}
