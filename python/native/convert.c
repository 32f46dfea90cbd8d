/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The library's structs as named tuples: enums become their words, NAN becomes None. */
#include "native.h"

#include <math.h>
#include <string.h>

static const char *const domain_words[] = {
    [EM_DOMAIN_CPU] = "cpu",           [EM_DOMAIN_GPU] = "gpu",     [EM_DOMAIN_DRAM] = "dram",
    [EM_DOMAIN_PLATFORM] = "platform", [EM_DOMAIN_OTHER] = "other",
};
static const char *const kind_words[] = {
    [EM_KIND_COUNTER] = "counter",
    [EM_KIND_GAUGE] = "gauge",
    [EM_KIND_MODEL] = "model",
};
static const char *const role_words[] = {
    [EM_ROLE_COUNTED] = "counted",       [EM_ROLE_PART] = "part",
    [EM_ROLE_PLATFORM] = "platform",     [EM_ROLE_MIRROR] = "mirror",
    [EM_ROLE_UNREADABLE] = "unreadable",
};
static const char *const provenance_words[] = {
    [EM_FROM_MEASURED] = "measured",
    [EM_FROM_INTEGRATED] = "integrated",
    [EM_FROM_ESTIMATED] = "estimated",
};

static const char *const resolution_words[] = {
    [EM_RESOLUTION_FINE] = "fine",
    [EM_RESOLUTION_COARSE] = "coarse",
    [EM_RESOLUTION_BELOW] = "below",
};

static PyObject *word_of(const char *const *words, size_t count, int32_t value)
{
    return PyUnicode_InternFromString(value >= 0 && (size_t)value < count ? words[value] : "unknown");
}
#define WORD(words, value) word_of(words, sizeof(words) / sizeof *(words), value)

static PyObject *text_or_none(const char *text)
{
    return text ? PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace") : Py_NewRef(Py_None);
}

static PyObject *number_or_none(double value)
{
    return isnan(value) ? Py_NewRef(Py_None) : PyFloat_FromDouble(value);
}

static PyObject *number_or_zero(double value)
{
    return PyFloat_FromDouble(isnan(value) ? 0.0 : value);
}

/* Takes over the references of items, a NULL among them means that an exception is set. */
static PyObject *tuple_of(PyTypeObject *type, PyObject *const *items, size_t count)
{
    PyObject *tuple = PyStructSequence_New(type);
    int failed = !tuple;
    for (size_t i = 0; i < count; i++) {
        failed |= !items[i];
        if (tuple) {
            PyStructSequence_SetItem(tuple, (Py_ssize_t)i, items[i]);
        } else {
            Py_XDECREF(items[i]);
        }
    }
    if (failed) {
        Py_CLEAR(tuple);
    }
    return tuple;
}
#define TUPLE(type, items) tuple_of(type, items, sizeof(items) / sizeof *(items))

