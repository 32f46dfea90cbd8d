/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The section of what is absent, for people. */
#ifndef EM_REPORTS_ABSENT_H
#define EM_REPORTS_ABSENT_H

#include "reports/layout.h"

/* width: of the column of names. Each with reason and remedy; those that nothing here asks for, where they are several,
 * in one line. */
void em__reports_absent(em__text *text, const em_absence *absences, size_t count, size_t width);

#endif
