# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""energy-meter compare, record and report: kept summaries and kept traces of known content.

EM_REFRESH_GOLDEN=1 writes what is expected anew.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., subprocess.CompletedProcess[str]]
GOLDEN = Path(__file__).parent / "golden"


def expect_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("EM_REFRESH_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@pytest.fixture
def traces(root: Path) -> Path:
    return root / "tests" / "traces"


def energy_j(document: dict[str, Any]) -> float:
    value: float = document["run"]["energy_j"]
    return value


# ----------------------------------------------------------------------------------------- report


def test_a_kept_trace_gives_its_kept_summary(call: Call, traces: Path) -> None:
    for trace in sorted(traces.glob("*.trace")):
        done = call("report", "--json", trace)
        assert (done.returncode, done.stderr) == (0, "")
        kept = json.loads(trace.with_suffix(".json").read_text())
        assert json.loads(done.stdout)["run"]["energy_j"] == pytest.approx(energy_j(kept))


def test_a_report_as_text(call: Call, traces: Path) -> None:
    done = call("report", "wrap.trace", "--location", "FR", "--price", "0.25", cwd=traces)
    expect_golden("report.txt", done.stdout)


def test_parts_of_a_trace_add_up(call: Call, traces: Path) -> None:
    trace = traces / "wrap.trace"
    whole = json.loads(call("report", "--json", trace).stdout)
    middle = whole["run"]["duration_s"] / 3
    first = json.loads(call("report", "--json", trace, "--to", f"{middle}").stdout)
    rest = json.loads(call("report", "--json", trace, "--from", f"{middle}s").stdout)
    assert first["run"]["duration_s"] == pytest.approx(middle)
    assert energy_j(first) + energy_j(rest) == pytest.approx(energy_j(whole), rel=1e-6)


def test_another_intensity(call: Call, traces: Path) -> None:
    done = call("report", "--json", traces / "wrap.trace", "--carbon", "36", "--pue", "1.5")
    document = json.loads(done.stdout)
    assert document["run"]["carbon_g"] == pytest.approx(energy_j(document) * 1.5e-5)
    assert document["carbon_basis"]["source"] == "user"


def test_a_trace_from_stdin_and_a_report_into_a_file(
    call: Call, traces: Path, tmp_path: Path
) -> None:
    with open(traces / "wrap.trace", "rb") as trace:
        done = call("report", "--json", "-", "-o", tmp_path / "report.json", stdin=trace)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    expected = json.loads(call("report", "--json", traces / "wrap.trace").stdout)
    assert json.loads((tmp_path / "report.json").read_text()) == expected


@pytest.mark.parametrize("name", ["csv", "model-card", "boamps"])
def test_every_format_of_a_trace(call: Call, traces: Path, name: str) -> None:
    done = call("report", "--format", name, traces / "wrap.trace")
    assert (done.returncode, done.stderr) == (0, "")
    if name == "csv":
        assert done.stdout == call("report", "--csv", traces / "wrap.trace").stdout
        rows = list(csv.DictReader(done.stdout.splitlines()))
        assert [row["kind"] for row in rows] == ["run", "window"]
        assert float(rows[0]["energy_j"]) == pytest.approx(2000, rel=1e-3)
    elif name == "model-card":
        assert done.stdout.startswith("---\nco2_eq_emissions:\n  emissions: ")
    else:
        assert json.loads(done.stdout)["measures"][0]["powerConsumption"] > 0


def test_repeated_runs_as_csv_and_again(call: Call, tmp_path: Path) -> None:
    done = call("run", "-r", "3", "--csv", "-o", "-", "true")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["kind"] for row in rows] == ["run"] * 3
    call("run", "-r", "2", "--json", "-o", tmp_path / "runs.json", "true")
    again = call("report", "--json", tmp_path / "runs.json")
    assert json.loads(again.stdout) == json.loads((tmp_path / "runs.json").read_text())
    done = call("report", "--format", "model-card", tmp_path / "runs.json")
    assert done.returncode == 1
    assert "holds several runs" in done.stderr


