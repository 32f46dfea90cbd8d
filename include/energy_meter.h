/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/*
 * energy_meter.h: how much energy the CPUs, memory and GPUs of this machine used while your code ran.
 *
 *     em_options options;
 *     em_options_init(&options, sizeof options);
 *     em_meter *meter;
 *     if (em_meter_create(&options, NULL, &meter) == EM_OK) {
 *         em_spec batch = {sizeof batch, EM_WINDOW_BATCH, 0, NULL};
 *         em_window window;
 *         em_window_begin(meter, &batch, &window);
 *         work();
 *         em_result result = {.size = sizeof result};
 *         em_window_end(meter, window, &result);      // result.total.energy_j, result.carbon_g ...
 *         em_meter_destroy(meter);
 *     }
 *
 * What is measured. The machine's CPUs, memory and GPUs, the work of everybody on them, while a window was open.
 * Hardware counters come first (provenance MEASURED), sampled power next (INTEGRATED), a model last (ESTIMATED).
 * No source is counted twice: every channel has a role, and only COUNTED ones enter a total.
 *
 * Threads. Every function may be called from any thread, at any time between create and destroy. A meter runs two
 * threads of its own, with all signals blocked: one reads the sensors while a window is open, one watches the first.
 *
 * Fork. In a child that was forked after create, every call on the parent's meter returns EM_ERR_FORKED, and
 * destroying it does nothing. Create a new meter there if you need one.
 *
 * Errors. 0 (EM_OK) or a negative em_status. Outputs are the last arguments, are named ret_..., and are never written
 * when a call fails. Once created, a meter never fails because of a sensor: what weakens a number is a note in it.
 *
 * The library prints nothing, reads no environment variable, touches no signal and never ends the process.
 *
 * Strings that a call hands out live as long as the object they came from and are UTF-8. Times are CLOCK_MONOTONIC.
 * Structs that cross this line begin with their size; set it to sizeof before the call. A larger library struct is
 * then cut, a smaller one leaves your tail untouched.
 */
#ifndef ENERGY_METER_H
#define ENERGY_METER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define EM_API __attribute__((visibility("default")))
#else
#define EM_API
#endif

/* X(name, value, word, text). The word is what JSON and Python show; the text is a sentence for people.
 * -1 … -19: what a call answers. -20 … -39: why a sensor or channel is absent. -40 …: why a stretch is missing. */
#define EM_STATUS_LIST(X)                                                                                              \
    X(EM_OK, 0, "ok", "no error")                                                                                      \
    X(EM_ERR_INVALID, -1, "invalid", "an argument is outside what is allowed")                                         \
    X(EM_ERR_NO_MEMORY, -2, "no-memory", "memory could not be allocated")                                              \
    X(EM_ERR_UNKNOWN, -3, "unknown", "no window, group or channel has this id")                                        \
    X(EM_ERR_EXPIRED, -4, "expired", "the window is no longer kept: it was cancelled or 1,024 later ones have ended")  \
    X(EM_ERR_ENDED, -5, "ended", "the window has already ended")                                                       \
    X(EM_ERR_FORKED, -6, "forked", "the meter belongs to the parent process; create one in this process")              \
    X(EM_ERR_CLOSED, -7, "closed", "the meter is closed; create a new one")                                            \
    X(EM_ERR_TIMEOUT, -8, "timeout", "the time allowed ran out")                                                       \
    X(EM_ERR_UNAVAILABLE, -9, "unavailable", "a required reading is not available on this machine")                    \
    X(EM_ERR_SYSTEM, -10, "system", "the operating system refused a thread or a file")                                 \
    X(EM_ERR_NO_DRIVER, -20, "no-driver", "no kernel driver offers this source")                                       \
    X(EM_ERR_PERMISSION, -21, "permission", "this user may not read the source")                                       \
    X(EM_ERR_MASKED, -22, "masked-by-container", "the container hides the source")                                     \
    X(EM_ERR_BROKEN, -23, "broken", "the source answers with an error or with garbage")                                \
    X(EM_ERR_NO_ZONES, -24, "no-zones", "the driver is loaded but offers no channel")                                  \
    X(EM_ERR_NO_LIBRARY, -25, "no-library", "the vendor's library is not installed")                                   \
    X(EM_ERR_VERSION, -26, "version-mismatch", "the vendor's library and its kernel driver differ in version")         \
    X(EM_ERR_NOT_SUPPORTED, -27, "not-supported", "this hardware or system does not offer the reading")                \
    X(EM_ERR_NOT_SELECTED, -28, "not-selected", "the options leave this source out")                                   \
    X(EM_ERR_GONE, -29, "gone", "the source disappeared while it was measured")                                        \
    X(EM_ERR_READ, -40, "read-failed", "a reading failed; a counter makes up for it at its next one")                  \
    X(EM_ERR_RESET, -41, "reset", "the counter jumped (driver reload, hotplug, reset); the jump is left out")          \
    X(EM_ERR_SUSPENDED, -42, "suspended", "the machine was suspended; that time is left out")                          \
    X(EM_ERR_HUNG, -43, "hung", "the driver did not answer; the source was given up")                                  \
    X(EM_ERR_STALLED, -44, "stalled", "the counter stood still, which none does at work; what was used then is missing")

