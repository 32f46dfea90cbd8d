/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* What carbon is computed with, as a dict. */
#include "native.h"

#include <math.h>

static PyObject *number(double value)
{
    return isnan(value) ? Py_NewRef(Py_None) : PyFloat_FromDouble(value);
}

static PyObject *basis_of(const em_carbon *carbon)
{
    PyObject *year = carbon->year ? PyLong_FromLong(carbon->year) : Py_NewRef(Py_None);
    return Py_BuildValue("{sNsssNszszszszsNsNsz}", "g_per_kwh", number(carbon->g_per_kwh), "source", carbon->source,
                         "year", year, "zone", carbon->zone, "zone_name", carbon->zone_name, "location",
                         carbon->location, "method", carbon->method, "is_default", PyBool_FromLong(carbon->is_default),
                         "pue", number(carbon->pue), "pue_source", carbon->pue_source);
}

PyObject *em__native_basis(const em_meter *meter)
{
    em_carbon carbon = {.size = sizeof carbon};
    em_meter_carbon(meter, &carbon);
    return basis_of(&carbon);
}

PyObject *em__native_carbon(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"location", "carbon_g_per_kwh", "pue", NULL};
    em_options options;
    em_error error = {.size = sizeof error};
    em_carbon carbon = {.size = sizeof carbon};
    em_options_init(&options, sizeof options);
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|zdd:carbon", names, &options.location, &options.carbon_g_per_kwh,
                                     &options.pue)) {
        return NULL;
    }
    int status = em_carbon_find(&options, &error, &carbon);
    return status < 0 ? em__native_raise(PyModule_GetState(module), status, &error) : basis_of(&carbon);
}
