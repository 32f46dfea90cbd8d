# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The public header, alone, in every language that it promises."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = """#include <energy_meter.h>
int main(void)
{
    em_options options;
    em_options_init(&options, sizeof options);
    return em_status_text(EM_ERR_INVALID) == NULL || EM_NOTE_BIT(EM_NOTE_GAP) == 0;
}
"""
STRICT = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-pedantic-errors",
    "-Wconversion",
    "-Wshadow",
    "-Werror",
]
LANGUAGES = {
    "C99": ("c", "-std=c99"),
    "C11": ("c", "-std=c11"),
    "C17": ("c", "-std=c17"),
    "C++11": ("c++", "-std=c++11"),
    "C++17": ("c++", "-std=c++17"),
}


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_compiles(compiler: str, language: str, root: Path, tmp_path: Path) -> None:
    kind, standard = LANGUAGES[language]
    path = shutil.which(compiler)
    if path is None:
        pytest.skip(f"{compiler} is not installed")
    probe = [path, "-x", kind, "-fsyntax-only", "-"]
    if subprocess.run(probe, input="", text=True, capture_output=True, check=False).returncode != 0:
        pytest.skip(f"{compiler} has no {kind} compiler here")
    source = tmp_path / "program"
    source.write_text(PROGRAM)
    command = [
        path,
        "-x",
        kind,
        standard,
        *STRICT,
        f"-I{root}/include",
        "-fsyntax-only",
        str(source),
    ]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
