# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What the built files show to others is what the header declares, and nothing else."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

DECLARATION = re.compile(r"^EM_API\b[^;{]*?\b(em_\w+)\(", re.MULTILINE)


def declared(root: Path) -> set[str]:
    return set(DECLARATION.findall((root / "include" / "energy_meter.h").read_text()))


def exported(library: Path) -> dict[str, str]:
    command = ["nm", "-D", "--defined-only", "--without-symbol-versions", str(library)]
    listing = subprocess.run(command, text=True, check=True, capture_output=True).stdout
    rows = (line.split() for line in listing.splitlines())
    return {row[-1]: row[-2] for row in rows}


def test_the_shared_library_exports_what_the_header_declares(root: Path, build: Path) -> None:
    symbols = exported(build / "src" / "libenergy_meter.so.0")
    functions = {name for name, kind in symbols.items() if kind == "T"}
    assert len(functions) > 30
    assert functions == declared(root)
    assert {name for name, kind in symbols.items() if kind != "T"} == {"ENERGY_METER_0"}


def test_the_library_needs_libc_alone(build: Path) -> None:
    command = ["readelf", "--dynamic", "--wide", str(build / "src" / "libenergy_meter.so.0")]
    listing = subprocess.run(command, text=True, check=True, capture_output=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.+?)\.so", listing))
    assert needed <= {"libc", "libm", "libdl", "libpthread", "ld-linux-x86-64", "ld-linux-aarch64"}
    assert re.findall(r"\(SONAME\).*\[(.+?)\]", listing) == ["libenergy_meter.so.0"]


def test_the_extension_shows_its_init_function_alone() -> None:
    found = importlib.util.find_spec("energy_meter._native")
    if found is None or found.origin is None:
        pytest.skip("the Python package is not installed in this environment")
    assert Path(found.origin).name == "_native.abi3.so"
    assert set(exported(Path(found.origin))) == {"PyInit__native"}
