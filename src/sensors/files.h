/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A device whose channels are small files of the kernel, each with one number: kept open, read from the beginning,
 * never written. For sensors whose numbers are µJ, µW, or mV and mA to be multiplied. */
#ifndef EM_SENSORS_FILES_H
#define EM_SENSORS_FILES_H

#include "sensors/sensor.h"

typedef struct em__files em__files;

/* How a file's number becomes a reading. */
enum {
    EM__FILE_AS_IS = 0,
    EM__FILE_NEVER_ZERO = 1, /* what reads 0 is broken, not off */
    EM__FILE_COUNTS = 2,     /* a counter, which stands still while the device sleeps */
    EM__FILE_TABLE = 4,      /* amdgpu's gpu_metrics: its energy where it counts, else its power */
    EM__FILE_ANY_UNIT = 8    /* the table's energy is in 2^-16 J, although the kernel does not state it */
};
typedef int em__file_way; /* some of these */

/* EM_OK or EM_ERR_NO_MEMORY. Channels are filled in by the caller; kind, scale and unit are set by add. */
int em__files_create(em__host *host, const em__sensor *sensor, size_t channel_count, em__files **ret_files);
em__channel *em__files_channel(em__files *files, size_t index);

/* The device must never be woken: this file (power/runtime_status) says whether it sleeps. Before add. 1: it sleeps. */
int em__files_watch_sleep(em__files *files, const char *status_path);
/* A link or file whose text must be the same when the device comes back: numbers of folders change hands. */
void em__files_identify(em__files *files, const char *root, const char *name_path, const char *name);

/* Opens and reads the channel's file once, or, where it sleeps, only opens it. times: a second file, multiplied with
 * the first; NULL: none. Fills in the channel's kind, scale, status and reason; ret_value (may be NULL): 0 if asleep. */
void em__files_add(em__files *files, size_t index, const char *path, const char *times, em__file_way way,
                   uint64_t *ret_value);

/* The channel is not there after all; those behind it move up. */
void em__files_drop(em__files *files, size_t index);
/* No more than the first count channels are; the others have not been added. */
void em__files_cut(em__files *files, size_t count);

/* As em__probe_add. */
int em__files_finish(em__files *files, em__probe *probe);
void em__files_destroy(em__files *files);

#endif
