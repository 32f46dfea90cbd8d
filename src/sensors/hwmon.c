/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Power and energy of hwmon chips: of sockets, modules and supplies where the table of chips knows them, and shown but never
 * counted where it does not. A chip is a device, or several where it has very many numbers. */
#include "core/text.h"
#include "sensors/files.h"
#include "sensors/hwmon_chips.h"
#include "sensors/sensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SOCKETS = 1024, MOST_IN_TURN = 16, UW_PER_MW = 1000, MW_PER_W = 1000, NS_PER_MS = 1000000 };
#define SLOW_NS UINT64_C(1000000000)
#define RARE_NS UINT64_C(10000000000)
#define COSTLY_NS UINT64_C(2000000) /* one number that takes longer than this is read once a second */

static const char hint[] =
    "nothing to do without such a chip; else load its driver; in a container pass /sys/class/hwmon in";

static const em__chip_rule unknown = {.covers = EM__COVERS_UNKNOWN,
                                      .domain = EM_DOMAIN_OTHER,
                                      .rail = -1,
                                      .flags = EM__CHIP_RARE,
                                      .ceiling_w = 100000,
                                      .gain = 0.05};

/* A number that becomes a channel. */
typedef struct {
    const em__hwmon_item *item;
    const em__chip_rule *rule;
    int32_t number, is_volts;
} pick;

typedef struct {
    em__host *host;
    em__probe *probe;
    struct {
        const em__chip_rule *rule;
        int32_t next;
    } turns[MOST_IN_TURN];
} survey;

static uint32_t type_of(const em__hwmon_chip *chip, const em__hwmon_item *item, int *ret_is_volts)
{
    *ret_is_volts = 0;
    if (item->type == EM__HWMON_POWER && item->files & (EM__HWMON_INPUT | EM__HWMON_AVERAGE)) {
        return EM__CHIP_POWER;
    }
    if (item->type == EM__HWMON_ENERGY && item->files & EM__HWMON_INPUT) {
        return EM__CHIP_ENERGY;
    }
    /* Of an INA3221, numbers 4 to 6 are voltages over the shunts, and 7 is their sum. */
    const em__hwmon_item *amps = item->type == EM__HWMON_IN && item->number >= 1 && item->number <= 3 &&
                                         item->files & EM__HWMON_INPUT && strcmp(chip->name, "ina3221") == 0
                                     ? em__hwmon_find(chip, EM__HWMON_CURR, item->number)
                                     : NULL;
    *ret_is_volts = amps && amps->files & EM__HWMON_INPUT && !em__hwmon_find(chip, EM__HWMON_POWER, item->number);
    return *ret_is_volts ? EM__CHIP_VOLTS : 0;
}

/* Energy counts better than power: a chip's power of the same label is left out. */
static int has_energy(const em__hwmon_chip *chip, const em__hwmon_item *power)
{
    for (size_t i = 0; i < chip->count && power->type == EM__HWMON_POWER && power->label[0]; i++) {
        const em__hwmon_item *other = &chip->items[i];
        if (other->type == EM__HWMON_ENERGY && !other->is_off && strcmp(other->label, power->label) == 0) {
            return 1;
        }
    }
    return 0;
}

static size_t pick_numbers(const em__hwmon_chip *chip, pick *picks)
{
    size_t count = 0;
    for (size_t i = 0; i < chip->count; i++) {
        const em__hwmon_item *item = &chip->items[i];
        pick next = {.item = item};
        uint32_t type = type_of(chip, item, &next.is_volts);
        if (!type || item->is_off || strcmp(item->label, "NC") == 0 || has_energy(chip, item)) {
            continue;
        }
        next.rule = item->error ? NULL : em__chip_rule_of(chip, item->label, type, &next.number);
        next.number = next.rule ? next.number : -1;
        next.rule = next.rule ? next.rule : &unknown;
        picks[count++] = next;
    }
    return count;
}

static int32_t next_turn(survey *all, const em__chip_rule *rule)
{
    for (int i = 0; i < MOST_IN_TURN; i++) {
        if (!all->turns[i].rule || all->turns[i].rule == rule) {
            all->turns[i].rule = rule;
            return all->turns[i].next++;
        }
    }
    return 0;
}

