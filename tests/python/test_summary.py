# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The summary: its keys agree with one another, and with what the process knows otherwise."""

from __future__ import annotations

import datetime
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter
from energy_meter._results import to_dict

if TYPE_CHECKING:
    from tests.python.conftest import Machine, MakeMeter

GROUP = {
    "count",
    "mean_duration_s",
    "mean_energy_j",
    "mean_carbon_g",
    "total_duration_s",
    "total_energy_j",
    "total_carbon_g",
    "carbon_basis",
    "cost",
    "embodied_g",
    "windows_with_items",
    "items",
    "energy_per_item_j",
    "energy_per_item_uncertainty_j",
    "items_per_j",
    "items_per_j_uncertainty",
    "distinct_energy_j",
    "uncertainty_j",
    "uncertainty_gain_j",
    "uncertainty_edge_j",
}


def test_an_empty_summary(meter: EnergyMeter) -> None:
    summary: Any = meter.summary()
    assert summary["num_batches"] == summary["num_epochs"] == 0
    for key in ("batch_summary", "epoch_summary"):
        group = summary[key]
        assert set(group) == GROUP
        assert group["count"] == 0
        assert group["mean_energy_j"] is None
        assert group["mean_duration_s"] is None
        assert group["mean_carbon_g"] is None
        assert group["total_energy_j"] == group["total_duration_s"] == 0.0
    assert summary["windows"] == {}


