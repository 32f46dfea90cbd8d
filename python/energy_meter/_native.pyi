# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors

from collections.abc import Sequence
from typing import Any, Final, final

from _typeshed import structseq

from .types import CarbonBasis

KIND_ANY: Final[int]
KIND_OTHER: Final[int]
KIND_BATCH: Final[int]
KIND_EPOCH: Final[int]
KIND_RUN: Final[int]
FORMAT_TEXT: Final[int]
FORMAT_JSON: Final[int]
FORMAT_CSV: Final[int]
FORMAT_MODEL_CARD: Final[int]
FORMAT_BOAMPS: Final[int]
DOMAIN_CPU: Final[int]
DOMAIN_GPU: Final[int]
DOMAIN_DRAM: Final[int]
FLAG_AS_USER: Final[int]
FLAG_PRESENT_GPU: Final[int]
FLAG_MODEL_DRAM: Final[int]
version: Final[str]

def compare(texts: list[list[bytes]], force: bool, /) -> str: ...
def carbon(
    location: str | None = ..., carbon_g_per_kwh: float = ..., pue: float = ...
) -> CarbonBasis: ...
def merge(texts: list[bytes], /) -> str: ...
def report(json: bytes, format: int, /) -> str: ...
def replay(fd: int, /) -> tuple[str, bool]: ...

