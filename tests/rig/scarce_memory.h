/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Memory that runs out where a test says: the linker puts these wrappers before malloc and its like (--wrap), and a
 * place is known by the calls that led to it. For one source file of a program. */
#ifndef EM_TESTS_RIG_SCARCE_MEMORY_H
#define EM_TESTS_RIG_SCARCE_MEMORY_H

#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>

enum { FRAMES = 64, MOST_PLACES = 4096 };

typedef struct {
    uint64_t hash;
    uint32_t times;
} place;

static struct {
    int is_on, is_lasting, has_failed;
    uint64_t hash;      /* of the place that fails; 0: none does */
    uint32_t time, met; /* which time it is reached; how often it was */
    place places[MOST_PLACES];
    size_t count;
    long live; /* allocated and not freed */
    int depth; /* of the calls that led to the scenario */
} memory;

static uint64_t hash_of_callers(void)
{
    void *frames[FRAMES];
    int count = backtrace(frames, FRAMES);
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int i = 2; i < count - memory.depth; i++) {
        hash = (hash ^ (uint64_t)(uintptr_t)frames[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

static void note_place(uint64_t hash)
{
    for (size_t i = 0; i < memory.count; i++) {
        if (memory.places[i].hash == hash) {
            memory.places[i].times++;
            return;
        }
    }
    if (memory.count == MOST_PLACES) {
        abort();
    }
    memory.places[memory.count++] = (place){hash, 1};
}

__attribute__((noinline)) static int fails(void)
{
    if (!memory.is_on || (memory.has_failed && !memory.is_lasting)) {
        return 0;
    }
    if (memory.has_failed) {
        return 1;
    }
    uint64_t hash = hash_of_callers();
    if (memory.hash == 0) {
        note_place(hash);
    } else if (hash == memory.hash && memory.met++ == memory.time) {
        memory.has_failed = 1;
    }
    return memory.has_failed;
}

static void *counted(void *block)
{
    memory.live += block != NULL;
    return block;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *block);
locale_t __real_newlocale(int mask, const char *name, locale_t base);
DIR *__real_fdopendir(int descriptor);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);
locale_t __wrap_newlocale(int mask, const char *name, locale_t base);
DIR *__wrap_fdopendir(int descriptor);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (fails()) {
        return NULL;
    }
    return block ? __real_realloc(block, size) : counted(__real_realloc(NULL, size));
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : counted(__real_strdup(text));
}

void __wrap_free(void *block)
{
    memory.live -= block != NULL;
    __real_free(block);
}

locale_t __wrap_newlocale(int mask, const char *name, locale_t base)
{
    return fails() ? (locale_t)0 : __real_newlocale(mask, name, base);
}

DIR *__wrap_fdopendir(int descriptor)
{
    errno = ENOMEM;
    return fails() ? NULL : __real_fdopendir(descriptor);
}

#endif
