# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The first example that users see, unchanged, on this machine and as installed."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.python.conftest import RunPython

EXAMPLE = """\
from energy_meter import EnergyMeter
import time
meter = EnergyMeter(sample_interval=0.05, cpu_tdp_w=65.0, gpu_tdp_w=200.0, carbon_intensity_g_per_kwh=450.0)
print(f"Device Detected: {meter.device.upper()}")
if meter.device == 'gpu':
    print(f"GPU Name: {meter._get_gpu_name()}")
def train_step(duration):
    t_end = time.time() + duration
    while time.time() < t_end: pass
for epoch in range(2):
    with meter.epoch():
        for batch_idx in range(3):
            with meter.batch():
                train_step(0.3)
            last = meter.last_batch()
            print(f"Epoch {epoch} Batch {batch_idx}: {last['energy_j']:.2f} J, {last['carbon_g']:.4f} gCO2")
print(meter.summary())
"""  # noqa: E501


def test_the_example(run_python: RunPython) -> None:
    done = run_python(EXAMPLE)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] in ("Device Detected: CPU", "Device Detected: GPU")
    batches = [line for line in lines if line.startswith("Epoch ")]
    pattern = r"Epoch (\d) Batch (\d): (\d+\.\d\d) J, (\d+\.\d{4}) gCO2"
    found = [re.fullmatch(pattern, line) for line in batches]
    matches = [match for match in found if match is not None]
    assert len(matches) == len(batches) == 6
    assert [(m[1], m[2]) for m in matches] == [(e, b) for e in "01" for b in "012"]
    summary = ast.literal_eval(lines[-1])
    assert summary["num_batches"] == 6
    assert summary["num_epochs"] == 2
    group = summary["batch_summary"]
    assert 1.8 <= group["total_duration_s"] <= summary["epoch_summary"]["total_duration_s"]
    joules = [float(match[3]) for match in matches]
    assert group["total_energy_j"] == pytest.approx(sum(joules), rel=0.2, abs=0.5)
    assert group["total_carbon_g"] == pytest.approx(group["total_energy_j"] / 3.6e6 * 450)
    assert len(done.stderr.splitlines()) <= 2
    if summary["run"]["energy_by_provenance"]["estimated"] == summary["run"]["energy_j"]:
        # The model of a CPU of 65 W runs from 0.15 to 1.03 of it.
        for energy in (group["total_energy_j"] / 6, *joules):
            assert 0.15 * 65 * 0.3 * 0.9 <= energy <= 1.03 * 65 * 0.3 * 1.5
