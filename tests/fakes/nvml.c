/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/*
 * A stand-in for libnvidia-ml.so.1, loaded as the real one is. It plays the script that EM_FAKE_NVML names (see
 * nvml_script.c); without that variable it says that no driver is loaded. The script is read anew whenever NVML is started
 * from nothing. Time is CLOCK_MONOTONIC since then, or what fake_nvml_set_clock says from its first call on.
 */
#include "nvml_script.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

static struct {
    pthread_mutex_t lock;
    struct script script;
    int starts, stops;
    int is_driven;
    uint64_t clock_ns, started_ns;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t time_ns(void)
{
    return fake.is_driven ? fake.clock_ns : monotonic_ns() - fake.started_ns;
}

static void sleep_ns(uint64_t ns)
{
    struct timespec left = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
    while (nanosleep(&left, &left) != 0) {
        continue;
    }
}

static int leave(int code)
{
    pthread_mutex_unlock(&fake.lock);
    return code;
}

/* OK, locked; else a code, unlocked. */
static int enter(const void *handle, struct board **ret_board)
{
    pthread_mutex_lock(&fake.lock);
    struct board *boards = fake.script.boards;
    size_t offset = (size_t)((uintptr_t)handle - (uintptr_t)boards), number = offset / sizeof *boards;
    if (fake.starts == fake.stops) {
        return leave(UNINITIALIZED);
    }
    if (!handle || number >= BOARDS || offset % sizeof *boards != 0) {
        return leave(INVALID);
    }
    if (time_ns() >= boards[number].lost_ns && time_ns() < boards[number].back_ns) {
        return leave(LOST);
    }
    *ret_board = &boards[number];
    return OK;
}

static int is_slice(const void *handle, const struct slice **ret_slice)
{
    for (int i = 0; i < fake.script.count; i++) {
        for (int j = 0; j < fake.script.boards[i].slice_count; j++) {
            if (handle == &fake.script.boards[i].slices[j]) {
                *ret_slice = handle;
                return 1;
            }
        }
    }
    return 0;
}

static void put_text(const char *text, char *out, unsigned size)
{
    if (fake.script.is_garbage) {
        memset(out, 0xC3, size);
    } else if (size > 0) {
        snprintf(out, size, "%s", text);
    }
}

static void spin_ns(uint64_t ns)
{
    for (uint64_t begin_ns = monotonic_ns(); ns > 0 && monotonic_ns() - begin_ns < ns;) {
        continue;
    }
}

/* The time that a call takes before it looks, and after that. */
typedef struct {
    uint64_t spin_ns, sleep_ns;
} cost;

/* A call that reads begins: OK, or a code. */
static int begin_reading(const void *handle, cost *ret_cost)
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    board->calls++;
    *ret_cost = (cost){.spin_ns = board->cost_ns / 2, .sleep_ns = (uint64_t)board->slow_us * 1000};
    if (time_ns() >= board->hang_ns) {
        board->hang_ns = UINT64_MAX;
        ret_cost->sleep_ns = board->hang_for_ns;
    }
    leave(OK);
    spin_ns(ret_cost->spin_ns);
    return OK;
}

static int end_reading(cost taken, int code)
{
    spin_ns(taken.spin_ns);
    if (taken.sleep_ns > 0) {
        sleep_ns(taken.sleep_ns);
    }
    return code;
}

/* The counter or the gauge, with the failures that the script gives it. */
static int reading(const void *handle, int is_energy, uint64_t *ret_value, long long *ret_stamp_us)
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    uint64_t t_ns = time_ns();
    code = is_energy ? (t_ns < board->energy_until_ns ? board->energy : NOT_SUPPORTED) : board->power;
    if (code == OK && t_ns >= board->fail_ns && t_ns < board->mend_ns) {
        code = board->fail;
    }
    board->reads += is_energy != 0;
    uint64_t at_ns = board_update_ns(board, is_energy, t_ns);
    *ret_value = is_energy ? board_counter_mj(board, t_ns, at_ns) : board_power_mw(board, at_ns);
    *ret_stamp_us = board_stamp_us(board, at_ns);
    return leave(code);
}

/* A call of its own. */
static int read_one(const void *handle, int is_energy, uint64_t *ret_value)
{
    cost taken;
    long long stamp_us;
    int code = begin_reading(handle, &taken);
    return code == OK ? end_reading(taken, reading(handle, is_energy, ret_value, &stamp_us)) : code;
}

