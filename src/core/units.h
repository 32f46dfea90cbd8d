/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Units, and the one way to multiply and divide integers of energy and time without losing a bit. */
#ifndef EM_CORE_UNITS_H
#define EM_CORE_UNITS_H

#include <stdint.h>

#define EM__NS_PER_S UINT64_C(1000000000)
#define EM__MW_NS_PER_UJ UINT64_C(1000000) /* 1 mW for 1 ns is 1e-6 µJ */
#define EM__UJ_PER_J 1e6
#define EM__J_PER_KWH 3.6e6

__extension__ typedef unsigned __int128 em__u128;

/* A division of 128 bits costs several times as much as one of 64. */
static inline em__u128 em__divide(em__u128 a, uint64_t b)
{
    return a <= UINT64_MAX ? (uint64_t)a / b : a / b;
}

/* a × b / c, cut; the largest number where it does not fit. c > 0. */
static inline uint64_t em__scale(uint64_t a, uint64_t b, uint64_t c)
{
    em__u128 value = em__divide((em__u128)a * b, c);
    return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value;
}

#endif
