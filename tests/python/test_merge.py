# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Several processes on one node: merged, each joule counts once; unmerged, they are told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter, EnergyMeterWarning, InvalidArgument

if TYPE_CHECKING:
    from tests.python.conftest import Machine, MakeMeter

BOARD = "GPU-8932f937-aaaa-bbbb-cccc-000000000001"
PACKAGE_W, BOARD_W = 100.0, 300.0

# A meter on another root than / leaves NVML out: one for the fake zones, one for the fake board.
RANK = """
import json, sys, time, warnings
from energy_meter import EnergyMeter
warnings.simplefilter("ignore")
root, begin, seconds, rank = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
class Zones(EnergyMeter):
    _root = root
time.sleep(max(0.0, begin - time.monotonic()))
meters = [Zones(sample_interval=0.01, device="cpu"), EnergyMeter(sample_interval=0.01)]
for meter in meters:
    with meter.epoch():
        for _ in meter.batches(range(3)):
            time.sleep(seconds / 6)
print(json.dumps([meter.summary() for meter in meters]))
"""


def union_s(scopes: list[dict[str, Any]]) -> float:
    total, until = 0.0, 0.0
    for scope in sorted(scopes, key=lambda one: float(one["t_begin"])):
        total += max(0.0, scope["t_end"] - max(until, scope["t_begin"]))
        until = max(until, scope["t_end"])
    return total


@pytest.fixture
def ranks(machine: Machine, build: Path, tmp_path: Path) -> list[list[Any]]:
    """What four processes with different spans say of one board and one package."""
    machine.zone("intel-rapl:0", "package-0", PACKAGE_W)
    boot = machine.root / "proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text("c0ffee00-0000-4000-8000-000000000001\n")
    script = tmp_path / "boards"
    script.write_text(
        f"start {time.monotonic_ns()}\n"
        f'board name="NVIDIA H200" uuid={BOARD} pci=00000000:3B:00.0 cc=9.0 watts={BOARD_W}'
        " update_ms=20\n"
    )
    environment = {n: w for n, w in os.environ.items() if "VISIBLE" not in n and "RANK" not in n}
    environment["LD_LIBRARY_PATH"] = str(build / "tests" / "fakes")
    environment["EM_FAKE_NVML"] = str(script)
    now = time.monotonic() + 0.5
    spans = [(now, 2.0), (now + 0.4, 2.2), (now + 0.9, 1.0), (now + 1.3, 2.0)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, machine.root, str(begin), str(seconds), str(rank)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank, (begin, seconds) in enumerate(spans)
    ]
    while any(one.poll() is None for one in running):
        machine.run(0.05)
    return [json.loads(one.communicate()[0]) for one in running]


def test_four_processes(ranks: list[list[Any]], build: Path, tmp_path: Path) -> None:
    """To the truth within 1 %, and not to four times it; the command says the same."""
    zones, boards = ([rank[i] for rank in ranks] for i in (0, 1))
    added = sum(summary["run"]["cpu_energy_j"] for summary in zones)
    truth_j = PACKAGE_W * union_s([summary["scope"] for summary in zones])
    assert added > 1.5 * truth_j
    merged = EnergyMeter.merge(zones)
    assert merged["run"]["energy_j"] == pytest.approx(truth_j, rel=0.01)
    assert merged["num_batches"] == 12
    assert merged["epoch_summary"]["count"] == 4
    assert merged["batch_summary"]["total_energy_j"] is None
    assert any("each joule once" in reason for reason in merged["run"]["reasons"])
    assert len(merged["scope"]["ranks"]) == 4

    truth_j = BOARD_W * union_s([summary["scope"] for summary in boards])
    merged = EnergyMeter.merge(json.dumps(summary) for summary in boards)
    assert merged["run"]["gpu_energy_j"] == pytest.approx(truth_j, rel=0.01)
    assert merged["gpu_name"] == "NVIDIA H200"

    # Two machines in one: their boots differ, so all is added up.
    files = [tmp_path / f"{i}.json" for i in range(8)]
    for path, summary in zip(files, zones + boards, strict=True):
        path.write_text(json.dumps(summary))
    command = build / "cli" / "energy-meter"
    done = subprocess.run(
        [command, "merge", "--json", *files], text=True, capture_output=True, check=True
    )
    both = json.loads(done.stdout)
    assert both == EnergyMeter.merge(zones + boards)
    assert both["run"]["gpu_energy_j"] == pytest.approx(truth_j, rel=0.01)
    assert done.stderr == ""

    # In several steps, and in another order, of which some are of both machines.
    some = EnergyMeter.merge([zones[3], boards[0]])
    more = EnergyMeter.merge([EnergyMeter.merge(boards[2:]), zones[0], zones[2]])
    steps = EnergyMeter.merge([zones[1], more, json.dumps(some), boards[1]])
    for key in ("energy_j", "cpu_energy_j", "gpu_energy_j"):
        assert steps["run"][key] == pytest.approx(both["run"][key], rel=0.002)
    assert steps["run"]["duration_s"] == pytest.approx(both["run"]["duration_s"], abs=1e-3)
    assert sorted(steps["run"]["channels"]) == sorted(both["run"]["channels"])
    assert steps["epoch_summary"]["count"] == both["epoch_summary"]["count"] == 8
    assert len(steps["scope"]["ranks"]) == 8
    with pytest.raises(InvalidArgument, match="the same meter"):
        EnergyMeter.merge([steps, zones[3]])