#define CALL(name, ...)                                                                                                \
    EXPORT int name(__VA_ARGS__);                                                                                      \
    EXPORT int name(__VA_ARGS__)

CALL(nvmlInit_v2, void)
{
    pthread_mutex_lock(&fake.lock);
    int code = OK;
    if (fake.starts == fake.stops) {
        code = script_read(&fake.script);
        fake.started_ns = fake.script.start_ns ? fake.script.start_ns : monotonic_ns();
    }
    fake.starts += code == OK;
    return leave(code);
}

CALL(nvmlShutdown, void)
{
    pthread_mutex_lock(&fake.lock);
    if (fake.starts == fake.stops) {
        return leave(UNINITIALIZED);
    }
    fake.stops++;
    return leave(OK);
}

EXPORT const char *nvmlErrorString(int code);
EXPORT const char *nvmlErrorString(int code)
{
    switch (code) {
    case OK:
        return "Success";
    case NOT_SUPPORTED:
        return "Not Supported";
    case 4:
        return "Insufficient Permissions";
    case NOT_LOADED:
        return "Driver Not Loaded";
    case LOST:
        return "GPU is lost";
    case 18:
        return "Driver/library version mismatch";
    default:
        return "Unknown Error";
    }
}

CALL(nvmlDeviceGetCount_v2, unsigned *count)
{
    pthread_mutex_lock(&fake.lock);
    if (fake.starts == fake.stops) {
        return leave(UNINITIALIZED);
    }
    *count = fake.script.claimed >= 0 ? (unsigned)fake.script.claimed : (unsigned)fake.script.count;
    return leave(OK);
}

CALL(nvmlDeviceGetHandleByIndex_v2, unsigned index, void **handle)
{
    struct board *board;
    if (fake.script.is_null) {
        *handle = NULL;
        return OK;
    }
    if (index >= (unsigned)fake.script.count) {
        return INVALID;
    }
    int code = enter(&fake.script.boards[index], &board);
    if (code != OK) {
        return code;
    }
    *handle = board;
    return leave(board->handle);
}

CALL(nvmlDeviceGetName, void *handle, char *name, unsigned size)
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    put_text(board->name, name, size);
    return leave(OK);
}

CALL(nvmlDeviceGetUUID, void *handle, char *uuid, unsigned size)
{
    struct board *board;
    const struct slice *slice;
    if (is_slice(handle, &slice)) {
        put_text(slice->uuid, uuid, size);
        return OK;
    }
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    put_text(board->uuid, uuid, size);
    return leave(OK);
}

struct pci {
    char legacy_id[16];
    unsigned domain, bus, device, ids, subsystem;
    char id[32];
};

CALL(nvmlDeviceGetPciInfo_v3, void *handle, struct pci *pci)
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    *pci = (struct pci){.domain = board->domain, .bus = board->bus, .device = board->device, .ids = 0x10de};
    snprintf(pci->id, sizeof pci->id, "%08X:%02X:%02X.0", board->domain, board->bus, board->device);
    snprintf(pci->legacy_id, sizeof pci->legacy_id, "%04X:%02X:%02X.0", board->domain & 0xFFFF, board->bus & 0xFF,
             board->device & 0xFF);
    return leave(OK);
}

CALL(nvmlDeviceGetTotalEnergyConsumption, void *handle, unsigned long long *energy)
{
    uint64_t value;
    int code = read_one(handle, 1, &value);
    if (code == OK) {
        *energy = value;
    }
    return code;
}

CALL(nvmlDeviceGetPowerUsage, void *handle, unsigned *power)
{
    uint64_t value;
    int code = read_one(handle, 0, &value);
    if (code == OK) {
        *power = (unsigned)value;
    }
    return code;
}

/* nvmlFieldValue_t. */
struct field {
    unsigned id, scope;
    long long stamp_us, latency_us;
    unsigned type;
    int code;
    unsigned long long value;
};

/* Is told of every call that reads fields. */
static void (*listener)(void *handle, int count);

EXPORT void fake_nvml_listen(void (*to)(void *handle, int count));
EXPORT void fake_nvml_listen(void (*to)(void *handle, int count))
{
    listener = to;
}

