/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whether another process holds a counted GPU: asked in a thread of its own, so that a driver that hangs holds nobody. */
#ifndef EM_METER_SHARING_H
#define EM_METER_SHARING_H

#include "energy_meter.h"
#include "sensors/sensor.h"

typedef struct em__sharing em__sharing;

/* NULL: no memory. The probe's devices are still in it. */
em__sharing *em__sharing_create(em__host *host, const em__probe *probe);

/* Looks at the GPUs that are counted now. patience_ns 0: in this thread, however long it takes; else at most so long, and
 * what a look that is still under way finds counts for the next answer. Never with the door locked. */
void em__sharing_look(em__sharing *sharing, em_meter *meter, uint64_t patience_ns);

/* Of all looks since the last forget: 1 if one found somebody, else -1 if one could not tell or there was none, else 0. */
int em__sharing_answer(em__sharing *sharing);
void em__sharing_forget(em__sharing *sharing);

void em__sharing_close(em__sharing *sharing); /* gives the drivers back, as soon as a look has ended; no look follows */
void em__sharing_release(em__sharing *sharing); /* NULL is ignored */

#endif
