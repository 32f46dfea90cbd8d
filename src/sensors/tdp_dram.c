/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Models memory from its size, whatever it does: no published model depends on the load. */
#include "sensors/tdp_dram.h"

#include "core/text.h"
#include "sensors/cpus.h"
#include "sensors/tdp_model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MEMINFO_BYTES = 8192, REFRESH_NS = 1000000 };

static const char meminfo_path[] = "/proc/meminfo";

typedef struct {
    em__device base;
    em__host *host;
    em__tdp_energy energy;
    uint64_t power_mw;
} dram_device;

static void dram_read(em__device *device, uint64_t wanted, em__reading out[])
{
    (void)wanted;
    dram_device *dram = (dram_device *)device;
    em__tdp_integrate(&dram->energy, dram->host->ops->monotonic_ns(dram->host), dram->power_mw);
    out[0] = (em__reading){.value = dram->energy.total_uj};
}

static void dram_destroy(em__device *device)
{
    dram_device *dram = (dram_device *)device;
    em__host_unref(dram->host);
    em__device_free_channels(device);
    free(dram);
}

static const em__device_ops dram_ops = {.read = dram_read, .destroy = dram_destroy};

/* "MemTotal:       65536000 kB", its first line. */
static int read_total(em__host *host, uint64_t *ret_kib)
{
    static const char key[] = "MemTotal:";
    char text[MEMINFO_BYTES];
    int length = em__host_text(host, meminfo_path, text, sizeof text);
    if (length < 0) {
        return length;
    }
    char *at = strncmp(text, key, sizeof key - 1) == 0 ? text + sizeof key - 1 : NULL;
    char *end = at ? strstr(at, " kB") : NULL;
    uint64_t kib;
    /* No machine has 1 EiB. */
    if (!end || em__parse_u64(at, (size_t)(end - at), &kib) < 0 || kib == 0 || kib > UINT64_C(1) << 50) {
        return -EILSEQ;
    }
    *ret_kib = kib;
    return 0;
}

static int explain(em__probe *probe, int error)
{
    int is_denied = error == -EACCES || error == -EPERM;
    return em__probe_absent(probe, &em__sensor_tdp,
                            error == -ENOENT ? EM_ERR_NOT_SUPPORTED
                            : is_denied      ? EM_ERR_PERMISSION
                                             : EM_ERR_BROKEN,
                            "mount proc at /proc (in a container without --read-only masks on it)",
                            "memory cannot be modelled: %s %s", meminfo_path,
                            error == -EILSEQ ? "does not begin with MemTotal" : strerror(-error));
}

static void describe_power(em__host *host, const em__tdp_memory *memory, em__channel *channel)
{
    em__text text = {0};
    em__text_number(&text, memory->power_w);
    em__text_add(&text, " W for ");
    em__text_number(&text, memory->installed_gib);
    if (memory->modules) {
        em__text_format(&text, " GB, guessed to be %u modules", memory->modules);
    } else {
        em__text_add(&text, " GB, 0.375 W each");
    }
    em__text_add(&text, ", whatever the load; U = 50 % (k = 2)");
    em__channel_explain(host, channel, &text);
}

int em__tdp_dram_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    em__cpuinfo cpus;
    uint64_t total_kib;
    if (!selection->model_dram) {
        return EM_OK;
    }
    int error = read_total(host, &total_kib);
    if (error < 0) {
        return error == -ENOMEM ? EM_ERR_NO_MEMORY : explain(probe, error);
    }
    if (em__cpus_read(host, &cpus) == -ENOMEM) {
        return EM_ERR_NO_MEMORY;
    }
    dram_device *made = calloc(1, sizeof *made);
    if (!made || em__device_init(&made->base, &dram_ops, &em__sensor_tdp, 1) != EM_OK) {
        free(made);
        return EM_ERR_NO_MEMORY;
    }
    /* Arm's cpuinfo names no vendor. */
    em__tdp_memory memory = em__tdp_dram(total_kib, cpus.vendor[0] != '\0');
    made->host = em__host_ref(host);
    made->power_mw = (uint64_t)(memory.power_w * 1000.0 + 0.5);
    em__channel *channel = &made->base.channels[0];
    em__copy(channel->name, sizeof channel->name, "dram/model");
    em__copy(channel->source, sizeof channel->source, meminfo_path);
    channel->domain = EM_DOMAIN_DRAM;
    channel->kind = EM_KIND_MODEL;
    channel->covers = EM__COVERS_ALL_MEMORY;
    channel->refresh_ns = REFRESH_NS;
    channel->gain = EM__TDP_DRAM_GAIN;
    channel->notes = EM_NOTE_BIT(EM_NOTE_MODEL);
    describe_power(host, &memory, channel);
    return em__probe_add(probe, &made->base);
}
