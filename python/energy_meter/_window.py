# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""A window: one measured stretch of time, as a block, a pair of calls, or a decorator."""

from __future__ import annotations

from ._arguments import items as items_of
from ._arguments import timeout_ns as timeout_of
from ._errors import MeterForked, WindowEnded, WindowNotStarted, WindowOpenError
from ._null import FORKED, NullRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Never, SupportsFloat, SupportsIndex, TypeVar

    from ._meter import EnergyMeter
    from ._native import Record, Result
    from .types import CarbonBasis, ChannelResult, Missing, ProvenanceEnergy, WindowResult

    Function = TypeVar("Function", bound=Callable[..., Any])


class Window:
    """Measures what happens between its begin and its end.

    Made by ``meter.batch()``, ``meter.epoch()`` and ``meter.window()``. Use it once, as a ``with``
    block or with ``start()`` and ``stop()``; or as a decorator, where each call of the function is
    a window of its own. As long as it lives it can be read, however many windows follow.
    """

    __slots__ = ("__weakref__", "_items", "_kind", "_meter", "_name", "_record", "_use")

    # From start to stop the meter must live; an ended window needs only its record.
    _meter: EnergyMeter | None
    _record: Record | NullRecord | None

    def __init__(
        self, meter: EnergyMeter, kind: int, name: str | None, items: int | None = None
    ) -> None:
        self._meter = meter
        self._kind = kind
        self._name = name
        self._items = items
        self._record = None
        self._use = meter._use

    def start(self) -> Window:
        """Begins the window and returns it."""
        meter = self._meter
        if self._record is not None or meter is None:
            raise WindowEnded("this window was started before; each measures once, make another")
        try:
            self._record = meter._begin(self._kind, self._name, True)
        except MeterForked:
            self._record = meter._forked().begin(self._kind, self._name, True)
        if self._items is not None:
            self._record.set_items(self._items)
        return self

    def stop(self) -> Window:
        """Ends the window and returns it. A second stop changes nothing."""
        self._end(True)
        return self

    def _end(self, waits: bool) -> None:
        record = self._record
        if record is None:
            raise WindowNotStarted("this window has not been started; call start() first")
        meter = self._meter
        if meter is None:
            return
        ending = meter._endings[self._kind]
        try:
            try:
                if ending is not None:
                    ending(record, waits)
            finally:
                record.end()
        except MeterForked:
            self._record = meter._forked().begin(self._kind, self._name, True)
        finally:
            self._meter = None

    @property
    def items(self) -> int | None:
        """The samples, tokens or requests that it carries, or None.

        Set it any time before the end; a later value wins. They must be those of all devices that
        are measured: what a node of 8 GPUs used goes with the samples of all 8.
        """
        return self._items

    @items.setter
    def items(self, count: SupportsIndex) -> None:
        number = items_of(count)
        if self._meter is None:
            raise WindowEnded("this window has ended; give its items before its end")
        if self._record is not None:
            try:
                self._record.set_items(number)
            except MeterForked:
                self._record = self._meter._forked().begin(self._kind, self._name, True)
        self._items = number

    __enter__ = start

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end(kind is None or not issubclass(kind, (KeyboardInterrupt, SystemExit)))

    def __call__(self, function: Function) -> Function:
        """Decorates a function or coroutine function: each call is a window of its own."""
        from ._decorators import decorated

        meter = self._meter
        if self._record is not None or meter is None:
            raise WindowEnded("this window was started before; decorate with one of its own")
        measured: Function = decorated(function, meter, self._kind, self._name, self._items)
        return measured

    def to_dict(self) -> WindowResult:
        """What is known now; ``final`` says whether it may still change. Never waits."""
        return self._dict(self._result())

    def wait(self, timeout: SupportsFloat | None = None) -> WindowResult:
        """Waits until the values are final, and returns them: about one sample interval.

        After ``timeout`` seconds, at most two by default, the best estimate becomes final.
        """
        timeout_ns = timeout_of(timeout)
        result = self._result()
        if result is not None and self._record is not None and not result.is_final:
            try:
                self._record.settle(timeout_ns)
            except MeterForked:
                return self._dict(NullRecord(FORKED, self._record.carbon_basis).result())
            result = self._result()
        return self._dict(result)

    def _dict(self, result: Result | None) -> WindowResult:
        if self._record is None:
            raise WindowNotStarted("this window has not been started; call start() first")
        if result is None:
            raise WindowOpenError(
                "this window has not ended; its results can be read after the with block or stop()"
            )
        from ._results import to_dict
        from ._sync import reason

        return to_dict(result, self._record.carbon_basis, reason(result, self._use))

    def _result(self) -> Result | None:
        """None until stop(), or the close of the meter, has ended the window."""
        record = self._record
        if record is None:
            return None
        try:
            result = record.result()
        except MeterForked:
            return NullRecord(FORKED, record.carbon_basis).result()
        return None if self._meter is not None and result.is_open else result

    @property
    def duration_s(self) -> float:
        return self.to_dict()["duration_s"]

    @property
    def energy_j(self) -> float:
        return self.to_dict()["energy_j"]

    @property
    def avg_power_w(self) -> float:
        return self.to_dict()["avg_power_w"]

    @property
    def carbon_g(self) -> float:
        return self.to_dict()["carbon_g"]

    @property
    def carbon_basis(self) -> CarbonBasis:
        return self.to_dict()["carbon_basis"]

    @property
    def cost(self) -> float | None:
        return self.to_dict()["cost"]

    @property
    def embodied_g(self) -> float | None:
        return self.to_dict()["embodied_g"]

    @property
    def energy_per_item_j(self) -> float | None:
        return self.to_dict()["energy_per_item_j"]

    @property
    def energy_per_item_uncertainty_j(self) -> float | None:
        return self.to_dict()["energy_per_item_uncertainty_j"]

    @property
    def items_per_j(self) -> float | None:
        return self.to_dict()["items_per_j"]

    @property
    def items_per_j_uncertainty(self) -> float | None:
        return self.to_dict()["items_per_j_uncertainty"]

    @property
    def cpu_energy_j(self) -> float | None:
        return self.to_dict()["cpu_energy_j"]

    @property
    def gpu_energy_j(self) -> float | None:
        return self.to_dict()["gpu_energy_j"]

    @property
    def dram_energy_j(self) -> float | None:
        return self.to_dict()["dram_energy_j"]

    @property
    def other_energy_j(self) -> float | None:
        return self.to_dict()["other_energy_j"]

    @property
    def energy_by_provenance(self) -> ProvenanceEnergy:
        return self.to_dict()["energy_by_provenance"]

    @property
    def uncertainty_j(self) -> float:
        return self.to_dict()["uncertainty_j"]

    @property
    def uncertainty_gain_j(self) -> float:
        return self.to_dict()["uncertainty_gain_j"]

    @property
    def uncertainty_edge_j(self) -> float:
        return self.to_dict()["uncertainty_edge_j"]

    @property
    def resolution(self) -> str:
        return self.to_dict()["resolution"]

    @property
    def reasons(self) -> list[str]:
        return self.to_dict()["reasons"]

    @property
    def channels(self) -> dict[str, ChannelResult]:
        return self.to_dict()["channels"]

    @property
    def complete(self) -> bool:
        return self.to_dict()["complete"]

    @property
    def missing(self) -> list[Missing]:
        return self.to_dict()["missing"]

    @property
    def final(self) -> bool:
        return self.to_dict()["final"]

    @property
    def process_cpu_share(self) -> float | None:
        return self.to_dict()["process_cpu_share"]

    @property
    def process_cpu_share_reason(self) -> str | None:
        return self.to_dict()["process_cpu_share_reason"]

    def __repr__(self) -> str:
        state = "new" if self._record is None else "ended" if self._result() else "open"
        return f"<energy_meter.Window {self._name or 'unnamed'}, {state}>"

    def __copy__(self) -> Window:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Window:
        return self

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError("a Window cannot be pickled; send window.to_dict()")
