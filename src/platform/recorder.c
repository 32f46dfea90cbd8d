/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The recorder's walk: links settled one by one, files read once, all of it bounded, then written as JSON. */
#include "platform/recorder.h"

#include "energy_meter.h"
#include "platform/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_FILES = 1 << 14,
    MOST_BYTES = 8 << 20, /* a byte may take six in JSON, and a reader takes 64 MiB */
    ATTRIBUTE = 16 << 10, /* sysfs gives a page at most, of 64 KiB on some machines, and none is that full */
    LARGEST = 4 << 20,
    MOST_LINKS = 40
};

static void note_error(em__recorder *recorder, int error)
{
    if (error == -ENOMEM) {
        recorder->error = error;
    } else if (error == -ENOSPC) {
        recorder->is_cut = 1;
    }
}

static void add_node(em__recorder *recorder, const char *path, em__node_type type, const char *content, size_t length,
                     unsigned mode, int error)
{
    char plain[EM__RECORD_PATH];
    em__copy(plain, sizeof plain, path);
    em__redact_addresses(&recorder->redactor, plain, strlen(plain));
    recorder->bytes += strlen(plain) + length;
    note_error(recorder, em__tree_add(&recorder->tree, plain, type, content, length, mode, error));
}

static int is_full(em__recorder *recorder)
{
    int is = recorder->files >= MOST_FILES || recorder->bytes >= MOST_BYTES;
    recorder->is_cut |= is;
    return is;
}

static int is_known(em__recorder *recorder, const char *path)
{
    char plain[EM__RECORD_PATH];
    em__node *node;
    em__copy(plain, sizeof plain, path);
    em__redact_addresses(&recorder->redactor, plain, strlen(plain));
    return em__tree_find(&recorder->tree, plain, 0, &node) == 0 && node->type != EM__NODE_DIRECTORY;
}

static int record_link(em__recorder *recorder, const char *path, char target[EM__RECORD_PATH])
{
    int length = recorder->host->ops->link(recorder->host, path, target, EM__RECORD_PATH);
    if (length <= 0) {
        return length < 0 ? length : -ENOENT;
    }
    if (!is_full(recorder) && !is_known(recorder, path)) {
        char plain[EM__RECORD_PATH];
        memcpy(plain, target, (size_t)length + 1);
        em__redact_addresses(&recorder->redactor, plain, (size_t)length);
        add_node(recorder, path, EM__NODE_LINK, plain, (size_t)length, 0777, 0);
    }
    return length;
}

/* The path without links, each of which is recorded on the way. */
static int settle_path(em__recorder *recorder, const char *path, char real[EM__RECORD_PATH])
{
    char rest[EM__RECORD_PATH], target[EM__RECORD_PATH];
    size_t length = 0;
    int links = 0;
    em__copy(rest, sizeof rest, path);
    real[0] = '\0';
    for (;;) {
        const char *name = rest + strspn(rest, "/");
        size_t size = strcspn(name, "/");
        em__look look;
        if (size == 0) {
            return 0;
        }
        if (length + size + 2 > EM__RECORD_PATH) {
            return -ENAMETOOLONG;
        }
        size_t before = length;
        if (size == 2 && memcmp(name, "..", 2) == 0) {
            char *slash = strrchr(real, '/');
            length = slash ? (size_t)(slash - real) : 0;
        } else if (size != 1 || name[0] != '.') {
            real[length] = '/';
            memcpy(real + length + 1, name, size);
            length += size + 1;
        }
        real[length] = '\0';
        memmove(rest, name + size, strlen(name + size) + 1);
        if (length <= before) {
            continue;
        }
        int error = recorder->host->ops->look(recorder->host, real, &look);
        if (error < 0) {
            return error;
        }
        if (look.type != EM__LOOK_LINK) {
            continue;
        }
        int target_length = record_link(recorder, real, target);
        if (target_length < 0 || ++links > MOST_LINKS) {
            return target_length < 0 ? target_length : -ELOOP;
        }
        if ((size_t)target_length + strlen(rest) + 2 > sizeof rest) {
            return -ENAMETOOLONG;
        }
        memmove(rest + target_length, rest, strlen(rest) + 1);
        memcpy(rest, target, (size_t)target_length);
        length = target[0] == '/' ? 0 : before;
        real[length] = '\0';
    }
}