#define EM_STATUS_ENUM(name, value, word, text) name = (value),
enum em_status { EM_STATUS_LIST(EM_STATUS_ENUM) EM_STATUS_RESERVED = 1 };

/* X(name, bit, word, text, remedy). A note weakens a number without making it wrong. */
#define EM_NOTE_LIST(X)                                                                                                \
    X(EM_NOTE_GAP, 0, "gap", "part of the time could not be measured", "see the status of the channel")                \
    X(EM_NOTE_MODEL, 1, "model", "estimated by a model, not measured",                                                 \
      "run energy-meter sensors to see what a reading needs")                                                          \
    X(EM_NOTE_TDP_DEFAULT, 2, "tdp-default", "the thermal design power is a default for the class of machine",         \
      "give cpu_tdp_w or gpu_tdp_w from the data sheet of one CPU or GPU; in a virtual machine its share of that")     \
    X(EM_NOTE_WHOLE_MACHINE, 3, "whole-machine", "the model is of the whole machine without GPUs, at the wall", "")    \
    X(EM_NOTE_VIRTUAL, 4, "virtual", "a virtual machine: the model covers its share of the host", "")                  \
    X(EM_NOTE_PROVISIONAL, 5, "provisional", "the window's edges are not settled yet; the value is extrapolated",      \
      "wait for it (w.wait(), em_window_settle), or ask for the summary")                                              \
    X(EM_NOTE_PINNED, 6, "pinned", "an edge had to be final before the next reading; its estimate was kept", "")       \
    X(EM_NOTE_PERIOD_ASSUMED, 7, "period-assumed", "the sensor's update period is assumed, not seen", "")              \
    X(EM_NOTE_MAPPING_UNKNOWN, 8, "mapping-unknown",                                                                   \
      "a variable numbers GPUs of different models in an order that only their runtime knows; all are measured",       \
      "set CUDA_DEVICE_ORDER=PCI_BUS_ID or name boards by UUID; Intel's: ZE_ENABLE_PCI_ID_DEVICE_ORDER=1")             \
    X(EM_NOTE_MIG, 9, "mig", "a slice (MIG), partition or tile was asked for; its whole board is measured", "")        \
    X(EM_NOTE_SLOW_COUNTER, 10, "slow-counter",                                                                        \
      "the board's counter is read once a second, since reading it faster can spoil it", "")                           \
    X(EM_NOTE_UNMOVING, 11, "unmoving", "the counter answers but stands still; its energy is missing",                 \
      "compare it with another tool; leave the sensor out, so that another stands in")                                 \
    X(EM_NOTE_FROZEN, 12, "frozen", "the power has been the same to the last digit for a minute or more",              \
      "compare it with another tool; if the load did change, reload the driver")                                       \
    X(EM_NOTE_DISAGREES, 13, "disagrees", "the board's counter and its power integrated are over 15 % apart",          \
      "known of healthy boards at idle; under load compare both with a power meter")                                   \
    X(EM_NOTE_ALIASED, 14, "aliased", "windows come in step with a power that is looked at part of the time only",     \
      "compare windows of another length, or use the board's counter")                                                 \
    X(EM_NOTE_FALLS_SHORT, 15, "falls-short",                                                                          \
      "the board's counter was found to miss energy when read often, and is read once a second since",                 \
      "run one program at a time that reads this board")                                                               \
    X(EM_NOTE_STAMP, 16, "stamp", "the device's own time went back; the meter's clock was used instead", "")           \
    X(EM_NOTE_TRUNCATED, 17, "truncated", "the trace was cut off or lacks records: this is what can be known from it", \
      "close the meter before its trace is read, and give it a file that takes what is written fast enough")           \
    X(EM_NOTE_BLURRED, 18, "blurred",                                                                                  \
      "SGX is on, and with it Intel CPUs blur the energy that they show: it scatters, and is often too high",          \
      "turn SGX off in the firmware, or trust sums over seconds and not single batches")

#define EM_NOTE_ENUM(name, bit, word, text, remedy) name = (bit),
enum em_note { EM_NOTE_LIST(EM_NOTE_ENUM) EM_NOTE_RESERVED = 63 };
#define EM_NOTE_BIT(note) ((uint64_t)1 << (note))

enum em_domain { EM_DOMAIN_CPU, EM_DOMAIN_GPU, EM_DOMAIN_DRAM, EM_DOMAIN_PLATFORM, EM_DOMAIN_OTHER };
enum em_kind { EM_KIND_COUNTER, EM_KIND_GAUGE, EM_KIND_MODEL }; /* energy so far; power now; estimate */
enum em_role { EM_ROLE_COUNTED, EM_ROLE_PART, EM_ROLE_PLATFORM, EM_ROLE_MIRROR, EM_ROLE_UNREADABLE };
enum em_provenance { EM_FROM_MEASURED, EM_FROM_INTEGRATED, EM_FROM_ESTIMATED }; /* counter; sampled power; model */
enum em_resolution { EM_RESOLUTION_FINE, EM_RESOLUTION_COARSE, EM_RESOLUTION_BELOW }; /* >= 50, >= 5, < 5 updates */
enum em_window_kind { EM_WINDOW_OTHER, EM_WINDOW_BATCH, EM_WINDOW_EPOCH, EM_WINDOW_RUN };
enum em_format { EM_FORMAT_TEXT, EM_FORMAT_JSON, EM_FORMAT_CSV, EM_FORMAT_MODEL_CARD, EM_FORMAT_BOAMPS };
enum em_subject { EM_SENSORS, EM_DOCTOR };
enum em_flag { EM_AS_USER = 1, EM_PRESENT_GPU = 2, EM_MODEL_DRAM = 4, EM_EDGES_ALWAYS = 8, EM_EDGES_NEVER = 16 };
enum em_compare_flag { EM_FORCE = 1 };
enum em_quantity { EM_QUANTITY_ENERGY, EM_QUANTITY_POWER, EM_QUANTITY_TIME, EM_QUANTITY_MASS }; /* J, W, s, g */

