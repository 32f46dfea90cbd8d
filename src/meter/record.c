/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Records a machine for a caller: opens the root, and says what was wrong with it. */
#include "core/text.h"
#include "meter/meter.h"
#include "platform/recorder.h"

#include <errno.h>

static int record(const char *root, em_error *error, char **ret_text, size_t *ret_length)
{
    em__host *host;
    char why[sizeof error->text] = "";
    int failure = em__host_open(root, 0, NULL, why, sizeof why, &host);
    int is_short = failure == -ENOMEM || failure == -EMFILE || failure == -ENFILE;
    if (failure < 0 && !is_short) {
        em__copy(error->remedy, sizeof error->remedy,
                 "give \"/\", a directory laid out like it, or a recorded machine (.json)");
        return em__options_refuse(error, EM_ERR_INVALID, "root", "%s", why);
    }
    if (failure == 0) {
        failure = em__machine_record(host, ret_text, ret_length);
        em__host_unref(host);
    }
    int status = failure == 0 ? EM_OK : em__options_shortage(failure, error);
    return status == EM_ERR_NO_MEMORY ? em__options_refuse(error, status, "", "%s", em_status_text(status)) : status;
}

int em_machine_record(const char *root, em_error *ret_error, char **ret_text, size_t *ret_length)
{
    em_error error = {.size = sizeof error};
    size_t length;
    if (!ret_text) {
        return EM_ERR_INVALID;
    }
    int status = record(root, &error, ret_text, ret_length ? ret_length : &length);
    if (status != EM_OK && ret_error && ret_error->size >= sizeof ret_error->size) {
        em__answer(ret_error, ret_error->size, &error, sizeof error);
    }
    return status;
}
