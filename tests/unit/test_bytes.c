/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Bytes of a trace: published figures, structs there and back, and events that cannot be behind a right checksum. */
#include "check.h"
#include "meter/replay.h"
#include "meter/tracer.h"
#include "rig/channel.h"
#include "rig/random.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define S UINT64_C(1000000000)

/* The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms; in two parts, the same. */
static void test_the_checksum(void)
{
    CHECK_INT(em__crc32(0, "123456789", 9), 0xCBF43926);
    CHECK_INT(em__crc32(em__crc32(0, "1234", 4), "56789", 5), 0xCBF43926);
    CHECK_INT(em__crc32(0, "", 0), 0);
}

/* The example of LEB128 in the DWARF standard (7.6) and the ends of its range. */
static void test_numbers(void)
{
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t length;
    } cases[] = {{2, "\x02", 1},
                 {127, "\x7f", 1},
                 {128, "\x80\x01", 2},
                 {12857, "\xB9\x64", 2},
                 {UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char space[10];
        em__bytes bytes = {.data = space, .capacity = cases[i].length};
        em__bytes_number(&bytes, cases[i].value);
        CHECK(!bytes.failed && bytes.length == cases[i].length && memcmp(space, cases[i].bytes, bytes.length) == 0);
        em__cursor cursor = {.data = space, .left = bytes.length};
        CHECK(em__cursor_number(&cursor) == cases[i].value && cursor.left == 0 && !cursor.failed);
        em__cursor cut = {.data = space, .left = bytes.length - 1};
        em__cursor_number(&cut);
        CHECK(cut.failed);
    }
    em__cursor too_large = {.data = (const unsigned char *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", .left = 10};
    em__cursor_number(&too_large);
    CHECK(too_large.failed);
}

typedef struct {
    uint8_t u8;
    int32_t i32;
    int64_t i64;
    uint64_t u64;
    double real;
    char chars[4];
    const char *text;
} all_types;

static const em__field fields[] = {
    EM__FIELD(EM__FIELD_UNSIGNED, all_types, u8), EM__FIELD(EM__FIELD_SIGNED, all_types, i32),
    EM__FIELD(EM__FIELD_SIGNED, all_types, i64),  EM__FIELD(EM__FIELD_UNSIGNED, all_types, u64),
    EM__FIELD(EM__FIELD_REAL, all_types, real),   EM__FIELD(EM__FIELD_CHARS, all_types, chars),
    EM__FIELD(EM__FIELD_TEXT, all_types, text)};

static void expect_back(all_types given)
{
    unsigned char space[128];
    char texts[128];
    all_types got = {0};
    em__bytes bytes = {.data = space, .capacity = sizeof space};
    em__fields_encode(fields, 7, &given, &bytes);
    em__cursor cursor = {.data = space, .left = bytes.length};
    CHECK_INT(em__fields_decode(fields, 7, &cursor, &got, texts), 0);
    CHECK_INT(cursor.left, 0);
    CHECK_TEXT(got.chars, given.chars);
    CHECK_TEXT(got.text, given.text);
    CHECK(got.u8 == given.u8 && got.i32 == given.i32 && got.i64 == given.i64 && got.u64 == given.u64);
    CHECK(memcmp(&got.real, &given.real, sizeof got.real) == 0);
    for (size_t left = 0; left < bytes.length; left++) {
        cursor = (em__cursor){.data = space, .left = left};
        CHECK_INT(em__fields_decode(fields, 7, &cursor, &got, texts), -1);
    }
}

static void test_structs(void)
{
    expect_back((all_types){0});
    expect_back((all_types){255, INT32_MIN, INT64_MIN, UINT64_MAX, -NAN, "abc", ""});
    expect_back((all_types){1, -1, INT64_MAX, 1, -0.0, "a", "caf\xC3\xA9"});
    /* The bytes themselves, so that they are the same on every machine: fields 1, 4 and 5 of -2, 1.0 and "a". */
    unsigned char space[32];
    em__bytes bytes = {.data = space, .capacity = sizeof space};
    all_types some = {.i32 = -2, .real = 1.0, .chars = "a"};
    em__fields_encode(fields, 7, &some, &bytes);
    CHECK(bytes.length == 12 && memcmp(space, "\x32\x03\0\0\0\0\0\0\xF0\x3F\x01\x61", 12) == 0);
}

static void expect_refused_bytes(const char *given, size_t length)
{
    char texts[32];
    all_types got = {0};
    em__cursor cursor = {.data = (const unsigned char *)given, .left = length};
    CHECK_INT(em__fields_decode(fields, 7, &cursor, &got, texts), -1);
}

static void test_what_no_field_holds(void)
{
    expect_refused_bytes("\x80\x01", 2);                 /* an eighth field */
    expect_refused_bytes("\x01\x80\x02", 3);             /* 256 in a byte */
    expect_refused_bytes("\x02\x80\x80\x80\x80\x20", 6); /* 2^32 in four */
    expect_refused_bytes("\x20\x04"                      /* four letters and no room for the NUL */
                         "abcd",
                         6);
    expect_refused_bytes("\x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11); /* a text without end */
}

static void test_events(void)
{
    for (int i = 0; i < 1000; i++) {
        char name[256], texts[EM__EVENT_BYTES];
        unsigned char space[EM__EVENT_BYTES];
        em__bytes bytes = {.data = space, .capacity = sizeof space};
        size_t length = (size_t)rig_random_below(256);
        memset(name, 'x', length);
        name[length] = '\0';
        em__event event = {.kind = (em__event_kind)rig_random_below(EM__EVENT_SETTLE + 1),
                           .t_ns = rig_random() >> rig_random_below(64),
                           .channel = (size_t)rig_random_below(5000),
                           .reading = {.value = rig_random() >> rig_random_below(64),
                                       .stamp = rig_random() >> rig_random_below(64),
                                       .outcome = (em__outcome)rig_random_below(3),
                                       .status = -(int32_t)rig_random_below(44)},
                           .status = -(int32_t)rig_random_below(44),
                           .window = rig_random(),
                           .next = rig_random(),
                           .amount = rig_random(),
                           .window_kind = (int32_t)rig_random_below(4),
                           .keep = (int32_t)rig_random_below(2),
                           .name = rig_random_below(2) ? name : NULL};
        em__event got;
        em__event_encode(&event, &bytes);
        em__cursor cursor = {.data = space, .left = bytes.length};
        if (!CHECK(!bytes.failed) || !CHECK_INT(em__event_decode(&cursor, texts, &got), EM_OK)) {
            return;
        }
        CHECK_TEXT(got.name, event.name);
        CHECK(got.kind == event.kind && got.t_ns == event.t_ns && got.channel == event.channel);
        CHECK(got.reading.value == event.reading.value && got.reading.stamp == event.reading.stamp);
        CHECK(got.reading.outcome == event.reading.outcome && got.reading.status == event.reading.status);
        CHECK(got.status == event.status && got.window == event.window && got.next == event.next);
        CHECK(got.amount == event.amount && got.window_kind == event.window_kind && got.keep == event.keep);
    }
}

/* A trace of one counter without a ceiling: these events, and whether a replay goes to its end. */
static int is_played(const em__event *events, size_t count)
{
    rig_ledger rig;
    rig_channel channel = rig_channel_make("cpu-0/package", EM__COVERS_PACKAGE, 0, EM_KIND_COUNTER, (rig_source){0});
    static const uint64_t no_costs[1];
    em__surroundings around = {.pid = 1, .overhead_limit = NAN, .costs_ns = no_costs};
    em__tracer *tracer;
    em_trace *trace;
    em_summary *summary;
    int descriptor = memfd_create("trace", MFD_CLOEXEC);
    channel.facts.ceiling_mw = 0;
    rig_ledger_init(&rig, &channel, 1, NULL);
    if (em__tracer_create(descriptor, &rig.ledger.setup, &around, &tracer) != EM_OK) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        em__tracer_event(tracer, &events[i]);
    }
    em__tracer_end(tracer);
    em__tracer_destroy(tracer);
    rig_ledger_free(&rig);
    lseek(descriptor, 0, SEEK_SET);
    if (em_trace_open(descriptor, NULL, &trace) != EM_OK || em_trace_summary(trace, NULL, &summary) != EM_OK) {
        abort();
    }
    int is_whole = trace->is_whole && !trace->is_garbled;
    em_summary_destroy(summary);
    em_trace_destroy(trace);
    close(descriptor);
    return is_whole;
}

static em__event reading(uint64_t t_ns, uint64_t value)
{
    return (em__event){.kind = EM__EVENT_READING, .t_ns = t_ns, .reading = {.value = value}};
}

static em__event mark(uint64_t t_ns)
{
    return (em__event){.kind = EM__EVENT_MARK, .t_ns = t_ns};
}

#define IS_PLAYED(...)                                                                                                 \
    is_played((const em__event[]){__VA_ARGS__}, sizeof((em__event[]){__VA_ARGS__}) / sizeof(em__event))

static void test_events_that_cannot_be(void)
{
    em__event begin = {.kind = EM__EVENT_BEGIN, .t_ns = 2 * S, .window = 1}, other_channel = reading(S, 1);
    em__event second = begin, unknown = {.kind = EM__EVENT_END, .t_ns = 3 * S, .window = 7};
    second.window = 3;
    other_channel.channel = 1 + EM__HIDDEN_COUNT;
    CHECK_INT(IS_PLAYED(reading(S, 0), begin, mark(3 * S), reading(4 * S, 1000000)), 1);
    CHECK_INT(IS_PLAYED(other_channel), 0);
    CHECK_INT(IS_PLAYED(reading(2 * S, 0), reading(S, 1)), 0);
    CHECK_INT(IS_PLAYED(mark(2 * S), mark(S)), 0);
    CHECK_INT(IS_PLAYED(mark(UINT64_C(1) << 63)), 0);
    CHECK_INT(IS_PLAYED(reading(S, 0), reading(2 * S, UINT64_C(1) << 61)), 0);
    CHECK_INT(IS_PLAYED(reading(S, 0), reading(2 * S, UINT64_C(1) << 59), reading(3 * S, UINT64_C(1) << 60)), 1);
    CHECK_INT(IS_PLAYED(reading(S, 0), reading(2 * S, UINT64_C(1) << 59), mark(UINT64_C(1) << 61)), 0);
    CHECK_INT(IS_PLAYED(begin, second), 0);
    CHECK_INT(IS_PLAYED(begin, begin), 0);
    CHECK_INT(IS_PLAYED(unknown), 0);
}

int main(int argc, char **argv)
{
    rig_random_start(argc, argv);
    RUN(test_the_checksum);
    RUN(test_numbers);
    RUN(test_structs);
    RUN(test_what_no_field_holds);
    RUN(test_events);
    RUN(test_events_that_cannot_be);
    return CHECK_DONE();
}
