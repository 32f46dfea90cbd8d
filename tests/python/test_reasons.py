# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""A result whose end was not synchronised with the GPU says so, where there is something to say."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from energy_meter import EnergyMeter, Window

if TYPE_CHECKING:
    from tests.python.conftest import MakeMeter


class Cuda:
    """torch.cuda of a program that uses it."""

    def __init__(self) -> None:
        self.initialised = True
        self.capturing = False

    def is_initialized(self) -> bool:
        return self.initialised

    def is_current_stream_capturing(self) -> bool:
        return self.capturing

    def synchronize(self) -> None:
        pass


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    cuda = Cuda()
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    return cuda


def use(window: Window) -> None:
    with window:
        pass


def raising() -> bool:
    raise RuntimeError("odd")


@pytest.fixture
def with_gpu(make: MakeMeter) -> Callable[..., EnergyMeter]:
    """Meters of a machine whose GPU is counted."""

    def open_meter(**options: Any) -> EnergyMeter:
        meter = make(device="gpu", gpu_tdp_w=70, **options)
        assert meter.device == "gpu"
        return meter

    return open_meter


def said(result: Any) -> list[str]:
    return [reason for reason in result["reasons"] if "not synchronised" in reason]


def test_a_batch_says_that_nobody_waited(with_gpu: Callable[..., EnergyMeter], cuda: Cuda) -> None:
    meter = with_gpu()
    with meter.epoch() as epoch, meter.batch() as batch:
        pass
    for result in (batch.to_dict(), meter.last_batch(), batch.wait()):
        assert len(said(result)) == 1
        assert "sync=True" in said(result)[0]
    assert said(batch.to_dict())[0] in batch.reasons
    assert said(epoch.to_dict()) == said(meter.last_epoch()) == []
    list(meter.epochs(range(2)))
    assert said(meter.last_epoch()) == []
    list(meter.batches(range(2)))
    assert len(said(meter.last_batch())) == 1


def test_what_was_so_when_the_window_ended_counts(
    make: MakeMeter, with_gpu: Callable[..., EnergyMeter], cuda: Cuda
) -> None:
    meter = with_gpu()
    cuda.initialised = False
    with meter.batch() as before:
        pass
    with meter.batch() as across:
        cuda.initialised = True
    cuda.initialised = False
    assert said(before.to_dict()) == []
    assert len(said(across.to_dict())) == len(said(meter.last_batch())) == 1
    # Who ended it does not matter: close(), or an exception that is not waited for.
    for leave in (False, True):
        meter = with_gpu()
        cuda.initialised = True
        window = meter.epoch().start()
        if leave:
            window.__exit__(KeyboardInterrupt, None, None)
        else:
            meter.close()
        cuda.initialised = False
        assert len(said(window.to_dict())) == 1
    meter = with_gpu()
    turns = iter(meter.batches(range(2)))
    next(turns)
    cuda.initialised = True
    next(turns)
    cuda.initialised = False
    assert len(said(meter.last_batch())) == 1


@pytest.mark.parametrize("sync", [True, lambda: None])
def test_a_batch_that_waited_has_nothing_to_say(
    with_gpu: Callable[..., EnergyMeter], cuda: Cuda, sync: Any
) -> None:
    meter = with_gpu(sync=sync)
    use(meter.batch())
    assert said(meter.last_batch()) == []


def test_an_epoch_without_a_wait_says_so(with_gpu: Callable[..., EnergyMeter], cuda: Cuda) -> None:
    meter = with_gpu(sync=False)
    use(meter.epoch())
    assert len(said(meter.last_epoch())) == 1
    meter = with_gpu()
    cuda.capturing = True
    use(meter.epoch())
    assert len(said(meter.last_epoch())) == 1


def test_where_no_gpu_is_counted_or_no_cuda_used_nothing_is_said(
    make: MakeMeter, with_gpu: Callable[..., EnergyMeter], cuda: Cuda
) -> None:
    with make(device="cpu").batch() as batch:
        pass
    assert said(batch.to_dict()) == []
    cuda.initialised = False
    with with_gpu().batch() as batch:
        pass
    assert said(batch.to_dict()) == []
    cuda.is_initialized = raising  # type: ignore[method-assign]
    assert said(batch.to_dict()) == []
