# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What a user should hear of: one warning in the right place, details to the logger."""

from __future__ import annotations

import sys

from ._errors import EnergyMeterWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Absence, Channel, Meter, Result

REMEDY = "Run `energy-meter sensors` to see what a reading needs."
_UNEXPLAINED = {
    "cpu": "no sensor of this machine measures the CPU packages",
    "gpu": "no sensor of this machine measures the GPU",
}


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


def _log(channels: list[Channel], absences: list[Absence]) -> None:
    # Who has not imported logging has no handler that could hear of it.
    if "logging" not in sys.modules:
        return
    import logging

    logger = logging.getLogger("energy_meter")
    if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
        logger.addHandler(logging.NullHandler())
    for channel in channels:
        words = (channel.name, channel.role, channel.kind, channel.source, channel.reason)
        logger.debug("%s: %s, %s (%s) %s", *words)
    for absence in absences:
        logger.debug("%s: %s, %s %s", absence.sensor, absence.status, absence.reason, absence.hint)


def announce(native: Meter, result: Result, has_gpu: bool, gpus: str) -> None:
    """Logs what is measured, and warns if the CPU or a GPU is estimated or missing.

    Ranks but the first are told that they measure what the first one does.
    """
    from ._devices import is_worker

    channels, absences = native.channels(), native.absences()
    _log(channels, absences)
    texts = [_weakness("cpu", "rapl", channels, absences, result)]
    if has_gpu:
        texts.append(_weakness("gpu", "nvml", channels, absences, result))
    text = " ".join(text for text in texts if text)
    rank, size = native.rank()
    if text and rank == 0 and not is_worker():
        warn(f"{text} {REMEDY}")
    if rank > 0 and size > 1 and gpus in ("visible", "all"):
        warn(
            f"This is local rank {rank} of {size}, and each rank measures the same devices of this "
            "node: added up, their energies count every joule once per rank. Measure in one of "
            "them, EnergyMeter(enabled=local_rank == 0), or each rank its own GPU, "
            'EnergyMeter(gpus="local_rank"), and give all summaries to EnergyMeter.merge().'
        )


def _weakness(
    domain: str, sensor: str, channels: list[Channel], absences: list[Absence], result: Result
) -> str:
    ours = [channel for channel in channels if channel.domain == domain]
    lost = {entry.name for entry in result.channels if entry.status != "ok"}
    missing = [channel.name for channel in ours if channel.name in lost]
    models = [c.name for c in ours if c.role == "counted" and c.kind == "model"]
    if missing or domain in result.unmeasured:
        text = "is missing"
    elif models:
        text = "is estimated, not measured"
    else:
        return ""
    reasons = [f"{c.name}: {c.reason}" for c in ours if c.role == "unreadable"]
    reasons += [f"{a.sensor}: {a.reason}" for a in absences if a.sensor.startswith(sensor)]
    why = "; ".join(reason.rstrip(". ") for reason in reasons) or _UNEXPLAINED[domain]
    names = f" ({', '.join(missing or models)})" if domain == "gpu" and missing + models else ""
    return f"{domain.upper()} energy {text}{names}: {why}."


def no_gpu(device: str, absences: list[Absence]) -> str:
    reasons = "; ".join(f"{a.sensor}: {a.reason}" for a in absences if a.sensor == "nvml")
    return (
        f'device="{device}" needs a GPU, and none was found: neither through NVML '
        f"({reasons or 'it lists none'}) nor as a PCI display controller of NVIDIA (vendor 0x10de, "
        'class 0x0300 or 0x0302); use device="auto", or give gpu_tdp_w to have one estimated'
    )
