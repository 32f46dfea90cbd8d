# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Items of windows, loops, decorators and the run: energy per item at a known power."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from energy_meter import (
    EnergyMeter,
    EnergyMeterWarning,
    InvalidArgument,
    MeterClosed,
    WindowEnded,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.python.conftest import Machine, MakeMeter

WATTS = 120.0
KEYS = [
    *("items", "energy_per_item_j", "energy_per_item_uncertainty_j"),
    *("items_per_j", "items_per_j_uncertainty"),
]
WRONG_TYPES: list[Any] = [64.0, math.nan, math.inf, True, False, "64", None, [64], np.True_, 1j]
WRONG_VALUES: list[Any] = [-1, 2**64, 10**15 + 1, 10**40, np.int64(-1)]


@pytest.fixture
def meter(make: MakeMeter, machine: Machine) -> EnergyMeter:
    machine.zone("intel-rapl:0", "package-0", WATTS)
    return make(machine.root)


def test_a_window_of_items(meter: EnergyMeter, machine: Machine) -> None:
    with meter.batch(items=64) as window:
        machine.run(0.1)
    result = window.wait()
    assert list(KEYS) == [key for key in result if "item" in key]
    assert result["items"] == window.items == 64
    energy_j, doubt_j = result["energy_j"], result["uncertainty_j"]
    assert energy_j == pytest.approx(WATTS * result["duration_s"], rel=0.2)
    assert result["energy_per_item_j"] == pytest.approx(energy_j / 64)
    assert result["energy_per_item_uncertainty_j"] == pytest.approx(doubt_j / 64)
    assert result["items_per_j"] == pytest.approx(64 / energy_j)
    assert result["items_per_j_uncertainty"] == pytest.approx(64 / energy_j * doubt_j / energy_j)
    for key in KEYS:
        assert getattr(window, key) == window.to_dict()[key]  # type: ignore[literal-required]
    assert meter.last_batch(final=True) == result


def test_a_later_value_wins(meter: EnergyMeter) -> None:
    window = meter.epoch(items=1)
    window.items = 2
    assert window.items == 2
    window.start()
    assert window.items == 2
    window.items = np.int32(3)
    window.items = 4
    window.stop()
    assert window.wait()["items"] == 4
    with pytest.raises(WindowEnded, match="give its items before its end"):
        window.items = 5
    assert window.items == window.to_dict()["items"] == 4


def test_gradient_accumulation(meter: EnergyMeter) -> None:
    for _ in range(2):
        with meter.batch() as window:
            seen = 0
            for micro in ("abc", "de"):
                seen += len(micro)
                window.items = seen
    row = meter.summary()["batch_summary"]
    assert (row["count"], row["items"]) == (2, 10)


def test_without_items_nothing_is_said_of_them(meter: EnergyMeter) -> None:
    with meter.window("plain") as window:
        pass
    assert window.items is None
    assert [window.wait()[key] for key in KEYS] == [None] * 5  # type: ignore[literal-required]
    with meter.window("nothing", items=0) as window:
        pass
    assert window.wait()["items"] == 0
    assert window.wait()["energy_per_item_j"] is None


def test_the_summary_counts_windows_with_items_alone(meter: EnergyMeter, machine: Machine) -> None:
    energies = []
    for items in (32, 16, None):
        with meter.batch() as window:
            machine.run(0.03)
            if items is not None:
                window.items = items
        energies.append(window.wait()["energy_j"])
    row = meter.summary()["batch_summary"]
    assert row["count"] == 3
    assert row["windows_with_items"] == 2
    assert row["items"] == 48
    assert row["energy_per_item_j"] == pytest.approx(sum(energies[:2]) / 48)
    assert row["items_per_j"] == pytest.approx(48 / sum(energies[:2]))
    assert meter.summary()["run"]["items"] is None


