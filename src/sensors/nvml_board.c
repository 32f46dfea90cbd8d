/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Asks one NVIDIA board who it is and what it can tell, and reads it. */
#include "sensors/nvml_board.h"

#include "core/text.h"

#include <string.h>

enum { MOST_TRIES = 3, PASCAL = 6, VOLTA = 7 };

/* Boards whose counter is read at every sample. Reading it fast was seen to spoil it on boards with the chips of GeForce
 * cards (short by 13 % at 10 Hz on an RTX 4090), and is what everybody does on those with GV100, GA100, GH100 and GB100
 * chips, without a known shortfall. T4, A10, A40, L4 and L40S are GeForce's chips in servers, and are not trusted here. */
static const char *const fast_models[] = {"V100", "V100S", "A30",  "A30X", "A100", "A100X", "A800",  "H20",  "H100",
                                          "H200", "H800",  "B100", "B200", "B300", "GH200", "GB200", "GB300"};

/* ---------------------------------------------------------------------------------------------------------- reading */

static int decode(const nvml_field *field, uint64_t *ret_value)
{
    switch (field->type) {
    case NVML_TYPE_UINT:
        *ret_value = field->value.ui;
        return NVML_OK;
    case NVML_TYPE_ULONG:
        *ret_value = field->value.ul;
        return NVML_OK;
    case NVML_TYPE_ULONGLONG:
        *ret_value = field->value.ull;
        return NVML_OK;
    case NVML_TYPE_USHORT:
        *ret_value = field->value.us;
        return NVML_OK;
    case NVML_TYPE_INT:
        *ret_value = (uint64_t)field->value.i;
        return field->value.i >= 0 ? NVML_OK : NVML_NO_DATA;
    case NVML_TYPE_LONGLONG:
        *ret_value = (uint64_t)field->value.ll;
        return field->value.ll >= 0 ? NVML_OK : NVML_NO_DATA;
    default:
        return NVML_NO_DATA;
    }
}

static void take_field(const nvml_field *field, int code, em__nvml_query *query)
{
    uint64_t value = 0;
    query->code = code == NVML_OK ? field->result : code;
    query->code = query->code == NVML_OK ? decode(field, &value) : query->code;
    if (query->code == NVML_OK) {
        query->value = value;
        query->stamp = field->stamp_us > 0 ? (uint64_t)field->stamp_us : 0;
    }
}

static void read_call(const em__nvml *nvml, nvml_handle handle, em__nvml_query *query)
{
    unsigned long long mj = 0;
    unsigned int mw = 0;
    int is_energy = query->kind == EM_KIND_COUNTER;
    query->code = is_energy ? nvml->energy(handle, &mj) : nvml->power(handle, &mw);
    query->value = is_energy ? mj : mw;
    query->stamp = 0;
}

void em__nvml_read(const em__nvml *nvml, nvml_handle handle, em__nvml_query queries[], size_t count)
{
    nvml_field fields[EM__NVML_QUERIES];
    int asked = 0;
    for (size_t i = 0; i < count; i++) {
        if (queries[i].by == EM__WAY_FIELD) {
            unsigned int which = queries[i].kind == EM_KIND_COUNTER ? NVML_FIELD_ENERGY : NVML_FIELD_POWER_INSTANT;
            fields[asked++] = (nvml_field){.field = which, .type = UINT32_MAX, .result = NVML_NO_DATA};
        }
    }
    int code = asked ? nvml->fields(handle, asked, fields) : NVML_OK;
    asked = 0;
    for (size_t i = 0; i < count; i++) {
        if (queries[i].by == EM__WAY_FIELD) {
            take_field(&fields[asked++], code, &queries[i]);
        } else {
            read_call(nvml, handle, &queries[i]);
        }
    }
}

