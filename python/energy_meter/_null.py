# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Stands in for the native meter where nothing is measured: disabled, forked, at the end."""

from __future__ import annotations

from time import monotonic, time

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .types import CarbonBasis, Rates

DISABLED = "the meter was created with enabled=False"
FORKED = (
    "the meter belongs to the parent process; create an EnergyMeter in this process to measure here"
)

ENDED = "the interpreter was ending, and the meter with it"


def _result(reason: str, is_open: bool) -> _native.Result:
    energies = (0.0, 0.0, *[None] * 4, 0.0, 0.0, 0.0)
    sure = (0.0, 0.0, 0.0, "below", [f"nothing is measured: {reason}"])
    unknown = (None, None, None)
    no_items = (None, None, None, None, None)
    tail = (0, *unknown, reason, 0, *no_items)
    return _native.Result((0, *energies, False, True, is_open, [], {"*": reason}, *sure, *tail))


class NullRecord:
    """A window of nothing, open until its meter is closed."""

    __slots__ = ("_reason", "carbon_basis", "is_open")

    def __init__(self, reason: str, basis: CarbonBasis) -> None:
        self._reason = reason
        self.carbon_basis = basis
        self.is_open = True

    def end(self) -> None:
        pass

    lap = cancel = end

    def set_items(self, count: int, /) -> bool:
        return True

    def set_wait(self, ns: int, /) -> bool:
        return False

    def settle(self, timeout_ns: int, /) -> None:
        pass

    def result(self) -> _native.Result:
        return _result(self._reason, self.is_open)


class NullMeter:
    """A meter of nothing, with the native one's methods."""

    __slots__ = ("_rates", "_record", "_started", "_wall", "carbon_basis", "reason")

    device = "cpu"
    gpu_name = None

    def __init__(self, reason: str, basis: CarbonBasis, rates: Rates) -> None:
        self.reason = reason
        self.carbon_basis = basis
        self._rates = rates
        self._record = NullRecord(reason, basis)
        self._started = monotonic()
        self._wall = time()

    def begin(self, kind: int, name: str | None, keep: bool, /) -> NullRecord:
        return self._record

    def last(self, kind: int, name: str | None, timeout_ns: int, /) -> _native.Result:
        return self._record.result()

    def channels(self) -> list[_native.Channel]:
        return []

    def absences(self) -> list[_native.Absence]:
        return [_native.Absence(("*", "not-selected", self.reason, ""))]

    def reset(self) -> None:
        self._started = monotonic()
        self._wall = time()

    def close(self, timeout_ns: int, /) -> None:
        self._record.is_open = False

    def summary(self, timeout_ns: int, format: int, /) -> str:
        text = self._json()
        if format == _native.FORMAT_JSON:
            return text
        return _native.report(text.encode(), format)

    def _json(self) -> str:
        import json
        import os
        from time import gmtime, strftime

        from ._results import ITEM_KEYS, to_dict

        def group() -> dict[str, Any]:
            means = dict.fromkeys(("mean_duration_s", "mean_energy_j", "mean_carbon_g"))
            totals = ("total_duration_s", "total_energy_j", "total_carbon_g", "distinct_energy_j")
            parts = ("uncertainty_j", "uncertainty_gain_j", "uncertainty_edge_j")
            basis = {"carbon_basis": self.carbon_basis, "cost": None, "embodied_g": None}
            items = {"windows_with_items": 0, **dict.fromkeys(ITEM_KEYS)}
            return {"count": 0, **means, **dict.fromkeys(totals + parts, 0.0), **basis, **items}

        nothing = dict.fromkeys(("in_epochs_j", "in_batches_j", "outside_windows_j"), 0.0)
        return json.dumps(
            {
                "schema": 1,
                "device": self.device,
                "gpu_name": self.gpu_name,
                "gpu_shared": None,
                "carbon_intensity_g_per_kwh": self.carbon_basis["g_per_kwh"],
                "num_batches": 0,
                "num_epochs": 0,
                "batch_summary": group(),
                "epoch_summary": group(),
                "windows": {},
                "run": {**to_dict(self._record.result(), self.carbon_basis), **nothing},
                "carbon_basis": self.carbon_basis,
                "rates": self._rates,
                "tdp": {"cpu": None, "gpu": None, "unused": []},
                "overhead": dict.fromkeys(("fraction", "limit", "caller_s", "sync_s"), 0.0),
                "scope": {
                    "host": os.uname().nodename,
                    "boot_id": None,
                    "pid": os.getpid(),
                    "started_at": strftime("%Y-%m-%dT%H:%M:%S.000000Z", gmtime(self._wall)),
                    "t_begin": self._started,
                    "t_end": monotonic(),
                    "devices": [],
                },
            }
        )
