/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the tests of rapl-powercap share: one zone made by hand, and what the sensor finds. */
#ifndef TESTS_SENSORS_RAPL_RIG_H
#define TESTS_SENSORS_RAPL_RIG_H

#include "probing.h"

static inline em__probe probe_rapl(em__host *host, uint32_t measure)
{
    em__selection selection = everything();
    em__probe probe = {0};
    selection.measure = measure;
    CHECK_INT(em__sensor_rapl_powercap.probe(host, &selection, &probe), EM_OK);
    return probe;
}

static inline void finish(em__host *host, em__probe *probe)
{
    em__sensors_free(probe);
    CHECK_INT(host->references, 1);
    em__host_unref(host);
}

#define ZONE "/sys/class/powercap/intel-rapl:0"

static inline em__host *one_zone(const char *folder, const char *name)
{
    em__host *host = empty_machine(0);
    char path[300];
    snprintf(path, sizeof path, "%s/name", folder);
    put(host, path, name);
    snprintf(path, sizeof path, "%s/energy_uj", folder);
    put(host, path, "1000\n");
    snprintf(path, sizeof path, "%s/max_energy_range_uj", folder);
    put(host, path, "262143328850\n");
    return host;
}

#endif
