/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* For a person whose machine shows less than it should: what each source gives and costs, and what would give more. */
#ifndef EM_REPORTS_DOCTOR_H
#define EM_REPORTS_DOCTOR_H

#include "energy_meter.h"

/* The container that it runs in, and how that would be given more. */
typedef struct {
    const char *kind, *evidence; /* kind NULL: none */
    const char *const *advice;
    size_t advice_count;
} em__reports_container;

/* As em__reports_sensors. In JSON a time or power that is not known is null. container may be NULL. */
char *em__reports_doctor(const em_channel *channels, size_t channel_count, const em_absence *absences,
                         size_t absence_count, const em__reports_container *container, int32_t format,
                         size_t *ret_length);

#endif
