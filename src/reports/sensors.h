/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What a machine offers: channels with their roles, and why others are absent, as JSON or as a table. */
#ifndef EM_REPORTS_SENSORS_H
#define EM_REPORTS_SENSORS_H

#include "energy_meter.h"

/* format: EM_FORMAT_TEXT or EM_FORMAT_JSON (anything else is taken for text). Ends with a newline. The caller's
 * (free); NULL: no memory. In JSON `of` is the name of a channel or null, and `reason` a text or null. */
char *em__reports_sensors(const em_channel *channels, size_t channel_count, const em_absence *absences,
                          size_t absence_count, int32_t format, size_t *ret_length);

#endif
