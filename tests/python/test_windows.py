# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Windows as blocks and as pairs of calls."""

from __future__ import annotations

import copy
import pickle
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from energy_meter import (
    EnergyMeter,
    EnergyMeterError,
    Window,
    WindowEnded,
    WindowNotStarted,
    WindowOpenError,
)

if TYPE_CHECKING:
    from tests.python.conftest import MakeMeter

OPENERS: list[Callable[[EnergyMeter], Window]] = [
    lambda meter: meter.batch(),
    lambda meter: meter.epoch(),
    lambda meter: meter.window("val"),
    lambda meter: meter.batch("train"),
    lambda meter: meter.epoch("train"),
    lambda meter: meter.window(),
]
RESULTS = [
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
]


@pytest.mark.parametrize("opener", OPENERS)
def test_a_block(meter: EnergyMeter, opener: Callable[[EnergyMeter], Window]) -> None:
    with opener(meter) as window:
        assert isinstance(window, Window)
        for name in RESULTS:
            if name == "items":
                assert window.items is None
                continue
            with pytest.raises(WindowOpenError, match="not ended"):
                getattr(window, name)
        with pytest.raises(WindowOpenError):
            window.to_dict()
    result = window.to_dict()
    assert list(result) == RESULTS
    for name in RESULTS:
        assert getattr(window, name) is not Ellipsis


def test_the_duration_is_that_of_the_block(
    meter: EnergyMeter, spend: Callable[[float], None]
) -> None:
    before = time.monotonic()
    with meter.batch() as window:
        begun = time.monotonic()
        spend(0.02)
        ending = time.monotonic()
    after = time.monotonic()
    assert ending - begun <= window.duration_s <= after - before
    assert window.avg_power_w == pytest.approx(window.energy_j / window.duration_s, rel=0.2)


def test_an_exception_passes_unchanged_and_the_window_is_kept(meter: EnergyMeter) -> None:
    error = ValueError("mine")
    with pytest.raises(ValueError, match=r"^mine$") as caught, meter.batch() as window:
        raise error
    assert caught.value is error
    assert error.__context__ is None
    assert error.__cause__ is None
    assert window.duration_s > 0
    assert meter.last_batch() is not None
    assert meter.summary()["num_batches"] == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_passes_too(meter: EnergyMeter, error: type[BaseException]) -> None:
    with pytest.raises(error), meter.epoch():
        raise error
    assert meter.summary()["num_epochs"] == 1


def test_start_and_stop(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    before = time.monotonic()
    window = meter.batch().start()
    with pytest.raises(WindowOpenError):
        _ = window.energy_j
    spend(0.01)
    assert window.stop() is window
    after = time.monotonic()
    duration = window.duration_s
    assert 0.01 <= duration <= after - before
    spend(0.01)
    assert window.stop().duration_s == duration
    assert meter.summary()["num_batches"] == 1


def test_a_second_stop_gives_the_same_result(meter: EnergyMeter) -> None:
    window = meter.window("once").start().stop()
    meter.summary()
    first = window.to_dict()
    assert first["final"]
    assert window.stop().to_dict() == first
    assert meter.summary()["windows"]["once"]["count"] == 1


def test_what_was_not_started_has_no_result(meter: EnergyMeter) -> None:
    window = meter.batch()
    with pytest.raises(WindowNotStarted, match="start"):
        window.stop()
    with pytest.raises(WindowNotStarted, match="start"):
        window.to_dict()
    assert meter.last_batch() is None
    assert meter.summary()["num_batches"] == 0


def test_a_window_measures_once(meter: EnergyMeter) -> None:
    window = meter.batch()
    with window:
        with pytest.raises(WindowEnded), window:
            pass
        with pytest.raises(WindowEnded):
            window.start()
    with pytest.raises(WindowEnded), window:
        pass
    with pytest.raises(WindowEnded):
        window(print)
    assert issubclass(WindowEnded, RuntimeError)
    assert issubclass(WindowEnded, EnergyMeterError)
    assert meter.summary()["num_batches"] == 1


def test_windows_nest_and_overlap(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    with meter.epoch() as epoch:
        first = meter.window("first").start()
        spend(0.03)
        second = meter.window("second").start()
        spend(0.03)
        first.stop()
        spend(0.03)
        second.stop()
    meter.summary()
    assert first.final
    assert epoch.final
    assert epoch.duration_s >= 0.09
    assert max(first.duration_s, second.duration_s) <= epoch.duration_s
    assert first.energy_j <= epoch.energy_j
    assert second.energy_j <= epoch.energy_j
    assert epoch.energy_j <= first.energy_j + second.energy_j


def test_a_living_window_is_kept_for_good(meter: EnergyMeter) -> None:
    with meter.batch() as kept:
        pass
    meter.summary()
    result = kept.to_dict()
    for _ in range(3000):
        with meter.batch():
            pass
    assert kept.to_dict() == result
    assert meter.summary()["num_batches"] == 3001


def test_the_last_of_a_kind_is_kept_for_good(meter: EnergyMeter) -> None:
    with meter.epoch():
        pass
    meter.summary()
    result = meter.last_epoch()
    for _ in range(3000):
        with meter.batch():
            pass
    assert meter.last_epoch() == result


def test_a_window_that_is_dropped_while_open_ends(meter: EnergyMeter) -> None:
    meter.window("dropped").start()
    assert meter.summary()["windows"]["dropped"]["count"] == 1


def test_an_open_window_keeps_its_meter(make: MakeMeter, spend: Callable[[float], None]) -> None:
    window = make().batch().start()
    spend(0.01)
    assert window.stop().duration_s >= 0.01


def test_windows_of_many_threads(meter: EnergyMeter) -> None:
    def work() -> None:
        for _ in range(200):
            with meter.batch(), meter.window("inner"):
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    summary = meter.summary()
    assert summary["num_batches"] == 1600
    assert summary["windows"]["inner"]["count"] == 1600


def test_a_window_begins_in_one_thread_and_ends_in_another(meter: EnergyMeter) -> None:
    window = meter.batch().start()
    thread = threading.Thread(target=window.stop)
    thread.start()
    thread.join()
    assert window.duration_s > 0


def test_copies_are_the_thing_itself_and_pickling_says_what_to_do(meter: EnergyMeter) -> None:
    with meter.batch() as window:
        pass
    assert copy.copy(meter) is copy.deepcopy(meter) is meter
    assert copy.copy(window) is copy.deepcopy({"w": window})["w"] is window
    with pytest.raises(TypeError, match=r"summary\(\)"):
        pickle.dumps(meter)
    with pytest.raises(TypeError, match=r"to_dict\(\)"):
        pickle.dumps(window)
    with pytest.raises(TypeError, match=r"summary\(\)"):
        pickle.dumps(meter.batches([1, 2]))


def test_reprs_tell_the_state(meter: EnergyMeter) -> None:
    window = meter.batch("train")
    assert "train" in repr(window)
    assert "new" in repr(window)
    with window:
        assert "open" in repr(window)
    assert "ended" in repr(window)
    assert meter.device in repr(meter) or str(meter.gpu_name) in repr(meter)
