# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The shapes of results, for type checkers and readers. The package itself does not import this."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import Any, Literal, NotRequired, Protocol, TypedDict, TypeVar

T_co = TypeVar("T_co", covariant=True)


class CarbonBasis(TypedDict):
    """What carbon is computed with. Merged: None where it is not the same for all."""

    g_per_kwh: float | None
    source: str | None
    year: int | None
    zone: str | None
    zone_name: str | None
    location: str | None
    method: str | None
    is_default: bool
    pue: float | None
    pue_source: str | None


class MeterFile(TypedDict):
    """A number that an outside meter writes into a file, for ``EnergyMeter(files=[...])``."""

    path: str | bytes | PathLike[str] | PathLike[bytes]
    unit: Literal["J", "kJ", "mJ", "uJ", "Wh", "kWh", "W", "kW", "mW", "uW"]
    kind: NotRequired[Literal["counter", "gauge"]]
    domain: NotRequired[Literal["platform", "cpu", "gpu", "dram", "other"]]
    name: NotRequired[str]


class ProvenanceEnergy(TypedDict):
    """Joules by how they were found: counters, sampled power, a model."""

    measured: float
    integrated: float
    estimated: float


class ChannelResult(TypedDict):
    """What a channel counted. Uncertainties are at k = 2: about 95 %."""

    energy_j: float
    provenance: str
    uncertainty_j: float | None
    uncertainty_gain_j: float | None
    uncertainty_edge_j: float | None
    resolution: str
    reasons: list[str]
    update_period_s: float | None
    update_period_from: str | None


class Missing(TypedDict):
    channel: str
    reason: str


class WindowResult(TypedDict):
    """What a window measured."""

    duration_s: float
    energy_j: float
    avg_power_w: float
    carbon_g: float
    carbon_basis: CarbonBasis
    cost: float | None
    embodied_g: float | None
    items: int | None
    energy_per_item_j: float | None
    energy_per_item_uncertainty_j: float | None
    items_per_j: float | None
    items_per_j_uncertainty: float | None
    cpu_energy_j: float | None
    gpu_energy_j: float | None
    dram_energy_j: float | None
    other_energy_j: float | None
    energy_by_provenance: ProvenanceEnergy
    uncertainty_j: float
    uncertainty_gain_j: float
    uncertainty_edge_j: float
    resolution: str
    reasons: list[str]
    channels: dict[str, ChannelResult]
    complete: bool
    missing: list[Missing]
    final: bool
    process_cpu_share: float | None
    process_cpu_share_reason: str | None


class ChannelInfo(TypedDict):
    """A source of numbers, and how it enters the total."""

    name: str
    sensor: str
    source: str
    domain: str
    kind: str
    role: str
    of: str | None
    reason: str | None


class AbsenceInfo(TypedDict):
    """A sensor that gives nothing here, why, and what to do about it."""

    sensor: str
    status: str
    reason: str
    hint: str


class AnyGroup(TypedDict):
    """What windows of one kind or name have in common, merged or not."""

    count: int
    mean_duration_s: float | None
    mean_energy_j: float | None
    mean_carbon_g: float | None
    total_duration_s: float
    distinct_energy_j: float | None


class GroupSummary(AnyGroup):
    total_energy_j: float
    total_carbon_g: float
    carbon_basis: CarbonBasis
    cost: float | None
    embodied_g: float | None
    windows_with_items: int
    items: int | None
    energy_per_item_j: float | None
    energy_per_item_uncertainty_j: float | None
    items_per_j: float | None
    items_per_j_uncertainty: float | None
    uncertainty_j: float
    uncertainty_gain_j: float
    uncertainty_edge_j: float


class RunSummary(WindowResult):
    """From the meter's construction to now. The last three are over unions of time."""

    in_epochs_j: float
    in_batches_j: float
    outside_windows_j: float


class Rates(TypedDict):
    """What was given for cost and for embodied carbon; None: not given, or not the same for all."""

    price_per_kwh: float | None
    embodied_kg: float | None
    lifetime_years: float | None


class Overhead(TypedDict):
    """What it cost: seconds inside the library's begin, end and lap, and waiting for GPUs."""

    fraction: float | None
    limit: float | None
    caller_s: float | None
    sync_s: float


class AnySummary(TypedDict):
    """What a summary of one process and a merged one have in common."""

    schema: int
    device: str
    gpu_name: str | None
    gpu_shared: bool | None
    carbon_intensity_g_per_kwh: float | None
    num_batches: int
    num_epochs: int
    carbon_basis: CarbonBasis
    rates: Rates
    tdp: dict[str, Any]
    overhead: Overhead
    scope: dict[str, Any]


class Summary(AnySummary):
    """All that a meter knows, as JSON."""

    batch_summary: GroupSummary
    epoch_summary: GroupSummary
    windows: dict[str, GroupSummary]
    run: RunSummary


class MergedGroupSummary(AnyGroup):
    """Energies are None where processes measured the same devices at the same time."""

    total_energy_j: float | None
    total_carbon_g: float | None
    carbon_basis: CarbonBasis
    cost: float | None
    embodied_g: float | None
    windows_with_items: int
    items: int | None
    energy_per_item_j: float | None
    energy_per_item_uncertainty_j: float | None
    items_per_j: float | None
    items_per_j_uncertainty: float | None
    uncertainty_j: float | None
    uncertainty_gain_j: float | None
    uncertainty_edge_j: float | None


class MergedRunSummary(WindowResult):
    """Over the union of the processes' time. The last three are None where they cannot be told."""

    in_epochs_j: float | None
    in_batches_j: float | None
    outside_windows_j: float | None


class MergedSummary(AnySummary):
    """The summaries of several processes as one: the keys of a summary."""

    batch_summary: MergedGroupSummary
    epoch_summary: MergedGroupSummary
    windows: dict[str, MergedGroupSummary]
    run: MergedRunSummary


class ComparedRun(TypedDict):
    """One side of a comparison: one run, or the mean of several."""

    name: str
    count: int
    duration_s: float
    energy_j: float
    energy_sd_j: float | None
    uncertainty_j: float
    avg_power_w: float
    carbon_g: float


class Difference(TypedDict):
    """How much more than the first run one used; negative: less. Whether that is out of doubt."""

    name: str
    than: str
    difference_j: float
    ratio: float | None
    uncertainty_j: float
    uncertainty_gain_j: float
    uncertainty_edge_j: float
    scatter_j: float | None
    stands: bool
    comparable: bool
    reasons: list[str]


class Comparison(TypedDict):
    """What ``EnergyMeter.compare`` gives: all runs, and each one's difference from the first."""

    schema: int
    runs: list[ComparedRun]
    least: str
    differences: list[Difference]


class Measured(Protocol[T_co]):
    """An iterable whose items are measured as they are used."""

    def __iter__(self) -> Iterator[T_co]: ...
    def __len__(self) -> int: ...
