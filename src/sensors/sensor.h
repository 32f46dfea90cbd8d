/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/*
 * The contract of a sensor.
 *
 * A sensor is a way to get numbers: powercap, NVML, a model. Its probe looks at the host once and makes devices. A device
 * is what one read returns (a board, a zone): lock, cost, schedule and retirement are per device. A device's channels
 * state facts (core/channel.h), never roles: metrics/roles decides from all of them what is counted.
 *
 * A sensor knows nothing of threads. The sampler holds a device's lock during its read and destroy, so a device may
 * keep state without locks of its own; two devices of one sensor may be read at once, so what they share must be
 * read-only or locked. A read may take as long as the vendor's call takes: the sampler's watcher retires a device that
 * hangs, and destroys it, in the hanging thread, when the call has returned.
 */
#ifndef EM_SENSORS_SENSOR_H
#define EM_SENSORS_SENSOR_H

#include "core/channel.h"
#include "energy_meter.h"
#include "platform/host.h"
#include "sensors/container.h"

typedef struct em__device em__device;

/* Who else uses a device's board: an object of its own, which may outlive the device and is asked without its lock. */
typedef struct em__holders em__holders;
struct em__holders {
    /* 1: another process than this one and its descendants holds it; 0: none does; -1: nobody can tell. May take as long
     * as the vendor's call takes. One thread at a time. */
    int (*ask)(em__holders *holders);
    void (*destroy)(em__holders *holders);
};
enum { EM__DEVICE_CHANNELS = 64, EM__GPUS_LISTED = 64 };
#define EM__CHANNEL_BIT(i) (UINT64_C(1) << (i))
#define EM__EVERY_CHANNEL UINT64_MAX

typedef struct {
    /* Mandatory. Fills in out[i] for each channel i whose bit (EM__CHANNEL_BIT(i)) is in wanted, in one look at the
     * source where it has such; others are left alone and cost nothing. wanted is never 0; bits beyond its channels mean nothing. Never blocks on purpose, never prints. A value
     * that is not known is EM__READ_AGAIN (a gap) or EM__READ_GONE, never 0. */
    void (*read)(em__device *device, uint64_t wanted, em__reading out[]);
    /* Mandatory. Frees the device and drops its reference to the host. */
    void (*destroy)(em__device *device);
    /* Optional: called at most once a minute for a device that is gone. 0: it can be read again; its channels are
     * the same, and its counters may have begun anew. */
    int (*revive)(em__device *device);
    /* Optional. The caller's; NULL: nothing can be asked, or no memory. */
    em__holders *(*holders)(em__device *device);
} em__device_ops;

/* The base that every sensor's own device struct begins with. Set up by em__device_init. */
struct em__device {
    const em__device_ops *ops;
    const char *sensor;    /* static: "rapl-powercap" */
    int rank;              /* of its sensor: lower wins where two cover the same silicon */
    em__channel *channels; /* owned by the base */
    size_t channel_count;  /* at most EM__DEVICE_CHANNELS */
};

/* What a probe found. Owned by the registry's caller. */
typedef struct {
    char sensor[24];
    int32_t status;             /* EM_ERR_NO_DRIVER … EM_ERR_GONE */
    int32_t is_idle;            /* nothing here asks for the sensor */
    char reason[EM__TEXT_SIZE]; /* what was found, in a sentence */
    char hint[EM__TEXT_SIZE];   /* the exact remedy; "" if there is none */
} em__absence;

/* The choice of GPUs, maker by maker: the numbers in selection->gpus go on from one maker's to the next's. */
typedef struct {
    size_t shown;                                            /* how many numbers are used up */
    size_t boards;                                           /* that were seen, left out or not */
    unsigned char met[EM__GPUS_LISTED];                      /* entries of selection->gpus that name a board */
    char shown_text[EM__TEXT_SIZE], all_text[EM__TEXT_SIZE]; /* for people */
    const char *variable; /* what left boards of the last maker out; NULL: none did */
} em__gpu_choices;