#define EM_DOMAINS 8                             /* five are used; the rest is NAN */
#define EM_PROVENANCES 4                         /* three are used; the rest is 0 */
#define EM_KEPT_WINDOWS 1024                     /* ended windows that stay readable by id */
#define EM_MOST_ITEMS UINT64_C(1000000000000000) /* that one window can carry */

/* What was wrong with an argument: which one, its value in a sentence, and what is allowed instead. The caller's. */
typedef struct {
    size_t size;
    int32_t status;
    char argument[32], text[256], remedy[256];
} em_error;

typedef struct em_meter em_meter;     /* em_meter_create … em_meter_destroy */
typedef struct em_summary em_summary; /* immutable, needs no meter; em_summary_create … em_summary_destroy */
typedef struct em_trace em_trace;     /* a recorded run, opened for reading; em_trace_open … em_trace_destroy */
typedef uint64_t em_window;           /* an id; 0 is never one, none is used twice */

/* ------------------------------------------------------------------------------------------------------- the meter */

/* A number that an outside meter writes into a file: a wall meter, a BMC's exporter. Strings as given; path and unit
 * are needed, NULL in the others means what is said of it. */
typedef struct {
    const char *path;   /* begins with '/', below root; a regular file with one number: "123.4", "1.5e3", "12.5 kWh".
                           Opened anew for each reading, so it may be replaced at any time, and never waited for */
    const char *unit;   /* energy so far: "J", "kJ", "mJ", "uJ", "Wh", "kWh"; power now: "W", "kW", "mW", "uW" */
    const char *kind;   /* "counter" or "gauge"; NULL: which of them the unit says, and nothing else is allowed */
    const char *domain; /* "platform" (NULL): shown, never added. "cpu", "gpu", "dram": one of the machine's, or all of
                           them; counted where the machine itself measures none, files added up. "other": what is
                           neither, such as a network card; counted */
    const char *name;   /* the channel becomes "platform/NAME"; NULL: the file's own name */
} em_file;              /* frozen */

typedef struct {
    size_t size;
    uint64_t sample_interval_ns;    /* 1 ms … 60 s; default 100 ms */
    double overhead_limit;          /* of the time that passes, how much begin, end and lap may take for reading sensors
                                       at the edges of windows: 0 (never) … 1; default 0.001. Their own time comes
                                       first: where windows are too short to pay that, no edge is read */
    double cpu_tdp_w, gpu_tdp_w;    /* W, of one CPU or GPU as on its data sheet, > 0 and <= 100,000; NAN: not given */
    double carbon_g_per_kwh;        /* g CO2e/kWh, 0 … 100,000; NAN: the location's, else the world average */
    uint32_t measure;               /* bits 1u << EM_DOMAIN_…: what may be counted; default all */
    uint32_t require;               /* the same bits: create fails unless each has a reading that is no model */
    uint32_t flags;                 /* EM_AS_USER: read a recorded machine as an ordinary user may.
                                       EM_PRESENT_GPU: a GPU is present even if none is found; needs gpu_tdp_w.
                                       EM_MODEL_DRAM: memory that no counter measures is estimated from its size, beside
                                       measured CPUs (the model of a whole machine holds it already).
                                       EM_EDGES_ALWAYS, EM_EDGES_NEVER: overrule overhead_limit; not both */
    const char *gpus;               /* "visible" (default), "all", "local_rank", "0,2", "GPU-<uuid>,…" */
    const char *const *environment; /* "NAME=value" …, ended by NULL; the variables that CUDA, ROCm, Level Zero and
                                       launchers document are read from here and never from the process; NULL: none */
    const char *root;               /* "/" (default), a directory laid out like it, or a recorded machine (….json);
                                       other than "/", the vendor libraries of this machine stay out */
    int trace_fd;                   /* open for writing: all that can change a number is written there, as a trace for
                                       em_trace_open; stays the caller's, open until destroy; -1 (default): none */
    const char *channels; /* patterns of channel names, joined by commas, later ones over earlier ones; '*': any
                                       text. "-gpu-1*" leaves out, so that the best mirror of it counts, if there is
                                       one. "+gpu-1*" takes that back. "+platform/psys", a whole name, counts a channel
                                       whatever its role, even if it holds or repeats others. A + that fits no channel
                                       is EM_ERR_INVALID. NULL or "": roles decide */
    const em_file
        *files; /* file_count of them; what a number means is EM_ERR_INVALID to get wrong, and a file that cannot
                             be read is a channel that says why. NULL: none */
    size_t file_count;
    int replay_fd; /* open for reading, at the beginning of a trace that a meter wrote: its channels take the place of
                             this machine's and read what they read then, as long after create as then after their first
                             reading, and are gone at its end. Read by create alone; -1 (default): none. Neither with files
                             nor with another root than "/". The summary's boot is unknown then */
    const char *location; /* whose electricity: "FR", "US-CA", "WORLD", or a region of a cloud, "aws:eu-west-1",
                                       "gcp:…", "azure:…", "ovhcloud:…", "scaleway:…"; in either case. NULL: not given,
                                       and never guessed. With carbon_g_per_kwh that number is used, and the location
                                       says where it is and gives the PUE */
    double pue; /* power usage effectiveness of the data centre, 1 … 10: energy × PUE is what carbon and cost
                                       are of; energies stay those of the machine. NAN: the cloud region's, else 1 */
    double price_per_kwh;               /* in a currency of the caller's, 0 … 1,000,000; NAN: results have no cost */
    double embodied_kg, lifetime_years; /* kg CO2e that making the measured machine (or the share of it that is the
                                       user's) took, 0 … 1e9, and for how many years of 365 days it serves, > 0 … 100:
                                       results have embodied_g, its share of their time (GSF SCI). Both or none (NAN) */
    int windows_fd; /* open for writing: a line for each window, once its values are final, written by the meter's
                               thread and never by begin or end; stays the caller's, open until destroy; -1 (default):
                               none */
    int32_t
        windows_format; /* EM_FORMAT_JSON (default): JSON Lines; EM_FORMAT_CSV: a line of names first. docs/reports.md */
} em_options;           /* strings are copied by create */

