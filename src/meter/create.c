/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A meter's birth. */
#include "core/text.h"
#include "core/units.h"
#include "meter/lister.h"
#include "meter/meter.h"
#include "meter/playback.h"
#include "meter/tracer.h"
#include "metrics/summary.h"
#include "platform/process.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 3, HINT_BYTES = 200 };

static em_meter *alloc_meter(void)
{
    em_meter *meter = calloc(1, sizeof *meter);
    pthread_condattr_t attributes;
    if (meter) {
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&meter->settled, &attributes);
        pthread_condattr_destroy(&attributes);
        pthread_mutex_init(&meter->door, NULL);
        em__share_init(&meter->share);
        meter->generation = em__process_generation();
        meter->is_parked = 1;
    }
    return meter;
}

/* What the options leave out is listed, and never counted. */
static void leave_out(em__channel *facts, uint32_t measure)
{
    if (!(measure & (1u << facts->domain))) {
        facts->status = EM_ERR_NOT_SELECTED;
        em__copy(facts->reason, sizeof facts->reason, em_status_text(EM_ERR_NOT_SELECTED));
    }
}

static int take_devices(em_meter *meter, em__probe *probe, uint32_t measure)
{
    size_t count = 0;
    for (size_t i = 0; i < probe->device_count; i++) {
        count += probe->devices[i]->channel_count;
    }
    meter->slots = calloc(probe->device_count + 1, sizeof(em__slot *));
    meter->sharing = em__sharing_create(meter->host, probe);
    meter->facts = calloc(count + 1, sizeof *meter->facts);
    meter->fact_pointers = calloc(count + 1, sizeof(em__channel *));
    meter->sensors = calloc(count + 1, sizeof(char *));
    meter->ranks = calloc(count + 1, sizeof *meter->ranks);
    meter->slot_of = calloc(count + 1, sizeof *meter->slot_of);
    if (!meter->sharing || !meter->slots || !meter->facts || !meter->fact_pointers || !meter->sensors ||
        !meter->ranks || !meter->slot_of) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < probe->device_count; i++) {
        em__device *device = probe->devices[i];
        probe->devices[i] = NULL;
        em__slot *slot = em__slot_create(meter->host, device, meter->channel_count);
        if (!slot) {
            return EM_ERR_NO_MEMORY;
        }
        meter->slots[meter->slot_count++] = slot;
        for (size_t c = 0; c < device->channel_count; c++) {
            size_t channel = meter->channel_count++;
            meter->facts[channel] = device->channels[c];
            leave_out(&meter->facts[channel], measure);
            meter->fact_pointers[channel] = &meter->facts[channel];
            meter->sensors[channel] = device->sensor;
            meter->ranks[channel] = device->rank;
            meter->slot_of[channel] = i;
        }
    }
    return EM_OK;
}

/* What is not certain of the choice of NVIDIA's boards stands beside each of them; the others' sensors tell of theirs. */
static void note_choice(em_meter *meter, uint64_t notes)
{
    static const int doubts[] = {EM_NOTE_MAPPING_UNKNOWN, EM_NOTE_MIG};
    for (size_t i = 0; i < meter->channel_count; i++) {
        em__channel *facts = &meter->facts[i];
        int is_theirs = strcmp(meter->sensors[i], "amdgpu") == 0 || strcmp(meter->sensors[i], "intel-gpu") == 0;
        for (size_t n = 0; n < 2 && facts->domain == EM_DOMAIN_GPU && !facts->reason[0] && !is_theirs; n++) {
            if (notes & EM_NOTE_BIT(doubts[n])) {
                const char *remedy = em_note_remedy(doubts[n]);
                facts->notes |= EM_NOTE_BIT(doubts[n]);
                em__print(facts->reason, sizeof facts->reason, "%s%s%s", em_note_text(doubts[n]), remedy[0] ? "; " : "",
                          remedy);
            }
        }
    }
}

