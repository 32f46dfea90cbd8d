# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What a result holds, and that it is right where the test itself moves counters and CPUs."""

from __future__ import annotations

import gc
import json
import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter

if TYPE_CHECKING:
    from pathlib import Path

    from tests.python.conftest import Machine, MakeMeter

KEYS = {
    "duration_s",
    "energy_j",
    "avg_power_w",
    "carbon_g",
    "carbon_basis",
    "cost",
    "embodied_g",
    "items",
    "energy_per_item_j",
    "energy_per_item_uncertainty_j",
    "items_per_j",
    "items_per_j_uncertainty",
    "cpu_energy_j",
    "gpu_energy_j",
    "dram_energy_j",
    "other_energy_j",
    "energy_by_provenance",
    "uncertainty_j",
    "uncertainty_gain_j",
    "uncertainty_edge_j",
    "resolution",
    "reasons",
    "channels",
    "complete",
    "missing",
    "final",
    "process_cpu_share",
    "process_cpu_share_reason",
}


CHANNEL_KEYS = {
    "energy_j",
    "provenance",
    "uncertainty_j",
    "uncertainty_gain_j",
    "uncertainty_edge_j",
    "resolution",
    "reasons",
    "update_period_s",
    "update_period_from",
}


def check_doubts(result: Any) -> None:
    """How sure a number is: the parts make the whole, and what is not fine says why."""
    gain, edge = result["uncertainty_gain_j"], result["uncertainty_edge_j"]
    assert gain >= 0
    assert edge >= 0
    assert result["uncertainty_j"] == pytest.approx(math.hypot(gain, edge))
    assert result["resolution"] in ("fine", "coarse", "below")
    assert all(type(reason) is str and reason for reason in result["reasons"])
    if result["resolution"] != "fine":
        words = ("update periods", "nothing is measured", "no channel is counted")
        assert any(word in reason for reason in result["reasons"] for word in words)


def check_shape(result: Any) -> None:
    """What the documentation promises of every result, whatever was measured."""
    assert set(result) == KEYS
    for key in ("duration_s", "energy_j", "avg_power_w", "carbon_g"):
        assert type(result[key]) is float
        assert math.isfinite(result[key])
        assert result[key] >= 0
    domains = [result[f"{domain}_energy_j"] for domain in ("cpu", "gpu", "dram", "other")]
    for value in domains:
        assert value is None or type(value) is float
    total = pytest.approx(result["energy_j"], rel=1e-9, abs=1e-9)
    assert sum(value for value in domains if value is not None) == total
    assert set(result["energy_by_provenance"]) == {"measured", "integrated", "estimated"}
    assert sum(result["energy_by_provenance"].values()) == total
    assert sum(channel["energy_j"] for channel in result["channels"].values()) == total
    check_doubts(result)
    for channel in result["channels"].values():
        assert set(channel) == CHANNEL_KEYS
        assert channel["provenance"] in result["energy_by_provenance"]
        check_doubts(channel)
        assert (channel["update_period_s"] is None) == (channel["update_period_from"] is None)
        assert channel["update_period_from"] in (None, "measured", "assumed", "model")
    assert type(result["complete"]) is bool
    assert type(result["final"]) is bool
    assert bool(result["missing"]) == (not result["complete"])
    for entry in result["missing"]:
        assert set(entry) == {"channel", "reason"}
        assert entry["channel"]
        assert entry["reason"]
    if result["duration_s"]:
        power = result["energy_j"] / result["duration_s"]
        assert result["avg_power_w"] == pytest.approx(power)
    assert json.loads(json.dumps(result, allow_nan=False)) == result


@pytest.mark.parametrize(
    "name",
    [
        "/",
        "intel-xeon-2s-gold-5118.json",
        "intel-laptop-psys-energy-0400-ls-lr.json",
        "rapl-energy-read-eio-and-enodata.json",
        "vm-no-powercap-tesla-t4.json",
        "container-dangling-powercap-symlinks.json",
    ],
)
def test_the_shape_holds_on_every_machine(
    make: MakeMeter, machines: Any, spend: Callable[[float], None], name: str
) -> None:
    meter = make(name if name == "/" else machines / name, as_user=name != "/")
    for _ in range(3):
        with meter.batch():
            spend(0.02)
        check_shape(meter.last_batch())
    with meter.window("empty") as empty:
        pass
    check_shape(empty.to_dict())
    summary = meter.summary()
    check_shape(empty.to_dict())
    run = dict(summary["run"])
    for key in ("in_epochs_j", "in_batches_j", "outside_windows_j"):
        assert run.pop(key) is not None
    check_shape(run)


