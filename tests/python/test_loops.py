# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Loops that measure each turn, from asking for an item to asking for the next."""

from __future__ import annotations

import contextlib
import gc
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import pytest

from energy_meter import EnergyMeter, MeterClosed

T = TypeVar("T")


def durations(meter: EnergyMeter) -> tuple[int, float]:
    summary = meter.summary()
    return summary["num_batches"], summary["batch_summary"]["total_duration_s"]


def test_every_item_is_one_window(meter: EnergyMeter) -> None:
    items = [object() for _ in range(5)]
    seen: list[object] = []
    for item in meter.batches(items):
        assert meter.last_batch() is None or len(seen) > 0
        seen.append(item)
    assert seen == items
    assert meter.summary()["num_batches"] == 5
    assert meter.summary()["num_epochs"] == 0


def test_loading_counts_and_nothing_falls_between(
    meter: EnergyMeter, spend: Callable[[float], None]
) -> None:
    def load() -> Iterator[int]:
        for item in range(4):
            spend(0.02)
            yield item

    begin = time.monotonic()
    asked = []
    for _ in meter.batches(load()):
        asked.append(time.monotonic())
        spend(0.01)
    end = time.monotonic()
    count, total = durations(meter)
    assert count == 4
    assert 4 * 0.03 <= total <= end - begin
    assert total >= asked[-1] - asked[0] + 0.03


def test_the_first_window_begins_with_the_first_question(
    meter: EnergyMeter, spend: Callable[[float], None]
) -> None:
    iterator = iter(meter.batches([1]))
    spend(0.03)
    begin = time.monotonic()
    assert next(iterator) == 1
    assert list(iterator) == []
    assert meter.summary()["batch_summary"]["total_duration_s"] <= time.monotonic() - begin


def check_ended(meter: EnergyMeter, spend: Callable[[float], None], count: int) -> None:
    """The last window ended when the loop did, whatever happens to hold frames alive."""
    last = meter.last_batch()
    assert last is not None
    spend(0.02)
    later = meter.last_batch()
    assert later is not None
    assert later["duration_s"] == last["duration_s"] < 0.02
    assert meter.summary()["num_batches"] == count


