/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* AMD GPUs through the amdgpu driver: the energy that a board's firmware counts, else the power that its hwmon chip shows; where
 * the GPU is part of the CPU, of the whole socket. */
#include "core/text.h"
#include "sensors/gpu_bus.h"
#include "sensors/sensor.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_POWERS = 8 };
#define RARELY_NS UINT64_C(10000000000) /* what is never counted */

static const char hint[] =
    "for an AMD GPU: sudo modprobe amdgpu (radeon gives no power); in a container pass /sys/class/hwmon in";

/* The driver names the voltage of the north bridge, and two averages of one power, only where the CPU is on the same die.
 * It does neither on MI300A, which has an id of its own. */
static int is_apu(const em__hwmon_chip *chip, const em__gpu_chip *gpu)
{
    for (size_t i = 0; i < chip->count; i++) {
        const char *label = chip->items[i].label;
        if (strcmp(label, "vddnb") == 0 || strcmp(label, "slowPPT") == 0 || strcmp(label, "fastPPT") == 0) {
            return 1;
        }
    }
    return strcmp(gpu->id, "1002:74a0") == 0;
}

static size_t find_powers(const em__hwmon_chip *chip, const em__hwmon_item *powers[])
{
    size_t count = 0;
    for (size_t i = 0; i < chip->count && count < MOST_POWERS; i++) {
        const em__hwmon_item *item = &chip->items[i];
        if (item->type == EM__HWMON_POWER && !item->is_off && item->files & (EM__HWMON_AVERAGE | EM__HWMON_INPUT)) {
            powers[count++] = item;
        }
    }
    return count;
}

static void describe(const em__gpu_entry *entry, uint64_t notes, int32_t socket, em__channel *channel)
{
    int32_t index = entry->is_in_cpu ? socket : entry->board.index;
    em__gpu_entry_describe(entry, index, notes, "board", channel);
    if (entry->is_in_cpu) {
        em__print(channel->name, sizeof channel->name, "cpu-%d/package", index);
        channel->domain = EM_DOMAIN_CPU;
        channel->covers = EM__COVERS_PACKAGE;
        channel->package = index;
        channel->gpu = -1;
        em__copy(channel->reason, sizeof channel->reason, "the GPU is part of the CPU: this is the power of both");
    }
}

/* A board of two dies shows its power on the first one; the second has neither power nor limit. */
typedef struct {
    int32_t thing;
    int has_limit;
} first_die;

/* The driver hands these chips' energy through as their firmware counts it, in 2^-16 J; of others with a table as old
 * nobody states the unit, and some give what is no energy. MI100's stands still on many machines. */