em__reading em__nvml_failure(int code)
{
    em__reading reading = {.outcome = EM__READ_GONE, .status = em__nvml_status(code)};
    switch (code) {
    case NVML_GPU_IS_LOST:
    case NVML_RESET_REQUIRED:
    case NVML_DRIVER_NOT_LOADED:
    case NVML_VERSION_MISMATCH:
    case NVML_NO_PERMISSION:
    case NVML_OPERATING_SYSTEM:
    case NVML_NOT_SUPPORTED:
    case NVML_FUNCTION_NOT_FOUND:
    case NVML_DEPRECATED:
        break;
    case NVML_UNINITIALIZED:
    case NVML_INVALID_ARGUMENT: /* the handle is of a board that was taken away */
    case NVML_NOT_FOUND:
    case NVML_GPU_NOT_FOUND:
        reading.status = EM_ERR_GONE;
        break;
    default:
        reading = (em__reading){.outcome = EM__READ_AGAIN, .status = EM_ERR_READ};
    }
    return reading;
}

/* ------------------------------------------------------------------------------------------------------- who is it? */

/* Whatever a driver writes: a name may come without its end, and a UUID of other characters is garbage. */
void em__nvml_identify(const em__nvml *nvml, nvml_handle handle, em__nvml_found *ret_found)
{
    char text[NVML_NAME_SIZE + 1] = {0};
    em__board *board = &ret_found->board;
    if (nvml->name && nvml->name(handle, text, NVML_NAME_SIZE) == NVML_OK) {
        em__visible_text(board->name, sizeof board->name, text, NVML_NAME_SIZE);
    }
    memset(text, 0, sizeof text);
    if (nvml->uuid && nvml->uuid(handle, text, NVML_UUID_SIZE) == NVML_OK &&
        strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") == strlen(text)) {
        em__copy(board->uuid, sizeof board->uuid, text);
    }
    nvml_pci pci = {0};
    ret_found->place = UINT64_MAX;
    if (nvml->pci && nvml->pci(handle, &pci) == NVML_OK && pci.domain <= 0xFFFFFF && pci.bus <= 0xFF &&
        pci.device <= 0x1F) {
        em__print(board->pci, sizeof board->pci, "%04x:%02x:%02x.0", pci.domain, pci.bus, pci.device);
        ret_found->place = (uint64_t)pci.domain << 16 | pci.bus << 8 | pci.device;
    }
}

void em__nvml_slices(const em__nvml *nvml, nvml_handle handle, em__board *ret_board)
{
    unsigned int now = 0, after_reset = 0, most = 0;
    if (!nvml->mig_mode || nvml->mig_mode(handle, &now, &after_reset) != NVML_OK || now != 1) {
        return;
    }
    ret_board->is_mig = 1;
    if (!nvml->mig_count || !nvml->mig || !nvml->uuid || nvml->mig_count(handle, &most) != NVML_OK) {
        return;
    }
    for (unsigned int i = 0; i < most && i < EM__BOARD_MIGS; i++) {
        nvml_handle slice = NULL;
        char text[NVML_UUID_SIZE + 1] = {0};
        if (nvml->mig(handle, i, &slice) == NVML_OK && slice && nvml->uuid(slice, text, NVML_UUID_SIZE) == NVML_OK) {
            em__visible_text(ret_board->migs[ret_board->mig_count++], EM__UUID_SIZE, text, NVML_UUID_SIZE);
        }
    }
}

/* -------------------------------------------------------------------------------------------------- what can it do? */

static em__nvml_way find_way(const em__nvml *nvml, nvml_handle handle, int32_t kind, int *ret_code)
{
    int has_call = kind == EM_KIND_COUNTER ? nvml->energy != NULL : nvml->power != NULL;
    *ret_code = NVML_FUNCTION_NOT_FOUND;
    for (int i = 0; i < 2 * MOST_TRIES; i++) {
        em__nvml_way by = i < MOST_TRIES ? EM__WAY_FIELD : EM__WAY_CALL;
        if (by == EM__WAY_FIELD ? !nvml->fields : !has_call) {
            continue;
        }
        em__nvml_query query = {.kind = kind, .by = by};
        em__nvml_read(nvml, handle, &query, 1);
        *ret_code = query.code;
        if (*ret_code == NVML_OK) {
            return by;
        }
        if (em__nvml_failure(*ret_code).outcome == EM__READ_GONE) {
            i = by == EM__WAY_FIELD ? MOST_TRIES - 1 : 2 * MOST_TRIES;
        }
    }
    return EM__WAY_NONE;
}

