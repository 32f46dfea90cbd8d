/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Display and 3D controllers, of AMD and Intel processing accelerators too; sound and USB functions have other classes. */
#include "sensors/gpu_bus.h"

#include "core/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_GPUS = 256, WORD_BYTES = 32, UNIQUE_DIGITS = 16 };

static const char pci_folder[] = "/sys/bus/pci/devices";

static const struct {
    const char *vendor, *name, *drivers[2];
} makers[] = {[EM__MAKER_NVIDIA] = {"0x10de", "NVIDIA", {NULL, NULL}},
              [EM__MAKER_AMD] = {"0x1002", "AMD", {"amdgpu", NULL}},
              [EM__MAKER_INTEL] = {"0x8086", "Intel", {"i915", "xe"}}};
enum { MAKERS = sizeof makers / sizeof *makers };

static int read_word(em__host *host, const char *function, const char *attribute, char *word)
{
    char path[EM__SOURCE_SIZE];
    em__print(path, sizeof path, "%s/%s/%s", pci_folder, function, attribute);
    return em__host_text(host, path, word, WORD_BYTES);
}

static void read_driver(em__host *host, const char *function, char *driver)
{
    char path[EM__SOURCE_SIZE], target[EM__SOURCE_SIZE];
    em__print(path, sizeof path, "%s/%s/driver", pci_folder, function);
    if (host->ops->link(host, path, target, sizeof target) < 0) {
        target[0] = '\0';
    }
    const char *slash = strrchr(target, '/');
    em__copy(driver, WORD_BYTES, slash ? slash + 1 : target);
}

/* nouveau offers no power and CUDA cannot use its boards; of the others' boards, those are GPUs for work that a driver of
 * today holds. */