@final
class ChannelEnergy(
    structseq[Any],
    tuple[
        str,
        str,
        str,
        float | None,
        str,
        str,
        float | None,
        float | None,
        float | None,
        str,
        list[str],
        int | None,
        str | None,
    ],
):
    __match_args__: Final = (
        "name",
        "domain",
        "provenance",
        "counted_j",
        "status",
        "reason",
        "uncertainty_j",
        "gain_j",
        "edge_j",
        "resolution",
        "reasons",
        "period_ns",
        "period_from",
    )
    @property
    def name(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def provenance(self) -> str: ...
    @property
    def counted_j(self) -> float | None: ...
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def uncertainty_j(self) -> float | None: ...
    @property
    def gain_j(self) -> float | None: ...
    @property
    def edge_j(self) -> float | None: ...
    @property
    def resolution(self) -> str: ...
    @property
    def reasons(self) -> list[str]: ...
    @property
    def period_ns(self) -> int | None: ...
    @property
    def period_from(self) -> str | None: ...

@final
class Result(
    structseq[Any],
    tuple[
        int,
        float,
        float,
        float | None,
        float | None,
        float | None,
        float | None,
        float,
        float,
        float,
        bool,
        bool,
        bool,
        list[ChannelEnergy],
        dict[str, str],
        float,
        float,
        float,
        str,
        list[str],
        int,
        float | None,
        float | None,
        float | None,
        str | None,
        int,
        int | None,
        float | None,
        float | None,
        float | None,
        float | None,
    ],
):
    __match_args__: Final = (
        "duration_ns",
        "energy_j",
        "carbon_g",
        "cpu_j",
        "gpu_j",
        "dram_j",
        "other_j",
        "measured_j",
        "integrated_j",
        "estimated_j",
        "is_complete",
        "is_final",
        "is_open",
        "channels",
        "unmeasured",
        "uncertainty_j",
        "gain_j",
        "edge_j",
        "resolution",
        "reasons",
        "wait_ns",
        "process_cpu_share",
        "cost",
        "embodied_g",
        "process_cpu_share_reason",
        "begin_ns",
        "items",
        "energy_per_item_j",
        "energy_per_item_uncertainty_j",
        "items_per_j",
        "items_per_j_uncertainty",
    )
    @property
    def duration_ns(self) -> int: ...
    @property
    def energy_j(self) -> float: ...
    @property
    def carbon_g(self) -> float: ...
    @property
    def cpu_j(self) -> float | None: ...
    @property
    def gpu_j(self) -> float | None: ...
    @property
    def dram_j(self) -> float | None: ...
    @property
    def other_j(self) -> float | None: ...
    @property
    def measured_j(self) -> float: ...
    @property
    def integrated_j(self) -> float: ...
    @property
    def estimated_j(self) -> float: ...
    @property
    def is_complete(self) -> bool: ...
    @property
    def is_final(self) -> bool: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def channels(self) -> list[ChannelEnergy]: ...
    @property
    def unmeasured(self) -> dict[str, str]: ...
    @property
    def uncertainty_j(self) -> float: ...
    @property
    def gain_j(self) -> float: ...
    @property
    def edge_j(self) -> float: ...
    @property
    def resolution(self) -> str: ...
    @property
    def reasons(self) -> list[str]: ...
    @property
    def wait_ns(self) -> int: ...
    @property
    def process_cpu_share(self) -> float | None: ...
    @property
    def cost(self) -> float | None: ...
    @property
    def embodied_g(self) -> float | None: ...
    @property
    def process_cpu_share_reason(self) -> str | None: ...
    @property
    def begin_ns(self) -> int: ...
    @property
    def items(self) -> int | None: ...
    @property
    def energy_per_item_j(self) -> float | None: ...
    @property
    def energy_per_item_uncertainty_j(self) -> float | None: ...
    @property
    def items_per_j(self) -> float | None: ...
    @property
    def items_per_j_uncertainty(self) -> float | None: ...

@final
class Channel(
    structseq[Any], tuple[str, str, str, str, str, str, str | None, str, str, str, str | None]
):
    __match_args__: Final = (
        "name",
        "sensor",
        "source",
        "domain",
        "kind",
        "role",
        "of",
        "reason",
        "status",
        "device_name",
        "uuid",
    )
    @property
    def name(self) -> str: ...
    @property
    def sensor(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def of(self) -> str | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def device_name(self) -> str: ...
    @property
    def uuid(self) -> str | None: ...

@final
class Absence(structseq[Any], tuple[str, str, str, str]):
    __match_args__: Final = (
        "sensor",
        "status",
        "reason",
        "hint",
    )
    @property
    def sensor(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def hint(self) -> str: ...

@final
class Record:
    @property
    def carbon_basis(self) -> CarbonBasis: ...
    def end(self) -> None: ...
    def lap(self) -> None: ...
    def cancel(self) -> None: ...
    def set_items(self, count: int, /) -> bool: ...
    def set_wait(self, ns: int, /) -> bool: ...
    def settle(self, timeout_ns: int, /) -> None: ...
    def result(self) -> Result: ...

@final
class Meter:
    def __new__(
        cls,
        *,
        sample_interval_ns: int = ...,
        overhead_limit: float = ...,
        cpu_tdp_w: float = ...,
        gpu_tdp_w: float = ...,
        carbon_g_per_kwh: float = ...,
        without: int = ...,
        require: int = ...,
        flags: int = ...,
        gpus: str = ...,
        channels: str | None = ...,
        environment: Sequence[str] = ...,
        root: str = ...,
        trace_fd: int = ...,
        windows_fd: int = ...,
        windows_format: int = ...,
        location: str | None = ...,
        pue: float = ...,
        price_per_kwh: float = ...,
        embodied_kg: float = ...,
        lifetime_years: float = ...,
        files: list[tuple[str | bytes, str, str | None, str | None, str | None]] = ...,
        replay_fd: int = ...,
    ) -> Meter: ...
    @property
    def carbon_basis(self) -> CarbonBasis: ...
    @property
    def device(self) -> str: ...
    @property
    def gpu_name(self) -> str | None: ...
    def begin(self, kind: int, name: str | None, keep: bool, /) -> Record: ...
    def last(self, kind: int, name: str | None, timeout_ns: int, /) -> Result | None: ...
    def summary(self, timeout_ns: int, format: int, /) -> str: ...
    def channels(self) -> list[Channel]: ...
    def absences(self) -> list[Absence]: ...
    def rank(self) -> tuple[int, int]: ...
    def reset(self) -> None: ...
    def close(self, timeout_ns: int, /) -> None: ...
    def trace_status(self) -> str | None: ...
    def windows_status(self) -> str | None: ...
