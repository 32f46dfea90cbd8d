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
]