/* Fills in the defaults. size is sizeof(em_options) as the caller was compiled. NULL is ignored. */
EM_API void em_options_init(em_options *options, size_t size);

/* Creates a meter; options NULL means the defaults. With valid options it succeeds on every machine: a sensor that
 * cannot work leaves an absence. EM_ERR_INVALID, EM_ERR_UNAVAILABLE (require), EM_ERR_NO_MEMORY, EM_ERR_SYSTEM.
 * ret_error may be NULL. Takes milliseconds, or as long as a vendor's library takes to start. */
EM_API int em_meter_create(const em_options *options, em_error *ret_error, em_meter **ret_meter);

/* Ends open windows, settles them within timeout_ns (what is left is pinned), stops the threads and closes the sensors.
 * Results and summaries stay readable; begin answers EM_ERR_CLOSED. A second close does nothing. */
EM_API int em_meter_close(em_meter *meter, uint64_t timeout_ns);

/* Closes without waiting longer than one sample, and frees the meter with all strings it gave. NULL is ignored. */
EM_API void em_meter_destroy(em_meter *meter);

/* Groups and the run begin anew; the names of groups keep their places. Open windows go on and will be counted whole. */
EM_API int em_meter_reset(em_meter *meter);

/* What carbon is computed with: g = energy / 3.6e6 J × pue × g_per_kwh. */
typedef struct {
    size_t size;
    double g_per_kwh;   /* g CO2e per kWh of electricity; NAN: several */
    double pue;         /* NAN: several */
    int32_t year;       /* of the figure; 0: none */
    int32_t is_default; /* neither a number nor a location was given: the world average */
    const char *source; /* "user", or who published it; NULL: several */
    const char *method; /* "life-cycle": with building and fuel supply; "direct": burning alone, which is less and
                               not to be compared with the former; NULL: of the user's number, or several */
    const char *zone;   /* whose electricity: "FR", "US-CA", "WORLD"; NULL: a number without a location, or several */
    const char *zone_name;  /* "France"; NULL: none */
    const char *location;   /* as given: "aws:eu-west-3"; NULL: none */
    const char *pue_source; /* "user", who published it, or "assumed" */
} em_carbon;

/* What a meter with these options computes with; only location, carbon_g_per_kwh and pue matter. NULL: the defaults.
 * EM_ERR_INVALID: an unknown location, whose nearest names are in the remedy, or a number out of its range.
 * ret_error may be NULL. The strings are static, but for location, which is the caller's. */
EM_API int em_carbon_find(const em_options *options, em_error *ret_error, em_carbon *ret_carbon);
/* Constant after create, in a forked child too. Strings: the meter's. */
EM_API int em_meter_carbon(const em_meter *meter, em_carbon *ret_carbon);
EM_API int em_summary_carbon(const em_summary *summary, em_carbon *ret_carbon); /* strings: the summary's */

/* One source number, and how it enters the total. */
typedef struct {
    size_t size;
    const char *name;        /* "cpu-0/package"; unique, and never another for the same thing */
    const char *sensor;      /* "rapl-perf", "rapl-powercap", "nvml", "tdp" */
    const char *source;      /* path below the root, or "nvml:GPU-…" */
    const char *device_name; /* model of the board or CPU, "" if unknown */
    const char *uuid;        /* of a GPU; NULL if it has none */
    const char *reason;      /* why the role or status is what it is, and the remedy; "" if there is nothing to say */
    int32_t domain, kind, role;
    int32_t of;     /* the channel that a part or mirror belongs to, or -1 */
    int32_t status; /* EM_OK, or why it is unreadable or ended */
    int32_t reserved;
    uint64_t notes;        /* EM_NOTE_BIT(…) */
    uint64_t read_cost_ns; /* of one read of its device, as measured; 0: not yet */
    uint64_t period_ns;    /* between updates; with EM_NOTE_PERIOD_ASSUMED a documented value, not a measured one */
    double power_w;        /* in the last interval; NAN: unknown */
    double energy_j;       /* since the meter was created, while it sampled; NAN: unreadable */
} em_channel;              /* strings: the meter's, or the summary's it was asked of */

