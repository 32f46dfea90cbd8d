# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The kept reports of the C tests, read by Python's json: whole, finite, every key in place."""

from __future__ import annotations

import datetime
import json
import math
from pathlib import Path
from typing import Any, NoReturn

import pytest

DOUBTS = ["uncertainty_j", "uncertainty_gain_j", "uncertainty_edge_j"]
ITEMS = [
    *("items", "energy_per_item_j", "energy_per_item_uncertainty_j"),
    *("items_per_j", "items_per_j_uncertainty"),
]
GROUP = [
    "count",
    *(f"mean_{what}" for what in ("duration_s", "energy_j", "carbon_g")),
    *(f"total_{what}" for what in ("duration_s", "energy_j", "carbon_g")),
    *("carbon_basis", "cost", "embodied_g", "windows_with_items", *ITEMS),
    "distinct_energy_j",
    *DOUBTS,
]
CHANNEL = [
    *("energy_j", "provenance", *DOUBTS, "resolution", "reasons"),
    *("update_period_s", "update_period_from"),
]
SUMMARY = [
    *("schema", "device", "gpu_name", "gpu_shared"),
    *("carbon_intensity_g_per_kwh", "num_batches", "num_epochs"),
    *("batch_summary", "epoch_summary", "windows", "run", "carbon_basis", "rates"),
    *("tdp", "overhead", "scope"),
]
RUN = [
    *("duration_s", "energy_j", "avg_power_w"),
    *("carbon_g", "carbon_basis", "cost", "embodied_g", *ITEMS),
    *("cpu_energy_j", "gpu_energy_j", "dram_energy_j", "other_energy_j"),
    *("energy_by_provenance", *DOUBTS, "resolution", "reasons"),
    *("channels", "complete", "missing", "final"),
    *("process_cpu_share", "process_cpu_share_reason"),
    *("in_epochs_j", "in_batches_j", "outside_windows_j"),
]
BASIS = [
    *("g_per_kwh", "source", "year", "zone", "zone_name", "location", "method"),
    *("is_default", "pue", "pue_source"),
]
SCOPE = ["host", "boot_id", "pid", "started_at", "t_begin", "t_end", "devices"]


def refuse(word: str) -> NoReturn:
    raise AssertionError(f"{word} is no JSON")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


def read(root: Path, name: str) -> Any:
    path = root / "tests" / "unit" / "golden" / name
    text = path.read_bytes().decode("utf-8")
    assert text.endswith("}\n")
    return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)


@pytest.fixture(scope="module")
def summary(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = read(root, "summary.json")
    return document


@pytest.mark.parametrize("name", ["summary.json", "summary-empty.json"])
def test_every_summary_has_every_key(root: Path, name: str) -> None:
    document = read(root, name)
    assert list(document) == SUMMARY
    assert document["schema"] == 1
    assert list(document["run"]) == RUN
    assert list(document["scope"]) == SCOPE
    assert list(document["carbon_basis"]) == BASIS
    assert list(document["rates"]) == ["price_per_kwh", "embodied_kg", "lifetime_years"]
    assert list(document["overhead"]) == ["fraction", "limit", "caller_s", "sync_s"]
    assert list(document["tdp"]) == ["cpu", "gpu", "unused"]
    rows = [document["batch_summary"], document["epoch_summary"], *document["windows"].values()]
    for row in rows:
        assert list(row) == GROUP
        assert row["carbon_basis"] == document["carbon_basis"]
        assert isinstance(row["count"], int)
        assert all(isinstance(row[key], float) for key in (*GROUP[4:7], *DOUBTS))
        assert all((row[key] is None) == (row["count"] == 0) for key in GROUP[1:4])
    for key in ("duration_s", "energy_j", "avg_power_w", "carbon_g", *DOUBTS):
        assert isinstance(document["run"][key], float)
    assert document["run"]["carbon_basis"] == document["carbon_basis"]
    for channel in document["run"]["channels"].values():
        assert list(channel) == CHANNEL


def test_a_summary_adds_up(summary: dict[str, Any]) -> None:
    run = summary["run"]
    domains = [run[f"{name}_energy_j"] for name in ("cpu", "gpu", "dram", "other")]
    assert math.isclose(sum(value or 0.0 for value in domains), run["energy_j"])
    assert math.isclose(sum(run["energy_by_provenance"].values()), run["energy_j"])
    assert math.isclose(sum(row["energy_j"] for row in run["channels"].values()), run["energy_j"])
    assert math.isclose(run["avg_power_w"] * run["duration_s"], run["energy_j"])
    assert summary["num_batches"] == summary["batch_summary"]["count"]
    assert summary["num_epochs"] == summary["epoch_summary"]["count"]


def test_a_name_of_two_kinds_is_one_entry(summary: dict[str, Any]) -> None:
    assert set(summary["windows"]) == {"val", "*", '"\\\n\u00e9'}
    val = summary["windows"]["val"]
    assert val["count"] == 4
    assert math.isclose(val["total_energy_j"], 62.382 + 10)
    # 62.382 J at 450 g/kWh is 7.7978 mg, and 10 J are 1.25 mg.
    assert math.isclose(val["total_carbon_g"], 0.0077978 + 0.00125, rel_tol=1e-5)


def test_what_energy_and_time_amount_to(summary: dict[str, Any]) -> None:
    rates, run = summary["rates"], summary["run"]
    for row in (summary["batch_summary"], summary["epoch_summary"], summary["windows"]["val"]):
        assert math.isclose(row["cost"], row["total_energy_j"] / 3.6e6 * rates["price_per_kwh"])
    hours = rates["lifetime_years"] * 365 * 24
    share = run["duration_s"] / 3600 / hours
    assert math.isclose(run["embodied_g"], 1000 * rates["embodied_kg"] * share)


def test_when_it_was_measured(summary: dict[str, Any]) -> None:
    scope = summary["scope"]
    started = datetime.datetime.fromisoformat(scope["started_at"])
    assert started.utcoffset() == datetime.timedelta(0)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert (started - epoch) / datetime.timedelta(microseconds=1) == 1709164799123456
    package, board = scope["devices"]
    assert package["uuid"] is None
    assert board["uuid"].startswith("GPU-")
    assert package["points"][0] == [scope["t_begin"], 0.0]
    assert package["points"][-1] == [scope["t_end"], package["energy_j"]]


def test_sensors(root: Path) -> None:
    document = read(root, "sensors.json")
    assert list(document) == ["schema", "channels", "absent"]
    channel_keys = ["name", "sensor", "source", "domain", "kind", "role", "of", "reason"]
    assert all(list(row) == channel_keys for row in document["channels"])
    assert all(list(row) == ["sensor", "status", "reason", "hint"] for row in document["absent"])
    assert all(isinstance(row["hint"], str) for row in document["absent"])
    names = [row["name"] for row in document["channels"]]
    assert len(set(names)) == len(names)
    assert {row["of"] for row in document["channels"]} == {None, "cpu-0/package"}
