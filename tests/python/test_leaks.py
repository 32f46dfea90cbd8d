# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Memory, descriptors and threads stay flat, however many windows and meters there were."""

from __future__ import annotations

import gc
import os
import warnings
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from energy_meter import EnergyMeter

if TYPE_CHECKING:
    from tests.python.conftest import Machine, MakeMeter

Eventually = Callable[[Callable[[], bool]], bool]

MANY = 100_000


def resident_kb() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def blocks(meter: EnergyMeter, count: int) -> None:
    for _ in range(count):
        with meter.batch():
            pass


def named(meter: EnergyMeter, count: int) -> None:
    for i in range(count):
        with meter.window(f"name {i}") as window:
            pass
    del window


def loops(meter: EnergyMeter, count: int) -> None:
    for _ in meter.batches(range(count)):
        pass


def results(meter: EnergyMeter, count: int) -> None:
    for _ in range(count // 10):
        with meter.batch() as window:
            pass
        window.to_dict()
        meter.last_batch()


def waited(meter: EnergyMeter, count: int) -> None:
    for _ in range(count // 10):
        with meter.epoch() as window:
            pass
        window.wait(0)
        meter.last_epoch(final=True)


def dropped(meter: EnergyMeter, count: int) -> None:
    for _ in range(count):
        meter.epoch().start()


def decorated(meter: EnergyMeter, count: int) -> None:
    @meter.window("decorated")
    def work() -> None:
        pass

    for _ in range(count):
        work()


@pytest.mark.parametrize("work", [blocks, named, loops, results, waited, dropped, decorated])
def test_windows(meter: EnergyMeter, work: Callable[[EnergyMeter, int], None]) -> None:
    work(meter, MANY // 5)
    meter.summary()
    gc.collect()
    before = resident_kb(), descriptors(), threads()
    work(meter, MANY)
    meter.summary()
    gc.collect()
    # A leak of 16 bytes a window would be 1.6 MB.
    assert resident_kb() - before[0] < 1500
    assert descriptors() <= before[1]
    assert threads() <= before[2]


def test_summaries_and_channels(make: MakeMeter, machine: Machine) -> None:
    # A model looks every 0.1 s, and a summary waits for it; a counter is read at once.
    machine.zone("intel-rapl:0", "package-0", watts=50.0)
    meter = make(machine.root)

    def work() -> None:
        for _ in range(300):
            meter.summary()
            assert meter.channels
            assert meter.absent is not None
            with pytest.raises(ValueError, match="name"):
                meter.last("")

    work()
    gc.collect()
    before = resident_kb()
    for _ in range(3):
        work()
    gc.collect()
    assert resident_kb() - before < 1000


def test_meters(eventually: Eventually) -> None:
    def work(count: int) -> None:
        for _ in range(count):
            meter = make_and_forget()
            with meter.batch():
                pass
            meter.summary()

    def make_and_forget() -> EnergyMeter:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return EnergyMeter()

    nothing = descriptors(), threads()
    work(50)
    gc.collect()
    before = resident_kb()
    work(100)
    gc.collect()
    assert eventually(lambda: descriptors() <= nothing[0] and threads() <= nothing[1])
    assert resident_kb() - before < 1500


def test_refused_meters(eventually: Eventually) -> None:
    before = descriptors(), threads()
    for _ in range(50):
        with pytest.raises(ValueError, match="cuda:99"):
            EnergyMeter(device="cuda:99")
    assert eventually(lambda: descriptors() <= before[0] and threads() <= before[1])


def test_a_collected_meter_leaves_no_thread(eventually: Eventually) -> None:
    before = threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        meter = EnergyMeter()
    with meter.batch() as kept:
        pass
    meter.summary()
    result = kept.to_dict()
    assert threads() > before
    del meter
    assert eventually(lambda: threads() <= before)
    assert kept.to_dict() == result


def test_a_meter_in_a_cycle_is_collected(eventually: Eventually) -> None:
    class Trainer:
        def __init__(self) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.meter = EnergyMeter()
            self.step = self.meter.window("step")(self.one)

        def one(self) -> None:
            pass

    before = threads()
    trainer = Trainer()
    trainer.step()
    alive = weakref.ref(trainer.meter)
    assert threads() > before
    del trainer
    gc.collect()
    assert alive() is None
    assert eventually(lambda: threads() <= before)