/* A sensor, or a channel of one, that gives nothing: why, and what to do about it. */
typedef struct {
    size_t size;
    int32_t status;
    int32_t is_idle; /* nothing here asks for it: no such device was found, or the options do not want it */
    const char *sensor, *reason, *hint;
} em_absence;

/* Constant after create. 0 for NULL. */
EM_API size_t em_meter_channel_count(const em_meter *meter);
EM_API int em_meter_channel(em_meter *meter, size_t index, em_channel *ret_channel);
EM_API size_t em_meter_absence_count(const em_meter *meter);
EM_API int em_meter_absence(em_meter *meter, size_t index, em_absence *ret_absence);

/* "gpu" when a GPU is counted or modelled, else "cpu". */
EM_API const char *em_meter_device(const em_meter *meter);
/* "NVIDIA H200", "8 x NVIDIA H200", different models joined by ", "; NULL without a GPU. */
EM_API const char *em_meter_gpu_name(const em_meter *meter);

/* Which of its job's processes on this node this one is, 0 … count - 1, and how many they are, as the variables of its
 * launcher in options.environment say (torchrun, Open MPI, MPICH, Intel MPI, MVAPICH2, PALS, jsrun, SLURM). 0 and 1 where
 * none tells. The ranks of one node share the rate at which a counter that reading spoils may be read. */
EM_API int em_meter_rank(const em_meter *meter, uint32_t *ret_rank, uint32_t *ret_count);

/* The channels and absences as JSON (schema 1) or as a table. EM_DOCTOR adds what was learned of each channel so far: the
 * cost of a read, the update period, doubts. So keep a window open for a second before. ret_text is freed with
 * em_text_destroy. */
EM_API int em_meter_format(em_meter *meter, int32_t what, int32_t format, char **ret_text, size_t *ret_length);

/* ------------------------------------------------------------------------------------------------------- windows */

/* Energy in J; NAN where there is no such channel. */
typedef struct {
    double energy_j;
    double counted_j; /* of a channel: what of it entered the total, NAN if it is none that does; else as energy_j */
    double uncertainty_j, gain_j, edge_j; /* k = 2 (about 95 %): the whole; the part that all windows of a device share;
                                             the part of this window's edges */
    int32_t provenance;                   /* of a total: the weakest in it */
    int32_t resolution;
    int32_t status; /* EM_OK, or why part of the time is missing */
    int32_t reserved;
    uint64_t notes;
    uint64_t gap_ns;    /* time inside the window that was not measured */
    uint64_t period_ns; /* of a channel: between its updates, measured unless EM_NOTE_PERIOD_ASSUMED;
                                             0: unknown, or a total */
} em_energy;            /* frozen: grows only by a new struct */

/* What windows used for each of the samples, tokens or requests that they were told to carry. Of several windows: over those
 * that carry items, and only them. The items must be those of the devices that are measured: one rank's items beside the
 * energy of a node that all ranks share give too much for each. The uncertainties are at k = 2, those of the energy, since
 * items are counted. */
typedef struct {
    double energy_j, uncertainty_j;              /* J for each; NAN: no items, 0 of them, or energy that is unknown */
    double items_per_j, items_per_j_uncertainty; /* NAN too where the energy is 0 */
    uint64_t windows;                            /* how many windows carry items: of one window 1 or 0 */
} em_per_item;                                   /* frozen: grows only by a new struct */

/* What a window measured. Set size, channels and channels_capacity before the call. */
typedef struct {
    size_t size;
    em_window id;
    int32_t kind;
    int32_t is_final;    /* the values will never change again */
    int32_t is_complete; /* nothing that should have been measured is missing */
    int32_t is_open;     /* not ended yet: up to now */
    const char *name;    /* the meter's, until its destroy; NULL: unnamed */
    uint64_t begin_ns, duration_ns;
    uint64_t items;   /* as told by em_window_set_items; 0 where per_item.windows is 0 */
    uint64_t wait_ns; /* as told by em_window_set_wait */
    em_energy total, by_domain[EM_DOMAINS];
    double by_provenance_j[EM_PROVENANCES];
    double carbon_g;     /* g CO2e */
    em_energy *channels; /* in: NULL, or channels_capacity elements; out: by channel index, in the same instant */
    size_t channels_capacity;
    size_t channels_count; /* how many were written */
    double
        process_cpu_share; /* CPU time of this process and its descendants over that of all processes: 0 … 1, reported,
                                 never applied. NAN: less than 0.2 s of time or of busy CPU time, where clock ticks say
                                 little, or no /proc/self. Read once a second and soon after edges, in the meter's thread:
                                 an edge is met to a sample interval */
    double cost;           /* energy × PUE × price_per_kwh; NAN: no price was given */
    double embodied_g;     /* g CO2e of making the machine, for this time; not in carbon_g; NAN: not given */
    em_per_item per_item;
    const char *process_cpu_share_reason; /* why it is NAN, in a sentence; NULL: it is not. Static */
} em_result;

