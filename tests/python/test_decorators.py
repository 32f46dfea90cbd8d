# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Functions whose every call is a window of its own."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from energy_meter import EnergyMeter


def test_each_call_is_a_window_of_its_own(meter: EnergyMeter) -> None:
    @meter.window()
    def validate(left: int, *, right: int) -> int:
        """Adds."""
        return left + right

    assert meter.last("validate") is None
    assert [validate(i, right=1) for i in range(3)] == [1, 2, 3]
    assert validate.__name__ == "validate"
    assert validate.__doc__ == "Adds."
    assert list(inspect.signature(validate).parameters) == ["left", "right"]
    assert meter.summary()["windows"]["validate"]["count"] == 3


def test_names(meter: EnergyMeter) -> None:
    def step() -> None:
        pass

    meter.batch()(step)()
    meter.epoch()(step)()
    meter.batch("train")(step)()
    meter.window("own")(step)()
    meter.window()(lambda: None)()
    summary = meter.summary()
    assert summary["num_batches"] == 1
    assert summary["num_epochs"] == 1
    assert set(summary["windows"]) == {"train", "own", "<lambda>"}


def test_recursion_and_exceptions(meter: EnergyMeter) -> None:
    @meter.window()
    def down(depth: int) -> None:
        if depth == 0:
            raise LookupError("bottom")
        down(depth - 1)

    with pytest.raises(LookupError, match="bottom"):
        down(4)
    assert meter.summary()["windows"]["down"]["count"] == 5


def test_async_functions_are_awaited_inside(meter: EnergyMeter) -> None:
    @meter.window()
    async def fetch(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    assert inspect.iscoroutinefunction(fetch)
    assert asyncio.run(fetch(0.03)) == 0.03
    last = meter.last("fetch")
    assert last is not None
    assert last["duration_s"] >= 0.03


def test_async_calls_overlap(meter: EnergyMeter) -> None:
    @meter.batch()
    async def fetch() -> None:
        await asyncio.sleep(0.03)

    async def all_of_them() -> None:
        await asyncio.gather(*(fetch() for _ in range(5)))

    asyncio.run(all_of_them())
    summary = meter.summary()
    assert summary["num_batches"] == 5
    assert summary["batch_summary"]["total_duration_s"] >= 5 * 0.03
    assert summary["run"]["duration_s"] < 5 * 0.03


def test_a_cancelled_coroutine_ends_its_window(meter: EnergyMeter) -> None:
    @meter.batch()
    async def forever() -> None:
        await asyncio.sleep(3600)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(forever(), 0.01)

    asyncio.run(give_up())
    assert meter.summary()["num_batches"] == 1


class Generates:
    def __call__(self) -> Iterator[int]:
        yield 1


def generates() -> Iterator[int]:
    yield 1


async def generates_async() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    "function",
    [
        generates,
        generates_async,
        functools.partial(generates),
        Generates(),
        Generates().__call__,
    ],
)
def test_generator_functions_are_refused_at_decoration(
    meter: EnergyMeter, function: Callable[..., object]
) -> None:
    for window in (meter.batch(), meter.epoch(), meter.window(), meter.window("x")):
        with pytest.raises(TypeError, match=r"generator function.*with meter\.window"):
            window(function)
    disabled = EnergyMeter(enabled=False)
    with pytest.raises(TypeError, match="generator function"):
        disabled.batch()(function)


def test_methods_of_all_kinds(meter: EnergyMeter) -> None:
    class Model:
        @meter.window()
        def forward(self, x: int) -> int:
            return x + 1

        @staticmethod
        @meter.window()
        def backward(x: int) -> int:
            return x - 1

        @classmethod
        @meter.window()
        def build(cls) -> Model:
            return cls()

        def __call__(self) -> str:
            return "called"

    model = Model.build()
    assert model.forward(1) == 2
    assert model.backward(1) == 0
    assert meter.window("bound")(model.forward)(2) == 3
    assert meter.window()(model)() == "called"
    partial = functools.partial(model.forward, 5)
    assert meter.window()(partial)() == 6
    counts = {name: group["count"] for name, group in meter.summary()["windows"].items()}
    assert counts == {"build": 1, "forward": 4, "backward": 1, "bound": 1, "Model": 1}


def test_what_cannot_be_decorated(meter: EnergyMeter) -> None:
    with pytest.raises(TypeError, match="only a function"):
        meter.window()(3)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="only a function"):
        meter.window()(EnergyMeter)
    with pytest.raises(TypeError, match="classmethod"):
        meter.window()(classmethod(print))  # type: ignore[type-var]
    for one in (meter, EnergyMeter(enabled=False)):
        with pytest.raises(TypeError, match="put @staticmethod above the window"):
            one.window()(staticmethod(print))
    for call in (meter.batch, meter.epoch, meter.window):
        with pytest.raises(TypeError, match=rf"write @meter\.{call.__name__}\(\)"):
            call(print)  # type: ignore[arg-type]


def test_decorating_begins_nothing(meter: EnergyMeter) -> None:
    window = meter.batch("shared")

    def one() -> int:
        return 1

    first, second = window(one), window(one)
    assert first() + second() == 2
    assert meter.summary()["windows"]["shared"]["count"] == 2
