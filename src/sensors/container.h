/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whether this is a container, whose, and what to give it so that more can be measured in it. */
#ifndef EM_SENSORS_CONTAINER_H
#define EM_SENSORS_CONTAINER_H

#include "core/channel.h"
#include "platform/host.h"

struct em__probe;

enum { EM__ADVICES = 4 };

typedef struct {
    const char *kind;  /* "docker", "kubernetes" …; NULL: this is no container */
    char evidence[64]; /* what tells it */
    size_t advice_count;
    char advice[EM__ADVICES][EM__TEXT_SIZE]; /* each one sentence */
} em__container;

/* After all sensors: what they could not have, and how this kind of container is given it, in their absences' hints too. */
void em__container_look(em__host *host, struct em__probe *probe, em__container *ret_container);

#endif
