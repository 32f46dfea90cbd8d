/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* One look at all hwmon chips, for all sensors. It lists each folder once and opens each file at most once, reads names
 * and labels but never a value, and so wakes no device. */
#ifndef EM_SENSORS_HWMON_SCAN_H
#define EM_SENSORS_HWMON_SCAN_H

#include "core/channel.h"
#include "platform/host.h"
#include "platform/parse.h"

#define EM__HWMON_CLASS "/sys/class/hwmon"

typedef enum { EM__BUS_OTHER, EM__BUS_PCI, EM__BUS_I2C, EM__BUS_USB, EM__BUS_SUPPLY } em__bus;

/* One number of a chip. */
typedef struct {
    em__hwmon_type type;
    int32_t number;
    uint32_t files; /* bits em__hwmon_file: which it has */
    int32_t is_off; /* its enable file says 0 */
    int32_t error;  /* of reading its label: 0 or -errno */
    char label[48]; /* label, or oem_info; "" none */
} em__hwmon_item;

typedef struct {
    char root[48];               /* "/sys/class/hwmon/hwmon4" */
    char folder[56];             /* where its files lie: root, or root/device */
    char name[32];               /* "amdgpu" */
    char place[EM__SOURCE_SIZE]; /* where the links to it lead, or "" */
    char pci[EM__PCI_SIZE];      /* of a chip on a PCI function */
    em__bus bus;
    int32_t number;
    em__hwmon_item *items; /* by type, then number */
    size_t count, capacity;
} em__hwmon_chip;

/* Begun by the first sensor that asks, and shared through em__probe. */
typedef struct em__hwmon {
    em__hwmon_chip *chips; /* by PCI address, then number: not in the order in which drivers were loaded */
    size_t count, capacity;
    int error;            /* of listing the class folder: 0 or -errno */
    int unnamed;          /* how many chips' names could not be read */
    int name_error;       /* of the last of them */
    em__host *host;       /* not owned */
    em__hwmon_chip *chip; /* being listed */
    int has_device, has_name;
} em__hwmon;

/* 0 or -ENOMEM (and NULL). */
int em__hwmon_scan(em__host *host, em__hwmon **ret_hwmon);
void em__hwmon_free(em__hwmon *hwmon); /* NULL is ignored */

const em__hwmon_item *em__hwmon_find(const em__hwmon_chip *chip, em__hwmon_type type, int32_t number);
/* The path of one of its files. */
void em__hwmon_path(const em__hwmon_chip *chip, const em__hwmon_item *item, em__hwmon_file file, char *path,
                    size_t size);
/* Where the links of the chip's folder lead now: its length, or -errno. */
int em__hwmon_place(em__host *host, const char *root, char *place, size_t size);

#endif
