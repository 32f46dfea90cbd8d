# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What a user should hear of: one warning in the right place, details to the logger."""

from __future__ import annotations

import sys

from ._errors import EnergyMeterWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Absence, Channel

REMEDY = "Run `energy-meter sensors` to see what a reading needs."


def warn(message: str) -> None:
    """At the line of the user's code that called into this package."""
    import warnings

    level = 1
    frame = sys._getframe()
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__")):
        frame = frame.f_back
        level += 1
    warnings.warn(message, EnergyMeterWarning, stacklevel=level)


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.startswith("energy_meter.")


def log(channels: list[Channel], absences: list[Absence]) -> None:
    # Who has not imported logging has no handler that could hear of it.
    if "logging" not in sys.modules:
        return
    import logging

    logger = logging.getLogger("energy_meter")
    if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
        logger.addHandler(logging.NullHandler())
    for channel in channels:
        logger.debug(
            "%s: %s, %s (%s) %s",
            channel.name, channel.role, channel.kind, channel.source, channel.reason,
        )  # fmt: skip
    for absence in absences:
        logger.debug("%s: %s, %s %s", absence.sensor, absence.status, absence.reason, absence.hint)


def weakness(channels: list[Channel], absences: list[Absence], has_gpu: bool) -> str | None:
    """Whether the CPU or a GPU is estimated or missing, and why, in one message."""
    parts = [_cpu(channels, absences)]
    if has_gpu:
        parts.append(_gpu(channels, absences))
    text = " ".join(part for part in parts if part)
    return f"{text} {REMEDY}" if text else None


def _cpu(channels: list[Channel], absences: list[Absence]) -> str:
    counted = [c for c in channels if c.role == "counted" and c.domain == "cpu"]
    why = _why(channels, absences, "cpu", ("rapl",))
    if not counted:
        return f"CPU energy is missing{why}."
    if any(c.kind == "model" for c in counted):
        return f"CPU energy is estimated, not measured{why}."
    return ""


def _gpu(channels: list[Channel], absences: list[Absence]) -> str:
    gpus = [c for c in channels if c.domain == "gpu"]
    models = [c.name for c in gpus if c.role == "counted" and c.kind == "model"]
    lost = [c.name for c in gpus if c.role == "unreadable"]
    why = _why(channels, absences, "gpu", ("nvml",))
    if models:
        return f"GPU energy is estimated, not measured ({', '.join(models)}){why}."
    return f"GPU energy is missing ({', '.join(lost)}){why}." if lost else ""


def _why(
    channels: list[Channel], absences: list[Absence], domain: str, sensors: tuple[str, ...]
) -> str:
    reasons = [
        f"{c.name}: {c.reason}" for c in channels if c.role == "unreadable" and c.domain == domain
    ]
    reasons += [f"{a.sensor}: {a.reason}" for a in absences if a.sensor.startswith(sensors)]
    return ": " + "; ".join(reason.rstrip(". ") for reason in reasons) if reasons else ""


def no_gpu(device: str, absences: list[Absence]) -> str:
    reasons = "; ".join(f"{a.sensor}: {a.reason}" for a in absences if a.sensor == "nvml")
    return (
        f'device="{device}" needs a GPU, and none was found: neither through NVML '
        f"({reasons or 'it lists none'}) nor as a PCI display controller of NVIDIA (vendor 0x10de, "
        'class 0x0300 or 0x0302); use device="auto", or give gpu_tdp_w to have one estimated'
    )
