# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Judges ``files=[...]``: the numbers that outside meters write."""

from __future__ import annotations

from os.path import abspath

from ._arguments import path, shown
from ._errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # path, unit, kind, domain and name, whose words the library judges
    File = tuple[str | bytes, str, str | None, str | None, str | None]

_KEYS = ("path", "unit", "kind", "domain", "name")
_ALLOWED = '{"path": "/run/wall", "unit": "W"}'


def _word(given: dict[str, Any], key: str, where: str) -> str | None:
    word = given.get(key)
    if word is None:
        return None
    if not isinstance(word, str):
        raise TypeError(f'{where}["{key}"] must be a text, not {shown(word)}')
    if not word.isprintable():
        raise InvalidArgument(f'{where}["{key}"] is {shown(word)}; give printable letters')
    return word


def _file(item: Any, where: str) -> File:
    try:
        given = dict(item)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{where} must be a dict such as {_ALLOWED}, not {shown(item)}") from error
    for key in given:
        if key not in _KEYS:
            raise InvalidArgument(f"{where} has {shown(key)}; allowed are {', '.join(_KEYS)}")
    unit = _word(given, "unit", where)
    if unit is None or given.get("path") is None:
        missing = "path" if unit else "unit"
        raise InvalidArgument(f"{where} has no {missing}; give a dict such as {_ALLOWED}")
    name = path(f'{where}["path"]', given["path"])
    if not name or (b"\0" in name if isinstance(name, bytes) else "\0" in name):
        raise InvalidArgument(f'{where}["path"] is {shown(name)}; give the path of a file')
    words = [_word(given, key, where) for key in ("kind", "domain", "name")]
    return abspath(name), unit, words[0], words[1], words[2]


def files(value: Any) -> list[File]:
    if isinstance(value, (str, bytes, dict)) or not hasattr(type(value), "__iter__"):
        raise TypeError(f"files must be a list such as [{_ALLOWED}], not {shown(value)}")
    return [_file(item, f"files[{index}]") for index, item in enumerate(value)]
