/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The GPUs of the three makers that the PCI bus shows, looked at once for all sensors; and the choice among AMD's and
 * Intel's, whose boards a hwmon chip may show as well. */
#ifndef EM_SENSORS_GPU_BUS_H
#define EM_SENSORS_GPU_BUS_H

#include "sensors/gpu_chip.h"
#include "sensors/visible.h"

typedef struct {
    em__board board; /* index: among its maker's usable ones; of one that is bare, its N in "gpu-N" */
    em__maker maker;
    int is_usable;     /* a driver of today holds it (of NVIDIA's: not nouveau) */
    int is_integrated; /* on the first bus: part of a CPU */
    int is_bare;       /* AMD's or Intel's, chosen, and without a chip: a model is all there can be */
} em__bus_gpu;

typedef struct em__gpu_bus {
    em__bus_gpu *gpus; /* in the order of the bus */
    size_t count, capacity;
    em__host *host; /* not owned */
} em__gpu_bus;

/* 0 or EM_ERR_NO_MEMORY. Begun by the first sensor that asks, and shared through em__probe. */
int em__probe_bus(em__host *host, em__probe *probe, const em__gpu_bus **ret_bus);
void em__gpu_bus_free(em__gpu_bus *bus); /* NULL is ignored */

/* One of AMD's or Intel's. */
typedef struct {
    em__board board;            /* index: its N in "gpu-N" */
    const em__hwmon_chip *chip; /* NULL: it shows none */
    em__gpu_chip gpu;
    int is_in_cpu; /* measured with its CPU, whatever is chosen; it has no N */
    int is_chosen;
} em__gpu_entry;

typedef struct {
    em__gpu_entry *entries; /* in PCI order; the caller's, to be freed */
    size_t count, chosen;
    uint64_t notes; /* EM_NOTE_MAPPING_UNKNOWN, EM_NOTE_MIG */
} em__gpu_set;

/* The maker's boards with these driver names' chips, and those on the bus without a chip; chosen among by the selection.
 * is_in_cpu tells of a chip. EM_ERR_INVALID, EM_ERR_NO_MEMORY. */
int em__gpu_set_make(em__host *host, const em__selection *selection, em__probe *probe, em__maker maker,
                     int (*is_in_cpu)(const em__hwmon_chip *chip, const em__gpu_chip *gpu), em__gpu_set *ret_set);

/* Place, names, gain and doubts of one of its channels; word: "board". */
void em__gpu_entry_describe(const em__gpu_entry *entry, int32_t index, uint64_t notes, const char *word,
                            em__channel *channel);
/* Nothing of a maker's was found to read: with what the bus has of its boards. */
int em__gpu_bus_explain(em__host *host, em__probe *probe, const em__sensor *sensor, em__maker maker,
                        size_t first_device, const char *hint, const char *reason);

#endif
