/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Members of a JSON document, and what is wrong with them in words. */
#include "reports/field.h"

#include "core/text.h"
#include "core/units.h"
#include "metrics/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 40, PATH = 120, NANO_DIGITS = 9 };
static const double longest_s = 9e9;

int em__field_fail(em__fields *fields, const char *where, const char *key, const char *what)
{
    if (fields->status == EM_OK) {
        fields->status =
            em__summary_refuse(fields->error, EM_ERR_INVALID, "json",
                               "give a summary as json.dump(meter.summary(), file) or em_summary_format wrote it",
                               "%.120s%.64s %s", where, key, what);
    }
    return fields->status;
}

/* The member, or NULL after saying what is wrong, or where it may be null and is. */
static const em__json_node *member(em__fields *fields, const em__json_node *node, const char *where, const char *key,
                                   em__json_type type, int flags)
{
    static const char *const wanted[] = {[EM__JSON_TRUE] = "true or false",
                                         [EM__JSON_NUMBER] = "a number",
                                         [EM__JSON_STRING] = "a string",
                                         [EM__JSON_ARRAY] = "an array",
                                         [EM__JSON_OBJECT] = "an object"};
    if (fields->status != EM_OK) {
        return NULL;
    }
    const em__json_node *found = em__json_member(node, key);
    if (!found && (flags & EM__OPTIONAL) == EM__OPTIONAL) {
        return NULL;
    }
    if (!found) {
        em__field_fail(fields, where, key, "is missing");
        return NULL;
    }
    if (found->type == EM__JSON_NULL && (flags & EM__NULLABLE)) {
        return NULL;
    }
    int is_flag = type == EM__JSON_TRUE && found->type == EM__JSON_FALSE;
    if (found->type != type && !is_flag) {
        char words[PATH], shown[SHOWN];
        em__copy(shown, sizeof shown, found->text ? found->text : "");
        if (found->text) {
            em__print(words, sizeof words, "is %s, not %s", shown, wanted[type]);
        } else {
            em__print(words, sizeof words, "is not %s", wanted[type]);
        }
        em__field_fail(fields, where, key, words);
        return NULL;
    }
    return found;
}

const em__json_node *em__field_object(em__fields *fields, const em__json_node *node, const char *where, const char *key,
                                      int flags)
{
    return member(fields, node, where, key, EM__JSON_OBJECT, flags);
}

const em__json_node *em__field_array(em__fields *fields, const em__json_node *node, const char *where, const char *key,
                                     size_t most)
{
    const em__json_node *found = member(fields, node, where, key, EM__JSON_ARRAY, 0);
    if (found && found->count > most) {
        char words[PATH];
        em__print(words, sizeof words, "has %zu elements, more than %zu", found->count, most);
        em__field_fail(fields, where, key, words);
        return NULL;
    }
    return found;
}

static void fail_number(em__fields *fields, const char *where, const char *key, const em__json_node *found,
                        const char *wanted)
{
    char words[PATH], shown[SHOWN];
    em__copy(shown, sizeof shown, found->text);
    em__print(words, sizeof words, "is %s, %s", shown, wanted);
    em__field_fail(fields, where, key, words);
}

double em__field_real(em__fields *fields, const em__json_node *node, const char *where, const char *key, double least,
                      double most, int flags)
{
    const em__json_node *found = member(fields, node, where, key, EM__JSON_NUMBER, flags);
    if (!found) {
        return NAN;
    }
    double value = em__json_number(found);
    if (!(value >= least && value <= most)) {
        fail_number(fields, where, key, found, "which no summary holds");
        return NAN;
    }
    return value;
}

uint64_t em__field_count(em__fields *fields, const em__json_node *node, const char *where, const char *key)
{
    double value = em__field_real(fields, node, where, key, 0, 9e15, 0);
    if (fields->status == EM_OK && floor(value) != value) {
        em__field_fail(fields, where, key, "is not a whole number");
    }
    return fields->status == EM_OK ? (uint64_t)value : 0;
}

int em__field_ns(const em__json_node *number, uint64_t *ret_ns)
{
    double value = em__json_number(number);
    if (!(value >= 0 && value <= longest_s)) {
        return -1;
    }
    if (number->text[strcspn(number->text, "eE-")]) {
        *ret_ns = (uint64_t)llround(value * (double)EM__NS_PER_S);
        return 0;
    }
    char *end = NULL;
    uint64_t ns = strtoull(number->text, &end, 10) * EM__NS_PER_S, unit = EM__NS_PER_S / 10;
    for (int i = 0; *end && i < NANO_DIGITS; i++, unit /= 10) {
        unsigned digit = (unsigned)(unsigned char)end[1 + i] - '0';
        if (digit > 9) {
            break;
        }
        ns += digit * unit;
    }
    int is_longer = *end && strlen(end + 1) > NANO_DIGITS;
    *ret_ns = ns + (is_longer && end[1 + NANO_DIGITS] >= '5');
    return 0;
}

uint64_t em__field_seconds(em__fields *fields, const em__json_node *node, const char *where, const char *key, int flags)
{
    const em__json_node *found = member(fields, node, where, key, EM__JSON_NUMBER, flags);
    uint64_t ns = 0;
    if (found && em__field_ns(found, &ns) != 0) {
        fail_number(fields, where, key, found, "which is no time in seconds");
    }
    return ns;
}

int em__field_flag(em__fields *fields, const em__json_node *node, const char *where, const char *key, int flags)
{
    const em__json_node *found = member(fields, node, where, key, EM__JSON_TRUE, flags);
    return found ? found->type == EM__JSON_TRUE : -1;
}

const char *em__field_text(em__fields *fields, const em__json_node *node, const char *where, const char *key, int flags)
{
    const em__json_node *found = member(fields, node, where, key, EM__JSON_STRING, flags);
    if (found && strlen(found->text) != found->length) {
        em__field_fail(fields, where, key, "holds a NUL");
        return NULL;
    }
    return found ? found->text : NULL;
}

int32_t em__field_word(em__fields *fields, const em__json_node *node, const char *where, const char *key,
                       const char *(*word_of)(int32_t), int32_t count)
{
    const char *text = em__field_text(fields, node, where, key, 0);
    for (int32_t i = 0; text && i < count; i++) {
        if (strcmp(text, word_of(i)) == 0) {
            return i;
        }
    }
    if (text) {
        char words[PATH], shown[SHOWN];
        em__copy(shown, sizeof shown, text);
        em__print(words, sizeof words, "is \"%s\", a word that this version does not know", shown);
        em__field_fail(fields, where, key, words);
    }
    return 0;
}
