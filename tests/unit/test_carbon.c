/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* Energy to carbon, money and embodied shares: published figures (measurement.md §8); locations against the tables. */
#include "check.h"
#include "data/place.h"
#include "energy_meter.h"
#include "metrics/carbon.h"

#include <math.h>
#include <string.h>

static em__rates rates_of(double g_per_kwh, double pue)
{
    return (em__rates){g_per_kwh, pue, NAN, NAN, NAN};
}

static void test_published_figures(void)
{
    em__rates sample = rates_of(450, 1), training = rates_of(57, 1), one = rates_of(1, 1);
    CHECK_NEAR(em__carbon_g(&sample, 62.382), 0.0077978, 5.1e-8);
    /* 433,196 kWh at 57 g/kWh: 24,692 kg, as its authors print it. */
    CHECK_NEAR(em__carbon_g(&training, 433196 * 3.6e6) / 1000, 24692, 0.5);
    CHECK_NEAR(em__carbon_g(&one, 3.6e6), 1, 1e-15);
    /* GSF SCI: 1000 kg over four years, reserved for one hour: 1000 x 1/(4 x 365 x 24). */
    em__rates sci = {0, 1, NAN, 1000, 4};
    CHECK_NEAR(em__embodied_g(&sci, UINT64_C(3600000000000)), 28.5, 0.05);
}

/* BLOOM (Luccioni et al. 2023): a server of 2500 kg over 6 years is 0.056 kg an hour at 85 % use. */
static void test_embodied_of_a_server(void)
{
    em__rates bloom = {0, 1, NAN, 2500, 6};
    CHECK_NEAR(em__embodied_g(&bloom, UINT64_C(3600000000000)) / 0.85, 56, 0.05);
    em__rates none = rates_of(450, 1);
    CHECK(isnan(em__embodied_g(&none, 1)) && isnan(em__cost(&none, 1)));
}

static void test_the_data_centre_multiplies_once(void)
{
    em__rates rates = {100, 1.5, 0.30, NAN, NAN};
    CHECK_NEAR(em__carbon_g(&rates, 3.6e6), 150, 1e-12);
    CHECK_NEAR(em__cost(&rates, 3.6e6), 0.45, 1e-15);
}

static void test_limits(void)
{
    em__rates sample = rates_of(450, 1), clean = rates_of(0, 1), dirty = rates_of(100000, 1);
    CHECK_NEAR(em__carbon_g(&sample, 0), 0, 0);
    CHECK_NEAR(em__carbon_g(&clean, 1e9), 0, 0);
    CHECK_NEAR(em__carbon_g(&dirty, 1), 100000 / 3.6e6, 1e-15);
}

/* -------------------------------------------------------------------------------------------------------- locations */

static int find(const char *location, double number, double pue, em_error *ret_error, em_carbon *ret_carbon)
{
    em_options options;
    em_options_init(&options, sizeof options);
    options.location = location;
    options.carbon_g_per_kwh = number;
    options.pue = pue;
    *ret_error = (em_error){.size = sizeof *ret_error};
    *ret_carbon = (em_carbon){.size = sizeof *ret_carbon};
    return em_carbon_find(&options, ret_error, ret_carbon);
}

static em_carbon found(const char *location)
{
    em_error error;
    em_carbon carbon;
    CHECK_INT(find(location, NAN, NAN, &error, &carbon), EM_OK);
    return carbon;
}

/* The world's average is one of a grid: between that of wind and that of coal. */
static void test_the_default_says_what_it_is(void)
{
    em_carbon carbon = found(NULL);
    CHECK(carbon.g_per_kwh > 300 && carbon.g_per_kwh < 700);
    CHECK(carbon.year >= 2020 && carbon.year < 2100);
    CHECK(carbon.is_default && !carbon.location && carbon.pue == 1);
    CHECK(strcmp(carbon.zone, "WORLD") == 0 && strcmp(carbon.pue_source, "assumed") == 0);
    em_carbon same = {.size = sizeof same};
    CHECK_INT(em_carbon_find(NULL, NULL, &same), EM_OK);
    CHECK_NEAR(same.g_per_kwh, carbon.g_per_kwh, 0);
}

