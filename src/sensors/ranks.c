/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The variables of torchrun, Open MPI, MPICH and Intel MPI, MVAPICH2, PALS, jsrun and SLURM. */
#include "sensors/ranks.h"

#include "platform/parse.h"

#include <string.h>

enum { SIZES = 3 };

/* The inner launcher first: an mpirun inside of a SLURM batch hands SLURM_LOCALID=0 to all its ranks. */
static const struct {
    const char *rank, *sizes[SIZES];
} launchers[] = {
    {"LOCAL_RANK", {"LOCAL_WORLD_SIZE"}},
    {"OMPI_COMM_WORLD_LOCAL_RANK", {"OMPI_COMM_WORLD_LOCAL_SIZE"}},
    {"MPI_LOCALRANKID", {"MPI_LOCALNRANKS"}},
    {"MV2_COMM_WORLD_LOCAL_RANK", {"MV2_COMM_WORLD_LOCAL_SIZE"}},
    {"PALS_LOCAL_RANKID", {"PALS_LOCAL_SIZE"}},
    {"JSM_NAMESPACE_LOCAL_RANK", {"JSM_NAMESPACE_LOCAL_SIZE"}},
    {"SLURM_LOCALID", {"SLURM_STEP_TASKS_PER_NODE", "SLURM_NTASKS_PER_NODE", "SLURM_TASKS_PER_NODE"}},
};
enum { LAUNCHERS = sizeof launchers / sizeof *launchers };

static int read_number(const char *text, uint64_t *ret_value)
{
    return text && em__parse_u64(text, strlen(text), ret_value) == 0;
}

static int read_size(const em__host *host, const char *name, uint64_t *ret_size)
{
    const char *text = em__host_variable(host, name);
    uint64_t node = 0;
    if (!read_number(em__host_variable(host, "SLURM_NODEID"), &node)) {
        node = 0;
    }
    return text && em__parse_tasks(text, strlen(text), node, ret_size) == 0 && *ret_size > 0;
}

em__ranks em__ranks_look(const em__host *host)
{
    for (size_t i = 0; i < LAUNCHERS; i++) {
        uint64_t rank = 0, size = 1;
        int has_rank = read_number(em__host_variable(host, launchers[i].rank), &rank) && rank < EM__RANKS_MOST;
        int has_size = 0;
        for (size_t j = 0; j < SIZES && launchers[i].sizes[j] && !has_size; j++) {
            has_size = read_size(host, launchers[i].sizes[j], &size);
        }
        if (has_rank || has_size) {
            size = !has_size ? 1 : size > EM__RANKS_MOST ? EM__RANKS_MOST : size;
            return (em__ranks){has_rank ? (uint32_t)rank : 0, (uint32_t)size};
        }
    }
    return (em__ranks){0, 1};
}

const char *em__ranks_text(const em__host *host, const char **ret_variable)
{
    for (size_t i = 0; i < LAUNCHERS; i++) {
        const char *text = em__host_variable(host, launchers[i].rank);
        if (text) {
            *ret_variable = launchers[i].rank;
            return text;
        }
    }
    return NULL;
}
