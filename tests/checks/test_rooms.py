# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The room rule: who may include whom, and that only platform talks to the operating system.

The table in docs/architecture.md is the rule; nothing here repeats it.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
TABLE_ROW = re.compile(r"^\| *([a-z/, ]+?) *\| *(.+?) *\| *.+? *\|$", re.MULTILINE)
PUBLIC_HEADER = "energy_meter.h"

# What a room outside platform may ask of libc: memory, bytes, numbers, text into a buffer.
PURE_CALLS = re.compile(
    r"(malloc|calloc|realloc|free|mem(cpy|move|set|cmp|chr)|bcmp|str(len|cmp|ncmp|chr|rchr|str|spn|cspn|dup|error)"
    r"|strn?casecmp|strnlen|str(toul|toull|tol|toll|tod|tod_l)|__isoc\d+_str\w+|v?snprintf|__v?snprintf_chk"
    r"|__mem(cpy|move|set)_chk|qsort|bsearch|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_"
    r"|newlocale|freelocale"
    r"|(sqrt|fabs|floor|ceil|round|l?lround|llrint|l?rint|nearbyint|trunc|pow|fmin|fmax|fma|exp|log|ldexp|frexp)"
    r"|__fixunsdfti|__floatuntidf|__floattidf|__u?divti3|__u?modti3|__udivmodti4|__divmodti4)"
)
LOCKS = re.compile(r"pthread_(mutex|mutexattr|cond|condattr)_\w+")
ROOMS_WITH_LOCKS = {"sampler", "meter"}


def allowed_rooms() -> dict[str, set[str]]:
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.split("## The rooms", 1)[1].split("\n## ", 1)[0]
    rows = {
        name: words
        for names, words in TABLE_ROW.findall(section)
        if names != "room"
        for name in names.split(", ")
    }
    rooms: dict[str, set[str]] = {}
    for name, words in rows.items():
        if words == "all of the above":
            rooms[name] = {other for other in rows if (ROOT / "src" / other).is_dir()} - {name}
        else:
            rooms[name] = set(re.findall(r"[a-z]+", words)) & set(rows)
    return rooms


ALLOWED = allowed_rooms()
ROOMS = sorted(path.name for path in (ROOT / "src").iterdir() if path.is_dir())


def test_every_folder_has_a_row() -> None:
    assert set(ROOMS) <= set(ALLOWED)
    assert ALLOWED["core"] == set()
    assert ALLOWED["sensors"] == {"core", "platform", "data"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_includes_only_what_its_row_names(room: str) -> None:
    wrong = []
    for path in sorted((ROOT / "src" / room).glob("*.[ch]")):
        for name in INCLUDE.findall(path.read_text()):
            if name == PUBLIC_HEADER or name.split("/")[0] in {room, *ALLOWED[room]}:
                continue
            wrong.append(f"{path.relative_to(ROOT)} includes {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("folder", ["cli", "python/native", "examples"])
def test_what_stands_outside_sees_the_public_header_alone(folder: str) -> None:
    wrong = []
    for path in sorted((ROOT / folder).glob("*.[ch]")):
        for name in INCLUDE.findall(path.read_text()):
            if name != PUBLIC_HEADER and not (path.parent / name).exists():
                wrong.append(f"{path.relative_to(ROOT)} includes {name}")
    assert not wrong, "\n".join(wrong)


def outside_calls(build: Path) -> dict[str, set[str]]:
    """What each object of the library leaves to others, by the object's name (room_file.c.o)."""
    library = build / "src" / "libenergy_meter.a"
    listing = subprocess.run(
        ["nm", "-A", "-u", str(library)], text=True, check=True, capture_output=True
    )
    calls: dict[str, set[str]] = {}
    for line in listing.stdout.splitlines():
        place, _, symbol = line.rpartition(" U ")
        name = Path(place.strip().rstrip(":").rpartition(":")[2]).name
        calls.setdefault(name, set()).add(symbol.strip())
    return calls


def test_only_platform_talks_to_the_operating_system(build: Path) -> None:
    calls = outside_calls(build)
    assert any(name.startswith("platform_") for name in calls)
    wrong = []
    for name, symbols in sorted(calls.items()):
        room = name.split("_")[0]
        if room == "platform":
            continue
        for symbol in sorted(symbols):
            is_ours = symbol.startswith("em_")
            has_locks = room in ROOMS_WITH_LOCKS and LOCKS.fullmatch(symbol)
            if not (is_ours or has_locks or PURE_CALLS.fullmatch(symbol)):
                wrong.append(f"{name} calls {symbol}")
    assert not wrong, "\n".join(wrong)


# A trace goes to the descriptor that the caller gave.
MAY_WRITE = ("platform_stream.c.o", "write")


def test_the_library_never_prints_exits_or_reads_the_environment(build: Path) -> None:
    forbidden = {
        *("printf", "fprintf", "puts", "putchar", "perror", "vprintf", "vfprintf", "write"),
        *("exit", "_exit", "abort", "quick_exit", "atexit", "pthread_atfork", "setlocale"),
        *("getenv", "secure_getenv", "environ", "__environ", "setenv", "putenv"),
        *("signal", "sigaction", "raise", "kill", "system", "popen", "fork", "execve", "execvp"),
    }
    found = [
        f"{name} calls {symbol}"
        for name, symbols in sorted(outside_calls(build).items())
        for symbol in sorted(symbols & forbidden)
        if (name, symbol) != MAY_WRITE
    ]
    assert not found, "\n".join(found)