/* Cores are numbered over all sockets of which the chip has numbers. */
static int32_t socket_of(const pick *picks, size_t count, const pick *core)
{
    int32_t cores = 0, sockets = 0;
    for (size_t i = 0; i < count; i++) {
        int is_core = picks[i].rule == core->rule;
        cores = is_core && picks[i].number >= cores ? picks[i].number + 1 : cores;
        sockets += picks[i].rule->covers == EM__COVERS_PACKAGE;
    }
    return sockets > 1 ? (int32_t)((int64_t)core->number * sockets / cores) : 0;
}

/* "VDD_CPU_CV" to "vdd_cpu_cv", "Chip 0 Vdd" to "chip-0-vdd". */
static void add_word(char *name, size_t size, const char *label)
{
    size_t length = strlen(name);
    for (; *label && length + 1 < size; label++) {
        char byte = *label >= 'A' && *label <= 'Z' ? (char)(*label + ('a' - 'A')) : *label;
        int is_plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || strchr("_.+", byte);
        name[length++] = is_plain ? byte : '-';
    }
    name[length] = '\0';
}

static void name_channel(const em__hwmon_chip *chip, const pick *from, em__channel *channel)
{
    static const char *const types[] = {"power", "energy", "in", "curr"};
    char word[64] = "", plain[24], own[32] = "";
    em__print(plain, sizeof plain, "%s%d", types[from->item->type], from->item->number);
    add_word(word, sizeof word, from->rule->word ? from->rule->word : from->item->label[0] ? from->item->label : plain);
    add_word(own, sizeof own, chip->name);
    switch (from->rule->covers) {
    case EM__COVERS_PACKAGE:
    case EM__COVERS_CORE:
        em__print(channel->name, sizeof channel->name, "cpu-%d/%s", channel->package, word);
        break;
    case EM__COVERS_RAIL:
        em__print(channel->name, sizeof channel->name, from->rule->word ? "cpu-%d/%s" : "module-%d/%s",
                  channel->package, word);
        break;
    case EM__COVERS_MODULE:
        em__print(channel->name, sizeof channel->name, "module-0/%s", word);
        break;
    case EM__COVERS_PIECE:
        em__print(channel->name, sizeof channel->name, "%s/%s",
                  from->rule->domain == EM_DOMAIN_PLATFORM ? own : "module-0", word);
        break;
    default:
        em__print(channel->name, sizeof channel->name, "%s/%s-%s",
                  from->rule->covers == EM__COVERS_PLATFORM ? "platform" : "other", own, word);
    }
}

static void describe(survey *all, const em__hwmon_chip *chip, const pick *picks, size_t count, const pick *from,
                     int32_t whole, em__channel *channel)
{
    const em__chip_rule *rule = from->rule;
    int is_cpu =
        rule->covers == EM__COVERS_PACKAGE || rule->covers == EM__COVERS_CORE || rule->covers == EM__COVERS_RAIL;
    int32_t number = from->number < 0 || from->number > MOST_SOCKETS ? 0 : from->number;
    channel->covers = rule->covers;
    channel->domain = rule->domain;
    channel->gain = rule->gain;
    channel->ceiling_mw = (uint64_t)rule->ceiling_w * MW_PER_W;
    channel->refresh_ns = (uint64_t)rule->refresh_ms * NS_PER_MS;
    channel->interval_ns = rule->flags & EM__CHIP_RARE ? RARE_NS : rule->flags & EM__CHIP_SLOW ? SLOW_NS : 0;
    if (is_cpu) {
        channel->package = rule->flags & EM__CHIP_IN_TURN  ? next_turn(all, rule)
                           : rule->flags & EM__CHIP_SPREAD ? socket_of(picks, count, from)
                                                           : number;
    }
    channel->holds_memory = (rule->flags & EM__CHIP_WITH_MEMORY) != 0;
    channel->die = rule->rail;
    channel->package = rule->covers == EM__COVERS_PIECE && rule->rail >= 0 ? 0 : channel->package;
    channel->thing = rule->flags & (EM__CHIP_WHOLE | EM__CHIP_SAME_AS_WHOLE) ? whole : 0;
    channel->inside = rule->flags & EM__CHIP_IN_WHOLE ? whole : 0;
    em__copy(channel->device_name, sizeof channel->device_name,
             rule->domain == EM_DOMAIN_GPU ? "integrated GPU" : chip->name);
    name_channel(chip, from, channel);
    if (rule->covers == EM__COVERS_UNKNOWN) {
        em__print(channel->reason, sizeof channel->reason,
                  from->item->error ? "this user may not read what it feeds"
                                    : "what this number of chip %s feeds is not known",
                  chip->name);
    }
}

