# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Which of several runs used less."""

from __future__ import annotations

from . import _arguments, _native
from ._errors import InvalidArgument
from ._merge import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .types import Comparison


def _texts(side: object, index: int) -> list[bytes]:
    """A summary, or a list of those of several runs of one program."""
    runs = side if isinstance(side, list | tuple) else [side]
    if not runs:
        raise InvalidArgument(f"runs[{index}] is empty; give one summary or several")
    return [text_of(run, f"runs[{index}]") for run in runs]


def compare(runs: tuple[object, ...], force: bool) -> Comparison:
    import json

    if len(runs) < 2:
        raise TypeError("compare() takes two runs or more, each what meter.summary() returned")
    lists = [_texts(side, index) for index, side in enumerate(runs)]
    comparison: Comparison = json.loads(_native.compare(lists, _arguments.flag("force", force)))
    return comparison
