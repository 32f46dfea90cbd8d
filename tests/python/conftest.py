# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Meters on this machine and on made-up ones whose counters the tests move."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from energy_meter import EnergyMeter, EnergyMeterWarning

TICK_S = 0.002


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
    """A machine with RAPL zones and CPUs of a chosen power and utilisation, moved by a thread in real time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._zones: list[tuple[Path, float]] = []
        self._busy: float | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.total_uj: dict[str, int] = {}
        self._write("proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\nphysical id\t: 0\n")

    def _write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def zone(self, directory: str, name: str, watts: float) -> None:
        folder = f"sys/class/powercap/{directory}"
        self._write(f"{folder}/name", f"{name}\n")
        self._write(f"{folder}/max_energy_range_uj", "262143328850\n")
        self._zones.append((self._write(f"{folder}/energy_uj", f"{1_000_000:015d}\n"), watts))
        self.total_uj[name] = 0

    def cpus(self, utilisation: float) -> None:
        self._busy = utilisation
        self._move_cpus(0)

    def _move_cpus(self, ticks: int) -> None:
        assert self._busy is not None
        used = round(ticks * self._busy)
        text = f"cpu  {1000 + used:012d} 0 0 {1000 + ticks - used:012d} 0 0 0 0 0 0\n"
        path = self.root / "proc/stat"
        if path.exists():
            with path.open("r+") as file:
                file.write(text)
        else:
            self._write("proc/stat", text)

    def start(self) -> Machine:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        begin = time.monotonic()
        while not self._stop.wait(TICK_S):
            elapsed = time.monotonic() - begin
            for path, watts in self._zones:
                moved = int(elapsed * watts * 1e6)
                self.total_uj[(path.parent / "name").read_text().strip()] = moved
                with path.open("r+") as file:
                    file.write(f"{1_000_000 + moved:015d}")
            if self._busy is not None:
                self._move_cpus(int(elapsed * 10_000))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


@pytest.fixture
def spend() -> Callable[[float], None]:
    return busy