CALL(nvmlDeviceGetFieldValues, void *handle, int count, struct field *fields)
{
    cost taken;
    if (listener) {
        listener(handle, count);
    }
    struct board *board;
    int code = begin_reading(handle, &taken);
    code = code == OK ? enter(handle, &board) : code;
    if (code != OK) {
        return code;
    }
    int supported = leave(board->fields);
    for (int i = 0; i < count; i++) {
        int is_energy = fields[i].id == 83;
        uint64_t value = UINT64_MAX;
        fields[i].code = fields[i].id == 83 || fields[i].id == 186 ? supported : NOT_SUPPORTED;
        if (fields[i].code == OK) {
            fields[i].code = reading(handle, is_energy, &value, &fields[i].stamp_us);
        }
        fields[i].type = is_energy ? 3 : 1;
        /* The upper half belongs to nobody where the value is an unsigned int. */
        fields[i].value = is_energy ? value : 0xDEADBEEF00000000 | (value & 0xFFFFFFFF);
    }
    return end_reading(taken, OK);
}

CALL(nvmlDeviceGetEnforcedPowerLimit, void *handle, unsigned *limit)
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    *limit = board->limit_mw;
    return leave(board->limit);
}

CALL(nvmlDeviceGetPowerManagementLimitConstraints, void *handle, unsigned *least, unsigned *most)
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    *least = 1000;
    *most = board->most_mw;
    return leave(board->most_mw ? OK : NOT_SUPPORTED);
}

CALL(nvmlDeviceGetUtilizationRates, void *handle, unsigned rates[2])
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    rates[0] = board->percent;
    rates[1] = 0;
    return leave(board->util);
}

CALL(nvmlDeviceGetCudaComputeCapability, void *handle, int *major, int *minor)
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    *major = board->major;
    *minor = board->minor;
    return leave(OK);
}

CALL(nvmlDeviceGetMigMode, void *handle, unsigned *now, unsigned *after_reset)
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    *now = *after_reset = board->slice_count > 0;
    return leave(OK);
}

CALL(nvmlDeviceGetMaxMigDeviceCount, void *handle, unsigned *count)
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    *count = SLICES;
    return leave(OK);
}

CALL(nvmlDeviceGetMigDeviceHandleByIndex, void *handle, unsigned index, void **slice)
{
    struct board *board;
    int code = enter(handle, &board);
    if (code != OK) {
        return code;
    }
    if (index >= (unsigned)board->slice_count) {
        return leave(6);
    }
    *slice = &board->slices[index];
    return leave(OK);
}

/* ----------------------------------------------------------------------------------------------------------- for tests */

EXPORT void fake_nvml_set_clock(uint64_t ns);
EXPORT void fake_nvml_set_clock(uint64_t ns)
{
    pthread_mutex_lock(&fake.lock);
    fake.is_driven = 1;
    fake.clock_ns = ns;
    leave(OK);
}

/* Starts that were not shut down again. */
CALL(fake_nvml_open_count, void)
{
    pthread_mutex_lock(&fake.lock);
    return leave(fake.starts - fake.stops);
}

CALL(fake_nvml_start_count, void)
{
    pthread_mutex_lock(&fake.lock);
    return leave(fake.starts);
}

/* How often the counter of a board was read since the script was. */
CALL(fake_nvml_read_count, unsigned index)
{
    pthread_mutex_lock(&fake.lock);
    return leave(index < BOARDS ? (int)fake.script.boards[index].reads : -1);
}

/* How often it was called for counter or power since then, for one or for both. */
CALL(fake_nvml_call_count, unsigned index)
{
    pthread_mutex_lock(&fake.lock);
    return leave(index < BOARDS ? (int)fake.script.boards[index].calls : -1);
}

/* What a board has truly used between two of its times, in J. */
EXPORT double fake_nvml_energy_j(unsigned index, uint64_t from_ns, uint64_t to_ns);
EXPORT double fake_nvml_energy_j(unsigned index, uint64_t from_ns, uint64_t to_ns)
{
    pthread_mutex_lock(&fake.lock);
    const struct board *board = &fake.script.boards[index < BOARDS ? index : 0];
    wave power = wave_sum(board->waves, (size_t)board->wave_count);
    double energy_j = wave_energy_j(&power, from_ns, to_ns);
    leave(OK);
    return energy_j;
}
