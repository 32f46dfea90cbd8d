# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What gets installed: a C library that pkg-config finds; a wheel of package and command."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **environment},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prefix of an installation below a folder of its own."""
    destination = tmp_path_factory.mktemp("destination")
    run("meson", "install", "-C", build, "--no-rebuild", "--destdir", destination)
    (header,) = destination.rglob("energy_meter.h")
    return header.parents[1]


def flags(prefix: Path, *asked: str) -> list[str]:
    program = shutil.which("pkg-config") or shutil.which("pkgconf")
    if program is None:
        pytest.skip("neither pkg-config nor pkgconf is installed")
    (file,) = prefix.rglob("energy_meter.pc")
    path = {"PKG_CONFIG_LIBDIR": str(file.parent), "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1"}
    prefixed = f"--define-variable=prefix={prefix}"
    return run(program, prefixed, *asked, "energy_meter", **path).split()


def test_what_is_installed(installed: Path) -> None:
    names = {path.name for path in installed.rglob("*") if not path.is_dir()}
    library = {"libenergy_meter.a", "libenergy_meter.so", "libenergy_meter.so.0"}
    assert {"energy-meter", "energy_meter.h", "energy_meter.pc", *library} <= names
    assert not {name for name in names if name.endswith(".py") or "test" in name}


def test_a_c_program_builds_and_runs_against_the_installation(
    installed: Path, root: Path, tmp_path: Path
) -> None:
    program = tmp_path / "train"
    asked = flags(installed, "--cflags", "--libs")
    strict = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    run("gcc", *strict, root / "examples" / "train.c", "-o", program, *asked)
    (library,) = installed.rglob("libenergy_meter.so.0")
    printed = run(program, LD_LIBRARY_PATH=str(library.parent)).splitlines()
    batches = [line for line in printed if re.match(r"Epoch \d Batch \d: \d+\.\d+ J, ", line)]
    assert [line.split(":")[0] for line in batches] == [
        f"Epoch {epoch} Batch {batch}" for epoch in range(2) for batch in range(3)
    ]


def test_pkg_config_knows_the_version(installed: Path, root: Path) -> None:
    version = re.search(r"version: '([\d.]+)'", (root / "meson.build").read_text())
    assert version is not None
    assert flags(installed, "--modversion") == [version[1]]


def test_the_wheel_holds_the_package_and_the_command_alone(root: Path) -> None:
    try:
        files = importlib.metadata.files("energy-meter") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the Python package is not installed in this environment")
    assert "Root-Is-Purelib: false" in (
        importlib.metadata.distribution("energy-meter").read_text("WHEEL") or ""
    )
    folders = {file.parts[0] for file in files if file.parts[0] != ".."}
    assert {name for name in folders if not name.endswith(".dist-info")} == {"energy_meter"}
    outside = [str(file) for file in files if file.parts[0] == ".."]
    assert [Path(name).name for name in outside] == ["energy-meter"]
    inside = {file.name for file in files if file.parts[0] == "energy_meter"}
    sources = {path.name for path in (root / "python" / "energy_meter").glob("*.py*")}
    assert inside >= {*sources, "_native.abi3.so", "py.typed"}
    command = Path(sys.executable).parent / "energy-meter"
    assert command.read_bytes()[:4] == b"\x7fELF"
    assert run(command, "--version").split()[1] == importlib.metadata.version("energy-meter")


def test_another_operating_system_is_told_in_one_sentence(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.ini"
    other.write_text(
        "[binaries]\nc = 'gcc'\n"
        "[host_machine]\nsystem = 'freebsd'\ncpu_family = 'x86_64'\ncpu = 'x86_64'\n"
        "endian = 'little'\n"
    )
    command = ["meson", "setup", str(tmp_path / "build"), str(root), "--cross-file", str(other)]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode != 0
    (told,) = [line for line in done.stdout.splitlines() if "ERROR" in line]
    assert "builds on Linux only, not on freebsd" in told
