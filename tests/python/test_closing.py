# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""After close() results stay readable, open windows have ended, and none can begin."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from energy_meter import EnergyMeter, EnergyMeterError, MeterClosed, WindowOpenError

if TYPE_CHECKING:
    from tests.python.conftest import MakeMeter, RunPython


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def test_what_was_measured_stays(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    with meter.epoch():
        with meter.batch() as batch:
            spend(0.02)
        with meter.window("val"):
            pass
    meter.close()
    first = meter.summary()
    assert first["num_batches"] == first["num_epochs"] == first["windows"]["val"]["count"] == 1
    assert batch.final
    assert batch.to_dict() == meter.last_batch()
    assert meter.last_epoch() is not None
    assert meter.last("val") is not None
    assert meter.last("other") is None
    assert meter.device in ("cpu", "gpu")
    assert meter.channels
    assert isinstance(meter.absent, list)
    spend(0.02)
    second = meter.summary()
    assert second["run"] == first["run"]
    assert second["scope"]["t_end"] == first["scope"]["t_end"]


def test_nothing_begins_any_more(meter: EnergyMeter) -> None:
    window = meter.batch()
    meter.close()
    for begin in (
        window.start,
        meter.epoch().__enter__,
        lambda: list(meter.batches([1])),
        meter.window()(lambda: None),
    ):
        with pytest.raises(MeterClosed, match="closed"):
            begin()
    assert issubclass(MeterClosed, (EnergyMeterError, RuntimeError))
    assert meter.summary()["num_batches"] == 0


def test_open_windows_are_ended_by_it(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    with meter.epoch() as epoch:
        batch = meter.batch().start()
        spend(0.01)
        meter.close()
        closed = time.monotonic()
        spend(0.03)
    batch.stop()
    assert time.monotonic() - closed >= 0.03
    for window in (epoch, batch):
        assert window.duration_s >= 0.01
        assert window.final
    assert epoch.duration_s - batch.duration_s < 0.03
    assert meter.summary()["num_epochs"] == meter.summary()["num_batches"] == 1


@pytest.mark.parametrize("enabled", [True, False])
def test_a_window_that_close_ended_is_readable(
    make: MakeMeter, spend: Callable[[float], None], enabled: bool
) -> None:
    meter = make(cpu_tdp_w=65.0, enabled=enabled)
    window = meter.batch().start()
    spend(0.02)
    with pytest.raises(WindowOpenError):
        window.to_dict()
    assert "open" in repr(window)
    meter.close()
    first = window.to_dict()
    assert first["final"]
    assert first["duration_s"] >= (0.02 if enabled else 0)
    assert window.energy_j == first["energy_j"]
    assert "ended" in repr(window)
    spend(0.02)
    assert window.stop().to_dict() == first


def test_closing_twice_and_the_block(
    eventually: Callable[[Callable[[], bool]], bool],
) -> None:
    before = threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = EnergyMeter()
    assert threads() > before
    with made as meter:
        assert meter is made
        with meter.batch():
            pass
    meter.close()
    meter.close()
    assert eventually(lambda: threads() <= before)
    with pytest.raises(MeterClosed):
        meter.batch().start()


def test_the_block_passes_exceptions(meter: EnergyMeter) -> None:
    with pytest.raises(KeyError), meter:
        raise KeyError("mine")
    with pytest.raises(MeterClosed):
        meter.batch().start()


def test_reset_after_close_is_no_crash(meter: EnergyMeter) -> None:
    with meter.batch():
        pass
    meter.close()
    try:
        meter.reset()
    except MeterClosed:
        assert meter.summary()["num_batches"] == 1
    else:
        assert meter.summary()["num_batches"] == 0


def test_closing_while_others_measure(meter: EnergyMeter) -> None:
    errors: list[BaseException] = []
    go = threading.Event()

    def work() -> None:
        try:
            go.wait()
            while True:
                with meter.batch():
                    meter.last_batch()
        except MeterClosed:
            return
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for thread in workers:
        thread.start()
    go.set()
    time.sleep(0.02)
    meter.close()
    for thread in workers:
        thread.join(10)
        assert not thread.is_alive()
    assert errors == []
    assert meter.summary()["num_batches"] > 0


PROGRAM = """
import atexit, sys, threading, time, warnings
warnings.simplefilter("ignore")
from energy_meter import EnergyMeter
meter = EnergyMeter(sample_interval={interval})
window = meter.batch().start()
loop = iter(meter.epochs(range(3)))
next(loop)
{ending}
"""


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise SystemExit(4)", 4),
        ("raise ValueError('mine')", 1),
        ("sys.modules['kept'] = (meter, window, loop)", 0),
        ("cycle = [meter, window]; cycle.append(cycle); del meter, window", 0),
        ("atexit.register(meter.summary)", 0),
        ("atexit.register(meter.close)", 0),
        ("import os; os._exit(5)", 5),
        ("import os, signal; signal.signal(15, 0); os.kill(os.getpid(), 15)", -15),
        (
            "def spin():\n"
            "    while True:\n"
            "        with meter.batch(): pass\n"
            "        meter.summary()\n"
            "threading.Thread(target=spin, daemon=True).start(); time.sleep(0.05)",
            0,
        ),
    ],
)
def test_the_interpreter_ends_at_once(run_python: RunPython, ending: str, status: int) -> None:
    begin = time.monotonic()
    done = run_python(PROGRAM.format(interval=30, ending=ending))
    assert done.returncode == status, done.stderr
    assert time.monotonic() - begin < 20
    assert done.stdout == ""
    assert "mine" in done.stderr if status == 1 else done.stderr == ""
