/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Options: their defaults, and what is wrong with given ones, in words. */
#include "meter/meter.h"

#include "core/text.h"
#include "core/units.h"
#include "platform/stream.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BIT(domain) (1u << (domain))
#define ALL_DOMAINS                                                                                                    \
    (BIT(EM_DOMAIN_CPU) | BIT(EM_DOMAIN_GPU) | BIT(EM_DOMAIN_DRAM) | BIT(EM_DOMAIN_PLATFORM) | BIT(EM_DOMAIN_OTHER))

enum {
    MIN_INTERVAL_NS = 1000000,
    ALL_FLAGS = EM_AS_USER | EM_PRESENT_GPU | EM_MODEL_DRAM | EM_EDGES_ALWAYS | EM_EDGES_NEVER
};
#define MAX_INTERVAL_NS (60 * EM__NS_PER_S)

void em_options_init(em_options *options, size_t size)
{
    em_options defaults = {.size = size,
                           .sample_interval_ns = EM__NS_PER_S / 10,
                           .overhead_limit = 0.001,
                           .cpu_tdp_w = NAN,
                           .gpu_tdp_w = NAN,
                           .carbon_g_per_kwh = NAN,
                           .measure = ALL_DOMAINS,
                           .gpus = "visible",
                           .root = "/",
                           .trace_fd = -1,
                           .replay_fd = -1,
                           .windows_fd = -1,
                           .windows_format = EM_FORMAT_JSON,
                           .pue = NAN,
                           .price_per_kwh = NAN,
                           .embodied_kg = NAN,
                           .lifetime_years = NAN};
    if (options && size >= sizeof size) {
        memcpy(options, &defaults, size < sizeof defaults ? size : sizeof defaults);
    }
}

int em__options_refuse(em_error *error, int status, const char *argument, const char *text, ...)
{
    char words[sizeof error->text];
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(words, sizeof words, text, arguments);
    va_end(arguments);
    error->status = status;
    em__copy(error->argument, sizeof error->argument, argument);
    em__copy(error->text, sizeof error->text, words);
    return status;
}

static int check_number(em_error *error, const char *argument, double value, double low, int low_is_allowed)
{
    if (isnan(value) || (isfinite(value) && (low_is_allowed ? value >= low : value > low) && value <= 1e5)) {
        return EM_OK;
    }
    em__copy(error->remedy, sizeof error->remedy,
             low_is_allowed ? "give a number from 0 to 100000, or NAN for the default"
                            : "give a number above 0 and up to 100000, or NAN for the default");
    return em__options_refuse(error, EM_ERR_INVALID, argument, "%s is %g", argument, value);
}

static int check_rates(em_error *error, const em_options *options)
{
    double price = options->price_per_kwh, kg = options->embodied_kg, years = options->lifetime_years;
    if (!isnan(price) && !(price >= 0 && price <= 1e6)) {
        em__copy(error->remedy, sizeof error->remedy, "give a price from 0 to 1000000 for each kWh, or NAN for none");
        return em__options_refuse(error, EM_ERR_INVALID, "price_per_kwh", "price_per_kwh is %g", price);
    }
    if (!isnan(kg) && !(kg >= 0 && kg <= 1e9)) {
        em__copy(error->remedy, sizeof error->remedy, "give kg CO2e from 0 to 1e9, or NAN for none");
        return em__options_refuse(error, EM_ERR_INVALID, "embodied_kg", "embodied_kg is %g", kg);
    }
    if (!isnan(years) && !(years > 0 && years <= 100)) {
        em__copy(error->remedy, sizeof error->remedy, "give years above 0 and up to 100, or NAN for none");
        return em__options_refuse(error, EM_ERR_INVALID, "lifetime_years", "lifetime_years is %g", years);
    }
    if (isnan(kg) != isnan(years)) {
        const char *given = isnan(kg) ? "lifetime_years" : "embodied_kg";
        const char *lacking = isnan(kg) ? "embodied_kg" : "lifetime_years";
        em__print(error->remedy, sizeof error->remedy, "give %s too, or none of the two", lacking);
        return em__options_refuse(error, EM_ERR_INVALID, lacking, "%s is %g, and %s is not given", given,
                                  isnan(kg) ? years : kg, lacking);
    }
    return EM_OK;
}

