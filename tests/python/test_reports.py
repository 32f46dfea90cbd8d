# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Reports of real runs, checked against schemas, and files that are whole or not there."""

from __future__ import annotations

import csv
import errno
import functools
import io
import json
import math
import os
import re
import stat
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import energy_meter
from energy_meter import EnergyMeter, InvalidArgument, SystemRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.python.conftest import Machine, MakeMeter

jsonschema: Any = import_module("jsonschema")
yaml: Any = import_module("yaml")
FORMATS = ["text", "json", "csv", "model-card", "boamps"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "reports"
    made.mkdir()
    return made


@functools.cache
def validator(path: Path, definition: str) -> Any:
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    if definition:
        schema = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(schema)


def check(root: Path, path: str, document: Any, definition: str = "") -> None:
    errors = validator(root / path, definition).iter_errors(document)
    assert not [f"{error.json_path}: {error.message}" for error in errors]


def card_of(text: str) -> tuple[Any, str]:
    start, block, body = text.split("---\n", 2)
    assert start == ""
    return yaml.safe_load(block), body


def rows_of(text: str) -> list[dict[str, str]]:
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def run_on(meter: EnergyMeter, machine: Machine) -> None:
    with meter.epoch():
        for items in (32, None):
            with meter.batch() as window:
                machine.run(0.02)
                if items:
                    window.items = items
    with meter.window('=HYPERLINK("x")', items=3):
        machine.run(0.01)
    meter.items = 64


@pytest.fixture
def meter(make: MakeMeter, machine: Machine) -> EnergyMeter:
    machine.zone("intel-rapl:0", "package-0", 120)
    machine.zone("intel-rapl:0:0", "dram", 20)
    made = make(machine.root, location="aws:us-west-1", price_per_kwh=0.3)
    run_on(made, machine)
    return made


@pytest.mark.parametrize(
    "path", ["tests/unit/golden/summary.json", "tests/unit/golden/summary-empty.json"]
)
def test_kept_summaries_keep_to_the_schema(root: Path, path: str) -> None:
    check(root, "docs/summary.schema.json", json.loads((root / path).read_text()))


def test_kept_traces_keep_to_the_schema(root: Path) -> None:
    paths = sorted((root / "tests" / "traces").glob("*.json"))
    assert len(paths) >= 10
    for path in paths:
        check(root, "docs/summary.schema.json", json.loads(path.read_text()))


def test_real_summaries_keep_to_the_schema(root: Path, meter: EnergyMeter, make: MakeMeter) -> None:
    check(root, "docs/summary.schema.json", meter.summary())
    check(root, "docs/summary.schema.json", json.loads(meter.report("json")))
    for other in (make(enabled=False), make(cpu_tdp_w=65, embodied_kg=900, lifetime_years=4)):
        with other.batch():
            pass
        check(root, "docs/summary.schema.json", other.summary())
    with make().batch(items=3) as window:
        assert window.items == 3
    check(root, "docs/summary.schema.json", window.to_dict(), "window")
    merged = EnergyMeter.merge([meter.summary(), make(enabled=False).summary()])
    check(root, "docs/summary.schema.json", merged)


def test_the_schema_takes_nothing_else(root: Path, meter: EnergyMeter) -> None:
    changes: list[dict[str, Any]] = [
        {"more": 1},
        {"schema": 2},
        {"gpu_shared": "no"},
        {"run": {}},
        {"batch_summary": {**meter.summary()["batch_summary"], "items": 1.5}},
    ]
    for change in changes:
        with pytest.raises(AssertionError):
            check(root, "docs/summary.schema.json", {**meter.summary(), **change})


def test_csv(meter: EnergyMeter) -> None:
    summary = meter.summary()
    rows = rows_of(meter.report("csv"))
    assert [(row["kind"], row["name"], row["count"]) for row in rows] == [
        ("run", "", "1"),
        ("epoch", "", "1"),
        ("batch", "", "2"),
        ("window", '\'=HYPERLINK("x")', "1"),
    ]
    batches = summary["batch_summary"]
    for key, name in (("energy_j", "total_energy_j"), ("carbon_g", "total_carbon_g")):
        assert float(rows[2][key]) == batches[name]  # type: ignore[literal-required]
    for key in ("uncertainty_j", "items", "energy_per_item_j", "windows_with_items", "cost"):
        assert float(rows[2][key]) == batches[key]  # type: ignore[literal-required]
    parts = [float(rows[2][f"{domain}_energy_j"]) for domain in ("cpu", "dram")]
    assert math.isclose(sum(parts), batches["total_energy_j"])
    assert rows[2]["gpu_energy_j"] == rows[2]["started_at"] == ""
    assert rows[0]["started_at"] == summary["scope"]["started_at"]
    assert rows[0]["items"] == "64"
    assert {row["carbon_location"] for row in rows} == {"aws:us-west-1"}
    assert {row["carbon_method"] for row in rows} == {"direct"}


def test_every_column_and_key_is_documented(root: Path, meter: EnergyMeter) -> None:
    words = set(re.findall(r"`(\w+)`", (root / "docs" / "reports.md").read_text()))
    header = meter.report("csv").split("\r\n")[0].split(",")
    assert not set(header) - words
    schema = json.loads((root / "docs" / "summary.schema.json").read_text())
    text = (root / "docs" / "architecture.md").read_text()
    for definition in ("group", "run", "carbon_basis", "channel"):
        for key in schema["$defs"][definition]["properties"]:
            assert re.search(rf"[`, .{{]{key}[`,}}]", text), key
    line = set(schema["$defs"]["line"]["properties"]) - {"carbon_basis", "channels"}
    assert line == {name for name in header if not re.match("carbon_[^g]|carbon_g_|pue", name)}


HOSTILE = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201"),
    *("a,b", 'a"b', "a;b", " padded ", "two\nlines", "caf\u00e9", "a=1", "'quoted"),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_a_formula_or_breaks_a_line(make: MakeMeter, name: str) -> None:
    meter = make()
    with meter.window(name):
        pass
    rows = rows_of(meter.report("csv"))
    assert len(rows) == 2
    assert None not in rows[1]
    cell = rows[1]["name"]
    assert cell[0] not in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
    if name[0] in "=+-@\uff1d\uff0b\uff0d\uff20\t\r":
        assert cell[0] == "'"
        assert cell[1:] == name.replace("\t", "?").replace("\r", "?")
    else:
        assert cell == name.replace("\n", "?")


def test_a_model_card(root: Path, meter: EnergyMeter) -> None:
    card, body = card_of(meter.report("model-card"))
    check(root, "tests/schemas/model-card.json", card)
    block = card["co2_eq_emissions"]
    grams = meter.summary()["run"]["carbon_g"]
    assert isinstance(block["emissions"], float)
    assert block["emissions"] == pytest.approx(grams, rel=0.2)
    assert block["geographical_location"] == "California, United States (aws:us-west-1)"
    assert block["hardware_used"] == "1 x CPU of unknown model"
    assert "training_type" not in block
    assert "measured 100 %" in block["source"]
    assert "direct" in block["source"]
    assert "**Compute Region:** California, United States (aws:us-west-1)" in body
    assert "**Cloud Provider:** aws" in body


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "no location was given, and the world average was used"),
        (
            {"carbon_intensity_g_per_kwh": 450},
            "no location was given, and the intensity is the user's number",
        ),
        ({"location": "WORLD"}, "the world average was asked for"),
    ],
)
def test_a_card_without_a_location_names_none_and_says_why(
    root: Path, make: MakeMeter, options: dict[str, Any], why: str
) -> None:
    text = make(cpu_tdp_w=65, **options).report("model-card")
    card, body = card_of(text)
    check(root, "tests/schemas/model-card.json", card)
    assert "geographical_location" not in card["co2_eq_emissions"]
    assert f"  # geographical_location: {why}\n" in text
    assert f"- **Compute Region:** not named: {why}\n" in body


