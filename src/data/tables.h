/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What tools/tables.py makes of data/: sorted, and constant. */
#ifndef EM_DATA_TABLES_H
#define EM_DATA_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* The electricity of a country or state over a year. */
typedef struct {
    const char *zone, *name; /* "US-CA", "California" */
    const char *source;      /* "U.S. EPA eGRID2023 (rev 2, June 2025)" */
    const char *method;      /* "life-cycle" or "direct" */
    double g_per_kwh;
    int year;
} em__intensity;

/* A name that a user may give: a zone, an ISO code of three letters, a region of a cloud. */
typedef struct {
    const char *location, *name;
    const em__intensity *intensity;
    double pue;             /* of the provider there; 0: none is published */
    const char *pue_source; /* NULL: none */
} em__place;

extern const em__intensity em__intensities[];
extern const size_t em__intensity_count;
extern const em__place em__places[]; /* by location, in lower case */
extern const size_t em__place_count;

typedef struct {
    uint32_t key; /* where it begins in keys */
    uint32_t power_mw;
    uint16_t cores;  /* 0: unknown */
    uint16_t origin; /* index of origins */
} em__power_row;

typedef struct {
    const char *keys;
    const em__power_row *rows; /* by key */
    size_t count;
    const char *const *origins;
} em__power_table;

extern const em__power_table em__cpu_powers, em__gpu_powers;

/* What a PCI id stands for, where that is one model alone. */
typedef struct {
    const char *id;  /* "1002:74a1" */
    const char *key; /* of em__gpu_powers */
} em__gpu_id;

extern const em__gpu_id em__gpu_ids[]; /* by id */
extern const size_t em__gpu_id_count;

#endif