static int check_outputs(em_error *error, const em_options *options)
{
    static const char remedy[] = "give a file descriptor that is open for writing, or -1";
    if (options->trace_fd < -1 || (options->trace_fd >= 0 && em__stream_check(options->trace_fd, 1) < 0)) {
        em__copy(error->remedy, sizeof error->remedy, remedy);
        return em__options_refuse(error, EM_ERR_INVALID, "trace_fd", "trace_fd is %d", options->trace_fd);
    }
    int windows = options->windows_fd;
    if (windows < -1 || (windows >= 0 && (windows == options->trace_fd || em__stream_check(windows, 1) < 0))) {
        em__copy(error->remedy, sizeof error->remedy, remedy);
        return em__options_refuse(error, EM_ERR_INVALID, "windows_fd", "windows_fd is %d%s", windows,
                                  windows == options->trace_fd ? ", as is trace_fd" : "");
    }
    if (options->windows_format != EM_FORMAT_JSON && options->windows_format != EM_FORMAT_CSV) {
        em__copy(error->remedy, sizeof error->remedy, "give EM_FORMAT_JSON or EM_FORMAT_CSV");
        return em__options_refuse(error, EM_ERR_INVALID, "windows_format", "windows_format is %d",
                                  (int)options->windows_format);
    }
    return EM_OK;
}

int em__options_check(const em_options *options, em_error *error)
{
    if (options->sample_interval_ns < MIN_INTERVAL_NS || options->sample_interval_ns > MAX_INTERVAL_NS) {
        em__copy(error->remedy, sizeof error->remedy, "give 1000000 (1 ms) to 60000000000 (60 s)");
        return em__options_refuse(error, EM_ERR_INVALID, "sample_interval_ns", "sample_interval_ns is %llu",
                                  (unsigned long long)options->sample_interval_ns);
    }
    if (!(options->overhead_limit >= 0 && options->overhead_limit <= 1)) {
        em__copy(error->remedy, sizeof error->remedy, "give a fraction from 0 (never read at edges) to 1, as 0.001");
        return em__options_refuse(error, EM_ERR_INVALID, "overhead_limit", "overhead_limit is %g",
                                  options->overhead_limit);
    }
    int status = check_number(error, "cpu_tdp_w", options->cpu_tdp_w, 0, 0);
    status = status ? status : check_number(error, "gpu_tdp_w", options->gpu_tdp_w, 0, 0);
    status = status ? status : check_rates(error, options);
    if (status) {
        return status;
    }
    if (options->measure == 0 || (options->measure & ~ALL_DOMAINS)) {
        em__copy(error->remedy, sizeof error->remedy, "give bits 1u << EM_DOMAIN_…, at least one");
        return em__options_refuse(error, EM_ERR_INVALID, "measure", "measure is 0x%x", options->measure);
    }
    if (options->require & ~options->measure) {
        em__copy(error->remedy, sizeof error->remedy, "require only domains that are in measure");
        return em__options_refuse(error, EM_ERR_INVALID, "require", "require is 0x%x, measure is 0x%x",
                                  options->require, options->measure);
    }
    if (options->flags & ~(uint32_t)ALL_FLAGS) {
        em__copy(error->remedy, sizeof error->remedy,
                 "give EM_AS_USER, EM_PRESENT_GPU, EM_MODEL_DRAM, EM_EDGES_ALWAYS, EM_EDGES_NEVER or 0");
        return em__options_refuse(error, EM_ERR_INVALID, "flags", "flags is 0x%x", options->flags);
    }
    if ((options->flags & EM_EDGES_ALWAYS) && (options->flags & EM_EDGES_NEVER)) {
        em__copy(error->remedy, sizeof error->remedy, "give EM_EDGES_ALWAYS or EM_EDGES_NEVER, or neither");
        return em__options_refuse(error, EM_ERR_INVALID, "flags",
                                  "flags is 0x%x: edges cannot be read always and never", options->flags);
    }
    if (!options->gpus || !options->gpus[0]) {
        em__copy(error->remedy, sizeof error->remedy, "give \"visible\", \"all\", \"local_rank\", indices or UUIDs");
        return em__options_refuse(error, EM_ERR_INVALID, "gpus", "gpus is empty");
    }
    if (options->file_count > 0 && !options->files) {
        em__copy(error->remedy, sizeof error->remedy, "give an array of file_count elements, or 0 for none");
        return em__options_refuse(error, EM_ERR_INVALID, "files", "files is NULL, and file_count is %zu",
                                  options->file_count);
    }
    int has_root = options->root && strcmp(options->root, "/") != 0;
    if (options->replay_fd < -1 || (options->replay_fd >= 0 && em__stream_check(options->replay_fd, 0) < 0)) {
        em__copy(error->remedy, sizeof error->remedy, "give a file descriptor that is open for reading, or -1");
        return em__options_refuse(error, EM_ERR_INVALID, "replay_fd", "replay_fd is %d", options->replay_fd);
    }
    if (options->replay_fd >= 0 && (options->file_count > 0 || has_root)) {
        em__copy(error->remedy, sizeof error->remedy, "give one of the two");
        return em__options_refuse(
            error, EM_ERR_INVALID, "replay_fd", "a trace is replayed in the place of a machine, and %s%s%s",
            has_root ? "root is \"" : "files are given", has_root ? options->root : "", has_root ? "\"" : "");
    }
    return check_outputs(error, options);
}