def test_the_number_of_the_sample_is_grams(make: MakeMeter, machine: Machine) -> None:
    machine.zone("intel-rapl:0", "package-0", 62.382)
    meter = make(machine.root, carbon_intensity_g_per_kwh=450)
    machine.run(0.1)
    card, body = card_of(meter.report("model-card"))
    run = meter.summary()["run"]
    assert card["co2_eq_emissions"]["emissions"] == pytest.approx(run["energy_j"] / 8000, rel=0.3)
    assert re.search(r"\*\*Carbon Emitted:\*\* \d+(\.\d+)? [mu]g CO2e\n", body)


def test_boamps(root: Path, meter: EnergyMeter) -> None:
    meter.close()
    report = json.loads(meter.report("boamps"))
    check(root, "tests/schemas/boamps.json", report)
    run = meter.summary()["run"]
    (measure,) = report["measures"]
    assert measure["powerConsumption"] == pytest.approx(run["energy_j"] / 3.6e6)
    assert measure["cpuTrackingMode"] == "rapl-powercap"
    assert measure["version"] == energy_meter.__version__
    assert report["environment"]["country"] == "United States"
    assert report["infrastructure"]["cloudProvider"] == "aws"
    assert report["header"]["reportStatus"] == "draft"
    assert report["task"]["dataset"][0]["dataQuantity"] == 64
    share = run["uncertainty_j"] / run["energy_j"]
    assert report["quality"] == ("high" if share <= 0.1 else "medium" if share <= 0.25 else "low")


