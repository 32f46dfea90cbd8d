/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a merge says of how sure it is: the sentences of its parts, each once. */
#include "core/text.h"
#include "metrics/merge.h"
#include "metrics/reasons.h"

#include <stdlib.h>
#include <string.h>

static int has_line(const em__text *text, const char *line, size_t length)
{
    for (size_t at = 0; at + length <= text->length;) {
        const char *end = memchr(text->data + at, '\n', text->length - at);
        size_t found = end ? (size_t)(end - text->data) - at + 1 : text->length - at;
        if (found == length && memcmp(text->data + at, line, length) == 0) {
            return 1;
        }
        at += found;
    }
    return 0;
}

/* Lines that are not there yet. How long a part's window was says nothing of the union's. */
static void add_lines(em__text *text, const char *prefix, const char *lines)
{
    static const char about_length[] = "the window is ";
    for (const char *line = lines; line && *line;) {
        const char *end = strchr(line, '\n');
        size_t length = end ? (size_t)(end - line) + 1 : strlen(line);
        em__text whole = {0};
        em__text_add(&whole, prefix);
        em__text_bytes(&whole, line, length);
        int is_about_length = strncmp(line, about_length, sizeof about_length - 1) == 0;
        if (!is_about_length && !whole.failed && !has_line(text, whole.data, whole.length)) {
            em__text_bytes(text, whole.data, whole.length);
        }
        text->failed |= whole.failed;
        em__text_free(&whole);
        line += length;
    }
}

static const char *keep_text(em_summary *summary, em__text *text)
{
    char *words = em__text_finish(text, NULL);
    const char *kept = words ? em__summary_keep(summary, words) : NULL;
    summary->failed |= !words;
    free(words);
    return kept;
}

void em__merge_reasons(const em__merge *merge, size_t index)
{
    const em__silicon *silicon = &merge->silicons[index];
    em_energy length = merge->summary->energies[index];
    em__text text = {0};
    length.notes = 0;
    em__reasons_channel(&text, NULL, &length, silicon->pooled.covered_ns);
    for (size_t i = 0; i < silicon->count; i++) {
        const em__view_of *view = &merge->views[silicon->first + i];
        char *lines = NULL;
        if (em_summary_reasons(merge->parts[view->part].summary, 0, (int32_t)view->channel, &lines, NULL) != EM_OK) {
            merge->summary->failed = 1;
        }
        add_lines(&text, "", lines);
        free(lines);
    }
    merge->summary->said[index] = keep_text(merge->summary, &text);
}

/* Whether a line of a part's total is one of its channels'. */
static int is_of_a_channel(const em_summary *summary, const char *line)
{
    for (size_t i = 0; i < summary->channel_count; i++) {
        size_t length = strlen(summary->names[i]);
        if (strncmp(line, summary->names[i], length) == 0 && strncmp(line + length, ": ", 2) == 0) {
            return 1;
        }
    }
    return 0;
}

void em__merge_total_reasons(const em__merge *merge, double total_j)
{
    em_summary *summary = merge->summary;
    em__text text = {0};
    for (size_t i = 0; i < summary->channel_count && !summary->failed; i++) {
        if (20 * summary->devices[i].counted_j >= total_j) {
            char prefix[300];
            em__print(prefix, sizeof prefix, "%s: ", summary->names[i]);
            add_lines(&text, prefix, summary->said[i]);
        }
    }
    for (size_t i = 0; i < merge->count; i++) {
        const em_summary *part = merge->parts[i].summary;
        char *lines = NULL, *next;
        summary->failed |= em_summary_reasons(part, 0, -1, &lines, NULL) != EM_OK;
        for (char *line = lines; line && *line; line = next) {
            char *end = strchr(line, '\n');
            next = end ? end + 1 : line + strlen(line);
            if (end && !is_of_a_channel(part, line)) {
                *end = '\0';
                em__text one = {0};
                em__text_format(&one, "%s\n", line);
                char *words = em__text_finish(&one, NULL);
                add_lines(&text, "", words);
                free(words);
            }
        }
        free(lines);
    }
    if (merge->has_shared) {
        em__text_add(&text, "processes measured the same devices at the same time: the run counts each joule once, and "
                            "energies of windows that cannot be told apart are null\n");
    }
    summary->said[summary->channel_count] = keep_text(summary, &text);
}
