/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The ledger's own part of roles: when they change, and what the change means for open windows. */
#ifndef EM_LEDGER_ROLES_H
#define EM_LEDGER_ROLES_H

#include "ledger/ledger.h"

/* Decides the roles anew from what is readable now. A change is an edge at t_ns, so that windows across it add both
 * sides. Without open edges and windows (at creation) t_ns is not used. */
void em__ledger_resolve(em__ledger *ledger, uint64_t t_ns);

#endif
