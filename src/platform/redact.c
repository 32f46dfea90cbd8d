/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Which words of a recording are hashed, and how. */
#include "platform/redact.h"

#include <string.h>

enum { ADDRESS = 17 };

static int is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static int is_hex(char byte)
{
    return is_digit(byte) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

static int is_word(char byte)
{
    return is_digit(byte) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

static void add_secret(em__redactor *redactor, em__host *host, const char *path)
{
    char text[128];
    int length = em__host_text(host, path, text, sizeof text);
    if (length > 0) {
        em__digest_add(&redactor->keyed, text, (size_t)length);
    }
    em__digest_add(&redactor->keyed, "", 1);
}

void em__redact_init(em__redactor *redactor, em__host *host)
{
    em__digest_begin(&redactor->keyed);
    add_secret(redactor, host, "/etc/machine-id");
    add_secret(redactor, host, "/proc/sys/kernel/random/boot_id");
}

void em__redact_all(const em__redactor *redactor, char *text, size_t length)
{
    unsigned char bytes[EM__DIGEST_BYTES], block = 0;
    em__digest whole = redactor->keyed;
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' ' || text[length - 1] == '\0')) {
        length--;
    }
    em__digest_add(&whole, text, length);
    size_t used = 2 * EM__DIGEST_BYTES;
    for (size_t i = 0; i < length; i++) {
        if (!is_word(text[i])) {
            continue;
        }
        if (used == 2 * EM__DIGEST_BYTES) {
            em__digest next = whole;
            em__digest_add(&next, &block, 1);
            em__digest_end(&next, bytes);
            block++;
            used = 0;
        }
        text[i] = "0123456789abcdef"[bytes[used / 2] >> (used % 2 ? 4 : 0) & 15];
        used++;
    }
}

static int is_address(const char *text)
{
    for (size_t i = 0; i < ADDRESS; i++) {
        if (i % 3 == 2 ? text[i] != ':' : !is_hex(text[i])) {
            return 0;
        }
    }
    return 1;
}

void em__redact_addresses(const em__redactor *redactor, char *text, size_t length)
{
    for (size_t i = 0; i + ADDRESS <= length; i++) {
        if ((i == 0 || !is_word(text[i - 1])) && is_address(text + i)) {
            em__redact_all(redactor, text + i, ADDRESS);
            i += ADDRESS - 1;
        }
    }
}

static int has_word(const char *text, size_t length, const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; i + size <= length; i++) {
        size_t k = 0;
        while (k < size && (text[i + k] | 0x20) == word[k]) {
            k++;
        }
        if (k == size) {
            return 1;
        }
    }
    return 0;
}

static int is_private(const char *name, size_t length)
{
    return has_word(name, length, "serial") || has_word(name, length, "uuid") || has_word(name, length, "uniq");
}

void em__redact_content(const em__redactor *redactor, const char *path, char *text, size_t length)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int is_list = strcmp(name, "uevent") == 0 || strcmp(name, "cpuinfo") == 0;
    if (is_private(name, strlen(name))) {
        em__redact_all(redactor, text, length);
        return;
    }
    if (memchr(text, '\0', length)) {
        return; /* Binary. */
    }
    for (size_t at = 0; at < length && is_list;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t line = end ? (size_t)(end - text) - at : length - at;
        size_t key = 0;
        while (key < line && text[at + key] != '=' && text[at + key] != ':') {
            key++;
        }
        /* "serialize" is a flag of CPUs, and stands behind the colon. */
        if (key < line && is_private(text + at, key)) {
            em__redact_all(redactor, text + at + key + 1, line - key - 1);
        }
        at += line + 1;
    }
    em__redact_addresses(redactor, text, length);
}
