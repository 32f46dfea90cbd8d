/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Takes out of a recording what names one machine or its owner: serial numbers, UUIDs and hardware addresses become
 * digits of a keyed hash, of the same length and shape, so that two that were equal still are. */
#ifndef EM_PLATFORM_REDACT_H
#define EM_PLATFORM_REDACT_H

#include "core/digest.h"
#include "platform/host.h"

typedef struct {
    em__digest keyed; /* by what only this machine knows: its machine-id and boot_id */
} em__redactor;

void em__redact_init(em__redactor *redactor, em__host *host);
/* Every letter and digit; the rest stays. */
void em__redact_all(const em__redactor *redactor, char *text, size_t length);
/* Hardware addresses (xx:xx:xx:xx:xx:xx) inside a text or a path. */
void em__redact_addresses(const em__redactor *redactor, char *text, size_t length);
/* What a file of that name holds: all of it, single lines, addresses, or nothing. */
void em__redact_content(const em__redactor *redactor, const char *path, char *text, size_t length);

#endif
