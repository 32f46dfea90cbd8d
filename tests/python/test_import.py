# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Importing is cheap and quiet, and what is imported is what is promised."""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

import pytest

import energy_meter

if TYPE_CHECKING:
    from tests.python.conftest import RunPython

HEAVY = (
    "asyncio",
    "collections",
    "contextlib",
    "copyreg",
    "ctypes",
    "dataclasses",
    "enum",
    "functools",
    "inspect",
    "json",
    "logging",
    "multiprocessing",
    "re",
    "subprocess",
    "threading",
    "torch",
    "typing",
    "warnings",
)


def imported(run_python: RunPython, program: str) -> set[str]:
    """What the program adds to sys.modules of a bare interpreter, on this one's path."""
    done = run_python(
        f"import sys; sys.path[:] = {sys.path!r}; before = set(sys.modules)\n{program}\n"
        "print(*sorted(set(sys.modules) - before))",
        "-S",
    )
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


def test_nothing_heavy_is_imported(run_python: RunPython) -> None:
    modules = imported(run_python, "import energy_meter")
    assert "energy_meter._native" in modules
    assert modules & {*HEAVY, "energy_meter.types"} == set()


def test_measuring_imports_little(run_python: RunPython) -> None:
    program = (
        "import energy_meter, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "meter = energy_meter.EnergyMeter()\n"
        "with meter.epoch():\n"
        "    for _ in meter.batches([1, 2]): pass\n"
        "meter.last_batch()\n"
    )
    modules = imported(run_python, program)
    bare = imported(run_python, "import warnings")
    assert (modules - bare) & {*HEAVY, "energy_meter.types"} == set()


def test_importing_costs_less_than_half_of_dataclasses(run_python: RunPython) -> None:
    program = (
        f"import sys, time; sys.path[:] = {sys.path!r}\n"
        "begin = time.perf_counter()\n"
        "import {module}\n"
        "print(time.perf_counter() - begin)\n"
    )

    def seconds(module: str) -> float:
        code = program.replace("{module}", module)
        env = {"PYTHONDONTWRITEBYTECODE": ""}
        return min(float(run_python(code, "-S", env=env).stdout) for _ in range(7))

    assert seconds("energy_meter") < seconds("dataclasses") / 2


def test_the_public_names() -> None:
    for name in energy_meter.__all__:
        assert getattr(energy_meter, name) is not None
    assert energy_meter.__version__.count(".") == 2


def test_subinterpreters_are_refused_clearly(run_python: RunPython) -> None:
    interpreters = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    pytest.importorskip(interpreters)
    create = "create('legacy')" if sys.version_info >= (3, 13) else "create(isolated=False)"
    done = run_python(
        f"import sys, {interpreters} as interpreters\n"
        "code = '''\n"
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "try:\n"
        "    import energy_meter\n"
        "except ImportError as error:\n"
        "    print(error)\n"
        "'''\n"
        f"interpreters.run_string(interpreters.{create}, code)\n"
    )
    assert "not in a subinterpreter" in done.stdout, done.stderr


def test_every_status_has_an_exception() -> None:
    from energy_meter import _errors

    for cls in _errors.BY_WORD.values():
        assert issubclass(cls, (_errors.EnergyMeterError, MemoryError))
    public = {value for value in vars(energy_meter).values() if isinstance(value, type)}
    for cls in _errors.BY_WORD.values():
        assert cls is MemoryError or cls in public


def test_an_empty_window_costs_microseconds(meter: energy_meter.EnergyMeter) -> None:
    """A generous bound, that only a wrong design misses; the figures are the benchmarks'."""
    samples = []
    for _ in range(50):
        begin = time.perf_counter()
        for _ in range(100):
            with meter.batch():
                pass
        samples.append((time.perf_counter() - begin) / 100)
    assert statistics.median(samples) < 50e-6
