/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One board as NVML shows it: who it is, what it answers, and one reading of it. */
#ifndef EM_SENSORS_NVML_BOARD_H
#define EM_SENSORS_NVML_BOARD_H

#include "sensors/nvml_library.h"
#include "sensors/visible.h"

typedef struct {
    em__board board;
    nvml_handle handle;
    int code;       /* why the board cannot be opened; NVML_OK: it can */
    uint64_t place; /* the PCI address as a number; all ones: unknown */
} em__nvml_found;

/* Name, UUID and PCI address; all but handle and index. */
void em__nvml_identify(const em__nvml *nvml, nvml_handle handle, em__nvml_found *ret_found);
/* Whether the board is cut into slices (MIG), and into which. */
void em__nvml_slices(const em__nvml *nvml, nvml_handle handle, em__board *ret_board);

enum { EM__NVML_MOST_MW = 5000000 }; /* a limit above is junk */

typedef enum { EM__WAY_NONE, EM__WAY_FIELD, EM__WAY_CALL } em__nvml_way;

/* What a board answers, each asked for by itself: every combination exists. */
typedef struct {
    em__nvml_way energy, power;  /* how to read the counter (mJ) and the gauge (mW) */
    int energy_code, power_code; /* why not */
    int has_limit, has_utilisation;
    unsigned int limit_mw, most_mw; /* enforced now; the largest that can be set; 0: unknown */
    int major, minor;               /* CUDA's compute capability; 0: unknown */
} em__nvml_answers;

em__nvml_answers em__nvml_ask(const em__nvml *nvml, nvml_handle handle);

/* Facts that follow from the answers and the name. */
uint64_t em__nvml_ceiling_mw(const em__nvml_answers *answers);
uint64_t em__nvml_refresh_ns(const em__nvml_answers *answers);
/* What the gauge averages over; 0: unknown. */
uint64_t em__nvml_average_ns(const em__nvml_answers *answers);
double em__nvml_gain(const em__nvml_answers *answers);
/* The counter may be read at every sample. */
int em__nvml_is_fast(const char *name);

enum { EM__NVML_QUERIES = 2 };

/* One number that is asked of a board. stamp: µs of the driver's wall clock, 0 if the way knows none; value and stamp mean
 * something with NVML_OK alone. */
typedef struct {
    int32_t kind; /* EM_KIND_COUNTER, EM_KIND_GAUGE */
    em__nvml_way by;
    int code; /* NVML's */
    uint64_t value, stamp;
} em__nvml_query;

/* At most EM__NVML_QUERIES; all that are fields in one call. */
void em__nvml_read(const em__nvml *nvml, nvml_handle handle, em__nvml_query queries[], size_t count);
/* What a code means for a reading: what passes by itself is a gap, what does not ends the board until found anew. */
em__reading em__nvml_failure(int code);

#endif
