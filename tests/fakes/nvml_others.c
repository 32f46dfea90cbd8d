/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the stand-in for NVML answers to programs other than ours, which are measured beside it. */
#include <stdio.h>

#define CALL(name, ...)                                                                                                \
    __attribute__((visibility("default"))) int name(__VA_ARGS__);                                                      \
    __attribute__((visibility("default"))) int name(__VA_ARGS__)

extern int nvmlInit_v2(void);
extern int nvmlDeviceGetEnforcedPowerLimit(void *handle, unsigned *limit);

CALL(nvmlInitWithFlags, unsigned flags)
{
    (void)flags;
    return nvmlInit_v2();
}

CALL(nvmlDeviceGetPowerManagementLimit, void *handle, unsigned *limit)
{
    return nvmlDeviceGetEnforcedPowerLimit(handle, limit);
}

CALL(nvmlDeviceGetMemoryInfo, void *handle, unsigned long long sizes[3])
{
    sizes[0] = 80ULL << 30;
    sizes[1] = 79ULL << 30;
    sizes[2] = 1ULL << 30;
    return handle ? 0 : 2;
}

CALL(nvmlDeviceGetTemperature, void *handle, int sensor, unsigned *degrees)
{
    (void)sensor;
    *degrees = 40;
    return handle ? 0 : 2;
}

CALL(nvmlDeviceGetComputeMode, void *handle, int *mode)
{
    *mode = 0;
    return handle ? 0 : 2;
}

CALL(nvmlDeviceGetArchitecture, void *handle, unsigned *architecture)
{
    *architecture = 7;
    return handle ? 0 : 2;
}

CALL(nvmlSystemGetDriverVersion, char *version, unsigned size)
{
    snprintf(version, size, "%s", "550.54.15");
    return 0;
}
