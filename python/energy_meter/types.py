# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The shapes of results, for type checkers and readers. The package itself does not import this."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import Any, Literal, NotRequired, Protocol, TypedDict, TypeVar

T_co = TypeVar("T_co", covariant=True)


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


class GroupSummary(TypedDict):
    count: int
    mean_duration_s: float | None
    mean_energy_j: float | None
    mean_carbon_g: float | None
    total_duration_s: float
    total_energy_j: float
    total_carbon_g: float
    distinct_energy_j: float | None
    uncertainty_j: float
    uncertainty_gain_j: float
    uncertainty_edge_j: float


class RunSummary(WindowResult):
    """From the meter's construction to now. The last three are over unions of time."""

    in_epochs_j: float
    in_batches_j: float
    outside_windows_j: float


class CarbonBasis(TypedDict):
    g_per_kwh: float | None
    source: str
    year: int | None
    is_default: bool


class Overhead(TypedDict):
    """What measuring cost the program: seconds inside begin, end and lap, and waiting for GPUs."""

    fraction: float | None
    limit: float | None
    caller_s: float | None
    sync_s: float


class Summary(TypedDict):
    """All that a meter knows, as JSON."""

    schema: int
    device: str
    gpu_name: str | None
    gpu_shared: bool | None
    carbon_intensity_g_per_kwh: float | None
    num_batches: int
    num_epochs: int
    batch_summary: GroupSummary
    epoch_summary: GroupSummary
    windows: dict[str, GroupSummary]
    run: RunSummary
    carbon_basis: CarbonBasis
    tdp: dict[str, Any]
    overhead: Overhead
    scope: dict[str, Any]


class MergedGroupSummary(TypedDict):
    """Energies are None where processes measured the same devices at the same time."""

    count: int
    mean_duration_s: float | None
    mean_energy_j: float | None
    mean_carbon_g: float | None
    total_duration_s: float
    total_energy_j: float | None
    total_carbon_g: float | None
    distinct_energy_j: float | None
    uncertainty_j: float | None
    uncertainty_gain_j: float | None
    uncertainty_edge_j: float | None


class MergedRunSummary(WindowResult):
    """Over the union of the processes' time. The last three are None where they cannot be told."""

    in_epochs_j: float | None
    in_batches_j: float | None
    outside_windows_j: float | None


class MergedCarbonBasis(TypedDict):
    """None: not the same for all."""

    g_per_kwh: float | None
    source: str | None
    year: int | None
    is_default: bool


class MergedSummary(TypedDict):
    """The summaries of several processes as one: the keys of a summary."""

    schema: int
    device: str
    gpu_name: str | None
    gpu_shared: bool | None
    carbon_intensity_g_per_kwh: float | None
    num_batches: int
    num_epochs: int
    batch_summary: MergedGroupSummary
    epoch_summary: MergedGroupSummary
    windows: dict[str, MergedGroupSummary]
    run: MergedRunSummary
    carbon_basis: MergedCarbonBasis
    tdp: dict[str, Any]
    overhead: Overhead
    scope: dict[str, Any]


class Measured(Protocol[T_co]):
    """An iterable whose items are measured as they are used."""

    def __iter__(self) -> Iterator[T_co]: ...
    def __len__(self) -> int: ...
