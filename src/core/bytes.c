/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Bytes of numbers, checksums, and structs by their tables. */
#include "core/bytes.h"

#include <string.h>

void em__bytes_add(em__bytes *bytes, const void *part, size_t length)
{
    if (bytes->failed || length > bytes->capacity - bytes->length) {
        bytes->failed = 1;
        return;
    }
    if (length > 0) {
        memcpy(bytes->data + bytes->length, part, length);
        bytes->length += length;
    }
}

void em__bytes_number(em__bytes *bytes, uint64_t value)
{
    unsigned char part[10];
    size_t length = 0;
    while (value > 0x7F) {
        part[length++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    part[length++] = (unsigned char)value;
    em__bytes_add(bytes, part, length);
}

const unsigned char *em__cursor_take(em__cursor *cursor, size_t length)
{
    if (cursor->failed || length > cursor->left) {
        cursor->failed = 1;
        return NULL;
    }
    const unsigned char *part = cursor->data;
    cursor->data += length;
    cursor->left -= length;
    return part;
}

uint64_t em__cursor_number(em__cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const unsigned char *byte = em__cursor_take(cursor, 1);
        if (!byte || (shift == 63 && *byte > 1)) {
            break;
        }
        value |= (uint64_t)(*byte & 0x7F) << shift;
        if (!(*byte & 0x80)) {
            return value;
        }
    }
    cursor->failed = 1;
    return 0;
}

uint32_t em__crc32(uint32_t before, const void *part, size_t length)
{
    /* The polynomial's remainders of four bits. */
    static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                       0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    const unsigned char *bytes = part;
    uint32_t crc = ~before;
    for (size_t i = 0; i < length; i++) {
        crc = table[(crc ^ bytes[i]) & 15] ^ (crc >> 4);
        crc = table[(crc ^ (bytes[i] >> 4)) & 15] ^ (crc >> 4);
    }
    return ~crc;
}

/* Integers are kept by their size in the struct, whatever the machine's order of bytes. */
static uint64_t load(const em__field *field, const void *place)
{
    union {
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
    } value;
    int is_signed = field->type == EM__FIELD_SIGNED;
    memcpy(&value, place, field->size);
    switch (field->size) {
    case 1:
        return is_signed ? (uint64_t)(int64_t)value.i8 : value.u8;
    case 2:
        return is_signed ? (uint64_t)(int64_t)value.i16 : value.u16;
    case 4:
        return is_signed ? (uint64_t)(int64_t)value.i32 : value.u32;
    default:
        return value.u64;
    }
}

static void store(const em__field *field, void *place, uint64_t number)
{
    uint8_t u8 = (uint8_t)number;
    uint16_t u16 = (uint16_t)number;
    uint32_t u32 = (uint32_t)number;
    memcpy(place,
           field->size == 1   ? (void *)&u8
           : field->size == 2 ? (void *)&u16
           : field->size == 4 ? (void *)&u32
                              : (void *)&number,
           field->size);
}

static const char *text_of(const em__field *field, const void *place)
{
    const char *text;
    if (field->type == EM__FIELD_CHARS) {
        return place;
    }
    memcpy(&text, place, sizeof text);
    return text;
}

/* A double by its bits, so that every NAN and -0.0 stays what it is. */
static int is_zero(const em__field *field, const void *place)
{
    const char *text;
    switch (field->type) {
    case EM__FIELD_CHARS:
        return *(const char *)place == '\0';
    case EM__FIELD_TEXT:
        text = text_of(field, place);
        return text == NULL;
    default:
        return load(field, place) == 0;
    }
}

static void encode_field(const em__field *field, const void *place, em__bytes *to)
{
    uint64_t number;
    const char *text;
    unsigned char real[8];
    size_t length;
    switch (field->type) {
    case EM__FIELD_CHARS:
    case EM__FIELD_TEXT:
        text = text_of(field, place);
        length = field->type == EM__FIELD_CHARS ? strnlen(text, field->size) : strlen(text);
        em__bytes_number(to, length);
        em__bytes_add(to, text, length);
        break;
    case EM__FIELD_REAL:
        number = load(field, place);
        for (int i = 0; i < 8; i++) {
            real[i] = (unsigned char)(number >> (8 * i));
        }
        em__bytes_add(to, real, sizeof real);
        break;
    case EM__FIELD_SIGNED:
        number = load(field, place);
        em__bytes_number(to, number << 1 ^ (number >> 63 ? UINT64_MAX : 0)); /* small ones of either sign stay short */
        break;
    default:
        em__bytes_number(to, load(field, place));
    }
}

void em__fields_encode(const em__field *fields, size_t count, const void *object, em__bytes *to)
{
    uint64_t present = 0;
    for (size_t i = 0; i < count; i++) {
        present |= (uint64_t)!is_zero(&fields[i], (const char *)object + fields[i].offset) << i;
    }
    em__bytes_number(to, present);
    for (size_t i = 0; i < count; i++) {
        if (present >> i & 1) {
            encode_field(&fields[i], (const char *)object + fields[i].offset, to);
        }
    }
}

static void decode_text(const em__field *field, em__cursor *from, void *place, char **texts)
{
    uint64_t length = em__cursor_number(from);
    const unsigned char *bytes = length <= from->left ? em__cursor_take(from, (size_t)length) : NULL;
    if (!bytes || (field->type == EM__FIELD_CHARS && length >= field->size)) {
        from->failed = 1;
        return;
    }
    if (field->type == EM__FIELD_CHARS) {
        memcpy(place, bytes, (size_t)length);
        return;
    }
    /* The length took a byte at least, which leaves room for the NUL. */
    const char *text = *texts;
    memcpy(*texts, bytes, (size_t)length);
    (*texts)[length] = '\0';
    *texts += length + 1;
    memcpy(place, &text, sizeof text);
}

static void decode_number(const em__field *field, em__cursor *from, void *place)
{
    uint64_t number = 0;
    if (field->type == EM__FIELD_REAL) {
        const unsigned char *real = em__cursor_take(from, 8);
        for (int i = 0; real && i < 8; i++) {
            number |= (uint64_t)real[i] << (8 * i);
        }
    } else {
        number = em__cursor_number(from);
        number = field->type == EM__FIELD_SIGNED ? number >> 1 ^ (number & 1 ? UINT64_MAX : 0) : number;
    }
    store(field, place, number);
    from->failed |= load(field, place) != number;
}

int em__fields_decode(const em__field *fields, size_t count, em__cursor *from, void *object, char *texts)
{
    uint64_t present = em__cursor_number(from);
    if (count < EM__MOST_FIELDS && present >> count != 0) {
        return -1;
    }
    for (size_t i = 0; i < count && !from->failed; i++) {
        void *place = (char *)object + fields[i].offset;
        if (!(present >> i & 1)) {
            continue;
        }
        if (fields[i].type == EM__FIELD_CHARS || fields[i].type == EM__FIELD_TEXT) {
            decode_text(&fields[i], from, place, &texts);
        } else {
            decode_number(&fields[i], from, place);
        }
    }
    return from->failed ? -1 : 0;
}
