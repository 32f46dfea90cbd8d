# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Reports: a summary in other formats, files written whole or not at all, windows as they end."""

from __future__ import annotations

import os
from stat import S_IMODE, S_ISREG

from . import _arguments, _native
from ._errors import InvalidArgument, SystemRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .types import Summary

_REMEDY = "give what meter.summary() or EnergyMeter.merge() returned, or its JSON"
_SUFFIXES = {
    ".txt": "text",
    ".json": "json",
    ".csv": "csv",
    ".md": "model-card",
}
_LISTS = {".jsonl": _native.FORMAT_JSON, ".ndjson": _native.FORMAT_JSON, ".csv": _native.FORMAT_CSV}


def _suffix(path: str | bytes) -> str:
    return os.path.splitext(os.fsdecode(path))[1].lower()


def report(summary: Mapping[str, object] | Summary | str | bytes, format: object) -> str:
    from ._merge import text_of

    wanted = _arguments.report_format(format)
    return _native.report(text_of(summary, "summary", _REMEDY), wanted)


def format_of(path: str | bytes, format: object) -> int:
    """As it was given, else what the name of the file says."""
    if format is not None:
        return _arguments.report_format(format)
    word = _SUFFIXES.get(_suffix(path))
    if word is None:
        known = ", ".join(f"{suffix} ({name})" for suffix, name in _SUFFIXES.items())
        raise InvalidArgument(
            f"path={_arguments.shown(path)} does not tell the format: known are {known}; "
            "or give format="
        )
    return _arguments.report_format(word)


def _refused(path: str | bytes, error: OSError) -> SystemRefused:
    reason = os.strerror(error.errno or 0)
    return SystemRefused(
        f"path={_arguments.shown(path)} cannot be written: {reason}; give the path of a file in a "
        "folder that exists, that you may write to and that has room"
    )


def _replace(path: str | bytes, content: bytes, mode: int | None) -> None:
    """A new file takes the place of the old one at once; what goes wrong leaves the old one."""
    folder, name = os.path.split(os.fsdecode(path))
    other = os.path.join(folder, f".{name[:100]}.{os.getpid()}.{os.urandom(4).hex()}.part")
    fd = os.open(other, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(fd, "wb") as file:
            file.write(content)
            file.flush()
            if mode is not None:
                os.fchmod(fd, mode)
            os.fsync(fd)
        os.replace(other, path)
    except BaseException:
        os.unlink(other)
        raise


def save(path: str | bytes, text: str) -> None:
    content = text.encode()
    try:
        target = os.path.realpath(path)
        try:
            status = os.stat(target)
        except FileNotFoundError:
            _replace(target, content, None)
            return
        if S_ISREG(status.st_mode):
            _replace(target, content, S_IMODE(status.st_mode))
            return
        with open(target, "wb") as file:
            file.write(content)
    except ValueError as error:
        raise InvalidArgument(f"path={_arguments.shown(path)}: {error}") from error
    except OSError as error:
        raise _refused(path, error) from error


def list_format(path: str | bytes) -> int:
    """Of a file of windows; what is no regular file, such as a pipe, takes JSON Lines."""
    format = _LISTS.get(_suffix(path))
    if format is not None:
        return format
    try:
        if not S_ISREG(os.stat(path).st_mode):
            return _native.FORMAT_JSON
    except (OSError, ValueError):
        pass
    raise InvalidArgument(
        f"windows_file={_arguments.shown(path)} must end in .jsonl (JSON Lines) or .csv"
    )