def test_one_is_what_it_was(make: MakeMeter, machine: Machine) -> None:
    machine.zone("intel-rapl:0", "package-0", PACKAGE_W)
    meter = make(machine.root)
    with meter.epoch(), meter.batch("named"):
        machine.run(0.3)
    summary = meter.summary()
    merged = EnergyMeter.merge([summary, EnergyMeter(enabled=False).summary()])
    for key in ("batch_summary", "epoch_summary", "windows", "num_epochs", "carbon_basis"):
        assert merged[key] == summary[key]
    assert merged["run"]["energy_j"] == summary["run"]["energy_j"]
    assert merged["run"]["duration_s"] == summary["run"]["duration_s"]
    assert merged["run"]["uncertainty_j"] == pytest.approx(summary["run"]["uncertainty_j"])
    with pytest.raises(InvalidArgument, match="no summary to merge"):
        EnergyMeter.merge([])


@pytest.mark.parametrize("wrong", [7, None, {}, "text", [7], [None]])
def test_what_is_no_list_of_summaries(wrong: Any) -> None:
    with pytest.raises(TypeError, match="summaries"):
        EnergyMeter.merge(wrong)


@pytest.mark.parametrize("wrong", ["", "{}", "[]", {}, {"schema": 2}, {"x": float("nan")}])
def test_what_is_no_summary(wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"summaries\[0\]"):
        EnergyMeter.merge([wrong])


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, False),
        ({"LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "4"}, False),
        ({"LOCAL_RANK": "3", "LOCAL_WORLD_SIZE": "4"}, True),
        ({"LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}, False),
        ({"SLURM_LOCALID": "1", "SLURM_NTASKS_PER_NODE": "2"}, True),
        ({"SLURM_LOCALID": "1", "SLURM_TASKS_PER_NODE": "4(x2),3"}, True),
        ({"OMPI_COMM_WORLD_LOCAL_RANK": "1", "OMPI_COMM_WORLD_LOCAL_SIZE": "8"}, True),
        ({"MPI_LOCALRANKID": "2", "MPI_LOCALNRANKS": "8"}, True),
        ({"SLURM_LOCALID": "1", "SLURM_STEP_TASKS_PER_NODE": "1,4", "SLURM_NODEID": "1"}, True),
        ({"SLURM_LOCALID": "0", "OMPI_COMM_WORLD_LOCAL_RANK": "1"}, False),
        ({"MV2_COMM_WORLD_LOCAL_RANK": "1", "MV2_COMM_WORLD_LOCAL_SIZE": "2"}, True),
        ({"LOCAL_RANK": "many", "LOCAL_WORLD_SIZE": "4"}, False),
    ],
)
def test_ranks_are_told(
    variables: dict[str, str], told: bool, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.zone("intel-rapl:0", "package-0", PACKAGE_W)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    class Elsewhere(EnergyMeter):
        _root = str(machine.root)

    for options, warned in (({}, told), ({"enabled": False}, False), ({"gpus": "0"}, False)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            Elsewhere(device="cpu", **options).close()
        texts = [str(one.message) for one in caught if one.category is EnergyMeterWarning]
        assert len(texts) == warned
        for text in texts:
            assert "enabled=local_rank == 0" in text
            assert 'gpus="local_rank"' in text
            assert "merge" in text