/* The lines of the library's text as a list. */
static PyObject *reasons_of(const em__native_state *state, em_meter *meter, const em_result *result, int32_t channel)
{
    char *text, *line, *end;
    int status = em_result_reasons(meter, result, channel, &text, NULL);
    if (status < 0) {
        return em__native_raise(state, status, NULL);
    }
    PyObject *list = PyList_New(0);
    for (line = text; list && (end = strchr(line, '\n')); line = end + 1) {
        PyObject *reason = PyUnicode_DecodeUTF8(line, end - line, "replace");
        if (!reason || PyList_Append(list, reason) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(reason);
    }
    em_text_destroy(text);
    return list;
}

static PyObject *period_of(const em_energy *energy)
{
    return energy->period_ns ? PyLong_FromUnsignedLongLong(energy->period_ns) : Py_NewRef(Py_None);
}

static PyObject *period_from(const em_energy *energy, const em_channel *channel)
{
    int is_assumed = (energy->notes & EM_NOTE_BIT(EM_NOTE_PERIOD_ASSUMED)) != 0;
    return text_or_none(!energy->period_ns               ? NULL
                        : channel->kind == EM_KIND_MODEL ? "model"
                        : is_assumed                     ? "assumed"
                                                         : "measured");
}

static PyObject *channel_energy(const em__native_state *state, em_meter *meter, const em_result *result, size_t index,
                                const em_channel *channel)
{
    const em_energy *energy = &result->channels[index];
    int has_ended = channel->status != EM_OK && channel->reason[0];
    PyObject *items[] = {
        text_or_none(channel->name),
        WORD(domain_words, channel->domain),
        WORD(provenance_words, energy->provenance),
        number_or_none(energy->counted_j),
        PyUnicode_InternFromString(em_status_word(energy->status)),
        text_or_none(has_ended ? channel->reason : em_status_text(energy->status)),
        number_or_none(energy->uncertainty_j),
        number_or_none(energy->gain_j),
        number_or_none(energy->edge_j),
        WORD(resolution_words, energy->resolution),
        reasons_of(state, meter, result, (int32_t)index),
        period_of(energy),
        period_from(energy, channel),
    };
    return TUPLE(state->channel_energy_type, items);
}

static PyObject *channel_energies(const em__native_state *state, em_meter *meter, const em_result *result)
{
    PyObject *list = PyList_New((Py_ssize_t)result->channels_count);
    for (size_t i = 0; list && i < result->channels_count; i++) {
        em_channel channel = {.size = sizeof channel};
        int status = em_meter_channel(meter, i, &channel);
        PyObject *item =
            status < 0 ? em__native_raise(state, status, NULL) : channel_energy(state, meter, result, i, &channel);
        if (!item) {
            Py_CLEAR(list);
        } else {
            PyList_SetItem(list, (Py_ssize_t)i, item);
        }
    }
    return list;
}

/* Domains that the options want and that no channel gives: {domain: why}. */
static PyObject *unmeasured(const em_result *result)
{
    PyObject *reasons = PyDict_New();
    for (int32_t i = 0; reasons && i < (int32_t)(sizeof domain_words / sizeof *domain_words); i++) {
        const em_energy *domain = &result->by_domain[i];
        if (!isnan(domain->energy_j) || domain->status == EM_OK) {
            continue;
        }
        PyObject *reason = text_or_none(em_status_text(domain->status));
        if (!reason || PyDict_SetItemString(reasons, domain_words[i], reason) < 0) {
            Py_CLEAR(reasons);
        }
        Py_XDECREF(reason);
    }
    return reasons;
}

PyObject *em__native_result(const em__native_state *state, em_meter *meter, em_window window, int *ret_status)
{
    em_energy few[16], *energies = few;
    size_t count = em_meter_channel_count(meter);
    if (count > sizeof few / sizeof *few && !(energies = PyMem_Calloc(count, sizeof *energies))) {
        *ret_status = EM_OK;
        return PyErr_NoMemory();
    }
    em_result result = {.size = sizeof result, .channels = energies, .channels_capacity = count};
    PyObject *tuple = NULL;
    *ret_status = em_window_result(meter, window, &result);
    if (*ret_status >= 0) {
        *ret_status = EM_OK;
        PyObject *items[] = {
            PyLong_FromUnsignedLongLong(result.duration_ns),
            number_or_zero(result.total.energy_j),
            number_or_zero(result.carbon_g),
            number_or_none(result.by_domain[EM_DOMAIN_CPU].energy_j),
            number_or_none(result.by_domain[EM_DOMAIN_GPU].energy_j),
            number_or_none(result.by_domain[EM_DOMAIN_DRAM].energy_j),
            number_or_none(result.by_domain[EM_DOMAIN_OTHER].energy_j),
            number_or_zero(result.by_provenance_j[EM_FROM_MEASURED]),
            number_or_zero(result.by_provenance_j[EM_FROM_INTEGRATED]),
            number_or_zero(result.by_provenance_j[EM_FROM_ESTIMATED]),
            PyBool_FromLong(result.is_complete),
            PyBool_FromLong(result.is_final),
            PyBool_FromLong(result.is_open),
            channel_energies(state, meter, &result),
            unmeasured(&result),
            number_or_zero(result.total.uncertainty_j),
            number_or_zero(result.total.gain_j),
            number_or_zero(result.total.edge_j),
            WORD(resolution_words, result.total.resolution),
            reasons_of(state, meter, &result, -1),
            PyLong_FromUnsignedLongLong(result.wait_ns),
            number_or_none(result.process_cpu_share),
            number_or_none(result.cost),
            number_or_none(result.embodied_g),
            text_or_none(result.process_cpu_share_reason),
            PyLong_FromUnsignedLongLong(result.begin_ns),
            result.per_item.windows ? PyLong_FromUnsignedLongLong(result.items) : Py_NewRef(Py_None),
            number_or_none(result.per_item.energy_j),
            number_or_none(result.per_item.uncertainty_j),
            number_or_none(result.per_item.items_per_j),
            number_or_none(result.per_item.items_per_j_uncertainty),
        };
        tuple = TUPLE(state->result_type, items);
    }
    if (energies != few) {
        PyMem_Free(energies);
    }
    return tuple;
}

static PyObject *channel_at(const em__native_state *state, em_meter *meter, size_t index)
{
    em_channel channel = {.size = sizeof channel}, of = {.size = sizeof of};
    int status = em_meter_channel(meter, index, &channel);
    if (status >= 0 && channel.of >= 0) {
        status = em_meter_channel(meter, (size_t)channel.of, &of);
    }
    if (status < 0) {
        return em__native_raise(state, status, NULL);
    }
    PyObject *items[] = {
        text_or_none(channel.name),
        text_or_none(channel.sensor),
        text_or_none(channel.source),
        WORD(domain_words, channel.domain),
        WORD(kind_words, channel.kind),
        WORD(role_words, channel.role),
        text_or_none(of.name),
        text_or_none(channel.reason),
        PyUnicode_InternFromString(em_status_word(channel.status)),
        text_or_none(channel.device_name),
        text_or_none(channel.uuid),
    };
    return TUPLE(state->channel_type, items);
}

static PyObject *absence_at(const em__native_state *state, em_meter *meter, size_t index)
{
    em_absence absence = {.size = sizeof absence};
    int status = em_meter_absence(meter, index, &absence);
    if (status < 0) {
        return em__native_raise(state, status, NULL);
    }
    PyObject *items[] = {
        text_or_none(absence.sensor),
        PyUnicode_InternFromString(em_status_word(absence.status)),
        text_or_none(absence.reason),
        text_or_none(absence.hint),
    };
    return TUPLE(state->absence_type, items);
}

static PyObject *list_of(const em__native_state *state, em_meter *meter, size_t count,
                         PyObject *(*item_at)(const em__native_state *, em_meter *, size_t))
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *item = item_at(state, meter, i);
        if (!item) {
            Py_CLEAR(list);
        } else {
            PyList_SetItem(list, (Py_ssize_t)i, item);
        }
    }
    return list;
}