/* 0000:03:00.0 */
static int is_pci(const char *name, size_t length)
{
    return length >= 12 && length < 16 && name[length - 2] == '.' && name[length - 5] == ':' && name[length - 8] == ':';
}

/* 1: the folder is a GPU's, or lies inside one, that is suspended: most of its files would wake it. */
static int is_asleep(em__recorder *recorder, const char *real)
{
    char path[EM__RECORD_PATH + 32], text[32];
    for (const char *name = real; *name;) {
        name += strspn(name, "/");
        size_t size = strcspn(name, "/");
        int before = (int)(name + size - real);
        if (is_pci(name, size)) {
            em__print(path, sizeof path, "%.*s/class", before, real);
            int is_gpu = em__host_text(recorder->host, path, text, sizeof text) > 0 &&
                         (strncmp(text, "0x03", 4) == 0 || strncmp(text, "0x12", 4) == 0);
            em__print(path, sizeof path, "%.*s/power/runtime_status", before, real);
            if (is_gpu && em__host_text(recorder->host, path, text, sizeof text) > 0 &&
                strncmp(text, "suspend", 7) == 0) {
                return 1;
            }
        }
        name += size;
    }
    return 0;
}

/* What the kernel knows without the device. */
static int is_memory(const char *name)
{
    static const char *const names[] = {"name",           "vendor",           "device",    "class",
                                        "revision",       "subsystem_vendor", "numa_node", "subsystem_device",
                                        "runtime_status", "uevent",           "control",   "boot_vga",
                                        "unique_id"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    const char *label = strrchr(name, '_');
    return label && strcmp(label, "_label") == 0;
}

/* In place. */
static size_t keep_lines(char *text, size_t length, const char *const *keep)
{
    size_t kept = 0;
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t line = end ? (size_t)(end - text) - at + 1 : length - at;
        for (const char *const *word = keep; *word; word++) {
            if (line >= strlen(*word) && memcmp(text + at, *word, strlen(*word)) == 0) {
                memmove(text + kept, text + at, line);
                kept += line;
                break;
            }
        }
        at += line;
    }
    return kept;
}

static int read_content(em__recorder *recorder, const char *path, size_t limit)
{
    em__file *file;
    int length = recorder->host->ops->open(recorder->host, path, &file);
    if (length == 0) {
        length = recorder->host->ops->read(file, recorder->buffer, limit + 1);
        recorder->host->ops->close(file);
    }
    if (length > (int)limit) {
        recorder->is_cut = 1;
        length = (int)limit;
    }
    return length;
}

static void take_file(em__recorder *recorder, const char *path, unsigned mode, size_t limit, const char *const *keep,
                      int is_sleeping)
{
    if (is_full(recorder)) {
        return;
    }
    if (!is_known(recorder, path) && mode & 0444) {
        int length = is_sleeping ? -EAGAIN : read_content(recorder, path, limit);
        size_t size = length > 0 ? (size_t)length : 0;
        recorder->asleep += is_sleeping != 0;
        recorder->denied += length == -EACCES || length == -EPERM;
        size = keep ? keep_lines(recorder->buffer, size, keep) : size;
        em__redact_content(&recorder->redactor, path, recorder->buffer, size);
        add_node(recorder, path, EM__NODE_FILE, recorder->buffer, size, mode, length < 0 ? -length : 0);
        recorder->files++;
    }
}

void em__record_file(em__recorder *recorder, const char *path, size_t limit, const char *const *keep)
{
    em__look look;
    if (recorder->host->ops->look(recorder->host, path, &look) == 0 && look.type == EM__LOOK_FILE) {
        take_file(recorder, path, look.mode, limit < LARGEST ? limit : LARGEST, keep, 0);
    }
}

