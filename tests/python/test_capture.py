# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""A graph that another thread captures is not broken by a wait; with a stand-in for torch."""

from __future__ import annotations

import contextlib
import sys
import threading
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.python.conftest import MakeMeter


class Cuda:
    """torch.cuda with streams that are current in a thread, and of which one may be captured."""

    def __init__(self) -> None:
        self.graph = types.SimpleNamespace(default_capture_stream=None)
        self.captured: object = None
        self.broken = self.synchronised = 0
        self._current = threading.local()

    @property
    def current(self) -> object:
        return getattr(self._current, "stream", None)

    def is_initialized(self) -> bool:
        return True

    def is_current_stream_capturing(self) -> bool:
        return self.captured is not None and self.current is self.captured

    @contextlib.contextmanager
    def stream(self, stream: object) -> Iterator[None]:
        before, self._current.stream = self.current, stream
        yield
        self._current.stream = before

    def synchronize(self) -> None:
        self.synchronised += 1
        self.broken += self.captured is not None


@pytest.mark.parametrize("sync", ["auto", True])
def test_a_capture_in_another_thread(
    make: MakeMeter, monkeypatch: pytest.MonkeyPatch, sync: Any
) -> None:
    cuda = Cuda()
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    meter = make(sync=sync)
    begun, ended = threading.Event(), threading.Event()

    def capture() -> None:
        cuda.graph.default_capture_stream = stream = object()
        with cuda.stream(stream):
            cuda.captured = stream
            begun.set()
            ended.wait(10)
            cuda.captured = None

    thread = threading.Thread(target=capture)
    thread.start()
    assert begun.wait(10)
    with meter.epoch():
        pass
    assert list(meter.epochs(range(2))) == [0, 1]
    assert (cuda.synchronised, cuda.broken) == (0, 0)
    assert cuda.current is None
    ended.set()
    thread.join()
    with meter.epoch():
        pass
    assert (cuda.synchronised, cuda.broken) == (1, 0)
