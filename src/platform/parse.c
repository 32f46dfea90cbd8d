/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* The parsers: each looks at no byte outside the text that it was given. */
#include "platform/parse.h"

#include "core/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static int is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static int is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at)) {
        at++;
    }
    return at;
}

static const char *cut_space(const char *begin, const char *end)
{
    while (end > begin && is_space(end[-1])) {
        end--;
    }
    return end;
}

/* Digits at *at, which moves behind them. */
static int read_u64(const char **at, const char *end, uint64_t *ret_value)
{
    const char *here = *at;
    uint64_t value = 0;
    if (here == end || !is_digit(*here)) {
        return -EINVAL;
    }
    for (; here < end && is_digit(*here); here++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*here - '0'), &value)) {
            return -ERANGE;
        }
    }
    *at = here;
    *ret_value = value;
    return 0;
}

int em__parse_u64(const char *text, size_t length, uint64_t *ret_value)
{
    const char *end = cut_space(text, text + length);
    const char *at = skip_space(text, end);
    uint64_t value;
    for (const char *byte = at; byte < end; byte++) {
        if (!is_digit(*byte)) {
            return -EINVAL;
        }
    }
    int error = read_u64(&at, end, &value);
    if (error == 0) {
        *ret_value = value;
    }
    return error;
}

int em__parse_i64(const char *text, size_t length, int64_t *ret_value)
{
    const char *end = cut_space(text, text + length);
    const char *at = skip_space(text, end);
    uint64_t value;
    int is_negative = at < end && *at == '-';
    at += is_negative;
    int error = read_u64(&at, end, &value);
    if (error < 0 || at != end) {
        return error < 0 ? error : -EINVAL;
    }
    if (value > INT64_MAX) {
        return -ERANGE;
    }
    *ret_value = is_negative ? -(int64_t)value : (int64_t)value;
    return 0;
}

/* The number behind prefix, which is all that is left. */
static int read_number_after(const char *text, size_t length, const char *prefix, const char **ret_end,
                             int32_t *ret_number)
{
    size_t prefix_length = strlen(prefix);
    uint64_t number;
    if (length < prefix_length || memcmp(text, prefix, prefix_length) != 0) {
        return -EINVAL;
    }
    const char *at = text + prefix_length;
    int error = read_u64(&at, text + length, &number);
    if (error < 0 || number > INT32_MAX) {
        return error < 0 ? error : -ERANGE;
    }
    *ret_end = at;
    *ret_number = (int32_t)number;
    return 0;
}

int em__parse_zone_name(const char *text, em__zone_name *ret_name)
{
    static const struct {
        const char *name;
        em__zone_kind kind;
    } plain[] = {
        {"core", EM__ZONE_CORE}, {"uncore", EM__ZONE_UNCORE}, {"dram", EM__ZONE_DRAM}, {"psys", EM__ZONE_PSYS}};
    const char *end = cut_space(text, text + strlen(text)), *at = end;
    em__zone_name name = {EM__ZONE_PSYS, -1, -1};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        size_t length = strlen(plain[i].name);
        if ((size_t)(end - text) == length && memcmp(text, plain[i].name, length) == 0) {
            *ret_name = (em__zone_name){plain[i].kind, -1, -1};
            return 0;
        }
    }
    int error = read_number_after(text, (size_t)(end - text), "psys-", &at, &name.number);
    if (error == -EINVAL) {
        name.kind = EM__ZONE_PACKAGE;
        error = read_number_after(text, (size_t)(end - text), "package-", &at, &name.number);
        if (error == 0 && at < end) {
            name.kind = EM__ZONE_DIE;
            error = read_number_after(at, (size_t)(end - at), "-die-", &at, &name.die);
        }
    }
    if (error == 0 && at < end) {
        error = -EINVAL;
    }
    if (error == 0) {
        *ret_name = name;
    }
    return error;
}

static int hexadecimal(char byte)
{
    if (is_digit(byte)) {
        return byte - '0';
    }
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int em__parse_zone_path(const char *name, em__zone_path *ret_path)
{
    em__zone_path path = {.depth = 0};
    size_t length = strcspn(name, ":/");
    if (length == 0 || length >= sizeof path.control_type || name[length] == '/') {
        return -EINVAL;
    }
    memcpy(path.control_type, name, length);
    for (const char *at = name + length; *at;) {
        if (*at++ != ':' || path.depth == 2) {
            return -EINVAL;
        }
        uint32_t number = 0;
        const char *begin = at;
        for (int digit; (digit = hexadecimal(*at)) >= 0; at++) {
            if (number > UINT32_MAX >> 4) {
                return -ERANGE;
            }
            number = number << 4 | (uint32_t)digit;
        }
        if (at == begin) {
            return -EINVAL;
        }
        path.zone[path.depth++] = number;
    }
    *ret_path = path;
    return 0;
}

static const char *line_end(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline ? newline : end;
}

int em__parse_cpu_time(const char *text, size_t length, em__cpu_time *ret_time)
{
    /* What follows, guest and guest_nice, is already in user and nice. */
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS };
    uint64_t fields[FIELDS] = {0}, total = 0;
    const char *end = line_end(text, text + length);
    if (end - text < 4 || memcmp(text, "cpu", 3) != 0 || !is_space(text[3])) {
        return -EINVAL;
    }
    const char *at = text + 3;
    for (int i = 0; i < FIELDS; i++) {
        at = skip_space(at, end);
        if (at == end && i > IDLE) {
            break; /* kernels before 2.6.11 */
        }
        int error = read_u64(&at, end, &fields[i]);
        if (error == 0 && at < end && !is_space(*at)) {
            error = -EINVAL;
        }
        if (error == 0 && fields[i] > UINT64_MAX - total) {
            error = -ERANGE;
        }
        if (error < 0) {
            return error;
        }
        total += fields[i];
    }
    ret_time->busy = total - fields[IDLE] - fields[IOWAIT] - fields[STEAL];
    ret_time->total = total;
    ret_time->steal = fields[STEAL];
    return 0;
}

