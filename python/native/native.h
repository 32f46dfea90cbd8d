/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The extension energy_meter._native: the C API as two Python types, Meter and Record. Meaning lives in Python. */
#ifndef EM_PYTHON_NATIVE_H
#define EM_PYTHON_NATIVE_H

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>

#include "energy_meter.h"

/* Python's slots keep functions as void *, which ISO C has no cast for. */
#define EM__NATIVE_SLOT(function) (__extension__(void *)(function))
#define EM__NATIVE_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))
#define EM__NATIVE_FASTCALL(function) ((PyCFunction)(void (*)(void))(function))

enum { EM__NATIVE_ERRORS = 20 }; /* statuses above -20 are what calls answer; the others are data */

typedef struct {
    PyTypeObject *meter_type, *record_type;
    PyTypeObject *result_type, *channel_energy_type, *channel_type, *absence_type; /* named tuples */
    PyObject *errors[EM__NATIVE_ERRORS];                                           /* classes, by -status */
} em__native_state;

/* The meter of a Meter and its Records: closed with the Meter, freed with the last of them. The GIL guards holders. */
typedef struct {
    em_meter *meter;
    size_t holders;
    int trace_fd, windows_fd; /* closed after the meter; -1: none */
} em__native_share;

typedef struct {
    PyObject_HEAD em__native_share *share;
} em__native_meter;

typedef struct {
    PyObject_HEAD em__native_share *share;
    PyObject *name; /* str or NULL */
    em_window window;
    int32_t kind;
    char is_kept, is_open;
} em__native_record;

extern PyType_Spec em__native_meter_spec, em__native_record_spec;

void em__native_share_drop(em__native_share *share);

/* Sets the Python exception that the status means, and returns NULL. error may be NULL. */
PyObject *em__native_raise(const em__native_state *state, int status, const em_error *error);
/* None or a str of 1 to 255 bytes in UTF-8, borrowed from the object. -1 with an exception set. */
int em__native_name(const em__native_state *state, PyObject *object, const char **ret_name);

/* A new Record that holds the share too. */
PyObject *em__native_record_begin(const em__native_state *state, em__native_share *share, int32_t kind, PyObject *name,
                                  int keep);
/* A Result, or NULL with *ret_status < 0 and no exception set, or with an exception set and *ret_status 0. */
PyObject *em__native_result(const em__native_state *state, em_meter *meter, em_window window, int *ret_status);
PyObject *em__native_channels(const em__native_state *state, em_meter *meter);
PyObject *em__native_absences(const em__native_state *state, em_meter *meter);
int em__native_add_tuples(PyObject *module, em__native_state *state);
/* The dict that types.CarbonBasis describes. */
PyObject *em__native_basis(const em_meter *meter);
PyObject *em__native_carbon(PyObject *module, PyObject *args, PyObject *keywords);
PyObject *em__native_replay(PyObject *module, PyObject *args);
PyObject *em__native_merge(PyObject *module, PyObject *texts);
PyObject *em__native_compare(PyObject *module, PyObject *args);
PyObject *em__native_report(PyObject *module, PyObject *args);

#endif