def test_an_empty_machine_says_why_there_is_nothing(make: MakeMeter, tmp_path: Any) -> None:
    meter = make(tmp_path)
    with meter.batch() as window:
        pass
    check_shape(window.to_dict())
    assert not window.complete
    assert window.energy_j == 0.0
    assert window.cpu_energy_j is None
    assert [entry["channel"] for entry in window.missing] == ["cpu"]


def test_counters_of_known_power(
    make: MakeMeter, machine: Machine, spend: Callable[[float], None]
) -> None:
    """20 W + 30 W of packages, 5 W of memory; cores are inside a package, psys is around all."""
    machine.zone("intel-rapl:0", "package-0", 20.0)
    machine.zone("intel-rapl:0:0", "core", 11.0)
    machine.zone("intel-rapl:0:1", "dram", 5.0)
    machine.zone("intel-rapl:1", "package-1", 30.0)
    machine.zone("intel-rapl:2", "psys", 90.0)
    meter = make(machine.root, carbon_intensity_g_per_kwh=450.0)
    roles = {channel["name"]: channel["role"] for channel in meter.channels}
    assert roles == {
        "cpu-0/package": "counted",
        "cpu-0/core": "part",
        "cpu-0/dram": "counted",
        "cpu-1/package": "counted",
        "platform/psys": "platform",
    }
    spend(0.1)
    with meter.batch() as window:
        machine.run(0.4)
    meter.summary()
    result = window.to_dict()
    check_shape(result)
    assert result["final"]
    assert result["complete"]
    moved_j = {name: moved / 1e6 for name, moved in machine.moved_uj.items()}
    assert moved_j["dram"] == pytest.approx(5.0 * 0.4, rel=0.1)
    cpu_j = moved_j["package-0"] + moved_j["package-1"]
    assert result["cpu_energy_j"] == pytest.approx(cpu_j, rel=0.01)
    assert result["dram_energy_j"] == pytest.approx(moved_j["dram"], rel=0.01)
    assert result["gpu_energy_j"] is None
    assert result["energy_by_provenance"]["measured"] == result["energy_j"]
    assert set(result["channels"]) == {"cpu-0/package", "cpu-0/dram", "cpu-1/package"}
    # 1 kWh = 3.6e6 J.
    assert result["carbon_g"] == pytest.approx(result["energy_j"] / 3.6e6 * 450.0)


def test_every_joule_of_a_counter_is_in_one_of_the_windows(
    make: MakeMeter, machine: Machine, spend: Callable[[float], None]
) -> None:
    machine.zone("intel-rapl:0", "package-0", 40.0)
    meter = make(machine.root)
    spend(0.05)
    for _ in meter.batches(range(20)):
        machine.run(0.01)
    spend(0.05)
    meter.close()
    summary = meter.summary()
    moved_j = machine.moved_uj["package-0"] / 1e6
    assert summary["run"]["energy_j"] == pytest.approx(moved_j, abs=1e-6)
    run = summary["run"]
    assert run["in_batches_j"] + run["outside_windows_j"] == pytest.approx(moved_j, abs=1e-5)
    assert summary["batch_summary"]["total_energy_j"] == pytest.approx(run["in_batches_j"])


@pytest.mark.parametrize(
    ("utilisation", "fraction"), [(0.0, 0.15), (0.1, 0.33), (0.5, 0.62), (1.0, 1.03)]
)
def test_the_model_at_its_knots(
    make: MakeMeter, machine: Machine, utilisation: float, fraction: float
) -> None:
    machine.cpus(utilisation)
    meter = make(machine.root, cpu_tdp_w=100.0)
    machine.run(0.1)
    with meter.batch() as window:
        machine.run(0.4)
    meter.summary()
    result = window.to_dict()
    check_shape(result)
    assert result["avg_power_w"] == pytest.approx(100.0 * fraction, rel=0.05)
    assert result["energy_by_provenance"]["estimated"] == result["energy_j"]
    tdp = meter.summary()["tdp"]["cpu"]
    assert (tdp["each_w"], tdp["count"]) == (100.0, 1.0)
    assert "default" not in tdp["from"]


