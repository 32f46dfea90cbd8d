/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Opens NVIDIA's management library, and explains why it cannot be had. */
#include "sensors/nvml_library.h"

#include "core/text.h"
#include "sensors/visible.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 320, REQUIRED = 4 };

static const char install_hint[] =
    "install the library that belongs to the driver (libnvidia-compute-… or nvidia-utils-…); start a container with "
    "--gpus all and with utility among NVIDIA_DRIVER_CAPABILITIES";
static const char driver_hint[] = "install NVIDIA's driver, or load it: sudo modprobe nvidia; start a container with "
                                  "--gpus all; nouveau measures no energy";
static const char nothing_hint[] = "nothing to do without an NVIDIA GPU";

/* Names newest first; the older ones answer for the same things. The first REQUIRED must be there. */
static const struct {
    size_t offset;
    const char *names[3];
} symbols[] = {
    {offsetof(em__nvml, init), {"nvmlInit_v2", "nvmlInit"}},
    {offsetof(em__nvml, shutdown), {"nvmlShutdown"}},
    {offsetof(em__nvml, count), {"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"}},
    {offsetof(em__nvml, handle), {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"}},
    {offsetof(em__nvml, error_text), {"nvmlErrorString"}},
    {offsetof(em__nvml, name), {"nvmlDeviceGetName"}},
    {offsetof(em__nvml, uuid), {"nvmlDeviceGetUUID"}},
    {offsetof(em__nvml, pci), {"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"}},
    {offsetof(em__nvml, fields), {"nvmlDeviceGetFieldValues"}},
    {offsetof(em__nvml, energy), {"nvmlDeviceGetTotalEnergyConsumption"}},
    {offsetof(em__nvml, power), {"nvmlDeviceGetPowerUsage"}},
    {offsetof(em__nvml, limit), {"nvmlDeviceGetEnforcedPowerLimit"}},
    {offsetof(em__nvml, limit_range), {"nvmlDeviceGetPowerManagementLimitConstraints"}},
    {offsetof(em__nvml, utilisation), {"nvmlDeviceGetUtilizationRates"}},
    {offsetof(em__nvml, capability), {"nvmlDeviceGetCudaComputeCapability"}},
    {offsetof(em__nvml, mig_mode), {"nvmlDeviceGetMigMode"}},
    {offsetof(em__nvml, mig_count), {"nvmlDeviceGetMaxMigDeviceCount"}},
    {offsetof(em__nvml, mig), {"nvmlDeviceGetMigDeviceHandleByIndex"}},
    {offsetof(em__nvml, processes[NVML_COMPUTES]),
     {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"}},
    {offsetof(em__nvml, processes[NVML_DRAWS]),
     {"nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2"}},
    {offsetof(em__nvml, processes[NVML_COMPUTES_BY_MPS]),
     {"nvmlDeviceGetMPSComputeRunningProcesses_v3", "nvmlDeviceGetMPSComputeRunningProcesses_v2"}},
};

/* NULL, or the name of a required function that is not there. */
static const char *find_symbols(em__nvml *nvml)
{
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = NULL;
        for (size_t n = 0; n < 3 && symbols[i].names[n] && !symbol; n++) {
            symbol = nvml->host->ops->library_symbol(nvml->host, nvml->library, symbols[i].names[n]);
        }
        if (!symbol && i < REQUIRED) {
            return symbols[i].names[0];
        }
        memcpy((char *)nvml + symbols[i].offset, &symbol, sizeof symbol);
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------- explaining */

int em__nvml_status(int code)
{
    switch (code) {
    case NVML_LIBRARY_NOT_FOUND:
        return EM_ERR_NO_LIBRARY;
    case NVML_DRIVER_NOT_LOADED:
        return EM_ERR_NO_DRIVER;
    case NVML_VERSION_MISMATCH:
        return EM_ERR_VERSION;
    case NVML_NO_PERMISSION:
        return EM_ERR_PERMISSION;
    case NVML_OPERATING_SYSTEM:
        return EM_ERR_MASKED;
    case NVML_GPU_NOT_FOUND:
        return EM_ERR_NO_ZONES;
    case NVML_GPU_IS_LOST:
    case NVML_RESET_REQUIRED:
        return EM_ERR_GONE;
    case NVML_NOT_SUPPORTED:
    case NVML_FUNCTION_NOT_FOUND:
    case NVML_DEPRECATED:
        return EM_ERR_NOT_SUPPORTED;
    default:
        return EM_ERR_BROKEN;
    }
}

const char *em__nvml_hint(int code)
{
    switch (em__nvml_status(code)) {
    case EM_ERR_NO_LIBRARY:
        return install_hint;
    case EM_ERR_NO_DRIVER:
        return driver_hint;
    case EM_ERR_VERSION:
        return "reboot, or stop what uses the GPUs and reload the driver: sudo rmmod nvidia_uvm nvidia_drm "
               "nvidia_modeset nvidia && sudo modprobe nvidia; start a container anew";
    case EM_ERR_PERMISSION:
        return "let this user open /dev/nvidiactl and /dev/nvidia0 … (often: sudo usermod -aG video $USER, and log in "
               "anew); start a container with --gpus all";
    case EM_ERR_MASKED:
        return "start the container with --gpus all, or let its cgroup use /dev/nvidiactl and /dev/nvidia0 …";
    case EM_ERR_NO_ZONES:
        return "give the GPU to this machine or container (--gpus all); look for NVRM in dmesg";
    case EM_ERR_GONE:
        return "look for Xid in dmesg; reset the GPU (sudo nvidia-smi --gpu-reset) or reboot";
    case EM_ERR_NOT_SUPPORTED:
        return "";
    default:
        return "look for NVRM and Xid in dmesg; start a container anew that lost its GPUs after a systemctl "
               "daemon-reload";
    }
}

void em__nvml_words(const em__nvml *nvml, int code, char *out, size_t size)
{
    const char *words = nvml->error_text ? nvml->error_text(code) : NULL;
    if (words && words[0]) {
        em__visible_text(out, size, words, size);
    } else {
        em__print(out, size, "NVML error %d", code);
    }
}

typedef struct {
    em__host *host;
    char pci[EM__PCI_SIZE];     /* of the first; "" there is none */
    char driver[EM__NAME_SIZE]; /* "" none */
} bus_look;

static int has_prefix(em__host *host, const char *pci, const char *file, const char *prefix)
{
    char path[PATH_SIZE], text[32];
    em__print(path, sizeof path, "/sys/bus/pci/devices/%s/%s", pci, file);
    return em__host_text(host, path, text, sizeof text) > 0 && strncmp(text, prefix, strlen(prefix)) == 0;
}

static int look_at_function(void *context, const char *pci)
{
    bus_look *look = context;
    if (strlen(pci) >= EM__PCI_SIZE || !has_prefix(look->host, pci, "vendor", "0x10de") ||
        (!has_prefix(look->host, pci, "class", "0x0300") && !has_prefix(look->host, pci, "class", "0x0302"))) {
        return 0;
    }
    char path[PATH_SIZE], target[PATH_SIZE];
    em__copy(look->pci, sizeof look->pci, pci);
    em__print(path, sizeof path, "/sys/bus/pci/devices/%s/driver", pci);
    if (look->host->ops->link(look->host, path, target, sizeof target) > 0) {
        const char *slash = strrchr(target, '/');
        em__copy(look->driver, sizeof look->driver, slash ? slash + 1 : target);
    }
    return 1;
}

/* Without a library or a driver only the PCI bus tells whether there is anything to install them for. */
static int explain_absence(em__host *host, em__probe *probe, int status, const char *what)
{
    const em__sensor *self = &em__sensor_nvml;
    bus_look look = {.host = host};
    host->ops->list(host, "/sys/bus/pci/devices", look_at_function, &look);
    int has_device = em__host_exists(host, "/dev/nvidiactl") == 0;
    if (!look.pci[0] && !has_device) {
        int added =
            em__probe_absent(probe, self, status, nothing_hint, "%s, and no NVIDIA GPU is on the PCI bus", what);
        em__probe_idle(probe);
        return added;
    }
    int is_driven = has_device || strcmp(look.driver, "nvidia") == 0;
    const char *hint = is_driven && status == EM_ERR_NO_LIBRARY ? install_hint : driver_hint;
    if (!look.pci[0]) {
        return em__probe_absent(probe, self, status, hint, "%s, though there is /dev/nvidiactl", what);
    }
    return em__probe_absent(probe, self, status, hint, "%s; the GPU at %s has %s%s", what, look.pci,
                            look.driver[0] ? "the kernel driver " : "no kernel driver", look.driver);
}

/* ----------------------------------------------------------------------------------------------------- the library */

static int start(em__nvml *nvml, em__probe *probe, int *ret_is_started)
{
    const char *missing = find_symbols(nvml);
    if (missing) {
        return em__probe_absent(probe, &em__sensor_nvml, EM_ERR_BROKEN, install_hint,
                                "libnvidia-ml.so.1 has no %s: it is not NVIDIA's, or very old", missing);
    }
    int code = nvml->init();
    *ret_is_started = code == NVML_OK;
    if (code == NVML_OK) {
        return EM_OK;
    }
    char words[128], text[192];
    em__nvml_words(nvml, code, words, sizeof words);
    em__print(text, sizeof text, "NVML does not start: %s", words);
    int status = em__nvml_status(code);
    if (status == EM_ERR_NO_LIBRARY || status == EM_ERR_NO_DRIVER) {
        return explain_absence(nvml->host, probe, status, text);
    }
    return em__probe_absent(probe, &em__sensor_nvml, status, em__nvml_hint(code), "%s", text);
}

static void close_library(em__nvml *nvml)
{
    nvml->host->ops->library_close(nvml->host, nvml->library);
    em__host_unref(nvml->host);
    free(nvml);
}

int em__nvml_open(em__host *host, em__probe *probe, em__nvml **ret_nvml)
{
    *ret_nvml = NULL;
    if (!host->ops->library_open) {
        return em__probe_absent(probe, &em__sensor_nvml, EM_ERR_NOT_SUPPORTED,
                                "a recorded machine and another root have no vendor library",
                                "libnvidia-ml.so.1 belongs to the running system alone");
    }
    /* The plain name comes with the CUDA toolkit and may be a stub that only serves to link. */
    void *library = host->ops->library_open(host, "libnvidia-ml.so.1");
    if (!library) {
        library = host->ops->library_open(host, "libnvidia-ml.so");
    }
    if (!library) {
        return explain_absence(host, probe, EM_ERR_NO_LIBRARY, "libnvidia-ml.so.1 is not installed");
    }
    em__nvml *nvml = calloc(1, sizeof *nvml);
    if (!nvml) {
        host->ops->library_close(host, library);
        return EM_ERR_NO_MEMORY;
    }
    *nvml = (em__nvml){.host = em__host_ref(host), .library = library, .references = 1};
    int is_started = 0;
    int status = start(nvml, probe, &is_started);
    if (is_started) {
        *ret_nvml = nvml;
    } else {
        close_library(nvml);
    }
    return status;
}

em__nvml *em__nvml_ref(em__nvml *nvml)
{
    __atomic_add_fetch(&nvml->references, 1, __ATOMIC_RELAXED);
    return nvml;
}

void em__nvml_unref(em__nvml *nvml)
{
    if (!nvml || __atomic_sub_fetch(&nvml->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    nvml->shutdown();
    close_library(nvml);
}
