/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The part of NVML's binary interface that is used, declared anew: names, numbers and layouts as its public
 * documentation gives them. They are the same in every driver; what a driver lacks is found out by asking. */
#ifndef EM_SENSORS_NVML_API_H
#define EM_SENSORS_NVML_API_H

#include <stddef.h>

typedef struct nvml_device *nvml_handle;

enum {
    NVML_OK = 0,
    NVML_UNINITIALIZED = 1,
    NVML_INVALID_ARGUMENT = 2,
    NVML_NOT_SUPPORTED = 3,
    NVML_NO_PERMISSION = 4,
    NVML_NOT_FOUND = 6,
    NVML_INSUFFICIENT_SIZE = 7,
    NVML_DRIVER_NOT_LOADED = 9,
    NVML_TIMEOUT = 10,
    NVML_LIBRARY_NOT_FOUND = 12,
    NVML_FUNCTION_NOT_FOUND = 13,
    NVML_GPU_IS_LOST = 15,
    NVML_RESET_REQUIRED = 16,
    NVML_OPERATING_SYSTEM = 17, /* the control device is blocked by a cgroup */
    NVML_VERSION_MISMATCH = 18, /* library and kernel driver are of different versions */
    NVML_NO_DATA = 21,
    NVML_DEPRECATED = 26,
    NVML_GPU_NOT_FOUND = 28,
    NVML_UNKNOWN = 999
};

enum { NVML_NAME_SIZE = 96, NVML_UUID_SIZE = 96 };
enum { NVML_FIELD_ENERGY = 83 /* mJ since the driver was loaded */, NVML_FIELD_POWER_INSTANT = 186 /* mW */ };
enum {
    NVML_TYPE_DOUBLE = 0,
    NVML_TYPE_UINT = 1,
    NVML_TYPE_ULONG = 2,
    NVML_TYPE_ULONGLONG = 3,
    NVML_TYPE_LONGLONG = 4,
    NVML_TYPE_INT = 5,
    NVML_TYPE_USHORT = 6
};

typedef struct {
    unsigned int field, scope; /* scope 0: the GPU; 1: the module with its CPU; 2: the GPU's memory */
    long long stamp_us;        /* wall clock, of the last update */
    long long latency_us;
    unsigned int type;
    int result; /* of this field alone; value is junk unless it is NVML_OK */
    union {
        double d;
        unsigned int ui;
        unsigned long ul;
        unsigned long long ull;
        long long ll;
        int i;
        unsigned short us;
    } value;
} nvml_field;
_Static_assert(sizeof(nvml_field) == 40 && offsetof(nvml_field, stamp_us) == 8 && offsetof(nvml_field, value) == 32,
               "nvmlFieldValue_t");

/* Version 2 ends after subsystem with 16 reserved bytes; what is used of it lies where version 3 has it. */
typedef struct {
    char legacy_id[16];
    unsigned int domain, bus, device, device_vendor, subsystem;
    char id[32];
} nvml_pci;
_Static_assert(sizeof(nvml_pci) == 68 && offsetof(nvml_pci, domain) == 16, "nvmlPciInfo_t");

typedef struct {
    unsigned int gpu, memory; /* percent */
} nvml_utilisation;

/* Of versions 2 and 3; the first version ends after memory. */
typedef struct {
    unsigned int pid;
    unsigned long long memory;
    unsigned int gpu_instance, compute_instance;
} nvml_process;

/* How a process may hold a board, each a list of its own. */
enum { NVML_COMPUTES, NVML_DRAWS, NVML_COMPUTES_BY_MPS, NVML_PROCESS_LISTS };
_Static_assert(sizeof(nvml_process) == 24 && offsetof(nvml_process, gpu_instance) == 16, "nvmlProcessInfo_v2_t");

#endif