def test_boamps_without_anything(root: Path, make: MakeMeter) -> None:
    for meter in (make(enabled=False), make(cpu_tdp_w=65)):
        report = json.loads(meter.report("boamps"))
        check(root, "tests/schemas/boamps.json", report)
        assert "environment" not in report


def test_kept_boamps_keep_to_the_schema(root: Path) -> None:
    for name in ("boamps.json", "boamps-empty.json"):
        report = json.loads((root / "tests" / "unit" / "golden" / name).read_text())
        check(root, "tests/schemas/boamps.json", report)
    for name in ("model-card.md", "model-card-empty.md"):
        card, _ = card_of((root / "tests" / "unit" / "golden" / name).read_text())
        check(root, "tests/schemas/model-card.json", card)


@pytest.mark.parametrize("format", FORMATS)
def test_a_kept_summary_gives_the_same_report(meter: EnergyMeter, format: str) -> None:
    meter.close()
    text = energy_meter.report(meter.summary(), format)
    assert text == energy_meter.report(json.dumps(meter.summary()), format)
    if format == "csv":
        kept, own = rows_of(text), rows_of(meter.report(format))
        assert kept[0] == own[0]
        same = [key for key in own[2] if kept[2][key]]
        assert "energy_j" in same
        assert [kept[2][key] for key in same] == [own[2][key] for key in same]
    else:
        assert text == meter.report(format)


def test_bad_formats(meter: EnergyMeter, folder: Path) -> None:
    allowed = 'format must be one of "text", "json", "csv", "model-card", "boamps", not '
    for wrong in ("xml", "", "JSON"):
        with pytest.raises(InvalidArgument, match=allowed):
            meter.report(wrong)
    with pytest.raises(TypeError, match=allowed):
        meter.report(1)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"report\.pdf' does not tell the format"):
        meter.save(folder / "report.pdf")
    with pytest.raises(TypeError, match="path must be a path, not 3"):
        meter.save(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="summary is 3; give what"):
        energy_meter.report(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="give a summary"):
        energy_meter.report({"schema": 1})
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("name", "format", "begins"),
    [
        ("a.txt", None, "Run: "),
        ("a.json", None, '{"schema":1,'),
        ("a.csv", None, "kind,name,"),
        ("a.MD", None, "---\n"),
        ("a.json", "boamps", "{\n"),
        ("without", "json", "{"),
    ],
)
def test_save(meter: EnergyMeter, folder: Path, name: str, format: str | None, begins: str) -> None:
    path = folder / name
    meter.save(path, format)
    assert path.read_bytes().decode().startswith(begins)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert os.listdir(folder) == [name]


def test_a_saved_file_takes_the_place_of_another(meter: EnergyMeter, folder: Path) -> None:
    path, link = folder / "a.json", folder / "link.json"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    meter.save(str(link))
    assert link.is_symlink()
    assert json.loads(path.read_text())["schema"] == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    meter.save(os.fsencode(path))


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    meter: EnergyMeter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "a.json"
    path.write_text("old")
    with pytest.raises(SystemRefused, match=r"path=.*cannot be written: No such file"):
        meter.save(folder / "missing" / "a.json")
    with pytest.raises(SystemRefused, match="No space left on device"):
        meter.save("/dev/full", "json")
    with pytest.raises(InvalidArgument, match="null"):
        meter.save("a\0.json")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SystemRefused, match=r"path=.*No space left on device; give the path"):
        meter.save(path)
    assert path.read_text() == "old"
    assert os.listdir(folder) == ["a.json"]


def test_a_disabled_meter_reports_nothing(make: MakeMeter) -> None:
    text = make(enabled=False).report()
    assert text.startswith("Run: ")
    assert make(enabled=False).report("csv").count("\r\n") == 2