em__nvml_answers em__nvml_ask(const em__nvml *nvml, nvml_handle handle)
{
    em__nvml_answers answers = {0};
    nvml_utilisation busy;
    unsigned int least_mw;
    answers.energy = find_way(nvml, handle, EM_KIND_COUNTER, &answers.energy_code);
    answers.power = find_way(nvml, handle, EM_KIND_GAUGE, &answers.power_code);
    answers.has_limit = nvml->limit && nvml->limit(handle, &answers.limit_mw) == NVML_OK && answers.limit_mw > 0 &&
                        answers.limit_mw <= EM__NVML_MOST_MW;
    if (!nvml->limit_range || nvml->limit_range(handle, &least_mw, &answers.most_mw) != NVML_OK) {
        answers.most_mw = 0;
    }
    answers.has_utilisation = nvml->utilisation && nvml->utilisation(handle, &busy) == NVML_OK;
    if (!nvml->capability || nvml->capability(handle, &answers.major, &answers.minor) != NVML_OK) {
        answers.major = answers.minor = 0;
    }
    return answers;
}

/* Twice the largest limit that can be set, since a limit may be raised while we measure, but never under 1 kW. No limit:
 * 3 kW, twice the 1.4 kW of the largest board of today (GB300). */
uint64_t em__nvml_ceiling_mw(const em__nvml_answers *answers)
{
    uint64_t limit = answers->has_limit ? answers->limit_mw : 0;
    if (answers->most_mw > limit) {
        limit = answers->most_mw;
    }
    if (limit == 0 || limit > EM__NVML_MOST_MW) {
        return 3000000;
    }
    return limit > 500000 ? 2 * limit : 1000000;
}

/* Published measurements of the power gauge (Yang et al., SC 2024): 20 ms on Pascal and Volta, 100 ms on what followed. */
uint64_t em__nvml_refresh_ns(const em__nvml_answers *answers)
{
    int is_volta = answers->major == VOLTA && answers->minor < 5;
    return answers->major == PASCAL || is_volta ? 20000000 : 100000000;
}

/* The same measurements: a power of now is the mean over the last 25 ms on GA100 and GH100, 10 ms on Pascal and Volta,
 * 100 ms on Turing, GA10x and Ada. The call of old is the mean of a second on Ampere and newer, GA100 excepted (NVIDIA's
 * documentation of nvmlDeviceGetPowerUsage). */
uint64_t em__nvml_average_ns(const em__nvml_answers *answers)
{
    int chip = answers->major * 10 + answers->minor;
    if (answers->power == EM__WAY_CALL && chip > 80) {
        return 1000000000;
    }
    switch (chip) {
    case 60:
    case 61:
    case 70:
        return 10000000;
    case 80:
    case 90:
        return 25000000;
    case 75:
    case 86:
    case 89:
        return 100000000;
    default:
        return 0;
    }
}

double em__nvml_gain(const em__nvml_answers *answers)
{
    return answers->major == PASCAL ? 0.02 : 0.05;
}

int em__nvml_is_fast(const char *name)
{
    static const char separators[] = " -_/";
    for (name += strspn(name, separators); *name; name += strspn(name, separators)) {
        size_t length = strcspn(name, separators);
        for (size_t i = 0; i < sizeof fast_models / sizeof fast_models[0]; i++) {
            if (strlen(fast_models[i]) == length && memcmp(fast_models[i], name, length) == 0) {
                return 1;
            }
        }
        name += length;
    }
    return 0;
}
