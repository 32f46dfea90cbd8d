# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Where the tests find the source tree and what was built from it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def build() -> Path:
    """The build of the C part that EM_BUILD_DIR names; make check gives build/gcc."""
    folder = Path(os.environ.get("EM_BUILD_DIR", ROOT / "build" / "gcc")).resolve()
    if not (folder / "build.ninja").exists():
        pytest.skip(f"{folder} is no build; set EM_BUILD_DIR to one made by meson setup")
    return folder


@pytest.fixture(scope="session")
def machines() -> Path:
    return ROOT / "tests" / "machines"


@pytest.fixture(scope="session")
def command(build: Path) -> Path:
    return build / "cli" / "energy-meter"


@pytest.fixture(scope="session")
def call(command: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command without a terminal; stdout and stderr are kept unless something is given."""

    def run(*arguments: str | Path, **given: Any) -> subprocess.CompletedProcess[str]:
        settings: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "timeout": 60,
            **given,
        }
        words = [str(word) for word in (command, *arguments)]
        return subprocess.run(words, text=True, check=False, **settings)

    return run