typedef struct em__probe {
    em__device **devices;
    size_t device_count, device_capacity;
    em__absence *absences;
    size_t absence_count, absence_capacity;
    uint64_t notes;          /* EM_NOTE_BIT(…) about the choice of devices, e.g. EM_NOTE_MAPPING_UNKNOWN */
    struct em__hwmon *hwmon; /* the one look at the hwmon chips; NULL: none yet */
    int32_t things;          /* numbers given out for em__channel.thing */
    int32_t gpus;            /* indices up to here are of boards that were seen, left out or not */
    em__gpu_choices choices;
    struct em__gpu_bus *bus; /* the one look at the PCI bus; NULL: none yet */
    em__container container; /* filled in behind the last sensor */
} em__probe;

/* What the options ask of sensors. */
typedef struct {
    uint32_t measure;            /* bits 1u << EM_DOMAIN_… */
    double cpu_tdp_w, gpu_tdp_w; /* NAN: not given */
    int present_gpu;             /* EM_PRESENT_GPU */
    int model_dram;              /* EM_MODEL_DRAM */
    const em_file *files;        /* as in em_options; judged by the sensor file */
    size_t file_count;
    struct em__tape *tape; /* a trace that is played in the place of all other sensors; NULL: none */
    const char *gpus;      /* "visible", "all", "local_rank", a list */
    em_error *error;       /* to be filled in with EM_ERR_INVALID; never NULL */
} em__selection;

/* One per sensor. probe returns EM_OK also when it finds nothing (it then leaves an absence), EM_ERR_INVALID for a
 * selection that this machine cannot meet (selection->error says why), EM_ERR_NO_MEMORY. Sensors are probed in the order
 * of rank, and a later one may look at what earlier ones found in probe. */
typedef struct {
    const char *name;
    int rank;
    int (*probe)(em__host *host, const em__selection *selection, em__probe *probe);
} em__sensor;

extern const em__sensor em__sensor_replay;        /* rank 5 */
extern const em__sensor em__sensor_rapl_perf;     /* rank 10 */
extern const em__sensor em__sensor_rapl_powercap; /* rank 20 */
extern const em__sensor em__sensor_nvml;          /* rank 30 */
extern const em__sensor em__sensor_amdgpu;        /* rank 40 */
extern const em__sensor em__sensor_intel_gpu;     /* rank 42 */
extern const em__sensor em__sensor_battery;       /* rank 44 */
extern const em__sensor em__sensor_file;          /* rank 46 */
extern const em__sensor em__sensor_hwmon;         /* rank 50 */
extern const em__sensor em__sensor_dtpm;          /* rank 60 */
extern const em__sensor em__sensor_tdp;           /* rank 90 */

/* The sensors of the build in the order of rank; NULL behind the last. */
const em__sensor *em__sensor_at(size_t index);
/* Probes all sensors of the build. On failure ret_probe is empty. */
int em__sensors_probe(em__host *host, const em__selection *selection, em__probe *ret_probe);
void em__sensors_free(em__probe *probe); /* destroys the devices that are still in it */

/* For sensors. Names no place, a scale of 1 and no model. EM_ERR_NO_MEMORY, EM_ERR_INVALID: too many channels. */
int em__device_init(em__device *device, const em__device_ops *ops, const em__sensor *sensor, size_t channel_count);
void em__device_free_channels(em__device *device);
/* What a read that failed with -errno answers: gone where the source left or is forbidden, else again. */
em__reading em__reading_failed(int error);
int em__probe_add(em__probe *probe, em__device *device); /* takes it over; on EM_ERR_NO_MEMORY it is destroyed */
__attribute__((format(printf, 5, 6))) int em__probe_absent(em__probe *probe, const em__sensor *sensor, int status,
                                                           const char *hint, const char *reason, ...);

/* The last absence is of something that nothing here asks for. So is NOT_SELECTED without a hint, by itself. */
void em__probe_idle(em__probe *probe);
/* Where the sensor has no readable device at or behind the given one, an absence: of the first that cannot be read, else
 * EM_ERR_NO_DRIVER with this reason, and idle. */
int em__probe_explain(em__probe *probe, const em__sensor *sensor, size_t first_device, const char *hint,
                      const char *reason);
/* The hwmon chips, looked at once for all sensors. */
int em__probe_hwmon(em__host *host, em__probe *probe, const struct em__hwmon **ret_hwmon);
int32_t em__probe_next_gpu(const em__probe *probe); /* the index behind all that it has or has seen */
int32_t em__probe_thing(em__probe *probe);          /* a new number for em__channel.thing */

#endif