def test_break_ends_the_window_at_once(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    loop = meter.batches(range(10))
    for item in loop:
        if item == 2:
            break
    check_ended(meter, spend, 3)


def test_what_the_loader_does_at_its_end_is_in_no_window(
    meter: EnergyMeter, spend: Callable[[float], None]
) -> None:
    """A loader that stops its workers when it is dropped takes a while."""

    def load() -> Iterator[int]:
        try:
            yield from range(3)
        finally:
            spend(0.05)

    for _ in meter.batches(load()):
        break
    for _ in meter.batches(load()):
        pass
    count, total = durations(meter)
    assert count == 4
    assert total < 0.05


def test_return_ends_the_window_at_once(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    def find() -> int:
        for item in meter.batches(range(10)):
            if item == 1:
                return item
        return -1

    assert find() == 1
    check_ended(meter, spend, 2)


def test_an_exception_ends_the_window_at_once(
    meter: EnergyMeter, spend: Callable[[float], None]
) -> None:
    gc.disable()
    try:
        error = ZeroDivisionError("mine")
        kept = None
        try:
            for item in meter.batches(range(10)):
                if item == 3:
                    raise error
        except ZeroDivisionError as caught:
            kept = caught
            check_ended(meter, spend, 4)
        assert kept is error
    finally:
        gc.enable()


def test_an_exception_from_a_function_ends_the_window_at_once(
    meter: EnergyMeter, spend: Callable[[float], None]
) -> None:
    def train() -> None:
        loop = meter.batches(range(10))
        for item in loop:
            _ = 1 // (1 - item)

    gc.disable()
    try:
        try:
            train()
        except ZeroDivisionError:
            assert sys.exc_info()[2] is not None
            check_ended(meter, spend, 2)
    finally:
        gc.enable()


def test_an_exception_of_the_loader_passes_unchanged(
    meter: EnergyMeter, spend: Callable[[float], None]
) -> None:
    error = OSError("the disk is gone")

    def load() -> Iterator[int]:
        yield 1
        raise error

    with pytest.raises(OSError, match="disk") as caught:
        list(meter.batches(load()))
    assert caught.value is error
    check_ended(meter, spend, 2)


@pytest.mark.parametrize(
    "wrap", [lambda items: items, enumerate, lambda items: zip(items, items, strict=False)]
)
def test_exhaustion_leaves_no_empty_window(
    meter: EnergyMeter, wrap: Callable[[Iterable[int]], Iterable[object]]
) -> None:
    for _ in wrap(meter.batches([])):
        raise AssertionError("there is no item")
    assert meter.last_batch() is None
    assert meter.summary()["num_batches"] == 0
    for _ in meter.batches([1, 2]):
        pass
    assert meter.summary()["num_batches"] == 2


def progress(items: Iterable[T]) -> Iterator[T]:
    """As tqdm does."""
    yield from items


@pytest.mark.parametrize("wrap", [progress, enumerate, lambda items: map(str, items)])
def test_a_break_below_a_wrapper_ends_the_window_too(
    meter: EnergyMeter,
    spend: Callable[[float], None],
    wrap: Callable[[Iterable[int]], Iterable[object]],
) -> None:
    for index, _ in enumerate(wrap(meter.batches(range(10)))):
        if index == 4:
            break
    check_ended(meter, spend, 5)


def test_length_passes_through(meter: EnergyMeter) -> None:
    assert len(meter.batches([1, 2, 3])) == 3
    assert len(meter.epochs(range(7))) == 7
    assert len(meter.batches([])) == 0
    with pytest.raises(TypeError, match=r"has no len\(\)"):
        len(meter.batches(iter([1])))
    assert list(meter.batches(iter([1, 2]))) == [1, 2]
    assert meter.batches(iter([]))


def test_epochs_and_batches_nest(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    for _ in meter.epochs(range(2)):
        for _ in meter.batches([1, 2, 3]):
            spend(0.01)
    summary = meter.summary()
    assert summary["num_epochs"] == 2
    assert summary["num_batches"] == 6
    batches, epochs = summary["batch_summary"], summary["epoch_summary"]
    assert 0.06 <= batches["total_duration_s"] <= epochs["total_duration_s"]
    assert batches["total_energy_j"] <= epochs["total_energy_j"] * (1 + 1e-9)
    assert summary["run"]["in_batches_j"] == pytest.approx(batches["total_energy_j"], rel=1e-6)


def test_a_loop_can_have_a_name(meter: EnergyMeter) -> None:
    for _ in meter.batches([1, 2], "val"):
        pass
    summary = meter.summary()
    assert summary["windows"]["val"]["count"] == 2
    assert summary["num_batches"] == 0
    assert meter.last("val") == meter.last_batch()


def test_each_for_iterates_anew(meter: EnergyMeter) -> None:
    loop = meter.batches([1, 2, 3])
    assert list(loop) == list(loop) == [1, 2, 3]
    assert meter.summary()["num_batches"] == 6


def test_an_old_style_sequence_is_iterable(meter: EnergyMeter) -> None:
    class Items:
        def __getitem__(self, index: int) -> int:
            if index > 2:
                raise IndexError(index)
            return index * index

    assert list(meter.batches(Items())) == [0, 1, 4]  # type: ignore[arg-type]
    assert meter.summary()["num_batches"] == 3


@pytest.mark.parametrize("wrong", [5, None, len])
def test_what_is_no_iterable_is_refused(meter: EnergyMeter, wrong: object) -> None:
    with pytest.raises(TypeError, match=r"batches\(\) takes something to iterate over"):
        meter.batches(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"epochs\(\) takes something to iterate over"):
        meter.epochs(wrong)  # type: ignore[arg-type]


def test_an_iterator_can_be_closed(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    iterator = iter(meter.batches(range(10)))
    with contextlib.closing(iterator):  # type: ignore[type-var]
        assert next(iterator) == 0
    check_ended(meter, spend, 1)
    assert list(iterator) == []


def test_a_loader_that_recovers_goes_on(meter: EnergyMeter) -> None:
    class Flaky:
        def __init__(self) -> None:
            self.calls = 0

        def __iter__(self) -> Flaky:
            return self

        def __next__(self) -> int:
            self.calls += 1
            if self.calls == 2:
                raise BlockingIOError
            return self.calls

    iterator = iter(meter.batches(Flaky()))
    assert next(iterator) == 1
    with pytest.raises(BlockingIOError):
        next(iterator)
    assert next(iterator) == 3
    del iterator
    assert meter.summary()["num_batches"] == 3


def test_a_loader_that_cannot_begin_leaves_no_window(meter: EnergyMeter) -> None:
    class Broken:
        def __iter__(self) -> Iterator[int]:
            raise OSError("no such file")

    class Wrong:
        def __iter__(self) -> Iterator[int]:
            return 5  # type: ignore[return-value]

    with pytest.raises(OSError, match="no such file"):
        list(meter.batches(Broken()))
    with pytest.raises(TypeError, match="non-iterator"):
        list(meter.epochs(Wrong()))
    assert meter.last_batch() is meter.last_epoch() is None
    assert meter.summary()["num_batches"] == meter.summary()["num_epochs"] == 0


def test_a_closed_meter_begins_no_turn(meter: EnergyMeter) -> None:
    iterator = iter(meter.batches(range(3)))
    assert next(iterator) == 0
    meter.close()
    with pytest.raises(MeterClosed):
        next(iterator)
