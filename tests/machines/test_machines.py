# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Recorded machines through the native command: each number's role is the one that is known for it.

A recording's `expect` names what is known of it, by the paths of zones and files, or by labels:
`sum…` is what a total is made of, `informational` lies inside that, `duplicate` shows the same
silicon again, `platform` holds more than components, `unreadable` fails when it is read, `exclude`
is no power, and `gpu` names the one file of a GPU. NOTES has what a recording says in words alone.
"""

from __future__ import annotations

import json
import posixpath
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

MACHINES = sorted(Path(__file__).parent.glob("*.json"))
SENSOR = "rapl-powercap"

# What the notes of a recording say in words alone.
DIAGNOSES = {
    "intel-rapl-control-type-without-zones": "no-zones",
}
HWMON = "/sys/class/hwmon"
NOTES: dict[str, dict[str, Any]] = {
    "amd-epyc-7281-2s-zenpower": {
        "sum_power": [
            f"{HWMON}/hwmon{n}" for n in ("0/power2_input", "3/power1_input", "4/power2_input")
        ],
        "unreadable": [f"{HWMON}/hwmon5/power1_input"],
    },
    "kepler-hwmon-testdata": {
        "gpu": {"power": "power1_average"},
        "platform": [
            f"{HWMON}/hwmon{n}" for n in ("0/power1_input", "0/power2_input", "2/power1_input")
        ],
    },
    "amdgpu-mi250-secondary-die-zero": {
        "gpu": {"power": "power1_average"},
        "duplicate": {f"{HWMON}/hwmon6/power1_average": f"{HWMON}/hwmon5/power1_average"},
    },
    "amdgpu-apu-vangogh-steamdeck": {
        "duplicate": {f"{HWMON}/hwmon4/power2_average": f"{HWMON}/hwmon4/power1_average"},
    },
    "nvidia-gh200-grace-hopper-module-power": {
        "informational": [f"{HWMON}/hwmon{n}/device/power1_average" for n in (2, 3)],
    },
    "ibm-power-occ-hwmon": {"informational": [f"{HWMON}/hwmon2/power{n}_input" for n in (3, 4)]},
    "corsair-psu-hwmon-total-and-rails": {
        "informational": [f"{HWMON}/hwmon5/power{n}_input" for n in (2, 3, 4)],
    },
    "apple-silicon-asahi-macsmc-hwmon": {
        "platform": ["/sys/class/power_supply/macsmc-battery", f"{HWMON}/hwmon2/power2_input"],
        "informational": ["3.8 V Rail Power", "Heatpipe Power"],
    },
    "arm-dtpm-power-uw-zones": {
        "platform": ["/sys/class/powercap/dtpm:0"],
        "informational": [f"/sys/class/powercap/dtpm:0:0{end}" for end in ("", ":0", ":1")],
    },
    "battery-on-ac-power-now-zero-plus-hwmon-mirror": {
        "platform": ["/sys/class/power_supply/BAT0"]
    },
    "battery-thinkpad-bat0-power-now": {"platform": ["/sys/class/power_supply/BAT0"]},
    "battery-dell-xps-current-now-times-voltage": {"platform": ["/sys/class/power_supply/BAT0"]},
}


class Machine:
    """A recording, and what a user should see of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        recorded = json.loads(path.read_text())
        self.files: dict[str, dict[str, Any]] = recorded["files"]
        self.links: dict[str, str] = recorded["links"]
        known = recorded.get("expect", {})
        self.expect: dict[str, Any] = {**known, **NOTES.get(path.stem, {})}
        self.duplicates = {
            self.source(copy): self.source(of)
            for copy, of in self.expect.get("duplicate", {}).items()
        }
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

    def source(self, name: str) -> str:
        """The path that a number is shown with: a path, or that of the number with this label."""
        if re.fullmatch(rf"{HWMON}/hwmon\d+", name):
            return f"{name}/power1_input"
        if name.startswith("/"):
            return name
        for chip in sorted(
            {path for path in (*self.links, *self.files) if path.startswith(f"{HWMON}/hwmon")}
        ):
            root = "/".join(chip.split("/")[:5])
            prefix = f"{self.resolve(root)}/"
            for path, entry in self.files.items():
                found = re.fullmatch(rf"{re.escape(prefix)}((?:in|power|energy)\d+)_label", path)
                if found and (entry["content"] or "").strip() == name:
                    return f"{root}/{found[1]}_input"
        raise AssertionError(f"{self.name}: nothing has the label {name}")

    def named(self, key: str) -> set[str]:
        """What `expect` has under a key, whatever the shape of it."""
        value = self.expect.get(key, [])
        if isinstance(value, str):  # "energy1..128", "energyN": the ones that are not in the sum
            energies = {
                f"{link}/{path.rpartition('/')[2]}"
                for path in self.files
                for link in self.links
                if re.fullmatch(rf"{HWMON}/hwmon\d+", link)
                and re.fullmatch(rf"{re.escape(self.resolve(link))}/energy\d+_input", path)
            }
            return energies - self.named("sum_energy")
        return {self.source(name) for name in value}

    def gpu_files(self) -> set[str]:
        """The files that are a GPU's power or energy, where `expect` names such."""
        gpu = self.expect.get("gpu", {})
        name = gpu.get("power") or gpu.get("energy")
        roots = {
            "/".join(path.split("/")[:5])
            for path in (*self.links, *self.files)
            if path.startswith(HWMON)
        }
        found = {f"{root}/{name}" for root in roots if self.resolve(f"{root}/{name}") in self.files}
        return {
            path for path in found if self.files[self.resolve(posixpath.dirname(path) + "/name")]
        }

    def parts(self, source: str) -> list[str]:
        """The files that one number is read from."""
        rail = re.fullmatch(r"(.*)/in(\d+)_input", source)
        if rail:
            return [source, f"{rail[1]}/curr{rail[2]}_input"]
        folders = {"powercap": ("energy_uj", "power_uw"), "power_supply": ("status",)}
        names = folders.get(source.split("/")[3], ())
        return [
            path
            for path in (f"{source}/{name}" for name in names)
            if self.resolve(path) in self.files
        ] or [source]

    def is_readable(self, source: str, as_user: bool) -> bool:
        for path in self.parts(source):
            entry = self.files.get(self.resolve(path))
            if entry is None or "errno" in entry:
                return False
            if as_user and int(entry["mode"], 8) & 0o004 == 0:
                return False
        return source not in self.named("unreadable")

    def counted(self, as_user: bool) -> set[str]:
        """What the sum is made of; for what cannot be read its first duplicate that can."""
        found = set()
        for source in self.sum():
            mirrors = sorted(copy for copy, of in self.duplicates.items() if of == source)
            readable = [path for path in (source, *mirrors) if self.is_readable(path, as_user)]
            found.update(readable[:1])
        return found

    def sum(self) -> set[str]:
        sources = {name for key in self.expect if key.startswith("sum") for name in self.named(key)}
        return (sources | self.gpu_files()) - self.duplicates.keys()

    def materialize(self, root: Path) -> None:
        for path, entry in self.files.items():
            file = root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes((entry["content"] or "").encode("utf-8", "surrogateescape"))
            file.chmod(int(entry["mode"], 8))
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


