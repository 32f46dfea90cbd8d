/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* NVIDIA's management library as one counted object: opened and initialised once per probe, shut down and closed when
 * the last of its devices goes. Its functions may be called by several threads at once. */
#ifndef EM_SENSORS_NVML_LIBRARY_H
#define EM_SENSORS_NVML_LIBRARY_H

#include "sensors/nvml_api.h"
#include "sensors/sensor.h"

/* Functions answer an NVML code. Those that a driver may lack are NULL then. */
typedef struct {
    em__host *host;
    void *library;
    int references; /* atomic */

    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned int *count);
    int (*handle)(unsigned int index, nvml_handle *handle);

    const char *(*error_text)(int code); /* may be NULL, as may be what follows */
    int (*name)(nvml_handle handle, char *name, unsigned int size);
    int (*uuid)(nvml_handle handle, char *uuid, unsigned int size);
    int (*pci)(nvml_handle handle, nvml_pci *pci);
    int (*fields)(nvml_handle handle, int count, nvml_field *fields);
    int (*energy)(nvml_handle handle, unsigned long long *mj);
    int (*power)(nvml_handle handle, unsigned int *mw);
    int (*limit)(nvml_handle handle, unsigned int *mw);
    int (*limit_range)(nvml_handle handle, unsigned int *least_mw, unsigned int *most_mw);
    int (*utilisation)(nvml_handle handle, nvml_utilisation *utilisation);
    int (*capability)(nvml_handle handle, int *major, int *minor);
    int (*mig_mode)(nvml_handle handle, unsigned int *now, unsigned int *after_reset);
    int (*mig_count)(nvml_handle handle, unsigned int *most);
    int (*mig)(nvml_handle handle, unsigned int index, nvml_handle *slice);
    int (*processes[NVML_PROCESS_LISTS])(nvml_handle handle, unsigned int *count, nvml_process *processes);
} em__nvml;

/* ret_nvml NULL: it cannot be had, and probe has the absence that says why. EM_ERR_NO_MEMORY. */
int em__nvml_open(em__host *host, em__probe *probe, em__nvml **ret_nvml);
em__nvml *em__nvml_ref(em__nvml *nvml);
void em__nvml_unref(em__nvml *nvml); /* NULL is ignored */

/* Why a code means that a sensor or a board is absent, and what to do about it; "" nothing. */
int em__nvml_status(int code);
const char *em__nvml_hint(int code);
/* The library's own words for a code, in at most size bytes. */
void em__nvml_words(const em__nvml *nvml, int code, char *out, size_t size);

#endif
