/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A whole terminal, borrowed and given back as it was. Plain control sequences of ECMA-48 and xterm, by hand. */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stddef.h>
#include <termios.h>

typedef struct {
    struct termios before; /* how stdin was */
    int is_terminal;       /* stdin is one, and before holds */
    int is_entered;
    int has_color, has_utf8;
    size_t width, height;
} screen;

/* NULL: stdout is a terminal that can be drawn on; else why not, with the remedy. */
const char *screen_refusal(void);
void screen_init(screen *ret_screen);
void screen_enter(screen *of);
/* Gives it back; also twice. */
void screen_leave(screen *of);
void screen_measure(screen *of);
/* 0, or -1 with errno: the terminal is gone. */
int screen_write(const char *text, size_t length);

#endif
