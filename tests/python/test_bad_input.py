# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What is wrong raises at once, and names the argument, the value and what is allowed."""

from __future__ import annotations

import fractions
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter, EnergyMeterError, InvalidArgument, UnknownWindow, _native

if TYPE_CHECKING:
    from tests.python.conftest import MakeMeter

NAN, INFINITY = float("nan"), float("inf")


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


async def lazy() -> None:
    pass


def endless() -> Iterator[int]:
    yield 1


def many(argument: str, *values: Any) -> list[tuple[str, Any]]:
    return [(argument, value) for value in values]


VALUES: list[tuple[str, Any]] = [
    *many("sample_interval", 0, -1, 0.0009, 60.1, NAN, INFINITY, -INFINITY),
    *many("cpu_tdp_w", 0, -65.0, NAN, INFINITY, 100_001, 10**400),
    *many("gpu_tdp_w", 0.0, -1, NAN, -INFINITY, 1e9),
    *many("carbon_intensity_g_per_kwh", -1, NAN, INFINITY, 100_001),
    *many("device", "tpu", "", "CPU", "cuda:", "cuda:-1", "cuda:1.5", "gpu:0"),
    *many("device", "cuda:100000", "cuda:" + "9" * 40),
    *many("gpus", "", "first", "0,,1", "0;1", [], -1, [0, -1], "nvidia", ["all"]),
    *many("channels", "cpu", "+", ["-"], "+a,,-b", ["+a,-b"], "+a\n"),
    *many("gpus", "GPU-\0", "GPU-\udc80", ["GPU-é"], 10**30, [2**32], "0,100000"),
    *many("gpus", ["GPU-a,1"], ["0,1"]),
    *many("require", ["tpu"], {"CPU"}, ("cpu", "")),
    *many("sync", "", "Auto", "cuda", "never"),
    *many("overhead_limit", -0.001, 1.001, 10, NAN, INFINITY, -INFINITY, 10**400),
]
TYPES: list[tuple[str, Any]] = [
    *many("sample_interval", "0.1", None, True, [0.1], b"1", 1j),
    *many("cpu_tdp_w", "65", False, [65], object()),
    *many("gpu_tdp_w", "300", True, {}),
    *many("carbon_intensity_g_per_kwh", "FR", True, Unprintable()),
    *many("device", None, 0, b"cpu", ["cpu"], Unprintable()),
    *many("channels", 1, b"+a", [1], {"+a"}),
    *many("gpus", None, 1.5, True, [0, 1.5], [None], {0}, b"0"),
    *many("require", "cpu", b"cpu", None, 1, [1], [None]),
    *many("enabled", None, 1, "yes", []),
    *many("dram_model", None, 1, "yes", []),
    *many("sync", None, 0, 1, 0.5, [], b"auto", Unprintable(), lazy, endless),
    *many("overhead_limit", None, "0.001", True, [0.001], b"1", 1j),
]


def check_words(error: BaseException, argument: str, value: object) -> None:
    assert argument in str(error)
    if not isinstance(value, Unprintable) and len(repr(value)) < 70:
        assert repr(value) in str(error)
    str(error).encode()
    assert "must be" in str(error) or "must name" in str(error)
    assert len(str(error)) < 400


@pytest.mark.parametrize(("argument", "value"), VALUES)
@pytest.mark.parametrize("enabled", [True, False])
def test_a_wrong_value(argument: str, value: object, enabled: bool) -> None:
    with pytest.raises(ValueError, match=argument) as caught:
        EnergyMeter(**{argument: value, "enabled": enabled})  # type: ignore[arg-type]
    assert isinstance(caught.value, InvalidArgument)
    assert isinstance(caught.value, EnergyMeterError)
    check_words(caught.value, argument, value)


@pytest.mark.parametrize(("argument", "value"), TYPES)
def test_a_wrong_type(argument: str, value: object) -> None:
    with pytest.raises(TypeError, match=argument) as caught:
        EnergyMeter(**{argument: value})  # type: ignore[arg-type]
    check_words(caught.value, argument, value)


def test_what_numpy_calls_a_number_or_a_list() -> None:
    numpy = pytest.importorskip("numpy")
    truths = [numpy.True_, numpy.False_, numpy.array(True)]
    for argument in ("sample_interval", "cpu_tdp_w", "gpu_tdp_w", "carbon_intensity_g_per_kwh"):
        for value in truths:
            with pytest.raises(TypeError, match=f"{argument} must be a number") as caught:
                EnergyMeter(**{argument: value})
            check_words(caught.value, argument, value)
    for value in (numpy.array([0, 1]), numpy.array([1]), numpy.float64(1), [numpy.True_], *truths):
        with pytest.raises(TypeError, match=r"gpus must be .* a list of indices") as caught:
            EnergyMeter(gpus=value)
        check_words(caught.value, "gpus", value)


