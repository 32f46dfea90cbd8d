/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* An event as bytes. */
#include "core/event.h"

#include "energy_meter.h"

#define UNSIGNED(member) EM__FIELD(EM__FIELD_UNSIGNED, em__event, member)
#define SIGNED(member) EM__FIELD(EM__FIELD_SIGNED, em__event, member)

/* A trace of an older library has fewer of them: new ones at the end. */
static const em__field fields[] = {
    UNSIGNED(kind),
    UNSIGNED(t_ns),
    UNSIGNED(channel),
    UNSIGNED(reading.value),
    UNSIGNED(reading.stamp),
    UNSIGNED(reading.outcome),
    SIGNED(reading.status),
    SIGNED(status),
    UNSIGNED(window),
    UNSIGNED(next),
    UNSIGNED(amount),
    SIGNED(window_kind),
    SIGNED(keep),
    EM__FIELD(EM__FIELD_TEXT, em__event, name),
    SIGNED(is_partial),
};
_Static_assert(sizeof(void *) != 8 || sizeof(em__event) == 104, "each field has a line in the table");
enum { FIELDS = sizeof fields / sizeof fields[0] };

void em__event_encode(const em__event *event, em__bytes *to)
{
    em__fields_encode(fields, FIELDS, event, to);
}

static int is_status(int32_t status)
{
    return status <= 0 && status > -100;
}

int em__event_decode(em__cursor *from, char *texts, em__event *ret_event)
{
    em__event event = {0};
    if (em__fields_decode(fields, FIELDS, from, &event, texts) < 0 || from->left > 0) {
        return EM_ERR_INVALID;
    }
    int is_kind = event.window_kind >= EM_WINDOW_OTHER && event.window_kind <= EM_WINDOW_RUN;
    if (event.kind > EM__EVENT_SETTLE || event.reading.outcome > EM__READ_GONE || !is_kind ||
        !is_status(event.reading.status) || !is_status(event.status)) {
        return EM_ERR_INVALID;
    }
    *ret_event = event;
    return EM_OK;
}
