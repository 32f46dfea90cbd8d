/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A made machine that is given a loader, the stand-in for NVML behind it, and one clock for both. */
#ifndef TESTS_SENSORS_NVML_RIG_H
#define TESTS_SENSORS_NVML_RIG_H

#include "probing.h"

#include <dlfcn.h>
#include <unistd.h>

static struct {
    const char *library; /* what the loader opens for NVML's name; NULL: there is none */
    int opened;          /* and not closed */
    em__host_ops ops;
    char script[64]; /* a file */
    void (*set_clock)(uint64_t ns);
    int (*open_count)(void), (*start_count)(void), (*read_count)(unsigned index);
} rig = {.library = EM_TEST_FAKES "/libnvidia-ml.so.1"};

static inline void rig_find(void *library, const char *name, void *ret_function)
{
    void *symbol = dlsym(library, name);
    if (!symbol) {
        printf("Bail out! %s\n", dlerror());
        exit(1);
    }
    memcpy(ret_function, &symbol, sizeof symbol);
}

/* The stand-in stays loaded, so that it can be asked when the sensor has closed it. */
static inline void rig_start(void)
{
    void *library = dlopen(rig.library, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        printf("Bail out! %s\n", dlerror());
        exit(1);
    }
    rig_find(library, "fake_nvml_set_clock", &rig.set_clock);
    rig_find(library, "fake_nvml_open_count", &rig.open_count);
    rig_find(library, "fake_nvml_start_count", &rig.start_count);
    rig_find(library, "fake_nvml_read_count", &rig.read_count);
    strcpy(rig.script, "/tmp/energy-meter-nvml-XXXXXX");
    int descriptor = mkstemp(rig.script);
    if (descriptor < 0) {
        abort();
    }
    close(descriptor);
    setenv("EM_FAKE_NVML", rig.script, 1);
}

static inline void rig_end(void)
{
    unlink(rig.script);
}

static inline void script(const char *text)
{
    FILE *file = fopen(rig.script, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
        abort();
    }
}

static inline void *rig_open(em__host *host, const char *name)
{
    (void)host;
    void *library =
        rig.library && strcmp(name, "libnvidia-ml.so.1") == 0 ? dlopen(rig.library, RTLD_NOW | RTLD_LOCAL) : NULL;
    rig.opened += library != NULL;
    return library;
}

static inline void *rig_symbol(em__host *host, void *library, const char *name)
{
    (void)host;
    return dlsym(library, name);
}

static inline void rig_close(em__host *host, void *library)
{
    (void)host;
    rig.opened--;
    dlclose(library);
}

static inline em__host *rig_host(const char *const *environment)
{
    em__host *host = NULL;
    if (em__machine_create(0, environment, &host) < 0) {
        abort();
    }
    rig.ops = *host->ops;
    rig.ops.library_open = rig_open;
    rig.ops.library_symbol = rig_symbol;
    rig.ops.library_close = rig_close;
    rig.ops.thread_start = NULL; /* A meter's rounds are the test's. */
    host->ops = &rig.ops;
    return host;
}

static inline void rig_time(em__host *host, double seconds)
{
    uint64_t ns = (uint64_t)(seconds * 1e9 + 0.5);
    em__machine_set_clock(host, ns, ns, ns);
    rig.set_clock(ns);
}

/* What NVML's sensor alone finds at 0 s. */
static inline int rig_probe(em__host *host, const em__selection *selection, em__probe *ret_probe)
{
    *ret_probe = (em__probe){0};
    rig_time(host, 0);
    return probe_alone(&em__sensor_nvml, host, selection, ret_probe);
}

/* Probes a machine with these boards and nothing else wanted. */
static inline em__host *rig_boards(const char *text, em__probe *ret_probe)
{
    em__host *host = rig_host(NULL);
    em__selection selection = everything();
    script(text);
    CHECK_INT(rig_probe(host, &selection, ret_probe), EM_OK);
    return host;
}

/* Frees what a probe found; whoever opened or started something has ended it then. */
static inline void rig_done(em__host *host, em__probe *probe)
{
    em__sensors_free(probe);
    em__host_unref(host);
    CHECK_INT(rig.open_count(), 0);
    CHECK_INT(rig.opened, 0);
}

#endif
