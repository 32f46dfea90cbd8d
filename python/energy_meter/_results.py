# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""What the library measured in a window, as the dict that users see."""

from __future__ import annotations

ITEM_KEYS = (
    *("items", "energy_per_item_j", "energy_per_item_uncertainty_j"),
    *("items_per_j", "items_per_j_uncertainty"),
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import ChannelEnergy, Result
    from .types import CarbonBasis, ChannelResult, Missing, WindowResult


def _missing(result: Result) -> list[Missing]:
    lost = [channel for channel in result.channels if channel.status != "ok"]
    missing: list[Missing] = [{"channel": c.name, "reason": c.reason} for c in lost]
    explained = {channel.domain for channel in lost}
    missing += [
        {"channel": domain, "reason": reason}
        for domain, reason in result.unmeasured.items()
        if domain not in explained
    ]
    return missing


def _channel(channel: ChannelEnergy, energy_j: float) -> ChannelResult:
    period_ns = channel.period_ns
    return {
        "energy_j": energy_j,
        "provenance": channel.provenance,
        "uncertainty_j": channel.uncertainty_j,
        "uncertainty_gain_j": channel.gain_j,
        "uncertainty_edge_j": channel.edge_j,
        "resolution": channel.resolution,
        "reasons": channel.reasons,
        "update_period_s": None if period_ns is None else period_ns / 1e9,
        "update_period_from": channel.period_from,
    }


def to_dict(result: Result, basis: CarbonBasis, *reasons: str | None) -> WindowResult:
    seconds = result.duration_ns / 1e9
    return {
        "duration_s": seconds,
        "energy_j": result.energy_j,
        "avg_power_w": result.energy_j / seconds if seconds else 0.0,
        "carbon_g": result.carbon_g,
        "carbon_basis": basis,
        "cost": result.cost,
        "embodied_g": result.embodied_g,
        "items": result.items,
        "energy_per_item_j": result.energy_per_item_j,
        "energy_per_item_uncertainty_j": result.energy_per_item_uncertainty_j,
        "items_per_j": result.items_per_j,
        "items_per_j_uncertainty": result.items_per_j_uncertainty,
        "cpu_energy_j": result.cpu_j,
        "gpu_energy_j": result.gpu_j,
        "dram_energy_j": result.dram_j,
        "other_energy_j": result.other_j,
        "energy_by_provenance": {
            "measured": result.measured_j,
            "integrated": result.integrated_j,
            "estimated": result.estimated_j,
        },
        "uncertainty_j": result.uncertainty_j,
        "uncertainty_gain_j": result.gain_j,
        "uncertainty_edge_j": result.edge_j,
        "resolution": result.resolution,
        "reasons": [*result.reasons, *(reason for reason in reasons if reason)],
        "channels": {
            channel.name: _channel(channel, channel.counted_j)
            for channel in result.channels
            if channel.counted_j is not None
        },
        "complete": result.is_complete,
        "missing": _missing(result),
        "final": result.is_final,
        "process_cpu_share": result.process_cpu_share,
        "process_cpu_share_reason": result.process_cpu_share_reason,
    }
