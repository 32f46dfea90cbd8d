# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The native command, as a person or a script calls it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

CHANNEL_KEYS = {"name", "sensor", "source", "domain", "kind", "role", "of", "reason"}
ABSENCE_KEYS = {"sensor", "status", "reason", "hint"}
ROLES = {"counted", "part", "platform", "mirror", "unreadable"}
STATUSES = {
    *("no-driver", "permission", "masked-by-container", "broken", "no-zones", "no-library"),
    *("version-mismatch", "not-supported", "not-selected", "gone"),
}


@pytest.fixture(scope="module")
def command(build: Path) -> Path:
    return build / "cli" / "energy-meter"


def call(
    command: Path, *arguments: str | Path, stdout: Any = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in (command, *arguments)],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


def sensors(command: Path, *arguments: str | Path) -> dict[str, Any]:
    done = call(command, "sensors", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def roles(document: dict[str, Any]) -> dict[str, str]:
    return {channel["name"]: channel["role"] for channel in document["channels"]}


def test_version(command: Path, root: Path) -> None:
    version = re.search(r"version: '([\d.]+)'", (root / "meson.build").read_text())
    assert version is not None
    done = call(command, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"energy-meter {version[1]}\n", "")


def test_help_fits_a_screen_and_goes_to_stdout(command: Path) -> None:
    names = re.findall(r"^  (\w+) ", call(command, "--help").stdout, re.MULTILINE)
    assert {"run", "watch", "record", "report", "compare", "sensors"} <= set(names)
    for arguments in (["--help"], ["-h"], *([name, "--help"] for name in names)):
        done = call(command, *arguments)
        lines = done.stdout.splitlines()
        assert done.returncode == 0
        assert done.stderr == ""
        assert lines[0].startswith("usage: energy-meter ")
        assert len(lines) < 24
        assert all(len(line) <= 80 for line in lines), max(lines, key=len)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "usage: energy-meter"),
        (["sensor"], "'sensor'; did you mean sensors?"),
        (["snesors"], "did you mean sensors?"),
        (["--verison"], "did you mean --version?"),
        (["everything"], "unknown command 'everything'; see energy-meter --help"),
        (["x" * 5000], "unknown command"),
        ([""], "unknown command ''"),
        (["sensors", "--jsn"], "'--jsn'; did you mean --json?"),
        (["sensors", "--quite-other"], "'--quite-other'; see --help"),
        (["sensors", "here"], "unexpected argument 'here'"),
        (["sensors", "--root"], "--root needs a value: --root DIR|FILE.json"),
        (["sensors", "--root="], "--root is empty"),
        (["sensors", "--json=yes"], "--json takes no value"),
        (["sensors", "--as-user"], "add --root FILE.json"),
        (["merge"], "no file is given"),
        (["merge", "--jsn", "a.json"], "'--jsn'; did you mean --json?"),
    ],
)
def test_a_wrong_call_is_told_and_ends_with_2(
    command: Path, arguments: Sequence[str], named: str
) -> None:
    done = call(command, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert named in done.stderr


def test_a_root_that_is_none_is_told_in_one_line(command: Path, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.json"
    garbage.write_text('{"files": [')
    plain = tmp_path / "plain"
    plain.write_text("text")
    for root in (tmp_path / "nowhere", tmp_path / "nowhere.json", garbage, plain):
        done = call(command, "sensors", "--root", root)
        assert done.returncode == 1, root
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert str(root) in done.stderr


def test_a_file_that_is_no_summary_is_told_in_one_line(
    command: Path, root: Path, tmp_path: Path
) -> None:
    good = root / "tests/unit/golden/summary.json"
    other = tmp_path / "other.json"
    other.write_text(good.read_text().replace('"schema":1', '"schema":2'))
    for bad, word in (
        (tmp_path / "nowhere.json", "No such file"),
        (tmp_path, "directory"),
        (root / "README.md", "no JSON"),
        (other, "schema is 2"),
        (good, "the same meter"),
    ):
        done = call(command, "merge", good, bad)
        assert done.returncode == 1, bad
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert str(bad) in done.stderr
        assert word in done.stderr
        assert "; give" in done.stderr
    assert json.loads(call(command, "merge", good, "--json").stdout)["schema"] == 1
    assert "1.00 kJ" in call(command, "merge", good).stdout


def test_this_machine(command: Path) -> None:
    document = sensors(command)
    assert document["schema"] == 1
    assert all(set(channel) == CHANNEL_KEYS for channel in document["channels"])
    assert all(set(absence) == ABSENCE_KEYS for absence in document["absent"])
    assert all(channel["role"] in ROLES for channel in document["channels"])
    assert all(absence["status"] in STATUSES for absence in document["absent"])
    assert all(absence["reason"] for absence in document["absent"])


def test_the_table_names_the_same(command: Path, machines: Path) -> None:
    machine = machines / "intel-xeon-2s-gold-5118.json"
    names = roles(sensors(command, "--root", machine))
    done = call(command, "sensors", "--root", machine)
    assert done.returncode == 0
    assert names
    assert all(name in done.stdout for name in names)


def test_an_empty_root_is_no_failure(command: Path, tmp_path: Path) -> None:
    document = sensors(command, "--root", tmp_path)
    assert [row for row in document["channels"] if row["role"] == "counted"] == []
    assert {row["sensor"] for row in document["absent"]} >= {"rapl-powercap"}
    assert call(command, "sensors", "--root", tmp_path).returncode == 0


def test_two_sockets(command: Path, machines: Path) -> None:
    found = roles(sensors(command, "--root", machines / "intel-xeon-2s-gold-5118.json"))
    expected = {f"cpu-{n}/{part}": "counted" for n in (0, 1) for part in ("package", "dram")}
    assert {name: role for name, role in found.items() if role == "counted"} == expected


def test_an_ordinary_user_is_told_why_and_what_to_do(command: Path, machines: Path) -> None:
    machine = machines / "intel-laptop-psys-energy-0400-ls-lr.json"
    mine = sensors(command, "--root", machine)
    theirs = sensors(command, "--root", machine, "--as-user")
    counted = {name for name, role in roles(mine).items() if role == "counted"}
    assert "cpu-0/package" in counted
    assert roles(theirs)["cpu-0/package"] == "unreadable"
    absent = {row["sensor"]: row for row in theirs["absent"]}
    assert absent["rapl-powercap"]["status"] == "permission"
    assert absent["rapl-powercap"]["hint"]


def test_the_order_of_options_does_not_matter(command: Path, machines: Path) -> None:
    machine = machines / "intel-laptop-psys-energy-0400-ls-lr.json"
    one = call(command, "sensors", "--as-user", f"--root={machine}", "--json").stdout
    other = call(command, "sensors", "--json", "--root", machine, "--as-user").stdout
    assert one == other


def test_output_that_cannot_be_written_is_a_failure(command: Path, machines: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    machine = machines / "intel-xeon-2s-gold-5118.json"
    for arguments in (["--version"], ["--help"], ["sensors", "--json", "--root", machine]):
        with open("/dev/full", "w") as full:
            done = call(command, *arguments, stdout=full)
        assert done.returncode == 1
        assert "No space left" in done.stderr


BOARDS = """
board name="NVIDIA H200" uuid=GPU-11111111-0000-0000-0000-000000000000 pci=00000000:3B:00.0 watts=70
board name="NVIDIA H200" uuid=GPU-22222222-0000-0000-0000-000000000000 pci=00000000:5E:00.0 watts=70
"""


@pytest.mark.parametrize(
    ("visible", "counted"),
    [
        (None, {"gpu-0/board", "gpu-1/board"}),
        ("1", {"gpu-1/board"}),
        ("GPU-11111111", {"gpu-0/board"}),
        ("", set()),
        ("-1", set()),
    ],
)
def test_only_the_gpus_that_cuda_may_see_are_counted(
    visible: str | None, counted: set[str], command: Path, build: Path, tmp_path: Path
) -> None:
    """The command hands its environment to the library, which reads none itself."""
    script = tmp_path / "boards"
    script.write_text(BOARDS)
    environment = {name: word for name, word in os.environ.items() if "VISIBLE" not in name}
    environment["LD_LIBRARY_PATH"] = str(build / "tests" / "fakes")
    environment["EM_FAKE_NVML"] = str(script)
    if visible is not None:
        environment["CUDA_VISIBLE_DEVICES"] = visible
    done = subprocess.run(
        [command, "sensors", "--json"], env=environment, text=True, capture_output=True, check=True
    )
    boards = [row for row in json.loads(done.stdout)["channels"] if row["domain"] == "gpu"]
    assert {row["name"] for row in boards if row["role"] == "counted"} == counted
    assert {row["source"][:5] for row in boards} <= {"nvml:"}


@pytest.mark.parametrize(
    ("patterns", "counted"),
    [
        ("", {"cpu-0/package"}),
        ("-platform/*", {"cpu-0/package"}),
        ("+cpu-*", {"cpu-0/package"}),
        ("+platform/psys,-cpu-*", {"platform/psys"}),
        ("+platform/psys", {"platform/psys", "cpu-0/package"}),
        ("-*,+cpu-0/core", {"cpu-0/core"}),
        ("-*,+cpu-0/pack*", {"cpu-0/package"}),
        ("+platform/psys,-*", set()),
    ],
)
def test_a_user_overrules_the_roles(
    command: Path, machines: Path, patterns: str, counted: set[str]
) -> None:
    path = machines / "intel-laptop-psys-energy-0400-ls-lr.json"
    done = call(command, "sensors", "--json", f"--channels={patterns}", f"--root={path}")
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads(done.stdout)["channels"]
    assert {row["name"] for row in rows if row["role"] == "counted"} == counted
    for row in rows:
        assert row["role"] != "unreadable" or "channels=" in row["reason"]


def test_a_channel_that_is_not_there_cannot_be_counted(command: Path, machines: Path) -> None:
    path = machines / "intel-laptop-psys-energy-0400-ls-lr.json"
    done = call(command, "sensors", "--channels=+gpu-7/board", f"--root={path}")
    assert done.returncode != 0
    assert "+gpu-7/board" in done.stderr
    assert "energy-meter sensors lists the names" in done.stderr