PyObject *em__native_channels(const em__native_state *state, em_meter *meter)
{
    return list_of(state, meter, em_meter_channel_count(meter), channel_at);
}

PyObject *em__native_absences(const em__native_state *state, em_meter *meter)
{
    return list_of(state, meter, em_meter_absence_count(meter), absence_at);
}

static int add_tuple(PyObject *module, const char *name, PyStructSequence_Field *fields, PyTypeObject **ret_type)
{
    int count = 0;
    while (fields[count].name) {
        count++;
    }
    PyStructSequence_Desc description = {name, NULL, fields, count};
    *ret_type = PyStructSequence_NewType(&description);
    return *ret_type ? PyModule_AddType(module, *ret_type) : -1;
}

int em__native_add_tuples(PyObject *module, em__native_state *state)
{
    static PyStructSequence_Field result[] = {
        {"duration_ns", NULL},
        {"energy_j", NULL},
        {"carbon_g", NULL},
        {"cpu_j", NULL},
        {"gpu_j", NULL},
        {"dram_j", NULL},
        {"other_j", NULL},
        {"measured_j", NULL},
        {"integrated_j", NULL},
        {"estimated_j", NULL},
        {"is_complete", NULL},
        {"is_final", NULL},
        {"is_open", NULL},
        {"channels", NULL},
        {"unmeasured", NULL},
        {"uncertainty_j", NULL},
        {"gain_j", NULL},
        {"edge_j", NULL},
        {"resolution", NULL},
        {"reasons", NULL},
        {"wait_ns", NULL},
        {"process_cpu_share", NULL},
        {"cost", NULL},
        {"embodied_g", NULL},
        {"process_cpu_share_reason", NULL},
        {"begin_ns", NULL},
        {"items", NULL},
        {"energy_per_item_j", NULL},
        {"energy_per_item_uncertainty_j", NULL},
        {"items_per_j", NULL},
        {"items_per_j_uncertainty", NULL},
        {NULL, NULL},
    };
    static PyStructSequence_Field energy[] = {
        {"name", NULL},    {"domain", NULL},        {"provenance", NULL},  {"counted_j", NULL}, {"status", NULL},
        {"reason", NULL},  {"uncertainty_j", NULL}, {"gain_j", NULL},      {"edge_j", NULL},    {"resolution", NULL},
        {"reasons", NULL}, {"period_ns", NULL},     {"period_from", NULL}, {NULL, NULL},
    };
    static PyStructSequence_Field channel[] = {
        {"name", NULL}, {"sensor", NULL}, {"source", NULL}, {"domain", NULL},      {"kind", NULL}, {"role", NULL},
        {"of", NULL},   {"reason", NULL}, {"status", NULL}, {"device_name", NULL}, {"uuid", NULL}, {NULL, NULL},
    };
    static PyStructSequence_Field absence[] = {
        {"sensor", NULL}, {"status", NULL}, {"reason", NULL}, {"hint", NULL}, {NULL, NULL},
    };
    if (add_tuple(module, "energy_meter._native.Result", result, &state->result_type) < 0 ||
        add_tuple(module, "energy_meter._native.ChannelEnergy", energy, &state->channel_energy_type) < 0 ||
        add_tuple(module, "energy_meter._native.Channel", channel, &state->channel_type) < 0 ||
        add_tuple(module, "energy_meter._native.Absence", absence, &state->absence_type) < 0) {
        return -1;
    }
    return 0;
}
