# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Waits for queued GPU work at the ends of windows. Imports no framework and never starts CUDA."""

from __future__ import annotations

import sys
from time import monotonic_ns

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    from ._native import Record, Result
    from ._null import NullRecord

    Choice = Literal["auto"] | bool | Callable[[], object]

UNSYNCHRONISED = (
    "the end of this window was not synchronised with the GPU: what was still queued there counts "
    "in a later window, which leaves totals as they are; sync=True waits at the end of every "
    "window, and slows training"
)


class Use:
    """Since when this program has used CUDA through torch or cupy, as ends of windows saw it."""

    __slots__ = ("since_ns",)

    def __init__(self) -> None:
        self.since_ns: int | None = None

    def look(self) -> None:
        if self.since_ns is not None:
            return
        try:
            if _torch() is not None or _cupy() is not None:
                self.since_ns = monotonic_ns()
        except Exception:
            return


class Ending:
    """Called before a window ends: looks who uses CUDA, waits until the GPU is done if windows of
    its kind do, and tells the window how long it took."""

    __slots__ = ("_has_failed", "_own", "_use", "_waits")

    def __init__(self, own: Callable[[], object] | None, waits: bool, use: Use | None) -> None:
        self._own = own
        self._waits = waits
        self._use = use
        self._has_failed = False

    def __call__(self, record: Record | NullRecord, may_wait: bool = True) -> None:
        if self._use is not None:
            self._use.look()
        if not self._waits or not may_wait:
            return
        synchronise = _synchroniser() if self._own is None else self._own
        if synchronise is None or not record.set_wait(0):
            return
        begin = monotonic_ns()
        try:
            synchronise()
        except Exception as error:
            # A framework raises it again at its own next call, where it belongs.
            if self._own is not None:
                self._tell(error)
        finally:
            record.set_wait(max(1, monotonic_ns() - begin))

    def _tell(self, error: Exception) -> None:
        if self._has_failed:
            return
        self._has_failed = True
        from ._arguments import shown
        from ._notices import warn

        warn(
            f"The function given as sync= raised {shown(error)}; windows go on without that wait, "
            "and this is said once. Correct the function, or give sync=False."
        )


def endings(choice: Choice, use: Use | None) -> tuple[Ending | None, ...]:
    """What happens before a window of each kind ends, by kind; None: nothing does."""
    kinds = [] if choice is False else [_native.KIND_OTHER, _native.KIND_EPOCH]
    if choice not in (False, "auto"):
        kinds.append(_native.KIND_BATCH)
    wait = Ending(choice if callable(choice) else None, True, use)
    rest = None if use is None else Ending(None, False, use)
    return tuple(wait if kind in kinds else rest for kind in range(_native.KIND_RUN + 1))


def reason(result: Result, use: Use | None) -> str | None:
    """Why the energy of an ended window may be in another one: nobody waited for the GPU."""
    if use is None or use.since_ns is None or result.wait_ns or result.gpu_j is None:
        return None
    end_ns = result.begin_ns + result.duration_ns
    return UNSYNCHRONISED if end_ns >= use.since_ns else None


def _loaded(name: str) -> Any:
    """The cuda of a framework that the program has imported."""
    module = sys.modules.get(name)
    # A module that importlib loads lazily would be imported by a look at it.
    if module is None or type(module).__module__ == "importlib.util":
        return None
    return getattr(module, "cuda", None)


def _torch() -> Any:
    """torch.cuda, where it is initialised."""
    cuda = _loaded("torch")
    return cuda if cuda is not None and cuda.is_initialized() else None


def _cupy() -> Any:
    """cupy.cuda, where this thread has used it. The other ways to ask would initialise CUDA."""
    cuda = _loaded("cupy")
    return cuda if cuda is not None and cuda.driver.ctxGetCurrent() else None


def _synchroniser() -> Callable[[], object] | None:
    """Waits for all work that is queued; None: there is none, or this is no time to wait."""
    try:
        torch, cupy = _torch(), _cupy()
        # A synchronisation would end the capture of a graph with an error, in any thread.
        if torch is not None and _is_capturing(torch):
            return None
        if cupy is not None and cupy.get_current_stream().is_capturing():
            return None
        if torch is not None:
            return _of_torch(torch)
        return None if cupy is None else cupy.runtime.deviceSynchronize
    except Exception:
        return None


def _is_capturing(cuda: Any) -> bool:
    if cuda.is_current_stream_capturing():
        return True
    # torch.cuda.graph captures on a stream of its own, whichever thread it is in, unless it is
    # given another.
    stream = getattr(getattr(cuda, "graph", None), "default_capture_stream", None)
    if stream is None:
        return False
    with cuda.stream(stream):
        return bool(cuda.is_current_stream_capturing())


def _of_torch(cuda: Any) -> Callable[[], object] | None:
    # synchronize() gives a GPU that the program has not used a context, and memory for it.
    is_used = getattr(getattr(sys.modules["torch"], "_C", None), "_cuda_hasPrimaryContext", None)
    count = cuda.device_count() if is_used else 0
    used = [index for index in range(count) if is_used and is_used(index)]

    def synchronise() -> None:
        for index in used:
            cuda.synchronize(index)

    if count:
        return synchronise if used else None
    own: Callable[[], object] = cuda.synchronize
    return own
