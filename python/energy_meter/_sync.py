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


class Wait:
    """Waits until the GPU is done, before a window ends, and tells the window how long it took."""

    __slots__ = ("_has_failed", "_own")

    def __init__(self, own: Callable[[], object] | None) -> None:
        self._own = own
        self._has_failed = False

    def __call__(self, record: Record | NullRecord) -> None:
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


def waits(choice: Choice) -> tuple[Wait | None, ...]:
    """What waits before a window of each kind ends, by kind; None: nothing does."""
    if choice is False:
        return (None,) * (_native.KIND_RUN + 1)
    wait = Wait(choice if callable(choice) else None)
    kinds = [_native.KIND_OTHER, _native.KIND_EPOCH]
    if choice != "auto":
        kinds.append(_native.KIND_BATCH)
    return tuple(wait if kind in kinds else None for kind in range(_native.KIND_RUN + 1))


def reason(result: Result) -> str | None:
    """Why the energy of an ended window may be in another one: nobody waited for the GPU."""
    if result.wait_ns or result.gpu_j is None:
        return None
    try:
        in_use = _torch() is not None or _cupy() is not None
    except Exception:
        return None
    return UNSYNCHRONISED if in_use else None


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
        # A synchronisation would end the capture of a graph with an error.
        if torch is not None and torch.is_current_stream_capturing():
            return None
        if cupy is not None and cupy.get_current_stream().is_capturing():
            return None
        if torch is not None:
            return _of_torch(torch)
        return None if cupy is None else cupy.runtime.deviceSynchronize
    except Exception:
        return None


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
