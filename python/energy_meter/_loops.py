# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Loops whose every turn is a window, from asking for an item to asking for the next."""

from __future__ import annotations

import sys

from ._arguments import items as items_of
from ._arguments import shown
from ._errors import MeterForked, WindowEnded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ._meter import EnergyMeter
    from ._native import Record
    from ._null import NullRecord

    Count = Callable[[Any], int] | None


class Loop:
    """What ``meter.batches()`` and ``meter.epochs()`` return. Each ``for`` iterates anew."""

    __slots__ = ("_count", "_items", "_kind", "_meter", "_name")

    def __init__(
        self, meter: EnergyMeter, kind: int, name: str | None, items: Any, count: Count = None
    ) -> None:
        self._meter = meter
        self._kind = kind
        self._name = name
        self._items = items
        self._count = count

    def __iter__(self) -> Iterator[Any]:
        return LoopIterator(self._meter, self._kind, self._name, self._items, self._count)

    def __len__(self) -> int:
        return len(self._items)

    def __bool__(self) -> bool:
        return True


class LoopIterator:
    """One pass. A for loop drops it at break, return or an exception; that ends the open window."""

    __slots__ = ("_count", "_ending", "_items", "_kind", "_meter", "_name", "_next", "_record")

    _record: Record | NullRecord | None

    def __init__(
        self, meter: EnergyMeter, kind: int, name: str | None, items: Any, count: Count = None
    ) -> None:
        self._meter = meter
        self._kind = kind
        self._name = name
        self._items = items
        self._count = count
        self._next: Any = None
        self._record = None
        self._ending = meter._endings[kind]

    def __iter__(self) -> LoopIterator:
        return self

    def __next__(self) -> Any:
        try:
            if self._record is not None:
                if self._ending is not None:
                    self._prepare(self._record)
                self._record.lap()
            elif self._items is None:
                raise StopIteration
            else:
                self._record = self._meter._begin(self._kind, self._name, False)
        except MeterForked:
            self._record = self._meter._forked().begin(self._kind, self._name, False)
        except WindowEnded:
            # By a close. This raises, unless it was the one at the interpreter's end.
            self._record = self._meter._begin(self._kind, self._name, False)
        try:
            if self._next is None:
                self._next = iter(self._items).__next__
            item = self._next()
            if self._count is not None:
                self._tell_items(self._count, item)
            return item
        except StopIteration:
            self._drop(cancel=True)
            self._items = self._next = None
            raise
        except BaseException as error:
            leaves = isinstance(error, (KeyboardInterrupt, SystemExit))
            self._drop(cancel=self._next is None, waits=not leaves)
            raise

    def _tell_items(self, count: Callable[[Any], int], item: Any) -> None:
        try:
            number = items_of(count(item), "what items_of returns")
        except Exception as error:
            self._count = None
            from ._notices import warn

            warn(
                f"The function given as items_of= raised {shown(error)}; turns of this loop carry "
                "no items from here on. Correct it: it takes what the loop gives and returns how "
                "many samples, tokens or requests that is."
            )
            return
        record = self._record
        if record is not None:
            record.set_items(number)

    def _prepare(self, record: Record | NullRecord) -> None:
        try:
            if self._ending is not None:
                self._ending(record)
        except MeterForked:
            raise
        except BaseException:
            self._drop(cancel=False, waits=False)
            raise

    def close(self) -> None:
        """Ends the open window and the iteration."""
        self._drop(cancel=False)
        self._items = self._next = None

    def __del__(self) -> None:
        # Before the loader goes, which may take its time to stop its workers.
        self._drop(cancel=False, waits=not sys.is_finalizing())

    def _drop(self, cancel: bool, waits: bool = True) -> None:
        record, self._record = self._record, None
        if record is None:
            return
        try:
            if cancel:
                record.cancel()
                return
            try:
                if self._ending is not None:
                    self._ending(record, waits)
            finally:
                record.end()
        except MeterForked:
            return