def test_the_last_windows(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    assert meter.last_batch() is meter.last_epoch() is meter.last("x") is None
    with meter.batch():
        spend(0.001)
    assert meter.last_epoch() is None
    with meter.batch("x") as named:
        spend(0.003)
    meter.summary()
    assert meter.last_batch() == named.to_dict() == meter.last("x")
    with meter.epoch("x") as epoch:
        spend(0.002)
    meter.summary()
    assert meter.last_epoch() == epoch.to_dict() == meter.last("x")
    assert meter.last_batch() == named.to_dict()
    with meter.window("x") as other:
        pass
    meter.summary()
    assert meter.last("x") == other.to_dict()
    assert meter.last("y") is None


def test_the_last_is_the_one_that_ended_last_in_any_thread(
    meter: EnergyMeter, spend: Callable[[float], None]
) -> None:
    ready, go = threading.Event(), threading.Event()
    durations = []

    def work() -> None:
        with meter.batch() as window:
            ready.set()
            go.wait()
        durations.append(window.duration_s)

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    with meter.batch() as inner:
        spend(0.001)
    last = meter.last_batch()
    assert last is not None
    assert last["duration_s"] == inner.duration_s
    go.set()
    thread.join()
    last = meter.last_batch()
    assert last is not None
    assert last["duration_s"] == durations[0] > inner.duration_s


def test_a_result_becomes_final(meter: EnergyMeter) -> None:
    with meter.batch() as window:
        pass
    deadline = time.monotonic() + 5
    while not window.final and time.monotonic() < deadline:
        time.sleep(0.001)
    assert window.final
    first = window.to_dict()
    with meter.batch():
        pass
    meter.summary()
    assert window.to_dict() == first


def test_a_disabled_meter_gives_the_same_keys(
    meter: EnergyMeter, spend: Callable[[float], None]
) -> None:
    disabled = EnergyMeter(enabled=False)
    with disabled.batch() as window:
        spend(0.001)
    for _ in disabled.epochs(disabled.batches([1, 2])):
        pass
    for result in (window.to_dict(), disabled.last_batch(), disabled.last("x")):
        check_shape(result)
        assert result is not None
        assert result["energy_j"] == result["duration_s"] == result["carbon_g"] == 0.0
        assert not result["complete"]
        assert result["resolution"] == "below"
        assert "enabled=False" in result["reasons"][0]
        assert len(result["missing"]) == 1
        assert "enabled=False" in result["missing"][0]["reason"]
    assert disabled.device == "cpu"
    assert disabled.gpu_name is None
    assert disabled.channels == []
    assert len(disabled.absent) == 1
    disabled.reset()
    disabled.close()
    nothing, real = disabled.summary(), meter.summary()

    def keys(tree: Any) -> Any:
        return {key: keys(value) for key, value in tree.items()} if isinstance(tree, dict) else 0

    def without(summary: Any) -> Any:
        tree = keys(summary)
        tree["run"].pop("channels")
        tree["tdp"] = set(tree["tdp"])
        return tree

    assert without(nothing) == without(real)
    assert nothing["run"]["energy_j"] == 0.0
    json.dumps(nothing, allow_nan=False)


def test_a_machine_that_gives_nothing(make: MakeMeter, tmp_path: Path) -> None:
    meter = make(tmp_path)
    with meter.epoch() as epoch:
        pass
    for result in (epoch.wait(), meter.summary()["run"]):
        assert result["energy_j"] == 0
        assert result["resolution"] == "below"
        assert any("no channel is counted" in reason for reason in result["reasons"])
        assert not result["complete"]


def test_a_models_period_is_its_own(
    make: MakeMeter, machine: Machine, spend: Callable[[float], None]
) -> None:
    machine.cpus(0.5)
    meter = make(machine.root, cpu_tdp_w=65.0)
    with meter.window() as window:
        spend(0.1)
    meter.summary()
    for result in (window.to_dict(), meter.summary()["run"]):
        channel = result["channels"]["cpu-0/model"]
        assert channel["update_period_s"] is not None
        assert channel["update_period_from"] == "model"


def test_a_disabled_meter_runs_no_thread_and_reads_nothing() -> None:
    gc.collect()
    before = threading.active_count(), len(open_files())
    disabled = EnergyMeter(enabled=False)
    with disabled.batch():
        assert (threading.active_count(), len(open_files())) == before


def open_files() -> list[str]:
    import os

    return os.listdir("/proc/self/fd")
