# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Numbers of outside meters, and traces in the place of a machine."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter, InvalidArgument, SystemRefused

if TYPE_CHECKING:
    from tests.python.conftest import Machine, MakeMeter

WALL_W = 1500.0


def outside_meter(path: Path, stop: threading.Event) -> None:
    """Counts WALL_W in Wh and replaces the file as exporters do."""
    begin = time.monotonic()
    while not stop.is_set():
        draft = path.with_suffix(".new")
        draft.write_text(f"{7000 + (time.monotonic() - begin) * WALL_W / 3600:.6f}\n")
        draft.rename(path)
        time.sleep(0.005)


def test_a_counter_that_is_replaced(
    make: MakeMeter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    writer = threading.Thread(target=outside_meter, args=(tmp_path / "wall", stop))
    writer.start()
    monkeypatch.chdir(tmp_path)
    try:
        while not (tmp_path / "wall").exists():
            time.sleep(0.001)
        files: Any = [{"path": Path("wall"), "unit": "Wh", "domain": "other", "kind": "counter"}]
        meter = make(files=files)
        with meter.window("second") as window:
            time.sleep(0.5)
        result = window.wait()
    finally:
        stop.set()
        writer.join()
    channel = result["channels"]["other/wall"]
    assert channel["energy_j"] == pytest.approx(WALL_W * result["duration_s"], rel=0.02)
    assert result["other_energy_j"] == channel["energy_j"]
    assert channel["provenance"] == "measured"
    found = next(c for c in meter.channels if c["name"] == "other/wall")
    assert (found["sensor"], found["source"]) == ("file", str(tmp_path / "wall"))


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        ("/run/wall", TypeError, "files must be a list such as"),
        ({"path": "/run/wall", "unit": "W"}, TypeError, "files must be a list such as"),
        ([7], TypeError, r"files\[0\] must be a dict such as"),
        ([{"path": "/run/wall"}], InvalidArgument, r"files\[0\] has no unit"),
        ([{"unit": "W"}], InvalidArgument, r"files\[0\] has no path"),
        ([{"path": "/a", "unit": "W", "domian": "gpu"}], InvalidArgument, "'domian'; allowed are"),
        ([{"path": "/a", "unit": 7}], TypeError, r'files\[0\]\["unit"\] must be a text, not 7'),
        ([{"path": 7, "unit": "W"}], TypeError, r'files\[0\]\["path"\] must be a path, not 7'),
        ([{"path": "", "unit": "W"}], InvalidArgument, "give the path of a file"),
        (
            [{"path": "/a", "unit": "VA"}],
            InvalidArgument,
            r'files\[0\].unit is "VA"; a counter has',
        ),
        ([{"path": "/a", "unit": "W", "kind": "counter"}], InvalidArgument, "W is the unit of a g"),
        (
            [{"path": "/a", "unit": "W", "domain": "net"}],
            InvalidArgument,
            'domain is "net"; give "p',
        ),
        ([{"path": "/a", "unit": "W"}] * 2, InvalidArgument, r"files\[1\].name makes"),
    ],
)
def test_what_is_no_file(wrong: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        EnergyMeter(files=wrong)


def test_what_cannot_be_read_says_why(make: MakeMeter, tmp_path: Path) -> None:
    meter = make(files=[{"path": tmp_path, "unit": "W"}], cpu_tdp_w=10)
    found = next(c for c in meter.channels if c["sensor"] == "file")
    assert found["role"] == "unreadable"
    assert "it is a folder" in str(found["reason"])


def test_a_recorded_machine(make: MakeMeter, machine: Machine, tmp_path: Path) -> None:
    """80 W, for as long as it was recorded."""
    machine.zone("intel-rapl:0", "package-0", 80.0)
    trace = tmp_path / "run.trace"
    with make(machine.root, trace=trace):
        machine.run(0.8)
    with EnergyMeter(sample_interval=0.01, replay=trace) as meter:
        assert [c["name"] for c in meter.channels] == ["cpu-0/package"]
        with meter.window("second") as window:
            time.sleep(0.4)
        result = window.wait()
        assert result["energy_j"] == pytest.approx(80 * result["duration_s"], rel=0.03)
        assert result["complete"]
        time.sleep(0.5)
    summary = meter.summary()
    assert not summary["run"]["complete"]
    assert summary["scope"]["boot_id"] is None
    assert summary["run"]["energy_j"] == pytest.approx(80 * 0.8, rel=0.05)


def test_what_is_no_trace(tmp_path: Path) -> None:
    with pytest.raises(SystemRefused, match="cannot be opened: No such file"):
        EnergyMeter(replay=tmp_path / "nowhere")
    text = tmp_path / "text"
    text.write_text("250\n")
    with pytest.raises(InvalidArgument, match=r"replay='.*text' shows no trace; give a file"):
        EnergyMeter(replay=text)
    with pytest.raises(InvalidArgument, match="files are given; drop one"):
        EnergyMeter(replay=text, files=[{"path": "/a", "unit": "W"}])
    with pytest.raises(TypeError, match="replay must be a path, not 7"):
        EnergyMeter(replay=7)  # type: ignore[arg-type]


def test_the_command(build: Path, tmp_path: Path) -> None:
    trace = Path(__file__).parent.parent / "traces" / "wrap.trace"
    command = build / "cli" / "energy-meter"
    odd = tmp_path / "a,b"
    odd.write_text("250.5 W\n")

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [str(word) for word in (command, *arguments)]
        return subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)

    for path in (odd, "a,b"):
        done = call("sensors", "--json", "--file", f"{path},domain=gpu,unit=W,name=board")
        rows = {row["name"]: row for row in json.loads(done.stdout)["channels"]}
        assert rows["gpu/board"]["role"] == "counted"
        assert rows["gpu/board"]["source"] == str(odd)
    done = call("doctor", "--json", "--file", f"{odd},unit=W")
    rows = {row["name"]: row for row in json.loads(done.stdout)["channels"]}
    assert rows["platform/a_b"]["role"] == "platform"
    assert rows["platform/a_b"]["power_w"] == 250.5
    done = call("sensors", "--json", "--replay", trace)
    rows = json.loads(done.stdout)["channels"]
    assert [(row["name"], row["role"]) for row in rows] == [("gpu-0/board", "counted")]
    assert rows[0]["source"].startswith("replay:/rig/gpu-0")
    done = call("sensors", "--file", odd)
    assert (done.returncode, done.stdout) == (2, "")
    assert "names no unit; give --file PATH,unit=UNIT" in done.stderr
    done = call("sensors", "--replay", odd)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"--replay {odd} shows no trace" in done.stderr
    assert call("sensors", "--replay", tmp_path).returncode == 1
    done = call("sensors", "--replay", trace, "--file", "x,unit=W")
    assert "in the place of a machine, and files are given; give one of the two" in done.stderr


