/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Whose electricity it is: the user's number, a location, or the world average. */
#include "core/text.h"
#include "data/place.h"
#include "meter/meter.h"

#include <math.h>
#include <string.h>

enum { SHOWN = 64 };

static int refuse_number(em_error *error, const char *argument, double value, const char *remedy)
{
    em__copy(error->remedy, sizeof error->remedy, remedy);
    return em__options_refuse(error, EM_ERR_INVALID, argument, "%s is %g", argument, value);
}

static int refuse_location(em_error *error, const char *location)
{
    static const char forms[] = "give a country as \"FR\", a state as \"US-CA\", a region as \"aws:eu-west-1\", or "
                                "a number of g/kWh instead";
    char near[160], shown[SHOWN];
    em__copy(shown, sizeof shown, location);
    if (em__place_suggest(location, near, sizeof near) > 0) {
        em__print(error->remedy, sizeof error->remedy, "the nearest are %s", near);
    } else {
        em__copy(error->remedy, sizeof error->remedy, forms);
    }
    return em__options_refuse(error, EM_ERR_INVALID, "location", "location is \"%s%s\", which is not known", shown,
                              strlen(shown) < strlen(location) ? "..." : "");
}

int em__carbon_choose(const em_options *options, em_error *error, em_carbon *ret_carbon)
{
    double number = options->carbon_g_per_kwh;
    int has_number = !isnan(number), has_location = options->location != NULL;
    const em__place *place = has_location ? em__place_find(options->location) : em__place_world();
    if (has_number && !(number >= 0 && number <= 1e5)) {
        return refuse_number(error, "carbon_g_per_kwh", number,
                             "give a number from 0 to 100000, or NAN for the default");
    }
    if (!isnan(options->pue) && !(options->pue >= 1 && options->pue <= 10)) {
        return refuse_number(error, "pue", options->pue,
                             "give a number from 1 to 10, or NAN for the cloud region's, else 1");
    }
    if (!place) {
        return refuse_location(error, options->location);
    }
    const em__intensity *intensity = place->intensity;
    em_carbon carbon = {.size = sizeof carbon,
                        .g_per_kwh = has_number ? number : intensity->g_per_kwh,
                        .pue = 1,
                        .year = has_number ? 0 : intensity->year,
                        .is_default = !has_number && !has_location,
                        .source = has_number ? "user" : intensity->source,
                        .method = has_number ? NULL : intensity->method,
                        .location = options->location,
                        .pue_source = "assumed"};
    if (has_location || !has_number) {
        carbon.zone = intensity->zone;
        carbon.zone_name = intensity->name;
    }
    if (!isnan(options->pue)) {
        carbon.pue = options->pue;
        carbon.pue_source = "user";
    } else if (place->pue > 0) {
        carbon.pue = place->pue;
        carbon.pue_source = place->pue_source;
    }
    *ret_carbon = carbon;
    return EM_OK;
}

int em_carbon_find(const em_options *options, em_error *ret_error, em_carbon *ret_carbon)
{
    em_options full;
    em_error error = {.size = sizeof error};
    em_carbon carbon;
    em_options_init(&full, sizeof full);
    if (!ret_carbon || ret_carbon->size < sizeof ret_carbon->size ||
        (options && options->size < sizeof options->size)) {
        return EM_ERR_INVALID;
    }
    if (options) {
        memcpy(&full, options, options->size < sizeof full ? options->size : sizeof full);
    }
    int status = em__carbon_choose(&full, &error, &carbon);
    if (status != EM_OK) {
        if (ret_error && ret_error->size >= sizeof ret_error->size) {
            em__answer(ret_error, ret_error->size, &error, sizeof error);
        }
        return status;
    }
    return em__answer(ret_carbon, ret_carbon->size, &carbon, sizeof carbon);
}

int em_meter_carbon(const em_meter *meter, em_carbon *ret_carbon)
{
    if (!meter || !ret_carbon || ret_carbon->size < sizeof ret_carbon->size) {
        return EM_ERR_INVALID;
    }
    return em__answer(ret_carbon, ret_carbon->size, &meter->carbon, sizeof meter->carbon);
}
