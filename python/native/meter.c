/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The type Meter: one em_meter, closed when it goes away. Records may outlive it. */
#include "native.h"

#include <string.h>
#include <unistd.h>

static em__native_state *state_of(PyObject *self)
{
    return PyType_GetModuleState(Py_TYPE(self));
}

static em_meter *meter_of(PyObject *self)
{
    return ((em__native_meter *)self)->share->meter;
}

void em__native_share_drop(em__native_share *share)
{
    if (--share->holders) {
        return;
    }
    PyThreadState *released = PyEval_SaveThread();
    em_meter_destroy(share->meter);
    const int descriptors[] = {share->trace_fd, share->windows_fd};
    for (size_t i = 0; i < 2; i++) {
        if (descriptors[i] >= 0) {
            close(descriptors[i]);
        }
    }
    PyEval_RestoreThread(released);
    PyMem_Free(share);
}

/* The strings stay owned by ret_bytes. */
static const char **environment_of(PyObject *sequence, PyObject **ret_bytes)
{
    *ret_bytes = NULL;
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0) {
        return NULL;
    }
    const char **strings = PyMem_Calloc((size_t)count + 1, sizeof *strings);
    PyObject *bytes = PyList_New(count);
    if (!strings || !bytes) {
        PyErr_NoMemory();
        goto failed;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        PyObject *encoded = NULL;
        int ok = item && PyUnicode_FSConverter(item, &encoded);
        Py_XDECREF(item);
        if (!ok) {
            goto failed;
        }
        strings[i] = PyBytes_AsString(encoded);
        PyList_SetItem(bytes, i, encoded);
    }
    *ret_bytes = bytes;
    return strings;
failed:
    PyMem_Free(strings);
    Py_XDECREF(bytes);
    return NULL;
}

/* Tuples of path, unit, kind, domain and name. The strings stay owned by them and by ret_bytes. */
static em_file *files_of(PyObject *sequence, PyObject **ret_bytes)
{
    *ret_bytes = NULL;
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0) {
        return NULL;
    }
    em_file *files = PyMem_Calloc((size_t)count + 1, sizeof *files);
    PyObject *bytes = PyList_New(count);
    if (!files || !bytes) {
        PyErr_NoMemory();
        goto failed;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i), *path = NULL;
        em_file *file = &files[i];
        int ok = item && PyArg_ParseTuple(item, "O&szzz:files", PyUnicode_FSConverter, &path, &file->unit, &file->kind,
                                          &file->domain, &file->name);
        Py_XDECREF(item); /* The sequence holds it. */
        if (!ok) {
            goto failed;
        }
        file->path = PyBytes_AsString(path);
        PyList_SetItem(bytes, i, path);
    }
    *ret_bytes = bytes;
    return files;
failed:
    PyMem_Free(files);
    Py_XDECREF(bytes);
    return NULL;
}

static PyObject *meter_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"sample_interval_ns",
                            "overhead_limit",
                            "cpu_tdp_w",
                            "gpu_tdp_w",
                            "carbon_g_per_kwh",
                            "without",
                            "require",
                            "flags",
                            "gpus",
                            "environment",
                            "root",
                            "trace_fd",
                            "channels",
                            "location",
                            "pue",
                            "price_per_kwh",
                            "embodied_kg",
                            "lifetime_years",
                            "windows_fd",
                            "windows_format",
                            "files",
                            "replay_fd",
                            NULL};
    em_options options;
    em_options_init(&options, sizeof options);
    unsigned long long interval = options.sample_interval_ns;
    unsigned int without = 0, require = 0, flags = 0;
    PyObject *environment = NULL, *root = NULL, *bytes = NULL, *paths = NULL, *files = NULL;
    if (!PyArg_ParseTupleAndKeywords(
            args, keywords, "|$KddddIIIsOO&izzddddiiO!i", names, &interval, &options.overhead_limit, &options.cpu_tdp_w,
            &options.gpu_tdp_w, &options.carbon_g_per_kwh, &without, &require, &flags, &options.gpus, &environment,
            PyUnicode_FSConverter, &root, &options.trace_fd, &options.channels, &options.location, &options.pue,
            &options.price_per_kwh, &options.embodied_kg, &options.lifetime_years, &options.windows_fd,
            &options.windows_format, &PyList_Type, &files, &options.replay_fd)) {
        return NULL;
    }
    options.sample_interval_ns = interval;
    options.measure &= ~without;
    options.require = require;
    options.flags = flags;
    if (root) {
        options.root = PyBytes_AsString(root);
    }

    const char **strings = NULL;
    PyObject *self = NULL;
    em_meter *meter = NULL;
    em__native_share *share = NULL;
    if (environment && !(strings = environment_of(environment, &bytes))) {
        goto done;
    }
    options.environment = strings;
    if (files && !(options.files = files_of(files, &paths))) {
        goto done;
    }
    options.file_count = files ? (size_t)PyList_Size(files) : 0;
    em_error error = {.size = sizeof error};
    PyThreadState *released = PyEval_SaveThread();
    int status = em_meter_create(&options, &error, &meter);
    PyEval_RestoreThread(released);
    if (status < 0) {
        em__native_raise(PyType_GetModuleState(type), status, &error);
        goto done;
    }
    share = PyMem_Malloc(sizeof *share);
    if (share) {
        *share = (em__native_share){meter, 1, options.trace_fd, options.windows_fd};
    }
    self = share ? (PyObject *)PyObject_New(em__native_meter, type) : PyErr_NoMemory();
    if (self) {
        ((em__native_meter *)self)->share = share;
    } else {
        em_meter_destroy(meter);
        PyMem_Free(share);
    }