static void open_number(em__host *host, const em__hwmon_chip *chip, const pick *from, em__files *files, size_t at)
{
    em__channel *channel = em__files_channel(files, at);
    char path[EM__SOURCE_SIZE], times[EM__SOURCE_SIZE] = "", known[EM__TEXT_SIZE];
    em__file_way way = from->rule->flags & EM__CHIP_NEVER_ZERO ? EM__FILE_NEVER_ZERO : EM__FILE_AS_IS;
    em__hwmon_file file = from->item->files & EM__HWMON_INPUT ? EM__HWMON_INPUT : EM__HWMON_AVERAGE;
    way = from->item->type == EM__HWMON_ENERGY ? EM__FILE_COUNTS : way;
    em__hwmon_path(chip, from->item, file, path, sizeof path);
    if (from->is_volts) {
        em__hwmon_path(chip, em__hwmon_find(chip, EM__HWMON_CURR, from->item->number), EM__HWMON_INPUT, times,
                       sizeof times);
    }
    em__copy(known, sizeof known, channel->reason);
    uint64_t before_ns = host->ops->monotonic_ns(host);
    em__files_add(files, at, path, times[0] ? times : NULL, way, NULL);
    uint64_t cost_ns = host->ops->monotonic_ns(host) - before_ns;
    if (cost_ns > COSTLY_NS && channel->interval_ns < SLOW_NS) {
        channel->interval_ns = SLOW_NS;
    }
    if (known[0] && channel->status == EM_OK) {
        em__copy(channel->reason, sizeof channel->reason, known);
    }
}

static int add_device(survey *all, const em__hwmon_chip *chip, const pick *picks, size_t total, size_t first,
                      size_t count, int32_t whole)
{
    em__files *files;
    char path[EM__SOURCE_SIZE];
    int status = em__files_create(all->host, &em__sensor_hwmon, count, &files);
    if (status != EM_OK) {
        return status;
    }
    em__print(path, sizeof path, "%s/name", chip->folder);
    em__files_identify(files, chip->root, path, chip->name);
    for (size_t i = 0; i < count; i++) {
        const pick *from = &picks[first + i];
        describe(all, chip, picks, total, from, whole, em__files_channel(files, i));
        open_number(all->host, chip, from, files, i);
    }
    return em__files_finish(files, all->probe);
}

static int add_chip(survey *all, const em__hwmon_chip *chip)
{
    pick *picks = calloc(chip->count + 1, sizeof *picks);
    if (!picks) {
        return EM_ERR_NO_MEMORY;
    }
    size_t count = pick_numbers(chip, picks);
    int32_t whole = 0;
    for (size_t i = 0; i < count; i++) {
        whole = whole || !(picks[i].rule->flags & EM__CHIP_WHOLE) ? whole : em__probe_thing(all->probe);
    }
    int status = EM_OK;
    for (size_t at = 0; at < count && status == EM_OK; at += EM__DEVICE_CHANNELS) {
        size_t share = count - at < EM__DEVICE_CHANNELS ? count - at : EM__DEVICE_CHANNELS;
        status = add_device(all, chip, picks, count, at, share, whole);
    }
    free(picks);
    return status;
}

/* ------------------------------------------------------------------------------------------------------- batteries */

/* The channel of the battery sensor that reads the battery of this name. */
static const em__channel *battery_of(const em__probe *probe, const char *name)
{
    for (size_t i = 0; i < probe->device_count; i++) {
        const em__channel *channel = &probe->devices[i]->channels[0];
        const char *at = strrchr(channel->source, '/');
        size_t length = strlen(name);
        if (strcmp(probe->devices[i]->sensor, em__sensor_battery.name) != 0 || !at || length == 0) {
            continue;
        }
        for (at++; *at; at += strcspn(at, ","), at += *at == ',') {
            if (strcspn(at, ",") == length && strncmp(at, name, length) == 0) {
                return channel;
            }
        }
    }
    return NULL;
}

