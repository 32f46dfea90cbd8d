/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a sensor states of one of its numbers: facts, never roles. Filled in by its probe and constant afterwards. */
#ifndef EM_CORE_CHANNEL_H
#define EM_CORE_CHANNEL_H

#include <stdint.h>

enum { EM__NAME_SIZE = 64, EM__SOURCE_SIZE = 256, EM__TEXT_SIZE = 320, EM__UUID_SIZE = 96, EM__PCI_SIZE = 16 };

/* Where a thermal design power comes from if the caller gave it. */
#define EM__TDP_GIVEN "given"

/* Which silicon of its place a channel covers. metrics/roles decides from this and from the place. */
typedef enum {
    EM__COVERS_PACKAGE,    /* a CPU socket */
    EM__COVERS_DIE,        /* one die of a socket, with a counter of its own */
    EM__COVERS_DIE_ALIAS,  /* named after a die, but reading the whole socket's counter (AMD, Hygon) */
    EM__COVERS_CORE,       /* inside the package */
    EM__COVERS_UNCORE,     /* inside the package */
    EM__COVERS_DRAM,       /* memory of a socket */
    EM__COVERS_BOARD,      /* a GPU board */
    EM__COVERS_PLATFORM,   /* more than components: psys, a supply */
    EM__COVERS_ALL_CPUS,   /* the CPU model */
    EM__COVERS_ALL_MEMORY, /* the memory model */
    EM__COVERS_RAIL,       /* one of the feeds (number: die) that a socket without a counter of its own is the sum of */
    EM__COVERS_MODULE,     /* the input of a module: its CPUs, memory and integrated GPU together */
    EM__COVERS_PIECE,      /* inside the thing that inside names, else inside a rail (number: die), else the module */
    EM__COVERS_UNKNOWN,    /* nobody says what it feeds */
    EM__COVERS_DOMAIN      /* some or all of its domain, as a user says; several such are of different things */
} em__covers;

typedef struct {
    char name[EM__NAME_SIZE];     /* "cpu-0/package"; metrics/roles adds "@sensor" to the lower of two equal ones */
    char source[EM__SOURCE_SIZE]; /* as seen below the root, or "nvml:GPU-…" */
    char device_name[EM__NAME_SIZE * 2]; /* model of board or CPU; "" unknown */
    char uuid[EM__UUID_SIZE];            /* "" none */
    char pci[EM__PCI_SIZE];              /* "0000:3b:00.0", lower case; "" none */
    char reason[EM__TEXT_SIZE];          /* why it is unreadable, and the remedy; or what to know of it; "" */
    int32_t domain, kind;                /* em_domain, em_kind */
    int32_t status;                      /* EM_OK, or why it cannot be read (EM_ERR_PERMISSION …) */
    em__covers covers;
    int32_t package, die, gpu;     /* the place; -1 where it does not apply */
    uint64_t scale_num, scale_den; /* raw × num / den = µJ (counter, model) or mW (gauge) */
    uint64_t range;                /* raw: largest value before it wraps to 0; 0: unknown or never */
    uint64_t unit;                 /* raw: its smallest step, also added to range where it wraps; 0: 1 */
    int32_t may_rest;              /* of a counter: it stands still while its device sleeps */
    int32_t is_endless;            /* the kernel joins the wraps while it is read: values go on beyond the range */
    uint64_t refresh_ns;           /* between updates, documented or seen; 0: unknown */
    uint64_t interval_ns;          /* never read more often than this; 0: at any time */
    uint64_t sparing_interval_ns;  /* the interval that spares a counter which frequent reading spoils; 0: none does */
    uint64_t average_ns;           /* of a gauge: it shows the mean over this time; 0: the instant, or unknown */
    uint64_t ceiling_mw;           /* highest believable power (docs/measurement.md §2 rule 9) */
    int32_t shaped_by;             /* of a counter: how many channels further on its device's gauge of the same silicon
                                      is, whose samples tell how power ran between its readings; 0: none */
    int32_t gauge;                 /* the same, whether or not its samples shape the counter */
    uint64_t notes;                /* EM_NOTE_BIT(…) that hold for every reading */
    double gain;                   /* k = 1, as a fraction (docs/measurement.md §7) */
    double tdp_each_w, tdp_count;  /* a model's power of one piece, and of how many; NAN: no model */
    uint64_t limit_mw;             /* what the device holds its power to; 0: unknown */
    int32_t thing;        /* channels of one number, whatever their sensors, measure one thing; 0: their place tells */
    int32_t inside;       /* the thing around it; 0: its place tells */
    int32_t is_overruled; /* the user wants it counted, whatever it measures */
    int32_t holds_memory; /* a socket whose number has its memory in it */
    int32_t is_estimate;  /* a gauge or counter that the system computes from a model */
    char tdp_from[64];    /* where tdp_each_w comes from: "given", "default for a laptop"; "": no model */
} em__channel;

/* What one read gave for one channel. */
typedef enum {
    EM__READ_OK,
    EM__READ_AGAIN, /* failed this time: a gap, never a zero */
    EM__READ_GONE,  /* will not come back by itself */
    EM__READ_NONE   /* not asked for this time: no event, and no gap */
} em__outcome;

typedef struct {
    uint64_t value; /* raw; valid with EM__READ_OK only */
    uint64_t stamp; /* the device's own time of its last update, any unit; 0: none. Of a model that gives one: when it
                       was evaluated last, on the host's CLOCK_MONOTONIC in ns */
    em__outcome outcome;
    int32_t status; /* EM_OK or why not */
} em__reading;

#endif
