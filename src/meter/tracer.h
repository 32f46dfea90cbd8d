/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Writes a trace: records into a queue of fixed size, under the door; from there into the file, outside of it. */
#ifndef EM_METER_TRACER_H
#define EM_METER_TRACER_H

#include "core/event.h"
#include "meter/trace.h"

typedef struct em__tracer em__tracer;

enum { EM__TRACER_QUEUE = 1 << 20 };

/* The beginning of a trace is in the queue then. descriptor stays the caller's. EM_ERR_NO_MEMORY. */
int em__tracer_create(int descriptor, const em__ledger_setup *setup, const em__surroundings *around,
                      em__tracer **ret_tracer);
void em__tracer_destroy(em__tracer *tracer); /* writes what can be written at once; NULL is ignored */

/* With the door locked; never wait, and cost little more than copying. 1: much is in the queue by now: write it soon. */
int em__tracer_event(em__tracer *tracer, const em__event *event);
void em__tracer_around(em__tracer *tracer, const em__surroundings *around);
void em__tracer_end(em__tracer *tracer); /* nothing is missing up to here, so far as the queue held it */

/* Without the door. Another thread that writes just now is not waited for, unless there is patience. */
void em__tracer_write(em__tracer *tracer, uint64_t patience_ns);

/* EM_OK, or EM_ERR_SYSTEM and why it lacks something; ret_error's text and remedy are filled in. */
int em__tracer_status(em__tracer *tracer, em_error *ret_error);

#endif
