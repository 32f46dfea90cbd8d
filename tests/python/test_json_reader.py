# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The JSON reader against Python's, on random documents, valid ones and ones spoilt at random."""

from __future__ import annotations

import ast
import json
import os
import random
import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

DOCUMENTS = 6000
DEPTH = 64  # EM__JSON_DEPTH
E2BIG, EINVAL = -7, -22


@pytest.fixture(scope="module")
def dumper(build: Path) -> Path:
    return build / "tests" / "json_dump"


def ask(
    dumper: Path, records: Iterable[tuple[str, bytes]], environment: dict[str, str] | None = None
) -> list[str]:
    stdin = b"".join(f"{kind} {len(text)}\n".encode() + text for kind, text in records)
    done = subprocess.run(
        [dumper],
        input=stdin,
        capture_output=True,
        check=True,
        env={**os.environ, **(environment or {})},
    )
    return done.stdout.decode("utf-8").split("\n")[:-1]


class Number(str):
    """A number as it was written."""


def refuse(word: str) -> Any:
    raise ValueError(word)


def read(document: bytes) -> Any:
    """What Python reads, strictly: NaN and Infinity are no JSON. ValueError if it is none."""
    return json.loads(
        document.decode("utf-8"),
        parse_int=Number,
        parse_float=Number,
        parse_constant=refuse,
    )


def hexadecimal(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").hex()


def comparable(value: Any) -> Any:
    if isinstance(value, Number):
        return ("n", str(value), float(value))
    if isinstance(value, str):
        return ("s", hexadecimal(value))
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, dict):
        return {hexadecimal(key): comparable(item) for key, item in value.items()}
    return value


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def ours(value: Any) -> Any:
    """The dump of the C program; its numbers are compared bit for bit, its own writing too."""
    if isinstance(value, list):
        return [ours(item) for item in value]
    if isinstance(value, dict):
        return {key: ours(item) for key, item in value.items()}
    if isinstance(value, tuple) and value[0] == "n":
        number = float.fromhex(value[2])
        check_written(number, value[3])
        assert struct.pack("d", number) == struct.pack("d", float(value[1]))
        return ("n", value[1], number)
    return value


def check_written(number: float, written: str) -> None:
    if abs(number) == float("inf"):
        assert written == "null"
        return
    assert struct.pack("d", json.loads(written, parse_int=float)) == struct.pack("d", number)
    digits = [
        len(text.lower().partition("e")[0].strip("-0.").replace(".", ""))
        for text in (written, repr(number))
    ]
    # A power of two has one shorter form that is not the nearest of its length.
    assert digits[0] <= digits[1] or number.hex().lstrip("-").startswith("0x1.0000000000000p")


