/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which of its job's processes on this node this one is, as its launcher tells in the environment. */
#ifndef EM_SENSORS_RANKS_H
#define EM_SENSORS_RANKS_H

#include "platform/host.h"

enum { EM__RANKS_MOST = 1024 };

typedef struct {
    uint32_t rank;  /* 0 where no launcher tells */
    uint32_t count; /* 1 where no launcher tells, EM__RANKS_MOST at most */
} em__ranks;

em__ranks em__ranks_look(const em__host *host);
/* The rank as it is written, of the first launcher that tells one, and its variable; NULL: none does. */
const char *em__ranks_text(const em__host *host, const char **ret_variable);

#endif