def test_a_trace_that_was_cut_off_is_read_up_to_there(
    call: Call, traces: Path, tmp_path: Path
) -> None:
    whole = (traces / "wrap.trace").read_bytes()
    cut = tmp_path / "cut.trace"
    cut.write_bytes(whole[: len(whole) // 2 + 1])
    done = call("report", "--json", cut)
    assert done.returncode == 0
    assert done.stderr == (
        f"energy-meter report: {cut}: the trace was cut off or lacks records: "
        "this is what it holds up to its last whole one\n"
    )
    full = json.loads(call("report", "--json", traces / "wrap.trace").stdout)
    assert 0 < energy_j(json.loads(done.stdout)) < energy_j(full)


def test_a_summary_is_reported_as_it_is(call: Call, tmp_path: Path) -> None:
    call("run", "--json", "-o", tmp_path / "a.json", "true")
    done = call("report", "--json", tmp_path / "a.json")
    assert json.loads(done.stdout) == json.loads((tmp_path / "a.json").read_text())
    done = call("report", tmp_path / "a.json", "--from", "1")
    assert done.returncode == 1
    assert "is a summary, and another time needs a trace" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        ([], 2, "no file is given"),
        (["a", "b"], 2, "one file at a time, and 'b' is given too"),
        (["wrap.trace", "--from", "x"], 2, "--from 'x': give seconds"),
        (["wrap.trace", "--from", "2", "--to", "1"], 2, "--to 1 is not after --from 2"),
        (["wrap.trace", "--frm", "2"], 2, "did you mean --from?"),
        (["wrap.trace", "--format", "xml"], 2, "'xml' is unknown"),
        (["wrap.trace", "--location", "nowhere at all"], 2, "'nowhere at all' is not known"),
        (["wrap.trace", "--interval", "1"], 2, "unknown option '--interval'"),
        (["wrap.trace", "--from", "1h"], 1, " s long; give a begin within it"),
        (["no-such-file"], 1, "no-such-file: No such file or directory"),
        (["."], 1, ".: cannot be read: Is a directory"),
        (["test_machines.py"], 1, "test_machines.py: No such file"),
        (["/etc/passwd"], 1, "/etc/passwd: shows no trace"),
        (["/dev/null"], 1, "/dev/null: shows no trace"),
        (["wrap.trace", "-o", "/no/such/folder/file"], 1, "-o /no/such/folder/file: No such"),
        (["wrap.trace", "-o", "/dev/full"], 1, "-o /dev/full: No space left on device"),
    ],
)
def test_what_cannot_be_reported_is_told(
    call: Call, traces: Path, arguments: list[str], status: int, named: str
) -> None:
    done = call("report", *arguments, cwd=traces)
    assert done.returncode == status
    assert done.stdout == ""
    assert named in done.stderr.splitlines()[0]
    if "/dev/full" not in arguments:
        assert len(done.stderr.splitlines()) == 1


# ----------------------------------------------------------------------------------------- record


def test_a_record_is_a_trace(call: Call, tmp_path: Path) -> None:
    trace = tmp_path / "record.trace"
    done = call("record", "-o", trace, "--for", "250ms", "--interval", "50ms")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"see energy-meter report {trace}" in done.stderr
    document = json.loads(call("report", "--json", trace).stdout)
    assert document["run"]["duration_s"] >= 0.25
    assert document["run"]["final"] is True
    done = call("record", "-o", trace, "--for", "1")
    assert done.returncode == 1
    assert "File exists; remove it, or give the name of a new file" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_record_ends_where_it_is_stopped(
    command: Path, call: Call, tmp_path: Path, number: signal.Signals
) -> None:
    trace = tmp_path / "record.trace"
    words = [str(command), "record", "-q", "-o", str(trace), "--interval", "0.01"]
    with subprocess.Popen(words, stderr=subprocess.PIPE) as process:
        while not trace.exists() or trace.stat().st_size < 1000:
            assert process.poll() is None
        process.send_signal(number)
        _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (0, b"")
    done = call("report", "--json", trace)
    assert done.stderr == ""
    assert json.loads(done.stdout)["run"]["final"] is True


