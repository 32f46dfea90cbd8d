/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: 2026 The energy-meter authors */
/* A Hugging Face model card's co2_eq_emissions (hub-docs, docs/hub/model-cards-co2.md), and what that block has no field for
 * as the section "Environmental Impact" of their template. */
#include "core/units.h"
#include "reports/hardware.h"
#include "reports/layout.h"

#include <math.h>
#include <stdlib.h>

/* YAML takes JSON's strings, but no control characters, and "1e-05" for a string. */
static void add_yaml(em__text *yaml, em__text *words)
{
    char *plain = em__text_finish(words, NULL);
    yaml->failed |= !plain;
    em__text_json(yaml, plain ? plain : "");
    em__text_add(yaml, "\n");
    free(plain);
}

static void add_decimal(em__text *text, double value)
{
    int digits = value > 0 ? 5 - (int)floor(log(value) / log(10)) : 1;
    em__text_fixed(text, value, digits < 1 ? 1 : digits);
}

static void add_intensity(em__text *text, const em_carbon *carbon)
{
    if (!isfinite(carbon->g_per_kwh)) {
        em__text_add(text, "different carbon intensities");
        return;
    }
    em__text_number(text, carbon->g_per_kwh);
    em__text_add(text, " g CO2e/kWh (");
    em__reports_plain(text, carbon->source ? carbon->source : "of unknown source");
    if (carbon->year != 0) {
        em__text_format(text, ", %d", (int)carbon->year);
    }
    if (carbon->method) {
        em__text_add(text, ", ");
        em__reports_plain(text, carbon->method);
    }
    em__text_add(text, carbon->is_default ? "; the world average, since no location was given)" : ")");
}

static void add_pue(em__text *text, const em_carbon *carbon)
{
    if (isfinite(carbon->pue)) {
        em__text_number(text, carbon->pue);
        if (carbon->pue_source) {
            em__text_add(text, " (");
            em__reports_plain(text, carbon->pue_source);
            em__text_add(text, ")");
        }
    } else {
        em__text_add(text, "several");
    }
}

static void add_energy(em__text *text, const em__view *view)
{
    char energy[EM__QUANTITY_SIZE], doubt[EM__QUANTITY_SIZE];
    const em_energy *total = &view->run.total;
    em__text_format(text, "%s \xc2\xb1 %s",
                    em__reports_quantity(EM__QUANTITY_ENERGY, em__view_energy(total->energy_j), energy),
                    em__reports_quantity(EM__QUANTITY_ENERGY, em__view_energy(total->uncertainty_j), doubt));
}

/* "measured 90 %, estimated 10 %" */
static void add_provenance(em__text *text, const em__view *view)
{
    double total_j = em__view_energy(view->run.total.energy_j);
    size_t shown = 0;
    for (int32_t from = EM_FROM_MEASURED; from <= EM_FROM_ESTIMATED; from++) {
        double part_j = em__view_energy(view->run.by_provenance_j[from]);
        if (part_j > 0 && total_j > 0) {
            em__text_format(text, "%s%s ", shown++ > 0 ? ", " : "", em__reports_provenance(from));
            em__text_fixed(text, 100 * part_j / total_j, 0);
            em__text_add(text, " %");
        }
    }
    em__text_add(text, shown == 0 ? "nothing measured" : "");
}

static void add_place(em__text *text, const em__whereabouts *place, const em_carbon *carbon)
{
    em__reports_plain(text, place->place);
    em__text_add(text, place->place[0] ? ", " : "");
    em__reports_plain(text, place->country);
    if (place->provider) {
        em__text_add(text, " (");
        em__reports_plain(text, carbon->location);
        em__text_add(text, ")");
    }
}

static void write_block(em__text *text, const em__view *view, const em__hardware *hardware,
                        const em__whereabouts *place)
{
    const em_carbon *carbon = &view->facts->carbon;
    em__text words = {0};
    em__text_add(text, "---\nco2_eq_emissions:\n  emissions: ");
    add_decimal(text, em__view_energy(view->run.carbon_g));
    em__text_format(&words, "energy-meter %s: ", em_version());
    add_energy(&words, view);
    em__text_add(&words, " (");
    add_provenance(&words, view);
    em__text_add(&words, ") at ");
    add_intensity(&words, carbon);
    em__text_add(&words, ", PUE ");
    add_pue(&words, carbon);
    em__text_add(text, "\n  source: ");
    add_yaml(text, &words);
    em__text_add(text, "  # training_type: \"pre-training\" or \"fine-tuning\", which a meter cannot know\n");
    if (place->country[0]) {
        add_place(&words, place, carbon);
        em__text_add(text, "  geographical_location: ");
        add_yaml(text, &words);
    } else {
        em__text_format(text, "  # geographical_location: %s\n", place->why);
    }
    if (hardware->count > 0) {
        em__hardware_words(&words, hardware);
        em__text_add(text, "  hardware_used: ");
        add_yaml(text, &words);
    }
    em__text_add(text, "---\n");
}

static void write_section(em__text *text, const em__view *view, const em__hardware *hardware,
                          const em__whereabouts *place)
{
    const em_carbon *carbon = &view->facts->carbon;
    char mass[EM__QUANTITY_SIZE];
    em__text_add(text, "\n## Environmental Impact\n\n- **Hardware Type:** ");
    if (hardware->count > 0) {
        em__hardware_words(text, hardware);
    } else {
        em__text_add(text, "nothing of this machine could be measured");
    }
    em__text_add(text, "\n- **Hours used:** ");
    em__reports_significant(text, em__view_seconds(view->run.duration_ns) / 3600);
    em__text_format(text, "\n- **Cloud Provider:** %s\n- **Compute Region:** ",
                    place->provider ? place->provider : "none was given");
    if (place->country[0]) {
        add_place(text, place, carbon);
    } else {
        em__text_format(text, "not named: %s", place->why);
    }
    em__text_format(text, "\n- **Carbon Emitted:** %s CO2e",
                    em__reports_quantity(EM__QUANTITY_MASS, em__view_energy(view->run.carbon_g), mass));
    em__text_add(text, "\n- **Energy:** ");
    add_energy(text, view);
    em__text_add(text, " of the machine's CPUs, memory and GPUs (");
    add_provenance(text, view);
    em__text_add(text, view->facts->run_is_complete ? ")" : "); a part of it is missing");
    em__text_add(text, "\n- **Carbon intensity:** ");
    add_intensity(text, carbon);
    em__text_add(text, "\n- **PUE:** ");
    add_pue(text, carbon);
    if (isfinite(view->run.embodied_g)) {
        em__text_format(text, "\n- **Embodied:** %s CO2e of making the machine, not in the figure above",
                        em__reports_quantity(EM__QUANTITY_MASS, view->run.embodied_g, mass));
    }
    em__text_add(text, "\n");
}

void em__summary_model_card(em__text *text, const em__view *view)
{
    em__hardware hardware;
    em__whereabouts place;
    if (em__hardware_list(view, &hardware) != EM_OK) {
        text->failed = 1;
        return;
    }
    em__hardware_place(&view->facts->carbon, &place);
    write_block(text, view, &hardware, &place);
    write_section(text, view, &hardware, &place);
    em__hardware_free(&hardware);
}
