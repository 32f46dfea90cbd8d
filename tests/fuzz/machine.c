/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Recorded machines: any document either is refused with a sentence or plays, and everything in it can be visited. */
#include "platform/machine.h"
#include "core/text.h"
#include "platform/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { VISITS = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int holds)
{
    if (!holds) {
        abort();
    }
}

struct visit {
    em__host *host;
    char path[4096];
    int left;
};

static void read_file(em__host *host, const char *path)
{
    char buffer[64];
    uint64_t value;
    em__file *file;
    if (host->ops->open(host, path, &file) == 0) {
        int length = host->ops->read(file, buffer, sizeof buffer);
        insist(length <= (int)sizeof buffer && host->ops->read(file, buffer, sizeof buffer) == length);
        host->ops->close(file);
    }
    (void)em__host_text(host, path, buffer, sizeof buffer);
    (void)em__host_u64(host, path, &value);
}

static int visit_entry(void *context, const char *name)
{
    struct visit *visit = context;
    size_t length = strlen(visit->path), name_length = strlen(name);
    char target[4096];
    if (visit->left-- <= 0 || length + name_length + 2 > sizeof visit->path) {
        return 1;
    }
    insist(name_length > 0 && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
    visit->path[length] = '/';
    memcpy(visit->path + length + 1, name, name_length + 1);
    int is_link = visit->host->ops->link(visit->host, visit->path, target, sizeof target);
    insist(is_link > 0 || is_link == -EINVAL);
    int is_there = em__host_exists(visit->host, visit->path);
    insist(is_there == 0 || is_link > 0); /* what is listed is there, unless it is a link */
    read_file(visit->host, visit->path);
    int stopped = is_link > 0 ? 0 : visit->host->ops->list(visit->host, visit->path, visit_entry, visit);
    visit->path[length] = '\0';
    return stopped == 1;
}

/* Whatever was played, its recording plays. */
static void record(em__host *host)
{
    char *text = NULL, why[256] = "";
    size_t length = 0;
    em__host *copy = NULL;
    if (em__machine_record(host, &text, &length) == 0) {
        int error = em__machine_parse(text, length, 0, NULL, why, sizeof why, &copy);
        insist(error == 0 || error == -ENOMEM);
        em__host_unref(copy);
    }
    free(text);
}

static void play(em__host *host, const uint8_t *data, size_t size)
{
    struct visit visit = {.host = host, .left = VISITS};
    char *path = malloc(size + 2);
    int is_done = host->ops->list(host, "/", visit_entry, &visit);
    insist(is_done == 0 || is_done == 1);
    if (path) {
        path[0] = '/';
        memcpy(path + 1, size ? (const char *)data : "", size);
        path[size + 1] = '\0';
        (void)em__host_exists(host, path);
        (void)em__machine_set_file(host, path, "1", 1, 0444, 0);
        (void)em__machine_set_link(host, path, path);
        (void)em__machine_remove(host, path);
        (void)em__machine_remove(host, "/sys");
    }
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int as_user = 0; as_user <= 1; as_user++) {
        em__host *host = NULL;
        char why[256] = "";
        size_t bad;
        int error = em__machine_parse((const char *)data, size, as_user, NULL, why, sizeof why, &host);
        if (error < 0) {
            insist(!host && (error == -ENOMEM || ((error == -EINVAL || error == -E2BIG) && why[0])));
            for (const char *at = why; *at; at += em__utf8_length(at, strlen(at), &bad)) {
                insist(em__utf8_length(at, strlen(at), &bad) > 0 && (unsigned char)*at >= 0x20);
            }
            return 0;
        }
        record(host);
        play(host, data, size);
        em__host_unref(host);
    }
    return 0;
}
