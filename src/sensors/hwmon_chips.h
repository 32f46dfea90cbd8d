/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the numbers of hwmon chips measure: a table, one row for each kind of number. */
#ifndef EM_SENSORS_HWMON_CHIPS_H
#define EM_SENSORS_HWMON_CHIPS_H

#include "sensors/hwmon_scan.h"

enum { EM__CHIP_POWER = 1, EM__CHIP_ENERGY = 2, EM__CHIP_VOLTS = 4 /* voltage × current of one number */ };

enum {
    EM__CHIP_NEVER_ZERO = 1, /* 0 is broken */
    EM__CHIP_SLOW = 2,       /* a read takes milliseconds, and nothing of it is counted: once a second */
    EM__CHIP_RARE = 4,       /* many, and never counted: every ten seconds */
    EM__CHIP_IN_TURN = 8,    /* the first of a machine belongs to socket 0, the next to socket 1 … */
    EM__CHIP_SPREAD = 16,    /* numbers run over the cores of all sockets */
    EM__CHIP_WHOLE = 32,     /* contains the chip's rows with IN_WHOLE, and is what SAME_AS_WHOLE repeats */
    EM__CHIP_IN_WHOLE = 64,
    EM__CHIP_SAME_AS_WHOLE = 128,
    EM__CHIP_WITH_MEMORY = 256 /* of a socket: its memory is in it */
};

/* A label's number is its socket's (core's with SPREAD). */
typedef struct {
    const char *chip, *label; /* patterns of em__parse_label; label NULL: whatever it is, or none */
    uint32_t types;           /* EM__CHIP_POWER … */
    em__covers covers;
    int32_t domain;
    int32_t rail;     /* of EM__COVERS_RAIL, and what EM__COVERS_PIECE lies in; -1 */
    const char *word; /* end of the channel's name; NULL: its label */
    uint32_t flags;
    uint32_t refresh_ms;
    uint32_t ceiling_w;
    double gain;
} em__chip_rule;

/* The row for a number, or NULL for a kind that no row names. ret_number: of its label, or -1. */
const em__chip_rule *em__chip_rule_of(const em__hwmon_chip *chip, const char *label, uint32_t type,
                                      int32_t *ret_number);
/* The chips that other sensors read. */
int em__chip_is_elsewhere(const char *chip);

#endif
