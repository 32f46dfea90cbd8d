/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The ledger's own part of roles: when they change, and what the change means for open windows. */
#ifndef EM_LEDGER_ROLES_H
#define EM_LEDGER_ROLES_H

#include "ledger/ledger.h"

/* Decides the roles anew from what is readable now. A change is an edge at t_ns, so that windows across it add both
 * sides. Without open edges and windows (at creation) t_ns is not used. */
void em__ledger_resolve(em__ledger *ledger, uint64_t t_ns);

/* After a reading of a part: once it shows more energy than its whole, by 5 % and 10 J in a minute or more, both of them
 * say so in their reasons. */
void em__ledger_doubt_part(em__ledger *ledger, size_t part);

#endif
