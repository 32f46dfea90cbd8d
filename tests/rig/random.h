/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Random numbers for tests. Each run takes another seed and prints it; given as the argument, it repeats that run. */
#ifndef TESTS_RIG_RANDOM_H
#define TESTS_RIG_RANDOM_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

extern uint64_t rig_random_state; /* one for the program, whichever files draw */

/* splitmix64 (Steele, Lea, Flood, 2014) */
static inline uint64_t rig_random(void)
{
    uint64_t z = rig_random_state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Through the mill once: seeds that follow each other would else give one sequence, shifted by a number. */
static inline void rig_random_seed(uint64_t seed)
{
    rig_random_state = seed;
    rig_random_state = rig_random();
}

static inline void rig_random_start(int argc, char **argv)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed =
        argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    printf("# seed %llu\n", (unsigned long long)seed);
    rig_random_seed(seed);
}

/* 0 … limit - 1 */
static inline uint64_t rig_random_below(uint64_t limit)
{
    return rig_random() % limit;
}

/* low … below high */
static inline double rig_random_between(double low, double high)
{
    return low + (high - low) * ((double)(rig_random() >> 11) / 9007199254740992.0);
}

#endif
