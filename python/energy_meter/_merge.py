# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""The summaries of several processes as one."""

from __future__ import annotations

from . import _arguments, _native
from ._errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .types import MergedSummary, Summary

_REMEDY = "give a list of what meter.summary() returned, or of its JSON"


def text_of(summary: object, name: str, remedy: str = _REMEDY) -> bytes:
    import json

    if isinstance(summary, bytes | bytearray):
        return bytes(summary)
    if isinstance(summary, str):
        return summary.encode("utf-8", "surrogatepass")
    if not isinstance(summary, dict):
        raise TypeError(f"{name} is {_arguments.shown(summary)}; {remedy}")
    try:
        return json.dumps(summary, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"{name} is no JSON: {error}; {remedy}") from error


def merge(summaries: Iterable[Mapping[str, object] | Summary | str | bytes]) -> MergedSummary:
    import json

    if isinstance(summaries, str | bytes | bytearray | dict):
        raise TypeError(f"summaries is {_arguments.shown(summaries)}, and not several; {_REMEDY}")
    try:
        each = iter(summaries)
    except TypeError:
        shown = _arguments.shown(summaries)
        raise TypeError(f"summaries is {shown}, which holds none; {_REMEDY}") from None
    texts = [text_of(summary, f"summaries[{index}]") for index, summary in enumerate(each)]
    merged: MergedSummary = json.loads(_native.merge(texts))
    return merged