typedef struct {
    size_t size;
    int32_t kind;     /* enum em_window_kind */
    int32_t keep;     /* nonzero: never expires until em_window_release */
    const char *name; /* copied; at most 255 bytes of UTF-8; NULL: unnamed */
} em_spec;

/* Begins a window. Any number may be open, nested or overlapping. Reads sensors as far as overhead_limit allows, cheapest
 * first; the first after a pause reads every one. A driver that hangs just then holds this call, and after a second no
 * other.
 * spec NULL: an unnamed window of kind OTHER. EM_ERR_INVALID, EM_ERR_NO_MEMORY, EM_ERR_FORKED, EM_ERR_CLOSED. */
EM_API int em_window_begin(em_meter *meter, const em_spec *spec, em_window *ret_window);

/* Ends it, and then reads sensors as begin does. ret_result may be NULL, which is cheaper. Never waits: the result is
 * provisional (is_final 0) until every counted channel was read after the end. EM_ERR_UNKNOWN, EM_ERR_EXPIRED, EM_ERR_ENDED. */
EM_API int em_window_end(em_meter *meter, em_window window, em_result *ret_result);

/* Ends a window and begins the next at the same instant: not a joule falls between them. */
EM_API int em_window_lap(em_meter *meter, em_window window, const em_spec *next, em_result *ret_result,
                         em_window *ret_next);

/* As if the window had never begun: no group, no summary, no result knows it. A name that no other window has had is
 * given back: the pointer to it that a result of this window gave ends here. */
EM_API int em_window_cancel(em_meter *meter, em_window window);

/* A later value wins, until the window has ended (then EM_ERR_ENDED). items: samples, tokens or requests, 0 …
 * EM_MOST_ITEMS, beyond which it is EM_ERR_INVALID. A window that was never told carries none, which is not the same as 0:
 * the energy of a window with 0 items is in the figures for each item of its group. */
EM_API int em_window_set_items(em_meter *meter, em_window window, uint64_t items);
EM_API int em_window_set_wait(em_meter *meter, em_window window, uint64_t wait_ns);

/* What is known now; never waits. Open windows too. EM_ERR_EXPIRED, EM_ERR_UNKNOWN. */
EM_API int em_window_result(em_meter *meter, em_window window, em_result *ret_result);

/* Why a result of this meter is not surer than it is: one sentence a line, each ended by a newline. channel: the index
 * of a channel in result->channels, or -1 for the total, which needs result->channels. "": nothing weakens it.
 * ret_text is freed with em_text_destroy; ret_length may be NULL. EM_ERR_INVALID, EM_ERR_NO_MEMORY. */
EM_API int em_result_reasons(em_meter *meter, const em_result *result, int32_t channel, char **ret_text,
                             size_t *ret_length);

/* The window of this kind that ended last, in all threads; kind -1: any but RUN. name NULL: named or not.
 * EM_ERR_UNKNOWN: none has ended. */
EM_API int em_window_last(em_meter *meter, int32_t kind, const char *name, em_window *ret_window);

/* Waits until the ended window is final, at most timeout_ns; then its edges are pinned, so that it is final in any
 * case. 0: all windows that have ended. An open window: EM_ERR_INVALID. */
EM_API int em_window_settle(em_meter *meter, em_window window, uint64_t timeout_ns);

/* A window begun with keep may expire from now on. */
EM_API int em_window_release(em_meter *meter, em_window window);

/* ------------------------------------------------------------------------------------------------------- summaries */

/* Windows of one kind and name. Only final values enter. */
typedef struct {
    size_t size;
    int32_t kind;
    int32_t reserved;
    const char *name; /* NULL: the unnamed ones; "*": what came after 1,024 groups */
    uint64_t count;
    uint64_t items; /* of those windows that carry items, at most EM_MOST_ITEMS. Of the run: of its RUN windows, if
                       each of them carries items; em_meter_reset takes those of open ones back */
    uint64_t duration_ns;                             /* sum of the windows' */
    uint64_t distinct_ns;                             /* length of the union of their time */
    em_energy total, distinct, by_domain[EM_DOMAINS]; /* distinct: over the union of their time */
    double by_provenance_j[EM_PROVENANCES];
    double carbon_g;
    double process_cpu_share; /* as in em_result, over all of them */
    double cost, embodied_g;  /* as in em_result */
    em_per_item per_item;
    const char *process_cpu_share_reason; /* the summary's */
} em_group;

