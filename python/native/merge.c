/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Merging summaries that are given as JSON. */
#include "native.h"

#include <stdio.h>
#include <string.h>

/* Says which of them it was, as Python numbers them. */
static PyObject *refuse(PyObject *module, int status, em_error *error, Py_ssize_t index)
{
    char text[sizeof error->text];
    if (index >= 0 && error->text[0]) {
        snprintf(text, sizeof text, "summaries[%zd]: %.220s", index, error->text);
        memcpy(error->text, text, sizeof text);
    }
    return em__native_raise(PyModule_GetState(module), status, error);
}

static PyObject *merge(PyObject *module, PyObject *texts, em_summary **parts, Py_ssize_t count)
{
    em_error error = {.size = sizeof error};
    for (Py_ssize_t i = 0; i < count; i++) {
        char *text = NULL;
        Py_ssize_t length = 0;
        if (PyBytes_AsStringAndSize(PyList_GetItem(texts, i), &text, &length) < 0) {
            return NULL;
        }
        int status = em_summary_parse(text, (size_t)length, &error, &parts[i]);
        if (status < 0) {
            return refuse(module, status, &error, i);
        }
    }
    em_summary *merged = NULL;
    char *text = NULL;
    size_t length = 0;
    PyThreadState *released = PyEval_SaveThread();
    int status = em_summary_merge((const em_summary *const *)parts, (size_t)count, &error, &merged);
    if (status >= 0) {
        status = em_summary_format(merged, EM_FORMAT_JSON, &text, &length);
    }
    em_summary_destroy(merged);
    PyEval_RestoreThread(released);
    if (status < 0) {
        return refuse(module, status, &error, -1);
    }
    PyObject *json = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "strict");
    em_text_destroy(text);
    return json;
}

PyObject *em__native_merge(PyObject *module, PyObject *texts)
{
    if (!PyList_Check(texts)) {
        PyErr_SetString(PyExc_TypeError, "merge() takes a list of bytes");
        return NULL;
    }
    Py_ssize_t count = PyList_Size(texts);
    em_summary **parts = PyMem_Calloc((size_t)count + 1, sizeof *parts);
    if (!parts) {
        return PyErr_NoMemory();
    }
    PyObject *json = merge(module, texts, parts, count);
    for (Py_ssize_t i = 0; i < count; i++) {
        em_summary_destroy(parts[i]);
    }
    PyMem_Free((void *)parts);
    return json;
}