/* Ember's and the EPA's figures: nuclear France is far below Poland; California's is of burning alone. */
static void test_countries_and_states(void)
{
    em_carbon france = found("FR"), poland = found("PL"), california = found("US-CA"), quebec = found("CA-QC");
    CHECK(france.g_per_kwh > 10 && france.g_per_kwh < 90 && poland.g_per_kwh > 450);
    CHECK(strcmp(france.method, "life-cycle") == 0 && strcmp(california.method, "direct") == 0);
    CHECK(strstr(france.source, "Ember") && strstr(california.source, "EPA") && strstr(quebec.source, "Canada"));
    CHECK(!france.is_default && strcmp(france.zone_name, "France") == 0);
    CHECK(strcmp(found("fr").zone, "FR") == 0 && strcmp(found("Fra").zone, "FR") == 0);
    CHECK(strcmp(found("us-ca").zone, "US-CA") == 0 && strcmp(found("UK").zone, "GB") == 0);
    CHECK(strcmp(found("MC").zone, "FR") == 0 && strcmp(found("MC").location, "MC") == 0);
    CHECK(!found("WORLD").is_default);
}

/* As the providers publish them: AWS Ireland 1.11 (2024), Google St. Ghislain 1.09, Azure's mean of EMEA 1.16. */
static void test_clouds(void)
{
    em_carbon ireland = found("aws:eu-west-1"), belgium = found("gcp:europe-west1"),
              holland = found("azure:westeurope");
    CHECK(strcmp(ireland.zone, "IE") == 0 && strcmp(belgium.zone, "BE") == 0 && strcmp(holland.zone, "NL") == 0);
    CHECK_NEAR(ireland.pue, 1.11, 1e-12);
    CHECK_NEAR(belgium.pue, 1.09, 1e-12);
    CHECK_NEAR(holland.pue, 1.16, 1e-12);
    CHECK_NEAR(ireland.g_per_kwh, found("IE").g_per_kwh, 0);
    CHECK(strstr(ireland.pue_source, "AWS") && strcmp(ireland.location, "aws:eu-west-1") == 0);
    CHECK(strcmp(found("gcp:us-central1").zone, "US-IA") == 0); /* Council Bluffs */
    CHECK_NEAR(found("scaleway:fr-par").pue, 1, 0);
}

static void test_a_number_beside_a_location(void)
{
    em_error error;
    em_carbon carbon;
    CHECK_INT(find("aws:eu-west-1", 12.5, NAN, &error, &carbon), EM_OK);
    CHECK_NEAR(carbon.g_per_kwh, 12.5, 0);
    CHECK_NEAR(carbon.pue, 1.11, 1e-12);
    CHECK(strcmp(carbon.source, "user") == 0 && strcmp(carbon.zone, "IE") == 0 && !carbon.method);
    CHECK(carbon.year == 0 && !carbon.is_default);
    CHECK_INT(find("aws:eu-west-1", NAN, 1.5, &error, &carbon), EM_OK);
    CHECK_NEAR(carbon.pue, 1.5, 0);
    CHECK(strcmp(carbon.pue_source, "user") == 0);
    CHECK_INT(find(NULL, 450, NAN, &error, &carbon), EM_OK);
    CHECK(!carbon.zone && !carbon.location && !carbon.is_default && carbon.pue == 1);
}

static void check_refused(const char *location, double number, double pue, const char *argument, const char *text,
                          const char *remedy)
{
    em_error error;
    em_carbon carbon;
    CHECK_INT(find(location, number, pue, &error, &carbon), EM_ERR_INVALID);
    CHECK(strcmp(error.argument, argument) == 0 && strstr(error.text, text) && strstr(error.remedy, remedy));
}