/* Settles what has ended (at most timeout_ns, then pins) and freezes the numbers. */
EM_API int em_summary_create(em_meter *meter, uint64_t timeout_ns, em_summary **ret_summary);
/* 0 is the run: the union of all windows' time (Python keeps one open from its construction). Then by kind, name. */
EM_API size_t em_summary_group_count(const em_summary *summary);
EM_API int em_summary_group(const em_summary *summary, size_t index, em_group *ret_group);
/* kind -1: any. name NULL: the unnamed group. EM_ERR_UNKNOWN. */
EM_API int em_summary_find(const em_summary *summary, int32_t kind, const char *name, size_t *ret_index);
EM_API size_t em_summary_channel_count(const em_summary *summary);
EM_API int em_summary_channel(const em_summary *summary, size_t channel, em_channel *ret_channel);
EM_API int em_summary_energy(const em_summary *summary, size_t group, size_t channel, em_energy *ret_energy);
/* As em_result_reasons, of a group. channel -1: its total. EM_ERR_UNKNOWN. */
EM_API int em_summary_reasons(const em_summary *summary, size_t group, int32_t channel, char **ret_text,
                              size_t *ret_length);
/* What measuring cost the program that was measured, since the meter was created or reset. */
typedef struct {
    size_t size;
    double fraction; /* caller_s / the time that has passed: until the summary, or until the meter was closed */
    double limit;    /* overhead_limit */
    double caller_s; /* inside em_window_begin, end and lap, in all threads; what they read included */
    double sync_s;   /* as told by em_window_set_wait, of all windows that have ended; not part of caller_s */
} em_overhead;       /* frozen: grows only by a new struct */
EM_API int em_summary_overhead(const em_summary *summary, em_overhead *ret_overhead);

/* 1: a process other than this one and its descendants held a counted GPU when the meter was created or at a summary since
 * its last reset; 0: none did; -1: unknown (no GPU counted through a driver that tells, or process ids that cannot be
 * compared, as in a container with a process namespace of its own). Looked up by em_summary_create, which waits for it at
 * most 0.25 s; never while sampling. */
EM_API int em_summary_gpu_shared(const em_summary *summary, int32_t *ret_shared);
/* A table; JSON with the keys that docs/architecture.md names; CSV, one line for the run, the epochs, the batches and each
 * name (docs/reports.md); the front matter of a Hugging Face model card with co2_eq_emissions, and a section of text; or a
 * draft of a BoAmps report, whose task nobody but the user knows. enum em_format. ret_text is freed with em_text_destroy,
 * ret_length may be NULL. EM_ERR_INVALID, EM_ERR_NO_MEMORY. */
EM_API int em_summary_format(const em_summary *summary, int32_t format, char **ret_text, size_t *ret_length);
/* Reads what em_summary_format or Python's json.dumps(meter.summary()) wrote, of any process and machine. It gives the
 * same JSON again; energies by channel are those of the run alone (em_summary_energy of another group: NAN). The text may
 * be anything: EM_ERR_INVALID, with what is wrong in ret_error (may be NULL), EM_ERR_NO_MEMORY. */
EM_API int em_summary_parse(const char *json, size_t length, em_error *ret_error, em_summary **ret_summary);
/* One summary of several processes, each giving one of each of its meters, on one host or many. A device (a GPU by its
 * UUID, all else by its name, on one boot of a host) counts once over the union of their time, interpolated between
 * points; different hosts add up. Windows of one kind and name add up; their energies are NAN where processes measured
 * the same devices at the same time, since whose joules are in both cannot be told. What cannot be resolved is
 * EM_ERR_INVALID with the processes in ret_error (may be NULL), whose argument is "parts[INDEX]": views without points that
 * overlap, energies that contradict each other, a model beside a measurement, one meter twice. parts stay the caller's.
 * EM_ERR_NO_MEMORY. */
EM_API int em_summary_merge(const em_summary *const *parts, size_t count, em_error *ret_error,
                            em_summary **ret_summary);
EM_API void em_summary_destroy(em_summary *summary);

/* Several runs of one program, or one alone. The summaries stay the caller's; name: for reports. */
typedef struct {
    const em_summary *const *summaries;
    size_t count;
    const char *name;
} em_runs; /* frozen */

typedef struct {
    double mean, sd, interval; /* the mean's 95 % interval is mean ± interval (Student's t); NAN for one run */
} em_spread;                   /* frozen */

/* Of the runs of several summaries. */
typedef struct {
    size_t size;
    size_t count;
    em_spread duration_s, energy_j, power_w, carbon_g; /* power_w: of each run's mean */
    double gain_j; /* k = 2: what sensors are off by, the same in all runs, is not in the spread */
} em_repeat;
EM_API int em_summary_repeat(const em_runs *runs, em_repeat *ret_repeat);
/* A table, JSON (with the summaries in "runs") or CSV (the lines of each). ret_text is freed with em_text_destroy. */
EM_API int em_summary_repeat_format(const em_runs *runs, int32_t format, char **ret_text, size_t *ret_length);
/* The summary number index of what em_summary_repeat_format wrote as JSON; a summary's own JSON holds number 0 alone.
 * EM_ERR_UNKNOWN: there are no more. Else as em_summary_parse. */
EM_API int em_summary_parse_run(const char *json, size_t length, size_t index, em_error *ret_error,
                                em_summary **ret_summary);

/* How much more or less the runs b used than the runs a, means where there are several. What sensors are off by in both
 * cancels (docs/measurement.md, section 7). */
