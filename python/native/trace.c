/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Replaying a trace. */
#include "native.h"

static PyObject *text_of(char *text, size_t length)
{
    PyObject *string = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "strict");
    em_text_destroy(text);
    return string;
}

PyObject *em__native_replay(PyObject *module, PyObject *args)
{
    int descriptor;
    if (!PyArg_ParseTuple(args, "i:replay", &descriptor)) {
        return NULL;
    }
    em_error error = {.size = sizeof error};
    em_group run = {.size = sizeof run};
    em_trace *trace = NULL;
    em_summary *summary = NULL;
    char *text = NULL;
    size_t length = 0;
    PyThreadState *released = PyEval_SaveThread();
    int status = em_trace_open(descriptor, &error, &trace);
    if (status >= 0) {
        status = em_trace_summary(trace, &error, &summary);
    }
    if (status >= 0) {
        status = em_summary_format(summary, EM_FORMAT_JSON, &text, &length);
    }
    if (status >= 0) {
        em_summary_group(summary, 0, &run);
    }
    em_summary_destroy(summary);
    em_trace_destroy(trace);
    PyEval_RestoreThread(released);
    if (status < 0) {
        return em__native_raise(PyModule_GetState(module), status, &error);
    }
    PyObject *json = text_of(text, length);
    int is_whole = !(run.total.notes & EM_NOTE_BIT(EM_NOTE_TRUNCATED));
    return json ? Py_BuildValue("(NO)", json, is_whole ? Py_True : Py_False) : NULL;
}
