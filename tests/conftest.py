# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Where the tests find the source tree and what was built from it."""

from __future__ import annotations

import os
from pathlib import Path

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
