/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Reads a trace into memory, to be played in the place of a machine. */
#ifndef EM_METER_PLAYBACK_H
#define EM_METER_PLAYBACK_H

#include "energy_meter.h"
#include "sensors/tape.h"

/* All of it, at once; one that was cut off as far as it goes. EM_ERR_INVALID, EM_ERR_SYSTEM, EM_ERR_NO_MEMORY. */
int em__playback_load(int descriptor, em_error *error, em__tape **ret_tape);

#endif
