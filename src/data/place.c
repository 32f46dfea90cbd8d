/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Finds a location, or the nearest ones to a name that is none. */
#include "data/place.h"

#include "core/text.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 48, SUGGESTIONS = 3 };

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static int compare(const char *a, const char *b)
{
    while (*a && lower((unsigned char)*a) == lower((unsigned char)*b)) {
        a++;
        b++;
    }
    return lower((unsigned char)*a) - lower((unsigned char)*b);
}

static int by_location(const void *key, const void *place)
{
    return compare(key, ((const em__place *)place)->location);
}

const em__place *em__place_find(const char *location)
{
    return bsearch(location, em__places, em__place_count, sizeof *em__places, by_location);
}

const em__place *em__place_world(void)
{
    return em__place_find("WORLD");
}

/* Letters to insert, drop or replace, of names up to LONGEST; at most `most`, which stands for all above it. */
static size_t distance(const char *a, const char *b, size_t most)
{
    size_t a_length = strlen(a), b_length = strnlen(b, LONGEST + 1);
    size_t apart = a_length > b_length ? a_length - b_length : b_length - a_length;
    size_t costs[LONGEST + 1]; /* of a's beginning against each beginning of b */
    if (b_length > LONGEST || apart >= most) {
        return most;
    }
    for (size_t j = 0; j <= b_length; j++) {
        costs[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = costs[0];
        costs[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = diagonal + (lower((unsigned char)a[i - 1]) != lower((unsigned char)b[j - 1]));
            best = costs[j] + 1 < best ? costs[j] + 1 : best;
            best = costs[j - 1] + 1 < best ? costs[j - 1] + 1 : best;
            diagonal = costs[j];
            costs[j] = best;
        }
    }
    return costs[b_length] < most ? costs[b_length] : most;
}

/* A place is near by its code, by its name, or by a region without its provider. */
static size_t distance_to(const char *word, const em__place *place, size_t most)
{
    size_t least = distance(word, place->location, most);
    const char *region = strchr(place->location, ':');
    least = distance(word, region ? region + 1 : place->name, least);
    return least;
}

size_t em__place_suggest(const char *location, char *text, size_t size)
{
    const em__place *nearest[SUGGESTIONS];
    size_t distances[SUGGESTIONS], count = 0, length = strnlen(location, LONGEST + 1);
    size_t most = length / 4 + 2;
    text[0] = '\0';
    for (size_t i = 0; i < em__place_count && length > 0 && length <= LONGEST; i++) {
        const em__place *place = &em__places[i];
        size_t far = distance_to(location, place, most), at = count;
        while (at > 0 && distances[at - 1] > far) {
            at--;
        }
        int is_known = 0; /* Codes of two and of three letters are one place. */
        for (size_t k = 0; k < at; k++) {
            is_known |= strcmp(nearest[k]->name, place->name) == 0 && !strchr(place->location, ':');
        }
        if (far == most || at == SUGGESTIONS || is_known) {
            continue;
        }
        count += count < SUGGESTIONS;
        for (size_t k = count - 1; k > at; k--) {
            nearest[k] = nearest[k - 1];
            distances[k] = distances[k - 1];
        }
        nearest[at] = place;
        distances[at] = far;
    }
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        em__print(text + used, size - used, "%s\"%s\" (%s)", i > 0 ? ", " : "", nearest[i]->location, nearest[i]->name);
    }
    return count;
}
