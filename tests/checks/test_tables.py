# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The tables of data/: they are well, what spoils them is named, and a second source agrees."""

from __future__ import annotations

import csv
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import refresh_intensities  # noqa: E402
import tables  # noqa: E402


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "data", tmp_path / "data")
    monkeypatch.setattr(tables, "DATA", tmp_path / "data")
    return tmp_path / "data"


def test_the_tables_are_well() -> None:
    assert tables.check() == []


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("carbon_intensity.csv", "FR,FRA,France,41.45", "FR,FRA,France,-41.45", "-41.45"),
        ("carbon_intensity.csv", "FR,FRA,France,41.45", "FR,FRA,France,nan", "nan"),
        ("carbon_intensity.csv", "FR,FRA,France,", "DE,FRA,France,", "'DE' is there twice"),
        ("carbon_intensity.csv", ",ember-2026-rev", ",electricitymaps-2025", "ODbL 1.0"),
        ("carbon_intensity.csv", ",ember-2026-rev", ",hearsay", "hearsay"),
        ("carbon_intensity.csv", "code,iso3", "code,iso", "the first line"),
        ("cloud_regions.csv", "aws,eu-west-1,IE", "aws,eu-west-1,IX", "'IX' is no zone"),
        ("cloud_regions.csv", "aws,eu-west-1,IE,,1.11", "aws,eu-west-1,IE,,0.11", "0.11"),
        ("cloud_regions.csv", "aws,eu-west-1,IE", "aws,eu-west-2,IE", "there twice"),
        ("cloud_regions.csv", "gcp,us-west4", "aws,us-west4", "not sorted"),
        ("cpu_tdp.csv", "AMD EPYC 7763,280,", "AMD EPYC 7763,27.29.5,", "27.29.5"),
        ("cpu_tdp.csv", "AMD EPYC 7763,280,", "AMD EPYC 7763,2800,", "2800"),
        ("cpu_tdp.csv", "AMD EPYC 7763,280,64,", "AMD EPYC 7763,280,64,x,", "not 4 fields"),
        ("gpu_tdp.csv", "H200 SXM 141GB,700,", "H200 SXM 141GB,0,", "must be from 5 to 2000"),
        ("gpu_ids.csv", "1002:74a1,Instinct MI300X", "1002:74a1,Instinct MI300Y", "MI300Y"),
        ("places.csv", "MC,MCO,Monaco,FR", "MC,MCO,Monaco,MC", "'MC' is no zone"),
    ],
)
def test_what_is_wrong_is_named(copy: Path, name: str, old: str, new: str, words: str) -> None:
    path = copy / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(words in line for line in tables.check())


def test_electricity_maps_agrees() -> None:
    """Another publisher with another method: 2025, life-cycle, of consumption."""
    ours = {row["code"]: float(row["g_per_kwh"]) for row in tables.intensities()}
    name = "electricitymaps/carbon_intensity_em2025_odbl.csv"
    theirs = {row["code"]: float(row["g_per_kwh"]) for row in tables.intensities(name)}
    ratios = [theirs[code] / ours[code] for code in ours.keys() & theirs.keys() if ours[code] > 0]
    assert len(ratios) > 200
    assert 0.9 < statistics.median(ratios) < 1.1
    assert sum(0.6 < ratio < 1.6 for ratio in ratios) > 0.8 * len(ratios)


def test_what_is_built_in_is_of_open_licences_alone() -> None:
    built_in = {row["source"] for row in tables.intensities()}
    assert built_in
    assert "electricitymaps-2025" not in built_in
    notices = (ROOT / "data" / "LICENSES.md").read_text(encoding="utf-8")
    for words in (
        "Ember",
        "eGRID2023",
        "Open Government Licence - Canada",
        "DCCEEW",
        "Code Carbon",
    ):
        assert words in notices
    odbl = (ROOT / "data" / "electricitymaps" / "README.md").read_text(encoding="utf-8")
    assert "Open Database License" in odbl
    assert "https://www.electricitymaps.com" in odbl


OWID = """country,year,iso_code,carbon_intensity_elec
France,2025,FRA,41.45
France,2026,FRA,40.123
Germany,2026,DEU,
Poland,2026,POL,300
World,2026,,460.5
Narnia,2026,NAR,1
"""
EMBER = """Area,ISO 3 code,Year,Category,Variable,Unit,Value
France,FRA,2026,Power sector emissions,CO2 intensity,gCO2/kWh,40.123
France,FRA,2026,Power sector emissions,Total emissions,MtCO2,9
Poland,POL,2026,Power sector emissions,CO2 intensity,gCO2/kWh,300
World,,2026,Power sector emissions,CO2 intensity,gCO2/kWh,460.5
"""


@pytest.mark.parametrize("text", [OWID, EMBER])
def test_newer_figures_are_taken(copy: Path, text: str, capsys: Any) -> None:
    before = {row["code"]: row for row in tables.intensities()}
    file = copy / "download.csv"
    file.write_text(text, encoding="utf-8")
    arguments = [str(file), "owid-ember-2026-04", "--write"]
    assert refresh_intensities.main(arguments) == 0
    said = capsys.readouterr().out
    assert "FR: 41.45 (2025) -> 40.12 (2026)" in said
    assert "LARGE" in next(line for line in said.splitlines() if line.startswith("PL:"))
    after = {row["code"]: row for row in tables.intensities()}
    changed = {code for code, row in after.items() if row != before[code]}
    assert changed == {"FR", "PL", "WORLD"}
    assert (after["WORLD"]["g_per_kwh"], after["WORLD"]["year"]) == ("460.5", "2026")
    assert refresh_intensities.main(arguments) == 0
    assert "nothing is newer" in capsys.readouterr().out


def test_a_refresh_of_something_else_is_refused(copy: Path, capsys: Any) -> None:
    file = copy / "download.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    assert refresh_intensities.main([str(file), "owid-ember-2026-04"]) == 1
    assert "neither" in capsys.readouterr().err
    file.write_text(OWID, encoding="utf-8")
    assert refresh_intensities.main([str(file), "epa-egrid2023"]) == 1
    assert "life-cycle" in capsys.readouterr().err


def test_the_order_of_c_is_the_order_of_keys() -> None:
    keys = [row[0] for row in tables.cpus()]
    assert keys == sorted(keys, key=lambda key: key.encode())
    with (ROOT / "data" / "cpu_tdp.csv").open(encoding="utf-8") as file:
        models = [row["model"] for row in csv.DictReader(file)]
    assert len(keys) >= len({tables.cpu_key(model) for model in models}) - 10