def test_the_run_carries_items_of_its_own(meter: EnergyMeter, machine: Machine) -> None:
    assert meter.items is None
    machine.run(0.05)
    meter.items = 10
    meter.items = 20
    assert meter.items == 20
    run = meter.summary()["run"]
    assert run["items"] == 20
    assert run["energy_per_item_j"] == pytest.approx(run["energy_j"] / 20)
    meter.reset()
    assert meter.items is None
    assert meter.summary()["run"]["items"] is None
    meter.items = 5
    meter.close()
    assert meter.summary()["run"]["items"] == 5
    with pytest.raises(MeterClosed, match="give the items of its run before"):
        meter.items = 6


def test_decorators_and_coroutines(meter: EnergyMeter) -> None:
    @meter.window("step", items=8)
    def step() -> None: ...

    @meter.batch(items=2)
    async def other() -> None: ...

    step()
    step()
    asyncio.run(other())
    summary = meter.summary()
    assert summary["windows"]["step"]["items"] == 16
    assert summary["batch_summary"]["items"] == 2


@pytest.mark.parametrize(
    ("items_of", "total"), [(len, 6), (lambda batch: sum(map(len, batch)), 12), (5, 15)]
)
def test_loops(meter: EnergyMeter, items_of: Any, total: int) -> None:
    batches = [["ab"], ["cd", "ef"], ["gh", "ij", "kl"]]
    assert list(meter.batches(batches, items_of=items_of)) == batches
    row = meter.summary()["batch_summary"]
    assert row["count"] == row["windows_with_items"] == 3
    assert row["items"] == total
    for _ in meter.epochs(range(2), items_of=items_of if isinstance(items_of, int) else int):
        pass
    assert meter.summary()["epoch_summary"]["windows_with_items"] == 2


@pytest.mark.parametrize("count", [lambda _: 1.5, lambda _: -1, lambda _: [][0], lambda: 1])
def test_a_function_that_cannot_count_breaks_no_loop(
    meter: EnergyMeter, count: Callable[..., Any]
) -> None:
    with pytest.warns(EnergyMeterWarning, match="The function given as items_of= raised") as caught:
        assert list(meter.batches([1, 2, 3], items_of=count)) == [1, 2, 3]
    assert len(caught) == 1
    assert caught[0].filename == __file__
    row = meter.summary()["batch_summary"]
    assert row["count"] == 3
    assert row["items"] is None


@pytest.mark.parametrize("wrong", WRONG_TYPES)
def test_wrong_types(meter: EnergyMeter, wrong: Any) -> None:
    match = r"items must be a whole number from 0 to 1000000000000000, not "
    with meter.batch(items=7) as window:
        with pytest.raises(TypeError, match=match):
            window.items = wrong
        assert window.items == 7
    with pytest.raises(TypeError, match=match):
        meter.items = wrong
    if wrong is not None:
        for opener in (meter.batch, meter.epoch, meter.window):
            with pytest.raises(TypeError, match=match):
                opener(items=wrong)
        with pytest.raises(TypeError, match=r"items_of must be .* or give a function that counts"):
            meter.batches([], items_of=wrong)


@pytest.mark.parametrize("wrong", WRONG_VALUES)
def test_wrong_values(meter: EnergyMeter, wrong: Any) -> None:
    match = r"items must be a whole number from 0 to 1000000000000000, not "
    with meter.batch(items=7) as window, pytest.raises(InvalidArgument, match=match):
        window.items = wrong
    with pytest.raises(InvalidArgument, match=match):
        meter.epoch(items=wrong)
    with pytest.raises(InvalidArgument, match=match):
        meter.items = wrong
    assert window.items == 7


def test_a_disabled_meter_takes_items(make: MakeMeter) -> None:
    meter = make(enabled=False)
    meter.items = 3
    with meter.batch(items=64) as window:
        window.items = 65
        with pytest.raises(InvalidArgument):
            window.items = -1
    assert window.items == 65
    assert window.to_dict()["items"] is None
    assert meter.summary()["run"]["items"] is None
    assert list(meter.batches([1], items_of=1)) == [1]


def test_a_closed_meter_breaks_no_open_window(meter: EnergyMeter) -> None:
    with meter.batch() as window:
        meter.close()
        window.items = 3
    assert window.to_dict()["items"] is None
