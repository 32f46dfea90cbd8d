# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""A meter's files, ended whole; and traces, replayed into their summary."""

from __future__ import annotations

import os
from stat import S_ISREG

from . import _arguments, _native
from ._errors import InvalidArgument, SystemRefused
from ._notices import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._meter import EnergyMeter
    from .types import Summary


_REMEDY = "give a file that EnergyMeter(trace=...) wrote"


def _open(path: str | bytes, flags: int, argument: str, remedy: str) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC, 0o600)
    except ValueError as error:
        raise InvalidArgument(f"{argument}={_arguments.shown(path)}: {error}; {remedy}") from error
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        text = f"{argument}={_arguments.shown(path)} cannot be opened: {reason}; {remedy}"
        raise SystemRefused(text) from error


def create(path: str | bytes, argument: str = "trace") -> int:
    """A new file, or one that is no regular file, such as a pipe: nothing is overwritten."""
    remedy = "give the path of a file in a folder that exists and that you may write to"
    flags = os.O_WRONLY
    try:
        if not S_ISREG(os.stat(path).st_mode):
            return _open(path, flags, argument, remedy)
        remedy = "remove it, or give the name of a new file, each process one of its own"
    except (OSError, ValueError):
        pass  # It is not there, and opening says what else may be wrong.
    return _open(path, flags | os.O_CREAT | os.O_EXCL, argument, remedy)


def discard(path: str | bytes, fd: int) -> None:
    """Of a meter that could not be created."""
    is_file = S_ISREG(os.fstat(fd).st_mode)
    os.close(fd)
    if is_file:
        os.unlink(path)


def judge(text: str | None, path: str | bytes, argument: str) -> None:
    """Warns if the file of a closed meter is not whole; text: what it lacks."""
    if text is not None:
        warn(f"{argument}={_arguments.shown(path)}: {text}.")


def finish_at_exit(meter: EnergyMeter, timeout_ns: int) -> None:
    """Its files end whole also where nobody closes it, and a daemon thread keeps it to the end."""
    import atexit
    from _weakref import ref

    def finish() -> None:
        kept = alive()
        if kept is not None:
            kept._finish(timeout_ns)

    alive = ref(meter, lambda _: atexit.unregister(finish))
    atexit.register(finish)


def open_to_play(path: str | bytes) -> int:
    return _open(path, os.O_RDONLY | os.O_NONBLOCK, "replay", _REMEDY)


def told_by_name(error: Exception, fd: int, shown: str) -> Exception:
    """The same, with the file's name in the place of its descriptor."""
    words = str(error).replace(f"descriptor {fd}", shown, 1)
    words = words.replace("give a descriptor that is open for reading", _REMEDY, 1)
    return type(error)(words)


def replay(path: object) -> Summary:
    import json

    name = _arguments.path("path", path)
    shown = f"path={_arguments.shown(name)}"
    fd = _open(name, os.O_RDONLY, "path", _REMEDY)
    try:
        text, is_whole = _native.replay(fd)
    except (InvalidArgument, SystemRefused) as error:
        raise told_by_name(error, fd, shown) from None
    finally:
        os.close(fd)
    if not is_whole:
        warn(
            f"{shown}: the trace was cut off or lacks records, and so does its summary; "
            "close the meter before its trace is replayed."
        )
    summary: Summary = json.loads(text)
    return summary
