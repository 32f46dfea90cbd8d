/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* SHA-256 (FIPS 180-4), so that what names a person's machine can be told apart and not told. */
#ifndef EM_CORE_DIGEST_H
#define EM_CORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { EM__DIGEST_BYTES = 32 };

typedef struct {
    uint32_t state[8];
    uint64_t length;
    unsigned char block[64];
} em__digest;

void em__digest_begin(em__digest *digest);
void em__digest_add(em__digest *digest, const void *bytes, size_t length);
void em__digest_end(em__digest *digest, unsigned char ret_bytes[EM__DIGEST_BYTES]);

#endif
