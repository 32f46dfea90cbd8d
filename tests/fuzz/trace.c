/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The replay: whatever a trace holds, it is refused or gives a summary that is JSON, and windows that can be asked for.
 * Its checksums are made right first, else garbage would never get behind them. */
#include "core/json.h"
#include "meter/playback.h"
#include "meter/replay.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 1 << 20, WINDOWS = 64 };

static void insist(int holds)
{
    if (!holds) {
        abort();
    }
}

/* Each record once more, with its own sum; what is no record goes on as it is. */
static void mend(em__bytes *to, const uint8_t *data, size_t size)
{
    em__cursor from = {.data = data, .left = size};
    size_t start = size < EM__TRACE_START ? size : EM__TRACE_START;
    em__bytes_add(to, em__cursor_take(&from, start), start);
    while (from.left > 0) {
        em__cursor next = from;
        uint8_t kind = *em__cursor_take(&next, 1);
        uint64_t length = em__cursor_number(&next);
        if (next.failed || length > next.left) {
            em__bytes_add(to, from.data, from.left);
            return;
        }
        em__trace_frame(to, (em__record_kind)kind, em__cursor_take(&next, (size_t)length), (size_t)length);
        em__cursor_take(&next, next.left < 4 ? next.left : 4);
        from = next;
    }
}

static void look_at_windows(em_trace *trace)
{
    em_energy channels[4];
    uint64_t next = trace->ledger.store.next_id;
    for (uint64_t window = next > WINDOWS ? next - WINDOWS : 0; window <= next; window++) {
        em_result result = {.size = sizeof result, .channels = channels, .channels_capacity = 4};
        int status = em__ledger_result(&trace->ledger, window, trace->last_ns, &result);
        insist(status == EM_OK || status == EM_ERR_UNKNOWN || status == EM_ERR_EXPIRED);
    }
}

static void look_at_summary(em_trace *trace)
{
    em_summary *summary;
    em__json *json;
    char *text;
    size_t length;
    int status = em_trace_summary(trace, NULL, &summary);
    if (status == EM_ERR_NO_MEMORY) {
        return;
    }
    insist(status == EM_OK);
    for (int32_t format = EM_FORMAT_TEXT; format <= EM_FORMAT_JSON; format++) {
        if (em_summary_format(summary, format, &text, &length) == EM_OK) {
            insist(strlen(text) == length);
            if (format == EM_FORMAT_JSON) {
                insist(em__json_parse(text, length, &json, NULL) == 0);
                em__json_destroy(json);
            }
            em_text_destroy(text);
        }
    }
    em_summary_destroy(summary);
    look_at_windows(trace);
}

/* From a tenth of a second to some hours, wherever the input says. */
static void look_at_part(int descriptor, const uint8_t *data, size_t size)
{
    em_trace *trace;
    em_summary *summary = NULL;
    em_error error = {.size = sizeof error};
    uint64_t from_ns = (uint64_t)data[size / 2] * 100000000,
             length_ns = (uint64_t)data[size / 3] * data[size - 1] * 100000000;
    insist(lseek(descriptor, 0, SEEK_SET) == 0);
    if (em_trace_open(descriptor, NULL, &trace) == EM_OK) {
        int status = em_trace_part(trace, from_ns, from_ns + length_ns + 1, NULL, &error, &summary);
        insist(status == EM_OK || ((status == EM_ERR_INVALID || status == EM_ERR_NO_MEMORY) && error.text[0]));
        em_summary_destroy(summary);
        em_trace_destroy(trace);
    }
}

/* The same in the place of a machine. */
static void play(int descriptor)
{
    em_error error = {.size = sizeof error};
    em__tape *tape = NULL;
    insist(lseek(descriptor, 0, SEEK_SET) == 0);
    int status = em__playback_load(descriptor, &error, &tape);
    insist(status == EM_OK || status == EM_ERR_INVALID || status == EM_ERR_NO_MEMORY);
    for (size_t i = 0; status == EM_OK && i < tape->channel_count; i++) {
        for (uint64_t part = 0; part <= 17; part++) {
            uint64_t t_ns = tape->begin_ns + (tape->end_ns - tape->begin_ns) / 16 * part;
            em__reading reading = em__tape_at(tape, i, t_ns);
            insist((reading.outcome == EM__READ_OK) == (reading.status == EM_OK));
        }
    }
    em__tape_unref(tape);
}

static void replay(int descriptor, const void *data, size_t size)
{
    em_trace *trace;
    insist(ftruncate(descriptor, 0) == 0 && pwrite(descriptor, data, size, 0) == (ssize_t)size);
    insist(lseek(descriptor, 0, SEEK_SET) == 0);
    int status = em_trace_open(descriptor, NULL, &trace);
    if (status == EM_OK) {
        look_at_summary(trace);
        em_trace_destroy(trace);
        look_at_part(descriptor, data, size);
    } else {
        insist(status == EM_ERR_INVALID || status == EM_ERR_NO_MEMORY);
    }
    play(descriptor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int descriptor = -1;
    descriptor = descriptor < 0 ? memfd_create("trace", MFD_CLOEXEC) : descriptor;
    insist(descriptor >= 0);
    em__bytes mended = {.data = malloc(2 * LARGEST), .capacity = 2 * LARGEST};
    if (size <= LARGEST && mended.data) {
        replay(descriptor, data, size);
        mend(&mended, data, size);
        replay(descriptor, mended.data, mended.length);
    }
    free(mended.data);
    return 0;
}