done:
    PyMem_Free(strings);
    PyMem_Free((void *)options.files);
    Py_XDECREF(bytes);
    Py_XDECREF(paths);
    Py_XDECREF(root);
    return self;
}

/* A Record that lives on can still be read, but no thread may outlive the Meter. */
static void meter_dealloc(PyObject *self)
{
    em__native_share *share = ((em__native_meter *)self)->share;
    PyTypeObject *type = Py_TYPE(self);
    if (share->holders > 1) {
        PyThreadState *released = PyEval_SaveThread();
        em_meter_close(share->meter, 0);
        PyEval_RestoreThread(released);
    }
    em__native_share_drop(share);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *meter_begin(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "begin() takes kind, name and keep");
        return NULL;
    }
    long kind = PyLong_AsLong(args[0]);
    int keep = PyObject_IsTrue(args[2]);
    if ((kind == -1 && PyErr_Occurred()) || keep < 0) {
        return NULL;
    }
    if (kind < 0 || kind > INT32_MAX) {
        return em__native_raise(state_of(self), EM_ERR_INVALID, NULL);
    }
    return em__native_record_begin(state_of(self), ((em__native_meter *)self)->share, (int32_t)kind, args[1], keep);
}

static PyObject *meter_last(PyObject *self, PyObject *args)
{
    int kind;
    PyObject *object;
    unsigned long long timeout_ns;
    const char *name;
    em_meter *meter = meter_of(self);
    em__native_state *state = state_of(self);
    if (!PyArg_ParseTuple(args, "iOK:last", &kind, &object, &timeout_ns) || em__native_name(state, object, &name) < 0) {
        return NULL;
    }
    int status;
    PyObject *result = NULL;
    do { /* While this one waits, others may end so many windows that the one waited for expires. */
        em_window window;
        status = em_window_last(meter, kind, name, &window);
        if (status >= 0 && timeout_ns > 0) {
            PyThreadState *released = PyEval_SaveThread();
            status = em_window_settle(meter, window, timeout_ns);
            PyEval_RestoreThread(released);
        }
        if (status >= 0) {
            result = em__native_result(state, meter, window, &status);
        }
    } while (status == EM_ERR_EXPIRED);
    if (status == EM_ERR_UNKNOWN) {
        Py_RETURN_NONE;
    }
    return result || !status ? result : em__native_raise(state, status, NULL);
}

static PyObject *meter_summary(PyObject *self, PyObject *args)
{
    unsigned long long timeout_ns;
    int format;
    if (!PyArg_ParseTuple(args, "Ki:summary", &timeout_ns, &format)) {
        return NULL;
    }
    em_meter *meter = meter_of(self);
    em_summary *summary = NULL;
    char *text = NULL;
    size_t length = 0;
    PyThreadState *released = PyEval_SaveThread();
    int status = em_summary_create(meter, timeout_ns, &summary);
    if (status >= 0) {
        status = em_summary_format(summary, format, &text, &length);
    }
    em_summary_destroy(summary);
    PyEval_RestoreThread(released);
    if (status < 0) {
        return em__native_raise(state_of(self), status, NULL);
    }
    PyObject *result = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "strict");
    em_text_destroy(text);
    return result;
}

static PyObject *meter_channels(PyObject *self, PyObject *unused)
{
    (void)unused;
    return em__native_channels(state_of(self), meter_of(self));
}

