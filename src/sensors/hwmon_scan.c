/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Chips show their files in hwmonN itself, or, older ones, in the folder of the device that hwmonN/device leads to. */
#include "sensors/hwmon_scan.h"

#include "core/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CHIPS = 4096, MOST_ITEMS = 4096 };

static int is_chip(const char *name)
{
    if (strncmp(name, "hwmon", 5) != 0) {
        return 0;
    }
    size_t digits = strspn(name + 5, "0123456789");
    return digits > 0 && digits < 7 && name[5 + digits] == '\0';
}

static void *one_more(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    size_t wider = *capacity ? *capacity * 2 : 16;
    void *larger = realloc(items, wider * size);
    *capacity = larger ? wider : *capacity;
    return larger;
}

static int note_chip(void *context, const char *name)
{
    em__hwmon *hwmon = context;
    if (!is_chip(name) || hwmon->count == MOST_CHIPS) {
        return 0;
    }
    em__hwmon_chip *chips = one_more(hwmon->chips, hwmon->count, &hwmon->capacity, sizeof *chips);
    if (!chips) {
        return -ENOMEM;
    }
    hwmon->chips = chips;
    em__hwmon_chip *chip = &chips[hwmon->count++];
    *chip = (em__hwmon_chip){.number = (int32_t)strtol(name + 5, NULL, 10)};
    em__print(chip->root, sizeof chip->root, "%s/%s", EM__HWMON_CLASS, name);
    return 0;
}

/* A listing is sorted by bytes, so that the files of one number follow each other but for those of other types. */
static int note_file(void *context, const char *name)
{
    em__hwmon *hwmon = context;
    em__hwmon_chip *chip = hwmon->chip;
    em__hwmon_attribute file;
    hwmon->has_device |= strcmp(name, "device") == 0;
    hwmon->has_name |= strcmp(name, "name") == 0;
    if (em__parse_hwmon_attribute(name, &file) < 0) {
        return 0;
    }
    em__hwmon_item *last = chip->count ? &chip->items[chip->count - 1] : NULL;
    if (!last || last->type != file.type || last->number != file.number) {
        if (chip->count == MOST_ITEMS) {
            return 0;
        }
        em__hwmon_item *items = one_more(chip->items, chip->count, &chip->capacity, sizeof *items);
        if (!items) {
            return -ENOMEM;
        }
        chip->items = items;
        last = &items[chip->count++];
        *last = (em__hwmon_item){.type = file.type, .number = file.number};
    }
    last->files |= file.file;
    return 0;
}

static int compare_items(const void *left, const void *right)
{
    const em__hwmon_item *a = left, *b = right;
    return a->type != b->type ? (a->type > b->type) - (a->type < b->type)
                              : (a->number > b->number) - (a->number < b->number);
}

static int list_chip(em__hwmon *hwmon, em__hwmon_chip *chip, const char *folder)
{
    em__copy(chip->folder, sizeof chip->folder, folder);
    hwmon->chip = chip;
    hwmon->has_name = 0;
    return hwmon->host->ops->list(hwmon->host, folder, note_file, hwmon) == -ENOMEM ? -ENOMEM : 0;
}

/* The same number may have been begun twice where other names lay between. */
static void merge_items(em__hwmon_chip *chip)
{
    size_t kept = 0;
    if (chip->count > 0) {
        qsort(chip->items, chip->count, sizeof *chip->items, compare_items);
    }
    for (size_t i = 0; i < chip->count; i++) {
        if (kept > 0 && compare_items(&chip->items[kept - 1], &chip->items[i]) == 0) {
            chip->items[kept - 1].files |= chip->items[i].files;
        } else {
            chip->items[kept++] = chip->items[i];
        }
    }
    chip->count = kept;
}

int em__hwmon_place(em__host *host, const char *root, char *place, size_t size)
{
    char path[64];
    int length = host->ops->link(host, root, place, size);
    if (length == -EINVAL || length == -ENOENT) {
        em__print(path, sizeof path, "%s/device", root);
        length = host->ops->link(host, path, place, size);
    }
    return length;
}

static int is_i2c(const char *name, size_t length)
{
    size_t bus = strspn(name, "0123456789");
    return bus > 0 && length == bus + 5 && name[bus] == '-' && strspn(name + bus + 1, "0123456789abcdef") >= 4;
}

/* The last folder of the place that is no hwmon's is the device's. */
static void find_bus(em__hwmon_chip *chip)
{
    size_t end = strlen(chip->place);
    for (int i = 0; i < 2; i++) {
        const char *cut = NULL;
        for (const char *at = chip->place; at < chip->place + end; at++) {
            cut = *at == '/' ? at : cut;
        }
        if (cut && strncmp(cut, "/hwmon", 6) == 0) {
            end = (size_t)(cut - chip->place);
        }
    }
    size_t begin = end;
    while (begin > 0 && chip->place[begin - 1] != '/') {
        begin--;
    }
    const char *pci = em__parse_pci(chip->place, end);
    const char *supply = strstr(chip->place, "/power_supply/");
    if (pci) {
        chip->bus = EM__BUS_PCI;
        em__print(chip->pci, sizeof chip->pci, "%.*s", (int)(chip->place + end - pci), pci);
    } else if (supply && supply < chip->place + end) {
        chip->bus = EM__BUS_SUPPLY;
    } else if (is_i2c(chip->place + begin, end - begin)) {
        chip->bus = EM__BUS_I2C;
    } else if (strstr(chip->place, "/usb")) {
        chip->bus = EM__BUS_USB;
    }
}