void em__record_text(em__recorder *recorder, const char *path, const char *text)
{
    add_node(recorder, path, EM__NODE_FILE, text, strlen(text), 0444, 0);
}

typedef struct {
    em__recorder *recorder;
    const char *real;
    const em__record_rule *rule;
    int depth, is_sleeping;
} walk;

static int take_entry(void *context, const char *name)
{
    const walk *here = context;
    em__recorder *recorder = here->recorder;
    char path[EM__RECORD_PATH], target[EM__RECORD_PATH];
    em__look look;
    if (is_full(recorder)) {
        return 1;
    }
    if (strlen(here->real) + strlen(name) + 2 > sizeof path) {
        return 0;
    }
    em__print(path, sizeof path, "%s/%s", here->real, name);
    if (recorder->host->ops->look(recorder->host, path, &look) < 0) {
        return 0;
    }
    if (look.type == EM__LOOK_FILE && here->rule->file(name)) {
        take_file(recorder, path, look.mode, ATTRIBUTE, NULL, here->is_sleeping && !is_memory(name));
    } else if (look.type == EM__LOOK_LINK && here->rule->link && here->rule->link(name)) {
        record_link(recorder, path, target);
    } else if (look.type == EM__LOOK_DIRECTORY && here->depth > 0 && here->rule->folder && here->rule->folder(name)) {
        walk below = {recorder, path, here->rule, here->depth - 1, here->is_sleeping};
        add_node(recorder, path, EM__NODE_DIRECTORY, "", 0, 0755, 0);
        recorder->host->ops->list(recorder->host, path, take_entry, &below);
    }
    return recorder->error < 0;
}

void em__record_folder(em__recorder *recorder, const char *path, const em__record_rule *rule)
{
    char real[EM__RECORD_PATH];
    em__look look;
    if (settle_path(recorder, path, real) < 0 || recorder->host->ops->look(recorder->host, real, &look) < 0 ||
        look.type != EM__LOOK_DIRECTORY) {
        return;
    }
    walk here = {recorder, real, rule, rule->depth, is_asleep(recorder, real)};
    add_node(recorder, real, EM__NODE_DIRECTORY, "", 0, 0755, 0);
    recorder->host->ops->list(recorder->host, real, take_entry, &here);
}

static char *write_notes(const em__recorder *recorder)
{
    em__text notes = {0};
    em__text_format(&notes, "recorded by energy-meter %s; serial numbers, UUIDs and addresses are hashed",
                    em_version());
    if (recorder->denied > 0) {
        em__text_format(&notes, "; %zu files may not be read by the user who recorded it", recorder->denied);
    }
    if (recorder->asleep > 0) {
        em__text_format(&notes, "; %zu files of sleeping GPUs were left alone (EAGAIN)", recorder->asleep);
    }
    em__text_add(&notes, recorder->is_cut ? "; it is not complete: there was more than a recording may hold" : "");
    return em__text_finish(&notes, NULL);
}

int em__machine_record(em__host *host, char **ret_text, size_t *ret_length)
{
    em__recorder recorder = {.host = host};
    if (!host->ops->look) {
        return -ENOTSUP;
    }
    recorder.buffer = malloc(LARGEST + 1);
    if (!recorder.buffer || em__tree_init(&recorder.tree) < 0) {
        free(recorder.buffer);
        return -ENOMEM;
    }
    __atomic_store_n(&host->shortage, 0, __ATOMIC_RELAXED);
    em__redact_init(&recorder.redactor, host);
    em__record_places(&recorder);
    int shortage = __atomic_load_n(&host->shortage, __ATOMIC_RELAXED);
    recorder.error = shortage ? shortage : recorder.error;
    char *notes = recorder.error < 0 ? NULL : write_notes(&recorder);
    char *text = notes ? em__recording_write(&recorder.tree, notes, ret_length) : NULL;
    free(notes);
    em__tree_free(&recorder.tree);
    free(recorder.buffer);
    if (!text) {
        return shortage ? shortage : -ENOMEM;
    }
    *ret_text = text;
    return 0;
}