static PyObject *meter_absences(PyObject *self, PyObject *unused)
{
    (void)unused;
    return em__native_absences(state_of(self), meter_of(self));
}

static PyObject *meter_rank(PyObject *self, PyObject *unused)
{
    (void)unused;
    uint32_t rank = 0, count = 1;
    em_meter_rank(meter_of(self), &rank, &count);
    return Py_BuildValue("II", (unsigned)rank, (unsigned)count);
}

static PyObject *meter_reset(PyObject *self, PyObject *unused)
{
    (void)unused;
    int status = em_meter_reset(meter_of(self));
    if (status < 0) {
        return em__native_raise(state_of(self), status, NULL);
    }
    Py_RETURN_NONE;
}

static PyObject *meter_close(PyObject *self, PyObject *args)
{
    unsigned long long timeout_ns;
    if (!PyArg_ParseTuple(args, "K:close", &timeout_ns)) {
        return NULL;
    }
    em_meter *meter = meter_of(self);
    PyThreadState *released = PyEval_SaveThread();
    int status = em_meter_close(meter, timeout_ns);
    PyEval_RestoreThread(released);
    if (status < 0) {
        return em__native_raise(state_of(self), status, NULL);
    }
    Py_RETURN_NONE;
}

static PyObject *file_status(PyObject *self, int (*ask)(em_meter *, em_error *))
{
    em_error error = {.size = sizeof error};
    int status = ask(meter_of(self), &error);
    if (status == EM_OK) {
        Py_RETURN_NONE;
    }
    if (status != EM_ERR_SYSTEM) {
        return em__native_raise(state_of(self), status, NULL);
    }
    return PyUnicode_FromFormat("%s; %s", error.text, error.remedy);
}

static PyObject *meter_trace_status(PyObject *self, PyObject *unused)
{
    (void)unused;
    return file_status(self, em_meter_trace_status);
}

static PyObject *meter_windows_status(PyObject *self, PyObject *unused)
{
    (void)unused;
    return file_status(self, em_meter_windows_status);
}

static PyObject *meter_device(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(em_meter_device(meter_of(self)));
}

static PyObject *meter_gpu_name(PyObject *self, void *unused)
{
    (void)unused;
    const char *name = em_meter_gpu_name(meter_of(self));
    if (!name) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "replace");
}

static PyObject *meter_basis(PyObject *self, void *unused)
{
    (void)unused;
    return em__native_basis(meter_of(self));
}

static PyMethodDef meter_methods[] = {
    {"begin", EM__NATIVE_FASTCALL(meter_begin), METH_FASTCALL, "begin(kind, name, keep) -> Record"},
    {"last", meter_last, METH_VARARGS,
     "last(kind, name, timeout_ns) -> Result of the window that ended last, or None; 0: without waiting for it"},
    {"summary", meter_summary, METH_VARARGS, "summary(timeout_ns, format) -> str"},
    {"channels", meter_channels, METH_NOARGS, "channels() -> list of Channel"},
    {"absences", meter_absences, METH_NOARGS, "absences() -> list of Absence"},
    {"rank", meter_rank, METH_NOARGS, "rank() -> rank among the job's processes on this node, and how many they are"},
    {"reset", meter_reset, METH_NOARGS, "reset()"},
    {"close", meter_close, METH_VARARGS, "close(timeout_ns)"},
    {"windows_status", meter_windows_status, METH_NOARGS,
     "windows_status() -> what the file of windows lacks and why, or None"},
    {"trace_status", meter_trace_status, METH_NOARGS, "trace_status() -> what the trace lacks and why, or None"},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef meter_attributes[] = {
    {"carbon_basis", meter_basis, NULL, "what carbon is computed with", NULL},
    {"device", meter_device, NULL, "\"gpu\" or \"cpu\"", NULL},
    {"gpu_name", meter_gpu_name, NULL, "str or None", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot meter_slots[] = {
    {Py_tp_new, EM__NATIVE_SLOT(meter_new)},
    {Py_tp_dealloc, EM__NATIVE_SLOT(meter_dealloc)},
    {Py_tp_methods, meter_methods},
    {Py_tp_getset, meter_attributes},
    {Py_tp_doc, "An em_meter."},
    {0, NULL},
};

PyType_Spec em__native_meter_spec = {
    .name = "energy_meter._native.Meter",
    .basicsize = sizeof(em__native_meter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = meter_slots,
};
