/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The power that a data sheet gives a CPU or GPU, by its exact model. */
#ifndef EM_DATA_POWER_H
#define EM_DATA_POWER_H

#include <stddef.h>
#include <stdint.h>

enum { EM__MODEL_KEY_SIZE = 64 };

typedef struct {
    double each_w;
    uint32_t cores;     /* 0: unknown */
    const char *key;    /* what the name was taken for: "amd epyc 7763"; static */
    const char *origin; /* "AMD product pages", "estimate"; static */
} em__power;

/* "model name" of /proc/cpuinfo. 1: found. */
int em__power_of_cpu(const char *model, em__power *ret_power);
/* As a driver calls it; or a text that ends with its PCI id, "AMD GPU 1002:74a1". Of a board with several GPUs: the part of
 * one. 1: found. */
int em__power_of_gpu(const char *model, em__power *ret_power);

/* What stays of a name when makers' signs, clock, and words that not all sources use are left out; as tools/tables.py
 * makes it of the tables' names. 0, or -1: nothing, or too long for any. */
int em__model_key_of_cpu(const char *name, char key[EM__MODEL_KEY_SIZE]);
int em__model_key_of_gpu(const char *name, char key[EM__MODEL_KEY_SIZE]);

#endif