def test_a_record_that_is_killed_is_readable(command: Path, call: Call, tmp_path: Path) -> None:
    trace = tmp_path / "record.trace"
    words = [str(command), "record", "-o", str(trace), "--interval", "0.01"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        while not trace.exists() or trace.stat().st_size < 2000:
            assert process.poll() is None
        process.kill()
    done = call("report", "--json", trace)
    assert done.returncode == 0
    assert "was cut off" in done.stderr
    assert json.loads(done.stdout)["run"]["duration_s"] > 0


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        ([], 2, "no file is given; say where the trace goes: -o FILE"),
        (["-o", "x", "--for", "0"], 2, "--for '0': give seconds"),
        (["-o", "x", "command"], 2, "unexpected argument 'command'"),
        (["-o", "/no/such/folder/x"], 1, "-o /no/such/folder/x: No such file"),
        (["-o", "x", "--root", "/no/such/root"], 1, "/no/such/root"),
        (["-o", "/dev/full", "--for", "0.3"], 1, "-o /dev/full: the trace ends early"),
    ],
)
def test_what_cannot_be_recorded_is_told(
    call: Call, tmp_path: Path, arguments: list[str], status: int, named: str
) -> None:
    done = call("record", *arguments, cwd=tmp_path)
    assert done.returncode == status
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------------------------- compare


@pytest.fixture
def summary(call: Call, traces: Path) -> dict[str, Any]:
    """Of a replay, so that it is the same each time."""
    document: dict[str, Any] = json.loads(call("report", "--json", traces / "wrap.trace").stdout)
    return document


def scaled(summary: dict[str, Any], factor: float) -> dict[str, Any]:
    """The same work with so much of the energy, everywhere that it stands."""

    def walk(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: walk(member, name) for name, member in value.items()}
        if isinstance(value, list) and key == "points":
            return [[t_s, energy * factor] for t_s, energy in value]
        if isinstance(value, list):
            return [walk(member, key) for member in value]
        is_scaled = key.endswith(("_j", "carbon_g")) or key in (
            "measured",
            "integrated",
            "estimated",
        )
        return value * factor if is_scaled and isinstance(value, float) else value

    changed: dict[str, Any] = walk(summary, "")
    return changed


def test_who_used_less(call: Call, summary: dict[str, Any], tmp_path: Path) -> None:
    for name, factor in (("before.json", 1.0), ("after.json", 0.8), ("same.json", 1.0)):
        (tmp_path / name).write_text(json.dumps(scaled(summary, factor)))
    files = ["before.json", "after.json", "same.json"]
    done = call("compare", *files, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    expect_golden("compare.txt", done.stdout)
    document = json.loads(call("compare", "--json", *files, cwd=tmp_path).stdout)
    after, same = document["differences"]
    assert document["least"] == "after.json"
    assert after["ratio"] == pytest.approx(0.8)
    assert after["stands"] is True
    assert same["difference_j"] == 0
    assert same["stands"] is False
    # What the sensors are off by counts for the fifth that the runs differ by alone.
    gain_j = [row["uncertainty_gain_j"] for row in summary["run"]["channels"].values()]
    expected_j = 0.2 * sum(part * part for part in gain_j) ** 0.5
    assert after["uncertainty_gain_j"] == pytest.approx(expected_j)


def test_other_machines_are_refused_without_force(
    call: Call, summary: dict[str, Any], tmp_path: Path
) -> None:
    other = scaled(summary, 0.5)
    other["scope"]["host"] = "elsewhere"
    (tmp_path / "here.json").write_text(json.dumps(summary))
    (tmp_path / "there.json").write_text(json.dumps(other))
    done = call("compare", "here.json", "there.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "energy-meter compare: there.json: it is of another host than the first one: elsewhere; "
        "compare runs of one machine, or add --force\n"
    )
    done = call("compare", "--force", "here.json", "there.json", cwd=tmp_path)
    assert done.returncode == 0
    assert "They are of different machines" in done.stdout


def test_repeated_runs_are_compared_by_their_scatter(call: Call, tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        call("run", "-r", "3", "--json", "-o", tmp_path / name, "true")
    document = json.loads(call("compare", "--json", "a.json", "b.json", cwd=tmp_path).stdout)
    assert [side["count"] for side in document["runs"]] == [3, 3]
    assert document["differences"][0]["scatter_j"] >= 0
    assert document["differences"][0]["reasons"] == []


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        ([], 2, "no file is given; give two or more"),
        (["a.json"], 2, "one file alone is given"),
        (["a.json", "b.json", "--jsn"], 2, "did you mean --json?"),
        (["a.json", "b.json"], 1, "a.json: No such file or directory"),
        (["/etc/passwd", "b.json"], 1, "/etc/passwd: the text is no JSON"),
    ],
)
def test_what_cannot_be_compared_is_told(
    call: Call, tmp_path: Path, arguments: list[str], status: int, named: str
) -> None:
    done = call("compare", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr
