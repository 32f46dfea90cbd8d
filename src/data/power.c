/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Looks a model up. Only an exact key counts: near names are other products. */
#include "data/power.h"

#include "data/tables.h"

#include <stdlib.h>
#include <string.h>

static int find(const em__power_table *table, const char *key, em__power *ret_power)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const em__power_row *row = &table->rows[middle];
        int order = strcmp(key, table->keys + row->key);
        if (order == 0) {
            *ret_power =
                (em__power){row->power_mw / 1000.0, row->cores, table->keys + row->key, table->origins[row->origin]};
            return 1;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return 0;
}

int em__power_of_cpu(const char *model, em__power *ret_power)
{
    char key[EM__MODEL_KEY_SIZE];
    return em__model_key_of_cpu(model, key) == 0 && find(&em__cpu_powers, key, ret_power);
}

static int by_id(const void *key, const void *id)
{
    return strcmp(key, ((const em__gpu_id *)id)->id);
}

int em__power_of_gpu(const char *model, em__power *ret_power)
{
    char key[EM__MODEL_KEY_SIZE];
    if (em__model_key_of_gpu(model, key) == 0 && find(&em__gpu_powers, key, ret_power)) {
        return 1;
    }
    const char *space = strrchr(model, ' ');
    const em__gpu_id *id =
        bsearch(space ? space + 1 : model, em__gpu_ids, em__gpu_id_count, sizeof *em__gpu_ids, by_id);
    return id && find(&em__gpu_powers, id->key, ret_power);
}
