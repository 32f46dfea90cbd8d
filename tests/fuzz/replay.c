/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Gives a fuzz target every kept input, cut and spoilt copies of it, and random bytes, where there is no fuzzer. */
#include "check.h"

#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>

enum { SPOILT_COPIES = 200, SPOILT_IN_ALL = 8000, LARGEST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *folder;
static uint64_t seed = 0x9e3779b97f4a7c15, state;

static size_t below(size_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % bound);
}

/* From an exactly sized block, so that a sanitizer sees a read beyond the end. */
static void give(const uint8_t *data, size_t size)
{
    uint8_t *block = malloc(size ? size : 1);
    if (!CHECK(block)) {
        return;
    }
    if (size) {
        memcpy(block, data, size);
    }
    CHECK_INT(LLVMFuzzerTestOneInput(block, size), 0);
    free(block);
}

static void give_spoilt(uint8_t *data, size_t size, int copies)
{
    give(data, size);
    for (int copy = 0; size && copy < copies; copy++) {
        size_t place = below(size);
        uint8_t kept = data[place];
        if (copy % 4 == 0) {
            give(data, place);
        } else {
            data[place] = (uint8_t)(copy % 4 == 1 ? below(256) : kept ^ (1u << below(8)));
            give(data, size);
            data[place] = kept;
        }
    }
}

/* In the order of their names, so that a seed means the same everywhere. */
static void kept_inputs(void)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort), given = 0;
    uint8_t *data = malloc(LARGEST);
    if (!CHECK(count >= 0 && data)) {
        return;
    }
    int copies = count > 0 && SPOILT_IN_ALL / count < SPOILT_COPIES ? SPOILT_IN_ALL / count : SPOILT_COPIES;
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        FILE *file = entries[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");
        free(entries[i]);
        if (file) {
            give_spoilt(data, fread(data, 1, LARGEST, file), copies);
            fclose(file);
            given++;
        }
    }
    CHECK(given > 0);
    free(data);
    free((void *)entries);
}

static void random_bytes(void)
{
    uint8_t data[512];
    for (int round = 0; round < 2000; round++) {
        size_t size = below(sizeof data);
        for (size_t i = 0; i < size; i++) {
            data[i] = (uint8_t)below(round % 2 ? 256 : 128);
        }
        give(data, size);
    }
}

/* replay FOLDER [SEED] */
int main(int argc, char **argv)
{
    folder = argc > 1 ? argv[1] : ".";
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : seed;
    state = seed ? seed : 1;
    printf("# seed 0x%llx\n", (unsigned long long)seed);
    fflush(stdout);
    RUN(kept_inputs);
    RUN(random_bytes);
    return CHECK_DONE();
}