static int is_energy_known(const char *id)
{
    static const char *const ids[] = {"1002:7408", "1002:740c", "1002:740f", "1002:7410"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (strcmp(id, ids[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* One chip while it is made. */
typedef struct {
    em__host *host;
    const em__hwmon_chip *chip;
    const em__gpu_entry *entry;
    em__files *files;
    size_t count; /* channels so far */
    int sleeps;
    uint64_t value, limit_uw; /* of the first power */
} making;

/* The power beside a counter: what it is compared with. */
static void name_gauge(em__channel *counter, em__channel *gauge)
{
    char *word = strrchr(gauge->name, '/');
    em__copy(word, (size_t)(gauge->name + sizeof gauge->name - word), "/power");
    counter->gauge = 1;
    counter->ceiling_mw = gauge->ceiling_mw;
}

/* What gpu_metrics has: 1 channel, or none. */
static void add_table(making *m, const char *path, em__file_way way)
{
    em__channel *channel = em__files_channel(m->files, m->count);
    channel->ceiling_mw = em__gpu_chip_ceiling_mw(m->host, m->chip, 0, 1, &m->limit_uw);
    em__files_add(m->files, m->count, path, NULL, way, &m->value);
    if (channel->status == EM_OK) {
        m->count++;
    } else {
        em__files_drop(m->files, m->count);
    }
}

static void add_power(making *m, const em__hwmon_item *item, em__hwmon_file file, int is_first)
{
    em__channel *channel = em__files_channel(m->files, m->count);
    char path[EM__SOURCE_SIZE];
    uint64_t value, limit_uw;
    channel->ceiling_mw = em__gpu_chip_ceiling_mw(m->host, m->chip, item->number, m->sleeps, &limit_uw);
    channel->interval_ns = is_first ? 0 : RARELY_NS;
    em__hwmon_path(m->chip, item, file, path, sizeof path);
    em__files_add(m->files, m->count++, path, NULL, EM__FILE_AS_IS, &value);
    if (is_first) {
        m->value = value;
        m->limit_uw = limit_uw;
    }
}

static void add_readings(making *m, const em__hwmon_item *const powers[], size_t power_count)
{
    static const em__hwmon_item none = {.type = EM__HWMON_POWER, .number = 1};
    char table[EM__SOURCE_SIZE];
    em__print(table, sizeof table, "%s/device/gpu_metrics", m->chip->root);
    int any = is_energy_known(m->entry->gpu.id) ? EM__FILE_ANY_UNIT : 0;
    if (!m->sleeps) {
        add_table(m, table, (em__file_way)(EM__FILE_TABLE | EM__FILE_COUNTS | EM__FILE_NEVER_ZERO | any));
    }
    size_t counters = m->count;
    if (!m->sleeps && counters + power_count == 0) {
        add_table(m, table, EM__FILE_TABLE);
    }
    for (size_t i = 0; i < power_count; i++) {
        int has_average = (powers[i]->files & EM__HWMON_AVERAGE) != 0;
        add_power(m, powers[i], has_average ? EM__HWMON_AVERAGE : EM__HWMON_INPUT, i == 0);
    }
    if (counters && power_count) {
        name_gauge(em__files_channel(m->files, 0), em__files_channel(m->files, 1));
    }
    if (m->count == 0 && !m->entry->is_in_cpu) {
        add_power(m, &none, EM__HWMON_AVERAGE, 1);
    }
}

/* The second die of a board of two has neither power nor limit. */
static void tell_things(making *m, em__probe *probe, first_die *before)
{
    em__channel *board = em__files_channel(m->files, 0);
    board->limit_mw = m->limit_uw / 1000;
    int is_dark = !m->entry->is_in_cpu && !m->sleeps && board->status == EM_OK && board->kind == EM_KIND_GAUGE &&
                  m->value == 0 && m->limit_uw == 0;
    if (is_dark && before->has_limit) {
        board->thing = before->thing;
        em__copy(board->reason, sizeof board->reason, "the second die of a board, whose power shows on the first");
    } else {
        board->thing = em__probe_thing(probe);
        *before = (first_die){board->thing, m->limit_uw > 0 && !m->entry->is_in_cpu};
    }
    for (size_t i = 1; i < m->count; i++) {
        em__files_channel(m->files, i)->thing = board->thing;
    }
}

static int add_chip(em__host *host, const em__gpu_entry *entry, uint64_t notes, em__probe *probe, int32_t *sockets,
                    first_die *before)
{
    const em__hwmon_item *powers[MOST_POWERS];
    size_t count = find_powers(entry->chip, powers);
    size_t most = count + 3; /* two tries at the table, and what stands for no power */
    making m = {.host = host, .chip = entry->chip, .entry = entry};
    int status = em__gpu_chip_device(host, &em__sensor_amdgpu, entry->chip, most, &m.files, &m.sleeps);
    if (status != EM_OK) {
        return status;
    }
    for (size_t i = 0; i < most; i++) {
        describe(entry, notes, *sockets, em__files_channel(m.files, i));
    }
    add_readings(&m, powers, count);
    if (m.count == 0) {
        em__files_destroy(m.files);
        return EM_OK;
    }
    *sockets += entry->is_in_cpu;
    em__files_cut(m.files, m.count);
    tell_things(&m, probe, before);
    return em__files_finish(m.files, probe);
}

/* A control group or a variable may leave boards out; what has no chip is left to the model. */
static int add_set(em__host *host, const em__selection *selection, const em__gpu_set *set, em__probe *probe)
{
    int status = EM_OK;
    int32_t sockets = 0;
    first_die before = {0, 0};
    for (size_t i = 0; i < set->count && status == EM_OK; i++) {
        const em__gpu_entry *entry = &set->entries[i];
        if (entry->is_chosen && entry->chip) {
            status = add_chip(host, entry, set->notes, probe, &sockets, &before);
        }
    }
    return status == EM_OK && set->chosen < set->count
               ? em__visible_explain(host, selection, probe, &em__sensor_amdgpu, set->chosen, set->count)
               : status;
}

static int amdgpu_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    em__gpu_set set;
    size_t first = probe->device_count;
    if (!(selection->measure & (1u << EM_DOMAIN_GPU | 1u << EM_DOMAIN_CPU))) {
        return em__probe_absent(probe, &em__sensor_amdgpu, EM_ERR_NOT_SELECTED, "", "the options leave GPUs out");
    }
    int status = em__gpu_set_make(host, selection, probe, EM__MAKER_AMD, is_apu, &set);
    if (status != EM_OK) {
        return status;
    }
    status = add_set(host, selection, &set, probe);
    int is_left_out = set.chosen < set.count;
    free(set.entries);
    if (status != EM_OK || is_left_out) {
        return status;
    }
    return em__gpu_bus_explain(host, probe, &em__sensor_amdgpu, EM__MAKER_AMD, first, hint,
                               "no hwmon chip of the amdgpu driver");
}

const em__sensor em__sensor_amdgpu = {"amdgpu", 40, amdgpu_probe};
