# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What every file must be: licensed, short, listed in the build, and of no single machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = {".c", ".h", ".py", ".pyi", ".sh", ".build"}
LICENCE = ("SPDX-License-Identifier: MIT", "SPDX-FileCopyrightText: 2026 The energy-meter authors")
SOURCE_LIMIT = 600
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
ONE_MACHINE = re.compile(r"(?<![\w.*])/(work|root|home|Users)/\w")
SLEEP = re.compile(r"\b(usleep|nanosleep|clock_nanosleep|sleep)\(")


def tree() -> list[Path]:
    """Every file that belongs to the project; without git, everything but what a build leaves."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "-co", "--exclude-standard"]
        listing = subprocess.run(command, text=True, check=True, capture_output=True).stdout
        names = [name for name in listing.split("\0") if name]
    else:
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        names = [str(p) for p in found if p.parts[0] not in {"build", ".venv", "dist"}]
        names = [name for name in names if "__pycache__" not in name and ".egg-info" not in name]
    return sorted(path for path in (ROOT / name for name in names) if path.is_file())


FILES = tree()
SOURCES = [p for p in FILES if p.suffix in CODE or p.name in {"Makefile", "run"}]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_a_tree() -> None:
    assert ROOT / "include" / "energy_meter.h" in SOURCES
    assert len(SOURCES) > 30


def test_every_source_says_its_licence_first() -> None:
    wrong = []
    for path in SOURCES:
        lines = text_of(path).splitlines()
        lines = lines[1:] if lines and lines[0].startswith("#!") else lines
        heads = [*lines, "", ""][:2]
        if any(words not in line for words, line in zip(LICENCE, heads, strict=True)):
            wrong.append(short(path))
    assert not wrong


def test_every_c_file_says_its_purpose() -> None:
    wrong = [
        short(path)
        for path in SOURCES
        if path.suffix in {".c", ".h"} and not text_of(path).split("\n", 3)[2].startswith("/*")
    ]
    assert not wrong


def test_no_source_is_too_long() -> None:
    lengths = {short(path): text_of(path).count("\n") for path in SOURCES}
    assert not {name: lines for name, lines in lengths.items() if lines > SOURCE_LIMIT}


def test_nothing_is_marked_unfinished() -> None:
    assert not [short(path) for path in SOURCES if UNFINISHED.search(text_of(path))]


def test_nothing_names_a_path_of_one_machine() -> None:
    wrong = []
    for path in FILES:
        if path.is_relative_to(ROOT / "tests" / "machines"):
            continue
        content = path.read_bytes().decode("utf-8", "replace")
        wrong += [f"{short(path)}: {found[0]}" for found in ONE_MACHINE.finditer(content)]
    assert not wrong


def test_no_unit_test_sleeps() -> None:
    folders = [ROOT / "tests" / name for name in ("unit", "sensors", "checks")]
    wrong = []
    for path in SOURCES:
        if any(path.is_relative_to(folder) for folder in folders) and path.suffix == ".c":
            wrong += [f"{short(path)}: {found[0]}" for found in SLEEP.finditer(text_of(path))]
    assert not wrong


def test_the_thread_sanitizer_sees_every_thread() -> None:
    """It runs tests/threads and what meson.build names beside it, and no test with one thread."""
    build = text_of(ROOT / "tests" / "meson.build")
    named = re.search(r"^threaded = \[(.*?)\]", build, re.MULTILINE | re.DOTALL)
    assert named is not None
    starts = re.compile(
        r"pthread_create|pthread_mutex|thread_start\(|create_live|em__rapl_perf_live"
    )
    threaded = {
        path.stem
        for folder in ("unit", "sensors")
        for path in (ROOT / "tests" / folder).glob("test_*.c")
        if starts.search(text_of(path))
    }
    assert threaded
    assert threaded <= set(re.findall(r"'(\w+)'", named.group(1)))


def test_the_tree_holds_no_build_output() -> None:
    wrong = {".o", ".so", ".a", ".whl", ".pyc", ".core", ".egg-info"}
    assert not [short(path) for path in FILES if path.suffix in wrong]


@pytest.mark.parametrize(
    ("build_file", "pattern"),
    [
        ("src/meson.build", "src/*/*.c"),
        ("cli/meson.build", "cli/*.c"),
        ("python/meson.build", "python/native/*.c"),
        ("python/meson.build", "python/energy_meter/*.py"),
        ("tests/meson.build", "tests/unit/*.c"),
        ("tests/meson.build", "tests/sensors/*.c"),
        ("tests/meson.build", "tests/threads/*.c"),
        ("tests/meson.build", "tests/rig/*.c"),
    ],
)
def test_every_source_is_in_the_build(build_file: str, pattern: str) -> None:
    lines = (line.partition("#")[0] for line in text_of(ROOT / build_file).splitlines())
    words = {word for line in lines for word in re.findall(r"'([^']+)'", line)}
    listed = {Path(word).name.removesuffix(".c") for word in words}
    forgotten = [
        short(path)
        for path in sorted(ROOT.glob(pattern))
        if path in FILES and path.name.removesuffix(".c") not in listed
    ]
    assert not forgotten


def test_every_parser_is_fuzzed(root: Path) -> None:
    header = (root / "src" / "platform" / "parse.h").read_text()
    parsers = set(re.findall(r"\b(em__parse_\w+)\(", header))
    target = (root / "tests" / "fuzz" / "parse.c").read_text()
    assert len(parsers) > 10
    assert {name for name in parsers if f"{name}(" not in target} == set()
    targets = {path.stem for path in (root / "tests" / "fuzz").glob("*.c")} - {"replay"}
    kept = root / "tests" / "fuzz" / "corpus"
    assert {name for name in targets if not any((kept / name).glob("*"))} == set()