def test_counts_means_and_totals(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    batches = []
    for _ in range(2):
        with meter.epoch():
            for _ in range(3):
                with meter.batch() as batch:
                    spend(0.01)
                batches.append(batch)
            with meter.window("val"), meter.batch("val"):
                spend(0.01)
    summary = meter.summary()
    assert summary["num_batches"] == summary["batch_summary"]["count"] == 6
    assert summary["num_epochs"] == summary["epoch_summary"]["count"] == 2
    assert set(summary["windows"]) == {"val"}
    assert summary["windows"]["val"]["count"] == 4
    group = summary["batch_summary"]
    total = math.fsum(batch.energy_j for batch in batches)
    assert group["total_energy_j"] == pytest.approx(total, rel=1e-9)
    assert group["mean_energy_j"] == pytest.approx(total / 6, rel=1e-9)
    duration = math.fsum(batch.duration_s for batch in batches)
    assert group["total_duration_s"] == pytest.approx(duration, rel=1e-9)
    carbon = math.fsum(batch.carbon_g for batch in batches)
    assert group["total_carbon_g"] == pytest.approx(carbon, rel=1e-9)
    for named in (group, summary["epoch_summary"], summary["windows"]["val"]):
        assert set(named) == GROUP


def test_the_run(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    spend(0.03)
    with meter.epoch():
        spend(0.02)
        with meter.batch(), meter.batch():
            spend(0.02)
    spend(0.03)
    run: Any = meter.summary()["run"]
    assert run["duration_s"] >= 0.1
    # Two batches at once are one stretch of time; an epoch counts as a window, too.
    assert 0 < run["in_batches_j"] <= run["in_epochs_j"] <= run["energy_j"]
    outside = run["energy_j"] - run["in_epochs_j"]
    assert run["outside_windows_j"] == pytest.approx(outside, abs=1e-5)
    one = meter.summary()["batch_summary"]["total_energy_j"] / 2
    assert run["in_batches_j"] == pytest.approx(one, rel=0.1)


@pytest.mark.parametrize("name", ["/", "intel-laptop-psys-energy-0400-ls-lr.json", "empty"])
def test_the_run_says_what_its_window_says(
    make: MakeMeter, machines: Path, tmp_path: Path, spend: Callable[[float], None], name: str
) -> None:
    """The summary is written in C, the window's result in Python; they have to agree."""
    roots: dict[str, Any] = {"/": "/", "empty": tmp_path}
    meter = make(roots.get(name, machines / name), as_user=name != "/")
    spend(0.05)
    meter.close()
    run: dict[str, Any] = dict(meter.summary()["run"])
    for key in ("in_epochs_j", "in_batches_j", "outside_windows_j"):
        run.pop(key)
    window: dict[str, Any] = dict(to_dict(meter._run.result(), meter.carbon_basis))
    assert window["final"]
    assert run.keys() == window.keys()
    for key, value in window.items():
        if isinstance(value, float):
            assert run[key] == pytest.approx(value, rel=1e-6, abs=1e-6), key
        else:
            assert run[key] == value, key


def test_it_is_json_without_nan(meter: EnergyMeter) -> None:
    with meter.batch('quotes " and \\ and \n and é and 漢 and \U0001f50b'):
        pass
    summary = meter.summary()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert list(summary["windows"]) == ['quotes " and \\ and \n and é and 漢 and \U0001f50b']


def test_the_scope_is_this_process(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    spend(0.05)
    scope = meter.summary()["scope"]
    assert scope["pid"] == os.getpid()
    assert scope["host"] == os.uname().nodename
    assert scope["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    started = datetime.datetime.fromisoformat(scope["started_at"])
    assert started.utcoffset() == datetime.timedelta(0)
    assert abs(time.time() - started.timestamp()) < 30
    assert time.monotonic() - 30 < scope["t_begin"] < scope["t_end"] <= time.monotonic()
    for device in scope["devices"]:
        assert set(device) == {
            *("channel", "sensor", "uuid", "name", "domain"),
            *("energy_j", "points"),
        }
        assert device["channel"] in [channel["name"] for channel in meter.channels]
        times, energies = zip(*device["points"], strict=True)
        assert len(times) <= 64
        assert list(times) == sorted(times)
        assert list(energies) == sorted(energies)
        assert times[0] == scope["t_begin"]
        assert times[-1] == scope["t_end"]
        assert energies[0] == 0
        assert energies[-1] == pytest.approx(device["energy_j"], abs=1e-5)
    total = math.fsum(device["energy_j"] for device in scope["devices"])
    assert meter.summary()["run"]["energy_j"] >= total


def test_points_are_thinned(make: MakeMeter, machine: Machine) -> None:
    machine.cpus(0.5)
    meter = make(machine.root, sample_interval=0.001)
    machine.run(1.0)
    for device in meter.summary()["scope"]["devices"]:
        assert 16 <= len(device["points"]) <= 64


@pytest.mark.parametrize("grams", [0, 57.0, 100_000])
def test_a_given_intensity(make: MakeMeter, spend: Callable[[float], None], grams: float) -> None:
    meter = make(carbon_intensity_g_per_kwh=grams)
    with meter.batch():
        spend(0.02)
    summary = meter.summary()
    assert summary["carbon_intensity_g_per_kwh"] == grams
    assert summary["carbon_basis"]["g_per_kwh"] == grams
    assert summary["carbon_basis"]["is_default"] is False
    group = summary["batch_summary"]
    expected = group["total_energy_j"] / 3.6e6 * grams
    assert group["total_carbon_g"] == pytest.approx(expected, rel=1e-9)


def test_the_world_average_is_said_to_be_one(meter: EnergyMeter) -> None:
    summary = meter.summary()
    basis = summary["carbon_basis"]
    assert basis["is_default"] is True
    assert basis["g_per_kwh"] == summary["carbon_intensity_g_per_kwh"]
    assert basis["g_per_kwh"] is not None
    assert 300 < basis["g_per_kwh"] < 700
    assert basis["year"] is not None
    assert basis["year"] >= 2020
    assert basis["zone"] == "WORLD"
    assert basis["location"] is None
    assert basis["method"] == "life-cycle"
    assert (basis["pue"], basis["pue_source"]) == (1.0, "assumed")


def test_a_power_that_is_not_needed_is_listed(make: MakeMeter, machine: Any) -> None:
    machine.zone("intel-rapl:0", "package-0", 20.0)
    summary = make(machine.root, cpu_tdp_w=65.0, gpu_tdp_w=200.0).summary()
    assert sorted(summary["tdp"]["unused"]) == ["cpu_tdp_w", "gpu_tdp_w"]


def test_reset_begins_anew(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    with meter.batch():
        spend(0.02)
    before = meter.summary()
    whole = meter.epoch().start()
    spend(0.02)
    meter.reset()
    with meter.batch():
        spend(0.01)
    whole.stop()
    after = meter.summary()
    assert after["num_batches"] == 1
    assert after["num_epochs"] == 1
    assert after["epoch_summary"]["total_duration_s"] >= 0.03
    assert after["run"]["duration_s"] < before["run"]["duration_s"] + 0.04
    assert after["scope"]["t_begin"] > before["scope"]["t_begin"]


def test_many_names_are_capped(meter: EnergyMeter) -> None:
    for i in range(1100):
        with meter.window(f"name {i}"):
            pass
    windows = meter.summary()["windows"]
    assert len(windows) <= 1025
    assert sum(group["count"] for group in windows.values()) == 1100
    assert "*" in windows