typedef struct {
    size_t size;
    double difference_j;                  /* b - a */
    double ratio;                         /* b / a; NAN: a used nothing */
    double uncertainty_j, gain_j, edge_j; /* of the difference, k = 2: the whole; what does not cancel of the sensors'
                                             gain; of the edges of all runs */
    double scatter_j;      /* 95 % interval of the difference from how runs scatter; NAN: a side has one run, so that it
                              is not known, and not in uncertainty_j */
    int32_t stands;        /* the difference is larger than its uncertainty */
    int32_t is_comparable; /* one machine, the same channels, measured in the same way */
} em_comparison;
/* EM_ERR_INVALID where they are not comparable, unless flags has EM_FORCE; ret_error's argument is then "a[INDEX]" or
 * "b[INDEX]". ret_error may be NULL. EM_ERR_NO_MEMORY. */
EM_API int em_summary_compare(const em_runs *a, const em_runs *b, uint32_t flags, em_error *ret_error,
                              em_comparison *ret_comparison);
/* All against the first, as JSON or as a table. ret_error's argument: "runs[INDEX]", of those that were given. */
EM_API int em_summary_compare_format(const em_runs *runs, size_t count, uint32_t flags, int32_t format,
                                     em_error *ret_error, char **ret_text, size_t *ret_length);

/* Whether windows_fd took a line of every window that is final, as em_meter_trace_status does of a trace: EM_OK;
 * EM_ERR_SYSTEM: it ends early or lacks lines, and ret_error (may be NULL) says which. Ask after em_meter_close. */
EM_API int em_meter_windows_status(em_meter *meter, em_error *ret_error);

/* ------------------------------------------------------------------------------------------------------- traces */

/* A trace that cannot be written never disturbs the measurement, and no call waits for its file but close and the
 * summary of a closed meter (at most their timeout_ns; a disk as long as it takes). EM_OK: nothing is lacking so far, or
 * there is no trace. EM_ERR_SYSTEM: it ends early (a full disk, a pipe whose reader left) or lacks records (they came
 * faster than the file took them); ret_error (may be NULL) says which. Ask after em_meter_close. */
EM_API int em_meter_trace_status(em_meter *meter, em_error *ret_error);

/* Reads a trace's beginning at the descriptor's position; what follows is read by the calls below. fd stays the
 * caller's, open until destroy. One that was cut off opens too. EM_ERR_INVALID: no trace, one of another version, or cut
 * off in its beginning; EM_ERR_SYSTEM: it cannot be read; EM_ERR_NO_MEMORY. ret_error may be NULL. A trace is used by
 * one thread at a time. */
EM_API int em_trace_open(int fd, em_error *ret_error, em_trace **ret_trace);

/* Replays it to its end: the same bytes as the summary that the meter gave there. Windows that are open where a trace
 * was cut off go on up to there. EM_NOTE_TRUNCATED in the notes of each total: it was cut off or lacks records.
 * EM_ERR_SYSTEM: it cannot be read; EM_ERR_NO_MEMORY. */
EM_API int em_trace_summary(em_trace *trace, em_error *ret_error, em_summary **ret_summary);

/* The same of a part of it, and with another intensity: from from_ns to to_ns since its first window began; 0 and
 * UINT64_MAX: all of it. The run is then the part, and windows that do not lie within it are left out; what measuring
 * cost is known of the whole alone. carbon: of its location, carbon_g_per_kwh, pue, price_per_kwh, embodied_kg and
 * lifetime_years those that are given hold instead of the trace's; NULL: as it was. EM_ERR_INVALID: one of them is wrong,
 * the part is empty or begins behind the trace's end, or the trace has been read before. */
EM_API int em_trace_part(em_trace *trace, uint64_t from_ns, uint64_t to_ns, const em_options *carbon,
                         em_error *ret_error, em_summary **ret_summary);
EM_API void em_trace_destroy(em_trace *trace); /* NULL is ignored; its summaries live on */

/* ------------------------------------------------------------------------------------------------------- machines */

/* Records what sensors may look at below root (as in em_options; NULL: "/") as the JSON text of a recorded machine, which
 * em_options.root takes when it is kept as a file: values, modes, links and read errors as this user meets them. Serial
 * numbers, UUIDs and hardware addresses are hashed by a key that stays on the machine. Opens regular files alone, writes
 * nothing, wakes no GPU, and keeps at most 8 MiB. Vendor libraries and perf events are not in it. EM_ERR_INVALID,
 * EM_ERR_NO_MEMORY. ret_text is freed with em_text_destroy; ret_length and ret_error may be NULL. */
EM_API int em_machine_record(const char *root, em_error *ret_error, char **ret_text, size_t *ret_length);

/* ------------------------------------------------------------------------------------------------------- words */

EM_API void em_text_destroy(char *text);
EM_API const char *em_status_text(int status); /* a sentence; static */
EM_API const char *em_status_word(int status); /* "masked-by-container"; static */
EM_API const char *em_note_text(int note);     /* note: a bit's number; "" if there is none such; static */
EM_API const char *em_note_remedy(int note);
/* A value for people, as tables show it: three significant figures and a unit that fits, "1.23 kJ", "-" for NAN. Cut to
 * size, which 32 always is enough for. EM_ERR_INVALID. */
EM_API int em_quantity_format(int32_t quantity, double value, char *ret_text, size_t size);
EM_API const char *em_version(void); /* "0.1.0" */

#ifdef __cplusplus
}
#endif
#endif