static int is_held(em__maker maker, const char *driver)
{
    if (maker == EM__MAKER_NVIDIA) {
        return strcmp(driver, "nouveau") != 0;
    }
    for (size_t i = 0; i < 2 && makers[maker].drivers[i]; i++) {
        if (strcmp(driver, makers[maker].drivers[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static int is_gpu_class(em__maker maker, const char *word)
{
    return strlen(word) == 8 &&
           (strncmp(word, "0x0300", 6) == 0 || strncmp(word, "0x0302", 6) == 0 ||
            (maker != EM__MAKER_NVIDIA && (strncmp(word, "0x0380", 6) == 0 || strncmp(word, "0x1200", 6) == 0)));
}

static em__bus_gpu *one_more(em__gpu_bus *bus)
{
    if (bus->count == bus->capacity) {
        size_t wider = bus->capacity ? 2 * bus->capacity : 8;
        em__bus_gpu *larger = realloc(bus->gpus, wider * sizeof *larger);
        if (!larger) {
            return NULL;
        }
        bus->gpus = larger;
        bus->capacity = wider;
    }
    em__bus_gpu *gpu = &bus->gpus[bus->count++];
    *gpu = (em__bus_gpu){.is_usable = 0};
    return gpu;
}

/* The kernel's driver knows the model where the library is missing. A sleeping board is left alone. */
static void read_model(em__host *host, const char *function, em__board *board)
{
    static const char line[] = "Model:";
    char path[EM__SOURCE_SIZE], text[1024], state[WORD_BYTES];
    em__print(path, sizeof path, "%s/%s/power/runtime_status", pci_folder, function);
    if (em__host_text(host, path, state, sizeof state) > 0 && strcmp(state, "suspended") == 0) {
        return;
    }
    em__print(path, sizeof path, "/proc/driver/nvidia/gpus/%s/information", function);
    if (em__host_text(host, path, text, sizeof text) < 0 || strncmp(text, line, strlen(line)) != 0) {
        return;
    }
    const char *model = text + strlen(line);
    model += strspn(model, " \t");
    size_t length = strcspn(model, "\n");
    if (length > 0) {
        em__visible_text(board->name, sizeof board->name, model, length);
    }
}

static int note_function(void *context, const char *name)
{
    em__gpu_bus *bus = context;
    char vendor[WORD_BYTES], word[WORD_BYTES], driver[WORD_BYTES];
    size_t maker = 0;
    if (strlen(name) >= EM__PCI_SIZE || bus->count == MOST_GPUS || read_word(bus->host, name, "vendor", vendor) < 0) {
        return 0;
    }
    while (maker < MAKERS && strcmp(vendor, makers[maker].vendor) != 0) {
        maker++;
    }
    if (maker == MAKERS || read_word(bus->host, name, "class", word) < 0 || !is_gpu_class((em__maker)maker, word)) {
        return 0;
    }
    em__bus_gpu *gpu = one_more(bus);
    if (!gpu) {
        return -ENOMEM;
    }
    read_driver(bus->host, name, driver);
    gpu->maker = (em__maker)maker;
    gpu->is_usable = is_held(gpu->maker, driver);
    gpu->is_integrated = maker != EM__MAKER_NVIDIA && strncmp(name, "0000:00:", 8) == 0;
    for (size_t i = 0; i + 1 < bus->count; i++) {
        gpu->board.index += bus->gpus[i].maker == gpu->maker && bus->gpus[i].is_usable;
    }
    em__copy(gpu->board.pci, sizeof gpu->board.pci, name);
    int is_named = read_word(bus->host, name, "device", word) > 2 && strncmp(word, "0x", 2) == 0;
    em__print(gpu->board.name, sizeof gpu->board.name, "%s GPU%s%s%s%s", makers[maker].name, is_named ? " " : "",
              is_named ? vendor + 2 : "", is_named ? ":" : "", is_named ? word + 2 : "");
    if (maker == EM__MAKER_NVIDIA) {
        read_model(bus->host, name, &gpu->board);
    }
    return 0;
}

int em__probe_bus(em__host *host, em__probe *probe, const em__gpu_bus **ret_bus)
{
    if (!probe->bus) {
        em__gpu_bus *bus = calloc(1, sizeof *bus);
        if (!bus) {
            return EM_ERR_NO_MEMORY;
        }
        bus->host = host;
        if (host->ops->list(host, pci_folder, note_function, bus) == -ENOMEM) {
            em__gpu_bus_free(bus);
            return EM_ERR_NO_MEMORY;
        }
        probe->bus = bus;
    }
    *ret_bus = probe->bus;
    return EM_OK;
}

void em__gpu_bus_free(em__gpu_bus *bus)
{
    free(bus ? bus->gpus : NULL);
    free(bus);
}

/* --------------------------------------------------------------------------------------------------------- one maker's */

/* amdgpu's id of a chip since Vega 10; of none else. It is known without the device. */
static void read_uuid(em__host *host, const char *folder, em__board *board)
{
    char path[EM__SOURCE_SIZE], text[WORD_BYTES];
    em__print(path, sizeof path, "%s/unique_id", folder);
    if (em__host_text(host, path, text, sizeof text) == UNIQUE_DIGITS &&
        strspn(text, "0123456789abcdef") == UNIQUE_DIGITS && strspn(text, "0") < UNIQUE_DIGITS) {
        em__print(board->uuid, sizeof board->uuid, "GPU-%s", text);
    }
}

static int count_tile(void *context, const char *name)
{
    size_t *tiles = context;
    *tiles += strncmp(name, "tile", 4) == 0 && name[4] >= '0' && name[4] <= '9' && name[5] == '\0';
    return 0;
}

static void complete_entry(em__host *host, em__maker maker, em__gpu_entry *entry)
{
    char folder[EM__SOURCE_SIZE];
    if (entry->chip) {
        em__print(folder, sizeof folder, "%s/device", entry->chip->root);
    } else {
        em__print(folder, sizeof folder, "%s/%s", pci_folder, entry->board.pci);
    }
    if (maker == EM__MAKER_AMD) {
        read_uuid(host, folder, &entry->board);
    } else if (em__host_variable(host, "ZE_AFFINITY_MASK")) {
        host->ops->list(host, folder, count_tile, &entry->board.tiles);
    }
}

static int compare_places(const void *left, const void *right)
{
    const em__gpu_entry *a = left, *b = right;
    int order = (a->board.pci[0] == '\0') - (b->board.pci[0] == '\0');
    if (order == 0) {
        order = (strlen(a->board.pci) > strlen(b->board.pci)) - (strlen(a->board.pci) < strlen(b->board.pci));
    }
    if (order == 0) {
        order = strcmp(a->board.pci, b->board.pci);
    }
    int32_t first = a->chip ? a->chip->number : 0, second = b->chip ? b->chip->number : 0;
    return order != 0 ? order : (first > second) - (first < second);
}

static int is_listed(const em__gpu_set *set, const char *pci)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->entries[i].board.pci, pci) == 0) {
            return 1;
        }
    }
    return 0;
}

static void list_entries(em__host *host, const em__hwmon *hwmon, const em__gpu_bus *bus, em__maker maker,
                         int (*is_in_cpu)(const em__hwmon_chip *chip, const em__gpu_chip *gpu), em__gpu_set *set)
{
    for (size_t i = 0; i < hwmon->count; i++) {
        if (hwmon->chips[i].name[0] && maker != EM__MAKER_NVIDIA && is_held(maker, hwmon->chips[i].name)) {
            em__gpu_entry *entry = &set->entries[set->count++];
            *entry = (em__gpu_entry){.chip = &hwmon->chips[i]};
            em__gpu_chip_identify(host, entry->chip, makers[maker].name, &entry->gpu);
            em__copy(entry->board.pci, sizeof entry->board.pci, entry->gpu.pci);
            em__copy(entry->board.name, sizeof entry->board.name, entry->gpu.name);
            entry->is_in_cpu = is_in_cpu(entry->chip, &entry->gpu);
        }
    }
    for (size_t i = 0; i < bus->count; i++) {
        const em__bus_gpu *gpu = &bus->gpus[i];
        if (gpu->maker == maker && gpu->is_usable && !is_listed(set, gpu->board.pci)) {
            set->entries[set->count++] = (em__gpu_entry){.board = gpu->board, .is_in_cpu = gpu->is_integrated};
        }
    }
    if (set->count > 0) {
        qsort(set->entries, set->count, sizeof *set->entries, compare_places);
    }
}

static void leave_to_model(em__gpu_bus *bus, const em__board *board)
{
    for (size_t i = 0; i < bus->count; i++) {
        if (strcmp(bus->gpus[i].board.pci, board->pci) == 0) {
            bus->gpus[i].board = *board;
            bus->gpus[i].is_bare = 1;
        }
    }
}

int em__gpu_set_make(em__host *host, const em__selection *selection, em__probe *probe, em__maker maker,
                     int (*is_in_cpu)(const em__hwmon_chip *chip, const em__gpu_chip *gpu), em__gpu_set *ret_set)
{
    const em__hwmon *hwmon;
    const em__gpu_bus *bus;
    em__gpu_set set = {.count = 0};
    int status = em__probe_hwmon(host, probe, &hwmon);
    status = status == EM_OK ? em__probe_bus(host, probe, &bus) : status;
    if (status != EM_OK) {
        return status;
    }
    size_t most = hwmon->count + bus->count + 1;
    set.entries = calloc(most, sizeof *set.entries);
    em__board *boards = calloc(most, sizeof *boards);
    unsigned char *chosen = calloc(most, 1);
    status = set.entries && boards && chosen ? EM_OK : EM_ERR_NO_MEMORY;
    if (status == EM_OK) {
        list_entries(host, hwmon, bus, maker, is_in_cpu, &set);
        int32_t next = em__probe_next_gpu(probe);
        for (size_t i = 0; i < set.count; i++) {
            complete_entry(host, maker, &set.entries[i]);
            set.entries[i].board.index = set.entries[i].is_in_cpu ? -1 : next++;
            boards[i] = set.entries[i].board;
        }
        probe->gpus = next;
        /* Without GPUs it is the GPUs in CPUs that are looked at, which nothing leaves out. */
        em__selection asked = *selection;
        asked.gpus = selection->measure & 1u << EM_DOMAIN_GPU ? selection->gpus : "all";
        status = em__visible_choose(host, &asked, maker, boards, set.count, &probe->choices, chosen, &set.notes);
    }
    for (size_t i = 0; i < set.count; i++) {
        set.entries[i].is_chosen = chosen[i] || set.entries[i].is_in_cpu;
        set.chosen += (size_t)set.entries[i].is_chosen;
        if (status == EM_OK && !set.entries[i].chip && chosen[i] && !set.entries[i].is_in_cpu) {
            leave_to_model(probe->bus, &set.entries[i].board);
        }
    }
    free(boards);
    free(chosen);
    if (status != EM_OK) {
        free(set.entries);
        return status;
    }
    *ret_set = set;
    return EM_OK;
}

void em__gpu_entry_describe(const em__gpu_entry *entry, int32_t index, uint64_t notes, const char *word,
                            em__channel *channel)
{
    static const int doubts[] = {EM_NOTE_MAPPING_UNKNOWN, EM_NOTE_MIG};
    em__gpu_chip_board(&entry->gpu, index, word, channel);
    em__copy(channel->uuid, sizeof channel->uuid, entry->board.uuid);
    for (size_t i = 0; i < 2 && !entry->is_in_cpu; i++) {
        if (notes & EM_NOTE_BIT(doubts[i])) {
            channel->notes |= EM_NOTE_BIT(doubts[i]);
            em__print(channel->reason, sizeof channel->reason, "%s%s%s", em_note_text(doubts[i]),
                      em_note_remedy(doubts[i])[0] ? "; " : "", em_note_remedy(doubts[i]));
        }
    }
}

int em__gpu_bus_explain(em__host *host, em__probe *probe, const em__sensor *sensor, em__maker maker,
                        size_t first_device, const char *hint, const char *reason)
{
    const em__gpu_bus *bus;
    int status = em__probe_bus(host, probe, &bus);
    for (size_t i = 0; status == EM_OK && i < bus->count && first_device == probe->device_count; i++) {
        if (bus->gpus[i].maker == maker && !bus->gpus[i].is_integrated) {
            return em__probe_absent(probe, sensor, EM_ERR_NO_DRIVER, hint, "%s, though the bus has %s at %s", reason,
                                    bus->gpus[i].board.name, bus->gpus[i].board.pci);
        }
    }
    return status == EM_OK ? em__probe_explain(probe, sensor, first_device, hint, reason) : status;
}
