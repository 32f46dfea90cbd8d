/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Comparing summaries that are given as JSON. */
#include "native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    em_summary **summaries; /* of all sides, one behind the other */
    em_runs *sides;
    Py_ssize_t side_count, count;
} sheet;

static void free_sheet(sheet *of)
{
    for (Py_ssize_t i = 0; of->summaries && i < of->count; i++) {
        em_summary_destroy(of->summaries[i]);
    }
    PyMem_Free((void *)of->summaries);
    PyMem_Free(of->sides);
}

/* Says which of them it was, as Python numbers them. */
static PyObject *refuse(PyObject *module, int status, em_error *error, Py_ssize_t side)
{
    char text[sizeof error->text];
    if (strncmp(error->argument, "runs[", 5) == 0) {
        side = (Py_ssize_t)strtol(error->argument + 5, NULL, 10);
    }
    if (side >= 0 && error->text[0]) {
        snprintf(text, sizeof text, "runs[%zd]: %.220s", side, error->text);
        memcpy(error->text, text, sizeof text);
    }
    return em__native_raise(PyModule_GetState(module), status, error);
}

/* -1 with an exception set. */
static int read_side(PyObject *module, PyObject *texts, Py_ssize_t side, sheet *of)
{
    em_error error = {.size = sizeof error};
    of->sides[side].summaries = (const em_summary *const *)&of->summaries[of->count];
    for (Py_ssize_t i = 0; i < PyList_Size(texts); i++) {
        char *text = NULL;
        Py_ssize_t length = 0;
        if (PyBytes_AsStringAndSize(PyList_GetItem(texts, i), &text, &length) < 0) {
            return -1;
        }
        int status = em_summary_parse(text, (size_t)length, &error, &of->summaries[of->count]);
        if (status < 0) {
            refuse(module, status, &error, side);
            return -1;
        }
        of->count++;
        of->sides[side].count++;
    }
    return 0;
}

static int read_all(PyObject *module, PyObject *lists, sheet *of)
{
    Py_ssize_t total = 0;
    of->side_count = PyList_Size(lists);
    for (Py_ssize_t i = 0; i < of->side_count; i++) {
        PyObject *texts = PyList_GetItem(lists, i);
        if (!PyList_Check(texts)) {
            PyErr_SetString(PyExc_TypeError, "compare() takes a list of lists of bytes");
            return -1;
        }
        total += PyList_Size(texts);
    }
    of->summaries = PyMem_Calloc((size_t)total + 1, sizeof(em_summary *));
    of->sides = PyMem_Calloc((size_t)of->side_count + 1, sizeof *of->sides);
    if (!of->summaries || !of->sides) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < of->side_count; i++) {
        if (read_side(module, PyList_GetItem(lists, i), i, of) < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *em__native_compare(PyObject *module, PyObject *args)
{
    PyObject *lists = NULL, *json = NULL;
    int forced = 0;
    sheet of = {0};
    if (!PyArg_ParseTuple(args, "Op:compare", &lists, &forced)) {
        return NULL;
    }
    if (!PyList_Check(lists)) {
        PyErr_SetString(PyExc_TypeError, "compare() takes a list of lists of bytes");
        return NULL;
    }
    if (read_all(module, lists, &of) == 0) {
        em_error error = {.size = sizeof error};
        char *text = NULL;
        size_t length = 0;
        int status = em_summary_compare_format(of.sides, (size_t)of.side_count, forced ? EM_FORCE : 0, EM_FORMAT_JSON,
                                               &error, &text, &length);
        json =
            status < 0 ? refuse(module, status, &error, -1) : PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "strict");
        em_text_destroy(text);
    }
    free_sheet(&of);
    return json;
}
