# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What is said of others on the machine, and memory that is modelled."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from energy_meter import EnergyMeter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.python.conftest import Machine, MakeMeter


def busy_s() -> float:
    """CPU time that the CPUs spent on anything, as the kernel counts it (proc(5))."""
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def test_the_share_of_this_process(meter: EnergyMeter, spend: Callable[[float], None]) -> None:
    """The CPU time that getrusage and /proc/stat tell for the same second, whoever else runs."""
    used, busy = time.process_time(), busy_s()
    with meter.window("busy") as window:
        spend(1.0)
    used, busy = time.process_time() - used, busy_s() - busy
    assert window.wait()
    share = window.process_cpu_share
    assert share is not None
    assert 0 < share <= 1
    assert share == pytest.approx(used / busy, abs=0.15)
    assert share == window.to_dict()["process_cpu_share"]
    assert window.process_cpu_share_reason is None


def test_a_window_that_is_too_short_has_none(meter: EnergyMeter) -> None:
    with meter.batch() as batch:
        pass
    assert batch.process_cpu_share is None
    assert "shorter than 0.2 s" in (batch.process_cpu_share_reason or "")


def test_another_machine_has_none(make: MakeMeter, machine: Machine) -> None:
    machine.cpus(0.5)
    meter = make(machine.root)
    with meter.window() as window:
        machine.run(0.5)
    summary = meter.summary()
    assert window.process_cpu_share is None
    assert summary["run"]["process_cpu_share"] is None
    for reason in (window.process_cpu_share_reason, summary["run"]["process_cpu_share_reason"]):
        assert "/proc/self/stat" in (reason or "")
    assert summary["gpu_shared"] is None


def test_a_disabled_meter() -> None:
    meter = EnergyMeter(enabled=False)
    with meter.batch() as batch:
        pass
    result = batch.to_dict()
    assert result["process_cpu_share"] is None
    assert "enabled=False" in (result["process_cpu_share_reason"] or "")
    assert meter.summary()["gpu_shared"] is None


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("measured", [False, True])
def test_modelled_memory(make: MakeMeter, machine: Machine, asked: bool, measured: bool) -> None:
    """64 GB at 0.375 W each, beside a measured package; the model of the machine holds it."""
    (machine.root / "proc").mkdir(exist_ok=True)
    (machine.root / "proc/meminfo").write_text("MemTotal:       65688164 kB\n")
    machine.cpus(0.5)
    if measured:
        machine.zone("intel-rapl:0", "package-0", 100)
    meter = make(machine.root, dram_model=asked, cpu_tdp_w=65)
    with meter.window() as window:
        machine.run(0.3)
    meter.summary()
    result = window.to_dict()
    if asked and measured:
        assert result["channels"]["dram/model"]["provenance"] == "estimated"
        assert result["dram_energy_j"] == pytest.approx(24 * result["duration_s"], rel=0.02)
    else:
        assert result["dram_energy_j"] is None
    rows = [c for c in meter.channels if c["name"] == "dram/model"]
    assert len(rows) == asked
    for row in rows:
        assert row["role"] == ("counted" if measured else "part")
        assert measured or "memory included" in (row["reason"] or "")
