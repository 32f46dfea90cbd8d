/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Parsers of what is said of the surroundings of a process: its job, the GPUs that it may compute on, what is mounted. */
#include "platform/parse.h"

#include <errno.h>
#include <string.h>

static int read_digits(const char *text, size_t length, size_t *at, uint64_t *ret_value)
{
    size_t begin = *at;
    while (*at < length && text[*at] >= '0' && text[*at] <= '9') {
        (*at)++;
    }
    return em__parse_u64(text + begin, *at - begin, ret_value);
}

int em__parse_tasks(const char *text, size_t length, uint64_t node, uint64_t *ret_tasks)
{
    uint64_t tasks = 0, found = 0;
    int is_found = 0;
    while (length > 0 && text[length - 1] == '\n') {
        length--;
    }
    for (size_t at = 0;; at++) {
        uint64_t nodes = 1;
        int error = read_digits(text, length, &at, &tasks);
        if (error == 0 && length - at >= 2 && text[at] == '(' && text[at + 1] == 'x') {
            at += 2;
            error = read_digits(text, length, &at, &nodes);
            if (error == 0) {
                error = at < length && text[at] == ')' ? 0 : -EINVAL;
                at++;
            }
        }
        if (error < 0 || nodes == 0 || (at < length && text[at] != ',')) {
            return error == -ERANGE ? error : -EINVAL;
        }
        found = is_found ? found : tasks;
        is_found |= node < nodes;
        node -= node < nodes ? 0 : nodes;
        if (at == length) {
            *ret_tasks = found;
            return 0;
        }
    }
}

int em__parse_kfd_node(const char *text, size_t length, em__kfd_node *ret_node)
{
    static const char *const names[] = {"simd_count ", "location_id ", "domain "};
    uint64_t values[3] = {0};
    unsigned found = 0;
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t line = end ? (size_t)(end - text) - at : length - at;
        for (size_t i = 0; i < 3; i++) {
            size_t name = strlen(names[i]);
            if (line > name && memcmp(text + at, names[i], name) == 0) {
                if (em__parse_u64(text + at + name, line - name, &values[i]) < 0 || values[i] > UINT32_MAX) {
                    return -EINVAL;
                }
                found |= 1u << i;
            }
        }
        at += line + 1;
    }
    if (!(found & 1)) {
        return -EINVAL;
    }
    *ret_node = (em__kfd_node){(uint32_t)values[0], (uint32_t)values[2], (uint32_t)values[1]};
    return 0;
}

typedef struct {
    const char *text;
    size_t length;
} word;

/* The n-th word of a line; length 0: there is none. */
static word word_at(const char *line, size_t length, size_t n)
{
    for (size_t at = 0; at < length;) {
        const char *space = memchr(line + at, ' ', length - at);
        size_t size = space ? (size_t)(space - line) - at : length - at;
        if (n-- == 0) {
            return (word){line + at, size};
        }
        at += size + 1;
    }
    return (word){line, 0};
}

static int is_equal(word one, const char *other)
{
    return one.length == strlen(other) && memcmp(one.text, other, one.length) == 0;
}

static int holds(word one, const char *part)
{
    size_t length = strlen(part);
    for (size_t i = 0; i + length <= one.length; i++) {
        if (memcmp(one.text + i, part, length) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Behind the dash: type, source, options. */
static size_t find_dash(const char *line, size_t length)
{
    enum { OPTIONAL_FIELDS = 6, MOST_FIELDS = 32 };
    for (size_t i = OPTIONAL_FIELDS; i < MOST_FIELDS; i++) {
        word here = word_at(line, length, i);
        if (here.length == 0 || is_equal(here, "-")) {
            return here.length == 0 ? 0 : i;
        }
    }
    return 0;
}

static void take_mount(const char *line, size_t length, em__root_image *root)
{
    size_t dash = find_dash(line, length);
    word point = word_at(line, length, 4), type = word_at(line, length, dash + 1);
    word options = word_at(line, length, dash + 3);
    if (dash == 0) {
        return;
    }
    if (is_equal(point, "/") && holds(type, "overlay")) {
        *root = holds(options, "containers/storage") ? EM__ROOT_PODMAN
                : holds(options, "containerd")       ? EM__ROOT_CONTAINERD
                : holds(options, "docker")           ? EM__ROOT_DOCKER
                                                     : EM__ROOT_PLAIN;
    }
}

int em__parse_mounts(const char *text, size_t length, em__root_image *ret_root)
{
    em__root_image root = EM__ROOT_PLAIN;
    if (length == 0) {
        return -EINVAL;
    }
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t line = end ? (size_t)(end - text) - at : length - at;
        take_mount(text + at, line, &root);
        at += line + 1;
    }
    *ret_root = root;
    return 0;
}
