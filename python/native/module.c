/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The module itself: its state, its exceptions (one Python class for each status that a call can answer), its types. */
#include "native.h"

#include <stdio.h>
#include <string.h>

static PyObject *text_of(const char *text)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

PyObject *em__native_raise(const em__native_state *state, int status, const em_error *error)
{
    PyObject *class = status < 0 && status > -EM__NATIVE_ERRORS ? state->errors[-status] : PyExc_SystemError;
    if (!error || !error->text[0]) {
        PyErr_SetString(class, em_status_text(status));
        return NULL;
    }
    PyObject *text = text_of(error->text), *remedy = text_of(error->remedy);
    if (text && remedy) {
        PyErr_Format(class, "%U%s%U", text, error->remedy[0] ? "; " : "", remedy);
    }
    Py_XDECREF(text);
    Py_XDECREF(remedy);
    return NULL;
}

int em__native_name(const em__native_state *state, PyObject *object, const char **ret_name)
{
    if (object == Py_None) {
        *ret_name = NULL;
        return 0;
    }
    Py_ssize_t length = 0;
    const char *name = PyUnicode_AsUTF8AndSize(object, &length);
    if (!name) {
        return -1;
    }
    if (length < 1 || length > 255 || strlen(name) != (size_t)length) {
        PyErr_SetString(state->errors[-EM_ERR_INVALID], "name: must be 1 to 255 bytes of UTF-8 without NUL");
        return -1;
    }
    *ret_name = name;
    return 0;
}

static int add_errors(em__native_state *state)
{
    PyObject *module = PyImport_ImportModule("energy_meter._errors");
    PyObject *classes = module ? PyObject_GetAttrString(module, "BY_WORD") : NULL;
    Py_XDECREF(module);
    if (!classes) {
        return -1;
    }
    static const struct {
        int status;
        const char *word;
    } statuses[] = {
#define ROW(name, value, word, text) {value, word},
        EM_STATUS_LIST(ROW)
#undef ROW
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses && !failed; i++) {
        int status = statuses[i].status;
        if (status < 0 && status > -EM__NATIVE_ERRORS) {
            failed = !(state->errors[-status] = PyMapping_GetItemString(classes, statuses[i].word));
        }
    }
    Py_DECREF(classes);
    return failed ? -1 : 0;
}

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **ret_type)
{
    *ret_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *ret_type ? PyModule_AddType(module, *ret_type) : -1;
}

static int module_exec(PyObject *module)
{
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) {
        PyErr_SetString(PyExc_ImportError, "energy_meter works in the main interpreter only, not in a subinterpreter; "
                                           "create the meter there");
        return -1;
    }
    em__native_state *state = PyModule_GetState(module);
    const struct {
        const char *name;
        long value;
    } constants[] = {
        {"KIND_ANY", -1},
        {"KIND_OTHER", EM_WINDOW_OTHER},
        {"KIND_BATCH", EM_WINDOW_BATCH},
        {"KIND_EPOCH", EM_WINDOW_EPOCH},
        {"KIND_RUN", EM_WINDOW_RUN},
        {"FORMAT_TEXT", EM_FORMAT_TEXT},
        {"FORMAT_JSON", EM_FORMAT_JSON},
        {"FORMAT_CSV", EM_FORMAT_CSV},
        {"FORMAT_MODEL_CARD", EM_FORMAT_MODEL_CARD},
        {"FORMAT_BOAMPS", EM_FORMAT_BOAMPS},
        {"DOMAIN_CPU", 1L << EM_DOMAIN_CPU},
        {"DOMAIN_GPU", 1L << EM_DOMAIN_GPU},
        {"DOMAIN_DRAM", 1L << EM_DOMAIN_DRAM},
        {"FLAG_AS_USER", EM_AS_USER},
        {"FLAG_PRESENT_GPU", EM_PRESENT_GPU},
        {"FLAG_MODEL_DRAM", EM_MODEL_DRAM},
    };
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) {
            return -1;
        }
    }
    if (PyModule_AddStringConstant(module, "version", em_version()) < 0 || add_errors(state) < 0 ||
        add_type(module, &em__native_meter_spec, &state->meter_type) < 0 ||
        add_type(module, &em__native_record_spec, &state->record_type) < 0) {
        return -1;
    }
    return em__native_add_tuples(module, state);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    em__native_state *state = PyModule_GetState(module);
    if (!state) {
        return 0;
    }
    Py_VISIT(state->meter_type);
    Py_VISIT(state->record_type);
    Py_VISIT(state->result_type);
    Py_VISIT(state->channel_energy_type);
    Py_VISIT(state->channel_type);
    Py_VISIT(state->absence_type);
    for (size_t i = 0; i < EM__NATIVE_ERRORS; i++) {
        Py_VISIT(state->errors[i]);
    }
    return 0;
}

static int module_clear(PyObject *module)
{
    em__native_state *state = PyModule_GetState(module);
    if (!state) {
        return 0;
    }
    Py_CLEAR(state->meter_type);
    Py_CLEAR(state->record_type);
    Py_CLEAR(state->result_type);
    Py_CLEAR(state->channel_energy_type);
    Py_CLEAR(state->channel_type);
    Py_CLEAR(state->absence_type);
    for (size_t i = 0; i < EM__NATIVE_ERRORS; i++) {
        Py_CLEAR(state->errors[i]);
    }
    return 0;
}

static void module_free(void *module)
{
    module_clear(module);
}

PyMODINIT_FUNC PyInit__native(void);

PyMODINIT_FUNC PyInit__native(void)
{
    static PyModuleDef_Slot slots[] = {{Py_mod_exec, EM__NATIVE_SLOT(module_exec)}, {0, NULL}};
    static PyMethodDef methods[] = {
        {"compare", em__native_compare, METH_VARARGS,
         "compare(texts, force) -> JSON of who used less, of lists of summaries' JSON as bytes, one for each side"},
        {"carbon", EM__NATIVE_KEYWORDS(em__native_carbon), METH_VARARGS | METH_KEYWORDS,
         "carbon(location, carbon_g_per_kwh, pue) -> what carbon is computed with"},
        {"report", em__native_report, METH_VARARGS,
         "report(json, format) -> the summary of that JSON in another format"},
        {"merge", em__native_merge, METH_O,
         "merge(texts) -> JSON of one summary, of a list of summaries' JSON as bytes"},
        {"replay", em__native_replay, METH_VARARGS, "replay(fd) -> JSON of a trace's summary, and whether it is whole"},
        {NULL, NULL, 0, NULL},
    };
    static PyModuleDef definition = {
        .m_base = PyModuleDef_HEAD_INIT,
        .m_name = "energy_meter._native",
        .m_doc = "The C library as Python types; use energy_meter instead.",
        .m_size = sizeof(em__native_state),
        .m_methods = methods,
        .m_slots = slots,
        .m_traverse = module_traverse,
        .m_clear = module_clear,
        .m_free = module_free,
    };
    return PyModuleDef_Init(&definition);
}
