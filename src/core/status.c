/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The words of the public header: status codes, notes and the version, all from its X-macros. */
#include "energy_meter.h"

#ifndef EM__VERSION
#define EM__VERSION "0.0.0"
#endif

const char *em_status_text(int status)
{
    switch (status) {
#define CASE(name, value, word, text)                                                                                  \
    case name:                                                                                                         \
        return text;
        EM_STATUS_LIST(CASE)
#undef CASE
    default:
        return "unknown status";
    }
}

const char *em_status_word(int status)
{
    switch (status) {
#define CASE(name, value, word, text)                                                                                  \
    case name:                                                                                                         \
        return word;
        EM_STATUS_LIST(CASE)
#undef CASE
    default:
        return "unknown";
    }
}

const char *em_note_text(int note)
{
    switch (note) {
#define CASE(name, bit, word, text, remedy)                                                                            \
    case name:                                                                                                         \
        return text;
        EM_NOTE_LIST(CASE)
#undef CASE
    default:
        return "";
    }
}

const char *em_note_remedy(int note)
{
    switch (note) {
#define CASE(name, bit, word, text, remedy)                                                                            \
    case name:                                                                                                         \
        return remedy;
        EM_NOTE_LIST(CASE)
#undef CASE
    default:
        return "";
    }
}

const char *em_version(void)
{
    return EM__VERSION;
}
