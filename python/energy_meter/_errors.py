# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What can go wrong, each class also the builtin one that a caller would expect."""

# ruff: noqa: N818

from __future__ import annotations


class EnergyMeterError(Exception):
    """Base of every exception of this package but TypeError and MemoryError."""


class InvalidArgument(EnergyMeterError, ValueError):
    """An argument is outside what is allowed."""


class SensorUnavailable(EnergyMeterError, RuntimeError):
    """A reading named in ``require`` is not available on this machine."""


class WindowOpenError(EnergyMeterError, RuntimeError):
    """The results of a window were asked for before it ended."""


class WindowNotStarted(EnergyMeterError, RuntimeError):
    """The window has not begun yet."""


class WindowEnded(EnergyMeterError, RuntimeError):
    """The window has already been used; each measures one stretch of time."""


class UnknownWindow(EnergyMeterError, LookupError):
    """There is no such window."""


class WindowExpired(UnknownWindow):
    """The window is no longer kept."""


class MeterClosed(EnergyMeterError, RuntimeError):
    """The meter is closed; create a new one."""


class MeterForked(EnergyMeterError, RuntimeError):
    """The meter belongs to the parent process."""


class MeterTimeout(EnergyMeterError, TimeoutError):
    """The time allowed ran out."""


class SystemRefused(EnergyMeterError, OSError):
    """The operating system refused a thread or a file."""


class EnergyMeterWarning(UserWarning):
    """Something weakens the numbers, and how to mend it."""


# By the words of EM_STATUS_LIST in energy_meter.h.
BY_WORD: dict[str, type[Exception]] = {
    "invalid": InvalidArgument,
    "no-memory": MemoryError,
    "unknown": UnknownWindow,
    "expired": WindowExpired,
    "ended": WindowEnded,
    "forked": MeterForked,
    "closed": MeterClosed,
    "timeout": MeterTimeout,
    "unavailable": SensorUnavailable,
    "system": SystemRefused,
}
