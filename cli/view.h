/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The live display as text with control sequences, for any size of a screen. */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "history.h"
#include "screen.h"

#include <stdio.h>

void view_draw(FILE *to, const screen *on, const history *of, double interval_s);

/* One line of JSON. */
void view_json(FILE *to, const history *of);

#endif