static void test_what_is_wrong(void)
{
    check_refused("Frnace", NAN, NAN, "location", "Frnace", "\"FR\" (France)");
    check_refused("Germany", NAN, NAN, "location", "Germany", "\"DE\" (Germany)");
    check_refused("eu-west-1", NAN, NAN, "location", "eu-west-1", "\"aws:eu-west-1\" (Ireland)");
    check_refused("aws:eu-wst-1", NAN, NAN, "location", "aws:eu-wst-1", "\"aws:eu-west-1\" (Ireland)");
    check_refused("gcp:europe-west1-b", NAN, NAN, "location", "europe-west1-b", "\"gcp:europe-west1\" (Belgium)");
    check_refused("US_CA", NAN, NAN, "location", "US_CA", "\"US-CA\" (California)");
    check_refused("", NAN, NAN, "location", "\"\"", "\"aws:eu-west-1\"");
    check_refused("on a boat in the middle of the southern Pacific Ocean, far away", NAN, NAN, "location", "boat",
                  "FR");
    check_refused("\xff\xfe%s%n", NAN, NAN, "location", "location is", "\"FR\"");
    check_refused("FR", -1, NAN, "carbon_g_per_kwh", "-1", "0 to 100000");
    check_refused("FR", INFINITY, NAN, "carbon_g_per_kwh", "inf", "0 to 100000");
    check_refused("FR", NAN, 0.9, "pue", "0.9", "1 to 10");
    check_refused(NULL, NAN, 10.5, "pue", "10.5", "1 to 10");
}

static void test_each_name_finds_itself(void)
{
    int wrong = 0;
    for (size_t i = 0; i < em__place_count; i++) {
        const em__place *place = em__place_find(em__places[i].location);
        wrong += place != &em__places[i];
    }
    CHECK(em__place_count > 600 && wrong == 0);
}

/* ------------------------------------------------------------------------------------------------------------ options */

static void check_option(void (*set)(em_options *options), const char *argument)
{
    em_options options;
    em_error error = {.size = sizeof error};
    em_meter *meter = NULL;
    em_options_init(&options, sizeof options);
    set(&options);
    CHECK_INT(em_meter_create(&options, &error, &meter), EM_ERR_INVALID);
    CHECK(!meter && strcmp(error.argument, argument) == 0 && error.remedy[0]);
}

static void set_price(em_options *options)
{
    options->price_per_kwh = -0.01;
}

static void set_endless_price(em_options *options)
{
    options->price_per_kwh = INFINITY;
}

static void set_half(em_options *options)
{
    options->embodied_kg = 1000;
}

static void set_other_half(em_options *options)
{
    options->lifetime_years = 4;
}

static void set_no_time(em_options *options)
{
    options->embodied_kg = 1;
    options->lifetime_years = 0;
}

static void set_negative(em_options *options)
{
    options->embodied_kg = -1;
    options->lifetime_years = 1;
}

static void set_nowhere(em_options *options)
{
    options->location = "Atlantis";
}

static void test_wrong_options(void)
{
    check_option(set_price, "price_per_kwh");
    check_option(set_endless_price, "price_per_kwh");
    check_option(set_half, "lifetime_years");
    check_option(set_other_half, "embodied_kg");
    check_option(set_no_time, "lifetime_years");
    check_option(set_negative, "embodied_kg");
    check_option(set_nowhere, "location");
}

int main(void)
{
    RUN(test_published_figures);
    RUN(test_embodied_of_a_server);
    RUN(test_the_data_centre_multiplies_once);
    RUN(test_limits);
    RUN(test_the_default_says_what_it_is);
    RUN(test_countries_and_states);
    RUN(test_clouds);
    RUN(test_a_number_beside_a_location);
    RUN(test_what_is_wrong);
    RUN(test_each_name_finds_itself);
    RUN(test_wrong_options);
    return CHECK_DONE();
}