WORDS = ["null", "true", "false"]
SPACES = ["", "", "", " ", "\n", "\t", "\r\n", "  "]
CHARACTERS = [
    *"aZ09 /'_:,{}[]",
    *"\x7f\x80µ€\ud7ff\ue000\ufeff\uffff\U0001f50b\U0010ffff\u2028",
]
ESCAPES = [
    *('\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\u001f", "\\u00b5"),
    *("\\u20AC", "\\uD83D\\uDD0B", "\\ud83d", "\\uDC80", "\\udfff", "\\uD800\\u0041", "\\uFFFF"),
]


def random_string(random_: random.Random) -> str:
    pieces = random_.choices([*CHARACTERS, *ESCAPES], k=random_.randrange(8))
    return '"' + "".join(pieces) + '"'


def random_number(random_: random.Random) -> str:
    match random_.randrange(6):
        case 0:
            return str(random_.randrange(-100, 100))
        case 1:
            return str(random_.getrandbits(64))
        case 2:
            return repr(random_.uniform(-1, 1) * 10 ** random_.randrange(-320, 308))
        case 3:
            bits = random_.getrandbits(64)
            number = struct.unpack("d", struct.pack("Q", bits))[0]
            return repr(number) if abs(number) < float("inf") else "0"
        case 4:
            return f"{random_.choice(['', '-'])}{random_.getrandbits(90)}.{random_.getrandbits(80)}"
        case _:
            exponent = random_.choice(["e", "E"]) + random_.choice(["", "+", "-"])
            return f"{random_.randrange(10)}{exponent}{random_.randrange(400)}"


def random_document(random_: random.Random, levels: int) -> str:
    def space() -> str:
        return random_.choice(SPACES)

    kind = random_.randrange(7 if levels else 3)
    if kind == 0:
        return random_.choice(WORDS)
    if kind == 1:
        return random_number(random_)
    if kind == 2:
        return random_string(random_)
    count = random_.choice([0, 1, 1, 2, 3, 5])
    values = [random_document(random_, levels - 1) for _ in range(count)]
    if kind < 5:
        return "[" + ",".join(f"{space()}{value}{space()}" for value in values) + space() + "]"
    names = ['"a"', '"b"', '"a\\u0000"', '""']
    keys = [
        random_.choice(names) if random_.random() < 0.5 else random_string(random_) for _ in values
    ]
    members = (
        f"{space()}{key}{space()}:{space()}{value}{space()}"
        for key, value in zip(keys, values, strict=True)
    )
    return "{" + ",".join(members) + space() + "}"


def spoil(random_: random.Random, document: bytes) -> bytes:
    place = random_.randrange(len(document) + 1)
    pieces = [b"", b",", b"]", b"}", b'"', b"\\", b"0", b"-", b".", b"e", b"\x00", b"\x1f", b"\xff"]
    pieces += [
        b"NaN",
        b"Infinity",
        b"//",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\x0b",
        b"\xc2\xa0",
        b"'",
    ]
    piece = random_.choice(pieces)
    match random_.randrange(3):
        case 0:
            return document[:place] + piece + document[place:]
        case 1:
            return document[:place] + document[place + 1 + random_.randrange(3) :]
        case _:
            return document[:place] + piece + document[place + 1 :]


def compare(dumper: Path, documents: list[bytes]) -> tuple[int, int]:
    """How many were read and how many refused, by both alike."""
    answers = ask(dumper, (("j", document) for document in documents))
    assert len(answers) == len(documents)
    read_count = 0
    for document, answer in zip(documents, answers, strict=True):
        found = ast.literal_eval(answer)
        refused = isinstance(found, tuple) and isinstance(found[0], int)
        try:
            expected = read(document)
        except ValueError:
            assert refused, document
            assert found[0] == EINVAL, document
            assert 0 <= found[1] <= len(document), document
            continue
        if depth(expected) > DEPTH:
            assert refused, document
            assert found[0] == E2BIG, document
            continue
        assert not refused, (document, answer)
        assert ours(found) == comparable(expected), document
        read_count += 1
    return read_count, len(documents) - read_count


def test_random_documents_are_read_as_python_reads_them(dumper: Path) -> None:
    random_ = random.Random(20260101)
    documents = [random_document(random_, 5).encode() for _ in range(DOCUMENTS)]
    assert compare(dumper, documents) == (DOCUMENTS, 0)


def test_spoilt_documents_are_refused_as_python_refuses_them(dumper: Path) -> None:
    random_ = random.Random(20260102)
    documents = [spoil(random_, random_document(random_, 4).encode()) for _ in range(3 * DOCUMENTS)]
    kept, refused = compare(dumper, documents)
    assert kept > DOCUMENTS / 10
    assert refused > DOCUMENTS


def test_depth_counts_containers(dumper: Path) -> None:
    nested = [b"[" * n + b"]" * n for n in (1, 63, 64, 65, 200)]
    nested += [b'{"a":' * n + b"1" + b"}" * n for n in (1, 64, 65)]
    assert compare(dumper, nested) == (5, 3)


def finite(text: str) -> float:
    return min(float(text), 1e308)


def test_python_s_own_documents_come_back(dumper: Path) -> None:
    random_ = random.Random(20260103)
    documents = []
    for _ in range(DOCUMENTS // 10):
        value = json.loads(random_document(random_, 5), parse_float=finite)
        text = json.dumps(value, indent=random_.choice([None, 1]), allow_nan=False)
        documents.append(text.encode())
    assert compare(dumper, documents) == (len(documents), 0)


def test_texts_are_quoted_so_that_python_reads_them(dumper: Path) -> None:
    random_ = random.Random(20260104)
    texts = [bytes([first, second]) for first in range(1, 256) for second in range(1, 256)]
    leads = [0x41, 0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0x22, 0x5C, 0x0A]
    texts += [
        bytes(random_.choices([*leads, 0x9F, 0xA0, 0x8F, 0x90], k=9)) for _ in range(DOCUMENTS)
    ]
    answers = ask(dumper, (("q", text) for text in texts))
    for text, answer in zip(texts, answers, strict=True):
        assert json.loads(answer) == text.decode("utf-8", "replace"), text


def test_no_locale_changes_a_number(dumper: Path, tmp_path: Path) -> None:
    localedef = shutil.which("localedef")
    if localedef is None:
        pytest.skip("localedef is not installed; it makes the German locale that this test needs")
    made = subprocess.run(
        [localedef, "-i", "de_DE", "-f", "UTF-8", tmp_path / "de_DE.UTF-8"],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("localedef has no source of a German locale; apt-get install locales adds it")
    german = {"LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8"}
    printf = shutil.which("printf") or "printf"
    comma = subprocess.run(
        [printf, "%.1f", "1,5"], env={**os.environ, **german}, capture_output=True, check=False
    )
    assert comma.stdout == b"1,5"
    (answer,) = ask(dumper, [("j", b"[1.5, -2.25e-7, 1234567.125]")], german)
    assert answer == (
        "[('n', '1.5', '0x1.8p+0', '1.5'),('n', '-2.25e-7', '-0x1.e32f0ee144531p-23', '-2.25e-07'),"
        "('n', '1234567.125', '0x1.2d6872p+20', '1234567.125'),]"
    )
