/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Locations as users write them: "FR", "US-CA", "aws:eu-west-1". */
#ifndef EM_DATA_PLACE_H
#define EM_DATA_PLACE_H

#include "data/tables.h"

/* Upper and lower case are the same; NULL: no such place. */
const em__place *em__place_find(const char *location);

/* Up to three nearest ones as words, "\"FR\" (France), …", into text; 0: none is near. */
size_t em__place_suggest(const char *location, char *text, size_t size);

/* The world average. */
const em__place *em__place_world(void);

#endif