static int is_measured(const em__hwmon_item *item)
{
    return (item->type == EM__HWMON_POWER || item->type == EM__HWMON_ENERGY) &&
           item->files & (EM__HWMON_INPUT | EM__HWMON_AVERAGE);
}

/* Voltages tell of power beside currents (INA3221), and by their labels of a GPU that is part of a CPU (amdgpu). */
static int is_worth_reading(const em__hwmon_chip *chip, const em__hwmon_item *item)
{
    int has_volts = strncmp(chip->name, "ina", 3) == 0 || strcmp(chip->name, "amdgpu") == 0;
    return is_measured(item) || (item->type == EM__HWMON_IN && item->files & EM__HWMON_INPUT && has_volts);
}

static void read_item(em__host *host, const em__hwmon_chip *chip, em__hwmon_item *item)
{
    char path[EM__SOURCE_SIZE];
    uint64_t is_on = 1;
    if (!is_worth_reading(chip, item)) {
        return;
    }
    if (item->files & EM__HWMON_ENABLE) {
        em__hwmon_path(chip, item, EM__HWMON_ENABLE, path, sizeof path);
        item->is_off = em__host_u64(host, path, &is_on) == 0 && is_on == 0;
    }
    em__hwmon_file file = item->files & EM__HWMON_OEM_INFO ? EM__HWMON_OEM_INFO : EM__HWMON_LABEL;
    if (!item->is_off && item->files & (uint32_t)file) {
        char text[128];
        em__hwmon_path(chip, item, file, path, sizeof path);
        int length = em__host_text(host, path, text, sizeof text);
        item->error = length < 0 ? length : 0;
        em__copy(item->label, sizeof item->label, length < 0 ? "" : text);
    }
}

static int look_at(em__hwmon *hwmon, em__hwmon_chip *chip)
{
    char path[EM__SOURCE_SIZE];
    hwmon->has_device = 0;
    int error = list_chip(hwmon, chip, chip->root);
    if (error == 0 && !hwmon->has_name && hwmon->has_device) {
        em__print(path, sizeof path, "%s/device", chip->root);
        error = list_chip(hwmon, chip, path);
    }
    if (error < 0) {
        return error;
    }
    merge_items(chip);
    em__print(path, sizeof path, "%s/name", chip->folder);
    int length = hwmon->has_name ? em__host_text(hwmon->host, path, chip->name, sizeof chip->name) : -ENOENT;
    if (length < 0) {
        chip->name[0] = '\0';
        hwmon->unnamed++;
        hwmon->name_error = length;
        return 0;
    }
    int is_worth = 0;
    for (size_t i = 0; i < chip->count; i++) {
        is_worth |= is_worth_reading(chip, &chip->items[i]);
    }
    if (!is_worth && strcmp(chip->name, "amdgpu") != 0) {
        return 0;
    }
    if (em__hwmon_place(hwmon->host, chip->root, chip->place, sizeof chip->place) < 0) {
        chip->place[0] = '\0';
    }
    find_bus(chip);
    for (size_t i = 0; i < chip->count; i++) {
        read_item(hwmon->host, chip, &chip->items[i]);
    }
    return 0;
}

static int compare_chips(const void *left, const void *right)
{
    const em__hwmon_chip *a = left, *b = right;
    int order = (a->pci[0] == '\0') - (b->pci[0] == '\0');
    if (order == 0) {
        order = (strlen(a->pci) > strlen(b->pci)) - (strlen(a->pci) < strlen(b->pci));
    }
    if (order == 0) {
        order = strcmp(a->pci, b->pci);
    }
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

int em__hwmon_scan(em__host *host, em__hwmon **ret_hwmon)
{
    em__hwmon *hwmon = calloc(1, sizeof *hwmon);
    if (!hwmon) {
        return -ENOMEM;
    }
    hwmon->host = host;
    hwmon->error = host->ops->list(host, EM__HWMON_CLASS, note_chip, hwmon);
    int error = hwmon->error == -ENOMEM ? -ENOMEM : 0;
    for (size_t i = 0; i < hwmon->count && error == 0; i++) {
        error = look_at(hwmon, &hwmon->chips[i]);
    }
    if (error < 0) {
        em__hwmon_free(hwmon);
        return error;
    }
    if (hwmon->count > 0) {
        qsort(hwmon->chips, hwmon->count, sizeof *hwmon->chips, compare_chips);
    }
    *ret_hwmon = hwmon;
    return 0;
}

void em__hwmon_free(em__hwmon *hwmon)
{
    for (size_t i = 0; hwmon && i < hwmon->count; i++) {
        free(hwmon->chips[i].items);
    }
    free(hwmon ? hwmon->chips : NULL);
    free(hwmon);
}

const em__hwmon_item *em__hwmon_find(const em__hwmon_chip *chip, em__hwmon_type type, int32_t number)
{
    em__hwmon_item key = {.type = type, .number = number};
    return chip->count ? bsearch(&key, chip->items, chip->count, sizeof key, compare_items) : NULL;
}

void em__hwmon_path(const em__hwmon_chip *chip, const em__hwmon_item *item, em__hwmon_file file, char *path,
                    size_t size)
{
    static const char *const types[] = {"power", "energy", "in", "curr"};
    const char *word = file == EM__HWMON_INPUT     ? "input"
                       : file == EM__HWMON_AVERAGE ? "average"
                       : file == EM__HWMON_LABEL   ? "label"
                       : file == EM__HWMON_ENABLE  ? "enable"
                       : file == EM__HWMON_CAP     ? "cap"
                       : file == EM__HWMON_MAX     ? "max"
                                                   : "oem_info";
    em__print(path, size, "%s/%s%d_%s", chip->folder, types[item->type], item->number, word);
}
