/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The alternate screen, without echo and without a cursor. */
#include "screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH = 80, HEIGHT = 24, LEAST_WIDTH = 20, LEAST_HEIGHT = 5, MOST = 500 };

static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave[] = "\033[?7h\033[?25h\033[0m\033[?1049l";

const char *screen_refusal(void)
{
    const char *terminal = getenv("TERM");
    if (!isatty(STDOUT_FILENO)) {
        return "stdout is no terminal; give --json for one line a sample";
    }
    if (!terminal || !terminal[0] || strcmp(terminal, "dumb") == 0) {
        return "this terminal (TERM) cannot be drawn on; give --json for one line a sample";
    }
    return NULL;
}

/* As the C library chooses: the first of the three that is set. */
static int is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && value[0]) {
            const char *charset = strchr(value, '.');
            return charset && (strncasecmp(charset, ".utf-8", 6) == 0 || strncasecmp(charset, ".utf8", 5) == 0);
        }
    }
    return 0;
}

void screen_init(screen *ret_screen)
{
    const char *no_color = getenv("NO_COLOR"); /* https://no-color.org: any value but an empty one */
    *ret_screen = (screen){.has_color = !no_color || !no_color[0], .has_utf8 = is_utf8()};
    ret_screen->is_terminal = tcgetattr(STDIN_FILENO, &ret_screen->before) == 0;
    screen_measure(ret_screen);
}

void screen_enter(screen *of)
{
    if (of->is_terminal) {
        struct termios quiet = of->before;
        quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        quiet.c_cc[VMIN] = 0;
        quiet.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
    }
    of->is_entered = 1;
    screen_write(enter, sizeof enter - 1);
}

void screen_leave(screen *of)
{
    if (of->is_entered) {
        of->is_entered = 0;
        screen_write(leave, sizeof leave - 1);
        if (of->is_terminal) {
            tcsetattr(STDIN_FILENO, TCSANOW, &of->before);
        }
    }
}

static size_t within(size_t value, size_t otherwise, size_t least)
{
    value = value ? value : otherwise;
    return value < least ? least : value > MOST ? MOST : value;
}

void screen_measure(screen *of)
{
    struct winsize size = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    of->width = within(size.ws_col, WIDTH, LEAST_WIDTH);
    of->height = within(size.ws_row, HEIGHT, LEAST_HEIGHT);
}

int screen_write(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t done = write(STDOUT_FILENO, text, length);
        if (done < 0 && errno != EINTR) {
            return -1;
        }
        text += done > 0 ? done : 0;
        length -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}