static int take_probe(em_meter *meter, const em_options *options, em_error *error, uint64_t *ret_notes)
{
    em__probe probe = {0};
    em__selection selection = {.measure = options->measure,
                               .cpu_tdp_w = options->cpu_tdp_w,
                               .gpu_tdp_w = options->gpu_tdp_w,
                               .present_gpu = (options->flags & EM_PRESENT_GPU) != 0,
                               .model_dram = (options->flags & EM_MODEL_DRAM) != 0,
                               .files = options->files,
                               .file_count = options->file_count,
                               .tape = meter->tape,
                               .gpus = options->gpus,
                               .error = error};
    int status = em__sensors_probe(meter->host, &selection, &probe);
    if (status != EM_OK) {
        error->status = status;
        return status;
    }
    status = take_devices(meter, &probe, options->measure);
    note_choice(meter, probe.notes);
    meter->absences = probe.absences;
    meter->absence_count = probe.absence_count;
    meter->container = probe.container;
    *ret_notes = probe.notes;
    probe.absences = NULL;
    probe.absence_count = 0;
    em__sensors_free(&probe);
    return status;
}

/* Where no channel at all, not even an unreadable one, stands for what the options want first (the CPU, unless they
 * leave it out), the last absence of its sensors says why. */
static void find_unmeasured(const em_meter *meter, uint32_t measure, int32_t ret_status[])
{
    int32_t first = EM_DOMAIN_CPU, status = EM_ERR_NOT_SUPPORTED;
    while (!(measure & (1u << first))) {
        first++;
    }
    for (size_t i = 0; i < meter->channel_count; i++) {
        const em__channel *facts = &meter->facts[i];
        if (facts->domain == first || (first != EM_DOMAIN_CPU && facts->status != EM_ERR_NOT_SELECTED)) {
            return;
        }
    }
    for (size_t i = 0; i < meter->absence_count; i++) {
        if ((strcmp(meter->absences[i].sensor, "nvml") == 0) == (first == EM_DOMAIN_GPU)) {
            status = meter->absences[i].status;
        }
    }
    ret_status[first] = status;
}

static char *read_text(em__host *host, const char *path)
{
    char text[256];
    return em__host_text(host, path, text, sizeof text) > 0 ? strdup(text) : NULL;
}

static void take_surroundings(em_meter *meter, const em_options *options)
{
    em__host *host = meter->host;
    uint64_t wall_ns = host->ops->wall_ns(host), mono_ns = host->ops->monotonic_ns(host);
    meter->wall_offset_ns = wall_ns > mono_ns ? wall_ns - mono_ns : 0;
    if (meter->tape) {
        /* What is played again is no measurement of any boot, and is not to be merged with one. */
        meter->host_name = meter->tape->host ? strdup(meter->tape->host) : NULL;
    } else {
        meter->host_name = read_text(host, "/proc/sys/kernel/hostname");
        meter->boot_id = read_text(host, "/proc/sys/kernel/random/boot_id");
    }
    meter->has_cpu_tdp = !isnan(options->cpu_tdp_w);
    meter->has_gpu_tdp = !isnan(options->gpu_tdp_w);
    meter->location = options->location ? strdup(options->location) : NULL;
    meter->carbon.location = meter->location;
    meter->interval_ns = options->sample_interval_ns;
}

