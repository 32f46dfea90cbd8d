# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The doctor and the setup: what they tell, and that a recording shows what its machine showed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

MACHINES = sorted((Path(__file__).parents[1] / "machines").glob("*.json"))
CHANNEL_KEYS = {
    *("name", "sensor", "source", "device_name", "domain", "kind", "role", "of", "status"),
    *("reason", "read_cost_s", "period_s", "period", "power_w", "notes"),
}


@pytest.fixture(scope="module")
def command(build: Path) -> Path:
    return build / "cli" / "energy-meter"


def call(command: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in (command, *arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def document(command: Path, what: str, *arguments: str | Path) -> dict[str, Any]:
    done = call(command, what, "--json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def save(command: Path, root: Path, target: Path, *options: str) -> dict[str, Any]:
    done = call(command, "doctor", "--root", root, "--save", target, *options)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert str(target) in done.stderr
    recorded: dict[str, Any] = json.loads(target.read_text())
    return recorded


def materialize(recorded: dict[str, Any], root: Path) -> None:
    for path, entry in recorded["files"].items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((entry["content"] or "").encode("utf-8", "surrogateescape"))
        file.chmod(int(entry["mode"], 8))
    for path, target in recorded.get("links", {}).items():
        link = root / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)


def same(command: Path, one: Path, other: Path, *options: str) -> None:
    for what in ("sensors", "doctor"):
        before = document(command, what, "--root", one, *options)
        after = document(command, what, "--root", other, *options)
        assert after == before, f"{what} {options}"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda path: path.stem)
def test_a_recording_of_a_recording_shows_the_same(
    command: Path, machine: Path, tmp_path: Path
) -> None:
    target = tmp_path / "machine.json"
    save(command, machine, target)
    same(command, machine, target)
    same(command, machine, target, "--as-user")


@pytest.mark.parametrize("machine", MACHINES, ids=lambda path: path.stem)
def test_a_recording_of_a_directory_shows_the_same(
    command: Path, machine: Path, tmp_path: Path
) -> None:
    recorded = json.loads(machine.read_text())
    if any("errno" in entry for entry in recorded["files"].values()):
        pytest.skip("a directory cannot show files that fail when they are read")
    if os.geteuid() != 0 and any(not int(e["mode"], 8) & 4 for e in recorded["files"].values()):
        pytest.skip("files of mode 0400 are root's")
    root, target = tmp_path / "root", tmp_path / "machine.json"
    root.mkdir()
    materialize(recorded, root)
    save(command, root, target)
    for options in ([], ["--as-user"]):
        before = document(command, "sensors", "--root", root, *options)
        assert document(command, "sensors", "--root", target, *options) == before


def test_a_recording_plays_as_the_machine_of_its_maker(command: Path, tmp_path: Path) -> None:
    """An ordinary user's recording lacks what they may not read, and says so."""
    machine = MACHINES[0].with_name("intel-laptop-psys-energy-0400-ls-lr.json")
    recorded = json.loads(machine.read_text())
    for entry in recorded["files"].values():
        if entry["mode"] == "0400":
            entry |= {"content": None, "errno": "EACCES"}
    theirs = tmp_path / "theirs.json"
    theirs.write_text(json.dumps(recorded))
    target = tmp_path / "machine.json"
    saved = save(command, theirs, target)
    assert "4 files may not be read by the user who recorded it" in saved["notes"]
    as_user = document(command, "sensors", "--root", machine, "--as-user")
    assert document(command, "sensors", "--root", target)["absent"] == as_user["absent"]


def test_a_recording_is_written_whole_and_replaces_nothing(command: Path, tmp_path: Path) -> None:
    machine, target = MACHINES[0], tmp_path / "machine.json"
    save(command, machine, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [target]
    target.write_text("mine")
    done = call(command, "doctor", "--root", machine, "--save", target)
    assert done.returncode == 1
    assert "add --force" in done.stderr
    assert target.read_text() == "mine"
    link = tmp_path / "link.json"
    link.symlink_to(target)
    assert call(command, "doctor", "--root", machine, "--save", link).returncode == 1
    save(command, machine, link, "--force")
    assert not link.is_symlink()
    assert target.read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2
    done = call(command, "doctor", "--root", machine, "--save", tmp_path / "no" / "folder.json")
    assert done.returncode == 1
    assert "No such file" in done.stderr


def test_channels_are_counted_and_left_out_as_in_sensors(command: Path) -> None:
    machine = MACHINES[0].with_name("intel-laptop-raptorlake-i9-13900hx-psys.json")
    for patterns in ("-cpu-0/*", "+platform/psys", "-*,+platform/psys"):
        options = ("--root", machine, "--channels", patterns)
        roles = {
            what: {
                row["name"]: row["role"] for row in document(command, what, *options)["channels"]
            }
            for what in ("doctor", "sensors")
        }
        assert roles["doctor"] == roles["sensors"]
        assert ("counted" in roles["doctor"].values()) == ("+" in patterns)
    done = call(command, "doctor", "--root", machine, "--channels", "+gpu-7")
    assert done.returncode == 1
    assert "gpu-7" in done.stderr
    done = call(command, "doctor", "--channels=-gpu*", "--save", "machine.json")
    assert done.returncode == 2
    assert "--channels and --save do not go together" in done.stderr


FILE = {"content": "", "mode": "0444"}
OVERLAY = (
    "1 0 8:1 /home /home rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "733 610 0:61 / / rw,relatime master:304 - overlay overlay rw,lowerdir={}/l/A,upperdir=/x\n"
)
CONTAINERS = [
    ("docker", "/.dockerenv", "", "docker run --security-opt systempaths=unconfined"),
    ("podman", "/run/.containerenv", "", "podman run --security-opt unmask=/sys/devices"),
    ("kubernetes", "/run/secrets/kubernetes.io/serviceaccount/token", "", "procMount: Unmasked"),
    ("apptainer", "/.singularity.d/runscript", "", "apptainer run --bind"),
    ("lxc", "/run/systemd/container", "lxc\n", "lxc.mount.entry"),
    ("systemd-nspawn", "/run/systemd/container", "systemd-nspawn\n", "--bind-ro=/sys/devices"),
    ("other", "/run/systemd/container", "wsl\n", "unmask /sys/devices/virtual/powercap"),
    ("docker", "/proc/self/mountinfo", OVERLAY.format("/var/lib/docker/overlay2"), "docker run"),
    ("podman", "/proc/self/mountinfo", OVERLAY.format("/u/containers/storage/overlay"), "podman"),
    ("other", "/proc/self/mountinfo", OVERLAY.format("/var/lib/containerd/io"), "unmask"),
    ("kubernetes", "/proc/self/cgroup", "0::/kubepods.slice/kubepods-pod1.slice/cri-2\n", "proc"),
    ("docker", "/proc/self/cgroup", "0::/system.slice/docker-8a7b.scope\n", "docker run"),
    ("podman", "/proc/self/cgroup", "0::/user.slice/libpod-8a7b.scope\n", "podman run"),
]


@pytest.mark.parametrize(("kind", "path", "content", "flag"), CONTAINERS)
def test_a_container_is_told_how_to_see_more(
    command: Path, tmp_path: Path, kind: str, path: str, content: str, flag: str
) -> None:
    """Its own kind's flags, for what it lacks, and whose energy the counters are."""
    recorded = json.loads(
        MACHINES[0].with_name("container-dangling-powercap-symlinks.json").read_text()
    )
    recorded["files"].pop("/.dockerenv", None)
    recorded["files"][path] = FILE | {"content": content}
    gpu = "/sys/bus/pci/devices/0000:3b:00.0"
    for name, text in (("vendor", "0x10de"), ("class", "0x030200"), ("device", "0x2330")):
        recorded["files"][f"{gpu}/{name}"] = FILE | {"content": f"{text}\n"}
    machine, saved = tmp_path / "machine.json", tmp_path / "saved.json"
    machine.write_text(json.dumps(recorded))
    found = document(command, "doctor", "--root", machine)
    container = found["container"]
    assert container["kind"] == kind
    assert path.startswith(container["evidence"])
    assert "whole host" in container["text"]
    advice = " ".join(container["advice"])
    assert flag in advice
    assert "NVIDIA GPUs: " in advice
    absent = {row["sensor"]: row for row in found["absent"]}
    assert flag in absent["rapl-powercap"]["hint"]
    assert "whole host" in absent["rapl-powercap"]["hint"]
    text = " ".join(call(command, "doctor", "--root", machine).stdout.split())
    assert "This is a container" in text
    assert flag in text
    save(command, machine, saved)
    assert document(command, "doctor", "--root", saved)["container"] == container
    for private in ("8a7b", "pod1", "/u/", "upperdir"):
        assert private not in saved.read_text()


def test_what_is_no_container(command: Path, tmp_path: Path) -> None:
    machine = MACHINES[0].with_name("intel-xeon-2s-gold-5118.json")
    assert document(command, "doctor", "--root", machine)["container"] is None
    recorded = json.loads(machine.read_text())
    live = "1 0 0:1 / / rw - overlay overlay rw,lowerdir=/run/rootfsbase,upperdir=/run/overlay\n"
    recorded["files"]["/proc/self/mountinfo"] = FILE | {"content": live}
    recorded["files"]["/proc/self/cgroup"] = FILE | {"content": "0::/init.scope\n"}
    copy = tmp_path / "machine.json"
    copy.write_text(json.dumps(recorded))
    assert document(command, "doctor", "--root", copy)["container"] is None
    # In one that sees its counters there is nothing to advise.
    recorded["files"]["/.dockerenv"] = FILE
    copy.write_text(json.dumps(recorded))
    assert document(command, "doctor", "--root", copy)["container"]["advice"] == []


def test_what_is_merely_not_here_takes_one_line(command: Path) -> None:
    """Its remedy is in the JSON; what a remedy would help here stands in full."""
    machine = MACHINES[0].with_name("intel-xeon-2s-gold-5118.json")
    for what in ("doctor", "sensors"):
        options = ("--root", machine, "--as-user")
        done = call(command, what, *options)
        text = " ".join(done.stdout.split())
        assert "not here amdgpu, intel-gpu, battery, hwmon and dtpm: nothing of theirs" in text
        assert "sudo modprobe amdgpu" not in text
        assert "rapl-powercap permission: this user may not read" in text
        absent = {row["sensor"]: row for row in document(command, what, *options)["absent"]}
        folded = {"amdgpu", "intel-gpu", "battery", "hwmon", "dtpm"}
        assert absent.keys() >= folded
        assert all(row["hint"] for row in absent.values())


def test_the_doctor_measures_this_machine(command: Path) -> None:
    found = document(command, "doctor")
    assert found["schema"] == 1
    assert all(set(channel) == CHANNEL_KEYS for channel in found["channels"])
    counted = [row for row in found["channels"] if row["role"] == "counted"]
    assert found["total"] == [row["name"] for row in counted]
    for row in counted:
        assert 0 < row["read_cost_s"] < 1
        assert row["period"] in {"seen", "assumed", None}
    names = {row["name"] for row in document(command, "sensors")["channels"]}
    assert {row["name"] for row in found["channels"]} == names


def test_this_machine_can_be_recorded(command: Path, tmp_path: Path) -> None:
    target = tmp_path / "machine.json"
    recorded = save(command, Path("/"), target)
    assert "/proc/cpuinfo" in recorded["files"]
    assert Path("/proc/sys/kernel/random/boot_id").read_text().strip() not in target.read_text()
    live = document(command, "sensors")
    played = document(command, "sensors", "--root", target)
    sensors = {"nvml", "rapl-perf"}  # What a recording cannot play.
    if not any(row["sensor"] in sensors for row in live["channels"]):
        assert [row["name"] for row in played["channels"]] == [
            row["name"] for row in live["channels"]
        ]
        assert [row for row in played["absent"] if row["sensor"] not in sensors] == [
            row for row in live["absent"] if row["sensor"] not in sensors
        ]


def test_a_gpu_updates_as_often_as_it_does(command: Path, build: Path, tmp_path: Path) -> None:
    """The stand-in for NVML moves its counter each 70 ms; the doctor has a second to see that."""
    script = tmp_path / "boards"
    script.write_text(
        'board name="NVIDIA H200" uuid=GPU-11111111-0000-0000-0000-000000000000 '
        "pci=00000000:3B:00.0 watts=70 update_ms=70\n"
    )
    environment = {
        **{name: word for name, word in os.environ.items() if "VISIBLE" not in name},
        "LD_LIBRARY_PATH": str(build / "tests" / "fakes"),
        "EM_FAKE_NVML": str(script),
    }
    for _ in range(8):  # On a busy machine one second may not be enough, and the doctor says so.
        done = subprocess.run(
            [command, "doctor", "--json"],
            env=environment,
            text=True,
            capture_output=True,
            check=True,
        )
        board = {row["name"]: row for row in json.loads(done.stdout)["channels"]}["gpu-0/board"]
        if board["period"] == "seen":
            break
    assert board["period"] == "seen"
    assert board["period_s"] == pytest.approx(0.07, rel=0.05)
    assert board["power_w"] == pytest.approx(70.0, rel=0.02)
    assert 0 < board["read_cost_s"] < 0.01


def test_what_is_forbidden_has_a_remedy_and_a_risk(command: Path) -> None:
    machine = MACHINES[0].with_name("intel-laptop-psys-energy-0400-ls-lr.json")
    found = document(command, "doctor", "--root", machine, "--as-user")
    absent = {row["sensor"]: row for row in found["absent"]}["rapl-powercap"]
    assert absent["status"] == "permission"
    assert "/bin/chgrp rapl /sys%p/energy_uj" in absent["hint"]
    assert "setup --print" in absent["hint"]
    risks = {row["sensor"]: row["text"] for row in found["security"]}
    assert "CVE-2020-8694" in risks["rapl-powercap"]
    text = call(command, "doctor", "--root", machine, "--as-user").stdout
    assert "remedy: " in text
    assert text.count("Before you open it") == 1
    assert document(command, "doctor", "--root", machine)["security"] == []


def test_hidden_counters_name_the_container_flags(command: Path) -> None:
    machine = MACHINES[0].with_name("container-dangling-powercap-symlinks.json")
    found = document(command, "doctor", "--root", machine)
    absent = {row["sensor"]: row for row in found["absent"]}["rapl-powercap"]
    assert absent["status"] == "masked-by-container"
    assert "--security-opt systempaths=unconfined" in absent["hint"]
    assert "CVE-2020-8694" in found["security"][0]["text"]


def test_setup_prints_what_the_documents_say(command: Path, root: Path) -> None:
    done = call(command, "setup", "--print")
    assert (done.returncode, done.stderr) == (0, "")
    printed = [line.strip().removeprefix("# ") for line in done.stdout.splitlines()]
    sensors = root / "docs" / "sensors"
    groups = (sensors / "rapl-powercap.md").read_text().split("To let one group", 1)[1]
    events = (sensors / "rapl-perf.md").read_text().split("To allow all users", 1)[1]
    lines = [
        line.strip()
        for text in (groups.split("To let everybody", 1)[0], events.split("Root may", 1)[0])
        for line in text.splitlines()
        if line.startswith("    ")
    ]
    assert len(lines) == 9
    assert [line for line in lines if line not in printed] == []
    assert "CVE-2020-8694" in done.stdout


def test_what_setup_prints_is_shell(command: Path, tmp_path: Path) -> None:
    """Run with a sudo that only writes its arguments down: the rule arrives as udev wants it."""
    script = call(command, "setup", "--print").stdout
    log, tools = tmp_path / "log", tmp_path / "bin"
    tools.mkdir()
    sudo = tools / "sudo"
    sudo.write_text(f'#!/bin/sh\necho "$@" >> {log}\n[ "$1" = tee ] && cat >> {log}\nexit 0\n')
    sudo.chmod(0o755)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "USER": "me"}
    subprocess.run(["sh", "-eu", "-c", script], env=environment, check=True, capture_output=True)
    told = log.read_text().splitlines()
    assert told[:3] == [
        "groupadd --system rapl",
        "usermod -aG rapl me",
        "tee /etc/udev/rules.d/70-rapl.rules",
    ]
    assert told[3] == (
        'SUBSYSTEM=="powercap", ACTION=="add", KERNEL=="intel-rapl*:*", '
        'RUN+="/bin/chgrp rapl /sys%p/energy_uj", RUN+="/bin/chmod g+r /sys%p/energy_uj"'
    )
    assert not any("perf_event_paranoid" in line or "setcap" in line for line in told)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["doctr"], "did you mean doctor?"),
        (["setpu"], "did you mean setup?"),
        (["doctor", "--sav"], "'--sav'; did you mean --save?"),
        (["doctor", "--save"], "--save needs a value: --save FILE.json"),
        (["doctor", "--save="], "--save is empty"),
        (["doctor", "--force"], "add --save FILE.json"),
        (["doctor", "--json", "--save", "x"], "--json and --save"),
        (["doctor", "--root", "x", "--as-user", "--save", "x"], "--as-user and --save"),
        (["doctor", "--as-user"], "add --root FILE.json"),
        (["doctor", "--root="], "--root is empty"),
        (["setup"], "--print prints"),
        (["setup", "--prnt"], "did you mean --print?"),
    ],
)
def test_a_wrong_call_is_told_and_ends_with_2(
    command: Path, arguments: list[str], named: str
) -> None:
    done = call(command, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr


@pytest.mark.parametrize("arguments", [["doctor", "--help"], ["setup", "--help"]])
def test_help_fits_a_screen(command: Path, arguments: list[str]) -> None:
    done = call(command, *arguments)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].startswith("usage: energy-meter")
    assert len(lines) < 24
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize("options", [[], ["--save", "out.json"]])
def test_a_root_that_is_none_fails(command: Path, options: list[str], tmp_path: Path) -> None:
    done = call(command, "doctor", "--root", tmp_path / "nowhere", *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nowhere" in done.stderr
