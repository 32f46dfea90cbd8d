/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Identity, sleep and limits of a GPU behind a hwmon chip. */
#include "sensors/gpu_chip.h"

#include "core/text.h"

#include <string.h>

enum { MW_PER_W = 1000, UW_PER_MW = 1000, LEAST_W = 250, MOST_W = 4000, REFRESH_NS = 1000000 };

/* The value of a line NAME=value of a uevent file. */
static void take(const char *text, const char *name, char *value, size_t size)
{
    const char *at = strstr(text, name);
    if (at && (at == text || at[-1] == '\n')) {
        at += strlen(name);
        em__print(value, size, "%.*s", (int)strcspn(at, "\n"), at);
    }
}

static void lower(char *text)
{
    for (; *text; text++) {
        *text = *text >= 'A' && *text <= 'Z' ? (char)(*text + ('a' - 'A')) : *text;
    }
}

void em__gpu_chip_identify(em__host *host, const em__hwmon_chip *chip, const char *maker, em__gpu_chip *ret_gpu)
{
    char path[EM__SOURCE_SIZE], text[1024], slot[64] = "", id[64] = "";
    em__gpu_chip gpu = {0};
    em__print(path, sizeof path, "%s/device/uevent", chip->root);
    if (em__host_text(host, path, text, sizeof text) >= 0) {
        take(text, "PCI_SLOT_NAME=", slot, sizeof slot);
        take(text, "PCI_ID=", id, sizeof id);
    }
    lower(slot);
    lower(id);
    em__copy(gpu.pci, sizeof gpu.pci, chip->pci);
    if (!gpu.pci[0] && em__parse_pci(slot, strlen(slot)) == slot) {
        em__copy(gpu.pci, sizeof gpu.pci, slot);
    }
    if (strlen(id) == 9 && id[4] == ':' && strspn(id, "0123456789abcdef:") == 9) {
        em__copy(gpu.id, sizeof gpu.id, id);
    }
    em__print(gpu.name, sizeof gpu.name, "%s GPU%s%s", maker, gpu.id[0] ? " " : "", gpu.id);
    *ret_gpu = gpu;
}

int em__gpu_chip_device(em__host *host, const em__sensor *sensor, const em__hwmon_chip *chip, size_t channel_count,
                        em__files **ret_files, int *ret_sleeps)
{
    char path[EM__SOURCE_SIZE];
    int status = em__files_create(host, sensor, channel_count, ret_files);
    if (status == EM_OK) {
        em__print(path, sizeof path, "%s/device/power/runtime_status", chip->root);
        *ret_sleeps = em__files_watch_sleep(*ret_files, path);
        em__print(path, sizeof path, "%s/name", chip->folder);
        em__files_identify(*ret_files, chip->root, path, chip->name);
    }
    return status;
}

void em__gpu_chip_board(const em__gpu_chip *gpu, int32_t index, const char *word, em__channel *channel)
{
    em__print(channel->name, sizeof channel->name, "gpu-%d/%s", index, word);
    em__copy(channel->device_name, sizeof channel->device_name, gpu->name);
    em__copy(channel->pci, sizeof channel->pci, gpu->pci);
    channel->domain = EM_DOMAIN_GPU;
    channel->covers = EM__COVERS_BOARD;
    channel->gpu = index;
    channel->gain = 0.05;
    channel->refresh_ns = REFRESH_NS;
    channel->may_rest = 1;
}

uint64_t em__gpu_chip_ceiling_mw(em__host *host, const em__hwmon_chip *chip, int32_t number, int sleeps,
                                 uint64_t *ret_limit_uw)
{
    static const em__hwmon_file kinds[] = {EM__HWMON_CAP, EM__HWMON_MAX};
    const em__hwmon_item *item = em__hwmon_find(chip, EM__HWMON_POWER, number);
    uint64_t least = LEAST_W * MW_PER_W, most = MOST_W * MW_PER_W, limit_uw = 0, limit;
    char path[EM__SOURCE_SIZE];
    *ret_limit_uw = 0;
    for (size_t i = 0; i < 2 && item && !sleeps && limit_uw == 0; i++) {
        if (item->files & (uint32_t)kinds[i]) {
            em__hwmon_path(chip, item, kinds[i], path, sizeof path);
            limit_uw = em__host_u64(host, path, &limit_uw) < 0 ? 0 : limit_uw;
        }
    }
    *ret_limit_uw = limit_uw;
    limit = limit_uw ? limit_uw / UW_PER_MW : most / 2;
    limit = limit > most / 2 ? most / 2 : limit;
    return 2 * limit < least ? least : 2 * limit;
}