static int start_ledger(em_meter *meter, const em_options *options, uint64_t notes)
{
    uint64_t turn_ns = options->sample_interval_ns > EM__NS_PER_S ? options->sample_interval_ns : EM__NS_PER_S;
    em__ledger_setup setup = {.facts = meter->fact_pointers,
                              .sensors = meter->sensors,
                              .ranks = meter->ranks,
                              .count = meter->channel_count,
                              .notes = notes,
                              .interval_ns = options->sample_interval_ns,
                              .patience_ns = PATIENCE * turn_ns, /* Some boards are read once a second. */
                              .rates = {.g_per_kwh = meter->carbon.g_per_kwh,
                                        .pue = meter->carbon.pue,
                                        .price_per_kwh = options->price_per_kwh,
                                        .embodied_kg = options->embodied_kg,
                                        .lifetime_years = options->lifetime_years}};
    find_unmeasured(meter, options->measure, setup.unmeasured);
    int status = em__ledger_init(&meter->ledger, &setup);
    if (status != EM_OK) {
        return status;
    }
    em__meter_want(meter);
    char name[512];
    em_channel *channels = calloc(meter->channel_count + 1, sizeof *channels);
    if (!channels) {
        return EM_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < meter->channel_count; i++) {
        em__ledger_channel(&meter->ledger, i, &channels[i]);
    }
    size_t models = em__summary_gpu_name(channels, meter->channel_count, name, sizeof name);
    meter->gpu_name = models ? strdup(name) : NULL;
    free(channels);
    return EM_OK;
}

static int start_trace(em_meter *meter, int descriptor)
{
    uint64_t *no_costs_ns = calloc(meter->channel_count + 1, sizeof *no_costs_ns);
    if (!no_costs_ns) {
        return EM_ERR_NO_MEMORY;
    }
    em__surroundings around = em__meter_surroundings(meter, no_costs_ns, em__sharing_answer(meter->sharing));
    int status = em__tracer_create(descriptor, &meter->ledger.setup, &around, &meter->tracer);
    free(no_costs_ns);
    return status;
}

static const char *const domain_words[] = {"cpu", "gpu", "dram", "platform", "other"};

static const char *domain_sensor(int domain)
{
    return domain == EM_DOMAIN_GPU ? "nvml" : "rapl-powercap";
}

static int is_met(const em_meter *meter, int domain)
{
    int has = 0;
    for (size_t i = 0; i < meter->channel_count; i++) {
        has |= meter->facts[i].domain == domain && meter->ledger.roles[i].role == EM_ROLE_COUNTED &&
               meter->facts[i].kind != EM_KIND_MODEL;
    }
    return has;
}

/* Why nothing reads it: what a channel of its own says, else what the sensor says that most machines have. */
static const char *reason_of(const em_meter *meter, int domain, const char **ret_hint)
{
    const char *reason = "no sensor of this machine does";
    *ret_hint = "energy-meter sensors tells what this machine offers";
    for (size_t i = 0; i < meter->channel_count; i++) {
        if (meter->facts[i].domain == domain && meter->facts[i].status != EM_OK && meter->facts[i].reason[0]) {
            *ret_hint = "";
            return meter->facts[i].reason; /* with its remedy */
        }
    }
    for (size_t i = 0; i < meter->absence_count; i++) {
        if (strcmp(meter->absences[i].sensor, domain_sensor(domain)) == 0) {
            reason = meter->absences[i].reason;
            *ret_hint = meter->absences[i].hint[0] ? meter->absences[i].hint : *ret_hint;
        }
    }
    return reason;
}

static int check_required(const em_meter *meter, uint32_t require, em_error *error)
{
    for (int domain = EM_DOMAIN_CPU; domain <= EM_DOMAIN_OTHER; domain++) {
        if (!(require & (1u << domain)) || is_met(meter, domain)) {
            continue;
        }
        const char *hint, *reason = reason_of(meter, domain, &hint), *word = domain_words[domain];
        hint = strlen(hint) < HINT_BYTES ? hint : "energy-meter sensors tells what to do about it";
        em__print(error->remedy, sizeof error->remedy, "%s%sleave \"%s\" out of require to have what there is", hint,
                  hint[0] ? "; or " : "", word);
        return em__options_refuse(error, EM_ERR_UNAVAILABLE, "require",
                                  "require names \"%s\", and nothing but a model could tell of it: %s", word, reason);
    }
    return EM_OK;
}

