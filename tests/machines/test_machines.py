# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Recorded machines through the native command: each number's role is the one that is known for it.

A recording's `expect` names powercap zones: `sum` is what a total is made of, `informational` lies
inside that, `duplicate` shows the same silicon again, `platform` holds more than components, and
`unreadable` fails when it is read.
"""

from __future__ import annotations

import json
import posixpath
import subprocess
from pathlib import Path
from typing import Any

import pytest

MACHINES = sorted(Path(__file__).parent.glob("*.json"))
SENSOR = "rapl-powercap"

# What the notes of a recording say in words alone.
DIAGNOSES = {
    "intel-rapl-control-type-without-zones": "no-zones",
    "vm-no-powercap-tesla-t4": "no-driver",
}


class Machine:
    """A recording, and what a user should see of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        recorded = json.loads(path.read_text())
        self.files: dict[str, dict[str, Any]] = recorded["files"]
        self.links: dict[str, str] = recorded["links"]
        self.expect: dict[str, Any] = recorded["expect"]
        self.duplicates: dict[str, str] = self.expect.get("duplicate", {})
        self.diagnosis: str | None = self.expect.get("diagnose", DIAGNOSES.get(self.name))
        self.has_errors = any("errno" in entry for entry in self.files.values())

    def resolve(self, path: str) -> str:
        """The path with every link followed, as far as the recording knows it."""
        done = "/"
        parts = path.strip("/").split("/")
        while parts:
            done = posixpath.normpath(posixpath.join(done, parts.pop(0)))
            if done in self.links:
                target = posixpath.join(posixpath.dirname(done), self.links[done])
                parts = [*posixpath.normpath(target).strip("/").split("/"), *parts]
                done = "/"
        return done

    def is_readable(self, zone: str, as_user: bool) -> bool:
        entry = self.files.get(self.resolve(f"{zone}/energy_uj"))
        if entry is None or "errno" in entry:
            return False
        return not as_user or int(entry["mode"], 8) & 0o004 != 0

    def counted(self, as_user: bool) -> set[str]:
        """The zones of the sum; for one that cannot be read its first duplicate that can."""
        found = set()
        for zone in self.expect["sum"]:
            mirrors = sorted(copy for copy, of in self.duplicates.items() if of == zone)
            readable = [path for path in (zone, *mirrors) if self.is_readable(path, as_user)]
            found.update(readable[:1])
        return found

    def materialize(self, root: Path) -> None:
        for path, entry in self.files.items():
            file = root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(entry["content"].encode("utf-8", "surrogateescape"))
        for path, target in self.links.items():
            link = root / path.lstrip("/")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)


def names() -> list[Machine]:
    return [Machine(path) for path in MACHINES]


@pytest.fixture(params=names(), ids=lambda machine: machine.name)
def machine(request: pytest.FixtureRequest) -> Machine:
    found: Machine = request.param
    return found


