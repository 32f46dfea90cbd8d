# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""How much energy the CPUs, memory and GPUs of a machine used while your code ran, and its carbon.

Example::

    from energy_meter import EnergyMeter

    meter = EnergyMeter()
    with meter.epoch():
        for batch in meter.batches(loader):
            train(batch)
    print(meter.summary())
"""

from __future__ import annotations

from ._errors import (
    EnergyMeterError,
    EnergyMeterWarning,
    InvalidArgument,
    MeterClosed,
    MeterForked,
    MeterTimeout,
    SensorUnavailable,
    SystemRefused,
    UnknownWindow,
    WindowEnded,
    WindowExpired,
    WindowNotStarted,
    WindowOpenError,
)
from ._meter import EnergyMeter
from ._native import version as __version__
from ._window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from .types import MergedSummary, Summary

__all__ = [
    "EnergyMeter",
    "EnergyMeterError",
    "EnergyMeterWarning",
    "InvalidArgument",
    "MeterClosed",
    "MeterForked",
    "MeterTimeout",
    "SensorUnavailable",
    "SystemRefused",
    "UnknownWindow",
    "Window",
    "WindowEnded",
    "WindowExpired",
    "WindowNotStarted",
    "WindowOpenError",
    "__version__",
    "replay",
    "report",
]


def replay(path: str | bytes | PathLike[str] | PathLike[bytes]) -> Summary:
    """The summary of a trace, the file that ``EnergyMeter(trace=...)`` wrote.

    Of a closed meter it is what its ``summary()`` gives. A trace that was cut off is replayed as
    far as it goes, with a warning.
    """
    from ._trace import replay as run

    return run(path)


def report(
    summary: Mapping[str, object] | Summary | MergedSummary | str | bytes, format: str = "text"
) -> str:
    """A summary, or its JSON, as "text", "json", "csv", "model-card" or "boamps".

    Of a meter, ``meter.report(format)`` does the same; this is for merged and kept summaries.
    """
    from ._report import report as run

    return run(summary, format)