def readings(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All that is no model, by what it is read from."""
    rows = [row for row in document["channels"] if row["sensor"] != "tdp"]
    by_source = {row["source"]: row for row in rows}
    assert len(by_source) == len(rows)
    return by_source


def zones(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {source: row for source, row in readings(document).items() if row["sensor"] == SENSOR}


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
            assert rows[row["of"]]["role"] in {"counted", "part", "platform"}, row
    for row in document["absent"]:
        assert row["reason"], row


def check_roles(machine: Machine, document: dict[str, Any], as_user: bool) -> None:
    found = readings(document)
    expected = machine.counted(as_user)
    assert {source for source, row in found.items() if row["role"] == "counted"} == expected
    known = dict.fromkeys(machine.named("informational"), "part")
    known |= dict.fromkeys(machine.named("platform"), "platform")
    known |= {copy: "mirror" for copy in machine.duplicates if copy not in expected}
    known |= {source: "unreadable" for source in machine.sum() if source not in expected}
    known |= dict.fromkeys(machine.named("unreadable"), "unreadable")
    label = machine.expect.get("platform_label")
    known |= {machine.source(label): "platform"} if label else {}
    for source, role in known.items():
        assert source in found
        readable = machine.is_readable(source, as_user)
        assert found[source]["role"] == (role if readable else "unreadable"), source
    for source, original in machine.duplicates.items():
        if found[source]["role"] == "mirror":
            assert found[source]["of"] == found[original]["name"]
    zero = machine.expect.get("gpu", {}).get("zero")
    for source, row in found.items():
        if zero and source.endswith(f"/{zero}"):
            assert row["role"] == "unreadable"
        else:
            assert (row["role"] == "unreadable") == (not machine.is_readable(source, as_user)), (
                source
            )
    for label in machine.expect.get("exclude", []):
        assert machine.source(label) not in found
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
    for options in ((), ("--as-user",)):
        assert sensors(build, tmp_path, *options) == sensors(build, machine.path, *options)


def test_roles_for_an_ordinary_user(build: Path, machine: Machine) -> None:
    document = sensors(build, machine.path, "--as-user")
    check_whole(document)
    check_roles(machine, document, as_user=True)
    for sensor in {row["sensor"] for row in readings(document).values()}:
        rows = {
            source: row for source, row in readings(document).items() if row["sensor"] == sensor
        }
        denied = [source for source in rows if not machine.is_readable(source, as_user=True)]
        if (
            len(denied) == len(rows)
            and not machine.has_errors
            and machine.sum() <= machine.counted(False)
        ):
            absence = absences(document)[sensor]
            assert absence["status"] in {"permission", "not-supported"}
            assert absence["hint"]


def test_what_is_missing_is_diagnosed(build: Path, machine: Machine) -> None:
    document = sensors(build, machine.path)
    absent, present = absences(document), {row["sensor"] for row in document["channels"]}
    for sensor in (SENSOR, "nvml", "amdgpu", "intel-gpu", "battery", "file", "hwmon", "dtpm"):
        assert sensor in absent or sensor in present
        assert sensor not in absent or absent[sensor]["hint"]
    if SENSOR not in present:
        diagnosis = machine.expect.get("diagnose", DIAGNOSES.get(machine.name, "no-driver"))
        assert absent[SENSOR]["status"] == diagnosis


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


def test_a_gpu_without_power_is_modelled(build: Path, machines: Path) -> None:
    rows = sensors(build, machines / "amdgpu-r7-240-label-without-value.json")["channels"]
    assert [(row["kind"], row["role"]) for row in rows] == [
        ("gauge", "unreadable"),
        ("model", "counted"),
    ]
    assert sensors(build, machines / "radeon-hd7870-no-power.json")["channels"] == []


def with_rapl(machine: Path, target: Path, mode: str) -> Path:
    """The same machine with a RAPL package beside what it has."""
    recorded = json.loads(machine.read_text())
    zone = "/sys/class/powercap/intel-rapl:0"
    contents = {"name": ("package-0\n", "0444"), "energy_uj": ("123456\n", mode)}
    contents["max_energy_range_uj"] = ("65532610987\n", "0444")
    for name, (content, own) in contents.items():
        recorded["files"][f"{zone}/{name}"] = {
            "content": content,
            "mode": own,
            "evidence": "reconstructed",
        }
    stat = {"content": "cpu  1 0 1 9 0 0 0 0 0 0\n", "mode": "0444", "evidence": "reconstructed"}
    recorded["files"]["/proc/stat"] = stat
    target.write_text(json.dumps(recorded))
    return target


@pytest.mark.parametrize(
    ("name", "package", "others"),
    [
        ("amdgpu-apu-strixpoint", {"amdgpu"}, {"mirror"}),
        ("amd-epyc-7281-2s-zenpower", {"hwmon"}, {"part"}),
        ("amd-epyc-7h12-2s-amd-energy-hwmon", {"hwmon"}, {"mirror", "part"}),
    ],
)
def test_a_socket_counts_once(
    build: Path, machines: Path, tmp_path: Path, name: str, package: set[str], others: set[str]
) -> None:
    """Beside RAPL they are the same socket; where RAPL is private they stand in for it."""
    machine = with_rapl(machines / f"{name}.json", tmp_path / "machine.json", "0400")
    for as_user in (False, True):
        rows = sensors(build, machine, *(["--as-user"] if as_user else []))["channels"]
        socket = [row for row in rows if row["name"].startswith("cpu-0/")]
        counted = {row["sensor"] for row in socket if row["role"] == "counted"}
        if name.startswith("amd-epyc-7h12") and as_user:
            assert counted == {"tdp"}  # amd_energy is private as well
            continue
        assert counted == (package if as_user else {SENSOR}), rows
        rest = {row["role"] for row in socket if row["sensor"] in package}
        assert as_user or rest == others
        assert not any(row["kind"] == "model" and row["role"] == "counted" for row in rows)


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