/* The kernel shows batteries, adapters and chargers again as chips. Only a battery's power is consumption. */
static int add_supply(survey *all, const em__hwmon_chip *chip, const em__channel *battery)
{
    const em__hwmon_item *item = em__hwmon_find(chip, EM__HWMON_POWER, 1);
    em__files *files;
    char path[EM__SOURCE_SIZE];
    if (!battery || !item || !(item->files & EM__HWMON_INPUT)) {
        return EM_OK;
    }
    int status = em__files_create(all->host, &em__sensor_hwmon, 1, &files);
    if (status != EM_OK) {
        return status;
    }
    em__channel *channel = em__files_channel(files, 0);
    *channel = *battery;
    channel->source[0] = channel->reason[0] = '\0';
    channel->status = EM_OK;
    channel->interval_ns = RARE_NS;
    em__hwmon_path(chip, item, EM__HWMON_INPUT, path, sizeof path);
    em__files_add(files, 0, path, NULL, EM__FILE_AS_IS, NULL);
    return em__files_finish(files, all->probe);
}

static void supply_name(const em__hwmon_chip *chip, char *name, size_t size)
{
    const char *at = strstr(chip->place, "/power_supply/");
    em__copy(name, size, chip->name);
    if (at) {
        at += strlen("/power_supply/");
        em__print(name, size, "%.*s", (int)strcspn(at, "/"), at);
    }
}

/* ---------------------------------------------------------------------------------------------------------- probing */

static int explain(const em__hwmon *hwmon, size_t first, em__probe *probe)
{
    int is_denied = hwmon->error == -EACCES || hwmon->error == -EPERM;
    int is_name_denied = hwmon->name_error == -EACCES || hwmon->name_error == -EPERM;
    if (is_denied || (hwmon->unnamed > 0 && is_name_denied)) {
        return em__probe_absent(probe, &em__sensor_hwmon, EM_ERR_PERMISSION, "let this user read " EM__HWMON_CLASS,
                                "this user may not %s in " EM__HWMON_CLASS, is_denied ? "look" : "read names");
    }
    if (hwmon->count > 0 && (size_t)hwmon->unnamed == hwmon->count && hwmon->name_error == -ENOENT) {
        return em__probe_absent(
            probe, &em__sensor_hwmon, EM_ERR_MASKED, "pass the host's /sys into the container (-v /sys:/sys:ro)",
            EM__HWMON_CLASS " lists %zu chips whose folders are hidden in this container", hwmon->count);
    }
    if (hwmon->error < 0 && hwmon->error != -ENOENT) {
        return em__probe_absent(probe, &em__sensor_hwmon, EM_ERR_BROKEN, hint, EM__HWMON_CLASS " cannot be listed: %s",
                                strerror(-hwmon->error));
    }
    return em__probe_explain(probe, &em__sensor_hwmon, first, hint, "no chip here measures power or energy");
}

static int hwmon_probe(em__host *host, const em__selection *selection, em__probe *probe)
{
    if (selection->measure == 0) {
        return em__probe_absent(probe, &em__sensor_hwmon, EM_ERR_NOT_SELECTED, "", "the options leave all out");
    }
    const em__hwmon *hwmon;
    survey all = {.host = host, .probe = probe};
    size_t first = probe->device_count;
    int status = em__probe_hwmon(host, probe, &hwmon);
    for (size_t i = 0; status == EM_OK && i < hwmon->count; i++) {
        const em__hwmon_chip *chip = &hwmon->chips[i];
        char name[64];
        if (!chip->name[0] || em__chip_is_elsewhere(chip->name)) {
            continue;
        }
        supply_name(chip, name, sizeof name);
        const em__channel *battery = battery_of(probe, name);
        status = battery || chip->bus == EM__BUS_SUPPLY ? add_supply(&all, chip, battery) : add_chip(&all, chip);
    }
    return status == EM_OK ? explain(hwmon, first, probe) : status;
}

const em__sensor em__sensor_hwmon = {"hwmon", 50, hwmon_probe};
