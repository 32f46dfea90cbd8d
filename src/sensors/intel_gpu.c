/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Discrete Intel GPUs through the hwmon chips of the i915 and xe drivers: energy counters of the card and of the package on
 * it. */
#include "core/text.h"
#include "sensors/gpu_bus.h"
#include "sensors/sensor.h"

#include <stdlib.h>
#include <string.h>

static const char hint[] =
    "for a discrete Intel GPU: i915 of Linux 6.2 or newer, or xe; in a container pass /sys/class/hwmon in";

enum { CARD, PACKAGE, KINDS };

/* i915 has one counter and no label. xe: 1 is the card, 2 the package; either may be missing. */
static void find_counters(const em__hwmon_chip *chip, const em__hwmon_item *counters[])
{
    counters[CARD] = counters[PACKAGE] = NULL;
    for (size_t i = 0; i < chip->count; i++) {
        const em__hwmon_item *item = &chip->items[i];
        if (item->type != EM__HWMON_ENERGY || item->is_off || !(item->files & EM__HWMON_INPUT)) {
            continue;
        }
        int is_package = item->label[0] ? strcmp(item->label, "pkg") == 0 : item->number == 2;
        int is_card = item->label[0] ? strcmp(item->label, "card") == 0 : item->number == 1;
        if (is_package || is_card) {
            counters[is_package ? PACKAGE : CARD] = item;
        }
    }
}

static void add_counter(em__host *host, const em__hwmon_chip *chip, const em__hwmon_item *item, int sleeps,
                        em__files *files, size_t at, uint64_t *ret_value)
{
    char path[EM__SOURCE_SIZE];
    uint64_t limit_uw;
    em__channel *channel = em__files_channel(files, at);
    em__hwmon_path(chip, item, EM__HWMON_INPUT, path, sizeof path);
    channel->ceiling_mw = em__gpu_chip_ceiling_mw(host, chip, item->number, sleeps, &limit_uw);
    em__files_add(files, at, path, NULL, EM__FILE_COUNTS, ret_value);
}

/* The graphics of a CPU sit on the first bus, and inside the counter of its package. */
static int is_integrated(const em__hwmon_chip *chip, const em__gpu_chip *gpu)
{
    (void)chip;
    return strncmp(gpu->pci, "0000:00:", 8) == 0;
}

static void note_integrated(const em__gpu_entry *entry, em__channel *channel)
{
    if (entry->is_in_cpu) {
        em__copy(channel->name, sizeof channel->name, "cpu-0/graphics");
        channel->domain = EM_DOMAIN_CPU;
        channel->covers = EM__COVERS_UNCORE;
        channel->package = 0;
        channel->gpu = -1;
    }
}

static int add_chip(em__host *host, const em__gpu_entry *entry, uint64_t notes, em__probe *probe)
{
    const em__hwmon_item *counters[KINDS];
    const em__hwmon_chip *chip = entry->chip;
    em__files *files;
    int sleeps;
    find_counters(chip, counters);
    size_t count = (counters[CARD] != NULL) + (size_t)(counters[PACKAGE] != NULL), at = 0;
    em__hwmon_item none = {.type = EM__HWMON_ENERGY, .number = 1};
    if (count == 0) {
        counters[CARD] = &none;
    }
    int32_t index = entry->board.index;
    int status = em__gpu_chip_device(host, &em__sensor_intel_gpu, chip, count ? count : 1, &files, &sleeps);
    if (status != EM_OK) {
        return status;
    }
    em__channel *card = NULL;
    uint64_t value;
    if (counters[CARD]) {
        card = em__files_channel(files, at);
        em__gpu_entry_describe(entry, index, notes, "board", card);
        card->thing = em__probe_thing(probe);
        add_counter(host, chip, counters[CARD], sleeps, files, at++, &value);
        if (counters[PACKAGE] && card->status == EM_OK && !sleeps && value == 0) {
            card->status = EM_ERR_BROKEN;
            em__copy(card->reason, sizeof card->reason,
                     "the card's counter stands at 0, as with the xe driver of Linux 6.16; update the kernel");
        }
        note_integrated(entry, card);
    }
    if (counters[PACKAGE]) {
        em__channel *package = em__files_channel(files, at);
        em__gpu_entry_describe(entry, index, notes, "package", package);
        add_counter(host, chip, counters[PACKAGE], sleeps, files, at++, &value);
        if (card && card->status == EM_OK) {
            package->covers = EM__COVERS_PIECE;
            package->inside = card->thing;
        } else if (package->status == EM_OK) {
            em__copy(package->reason, sizeof package->reason, "the GPU's package, without the rest of its card");
        }
        note_integrated(entry, package);
    }
    return em__files_finish(files, probe);
}

static int intel_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    em__gpu_set set;
    size_t first = probe->device_count;
    if (!(selection->measure & 1u << EM_DOMAIN_GPU)) {
        return em__probe_absent(probe, &em__sensor_intel_gpu, EM_ERR_NOT_SELECTED, "", "the options leave GPUs out");
    }
    int status = em__gpu_set_make(host, selection, probe, EM__MAKER_INTEL, is_integrated, &set);
    if (status != EM_OK) {
        return status;
    }
    for (size_t i = 0; status == EM_OK && i < set.count; i++) {
        if (set.entries[i].is_chosen && set.entries[i].chip) {
            status = add_chip(host, &set.entries[i], set.notes, probe);
        }
    }
    int is_left_out = set.chosen < set.count;
    if (status == EM_OK && is_left_out) {
        status = em__visible_explain(host, selection, probe, &em__sensor_intel_gpu, set.chosen, set.count);
    }
    free(set.entries);
    return status != EM_OK || is_left_out ? status
                                          : em__gpu_bus_explain(host, probe, &em__sensor_intel_gpu, EM__MAKER_INTEL,
                                                                first, hint, "no hwmon chip of the i915 or xe driver");
}

const em__sensor em__sensor_intel_gpu = {"intel-gpu", 42, intel_probe};
