/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The state that all draws of a test program share. */
#include "rig/random.h"

uint64_t rig_random_state;
