# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Carbon by location, PUE, cost and embodied shares as Python users give and read them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import energy_meter
from energy_meter import EnergyMeter, InvalidArgument

if TYPE_CHECKING:
    from tests.python.conftest import MakeMeter

BASIS = {
    *("g_per_kwh", "source", "year", "zone", "zone_name", "location", "method"),
    *("is_default", "pue", "pue_source"),
}


def table(root: Path, name: str, key: str) -> dict[str, dict[str, str]]:
    with (root / "data" / name).open(encoding="utf-8") as file:
        return {row[key]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("code", ["FR", "US-CA", "CA-QC", "IN-TN", "AU-TAS", "EU", "WORLD"])
def test_a_zone_is_as_its_table_says(root: Path, code: str) -> None:
    row = table(root, "carbon_intensity.csv", "code")[code]
    source = table(root, "sources.csv", "source")[row["source"]]
    basis = EnergyMeter(enabled=False, location=code).carbon_basis
    assert basis.keys() == BASIS
    assert basis["g_per_kwh"] == float(row["g_per_kwh"])
    assert basis["year"] == int(row["year"])
    assert basis["source"] == source["attribution"]
    assert basis["method"] == source["basis"].split()[0]
    assert (basis["zone"], basis["zone_name"]) == (code, row["name"])
    assert not basis["is_default"]


def test_every_region_is_as_its_table_says(root: Path) -> None:
    with (root / "data" / "cloud_regions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 170
    for row in rows:
        name = f"{row['provider']}:{row['region']}"
        basis = EnergyMeter(enabled=False, location=name).carbon_basis
        assert basis["zone"] == row["location"], name
        assert basis["pue"] == float(row["pue"] or 1), name
        assert (basis["pue_source"] == "assumed") == (not row["pue"]), name


def test_every_dict_with_carbon_says_what_it_is_of(
    make: MakeMeter, spend: Callable[[float], None]
) -> None:
    meter = make(
        location="gcp:europe-west4", price_per_kwh=0.25, embodied_kg=1500.0, lifetime_years=5
    )
    with meter.epoch(), meter.batch() as window, meter.window("named"):
        spend(0.02)
    basis: Any = meter.carbon_basis
    assert (basis["zone"], basis["pue"], basis["location"]) == ("NL", 1.07, "gcp:europe-west4")
    summary: Any = meter.summary()
    rows = [summary["batch_summary"], summary["epoch_summary"], *summary["windows"].values()]
    last = meter.last_batch(final=True)
    assert last is not None
    for result in (window.wait(), last, summary["run"], summary, *rows):
        assert result["carbon_basis"] == basis
    factor = 1.07 / 3.6e6
    for result in (window.to_dict(), last, summary["run"]):
        assert result["carbon_g"] == pytest.approx(
            result["energy_j"] * factor * basis["g_per_kwh"], rel=1e-9
        )
        assert result["cost"] == pytest.approx(result["energy_j"] * factor * 0.25, rel=1e-9)
        share = result["duration_s"] / (5 * 365 * 86400)
        assert result["embodied_g"] == pytest.approx(1.5e6 * share, rel=1e-9)
    for row in rows:
        assert row["cost"] == pytest.approx(row["total_energy_j"] * factor * 0.25, rel=1e-9)
        assert row["embodied_g"] > 0
    assert (window.cost, window.carbon_basis) == (window.to_dict()["cost"], basis)
    assert window.embodied_g == window.to_dict()["embodied_g"]
    rates = {"price_per_kwh": 0.25, "embodied_kg": 1500.0, "lifetime_years": 5.0}
    assert summary["rates"] == rates


def test_what_was_not_given_is_none(meter: EnergyMeter) -> None:
    with meter.batch() as window:
        pass
    summary = meter.summary()
    assert window.wait()["cost"] is window.wait()["embodied_g"] is None
    assert summary["run"]["cost"] is summary["epoch_summary"]["embodied_g"] is None
    assert set(summary["rates"].values()) == {None}


def test_a_number_beside_a_location(make: MakeMeter) -> None:
    basis = make(carbon_intensity_g_per_kwh=12.5, location="aws:eu-west-1").carbon_basis
    assert (basis["g_per_kwh"], basis["source"]) == (12.5, "user")
    assert (basis["zone"], basis["pue"]) == ("IE", 1.11)
    assert basis["method"] is None
    assert basis["year"] is None


def test_a_trace_gives_the_same_again(make: MakeMeter, tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    options: Any = {"price_per_kwh": 0.25, "embodied_kg": 1.0, "lifetime_years": 1.0, "pue": 1.5}
    meter = make(location="uk", trace=path, **options)
    with meter.batch():
        pass
    meter.close()
    summary = meter.summary()
    again = energy_meter.replay(path)
    assert again == summary
    assert again["carbon_basis"]["zone"] == "GB"
    assert again["carbon_basis"]["pue"] == 1.5
    assert EnergyMeter.merge([json.dumps(summary)])["rates"] == summary["rates"]


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize(
    ("given", "near"),
    [("Frnace", '"FR" (France)'), ("eu-west-1", '"aws:eu-west-1"'), ("", '"US-CA"')],
)
def test_an_unknown_location_names_the_nearest(given: str, near: str, enabled: bool) -> None:
    with pytest.raises(InvalidArgument) as caught:
        EnergyMeter(location=given, enabled=enabled)
    assert given in str(caught.value)
    assert near in str(caught.value)


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"location": "FR\0"}, "location must be"),
        ({"location": "\udc80"}, "location must be"),
        ({"pue": 0.99}, "pue must be a number from 1 to 10, or None, not 0.99"),
        ({"pue": float("nan")}, "pue must be"),
        ({"price_per_kwh": -1}, "price_per_kwh must be"),
        ({"embodied_kg": 1}, "embodied_kg=1 needs lifetime_years too"),
        ({"lifetime_years": 4}, "lifetime_years=4 needs embodied_kg too"),
        ({"embodied_kg": 1, "lifetime_years": 0}, "lifetime_years must be"),
        ({"embodied_kg": -1, "lifetime_years": 1}, "embodied_kg must be"),
    ],
)
def test_bad_values(arguments: dict[str, Any], words: str, enabled: bool) -> None:
    with pytest.raises(InvalidArgument, match=words):
        EnergyMeter(enabled=enabled, **arguments)


@pytest.mark.parametrize("name", ["location", "pue", "price_per_kwh", "embodied_kg"])
def test_bad_types(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        EnergyMeter(**{name: object()})  # type: ignore[arg-type]