def test_commands_that_measure(command: Path, tmp_path: Path) -> None:
    """Of 100 W and 50 W that others wrote, and of the 200 W of a recorded board."""
    (tmp_path / "wall").write_text("100 W\n")
    (tmp_path / "card").write_text("50000 mW\n")
    files = [
        *("--file", "wall,unit=W,domain=other"),
        *("--file", "card,unit=mW,domain=other,name=board"),
    ]

    def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *words], capture_output=True, text=True, check=False, cwd=tmp_path
        )

    def check(text: str, scale: float) -> None:
        run = json.loads(text)["run"]
        assert run["other_energy_j"] == pytest.approx(150 * run["duration_s"], rel=0.01)
        assert run["duration_s"] == pytest.approx(scale, rel=0.5)

    done = call("run", "--json", *files, "sleep", "0.3")
    assert done.returncode == 0
    check(done.stderr, 0.3)
    assert call("record", "-o", "some.trace", "--for", "0.3", *files).returncode == 0
    check(call("report", "some.trace", "--json").stdout, 0.3)
    done = call("watch", "--json", "--for", "0.2", "--interval", "0.1", *files)
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["channels"]["other/board"]["power_w"] == pytest.approx(50, rel=0.01)
    trace = Path(__file__).parent.parent / "traces" / "wrap.trace"
    done = call("watch", "--json", "--for", "0.2", "--interval", "0.1", "--replay", trace)
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["power_w"] == pytest.approx(200, rel=0.3)
    assert list(last["channels"]) == ["gpu-0/board"]
    for name in ("run", "record", "watch"):
        done = call(name, "--file", "wall", "-o", "x", "true")
        assert done.returncode == (125 if name == "run" else 2)
        assert f'{name}: --file "wall" names no unit' in done.stderr
