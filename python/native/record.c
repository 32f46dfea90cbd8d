/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The type Record: one window. Dropped while open, it ends; as long as it lives, a kept one can be read. */
#include "native.h"

static em__native_record *record_of(PyObject *self)
{
    return (em__native_record *)self;
}

static em__native_state *state_of(PyObject *self)
{
    return PyType_GetModuleState(Py_TYPE(self));
}

PyObject *em__native_record_begin(const em__native_state *state, em__native_share *share, int32_t kind, PyObject *name,
                                  int keep)
{
    em_spec spec = {.size = sizeof spec, .kind = kind, .keep = keep};
    if (em__native_name(state, name, &spec.name) < 0) {
        return NULL;
    }
    em__native_record *self = PyObject_New(em__native_record, state->record_type);
    if (!self) {
        return NULL;
    }
    self->share = share;
    self->name = spec.name ? Py_NewRef(name) : NULL;
    self->kind = spec.kind;
    self->is_kept = (char)(keep != 0);
    self->is_open = 0;
    share->holders++;
    int status = em_window_begin(share->meter, &spec, &self->window);
    if (status < 0) {
        self->is_kept = 0;
        Py_DECREF(self);
        return em__native_raise(state, status, NULL);
    }
    self->is_open = 1;
    return (PyObject *)self;
}

static void record_dealloc(PyObject *object)
{
    em__native_record *self = record_of(object);
    PyTypeObject *type = Py_TYPE(object);
    if (self->is_open) {
        em_window_end(self->share->meter, self->window, NULL);
    }
    if (self->is_kept) {
        em_window_release(self->share->meter, self->window);
    }
    em__native_share_drop(self->share);
    Py_XDECREF(self->name);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* A window that close() has ended is ended; that is no error of whoever ends it again. */
static int is_over(int status)
{
    return status == EM_ERR_ENDED || status == EM_ERR_EXPIRED || status == EM_ERR_CLOSED;
}

static PyObject *record_end(PyObject *object, PyObject *unused)
{
    (void)unused;
    em__native_record *self = record_of(object);
    if (!self->is_open) {
        Py_RETURN_NONE;
    }
    int status = em_window_end(self->share->meter, self->window, NULL);
    if (status < 0 && !is_over(status)) {
        return em__native_raise(state_of(object), status, NULL);
    }
    self->is_open = 0;
    Py_RETURN_NONE;
}

static PyObject *record_lap(PyObject *object, PyObject *unused)
{
    (void)unused;
    em__native_record *self = record_of(object);
    em__native_state *state = state_of(object);
    em_spec next = {.size = sizeof next, .kind = self->kind, .keep = self->is_kept};
    if (self->name && em__native_name(state, self->name, &next.name) < 0) {
        return NULL;
    }
    em_window ended = self->window;
    int status = em_window_lap(self->share->meter, ended, &next, NULL, &self->window);
    if (status < 0) {
        self->is_open = (char)(self->is_open && !is_over(status));
        return em__native_raise(state, status, NULL);
    }
    if (self->is_kept) {
        em_window_release(self->share->meter, ended);
    }
    Py_RETURN_NONE;
}

static PyObject *record_cancel(PyObject *object, PyObject *unused)
{
    (void)unused;
    em__native_record *self = record_of(object);
    int status = em_window_cancel(self->share->meter, self->window);
    if (status < 0 && !is_over(status)) {
        return em__native_raise(state_of(object), status, NULL);
    }
    self->is_open = self->is_kept = 0;
    Py_RETURN_NONE;
}

static PyObject *record_set_wait(PyObject *object, PyObject *number)
{
    unsigned long long wait_ns = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) {
        return NULL;
    }
    em__native_record *self = record_of(object);
    int status = em_window_set_wait(self->share->meter, self->window, wait_ns);
    if (status < 0 && !is_over(status)) {
        return em__native_raise(state_of(object), status, NULL);
    }
    return PyBool_FromLong(status >= 0);
}

static PyObject *record_set_items(PyObject *object, PyObject *number)
{
    unsigned long long items = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) {
        return NULL;
    }
    em__native_record *self = record_of(object);
    int status = em_window_set_items(self->share->meter, self->window, items);
    if (status < 0 && !is_over(status)) {
        return em__native_raise(state_of(object), status, NULL);
    }
    return PyBool_FromLong(status >= 0);
}

static PyObject *record_settle(PyObject *object, PyObject *number)
{
    unsigned long long timeout_ns = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) {
        return NULL;
    }
    em_meter *meter = record_of(object)->share->meter;
    em_window window = record_of(object)->window;
    PyThreadState *released = PyEval_SaveThread();
    int status = em_window_settle(meter, window, timeout_ns);
    PyEval_RestoreThread(released);
    if (status < 0) {
        return em__native_raise(state_of(object), status, NULL);
    }
    Py_RETURN_NONE;
}

static PyObject *record_result(PyObject *object, PyObject *unused)
{
    (void)unused;
    int status;
    em__native_state *state = state_of(object);
    PyObject *result = em__native_result(state, record_of(object)->share->meter, record_of(object)->window, &status);
    return result || !status ? result : em__native_raise(state, status, NULL);
}

static PyObject *record_basis(PyObject *object, void *unused)
{
    (void)unused;
    return em__native_basis(record_of(object)->share->meter);
}

static PyGetSetDef record_attributes[] = {
    {"carbon_basis", record_basis, NULL, "what carbon is computed with", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef record_methods[] = {
    {"end", record_end, METH_NOARGS, "end(): a second one does nothing"},
    {"lap", record_lap, METH_NOARGS, "lap(): ends the window; the record is the next one's, begun at the same instant"},
    {"cancel", record_cancel, METH_NOARGS, "cancel(): as if the window had never begun"},
    {"set_wait", record_set_wait, METH_O, "set_wait(ns) -> whether the window is open; a later value wins"},
    {"set_items", record_set_items, METH_O, "set_items(count) -> whether the window is open; a later value wins"},
    {"settle", record_settle, METH_O, "settle(timeout_ns): waits until the ended window is final, then makes it so"},
    {"result", record_result, METH_NOARGS, "result() -> Result"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot record_slots[] = {
    {Py_tp_dealloc, EM__NATIVE_SLOT(record_dealloc)},
    {Py_tp_methods, record_methods},
    {Py_tp_getset, record_attributes},
    {Py_tp_doc, "A window of a Meter."},
    {0, NULL},
};

PyType_Spec em__native_record_spec = {
    .name = "energy_meter._native.Record",
    .basicsize = sizeof(em__native_record),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = record_slots,
};
