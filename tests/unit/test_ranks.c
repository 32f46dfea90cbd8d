/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A process's place among its job's on a node, from variables as torchrun(1), mpirun(1), srun(1) and aprun's heirs
 * document them. */
#include "check.h"
#include "energy_meter.h"
#include "platform/machine.h"
#include "platform/parse.h"
#include "sensors/ranks.h"

#include <errno.h>
#include <stdlib.h>

/* srun(1), SLURM_TASKS_PER_NODE: "2(x3),1" are three nodes of two tasks and a fourth of one. */
static void test_tasks_of_nodes(void)
{
    static const struct {
        const char *text;
        uint64_t node;
        int error;
        uint64_t tasks;
    } cases[] = {
        {"2(x3),1", 0, 0, 2},
        {"2(x3),1", 2, 0, 2},
        {"2(x3),1", 3, 0, 1},
        {"2(x3),1", 4, 0, 1},
        {"4(x2),3", 1, 0, 4},
        {"4(x2),3\n", 2, 0, 3},
        {"8", 0, 0, 8},
        {"8", 7, 0, 8},
        {"1,2,3,4", 2, 0, 3},
        {"1,2(x2),16", UINT64_MAX, 0, 16},
        {"", 0, -EINVAL, 0},
        {",", 0, -EINVAL, 0},
        {"4,", 0, -EINVAL, 0},
        {"4(x2", 0, -EINVAL, 0},
        {"4(x)", 0, -EINVAL, 0},
        {"4(x0)", 0, -EINVAL, 0},
        {"4(2)", 0, -EINVAL, 0},
        {"4(x2)3", 0, -EINVAL, 0},
        {"4 ,3", 0, -EINVAL, 0},
        {"-4", 0, -EINVAL, 0},
        {"99999999999999999999", 0, -ERANGE, 0},
        {"4,99999999999999999999", 0, -ERANGE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t tasks = 0;
        if (!CHECK_INT(em__parse_tasks(cases[i].text, strlen(cases[i].text), cases[i].node, &tasks), cases[i].error) ||
            !CHECK_INT(tasks, cases[i].tasks)) {
            printf("# in %s, node %llu\n", cases[i].text, (unsigned long long)cases[i].node);
        }
    }
}

static const struct {
    const char *variables[5];
    uint32_t rank, count;
} cases[] = {
    {{NULL}, 0, 1},
    {{"LOCAL_RANK=3", "LOCAL_WORLD_SIZE=8"}, 3, 8},
    {{"LOCAL_RANK=3"}, 3, 1},
    {{"LOCAL_WORLD_SIZE=8"}, 0, 8},
    {{"LOCAL_RANK=three", "LOCAL_WORLD_SIZE=8"}, 0, 8},
    {{"LOCAL_RANK=", "LOCAL_WORLD_SIZE="}, 0, 1},
    {{"LOCAL_RANK=0", "LOCAL_WORLD_SIZE=0"}, 0, 1},
    {{"SLURM_LOCALID=2", "SLURM_NTASKS_PER_NODE=4"}, 2, 4},
    {{"SLURM_LOCALID=2", "SLURM_STEP_TASKS_PER_NODE=4(x2),3"}, 2, 4},
    {{"SLURM_LOCALID=2", "SLURM_STEP_TASKS_PER_NODE=4(x2),3", "SLURM_NODEID=2"}, 2, 3},
    {{"SLURM_LOCALID=1", "SLURM_TASKS_PER_NODE=6,2", "SLURM_NODEID=1"}, 1, 2},
    {{"SLURM_LOCALID=1", "SLURM_NTASKS_PER_NODE=8", "SLURM_STEP_TASKS_PER_NODE=2"}, 1, 2},
    {{"SLURM_LOCALID=1", "SLURM_STEP_TASKS_PER_NODE=4(x2", "SLURM_NTASKS_PER_NODE=8"}, 1, 8},
    {{"OMPI_COMM_WORLD_LOCAL_RANK=1", "OMPI_COMM_WORLD_LOCAL_SIZE=2"}, 1, 2},
    {{"MPI_LOCALRANKID=5", "MPI_LOCALNRANKS=6"}, 5, 6},
    {{"MV2_COMM_WORLD_LOCAL_RANK=5", "MV2_COMM_WORLD_LOCAL_SIZE=7"}, 5, 7},
    {{"PALS_LOCAL_RANKID=11", "PALS_LOCAL_SIZE=12"}, 11, 12},
    {{"JSM_NAMESPACE_LOCAL_RANK=4", "JSM_NAMESPACE_LOCAL_SIZE=6"}, 4, 6},
    /* mpirun within a batch: its ranks all inherit the batch's id. */
    {{"SLURM_LOCALID=0", "SLURM_TASKS_PER_NODE=1", "OMPI_COMM_WORLD_LOCAL_RANK=3", "OMPI_COMM_WORLD_LOCAL_SIZE=4"},
     3,
     4},
    {{"LOCAL_RANK=99999999999999999999", "LOCAL_WORLD_SIZE=99999999999999999999", "SLURM_LOCALID=1"}, 1, 1},
    {{"LOCAL_RANK=1", "LOCAL_WORLD_SIZE=5000"}, 1, EM__RANKS_MOST},
    {{"RANK=3", "WORLD_SIZE=8"}, 0, 1},
};

static void test_launchers(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        em__host *host = NULL;
        if (em__machine_create(0, cases[i].variables, &host) < 0) {
            abort();
        }
        em__ranks ranks = em__ranks_look(host);
        em__host_unref(host);
        if (!CHECK_INT(ranks.rank, cases[i].rank) || !CHECK_INT(ranks.count, cases[i].count)) {
            printf("# case %zu: %s\n", i, cases[i].variables[0] ? cases[i].variables[0] : "(none)");
        }
    }
}

/* What users are told by is what the rates are divided by. */
static void test_a_meter_says_the_same(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        em_options options;
        em_meter *meter = NULL;
        uint32_t rank = 99, count = 99;
        em_options_init(&options, sizeof options);
        options.environment = cases[i].variables;
        options.root = EM_TEST_MACHINES "/intel-xeon-2s-gold-5118.json";
        CHECK_INT(em_meter_create(&options, NULL, &meter), EM_OK);
        CHECK_INT(em_meter_rank(meter, &rank, &count), EM_OK);
        CHECK_INT(rank, cases[i].rank);
        CHECK_INT(count, cases[i].count);
        CHECK_INT(em_meter_rank(meter, NULL, &count), EM_ERR_INVALID);
        CHECK_INT(em_meter_rank(NULL, &rank, &count), EM_ERR_INVALID);
        em_meter_destroy(meter);
    }
}

int main(void)
{
    RUN(test_tasks_of_nodes);
    RUN(test_launchers);
    RUN(test_a_meter_says_the_same);
    return CHECK_DONE();
}
