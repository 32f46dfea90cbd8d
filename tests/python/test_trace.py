# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Traces: what a meter writes is replayed to the same summary."""

from __future__ import annotations

import gc
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.python.conftest import Machine, MakeMeter, on

import energy_meter
from energy_meter import EnergyMeterWarning, InvalidArgument, SystemRefused


def traced(make: MakeMeter, machine: Machine, path: Path) -> dict[str, Any]:
    machine.zone("intel-rapl:0", "package-0", 50.0)
    meter = make(machine.root, trace=path)
    with meter.epoch():
        for _ in meter.batches(range(3)):
            machine.run(0.05)
    with meter.window("caf\u00e9"):
        machine.run(0.05)
    meter.close()
    return dict(meter.summary())


def test_a_replay_is_the_summary(make: MakeMeter, machine: Machine, tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    summary = traced(make, machine, path)
    assert summary["run"]["energy_j"] == pytest.approx(50 * summary["run"]["duration_s"], rel=0.3)
    assert summary["num_batches"] == 3
    assert energy_meter.replay(path) == summary
    assert energy_meter.replay(str(path)) == summary
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_trace_knows_the_overhead_that_nobody_asked_for(
    make: MakeMeter, machine: Machine, tmp_path: Path
) -> None:
    machine.cpus(0.5)
    path = tmp_path / "run.trace"
    meter = make(machine.root, sample_interval=0.01, trace=path)
    for _ in range(50):
        with meter.batch():
            machine.run(0.002)
    meter.close()
    told = energy_meter.replay(path)
    assert (told["overhead"]["caller_s"] or 0) > 0
    assert told == meter.summary()


def test_a_cut_trace_warns(make: MakeMeter, machine: Machine, tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    summary = traced(make, machine, path)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.warns(EnergyMeterWarning, match=r"run\.trace.*cut off.*close the meter"):
        part = energy_meter.replay(path)
    blurred_j = part["run"]["uncertainty_j"] or 0.0
    assert 0 < part["run"]["energy_j"] <= summary["run"]["energy_j"] + blurred_j


def test_what_is_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_text("not a trace")
    with pytest.raises(InvalidArgument, match=r"other.*shows no trace; give a file"):
        energy_meter.replay(path)
    with pytest.raises(SystemRefused, match=r"missing.*No such file.*give a file"):
        energy_meter.replay(tmp_path / "missing")
    with pytest.raises(SystemRefused, match=r"Is a directory"):
        energy_meter.replay(tmp_path)
    with pytest.raises(TypeError, match="path must be a path, not 3"):
        energy_meter.replay(3)  # type: ignore[arg-type]


def test_what_cannot_be_written(make: MakeMeter, tmp_path: Path) -> None:
    with pytest.raises(SystemRefused, match=r"trace=.*missing.*No such file.*give the path"):
        make(trace=tmp_path / "missing" / "run.trace")
    with pytest.raises(TypeError, match="trace must be a path, not 3"):
        make(trace=3)
    with pytest.raises(InvalidArgument, match=r"trace='a.*null byte"):
        make(trace="a\0b")


def test_a_full_disk_costs_only_the_trace(make: MakeMeter, machine: Machine) -> None:
    machine.zone("intel-rapl:0", "package-0", 50.0)
    meter = make(machine.root, trace="/dev/full")
    with meter.window() as window:
        machine.run(0.05)
    with pytest.warns(EnergyMeterWarning, match=r"/dev/full.*No space left.*file on a disk"):
        meter.close()
    assert window.energy_j > 1
    meter.close()


def open_traces() -> list[str]:
    folder = Path("/proc/self/fd")
    targets = [os.readlink(link) for link in folder.iterdir() if link.is_symlink()]
    return [target for target in targets if target.endswith(".trace")]


def test_files_are_closed(machine: Machine, tmp_path: Path) -> None:
    machine.zone("intel-rapl:0", "package-0", 50.0)
    meter = on(machine.root)(trace=tmp_path / "run.trace")
    assert open_traces() == [str(tmp_path / "run.trace")]
    with pytest.raises(InvalidArgument, match="missing"):
        on(tmp_path / "missing")(trace=tmp_path / "two.trace")
    meter.close()
    del meter
    gc.collect()
    assert open_traces() == []


def test_a_meter_of_nothing_writes_nothing(make: MakeMeter, tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    with make(enabled=False, trace=path) as meter, meter.window():
        pass
    assert not path.exists()
