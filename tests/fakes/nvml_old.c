/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A stand-in for an old libnvidia-ml: first versions of the functions that every release has, one board that tells its
 * power, and nothing else, not even its words for errors. */
#define EXPORT __attribute__((visibility("default")))
#define CALL(name, ...)                                                                                                \
    EXPORT int name(__VA_ARGS__);                                                                                      \
    EXPORT int name(__VA_ARGS__)

static int board;

CALL(nvmlInit, void)
{
    return 0;
}

CALL(nvmlShutdown, void)
{
    return 0;
}

CALL(nvmlDeviceGetCount, unsigned *count)
{
    *count = 1;
    return 0;
}

CALL(nvmlDeviceGetHandleByIndex, unsigned index, void **handle)
{
    *handle = &board;
    return index == 0 ? 0 : 2;
}

CALL(nvmlDeviceGetPowerUsage, void *handle, unsigned *power)
{
    *power = 61000;
    return handle == &board ? 0 : 2;
}
