/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What people are told of the choice of GPUs: which there are, why one is refused, why some are left out. */
#include "sensors/visible_words.h"

#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char all_hint[] = "gpus=\"all\" measures every GPU";

void em__visible_text(char *destination, size_t size, const char *source, size_t length)
{
    size_t i = 0;
    for (; i + 1 < size && i < length && source[i]; i++) {
        destination[i] = source[i] >= ' ' && source[i] <= '~' ? source[i] : '?';
    }
    destination[i] = '\0';
}

void em__visible_list(const em__gpu_view *view, long first, char *out, size_t size)
{
    em__text text = {0};
    const char *model = "";
    em__text_add(&text, out);
    for (size_t i = 0; i < view->shown && text.length < size; i++) {
        const em__board *board = &view->boards[view->order[i]];
        em__text_add(&text, text.length > 0 ? ", " : "");
        if (first >= 0) {
            em__text_format(&text, "%ld", first + (long)i);
        }
        if (strcmp(board->name, model) != 0) {
            em__text_format(&text, "%s%s", first >= 0 ? ": " : "", board->name);
        }
        if (board->uuid[0]) {
            em__text_format(&text, " (%.12s)", board->uuid);
        }
        model = board->name;
    }
    char *whole = em__text_finish(&text, NULL);
    em__copy(out, size, whole ? whole : "");
    free(whole);
}

int em__visible_refuse(const em__selection *selection, const char *which, const char *boards, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    em_error *error = selection->error;
    error->status = EM_ERR_INVALID;
    em__copy(error->argument, sizeof error->argument, "gpus");
    em__copy(error->text, sizeof error->text, text);
    em__copy(error->remedy, sizeof error->remedy,
             "give \"visible\", \"all\", \"local_rank\", indices such as \"0,2\", or UUIDs such as \"GPU-8932f937\"");
    if (boards) {
        em__print(error->remedy, sizeof error->remedy, "give indices or UUIDs; the %sGPUs are %s", which,
                  boards[0] ? boards : "none");
    }
    return EM_ERR_INVALID;
}

int em__visible_explain(em__host *host, const em__selection *selection, em__probe *probe, const em__sensor *sensor,
                        size_t chosen, size_t count)
{
    int is_ours = selection->gpus && strcmp(selection->gpus, "visible") != 0;
    const char *variable = probe->choices.variable, *list = variable ? em__host_variable(host, variable) : NULL;
    char quote[96];
    em__visible_text(quote, sizeof quote, is_ours ? selection->gpus : list ? list : "", SIZE_MAX);
    if (!is_ours && !variable) {
        return em__probe_absent(probe, sensor, EM_ERR_NOT_SELECTED, all_hint,
                                "%zu of %zu GPUs %s not for this process: its control group keeps it from them",
                                count - chosen, count, count - chosen == 1 ? "is" : "are");
    }
    return em__probe_absent(probe, sensor, EM_ERR_NOT_SELECTED, all_hint, "%zu of %zu GPUs %s left out by %s=\"%s\"",
                            count - chosen, count, count - chosen == 1 ? "is" : "are", is_ours ? "gpus" : variable,
                            quote);
}