int em__parse_process_time(const char *text, size_t length, em__process_time *ret_time)
{
    /* The name in parentheses may hold blanks and parentheses; then state, parent, and words of which some are negative. */
    enum { PARENT = 1, USER = 11, SYSTEM, WAITED_USER, WAITED_SYSTEM, START = 19, WORDS };
    uint64_t words[WORDS] = {0}, pid;
    const char *end = text + length, *at = text, *name_end = end;
    int error = read_u64(&at, end, &pid);
    if (error < 0) {
        return error;
    }
    while (name_end > at && name_end[-1] != ')') {
        name_end--;
    }
    if (name_end == at) {
        return -EINVAL;
    }
    at = name_end;
    for (int i = 0; i < WORDS; i++) {
        at = skip_space(at, end);
        int is_needed = i == PARENT || (i >= USER && i <= WAITED_SYSTEM) || i == START;
        error = at == end ? -EINVAL : is_needed ? read_u64(&at, end, &words[i]) : 0;
        if (error == 0 && is_needed && (words[i] > UINT64_MAX / 4 || (at < end && !is_space(*at)))) {
            error = -EINVAL;
        }
        if (error < 0) {
            return error;
        }
        while (at < end && !is_space(*at)) {
            at++;
        }
    }
    *ret_time = (em__process_time){.pid = pid,
                                   .parent = words[PARENT],
                                   .used = words[USER] + words[SYSTEM],
                                   .waited = words[WAITED_USER] + words[WAITED_SYSTEM],
                                   .start = words[START]};
    return 0;
}

struct span {
    const char *begin, *end;
};

static int is_key(struct span key, const char *name)
{
    size_t length = strlen(name);
    return (size_t)(key.end - key.begin) == length && memcmp(key.begin, name, length) == 0;
}

static int has_word(struct span value, const char *word)
{
    size_t length = strlen(word);
    const char *at = skip_space(value.begin, value.end);
    while (at < value.end) {
        const char *begin = at;
        while (at < value.end && !is_space(*at)) {
            at++;
        }
        if ((size_t)(at - begin) == length && memcmp(begin, word, length) == 0) {
            return 1;
        }
        at = skip_space(at, value.end);
    }
    return 0;
}

static void copy_value(char *destination, size_t size, struct span value)
{
    char text[256];
    size_t length = (size_t)(value.end - value.begin);
    length = length < sizeof text ? length : sizeof text - 1;
    memcpy(text, value.begin, length);
    text[length] = '\0';
    em__copy(destination, size, text);
}

/* Distinct physical ids. A machine with more of them counts as one with this many. */
struct packages {
    uint64_t ids[1024];
    uint32_t count;
};

static void add_package(struct packages *packages, struct span value)
{
    uint64_t id;
    if (em__parse_u64(value.begin, (size_t)(value.end - value.begin), &id) < 0) {
        return;
    }
    for (uint32_t i = packages->count; i > 0; i--) {
        if (packages->ids[i - 1] == id) {
            return;
        }
    }
    if (packages->count < sizeof packages->ids / sizeof packages->ids[0]) {
        packages->ids[packages->count++] = id;
    }
}

int em__parse_cpuinfo(const char *text, size_t length, em__cpuinfo *ret_info)
{
    em__cpuinfo info = {.cpus = 0};
    struct packages packages = {.count = 0};
    const char *end = text + length;
    for (const char *line = text, *next; line < end; line = next) {
        const char *stop = line_end(line, end);
        next = stop < end ? stop + 1 : end;
        const char *colon = memchr(line, ':', (size_t)(stop - line));
        if (!colon) {
            continue;
        }
        struct span key = {line, cut_space(line, colon)};
        struct span value = {skip_space(colon + 1, stop), stop};
        value.end = cut_space(value.begin, stop);
        if (is_key(key, "processor") && info.cpus < UINT32_MAX) {
            info.cpus++;
        } else if (is_key(key, "physical id")) {
            add_package(&packages, value);
        } else if (is_key(key, "vendor_id") && !info.vendor[0]) {
            copy_value(info.vendor, sizeof info.vendor, value);
        } else if (is_key(key, "model name") && !info.model[0]) {
            copy_value(info.model, sizeof info.model, value);
        } else if (is_key(key, "flags")) {
            info.is_virtual = info.is_virtual || has_word(value, "hypervisor");
            info.has_sgx = info.has_sgx || has_word(value, "sgx");
        }
    }
    if (info.cpus == 0) {
        return -EINVAL;
    }
    info.packages = packages.count;
    if (packages.count > info.cpus / 2) {
        info.is_virtual = 1;
    }
    *ret_info = info;
    return 0;
}
