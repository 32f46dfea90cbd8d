# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Which results may still change, and who waits until they do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter, InvalidArgument, WindowNotStarted, WindowOpenError

if TYPE_CHECKING:
    from tests.python.conftest import Machine, MakeMeter

WAITERS: list[Callable[[EnergyMeter, Any], Any]] = [
    lambda meter, window: window.wait(),
    lambda meter, window: window.wait(timeout=1),
    lambda meter, window: meter.last_batch(final=True),
    lambda meter, window: meter.last("step", final=True),
]


@pytest.mark.parametrize("waiter", WAITERS)
def test_who_waits_gets_what_stays(
    make: MakeMeter, machine: Machine, waiter: Callable[[EnergyMeter, Any], Any]
) -> None:
    """A package of 50 W; its next reading would be due in a minute, and is asked for at once."""
    machine.zone("intel-rapl:0", "package-0", watts=50.0)
    meter = make(machine.root, sample_interval=60, overhead_limit=0)
    machine.run(0.02)
    with meter.batch("step") as window:
        before = machine.moved_uj["package-0"]
        machine.run(0.1)
        moved_j = (machine.moved_uj["package-0"] - before) / 1e6
    machine.run(0.02)
    first = meter.last_batch()
    assert first is not None
    assert not first["final"]
    assert not window.to_dict()["final"]
    begin = time.monotonic()
    result = waiter(meter, window)
    assert time.monotonic() - begin < 2
    assert result["final"]
    assert result["energy_j"] == pytest.approx(moved_j, rel=0.5)
    machine.run(0.05)
    meter.summary()
    assert window.to_dict() == meter.last_batch() == waiter(meter, window) == result


def test_an_epoch(meter: EnergyMeter) -> None:
    assert meter.last_epoch(final=True) is None
    with meter.epoch():
        pass
    result = meter.last_epoch(final=True)
    assert result is not None
    assert result["final"]
    assert meter.last("nobody", final=True) is None


def test_only_what_has_ended_can_be_waited_for(meter: EnergyMeter) -> None:
    window = meter.window("w")
    with pytest.raises(WindowNotStarted, match="start"):
        window.wait()
    with window, pytest.raises(WindowOpenError, match="not ended"):
        window.wait(timeout=0.5)
    assert window.wait()["final"]


def test_a_wait_can_be_cut_short(meter: EnergyMeter) -> None:
    with meter.batch() as window:
        pass
    result = window.wait(0)
    assert result["final"]
    meter.summary()
    assert window.to_dict() == result
    for long in (float("inf"), 1e300, 10**12):
        with meter.batch() as window:
            pass
        assert window.wait(timeout=long)["final"]


@pytest.mark.parametrize("wrong", [-1, -0.001, float("nan"), 10**400])
def test_a_wrong_timeout(meter: EnergyMeter, wrong: Any) -> None:
    with meter.batch() as window:
        pass
    with pytest.raises(InvalidArgument, match="timeout must be a number of seconds") as caught:
        window.wait(wrong)
    assert repr(wrong)[:20] in str(caught.value)


@pytest.mark.parametrize("wrong", ["1", True, [1], 1j])
def test_a_timeout_of_a_wrong_type(meter: EnergyMeter, wrong: Any) -> None:
    with meter.batch() as window:
        pass
    with pytest.raises(TypeError, match="timeout must be a number of seconds"):
        window.wait(wrong)


def test_a_closed_meter_and_one_that_is_gone(make: MakeMeter) -> None:
    meter = make()
    opened = meter.batch().start()
    with meter.epoch() as ended:
        pass
    meter.close()
    assert opened.wait()["final"]
    assert ended.wait()["final"]
    assert meter.last_epoch(final=True) == ended.to_dict()
    with make().batch() as kept:
        pass
    assert kept.wait()["final"]


def test_a_disabled_meter(make: MakeMeter) -> None:
    meter = make(enabled=False, overhead_limit=0.5, sync=True)
    with meter.batch() as window:
        pass
    results = [window.wait(), window.wait(0), meter.last_batch(final=True)]
    results += [meter.last_epoch(final=True), meter.last("w", final=True)]
    for result in results:
        assert result is not None
        assert result["final"]
        assert result["energy_j"] == 0
        assert "not synchronised" not in str(result["reasons"])


def test_many_threads_wait_while_windows_end(meter: EnergyMeter) -> None:
    stop = threading.Event()
    failed: list[BaseException] = []

    def work(step: Callable[[], object]) -> None:
        try:
            while not stop.is_set():
                step()
        except BaseException as error:
            failed.append(error)

    def train() -> None:
        for _ in meter.batches(range(200)):
            pass

    def ask() -> None:
        result = meter.last_batch(final=True)
        assert result is None or result["final"]

    def wait() -> None:
        with meter.batch("mine") as window:
            pass
        assert window.wait()["final"]

    threads = [threading.Thread(target=work, args=(step,)) for step in (train, ask, ask, wait)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
