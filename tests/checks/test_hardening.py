# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The compiler's and the linker's guards against abuse are in the built files."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def listing(*command: str | Path) -> str:
    words = [str(word) for word in command]
    return subprocess.run(words, text=True, check=True, capture_output=True).stdout


def lacking(file: Path, is_program: bool) -> set[str]:
    """The guards that an ELF file does not have."""
    segments = listing("readelf", "--segments", "--wide", file)
    dynamic = listing("readelf", "--dynamic", "--wide", file)
    called = set(re.findall(r"\bU (\w+)", listing("nm", "-D", "--undefined-only", file)))
    flags = " ".join(re.findall(r"\((?:FLAGS|FLAGS_1|BIND_NOW)\)(.*)", dynamic))
    stack = re.search(r"GNU_STACK .* (R\w*) +0x", segments)
    has = {
        "relro": "GNU_RELRO" in segments,
        "bind now": "NOW" in flags,
        "stack that is not run": stack is not None and "E" not in stack[1],
        "code that is not written": re.search(r"LOAD .* RWE +0x", segments) is None
        and "TEXTREL" not in dynamic,
        "no search path": "RPATH" not in dynamic and "RUNPATH" not in dynamic,
        "stack protector": "__stack_chk_fail" in called,
        "fortified calls": any(re.fullmatch(r"__\w+_chk", name) for name in called),
    }
    if is_program:
        has["position-independent"] = "PIE" in flags
    return {guard for guard, is_there in has.items() if not is_there}


def optimised(build: Path) -> bool:
    return "-D_FORTIFY_SOURCE=" in (build / "compile_commands.json").read_text()


def test_the_library(build: Path) -> None:
    allowed = set() if optimised(build) else {"fortified calls"}
    assert lacking(build / "src" / "libenergy_meter.so.0", is_program=False) <= allowed


def test_the_command(build: Path) -> None:
    allowed = set() if optimised(build) else {"fortified calls"}
    assert lacking(build / "cli" / "energy-meter", is_program=True) <= allowed


def test_what_the_wheel_holds() -> None:
    found = importlib.util.find_spec("energy_meter._native")
    if found is None or found.origin is None:
        pytest.skip("the Python package is not installed in this environment")
    assert lacking(Path(found.origin), is_program=False) == set()
    assert lacking(Path(sys.executable).parent / "energy-meter", is_program=True) == set()


def test_a_file_without_guards_is_told(tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed")
    source = tmp_path / "bare.c"
    source.write_text(
        "#include <stdio.h>\n#include <stdlib.h>\n"
        "int main(int n, char **v) { char t[9]; return snprintf(t, 9, v[n - 1]) + atoi(t); }\n"
    )
    without = "-no-pie -fno-stack-protector -U_FORTIFY_SOURCE -z norelro -z lazy -z execstack"
    linked = ["-Wl,--enable-new-dtags", f"-Wl,-rpath,{tmp_path}", "-w", "-O1"]
    program = tmp_path / "bare"
    listing(compiler, *without.split(), *linked, source, "-o", program)
    assert lacking(program, is_program=True) == {
        "relro",
        "bind now",
        "stack that is not run",
        "no search path",
        "stack protector",
        "fortified calls",
        "position-independent",
    }
