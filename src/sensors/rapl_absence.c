/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The diagnoses of rapl-powercap: forbidden, broken, hidden by a container, no zones, no driver. Each has its own advice. */
#include "sensors/rapl_absence.h"

#include "core/text.h"
#include "sensors/cpus.h"

#include <errno.h>
#include <string.h>

static const char permission_hint[] =
    "energy-meter setup --print shows the commands for a group of its own and the udev rule that keeps it: "
    "RUN+=\"/bin/chgrp rapl /sys%p/energy_uj\", RUN+=\"/bin/chmod g+r /sys%p/energy_uj\". Everybody, until the next boot: "
    "sudo chmod a+r /sys/class/powercap/intel-rapl*/energy_uj (can leak what others compute)";
static const char masked_hint[] =
    "start the container with --security-opt systempaths=unconfined (Docker), --security-opt "
    "unmask=/sys/devices/virtual/powercap (Podman) or procMount: Unmasked (Kubernetes); the counters are those of the "
    "whole host";
static const char broken_hint[] =
    "measure on the host where this is a virtual machine; else look for rapl in dmesg and update firmware and kernel";
static const char no_zones_hint[] =
    "the CPU or its hypervisor offers no energy counters to the kernel: look for rapl in dmesg; in a virtual machine "
    "measure on the host";

_Static_assert(sizeof permission_hint <= EM__TEXT_SIZE && sizeof masked_hint <= EM__TEXT_SIZE &&
                   sizeof no_zones_hint <= EM__TEXT_SIZE && sizeof masked_hint + 64 <= EM__TEXT_SIZE &&
                   sizeof broken_hint + 64 <= EM__TEXT_SIZE,
               "no hint may be cut");

void em__rapl_explain_energy(int error, em__channel *channel)
{
    switch (error) {
    case -EACCES:
    case -EPERM:
        channel->status = EM_ERR_PERMISSION;
        em__copy(channel->reason, sizeof channel->reason,
                 "this user may not read energy_uj (mode 0400 since Linux 5.10, CVE-2020-8694); until the next boot: "
                 "sudo chmod a+r /sys/class/powercap/intel-rapl*/energy_uj");
        break;
    case -ENOENT:
        channel->status = EM_ERR_NOT_SUPPORTED;
        em__copy(channel->reason, sizeof channel->reason, "the zone has no energy_uj: it limits power but counts none");
        break;
    default:
        channel->status = EM_ERR_BROKEN;
        em__print(channel->reason, sizeof channel->reason, "energy_uj answers %s; %s",
                  error == -EILSEQ ? "with what is no number" : strerror(-error), broken_hint);
    }
}

void em__rapl_explain_name(const em__rapl_zone *zone, em__channel *channel)
{
    if (zone->error == -ENOENT) {
        channel->status = EM_ERR_MASKED;
        em__print(channel->reason, sizeof channel->reason, "its folder is hidden in this container; %s", masked_hint);
    } else if (zone->error == -EACCES || zone->error == -EPERM) {
        channel->status = EM_ERR_PERMISSION;
        em__print(channel->reason, sizeof channel->reason, "this user may not read its name; sudo chmod a+r %s/name",
                  zone->path);
    } else {
        channel->status = EM_ERR_BROKEN;
        em__print(channel->reason, sizeof channel->reason, "its name file does not tell what it measures; %s",
                  broken_hint);
    }
}

int em__rapl_explain_zones(em__probe *probe, const em__rapl_tally *zones)
{
    const em__sensor *self = &em__sensor_rapl_powercap;
    int status = EM_OK;
    if (zones->masked) {
        status = em__probe_absent(probe, self, EM_ERR_MASKED, masked_hint,
                                  "%s lists %zu zones whose folders are hidden in this container", EM__RAPL_CLASS,
                                  zones->masked);
    }
    if (zones->readable) {
        return status;
    }
    if (status == EM_OK && zones->denied) {
        status = em__probe_absent(probe, self, EM_ERR_PERMISSION, permission_hint,
                                  "this user may not read the energy of %zu zones (mode 0400 since Linux 5.10, "
                                  "CVE-2020-8694)",
                                  zones->denied);
    }
    if (status == EM_OK && zones->broken) {
        status = em__probe_absent(probe, self, EM_ERR_BROKEN, broken_hint,
                                  "%zu zones answer with an error or with what is no energy counter", zones->broken);
    }
    if (status == EM_OK && zones->left_out && !zones->denied && !zones->broken && !zones->masked) {
        status = em__probe_absent(probe, self, EM_ERR_NOT_SELECTED, "", "the options leave CPU and memory out");
    }
    return status;
}

int em__rapl_explain_nothing(em__probe *probe, const em__rapl_zones *look)
{
    int error = look->error;
    const em__sensor *self = &em__sensor_rapl_powercap;
    if (error == -EACCES || error == -EPERM) {
        return em__probe_absent(probe, self, EM_ERR_PERMISSION, "let this user list the folder", "%s may not be listed",
                                EM__RAPL_CLASS);
    }
    if (look->control_types > 0) {
        return em__probe_absent(probe, self, EM_ERR_NO_ZONES, no_zones_hint,
                                "the intel-rapl driver is loaded but found no zones");
    }
    if (error < 0 && error != -ENOENT) {
        return em__probe_absent(probe, self, EM_ERR_BROKEN, broken_hint, "%s cannot be listed: %s", EM__RAPL_CLASS,
                                strerror(-error));
    }
    em__cpuinfo cpus;
    if (em__cpus_read(look->host, &cpus) == -ENOMEM) {
        return EM_ERR_NO_MEMORY;
    }
    const char *what = error < 0 ? "does not exist" : "holds no intel-rapl";
    if (cpus.is_virtual) {
        return em__probe_absent(probe, self, EM_ERR_NO_DRIVER,
                                "measure on the host: hypervisors pass no energy counters into a virtual machine",
                                "%s %s, and this is a virtual machine", EM__RAPL_CLASS, what);
    }
    return em__probe_absent(probe, self, EM_ERR_NO_DRIVER,
                            "sudo modprobe intel_rapl_msr (a kernel with CONFIG_INTEL_RAPL; Intel since Sandy Bridge, "
                            "AMD Zen since Linux 5.8); in a container ask the host to load it",
                            "%s %s", EM__RAPL_CLASS, what);
}