static int open_host(em_meter *meter, const em_options *options, em_error *error)
{
    char text[sizeof error->text] = "";
    const char *root = options->root ? options->root : "/";
    int as_user = (options->flags & EM_AS_USER) != 0;
    int failure = em__host_open(root, as_user, options->environment, text, sizeof text, &meter->host);
    if (failure == -ENOMEM) {
        return EM_ERR_NO_MEMORY;
    }
    if (failure != 0) {
        em__copy(error->remedy, sizeof error->remedy,
                 "give \"/\", a directory laid out like it, or a recorded machine (.json)");
        return em__options_refuse(error, EM_ERR_INVALID, "root", "%s", text[0] ? text : root);
    }
    return EM_OK;
}

static int build(em_meter *meter, em__host *host, const em_options *options, em_error *error)
{
    uint64_t notes = 0;
    int status = em__carbon_choose(options, error, &meter->carbon);
    if (status != EM_OK) {
        return status;
    }
    if (host) {
        meter->host = em__host_ref(host);
    } else {
        status = open_host(meter, options, error);
    }
    if (status == EM_OK && options->replay_fd >= 0) {
        status = em__playback_load(options->replay_fd, error, &meter->tape);
    }
    status = status ? status : take_probe(meter, options, error, &notes);
    status = status ? status : em__meter_overrule(meter, options->channels, error);
    if (status != EM_OK) {
        return status;
    }
    take_surroundings(meter, options);
    status = em__share_open(&meter->share, meter->host);
    status = status ? status : start_ledger(meter, options, notes);
    status = status ? status : check_required(meter, options->require, error);
    if (status == EM_OK) {
        em__sharing_look(meter->sharing, meter, 0);
    }
    int edges = options->flags & (EM_EDGES_ALWAYS | EM_EDGES_NEVER);
    meter->overhead_limit = options->overhead_limit;
    em__edge_init(&meter->edges, meter->host, meter->slots, meter->slot_count, options->overhead_limit,
                  edges == EM_EDGES_ALWAYS  ? EM__EDGES_ALWAYS
                  : edges == EM_EDGES_NEVER ? EM__EDGES_NEVER
                                            : EM__EDGES_BY_BUDGET);
    if (status == EM_OK && options->trace_fd >= 0) {
        status = start_trace(meter, options->trace_fd);
    }
    if (status == EM_OK && options->windows_fd >= 0) {
        status = em__lister_create(options->windows_fd, options->windows_format, meter, &meter->lister);
    }
    return status ? status
                  : em__sampler_create(meter->host, meter->slots, meter->slot_count, meter->interval_ns,
                                       &em__meter_calls, meter, &meter->sampler);
}

int em_meter_create(const em_options *options, em_error *ret_error, em_meter **ret_meter)
{
    return em__meter_create_on(NULL, options, ret_error, ret_meter);
}

int em__meter_create_on(em__host *host, const em_options *options, em_error *ret_error, em_meter **ret_meter)
{
    em_options full;
    em_error error = {.size = sizeof error};
    em_options_init(&full, sizeof full);
    if (!ret_meter || (options && options->size < sizeof options->size)) {
        return EM_ERR_INVALID;
    }
    if (options) {
        memcpy(&full, options, options->size < sizeof full ? options->size : sizeof full);
    }
    em_meter *meter = NULL;
    int status = em__options_check(&full, &error);
    if (status == EM_OK) {
        meter = alloc_meter();
        status = meter ? build(meter, host, &full, &error) : EM_ERR_NO_MEMORY;
    }
    if (status == EM_OK) {
        *ret_meter = meter;
        return EM_OK;
    }
    if (meter) {
        em__meter_free(meter);
    }
    if (ret_error && ret_error->size >= sizeof ret_error->size) {
        if (!error.text[0]) {
            em__options_refuse(&error, status, "", "%s", em_status_text(status));
        }
        em__answer(ret_error, ret_error->size, &error, sizeof error);
    }
    return status;
}