def sensors(build: Path, root: Path, *options: str) -> dict[str, Any]:
    command = [str(build / "cli" / "energy-meter"), "sensors", "--json", f"--root={root}", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["schema"] == 1
    return document


def zones(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    rows = [row for row in document["channels"] if row["sensor"] == SENSOR]
    by_source = {row["source"]: row for row in rows}
    assert len(by_source) == len(rows)
    return by_source


def absences(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["sensor"]: row for row in document["absent"]}


def check_whole(document: dict[str, Any]) -> None:
    """What holds on every machine: unique names, owners that exist, a reason for what is not."""
    rows = {row["name"]: row for row in document["channels"]}
    assert len(rows) == len(document["channels"])
    for row in rows.values():
        assert (row["of"] is not None) == (row["role"] in {"part", "mirror"}), row
        assert row["of"] is None or row["of"] in rows
        assert row["reason"] or row["role"] == "counted", row
        if row["role"] == "mirror":
            assert rows[row["of"]]["role"] in {"counted", "part"}, row
    for row in document["absent"]:
        assert row["reason"], row


def check_roles(machine: Machine, document: dict[str, Any], as_user: bool) -> None:
    found = zones(document)
    expected = machine.counted(as_user)
    assert {source for source, row in found.items() if row["role"] == "counted"} == expected
    known = dict.fromkeys(machine.expect.get("informational", []), "part")
    known |= dict.fromkeys(machine.expect.get("platform", []), "platform")
    known |= {zone: "mirror" for zone in machine.duplicates if zone not in expected}
    known |= {zone: "unreadable" for zone in machine.expect["sum"] if zone not in expected}
    known |= dict.fromkeys(machine.expect.get("unreadable", []), "unreadable")
    for zone, role in known.items():
        assert zone in found
        readable = machine.is_readable(zone, as_user)
        assert found[zone]["role"] == (role if readable else "unreadable"), zone
    for zone, original in machine.duplicates.items():
        if found[zone]["role"] == "mirror":
            assert found[zone]["of"] == found[original]["name"]
    for zone, row in found.items():
        assert (row["role"] == "unreadable") == (not machine.is_readable(zone, as_user)), zone
    if expected:
        models = [row for row in document["channels"] if row["kind"] == "model"]
        assert all(row["role"] != "counted" for row in models)


def test_the_recordings_that_matter_most_are_here() -> None:
    kept = {path.stem for path in MACHINES}
    assert kept >= {
        "intel-laptop-alderlake-zenbook-ux3402za-mmio",
        "amd-threadripper-1950x-die-mirror",
        "intel-xeon-2s-gold-5118",
        "container-dangling-powercap-symlinks",
        "rapl-energy-read-eio-and-enodata",
    }


def test_roles(build: Path, machine: Machine) -> None:
    document = sensors(build, machine.path)
    check_whole(document)
    check_roles(machine, document, as_user=False)


def test_roles_of_a_directory(build: Path, machine: Machine, tmp_path: Path) -> None:
    if machine.has_errors:
        pytest.skip("a directory cannot show files that fail when they are read")
    machine.materialize(tmp_path)
    document = sensors(build, tmp_path)
    assert document == sensors(build, machine.path)


def test_roles_for_an_ordinary_user(build: Path, machine: Machine) -> None:
    document = sensors(build, machine.path, "--as-user")
    check_whole(document)
    check_roles(machine, document, as_user=True)
    unreadable = [zone for zone in zones(document) if not machine.is_readable(zone, as_user=True)]
    if unreadable and len(unreadable) == len(zones(document)) and not machine.has_errors:
        absence = absences(document)[SENSOR]
        assert absence["status"] == "permission"
        assert absence["hint"]


def test_what_is_missing_is_diagnosed(build: Path, machine: Machine) -> None:
    absent = absences(sensors(build, machine.path))
    if machine.diagnosis is None:
        assert SENSOR not in absent
    else:
        assert absent[SENSOR]["status"] == machine.diagnosis
        assert absent[SENSOR]["hint"]


def test_a_private_laptop_needs_permission(build: Path, machines: Path) -> None:
    path = machines / "intel-laptop-psys-energy-0400-ls-lr.json"
    document = sensors(build, path, "--as-user")
    assert {row["role"] for row in zones(document).values()} == {"unreadable"}
    assert absences(document)[SENSOR]["status"] == "permission"


def test_an_open_copy_stands_in_for_a_private_original(build: Path, machines: Path) -> None:
    path = machines / "intel-laptop-alderlake-zenbook-ux3402za-mmio.json"
    as_root, as_user = zones(sensors(build, path)), zones(sensors(build, path, "--as-user"))
    original, copy = "/sys/class/powercap/intel-rapl:0", "/sys/class/powercap/intel-rapl-mmio:0"
    assert (as_root[original]["name"], as_root[original]["role"]) == ("cpu-0/package", "counted")
    assert as_root[copy]["name"] == "cpu-0/package@rapl-powercap"
    assert (as_root[copy]["role"], as_root[copy]["of"]) == ("mirror", "cpu-0/package")
    assert (as_user[copy]["role"], as_user[original]["role"]) == ("counted", "unreadable")
    assert [row["name"] for row in as_user.values()] == [row["name"] for row in as_root.values()]


def test_the_names_of_two_sockets(build: Path, machines: Path) -> None:
    found = zones(sensors(build, machines / "intel-xeon-2s-gold-5118.json"))
    assert {source.rpartition("/")[2]: row["name"] for source, row in found.items()} == {
        "intel-rapl:0": "cpu-0/package",
        "intel-rapl:0:0": "cpu-0/dram",
        "intel-rapl:1": "cpu-1/package",
        "intel-rapl:1:0": "cpu-1/dram",
    }


def test_what_failed_is_told_apart(build: Path, machines: Path) -> None:
    path = machines / "rapl-energy-read-eio-and-enodata.json"
    found = zones(sensors(build, path))
    reasons = [found[f"/sys/class/powercap/intel-rapl:{n}"]["reason"] for n in (0, 1)]
    assert all(reasons)
    assert reasons[0] != reasons[1]


def test_units_of_another_machine_cannot_be_asked(
    build: Path, machines: Path, tmp_path: Path
) -> None:
    """Perf events are the running kernel's: a recording that shows a unit keeps its roles."""
    path = machines / "intel-xeon-2s-gold-5118.json"
    recorded = json.loads(path.read_text())
    unit = "/sys/bus/event_source/devices/power"
    for name, content in {
        "type": "31\n",
        "cpumask": "0,12\n",
        "events/energy-pkg": "event=0x02\n",
        "events/energy-pkg.scale": "2.3283064365386962890625e-10\n",
        "events/energy-pkg.unit": "Joules\n",
    }.items():
        recorded["files"][f"{unit}/{name}"] = {"content": content, "mode": "0444"}
    copy = tmp_path / "with-a-unit.json"
    copy.write_text(json.dumps(recorded))
    plain, document = sensors(build, path), sensors(build, copy)
    assert document["channels"] == plain["channels"]
    assert "rapl-perf" not in absences(plain)
    assert absences(document)["rapl-perf"]["status"] == "not-supported"
