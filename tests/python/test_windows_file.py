# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Windows as they end, in a file that outlives a process that is killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from energy_meter import EnergyMeter, EnergyMeterWarning, InvalidArgument, SystemRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.python.conftest import Machine, MakeMeter

jsonschema: Any = import_module("jsonschema")

# Says after each batch how many have ended.
ENDLESS = """
import sys, time, warnings
from energy_meter import EnergyMeter
warnings.simplefilter("ignore")
meter = EnergyMeter(sample_interval=0.01, windows_file=sys.argv[1], cpu_tdp_w=65)
for count in range(1, 100000):
    with meter.batch(items=count):
        time.sleep(0.002)
    print(count, flush=True)
"""


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The whole ones; what a crash has cut off is none."""
    text = path.read_bytes()
    return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]


def check(root: Path, line: dict[str, Any]) -> None:
    schema = json.loads((root / "docs" / "summary.schema.json").read_text())
    line_schema = {"$ref": "#/$defs/line", "$defs": schema["$defs"]}
    jsonschema.Draft202012Validator(line_schema).validate(line)


def test_a_line_for_each_window(
    root: Path, make: MakeMeter, machine: Machine, tmp_path: Path
) -> None:
    machine.zone("intel-rapl:0", "package-0", 120)
    path = tmp_path / "windows.jsonl"
    meter = make(machine.root, windows_file=path, location="FR")
    results = []
    with meter.epoch("first"):
        for items in (1, 2, None):
            with meter.batch() as window:
                machine.run(0.02)
                if items:
                    window.items = items
            results.append(window)
    waited = [window.wait() for window in results]
    meter.items = 10
    meter.close()
    lines = lines_of(path)
    assert [(line["kind"], line["name"]) for line in lines] == [
        *[("batch", None)] * 3,
        ("epoch", "first"),
        ("run", None),
    ]
    for line, result in zip(lines, waited, strict=False):
        check(root, line)
        for key in ("duration_s", "energy_j", "carbon_g", "items", "energy_per_item_j"):
            assert line[key] == result[key]
        assert line["carbon_basis"] == result["carbon_basis"]
        assert line["channels"]["cpu-0/package"]["energy_j"] == line["cpu_energy_j"]
    assert lines[-1]["items"] == 10
    assert lines[-1]["energy_j"] == meter.summary()["run"]["energy_j"]


def test_csv(make: MakeMeter, tmp_path: Path) -> None:
    path = tmp_path / "windows.CSV"
    meter = make(windows_file=str(path), cpu_tdp_w=65)
    with meter.window("=1+1", items=5):
        pass
    meter.close()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert [(row["kind"], row["name"], row["items"]) for row in rows] == [
        ("window", "'=1+1", "5"),
        ("run", "", ""),
    ]
    assert rows == sorted(rows, key=lambda row: row["kind"], reverse=True)
    assert list(rows[0]) == meter.report("csv").split("\r\n")[0].split(",")


@pytest.mark.parametrize("name", ["windows.jsonl", "windows.csv"])
def test_kill_9_loses_only_what_was_not_final(root: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= 150:
                break
        child.send_signal(signal.SIGKILL)
        ended = [150, *map(int, child.stdout.read().split())][-1]
        assert child.wait() == -signal.SIGKILL
    if name.endswith("csv"):
        whole = path.read_bytes()
        text = whole[: whole.rfind(b"\n") + 1].decode()
        items = [int(row["items"]) for row in csv.DictReader(text.splitlines(), strict=True)]
    else:
        lines = lines_of(path)
        check(root, lines[0])
        check(root, lines[-1])
        items = [line["items"] for line in lines]
    assert items == list(range(1, len(items) + 1))
    assert len(items) <= ended + 1
    # Values are final about an interval of 10 ms after the end, on a busy machine some more.
    assert len(items) >= ended - 100


def test_a_full_disk_is_told_at_the_end(make: MakeMeter) -> None:
    meter = make(windows_file="/dev/full", cpu_tdp_w=65)
    with meter.batch() as window:
        pass
    assert window.wait()["final"]
    with pytest.warns(EnergyMeterWarning, match=r"windows_file='/dev/full'.*No space left"):
        meter.close()
    assert meter.summary()["num_batches"] == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        meter.close()


def test_bad_paths(make: MakeMeter, tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    old.write_text("kept")
    trace = tmp_path / "run.trace"
    with pytest.raises(SystemRefused, match=r"windows_file=.*old\.jsonl.*File exists; remove it"):
        make(windows_file=old, trace=trace)
    assert not trace.exists()
    assert old.read_text() == "kept"
    for wrong in ("windows.txt", "windows", ".jsonl"):
        with pytest.raises(InvalidArgument, match=r"must end in \.jsonl \(JSON Lines\) or \.csv"):
            make(windows_file=tmp_path / wrong)
    with pytest.raises(TypeError, match="windows_file must be a path, not 3"):
        make(windows_file=3)
    with pytest.raises(SystemRefused, match="No such file or directory; give the path"):
        make(windows_file=tmp_path / "missing" / "a.csv")
    assert sorted(os.listdir(tmp_path)) == ["old.jsonl"]
    assert make(enabled=False, windows_file=tmp_path / "none.csv").device == "cpu"
    assert not (tmp_path / "none.csv").exists()


def test_a_meter_that_cannot_be_leaves_no_file(make: MakeMeter, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument):
        make(windows_file=tmp_path / "a.csv", location="nowhere")
    assert not os.listdir(tmp_path)


def test_what_does_not_close_is_whole_too(tmp_path: Path, run_python: Any) -> None:
    path = tmp_path / "windows.jsonl"
    program = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from energy_meter import EnergyMeter\n"
        f"meter = EnergyMeter(windows_file={str(path)!r}, cpu_tdp_w=65)\n"
        "with meter.batch(): pass\n"
    )
    assert run_python(program).returncode == 0
    assert [line["kind"] for line in lines_of(path)][:1] == ["batch"]


def test_a_child_writes_nothing(make: MakeMeter, tmp_path: Path) -> None:
    path = tmp_path / "windows.jsonl"
    meter: EnergyMeter = make(windows_file=path, cpu_tdp_w=65)
    with meter.batch() as window:
        pass
    window.wait()
    pid = os.fork()
    if pid == 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with meter.batch(items=1):
                pass
            meter.close()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    meter.close()
    assert [line["kind"] for line in lines_of(path)] == ["batch", "run"]
