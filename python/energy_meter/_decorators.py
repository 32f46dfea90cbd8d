# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Functions whose every call is a window of its own."""

from __future__ import annotations

import functools
import inspect

from . import _native
from ._arguments import shown, window_name
from ._null import NullMeter
from ._window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._meter import EnergyMeter


def decorated(
    function: Any, meter: EnergyMeter, kind: int, name: str | None, items: int | None
) -> Any:
    if isinstance(function, (classmethod, staticmethod)):
        own = type(function).__name__
        raise TypeError(f"{shown(function)} cannot be measured; put @{own} above the window")
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"only a function can be decorated with a window, not {shown(function)}")
    body = _body(function)
    own_name = getattr(function, "__name__", None) or getattr(body, "__name__", "")
    if own_name in ("", "__call__"):
        own_name = type(function).__name__
    if inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body):
        raise TypeError(
            f"{own_name}() is a generator function, whose body runs while it is iterated, not when "
            "it is called; open the window inside of it (with meter.window(...):), or iterate over "
            f"meter.batches({own_name}(...))"
        )
    if isinstance(meter._native, NullMeter):
        return function
    if name is None and kind == _native.KIND_OTHER:
        name = window_name(own_name, "window")
    if inspect.iscoroutinefunction(body):

        @functools.wraps(function)
        async def measured(*args: Any, **keywords: Any) -> Any:
            with Window(meter, kind, name, items):
                return await function(*args, **keywords)
    else:

        @functools.wraps(function)
        def measured(*args: Any, **keywords: Any) -> Any:
            with Window(meter, kind, name, items):
                return function(*args, **keywords)

    return measured


def _body(function: Any) -> Any:
    """What runs when it is called: below partial, or the __call__ of an object."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if inspect.isroutine(function) else type(function).__call__
