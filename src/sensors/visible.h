/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which GPUs of a machine the options and the environment ask for. Pure: boards and variables in, a choice out. */
#ifndef EM_SENSORS_VISIBLE_H
#define EM_SENSORS_VISIBLE_H

#include "sensors/sensor.h"

enum { EM__BOARD_MIGS = 8 }; /* slices of one board; a board of today has at most seven */

typedef struct {
    char uuid[EM__UUID_SIZE]; /* "GPU-…"; "" unknown */
    char pci[EM__PCI_SIZE];   /* "0000:3b:00.0" */
    char name[EM__NAME_SIZE * 2];
    int index;                                /* as nvidia-smi counts */
    int is_mig;                               /* it is cut into slices */
    size_t mig_count;                         /* 0 with is_mig: the slices could not be listed */
    char migs[EM__BOARD_MIGS][EM__UUID_SIZE]; /* "MIG-…" of its slices */
    size_t tiles;                             /* of a board of several chips that count as devices; 0: 1 */
} em__board;

typedef enum { EM__MAKER_NVIDIA, EM__MAKER_AMD, EM__MAKER_INTEL } em__maker;

/* Of one maker's boards: chosen[i] becomes 1 for each of count boards (given in PCI order) that is measured, else 0. measurement.md §3
 * rule 9: the variables of its runtime (gpu_view.h) and those of launchers (ranks.h) from the host's environment; indices
 * in selection->gpus and local_rank count within the visible ones of the makers so far and of this one, UUIDs name any
 * board. ret_notes: EM_NOTE_MAPPING_UNKNOWN, EM_NOTE_MIG. EM_ERR_INVALID (selection->error lists the boards),
 * EM_ERR_NO_MEMORY. */
int em__visible_choose(em__host *host, const em__selection *selection, em__maker maker, const em__board *boards,
                       size_t count, em__gpu_choices *choices, unsigned char *chosen, uint64_t *ret_notes);

/* After the last maker: EM_ERR_INVALID if selection->gpus names what none has. */
int em__visible_finish(em__host *host, const em__selection *selection, const em__gpu_choices *choices);

/* Says that boards were left out, and by what. */
int em__visible_explain(em__host *host, const em__selection *selection, em__probe *probe, const em__sensor *sensor,
                        size_t chosen, size_t count);

/* A bounded copy of what a driver or a user wrote: at most length bytes, up to a NUL, each that is not printable ASCII
 * as '?', ended by NUL. */
void em__visible_text(char *destination, size_t size, const char *source, size_t length);

/* Only whether selection->gpus can be understood, whatever the machine has. EM_ERR_INVALID. */
int em__visible_check(const em__selection *selection);

#endif
