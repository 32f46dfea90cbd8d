# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Meters on this machine and on made-up ones whose counters the tests move."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from energy_meter import EnergyMeter, EnergyMeterWarning


class MakeMeter(Protocol):
    def __call__(
        self, root: str | Path = "/", as_user: bool = False, **options: Any
    ) -> EnergyMeter: ...


class RunPython(Protocol):
    def __call__(
        self, program: str, *options: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]: ...


def on(root: str | Path, as_user: bool = False) -> type[EnergyMeter]:
    """The class whose meters measure another machine."""

    class Elsewhere(EnergyMeter):
        _root = str(root)
        _as_user = as_user

    return Elsewhere


@pytest.fixture
def make() -> Iterator[MakeMeter]:
    """Meters that warn of nothing and are closed after the test."""
    made = []

    def make_meter(root: str | Path = "/", as_user: bool = False, **options: Any) -> EnergyMeter:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EnergyMeterWarning)
            made.append(on(root, as_user)(**{"sample_interval": 0.01, **options}))
        return made[-1]

    yield make_meter
    for meter in made:
        meter.close()


@pytest.fixture
def meter(make: MakeMeter) -> EnergyMeter:
    return make(cpu_tdp_w=65.0)


@pytest.fixture
def run_python() -> RunPython:
    """Another interpreter; what it warns of fails it."""

    def run(
        program: str, *options: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *options, "-c", program],
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def busy(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


class Machine:
    """RAPL zones of chosen power and CPUs of a chosen utilisation, which move while run() runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.moved_uj: dict[str, int] = {}
        self._zones: dict[str, tuple[int, float]] = {}
        self._stat: tuple[int, float] | None = None
        self._elapsed = 0.0
        self._open("proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\nphysical id\t: 0\n")

    def _open(self, path: str, text: str) -> int:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return os.open(file, os.O_WRONLY)

    def zone(self, directory: str, name: str, watts: float) -> None:
        folder = f"sys/class/powercap/{directory}"
        self._open(f"{folder}/name", f"{name}\n")
        self._open(f"{folder}/max_energy_range_uj", "262143328850\n")
        counter = self._open(f"{folder}/energy_uj", f"{1_000_000:015d}\n")
        self._zones[name] = (counter, watts)
        self.moved_uj[name] = 0

    def cpus(self, utilisation: float) -> None:
        self._stat = (self._open("proc/stat", ""), utilisation)
        self._move()

    def _move(self) -> None:
        for name, (counter, watts) in self._zones.items():
            self.moved_uj[name] = int(self._elapsed * watts * 1e6)
            os.pwrite(counter, f"{1_000_000 + self.moved_uj[name]:015d}".encode(), 0)
        if self._stat is not None:
            stat, utilisation = self._stat
            ticks = int(self._elapsed * 10_000)
            used = round(ticks * utilisation)
            text = f"cpu  {1000 + used:012d} 0 0 {1000 + ticks - used:012d} 0 0 0 0 0 0\n"
            os.pwrite(stat, text.encode(), 0)

    def run(self, seconds: float) -> None:
        begin, before = time.monotonic(), self._elapsed
        while self._elapsed - before < seconds:
            self._elapsed = before + time.monotonic() - begin
            self._move()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def spend() -> Callable[[float], None]:
    return busy


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    """Whether it comes true within seconds: a thread that has ended is listed a moment longer."""

    def wait(condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 5
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.001)
        return condition()

    return wait
