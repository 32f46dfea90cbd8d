/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Records a host as a machine that can be played: what sensors may look at, with modes, links and read errors. */
#ifndef EM_PLATFORM_RECORDER_H
#define EM_PLATFORM_RECORDER_H

#include "core/text.h"
#include "platform/host.h"
#include "platform/machine_tree.h"
#include "platform/redact.h"

/* The JSON document of a recorded machine, which em__machine_parse takes. It opens regular files alone, follows links
 * only as the host does, wakes no GPU, and ends at a number of files and bytes, which its notes then say. -ENOMEM, -EMFILE, -ENFILE;
 * -ENOTSUP: this kind of host cannot be recorded. */
int em__machine_record(em__host *host, char **ret_text, size_t *ret_length);

/* For recorder_places.c. */
enum { EM__RECORD_PATH = 1024 };

typedef struct {
    em__host *host;
    em__tree tree;
    em__redactor redactor;
    char *buffer;
    size_t files, bytes, denied, asleep;
    int is_cut;
    int error; /* -ENOMEM */
} em__recorder;

/* Which entries of a folder are recorded, by name. */
typedef struct {
    int (*file)(const char *name);
    int (*folder)(const char *name); /* NULL: none */
    int (*link)(const char *name);   /* NULL: none */
    int depth;                       /* of folders below */
} em__record_rule;

/* All that rule wants of what path leads to, and the links that lead there. */
void em__record_folder(em__recorder *recorder, const char *path, const em__record_rule *rule);
/* One file at that very path; keep (may be NULL): of its lines, those that begin with one of these words. */
void em__record_file(em__recorder *recorder, const char *path, size_t limit, const char *const *keep);
/* A text that was made up for that path. */
void em__record_text(em__recorder *recorder, const char *path, const char *text);
void em__record_places(em__recorder *recorder);

#endif
