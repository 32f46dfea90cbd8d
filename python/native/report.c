/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A summary that is given as JSON, in another format. */
#include "native.h"

PyObject *em__native_report(PyObject *module, PyObject *args)
{
    PyObject *bytes;
    int format;
    char *json = NULL, *text = NULL;
    Py_ssize_t given = 0;
    size_t length = 0;
    if (!PyArg_ParseTuple(args, "Oi:report", &bytes, &format) || PyBytes_AsStringAndSize(bytes, &json, &given) < 0) {
        return NULL;
    }
    em_error error = {.size = sizeof error};
    em_summary *summary = NULL;
    int status = em_summary_parse(json, (size_t)given, &error, &summary);
    if (status >= 0) {
        status = em_summary_format(summary, format, &text, &length);
    }
    em_summary_destroy(summary);
    if (status < 0) {
        return em__native_raise(PyModule_GetState(module), status, &error);
    }
    PyObject *result = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "strict");
    em_text_destroy(text);
    return result;
}
