/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What the hwmon chips of AMD and Intel GPUs have in common: their PCI function, and that they may sleep. */
#ifndef EM_SENSORS_GPU_CHIP_H
#define EM_SENSORS_GPU_CHIP_H

#include "sensors/files.h"
#include "sensors/hwmon_scan.h"

typedef struct {
    char pci[EM__PCI_SIZE];       /* "" unknown */
    char id[12];                  /* "1002:744c"; "" unknown */
    char name[EM__NAME_SIZE * 2]; /* "AMD GPU 1002:744c" */
} em__gpu_chip;

void em__gpu_chip_identify(em__host *host, const em__hwmon_chip *chip, const char *maker, em__gpu_chip *ret_gpu);
/* A device for it that is never woken. */
int em__gpu_chip_device(em__host *host, const em__sensor *sensor, const em__hwmon_chip *chip, size_t channel_count,
                        em__files **ret_files, int *ret_sleeps);
/* Place, names and gain of one of its channels; word: "board". */
void em__gpu_chip_board(const em__gpu_chip *gpu, int32_t index, const char *word, em__channel *channel);
/* Twice the first limit that can be read, between 250 W and 4 kW. Not asked of what sleeps. */
uint64_t em__gpu_chip_ceiling_mw(em__host *host, const em__hwmon_chip *chip, int32_t number, int sleeps,
                                 uint64_t *ret_limit_uw);

#endif
