/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Summaries of any origin: what is read is written as something that reads as the same, and merges with others or not. */
#include "energy_meter.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int holds)
{
    if (!holds) {
        abort();
    }
}

static em_summary *read_again(const em_summary *summary, char **ret_text)
{
    size_t length = 0;
    em_summary *again = NULL;
    insist(em_summary_format(summary, EM_FORMAT_JSON, ret_text, &length) == EM_OK);
    em_error error = {.size = sizeof error};
    insist(em_summary_parse(*ret_text, length, &error, &again) == EM_OK || strstr(*ret_text, "\xEF\xBF\xBD"));
    return again;
}

/* Bytes that are no text become U+FFFD, and names that differed the same. */
static void check_same(const em_summary *summary)
{
    char *first = NULL, *second = NULL;
    em_summary *again = read_again(summary, &first);
    if (again && !strstr(first, "\xEF\xBF\xBD")) {
        insist(em_summary_format(again, EM_FORMAT_JSON, &second, NULL) == EM_OK);
        insist(strcmp(first, second) == 0);
    }
    em_summary_destroy(again);
    em_text_destroy(first);
    em_text_destroy(second);
}

static void check_merge(const em_summary *const *parts, size_t count)
{
    em_error error = {.size = sizeof error};
    em_summary *merged = NULL;
    char *text = NULL;
    int status = em_summary_merge(parts, count, &error, &merged);
    insist(status == EM_OK || (status == EM_ERR_INVALID && error.text[0] && error.remedy[0] && !merged));
    if (status == EM_OK) {
        for (int32_t format = EM_FORMAT_TEXT; format <= EM_FORMAT_BOAMPS; format++) {
            insist(em_summary_format(merged, format, &text, NULL) == EM_OK);
            em_text_destroy(text);
        }
    }
    em_summary_destroy(merged);
}

/* One document, or several with a NUL between. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    em_summary *parts[4];
    size_t count = 0, at = 0;
    while (count < 4 && at <= size) {
        const uint8_t *end = size > at ? memchr(data + at, 0, size - at) : NULL;
        size_t length = (end ? (size_t)(end - data) : size) - at;
        em_error error = {.size = sizeof error};
        int status = em_summary_parse(size > at ? (const char *)data + at : "", length, &error, &parts[count]);
        insist(status == EM_OK || (status == EM_ERR_INVALID && error.text[0] && error.remedy[0]));
        if (status == EM_OK) {
            check_same(parts[count]);
            check_merge((const em_summary *const *)&parts[count], 1);
            count++;
        }
        at += length + 1;
    }
    if (count > 1) {
        check_merge((const em_summary *const *)parts, count);
    }
    for (size_t i = 0; i < count; i++) {
        em_summary_destroy(parts[i]);
    }
    return 0;
}
