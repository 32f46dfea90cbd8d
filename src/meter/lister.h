/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Lists windows as they become final: a line for each into a caller's file. */
#ifndef EM_METER_LISTER_H
#define EM_METER_LISTER_H

#include "energy_meter.h"

typedef struct em__lister em__lister;

enum { EM__LISTER_MOST = 4096 }; /* windows that wait for their line */

/* From now on the meter's ledger keeps windows until they are listed. format: EM_FORMAT_JSON or EM_FORMAT_CSV. descriptor
 * stays the caller's. EM_ERR_NO_MEMORY. */
int em__lister_create(int descriptor, int32_t format, em_meter *meter, em__lister **ret_lister);
void em__lister_destroy(em__lister *lister); /* NULL is ignored */

/* With the door locked. 1: many have come to wait: write them soon. */
int em__lister_is_urgent(em__lister *lister, const em_meter *meter);
/* Without the door, which is locked for a few windows at a time; formats and writes outside of it. Another thread that
 * writes just now is not waited for, unless there is patience. */
void em__lister_write(em__lister *lister, em_meter *meter, uint64_t patience_ns);

/* EM_OK, or EM_ERR_SYSTEM and why lines are missing; ret_error's text and remedy are filled in. */
int em__lister_status(em__lister *lister, em_error *ret_error);

#endif