def test_how_gpus_are_named_is_told() -> None:
    with pytest.raises(InvalidArgument, match=r"gpus must be .*an index is from 0 to 99999"):
        EnergyMeter(gpus=10**5000)
    for text in ("100000", "9" * 5000):
        for options in ({"gpus": text}, {"gpus": [text]}, {"device": f"cuda:{text}"}):
            with pytest.raises(InvalidArgument, match="an index is from 0 to 99999"):
                EnergyMeter(**options)
    with pytest.raises(InvalidArgument, match="in a list each GPU is an item of its own"):
        EnergyMeter(gpus=["GPU-a,1"])


def test_an_unknown_keyword() -> None:
    with pytest.raises(TypeError, match=r"interval=1.*allowed are sample_interval, cpu_tdp_w"):
        EnergyMeter(interval=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="positional"):
        EnergyMeter(0.1, 65, 200, 450, "auto", "visible", (), True, 9)  # type: ignore[call-arg, arg-type]


def test_what_is_right(make: MakeMeter) -> None:
    numpy = pytest.importorskip("numpy")
    right: list[dict[str, Any]] = [
        {"sample_interval": 0.001},
        {"sample_interval": 60},
        {"cpu_tdp_w": fractions.Fraction(65)},
        {"cpu_tdp_w": numpy.float32(65), "sample_interval": numpy.float64(0.1)},
        {"cpu_tdp_w": numpy.int64(65), "enabled": numpy.bool_(True)},
        {"carbon_intensity_g_per_kwh": 0},
        {"require": []},
        {"require": iter(())},
    ]
    for options in right:
        assert make(**options).device in ("cpu", "gpu")
    assert make(carbon_intensity_g_per_kwh=0).summary()["carbon_intensity_g_per_kwh"] == 0


def test_a_device_and_other_gpus_contradict() -> None:
    with pytest.raises(ValueError, match=r"device='cuda:1' names one GPU and gpus=\[0, 2\] others"):
        EnergyMeter(device="cuda:1", gpus=[0, 2])


@pytest.mark.parametrize("call", ["batch", "epoch", "window", "last"])
def test_names(meter: EnergyMeter, call: str) -> None:
    make_window = getattr(meter, call)
    for wrong in ("", "x" * 256, "é" * 128, "nul\0", "\udcff"):
        with pytest.raises(ValueError, match="name must be a text of 1 to 255 bytes"):
            make_window(wrong)
    for untexted in (1, b"x", ["x"], 1.5):
        with pytest.raises(TypeError, match="name must be a text of 1 to 255 bytes"):
            make_window(untexted)
    for right in ("x" * 255, "é" * 127, "*", "a b\n\t"):
        make_window(right)


def test_a_name_of_255_bytes_comes_back(meter: EnergyMeter) -> None:
    name = "é" * 127
    with meter.window(name):
        pass
    assert list(meter.summary()["windows"]) == [name]


def test_the_native_part_trusts_nobody() -> None:
    with pytest.raises(InvalidArgument, match="sample_interval_ns is 0"):
        _native.Meter(sample_interval_ns=0)
    with pytest.raises(InvalidArgument, match="cpu_tdp_w"):
        _native.Meter(cpu_tdp_w=INFINITY)
    with pytest.raises(InvalidArgument, match="measure"):
        _native.Meter(without=0xFFFFFFFF)
    with pytest.raises(InvalidArgument, match="flags"):
        _native.Meter(flags=1 << 20)
    native: Any = _native.Meter(environment=["LOCAL_RANK=0", "odd", "\udcff="], root="/")
    for wrong in ((0,), (0, None), (0, None, True, 1)):
        with pytest.raises(TypeError):
            native.begin(*wrong)
    with pytest.raises(OverflowError):
        native.begin(1 << 70, None, True)
    for kind in (-2, 4, (1 << 32) + 1):
        with pytest.raises(InvalidArgument):
            native.begin(kind, None, True)
    with pytest.raises(TypeError):
        native.begin("batch", None, True)
    with pytest.raises(TypeError):
        native.begin(1, 5, True)
    with pytest.raises(InvalidArgument, match="name"):
        native.begin(1, "", True)
    with pytest.raises(TypeError):
        _native.Record()
    with pytest.raises(TypeError):
        _native.Meter(7)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        _native.Meter(environment=[7])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="null"):
        _native.Meter(root="a\0b")
    record = native.begin(_native.KIND_OTHER, None, False)
    record.cancel()
    record.cancel()
    record.end()
    with pytest.raises(UnknownWindow):
        record.result()
    with pytest.raises(EnergyMeterError):
        record.lap()
    native.close(0)
    native.close(0)
