/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The kernel's energy model of an SoC (CONFIG_DTPM): a tree of zones with estimated power. The top holds all below it. */
#include "core/text.h"
#include "sensors/files.h"
#include "sensors/sensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 64, MOST_DEPTH = 8, UW_PER_MW = 1000, REFRESH_NS = 10000000 };

static const char class_folder[] = "/sys/class/powercap";
static const char hint[] = "nothing to do: only some kernels of SoCs have them";

typedef struct {
    char folder[NAME_BYTES]; /* "dtpm:0:1" */
    size_t depth;
} zone;

typedef struct {
    zone zones[EM__DEVICE_CHANNELS];
    size_t count;
} zone_list;

/* "dtpm:0", "dtpm:0:1:a": parents sort before what is in them. */
static int note_zone(void *context, const char *name)
{
    zone_list *list = context;
    size_t depth = 0;
    if (strncmp(name, "dtpm:", 5) != 0 || strlen(name) >= NAME_BYTES || list->count == EM__DEVICE_CHANNELS) {
        return 0;
    }
    for (const char *at = name + 4; *at; depth++) {
        size_t digits = *at == ':' ? strspn(at + 1, "0123456789abcdef") : 0;
        if (digits == 0 || depth == MOST_DEPTH) {
            return 0;
        }
        at += 1 + digits;
    }
    zone *next = &list->zones[list->count++];
    em__copy(next->folder, sizeof next->folder, name);
    next->depth = depth;
    return 0;
}

static int32_t parent_of(const zone_list *list, size_t child, em__files *files)
{
    size_t length = (size_t)(strrchr(list->zones[child].folder, ':') - list->zones[child].folder);
    for (size_t i = 0; i < list->count && list->zones[child].depth > 1; i++) {
        if (strlen(list->zones[i].folder) == length &&
            strncmp(list->zones[i].folder, list->zones[child].folder, length) == 0) {
            return em__files_channel(files, i)->thing;
        }
    }
    return 0;
}

static void add_zone(em__host *host, const zone_list *list, size_t at, em__files *files, em__probe *probe)
{
    em__channel *channel = em__files_channel(files, at);
    char path[EM__SOURCE_SIZE], name[NAME_BYTES];
    uint64_t range_uw;
    em__print(path, sizeof path, "%s/%s/name", class_folder, list->zones[at].folder);
    if (em__host_text(host, path, name, sizeof name) < 0 || !name[0] || strchr(name, '/')) {
        em__copy(name, sizeof name, list->zones[at].folder);
    }
    em__print(channel->source, sizeof channel->source, "%s/%s", class_folder, list->zones[at].folder);
    channel->thing = em__probe_thing(probe);
    channel->inside = parent_of(list, at, files);
    channel->covers = channel->inside ? EM__COVERS_PIECE : EM__COVERS_PLATFORM;
    em__print(channel->name, sizeof channel->name, "%s/%s", channel->inside ? "dtpm" : "platform", name);
    channel->domain = EM_DOMAIN_PLATFORM;
    channel->is_estimate = 1;
    channel->gain = 0.30;
    channel->refresh_ns = REFRESH_NS;
    em__print(path, sizeof path, "%s/max_power_range_uw", channel->source);
    if (em__host_u64(host, path, &range_uw) == 0 && range_uw > 0) {
        channel->ceiling_mw = range_uw / UW_PER_MW > UINT64_MAX / 4 ? 0 : 4 * (range_uw / UW_PER_MW) + 1000;
    }
    em__print(path, sizeof path, "%s/power_uw", channel->source);
    em__files_add(files, at, path, NULL, EM__FILE_AS_IS, NULL);
    if (channel->status == EM_OK) {
        em__copy(channel->reason, sizeof channel->reason, "estimated by the kernel from an energy model, not measured");
    }
}

static int dtpm_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    if (!(selection->measure & 1u << EM_DOMAIN_PLATFORM)) {
        return em__probe_absent(probe, &em__sensor_dtpm, EM_ERR_NOT_SELECTED, "",
                                "the options leave the whole machine out");
    }
    size_t first = probe->device_count;
    int status = EM_OK;
    zone_list *list = calloc(1, sizeof *list);
    em__files *files;
    if (!list) {
        return EM_ERR_NO_MEMORY;
    }
    host->ops->list(host, class_folder, note_zone, list);
    if (list->count > 0) {
        status = em__files_create(host, &em__sensor_dtpm, list->count, &files);
        for (size_t i = 0; i < list->count && status == EM_OK; i++) {
            add_zone(host, list, i, files, probe);
        }
        status = status == EM_OK ? em__files_finish(files, probe) : status;
    }
    free(list);
    return status == EM_OK
               ? em__probe_explain(probe, &em__sensor_dtpm, first, hint, "no dtpm zones in /sys/class/powercap")
               : status;
}

const em__sensor em__sensor_dtpm = {"dtpm", 60, dtpm_probe};
