/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What is absent and has a remedy stands by itself; what is merely not there is named in a line. */
#include "reports/absent.h"

#include <stdlib.h>

enum { WORTH_FOLDING = 2 };

static const char *or_empty(const char *string)
{
    return string ? string : "";
}

static void add_line(em__text *text, em__text *line, size_t column, size_t indent)
{
    char *sentence = em__text_finish(line, NULL);
    text->failed |= !sentence;
    if (column < indent) {
        em__reports_cell(text, "", indent - 2);
    }
    em__reports_wrap(text, or_empty(sentence), indent, indent);
    free(sentence);
}

/* Those that the options leave out, and those that nothing here asks for. */
static int is_folded(const em_absence *absence, int is_left_out)
{
    return absence->is_idle && (absence->status == EM_ERR_NOT_SELECTED) == is_left_out;
}

static size_t count_folded(const em_absence *absences, size_t count, int is_left_out)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += (size_t)is_folded(&absences[i], is_left_out);
    }
    return found;
}

static void write_folded(em__text *text, const em_absence *absences, size_t count, int is_left_out, size_t width)
{
    size_t shown = 0, all = count_folded(absences, count, is_left_out);
    if (all < WORTH_FOLDING) {
        return;
    }
    em__text line = {0};
    size_t indent = em__reports_name(text, is_left_out ? "left out" : "not here", 2, width);
    for (size_t i = 0; i < count; i++) {
        if (is_folded(&absences[i], is_left_out)) {
            em__text_format(&line, "%s%s", shown == 0 ? "" : shown == all - 1 ? " and " : ", ", absences[i].sensor);
            shown++;
        }
    }
    em__text_add(&line, is_left_out ? ": the options do not ask for them"
                                    : ": nothing of theirs was found; --json tells where they looked, and the remedy");
    add_line(text, &line, indent, indent);
}

void em__reports_absent(em__text *text, const em_absence *absences, size_t count, size_t width)
{
    int is_many[2] = {count_folded(absences, count, 0) >= WORTH_FOLDING,
                      count_folded(absences, count, 1) >= WORTH_FOLDING};
    em__text_add(text, count > 0 ? "\nAbsent\n" : "");
    for (size_t i = 0; i < count; i++) {
        const em_absence *absence = &absences[i];
        if (absence->is_idle && is_many[absence->status == EM_ERR_NOT_SELECTED]) {
            continue;
        }
        size_t indent = em__reports_name(text, or_empty(absence->sensor), 2, width);
        em__text line = {0};
        em__text_format(&line, "%s: %s", em_status_word(absence->status), or_empty(absence->reason));
        add_line(text, &line, indent, indent);
        if (or_empty(absence->hint)[0]) {
            em__text remedy = {0};
            em__text_format(&remedy, "remedy: %s", absence->hint);
            add_line(text, &remedy, 0, indent);
        }
    }
    write_folded(text, absences, count, 0, width);
    write_folded(text, absences, count, 1, width);
}
