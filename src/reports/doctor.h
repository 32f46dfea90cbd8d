/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* For a person whose machine shows less than it should: what each source gives and costs, and what would give more. */
#ifndef EM_REPORTS_DOCTOR_H
#define EM_REPORTS_DOCTOR_H

#include "energy_meter.h"

/* As em__reports_sensors. In JSON a time or power that is not known is null. */
char *em__reports_doctor(const em_channel *channels, size_t channel_count, const em_absence *absences,
                         size_t absence_count, int32_t format, size_t *ret_length);

#endif
